package main

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/hal"
)

// A bubble's clock begins in 2000, as that of a board without a battery may.
func TestClockThatWasNeverSetIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock{time.Now(), machineTime()}
		if i := c.now(); i.Wall.Clock != hal.ClockUnknown || i.Wall.Unix != time.Now().Unix() {
			t.Errorf("in %v: %+v", time.Now().UTC(), i)
		}
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) - time.Second)
		if i := c.now(); i.Wall.Clock != hal.ClockUnknown {
			t.Errorf("in %v: %+v", time.Now().UTC(), i)
		}
		time.Sleep(time.Second)
		want := hal.ClockHoldover
		if _, err := os.Stat(synchronised); err == nil || clockOffset() != nil {
			want = hal.ClockSynced
		}
		if i := c.now(); i.Wall.Clock != want || i.Wall.Unix != 1767225600 {
			t.Errorf("in %v: %+v, want %v", time.Now().UTC(), i, want)
		}
	})
}

// setTime is a time source that sets the clock.
func setTime() *timeSource { return &timeSource{sets: func() bool { return true }} }

// A clock that was set once while the program runs is known to have been, also when the
// network is gone.
func TestClockThatWasSetOnce(t *testing.T) {
	sets := false
	c := clock{time.Now(), &timeSource{sets: func() bool { return sets }}}
	for _, x := range []struct {
		sets  bool
		clock hal.Clock
		set   bool
	}{{false, hal.ClockHoldover, false}, {true, hal.ClockSynced, true}, {false, hal.ClockHoldover, true}} {
		sets = x.sets
		if i := c.now(); i.Wall.Clock != x.clock || c.setFromOutside() != x.set {
			t.Errorf("%+v: %v, set %v", x, i.Wall.Clock, c.setFromOutside())
		}
	}
}

// Zero means never, so no instant is zero.
func TestMonotonicTimeBeginsAtOneSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock{time.Now(), setTime()}
		for _, want := range []time.Duration{time.Second, time.Minute + time.Second} {
			if got, mono := c.now().Mono, c.mono(); got != want || mono != want {
				t.Errorf("%v and %v, want %v", got, mono, want)
			}
			time.Sleep(time.Minute)
		}
	})
}
