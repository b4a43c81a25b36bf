package main

import (
	"context"
	"errors"
	"image"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"

	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/display/panel/draw"
	"stolpe/display/panel/epaper"
	"stolpe/display/screen"
	"stolpe/hal"
	"stolpe/payment"
)

// ink is as much of an e-paper's controller as tells how often it is driven.
type ink struct {
	data     gpio.Level
	command  byte
	update   byte
	until    time.Time // busy
	register [2]byte   // of the temperature
	warmth   func() int
	draws    []stroke
}

// stroke is one draw.
type stroke struct {
	at    time.Time
	whole bool
}

func (g *ink) String() string               { return "ink" }
func (g *ink) Duplex() conn.Duplex          { return conn.Half }
func (g *ink) TxPackets([]spi.Packet) error { return errors.ErrUnsupported }
func (g *ink) pin(read func() bool, out func(gpio.Level)) gpio.PinIO {
	return inkPin{gpio.INVALID, read, out}
}

func (g *ink) Connect(physic.Frequency, spi.Mode, int) (spi.Conn, error) { return g, nil }

func (g *ink) Tx(w, r []byte) error {
	switch {
	case len(r) > 0:
		copy(r, g.register[:])
	case g.data == gpio.Low:
		g.command = w[0]
		if g.command != 0x20 { // activate
			return nil
		}
		g.until = time.Now().Add(300 * time.Millisecond)
		switch g.update {
		case 0xb1: // temperature
			sixteenths := g.warmth() * 16
			g.register = [2]byte{byte(sixteenths >> 4), byte(sixteenths << 4)}
		case 0xf7, 0xff:
			g.draws = append(g.draws, stroke{time.Now(), g.update == 0xf7})
		}
	case g.command == 0x22:
		g.update = w[0]
	case g.command == 0x1a:
		g.register = [2]byte(w)
	}
	return nil
}

// inkPin is a line of it.
type inkPin struct {
	gpio.PinIO
	read func() bool
	out  func(gpio.Level)
}

func (p inkPin) In(gpio.Pull, gpio.Edge) error { return nil }
func (p inkPin) Read() gpio.Level              { return gpio.Level(p.read()) }
func (p inkPin) Out(l gpio.Level) error        { p.out(l); return nil }

// eyed is an e-paper of which a test knows what stands on it.
type eyed struct {
	screen.Device
	glass *ink
	mu    sync.Mutex
	page  panel.Page
	since time.Time
	rests int // times that it drew that it rests
}

func (s *eyed) Show(f panel.Frame) error {
	before := len(s.glass.draws)
	err := s.Device.Show(f)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch drawn := len(s.glass.draws) > before; {
	case err == nil && drawn:
		s.page, s.since = f.Page, time.Now()
	case errors.Is(err, panel.ErrCold) && drawn:
		s.page, s.since, s.rests = panel.Page{Face: panel.TooCold}, time.Now(), s.rests+1
	}
	return err
}

// dayOfPost is what a post shows: somebody comes every other hour.
func dayOfPost(at time.Duration, codes *panel.Codes) panel.Page {
	e := panel.EVSE{Link: "https://lad.example.no/A12", View: display.View{Code: "A12", State: display.Available,
		Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}}}
	c := &e.View.Charge
	*c = display.Charge{Price: e.View.Price, Reserved: 35_000}
	for _, x := range []struct {
		until time.Duration
		state display.State
	}{{30 * time.Second, display.Paying}, {50 * time.Second, display.Authorised}, {53 * time.Second, display.Closing}, {time.Hour, display.Charging}, {time.Hour + 5*time.Second, display.Stopping}} {
		if since := at % (2 * time.Hour); since < x.until {
			e.View.State, e.View.Busy, c.Left = x.state, true, 5*time.Minute-since
			c.Elapsed, c.Power, c.Energy = since, 7_200, hal.Energy(since/(500*time.Millisecond))
			c.Cost = payment.Amount(c.Energy) * 549 / 1000
			break
		}
	}
	if !e.View.Busy {
		*c = display.Charge{}
	}
	now := hal.Stamp{Unix: 1768480868 + int64(at/time.Second), Clock: hal.ClockSynced}
	return panel.Scene{Langs: [2]display.Lang{display.NB, display.EN}, EVSEs: []panel.EVSE{e}, Codes: codes, Now: now}.Page()
}

// winter is the temperature outside, °C: from 6 down to -10 in the night, and back.
func winter(at time.Duration) int {
	hours := int(at / time.Hour)
	return 6 - min(16, 2*max(0, min(hours-6, 22-hours)))
}

// A day and a night of an e-paper on the real loop, from the driver's view and from the
// panel's.
func TestADayOfAnEPaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		at := func() time.Duration { return time.Since(began) }
		g := &ink{warmth: func() int { return winter(at()) }}
		nothing := func(gpio.Level) {}
		pins := epaper.Pins{Data: g.pin(nil, func(l gpio.Level) { g.data = l }), Reset: g.pin(nil, nothing),
			Busy: g.pin(func() bool { return time.Now().Before(g.until) }, nothing)}
		p, codes := &eyed{glass: g}, &panel.Codes{}
		rules := panel.Paper()
		s := screen.New(screen.Options{Name: "epaper", Refresh: rules, Again: rules.Cold, Keeps: true, Log: slog.New(slog.DiscardHandler),
			Open: func() (screen.Device, error) {
				d, err := epaper.Open(g, pins, epaper.Options{Resting: image.NewGray(image.Rect(0, 0, epaper.Width, epaper.Height))})
				p.Device = d
				return p, err
			},
			Frame: func(bool) panel.Frame { return panel.Frame{Page: dayOfPost(at(), codes)} },
			Draw: func(f panel.Frame) panel.Frame {
				f.Image = draw.Draw(draw.Paper, f.Page, draw.Options{})
				return f
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		var wrong time.Duration // how long it has shown what is not so
		for at() < 24*time.Hour {
			time.Sleep(time.Second)
			wrong = p.judge(t, dayOfPost(at(), codes), wrong)
		}
		cancel()
		<-ended
		spared(t, g.draws)
		if p.rests != 1 || s.Health().Failures != 0 {
			t.Errorf("it said %d times that it rests; %+v", p.rests, s.Health())
		}
	})
}

// judge looks at the display as a driver does, and gives how long it has been wrong.
func (s *eyed) judge(t *testing.T, now panel.Page, wrong time.Duration) time.Duration {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.page.Face == panel.TooCold || s.page.Face == now.Face && (now.Face != panel.Charging || time.Since(s.since) <= 182*time.Second) {
		return 0
	}
	if wrong += time.Second; wrong == 5*time.Second {
		t.Errorf("it shows face %d of %v ago while the post has face %d", s.page.Face, time.Since(s.since), now.Face)
	}
	return wrong
}

// spared looks at the draws as the panel feels them.
func spared(t *testing.T, draws []stroke) {
	t.Helper()
	partials, most := 0, 0
	var longest time.Duration
	for i, d := range draws {
		if partials++; d.whole {
			partials = 0
		}
		if partials > 5 { // the maker's
			t.Errorf("draw %d is the %dth partial one in a row", i, partials)
		}
		n := 0
		for _, other := range draws[:i+1] {
			if d.at.Sub(other.at) < 10*time.Minute {
				n++
			}
		}
		if most = max(most, n); i > 0 {
			longest = max(longest, d.at.Sub(draws[i-1].at))
		}
	}
	if most > 12 || len(draws) < 100 || len(draws) > 300 || longest < 8*time.Hour {
		t.Errorf("%d draws, at most %d in ten minutes; the longest rest is %v", len(draws), most, longest)
	}
}
