package main

import (
	"context"
	"runtime"
	"sync"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// pulse beats when the loop of the post has looked at its contactor, as it does
// once in each second of the demo's time.
type pulse chan struct{}

// Saw beats. A beat that nobody waits for is lost.
func (p pulse) Saw(m evse.Moment) {
	if _, beat := m.Event.(session.Sensed); beat {
		select {
		case p <- struct{}{}:
		default:
		}
	}
}

// passTime steps the demo's clock. Each second waits until the post has taken part
// in the one before, and for whatever takes real time and already long in the demo's: a
// busy machine must not look like a silent meter, a lost payment service or a driver who
// does not decide.
func (s *stage) passTime(ctx context.Context) {
	tick := time.NewTicker(time.Second / time.Duration(s.speed))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		select {
		case <-s.beats:
		case <-ctx.Done():
			return
		}
		for late := s.turns.late(s.clock.Now()); late != nil; late = s.turns.late(s.clock.Now()) {
			select {
			case <-late:
			case <-ctx.Done():
				return
			}
		}
		// Loop and clock wake each other, which the scheduler does at once, and could leave
		// those behind who have just been told to read or to ask: they go first.
		runtime.Gosched()
		s.clock.Step(time.Second)
	}
}

// longTurn is how much of the demo's time anything may take before the clock waits for
// it. Chosen by us: a real reading or call takes less, and nothing is given up on so
// soon.
const longTurn = 5 * time.Second

// turns are what is under way and takes real time: readings, saves, calls, pages.
type turns struct {
	mu    sync.Mutex
	since map[*bool]time.Duration // when each began, in the demo's time
	ended chan struct{}           // closed at the next end
}

func (t *turns) begin(now time.Duration) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since == nil {
		t.since, t.ended = map[*bool]time.Duration{}, make(chan struct{})
	}
	one := new(bool)
	t.since[one] = now
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.since, one)
		close(t.ended)
		t.ended = make(chan struct{})
	}
}

// late is closed when one of them has ended, if any has been under way for long; nil if
// none has.
func (t *turns) late(now time.Duration) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, since := range t.since {
		if now-since >= longTurn {
			return t.ended
		}
	}
	return nil
}

// taking is a meter whose readings take a turn each.
type taking struct {
	evse.Meter
	stage *stage
}

// Read reads the meter.
func (m taking) Read(ctx context.Context) (hal.Reading, error) {
	defer m.stage.turns.begin(m.stage.clock.Now())()
	return m.Meter.Read(ctx)
}

// writing is a journal whose saves take a turn each.
type writing struct {
	evse.Journal
	stage *stage
}

// Save makes a state durable.
func (w writing) Save(k session.Kept) error {
	defer w.stage.turns.begin(w.stage.clock.Now())()
	return w.Journal.Save(k)
}

// calling is a payment service whose calls take a turn each.
type calling struct {
	evse.Payments
	stage *stage
}

// Ask asks the service.
func (c calling) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	defer c.stage.turns.begin(c.stage.clock.Now())()
	return c.Payments.Ask(ctx, o)
}
