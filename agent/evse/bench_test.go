package evse

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// BenchmarkStop is the way from a stop event to the order that opens the contactor,
// in a program with a save, an asking and a reading of the meter under way that
// never end. Beside it stands
// the least that any such way costs: a value through a channel to a goroutine that
// calls a function. What is printed as ns/op is the median.
func BenchmarkStop(b *testing.B) {
	stop := session.Stopped{Why: display.ByDriver}
	b.Run("ours", func(b *testing.B) {
		c := midCharge(b)
		stops(b, func() time.Duration { return c.stop(b, stop) })
	})
	b.Run("bare", func(b *testing.B) {
		facts, opened := make(chan fact, maxFacts), make(chan time.Time, 1)
		set := func(fact) { opened <- time.Now() }
		go func() {
			for f := range facts {
				set(f)
			}
		}()
		defer close(facts)
		stops(b, func() time.Duration {
			from := time.Now()
			facts <- fact{event: stop}
			return (<-opened).Sub(from)
		})
	})
}

// BenchmarkTrip is the way from an edge on the wire of the emergency stop to the
// same order, in a program whose loop itself hangs.
func BenchmarkTrip(b *testing.B) {
	c := midCharge(b)
	stops(b, func() time.Duration { return c.trip(b) })
}

// stops reports how long stops take.
func stops(b *testing.B, stop func() time.Duration) {
	var took []time.Duration
	for b.Loop() {
		took = append(took, stop())
	}
	slices.Sort(took)
	at := func(permille int) float64 { return float64(took[min(len(took)*permille/1000, len(took)-1)]) }
	b.ReportMetric(at(500), "ns/op")
	b.ReportMetric(at(500), "p50-ns/op")
	b.ReportMetric(at(999), "p99.9-ns/op")
}

// charge is a charge one watt-hour before its next checkpoint, with a look at its
// payment due.
type charge struct {
	rules session.Rules
	state session.State
	now   hal.Instant
	read  hal.Reading
}

// step takes an event into the charge, and what is asked because of it.
func (c *charge) step(e session.Event) {
	c.state = c.rules.Step(c.state, c.now, e)
}

// answer lets a second pass and answers all that is asked.
func (c *charge) answer(a payment.Answer) {
	c.now.Mono += time.Second
	for _, o := range c.rules.Want(&c.state, c.now).Orders {
		c.step(session.Asked{Order: o})
		c.step(session.Answered{Order: o, Answer: a})
	}
}

// pass lets d pass while so much energy flows, and tells what meter and sense say.
func (c *charge) pass(d time.Duration, p hal.Position, e hal.Energy) {
	c.now.Mono += d
	c.read.Register, c.read.At = c.read.Register+e, c.now.Mono
	c.step(session.Sensed{Position: p, At: c.now.Mono})
	c.step(session.Metered{Reading: c.read})
}

func midCharge(b *testing.B) *charge {
	price := payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}
	c := &charge{
		rules: session.Rules{
			Post: "A12", EVSE: 1, MaxPower: 22_000, Grain: 1, NoPlug: true,
			Price: price, Choices: []payment.Amount{20_000}, Limits: session.DefaultLimits(),
		},
		now:  hal.Instant{Mono: time.Second},
		read: hal.Reading{Register: register, Serial: "22110345"},
	}
	c.state = c.rules.Recover(session.Kept{}, session.Whole, c.now)
	for c.state.Faults()&session.Seeking != 0 {
		c.pass(time.Second, hal.Open, 0)
		c.answer(payment.Answer{Status: payment.Missing})
	}
	c.step(session.Requested{Reserve: 20_000, Seen: price})
	terms := c.rules.Want(&c.state, c.now).Orders[0].Terms
	c.answer(payment.Answer{Status: payment.Held, Found: payment.Found{State: payment.Authorised, Amount: 20_000, Held: 20_000, Terms: terms}})
	c.step(session.Ordered{})
	const checkpoint = 2_277 // Wh: a sixteenth of 200.00 at 5.49 a kWh
	for used := hal.Energy(0); used < checkpoint-1; used += 4 {
		c.pass(2*time.Second, hal.Closed, 4)
	}
	if c.state.Phase != session.Charging || c.state.Faults() != 0 || len(c.rules.Want(&c.state, c.now).Orders) != 1 {
		b.Fatalf("%v with faults %q", c.state.Phase, c.state.Faults())
	}
	return c
}

// stop starts an EVSE in the middle of the charge, waits until its contactor is
// closed and a save and an asking hang, and takes the time of one stop.
func (c *charge) stop(b *testing.B, e session.Event) time.Duration {
	h, v, end := c.start(b)
	r := c.read
	r.Register, r.At = r.Register+1, r.At+1
	if err := v.Tell(b.Context(), session.Metered{Reading: r}); err != nil {
		b.Fatal(err)
	}
	<-h.saving
	from := time.Now()
	if err := v.Tell(b.Context(), e); err != nil {
		b.Fatal(err)
	}
	took := (<-h.opened).Sub(from)
	if took < 0 {
		b.Fatalf("open %v before the stop", -took)
	}
	end()
	return took
}

// start starts an EVSE in the middle of the charge and waits until its contactor is
// closed and an asking hangs. The function it returns ends it.
func (c *charge) start(b *testing.B) (*hung, *EVSE, func()) {
	began := time.Now()
	h := &hung{
		saving: make(chan struct{}, 1), asking: make(chan struct{}), free: make(chan struct{}),
		closed: make(chan struct{}, 1), opened: make(chan time.Time, 1), edges: make(chan hal.Signals),
		hang: make(chan struct{}, 1), hangs: make(chan struct{}),
	}
	v := New(Parts{
		Rules: &c.rules, State: c.state, Meter: h, Contactor: h, Inputs: h, Payments: h, Journal: h, Watchers: []Watcher{h},
		Now:   func() hal.Instant { return hal.Instant{Mono: c.now.Mono + time.Since(began)} },
		Every: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	<-h.closed
	<-h.asking
	return h, v, func() {
		cancel()
		close(h.free)
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
}

// trip takes the time of one emergency stop while the loop hangs.
func (c *charge) trip(b *testing.B) time.Duration {
	h, v, end := c.start(b)
	h.hang <- struct{}{}
	if err := v.Tell(b.Context(), session.Ticked{}); err != nil {
		b.Fatal(err)
	}
	<-h.hangs
	from := time.Now()
	h.edges <- hal.EmergencyStop
	took := (<-h.opened).Sub(from)
	end()
	return took
}

// hung is everything around an EVSE: the first save returns, and nothing after it.
type hung struct {
	edges          chan hal.Signals // on the wires of the post
	hang, hangs    chan struct{}    // the loop shall hang, and does
	saves          int
	saving, asking chan struct{} // something hangs from now on
	free           chan struct{}
	closed         chan struct{}
	opened         chan time.Time
}

func (h *hung) Save(session.Kept) error {
	h.saves++
	if h.saves == 2 {
		h.saving <- struct{}{}
	}
	if h.saves >= 2 {
		<-h.free
	}
	return nil
}

func (h *hung) Ask(ctx context.Context, _ payment.Order) (payment.Answer, error) {
	select {
	case h.asking <- struct{}{}:
	case <-ctx.Done():
	}
	<-ctx.Done()
	return payment.Answer{}, ctx.Err()
}

func (h *hung) Read(ctx context.Context) (hal.Reading, error) {
	<-ctx.Done()
	return hal.Reading{}, ctx.Err()
}

// Watch passes on the edges.
func (h *hung) Watch(ctx context.Context, changed func(hal.Signals)) {
	changed(0)
	for {
		select {
		case s := <-h.edges:
			changed(s)
		case <-ctx.Done():
			return
		}
	}
}

// Saw is where the loop hangs when it is told to.
func (h *hung) Saw(Moment) {
	select {
	case <-h.hang:
		h.hangs <- struct{}{}
		<-h.free
	default:
	}
}

func (h *hung) Sense() (hal.Position, error) { return hal.Closed, nil }

func (h *hung) Set(p hal.Position) error {
	if p == hal.Closed {
		poke(h.closed)
		return nil
	}
	select {
	case h.opened <- time.Now():
	default: // Run's last order
	}
	return nil
}
