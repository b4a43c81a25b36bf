package evse

import (
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
)

// wired gives a world its wires.
func wired(w *world) {
	w.rules.Wired = hal.StopPressed | hal.EmergencyStop | hal.RCDTripped | hal.TooHot
}

// A hand on the emergency stop opens the contactor before anybody else has done
// anything, also when the loop, the disk, the meter and the network hang.
func TestATripOpensWithoutTheLoop(t *testing.T) {
	for _, trip := range []hal.Signals{hal.EmergencyStop, hal.RCDTripped} {
		for name, hang := range map[string]func(*world) (free func()){
			"nothing hangs": func(*world) func() { return func() {} },
			"the loop hangs": func(w *world) func() {
				block := make(chan struct{})
				w.watch(func(Moment) { <-block })
				w.sleep(2 * time.Second)
				return func() { w.watch(nil); close(block) }
			},
			"disk, meter and sense line hang": func(w *world) func() {
				w.disk.hang()
				w.meter.hang()
				w.coil.hang()
				w.sleep(2 * time.Second)
				return w.free
			},
		} {
			t.Run(trip.String()+"/"+name, func(t *testing.T) {
				bubble(t, wired, func(t *testing.T, w *world) {
					w.charging()
					w.sleep(10 * time.Second)
					free := hang(w)
					at := w.now().Mono
					w.rig.Signal(trip) // returns when all who watch have been told
					if got := w.coil.commanded(); got != hal.Open {
						t.Errorf("%v after the trip at %v", got, at)
					}
					closed := len(w.coil.since(at, hal.Closed))
					w.sleep(5 * time.Second)
					if n := len(w.coil.since(at, hal.Closed)); n != closed {
						t.Errorf("ordered closed %d times after the trip", n-closed)
					}
					free()
				})
			})
		}
	}
}

// A press shorter than a pass of the loop ends the charge all the same, and
// nothing closes the contactor again for it.
func TestAShortTripEndsTheCharge(t *testing.T) {
	bubble(t, wired, func(t *testing.T, w *world) {
		w.charging()
		w.sleep(10 * time.Second)
		block := make(chan struct{})
		w.watch(func(Moment) { <-block }) // so that press and release come before the loop looks
		w.sleep(2 * time.Second)
		at := w.now().Mono
		w.rig.Signal(hal.EmergencyStop)
		w.rig.Signal(0)
		w.watch(nil)
		close(block)
		w.sleep(time.Minute)
		if n := len(w.coil.since(at, hal.Closed)); n != 0 {
			t.Errorf("ordered closed %d times after the press", n)
		}
		s, _, _ := w.evse.Snapshot()
		if s.Phase != session.Idle || s.Faults() != 0 {
			t.Errorf("%v with faults %q, want idle with none", s.Phase, s.Faults())
		}
		if n := len(s.Done); n != 1 || s.Done[n-1].Why != display.Emergency {
			t.Errorf("%d settled charges, the last ended by %v", n, s.Done[max(0, n-1)].Why)
		}
	})
}

// Until its wires have spoken a post does not close, whatever it knows otherwise.
func TestNothingClosesBeforeTheWiresHaveSpoken(t *testing.T) {
	c := &counting{}
	g := newGuard(c, hal.EmergencyStop)
	if err := g.Set(hal.Closed); err == nil || c.closed != 0 {
		t.Errorf("closed %d times, %v", c.closed, err)
	}
	g.see(0)
	if err := g.Set(hal.Closed); err != nil || c.closed != 1 {
		t.Errorf("closed %d times, %v", c.closed, err)
	}
	if since, now, _ := g.take(); since != 0 || now != 0 {
		t.Errorf("took %v, now %v", since, now)
	}
}

// What is not a trip leaves the contactor to the loop.
func TestOtherSignalsGoThroughTheLoop(t *testing.T) {
	c := &counting{}
	g := newGuard(c, 0)
	g.see(hal.StopPressed | hal.TooHot)
	if c.opened != 0 {
		t.Errorf("opened %d times", c.opened)
	}
	g.see(0)
	if since, now, _ := g.take(); since != hal.StopPressed|hal.TooHot || now != 0 {
		t.Errorf("took %v, now %v: a short press is lost", since, now)
	}
	if since, _, _ := g.take(); since != 0 {
		t.Errorf("took %v twice", since)
	}
}

// The stop button stops, and the sense line is looked at often while the contacts
// move: the way of the contacts is known better than to the second.
func TestTheButtonStopsAndTheOpeningIsTimed(t *testing.T) {
	bubble(t, wired, func(t *testing.T, w *world) {
		w.charging()
		w.sleep(30 * time.Second)
		w.rig.Signal(hal.StopPressed)
		synctest.Wait()
		if got := w.coil.commanded(); got != hal.Open {
			t.Errorf("%v after the stop button", got)
		}
		w.rig.Signal(0)
		w.sleep(time.Minute)
		s, _, _ := w.evse.Snapshot()
		if len(s.Done) != 1 || s.Done[0].Why != display.ByButton {
			t.Fatalf("settled %+v", s.Done)
		}
		if d := s.Wear.Opening; s.Wear.Closings != 1 || s.Wear.Hot != 1 || d < 30*time.Millisecond || d > 30*time.Millisecond+2*lookEvery {
			t.Errorf("wear %+v, want one closing, one hot opening, of 30 ms", s.Wear)
		}
	})
}

// counting counts orders.
type counting struct{ opened, closed int }

func (c *counting) Set(p hal.Position) error {
	if p == hal.Open {
		c.opened++
	} else {
		c.closed++
	}
	return nil
}

func (c *counting) Sense() (hal.Position, error) { return hal.Open, nil }
