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
		c := clock{began: time.Now()}
		if i := c.now(); i.Wall.Clock != hal.ClockUnknown || i.Wall.Unix != time.Now().Unix() {
			t.Errorf("in %v: %+v", time.Now().UTC(), i)
		}
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) - time.Second)
		if i := c.now(); i.Wall.Clock != hal.ClockUnknown {
			t.Errorf("in %v: %+v", time.Now().UTC(), i)
		}
		time.Sleep(time.Second)
		want := hal.ClockHoldover
		if _, err := os.Stat(synchronised); err == nil {
			want = hal.ClockSynced
		}
		if i := c.now(); i.Wall.Clock != want || i.Wall.Unix != 1767225600 {
			t.Errorf("in %v: %+v, want %v", time.Now().UTC(), i, want)
		}
	})
}

// Zero means never, so no instant is zero.
func TestMonotonicTimeBeginsAtOneSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock{began: time.Now()}
		for _, want := range []time.Duration{time.Second, time.Minute + time.Second} {
			if got, mono := c.now().Mono, c.mono(); got != want || mono != want {
				t.Errorf("%v and %v, want %v", got, mono, want)
			}
			time.Sleep(time.Minute)
		}
	})
}
