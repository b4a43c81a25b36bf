package main

import (
	"context"
	"sync"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/hal"
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
// in the one before, and for a reading of the meter that takes long: a busy machine
// must not look like a silent meter.
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
		select {
		case <-s.turn.over(s.clock.Now()):
		case <-ctx.Done():
			return
		}
		s.clock.Step(time.Second)
	}
}

// longTurn is how much of the demo's time a reading may take before the clock waits
// for it. Chosen by us: a real one takes less, silences included, and a meter counts
// as silent after a minute.
const longTurn = 5 * time.Second

// turn is a reading under way.
type turn struct {
	mu    sync.Mutex
	since time.Duration // when it began, in the demo's time
	done  chan struct{} // closed at its end; nil while there is none
}

func (t *turn) begin(now time.Duration) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since, t.done = now, make(chan struct{})
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		close(t.done)
		t.done = nil
	}
}

// over is closed when no reading has been under way for long.
func (t *turn) over(now time.Duration) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil || now-t.since < longTurn {
		none := make(chan struct{})
		close(none)
		return none
	}
	return t.done
}

// taking is a meter whose readings take a turn each.
type taking struct {
	evse.Meter
	stage *stage
}

// Read reads the meter.
func (m taking) Read(ctx context.Context) (hal.Reading, error) {
	defer m.stage.turn.begin(m.stage.clock.Now())()
	return m.Meter.Read(ctx)
}
