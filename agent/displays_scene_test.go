package main

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/hal"
	"stolpe/hal/sim"
	"stolpe/payment"
)

// sees waits until the panel shows that, for a second at most.
func (b *bubblePost) sees(g *pretended, what string, face panel.Face, code bool) panel.Page {
	b.t.Helper()
	b.pass(time.Second + 10*time.Millisecond)
	p := g.last()
	if p.Face != face || (p.Code != nil) != code {
		b.t.Errorf("%s: face %d, code %v; want face %d, code %v", what, p.Face, p.Code != nil, face, code)
	}
	return p
}

// The code to scan is there while the post can sell, and not a moment longer.
func TestCodeIsThereWhileThePostSells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &pretended{}
		b := post(t, g)
		defer b.stop()
		b.pass(30 * time.Second)
		if p := b.sees(g, "free", panel.Free, true); p.Code.Text != "HTTPS://LAD.EXAMPLE.NO/A12" || p.Price != "5,49" {
			t.Errorf("code %q, price %s", p.Code.Text, p.Price)
		}
		const atOnce = 200 * time.Millisecond // between two pages
		b.rig.Signal(hal.EmergencyStop)
		b.pass(atOnce)
		if p := g.last(); p.Face != panel.Emergency || p.Code != nil {
			t.Errorf("at once after the emergency stop: %+v", p)
		}
		b.rig.Signal(0)
		b.sees(g, "released", panel.Free, true)

		dearer := b.cfg.Price
		dearer.KWh = 699
		if err := b.unit.Reprice(t.Context(), dearer); err != nil {
			t.Fatal(err)
		}
		if p := b.sees(g, "another price", panel.Free, true); p.Price != "6,99" {
			t.Errorf("price %s", p.Price)
		}
		if err := b.unit.Tell(t.Context(), session.Recalled{}); err != nil {
			t.Fatal(err)
		}
		b.pass(atOnce)
		if p := g.last(); p.Face != panel.Unavailable || p.Code != nil {
			t.Errorf("at once after it was withdrawn: %+v", p)
		}
	})
}

// When nobody can pay the display says so, until it is time for somebody to try.
func TestWithoutThePaymentService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &pretended{}
		b := post(t, g)
		defer b.stop()
		b.pass(30 * time.Second)
		b.pay.mu.Lock()
		b.pay.off = true
		b.pay.mu.Unlock()
		q := session.Requested{Reserve: 35_000, Seen: b.cfg.Price, Holder: payment.Holder{1}}
		if err := b.unit.Request(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		for b.busy() {
			b.pass(time.Second)
		}
		b.pass(2 * time.Minute)
		if s, _, _ := b.unit.Snapshot(); len(s.Debts) != 1 {
			t.Fatalf("%d debts: the test wants one that is asked about in vain", len(s.Debts))
		}
		b.sees(g, "payment service away", panel.PayOffline, false)
		b.pay.mu.Lock()
		b.pay.off = false
		b.pay.mu.Unlock()
		b.pass(10 * time.Minute)
		b.sees(g, "payment service back", panel.Free, true)

		b.unreached.Store(true)
		b.sees(g, "gateways away", panel.PayOffline, false)
		b.unreached.Store(false)
		b.sees(g, "gateways back", panel.Free, true)
	})
}

func (b *bubblePost) busy() bool {
	s, _, _ := b.unit.Snapshot()
	return s.Phase != session.Idle
}

// Whoever has charged is told to move the car, and not whoever comes next.
func TestTheNextCarIsNotTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &pretended{}
		b := post(t, g)
		defer b.stop()
		b.charge(func() {})
		b.pass(30 * time.Minute)
		if p := g.last(); p.Face == panel.Free {
			t.Errorf("the car is still there, and the display says that the post is free")
		}
		b.rig.Do(func(k *sim.Bench, now time.Duration) { k.Unplug(now) })
		b.pass(5 * time.Second)
		b.sees(g, "car gone", panel.Free, true)
		b.rig.Do(func(k *sim.Bench, now time.Duration) { k.PlugIn(now, sim.Car{Power: 7_400, Need: 2_000_000}) })
		b.pass(5 * time.Second)
		b.sees(g, "another car", panel.Free, true)
	})
}

// At the end of the program nobody is asked to pay any more, and whoever charges sees what
// becomes of it.
func TestDisplayAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &pretended{}
		b := post(t, g)
		b.pass(30 * time.Second)
		if err := b.unit.Request(t.Context(), session.Requested{Reserve: 35_000, Seen: b.cfg.Price, Holder: payment.Holder{1}}); err != nil {
			t.Fatal(err)
		}
		b.pass(10 * time.Second)
		b.sees(g, "while it waits for approval", panel.Paying, false)
		b.pay.mu.Lock()
		b.pay.off = true // so that the end takes as long as it may
		b.pay.mu.Unlock()
		before := len(g.pages)
		took := b.stop()
		if took < 20*time.Second || took > 21*time.Second {
			t.Errorf("the end took %v", took)
		}
		for _, p := range g.pages[before:] {
			if p.Code != nil || p.Face == panel.Free {
				t.Errorf("while it ends: face %d, code %v", p.Face, p.Code != nil)
			}
		}
		if p := g.last(); p.Face != panel.OutOfOrder {
			t.Errorf("face %d stays", p.Face)
		}
	})
}

func TestNight(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		at    string // UTC
		clock hal.Clock
		want  bool
	}{
		{"2026-07-01T19:59:59Z", hal.ClockSynced, false}, {"2026-07-01T20:00:00Z", hal.ClockSynced, true},
		{"2026-07-01T03:59:59Z", hal.ClockHoldover, true}, {"2026-07-01T04:00:00Z", hal.ClockSynced, false},
		{"2026-01-01T20:30:00Z", hal.ClockSynced, false}, {"2026-07-01T22:00:00Z", hal.ClockUnknown, false},
	} {
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		s := panel.Scene{Post: display.Post{Zone: oslo}, Now: hal.Stamp{Unix: at.Unix(), Clock: x.clock}}
		if got := night(s); got != x.want {
			t.Errorf("%s, clock %v: %v", x.at, x.clock, got)
		}
	}
}

// What one look at a post costs its processor, without drawing: it is done once a second.
func BenchmarkFrame(b *testing.B) {
	cfg, err := demoPost("file:///tmp/display.png?size=128x64")
	if err != nil {
		b.Fatal(err)
	}
	p := &parts{posts: posts{info: cfg.Post, pages: "https://lad.example.no"}}
	s := p.showOn(cfg, cfg.Displays[0], slog.New(slog.DiscardHandler))
	b.ReportAllocs()
	for b.Loop() {
		sc := s.scene(false)
		sc.EVSEs[0].Link = "https://lad.example.no/A12"
		sc.EVSEs[0].View = display.View{Code: "A12", State: display.Available, Price: cfg.Price}
		if p := sc.Page(); p.Code == nil {
			b.Fatal("no code")
		}
	}
}
