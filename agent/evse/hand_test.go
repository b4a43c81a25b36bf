package evse

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	bench "stolpe/hal/sim"
)

// testable brings the world to where a technician may test: out of service, no car.
func (w *world) testable() {
	w.t.Helper()
	w.rig.Do(func(b *bench.Bench, now time.Duration) { b.Unplug(now) })
	w.ready()
	w.tests = true
	w.tell(session.TakenOut{})
	w.sleep(3 * time.Second)
}

// The contactor is closed for as long as a test lasts, and not until the next pass of
// the loop; how it moved is known.
func TestATestClosesForTwoSeconds(t *testing.T) {
	bubble(t, wired, func(t *testing.T, w *world) {
		w.testable()
		w.sleep(300 * time.Millisecond) // between two passes
		at := w.now().Mono
		if err := w.evse.Test(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.sleep(session.TestFor - time.Millisecond)
		if got := w.coil.commanded(); got != hal.Closed {
			t.Errorf("%v in the test", got)
		}
		w.sleep(2 * time.Millisecond)
		if got := w.coil.commanded(); got != hal.Open {
			t.Errorf("%v after %v", got, w.now().Mono-at)
		}
		w.sleep(time.Second)
		s, _, _ := w.evse.Snapshot()
		x := s.Test()
		if d := x.Closed - x.Ordered; d < 40*time.Millisecond || d > 40*time.Millisecond+2*lookEvery {
			t.Errorf("closed after %v, want 40 ms", d)
		}
		if d := x.Opened - x.Ended; d < 30*time.Millisecond || d > 30*time.Millisecond+2*lookEvery {
			t.Errorf("opened after %v, want 30 ms", d)
		}
		if x.Cut != "" || s.Wear.Closings != 1 || s.Wear.Hot != 0 || s.Latched != session.Withdrawn {
			t.Errorf("cut by %q, wear %+v, faults %q", x.Cut, s.Wear, s.Latched)
		}
		if r, _ := s.Believed(); r.Register != register || w.truth().Energy != 0 {
			t.Errorf("the register is at %v", r.Register)
		}
	})
}

// A test is refused with the reason, and nothing moves.
func TestATestIsRefused(t *testing.T) {
	for name, prepare := range map[string]func(*world){
		"in service":           func(w *world) { w.tell(session.Restored{}) },
		"car":                  func(w *world) { w.plugIn(); w.sleep(2 * time.Second) },
		"emergency":            func(w *world) { w.rig.Signal(hal.EmergencyStop) },
		"stop button":          func(w *world) { w.rig.Signal(hal.StopPressed) },
		"hot":                  func(w *world) { w.rig.Signal(hal.TooHot) },
		"sense line dead":      func(w *world) { w.coil.hang(); w.sleep(session.SenseWithin + 3*time.Second) },
		"meter silent":         func(w *world) { w.meter.hang(); w.sleep(session.MeterWithin + 12*time.Second) },
		"disk failed":          func(w *world) { w.tell(session.Unwritable{}) },
		"just opened":          func(w *world) { must(w, w.evse.Test(w.t.Context())); w.sleep(session.TestFor + 500*time.Millisecond) },
		"test under way":       func(w *world) { must(w, w.evse.Test(w.t.Context())) },
		"an event, not a call": func(w *world) { w.tell(session.Restored{}); w.tell(session.TestBegun{}) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, wired, func(t *testing.T, w *world) {
				w.rules.Limits.Rest = 5 * time.Second
				w.testable()
				w.sleep(5 * time.Second)
				prepare(w)
				at := w.now().Mono
				var no NotNow
				if err := w.evse.Test(t.Context()); !errors.As(err, &no) {
					t.Errorf("got %v", err)
				}
				w.sleep(5 * time.Second)
				if n := len(w.coil.since(at+1, hal.Closed)); n != 0 && name != "test under way" {
					t.Errorf("ordered closed %d times", n)
				}
			})
		})
	}
}

func must(w *world, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Nobody else has a contactor closed: an event like that from anywhere is dropped.
func TestATestIsNoEventForOthers(t *testing.T) {
	bubble(t, wired, func(t *testing.T, w *world) {
		w.testable()
		w.sleep(10 * time.Second)
		w.tell(session.TestBegun{})
		if s := w.newest(); s.Test().Begun != 0 || w.coil.commanded() != hal.Open {
			t.Errorf("test %+v", s.Test())
		}
	})
}

// Whatever speaks against a test that is under way opens at once.
func TestATestEndsAtOnce(t *testing.T) {
	for name, happens := range map[string]func(*world){
		"emergency stop":        func(w *world) { w.rig.Signal(hal.EmergencyStop) },
		"stop button":           func(w *world) { w.rig.Signal(hal.StopPressed) },
		"put in service":        func(w *world) { w.tell(session.Restored{}) },
		"whoever began it goes": func(w *world) { w.tell(session.TestEnded{}) },
		"opened by hand":        func(w *world) { must(w, w.evse.Open()) },
		"disk failed":           func(w *world) { w.tell(session.Unwritable{}) },
		"a stop":                func(w *world) { w.tell(session.Stopped{Why: display.ByTechnician}) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, wired, func(t *testing.T, w *world) {
				w.testable()
				must(w, w.evse.Test(t.Context()))
				w.sleep(500 * time.Millisecond)
				if got := w.coil.commanded(); got != hal.Closed {
					t.Fatalf("%v in the test", got)
				}
				happens(w)
				synctest.Wait()
				at := w.now().Mono
				if got := w.coil.commanded(); got != hal.Open {
					t.Errorf("still %v", got)
				}
				w.rig.Signal(0)
				w.sleep(10 * time.Second)
				if s := w.newest(); s.Test().Cut == "" || len(w.coil.since(at, hal.Closed)) != 0 {
					t.Errorf("test %+v, closed %v", s.Test(), w.coil.since(at, hal.Closed))
				}
			})
		})
	}
}

// A test does not go on after a restart, and the disk knows what it rested on before.
func TestATestRestsOnTheDisk(t *testing.T) {
	bubble(t, wired, func(t *testing.T, w *world) {
		w.testable()
		w.tell(session.Restored{})
		w.sleep(30 * time.Second)
		w.disk.hang()
		at := w.now().Mono
		w.tell(session.TakenOut{}) // not written down
		must(w, w.evse.Test(t.Context()))
		w.sleep(session.TestFor + time.Second)
		if n := len(w.coil.since(at, hal.Closed)); n != 0 {
			t.Errorf("ordered closed %d times before the disk knew why it may", n)
		}
	})
}

// A hand opens the contactor while the loop, the disk, the meter and the network hang,
// and the charge is over.
func TestAHandOpensWithoutTheLoop(t *testing.T) {
	bubble(t, wired, func(t *testing.T, w *world) {
		w.charging()
		w.sleep(10 * time.Second)
		block := make(chan struct{})
		w.watch(func(Moment) { <-block })
		w.sleep(2 * time.Second)
		at := w.now().Mono
		must(w, w.evse.Open())
		if got := w.coil.commanded(); got != hal.Open {
			t.Errorf("%v after the hand", got)
		}
		w.watch(nil)
		close(block)
		s := w.until("settled", time.Minute, settled)
		if n := len(w.coil.since(at, hal.Closed)); n != 0 || s.Done[0].Why != display.ByTechnician || s.Faults() != 0 {
			t.Errorf("closed %d times after that, ended by %v, faults %q", n, s.Done[0].Why, s.Faults())
		}
	})
}

// A program that is told to end opens, and begins no test any more.
func TestTheEndEndsATest(t *testing.T) {
	bubble(t, wired, func(t *testing.T, w *world) {
		w.testable()
		must(w, w.evse.Test(t.Context()))
		w.sleep(100 * time.Millisecond)
		w.end()
		synctest.Wait()
		if got := w.coil.commanded(); got != hal.Open {
			t.Errorf("%v after the end", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.evse.Test(ctx); err == nil {
			t.Error("a test began after the end")
		}
	})
}
