package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/display/screen"
	"stolpe/hal"
	"stolpe/hal/sim"
	"stolpe/payment"
	books "stolpe/payment/sim"
	"stolpe/payment/vipps"
)

var errCable = errors.New("remote I/O error")

// pretended is a pretend panel that does what a test wants of it.
type pretended struct {
	mu    sync.Mutex
	takes time.Duration // for each call
	stuck chan struct{} // calls wait for it; nil for not at all
	fails error         // of every call
	burst bool          // it panics

	pages  []panel.Page
	opened int
}

func (g *pretended) call() error {
	g.mu.Lock()
	stuck, takes := g.stuck, g.takes
	g.mu.Unlock()
	<-time.After(takes)
	if stuck != nil {
		<-stuck
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.burst {
		panic("no such letter")
	}
	return g.fails
}

func (g *pretended) open() (screen.Device, error) {
	if err := g.call(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened++
	return g, nil
}

// Show shows a page, which must have been drawn.
func (g *pretended) Show(f panel.Frame) error {
	if err := g.call(); err != nil {
		return err
	}
	if f.Image == nil {
		return errors.New("no picture")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pages = append(g.pages, f.Page)
	return nil
}

func (g *pretended) Close() error { return g.call() }

// set changes what it does.
func (g *pretended) set(change func(*pretended)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(g)
}

// faces are those shown, each once for as long as it stood.
func (g *pretended) faces() (all []panel.Face) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.pages {
		if n := len(all); n == 0 || all[n-1] != p.Face {
			all = append(all, p.Face)
		}
	}
	return all
}

// last is the page that stands.
func (g *pretended) last() panel.Page {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.pages) == 0 {
		return panel.Page{}
	}
	return g.pages[len(g.pages)-1]
}

// cashier is a payment service behind no network.
type cashier struct {
	mu   sync.Mutex
	book *books.Book
	now  func() time.Duration
	off  bool
}

// Ask does what is asked, in the time of a mobile network.
func (c *cashier) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	<-time.After(50 * time.Millisecond)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.off {
		return payment.Answer{}, errCable
	}
	var f payment.Found
	if o.Verb != payment.Reserve {
		var p *books.Problem
		if f, p = c.book.Get(c.now(), o.Ref); p != nil {
			a, _ := vipps.Judge(payment.NoCall, p.Status, p.Code)
			return a, nil
		}
	}
	var p *books.Problem
	call := o.Next(f)
	switch call.Kind {
	case payment.NoCall:
	case payment.Create:
		f, p = c.book.Create(c.now(), books.Request{Key: o.Key(payment.Create), Ref: o.Ref, Amount: o.Amount, Currency: o.Currency, Terms: o.Terms, URL: "https://pay.example.no/1"})
	case payment.Capture:
		f, p = c.book.Capture(c.now(), books.Change{Key: o.Key(payment.Capture), Ref: o.Ref, Amount: call.Amount, Currency: o.Currency})
	default:
		f, p = c.book.Cancel(c.now(), o.Ref, call.Kind == payment.Withdraw)
	}
	if p != nil {
		a, _ := vipps.Judge(call.Kind, p.Status, p.Code)
		return a, nil
	}
	return o.Answer(f), nil
}

func (c *cashier) approve(ref payment.Ref) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.book.Approve(c.now(), ref)
}

// paperless is a journal on a card that is never slow.
type paperless struct{}

// Save saves nothing.
func (paperless) Save(session.Kept) error { return nil }

// deeds are what the post has done, and when.
type deed struct {
	*sim.Rig
	now  func() time.Duration
	mu   sync.Mutex
	did  []string
	last hal.Position
	seen session.Phase
}

// Set switches the contactor, and notes when.
func (d *deed) Set(p hal.Position) error {
	d.mu.Lock()
	if p != d.last {
		d.did = append(d.did, fmt.Sprintf("%v %v", d.now(), p))
		d.last = p
	}
	d.mu.Unlock()
	return d.Rig.Set(p)
}

// Saw notes each phase.
func (d *deed) Saw(m evse.Moment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m.After.Phase != d.seen {
		d.seen = m.After.Phase
		d.did = append(d.did, fmt.Sprintf("%v %v", d.now(), d.seen))
	}
}

// bubblePost is a post with real sessions, in the time of a test.
type bubblePost struct {
	*parts
	t     *testing.T
	cfg   config.Config
	rig   *deed
	pay   *cashier
	unit  *evse.EVSE
	end   context.CancelFunc
	ended chan struct{}

	unreached atomic.Bool // the gateways cannot be asked
}

const bubbleDisplay = `display: [{kind: oled, model: ssd1306, url: "i2c:///dev/i2c-1?address=0x3c"}]` + "\n"

// post starts one whose display is that panel; nil for none.
func post(t *testing.T, g *pretended) *bubblePost {
	t.Helper()
	cfg, err := config.Parse("test", strings.NewReader(demoConfig+bubbleDisplay), config.System)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	mono := func() time.Duration { return time.Since(began) + time.Second }
	now := func() hal.Instant {
		return hal.Instant{Mono: mono(), Wall: hal.Stamp{Unix: time.Now().Unix(), Clock: hal.ClockSynced}}
	}
	rig := &deed{Rig: sim.NewRig(sim.Setup{Serial: "22110345", Register: 10_344_076}, mono), now: mono}
	b := &bubblePost{t: t, cfg: cfg, rig: rig, pay: &cashier{book: books.NewBook(), now: mono}, ended: make(chan struct{})}
	p := &parts{posts: posts{info: cfg.Post, units: map[string]*evse.EVSE{}, pages: "https://lad.example.no"}, look: newLookout()}
	b.parts, p.away = p, b.unreached.Load
	e := cfg.EVSEs[0]
	rules := &session.Rules{Post: cfg.Post.ID, EVSE: e.ID, Code: e.Code, Price: cfg.Price, Choices: cfg.Reserve.Choices, Default: cfg.Reserve.Default,
		MaxPower: e.MaxPower, Limits: session.DefaultLimits(), Grain: 1, Wired: hal.EmergencyStop}
	p.money = &heard{Payments: b.pay, mono: mono}
	b.unit = evse.New(evse.Parts{
		Rules: rules, State: rules.Recover(session.Kept{}, session.Whole, now()), Meter: rig, Contactor: rig, Plug: rig, Inputs: rig,
		Payments: p.money, Journal: paperless{}, Watchers: []evse.Watcher{rig, p.look.at(e.ID)},
		Now: now, Every: time.Second, Grace: 20 * time.Second, Log: slog.New(slog.DiscardHandler),
	})
	p.units[e.Code] = b.unit
	ctx, end := context.WithCancel(t.Context())
	b.end = end
	if g != nil {
		s := p.showOn(cfg, cfg.Displays[0], slog.New(slog.DiscardHandler))
		s.look, s.now, s.ending = p.look, now, ctx.Done()
		o := s.options(nil)
		o.Open = g.open
		p.run(o)
	}
	jobs, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(b.ended)
		if err := together(ctx, jobs, stop, p, func(ctx context.Context) error { <-ctx.Done(); return nil }); err != nil {
			t.Error(err)
		}
	}()
	return b
}

// pass lets time pass.
func (b *bubblePost) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// charge drives one charge of ten minutes, and has something happen two minutes into it.
func (b *bubblePost) charge(meanwhile func()) {
	b.t.Helper()
	b.pass(30 * time.Second)
	h := payment.Holder{1}
	if err := b.unit.Request(b.t.Context(), session.Requested{Reserve: 35_000, Seen: b.cfg.Price, Holder: h}); err != nil {
		b.t.Fatal(err)
	}
	b.pass(10 * time.Second)
	if s, _, _ := b.unit.Snapshot(); !b.pay.approve(b.unit.Rules().Ref(s.Counter)) {
		b.t.Fatal("there is no payment to approve")
	}
	b.pass(20 * time.Second)
	b.rig.Do(func(k *sim.Bench, now time.Duration) { k.PlugIn(now, sim.Car{Power: 7_400, Need: 2_000_000}) })
	b.pass(2 * time.Minute)
	meanwhile()
	b.pass(8 * time.Minute)
	if err := b.unit.Tell(b.t.Context(), session.Stopped{Why: display.ByDriver, Holder: h}); err != nil {
		b.t.Fatal(err)
	}
	b.pass(time.Minute)
}

// stop ends the post, and says how long that took.
func (b *bubblePost) stop() time.Duration {
	began := time.Now()
	b.end()
	<-b.ended
	return time.Since(began)
}

// bill is what came of the charge, in words.
func (b *bubblePost) bill() string {
	s, _, _ := b.unit.Snapshot()
	if len(s.Done) != 1 || len(s.Debts) != 0 {
		return fmt.Sprintf("%d settled, %d not", len(s.Done), len(s.Debts))
	}
	d := s.Done[0]
	return fmt.Sprintf("%v Wh, %v captured, %v released, %v", d.End-d.Start, d.Captured, d.Released, d.Elapsed)
}
