package main

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/hal"
	"stolpe/hal/sim"
)

// stuckWires take no order to open.
type stuckWires struct{ *yard }

func (stuckWires) Set(hal.Position) error { return errors.New("stuck") }

// A post that starts anew is not killed for a display that shows its last page slowly, as
// the loops that feed the watchdog have ended by then. It is if it hangs, and if a contactor
// may still be closed.
func TestTheWatchdogIsFedWhileTheDisplaysEnd(t *testing.T) {
	late := newLateWires(func() (wires, error) { return nil, syscall.EBUSY }, syscall.EBUSY, slog.New(slog.DiscardHandler))
	for name, row := range map[string]struct {
		wires       map[int]wires
		takes       time.Duration
		least, most int64 // times that it is fed
	}{
		"a slow display":                 {map[int]wires{1: newYard(sim.Setup{})}, 16 * time.Second, 8, 9},
		"lines that never came":          {map[int]wires{1: late}, 16 * time.Second, 8, 9},
		"a simulated contactor":          {nil, 16 * time.Second, 8, 9},
		"a display that hangs":           {nil, time.Hour, int64(betweenFor / feedEvery), int64(betweenFor/feedEvery) + 1},
		"a contactor that does not open": {map[int]wires{1: newYard(sim.Setup{}), 2: stuckWires{newYard(sim.Setup{})}}, 16 * time.Second, 0, 0},
		"nothing that takes any time":    {nil, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var fed atomic.Int64
				p := &parts{wires: row.wires, feed: func() { fed.Add(1) }}
				p.between(func() { time.Sleep(row.takes) })
				n := fed.Load()
				if n < row.least || n > row.most {
					t.Errorf("fed %d times, want %d to %d", n, row.least, row.most)
				}
				time.Sleep(time.Minute)
				if fed.Load() != n {
					t.Error("fed when it was over")
				}
			})
		})
	}
}
