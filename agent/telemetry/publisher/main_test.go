package publisher

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"stolpe/agent/session"
	"stolpe/agent/telemetry"
	"stolpe/hal"
	"stolpe/payment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// post is an EVSE whose state is set by the test, and whose meter and sense line speak
// every second.
type post struct {
	rules session.Rules
	began time.Time

	wall  sync.Mutex // guards what follows
	clock hal.Clock
	ahead int64 // of the wall clock, s

	mu    sync.Mutex
	state session.State
	mute  bool // its meter says nothing
	stuck bool // its contacts are closed
	power hal.Power
	at    hal.Energy // register
}

func newPost(number int) *post {
	p := &post{began: time.Now(), clock: hal.ClockSynced, at: 10_000, rules: session.Rules{
		Post: "A12", EVSE: number, Code: "A12", Model: "test meter", MaxPower: 22_000, Grain: 1, NoPlug: true,
		Price:   payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100}},
		Choices: []payment.Amount{35_000}, Default: 35_000, Limits: session.DefaultLimits(),
	}}
	p.state.Passing = session.MeterSilent | session.SenseSilent // as of a program that has just started
	return p
}

func (p *post) now() hal.Instant {
	p.wall.Lock()
	defer p.wall.Unlock()
	return hal.Instant{Mono: time.Since(p.began) + time.Second, Wall: hal.Stamp{Unix: time.Now().Unix() + p.ahead, Clock: p.clock}}
}

func (p *post) Snapshot() (session.State, hal.Instant, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state, p.now(), nil
}

func (p *post) Rules() *session.Rules {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rules
	return &r
}

// set sets the wall clock.
func (p *post) set(clock hal.Clock, ahead int64) {
	p.wall.Lock()
	defer p.wall.Unlock()
	p.clock, p.ahead = clock, ahead
}

// run lets meter and sense line speak until ctx ends.
func (p *post) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		p.change(func(s *session.State) {
			now, position := p.now(), hal.Open
			if s.Phase == session.Charging || p.stuck {
				position = hal.Closed
			}
			p.rules.Advance(s, now, session.Sensed{Position: position, At: now.Mono})
			if !p.mute {
				p.rules.Advance(s, now, session.Metered{Reading: hal.Reading{Register: p.at, Power: p.power, At: now.Mono}})
			}
		})
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (p *post) change(f func(*session.State)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.state)
}

// charge begins a charge, as far as anybody sees who only looks.
func (p *post) charge(number uint64) {
	p.change(func(s *session.State) {
		s.Phase, s.Since = session.Charging, p.now().Mono
		s.Charge = session.Charge{Number: number, Price: p.rules.Price, Limit: 35_000, Held: true, Start: p.at, Started: p.now().Wall}
		p.rules.Advance(s, p.now(), session.Ordered{})
	})
}

func (p *post) idle() {
	p.change(func(s *session.State) { s.Phase, s.Charge = session.Idle, session.Charge{} })
}

// said is a message that was published.
type said struct {
	leaf telemetry.Leaf
	text string
	at   time.Duration // since the test began
}

// books is an outbox in memory, and the broker beside it.
type books struct {
	mu     sync.Mutex
	all    []telemetry.Event
	out    uint64 // number up to which they are out
	kept   uint64 // of out, what is written down
	saves  []time.Duration
	broken error         // of Next
	hang   time.Duration // that Next takes
	full   error         // of Save
	began  time.Time
	clock  hal.Clock // by which the oldest was written

	away  bool
	tried int           // times that something was published while it was away
	slow  time.Duration // that the broker takes to acknowledge
	said  []said
}

func (b *books) Next(most int) ([]telemetry.Event, error) {
	<-time.After(b.hang)
	b.mu.Lock()
	defer b.mu.Unlock()
	rest := b.all[min(b.out, uint64(len(b.all))):]
	return slices.Clone(rest[:min(most, len(rest))]), b.broken
}

func (b *books) Done(seq uint64) { b.mu.Lock(); b.out = seq; b.mu.Unlock() }

func (b *books) Waiting() (int, hal.Stamp) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.out >= uint64(len(b.all)) {
		return 0, hal.Stamp{}
	}
	return len(b.all) - int(b.out), hal.Stamp{Unix: b.all[b.out].At.Unix(), Clock: b.clock}
}

func (b *books) Save() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.out == b.kept {
		return nil
	}
	b.saves = append(b.saves, time.Since(b.began))
	if b.full == nil {
		b.kept = b.out
	}
	return b.full
}

// saved gives when it was saved since the last time, and makes it fail from now on.
func (b *books) saved(full error) []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.saves
	b.saves, b.full = nil, full
	return all
}

// add puts events into the outbox.
func (b *books) add(n int, typ string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range n {
		e := telemetry.Event{Seq: uint64(len(b.all) + 1), Type: typ, Data: json.RawMessage("{}")}
		e.Head = telemetry.HeadAt(hal.Stamp{Unix: time.Now().Unix(), Clock: hal.ClockSynced})
		b.all = append(b.all, e)
	}
}

func (b *books) newest() uint64 { b.mu.Lock(); defer b.mu.Unlock(); return uint64(len(b.all)) }

func (b *books) connected() bool { b.mu.Lock(); defer b.mu.Unlock(); return !b.away }

func (b *books) publish(ctx context.Context, leaf telemetry.Leaf, payload []byte) error {
	b.mu.Lock()
	away, slow := b.away, b.slow
	if away {
		b.tried++
	}
	b.mu.Unlock()
	if away {
		return errors.New("away")
	}
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, said{leaf, string(payload), time.Since(b.began)})
	return nil
}

// set changes the broker.
func (b *books) set(away bool, slow time.Duration) {
	b.mu.Lock()
	b.away, b.slow = away, slow
	b.mu.Unlock()
}

// attempts is how often something was published while it was away.
func (b *books) attempts() int { b.mu.Lock(); defer b.mu.Unlock(); return b.tried }

// take gives what was said since the last time.
func (b *books) take() []said {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.said
	b.said = nil
	return all
}

// leaves are the leaves of messages, in order.
func leaves(all []said) string {
	var words []string
	for _, s := range all {
		words = append(words, string(s.leaf))
	}
	return strings.Join(words, " ")
}

// under gives those under a leaf.
func under(all []said, leaf telemetry.Leaf) []said {
	return slices.DeleteFunc(slices.Clone(all), func(s said) bool { return s.leaf != leaf })
}

// bubble runs a publisher of one post in the time of a bubble.
func bubble(t *testing.T, profile telemetry.Profile, change func(*Options), test func(*testing.T, *Publisher, *post, *books)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v, b := newPost(1), &books{began: time.Now(), clock: hal.ClockSynced}
		o := Options{
			Profile: profile, Info: telemetry.Info{Post: "A12", Profile: profile}, EVSEs: []EVSE{v}, Outbox: b, Newest: b.newest,
			Health: func() telemetry.Health { return telemetry.Health{Up: 7} }, Publish: b.publish, Connected: b.connected,
			Now: v.now, Log: slog.New(slog.DiscardHandler),
		}
		if change != nil {
			change(&o)
		}
		p := New(o)
		ctx, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { v.run(ctx) })
		group.Go(func() { p.Run(ctx) })
		t.Cleanup(func() {
			stop()
			began := time.Now()
			group.Wait()
			if took := time.Since(began); took > 2*byeWithin {
				t.Errorf("it took %v to end", took)
			}
			<-time.After(3 * b.hang) // it asks twice
		})
		test(t, p, v, b)
	})
}

// pass lets time pass, and what comes of it come.
func pass(d time.Duration) { <-time.After(d); synctest.Wait() }
