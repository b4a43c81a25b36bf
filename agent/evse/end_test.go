package evse

import (
	"context"
	"errors"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// ends ends the program and gives what Run returned and how long that took.
func (w *world) ends() (result any, took time.Duration) {
	from := time.Now()
	result = w.stop()
	return result, time.Since(from)
}

// phases are how a world gets into each phase.
func phases() map[session.Phase]func(*world) {
	return map[session.Phase]func(*world){
		session.Idle:      (*world).ready,
		session.Approving: (*world).approving,
		session.Waiting:   (*world).waiting,
		session.Charging: func(w *world) {
			w.charging()
			w.sleep(10 * time.Minute)
		},
		session.Stopping: func(w *world) {
			w.charging()
			w.sleep(10 * time.Minute)
			w.driverStops()
		},
	}
}

func TestTheEndSettlesWhatIsUnderWay(t *testing.T) {
	for phase, bring := range phases() {
		t.Run(phase.String(), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				bring(w)
				if got := w.newest().Phase; got != phase {
					t.Fatalf("%v, want %v", got, phase)
				}
				result, took := w.ends()
				if result != nil || took >= grace {
					t.Errorf("Run ended with %v after %v, want none within %v", result, took, grace)
				}
				if phase == session.Idle {
					if took != 0 {
						t.Errorf("Run went on for %v with nothing to do", took)
					}
					return
				}
				if s := w.newest(); !settled(&s) {
					t.Errorf("%v with %d debts at the end", s.Phase, len(s.Debts))
				}
				if x := w.truth(); x.Contacts != hal.Open {
					t.Error("the contacts are closed at the end")
				}
				w.paid(1, w.truth().Energy)
				if kept := w.disk.newest(); len(kept.Done) != 1 || len(kept.Debts) != 0 {
					t.Errorf("on disk are %d debts and %d settled charges, want 0 and 1", len(kept.Debts), len(kept.Done))
				}
			})
		})
	}
}

// The grace is a promise too: whatever hangs, Run ends with it, and the contactor
// was open all the while.
func TestTheEndDoesNotWaitForThePaymentService(t *testing.T) {
	for phase, bring := range phases() {
		if phase == session.Idle {
			continue
		}
		t.Run(phase.String(), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				bring(w)
				w.till.hang()
				at := w.now().Mono
				result, took := w.ends()
				if result != nil || took != grace {
					t.Errorf("Run ended with %v after %v, want none after %v", result, took, grace)
				}
				if orders := w.coil.since(at, hal.Closed); len(orders) != 0 {
					t.Errorf("ordered closed at %v after the end", orders)
				}
				if orders := w.coil.since(at, hal.Open); phase == session.Charging && orders[0] != at {
					t.Errorf("ordered open after %v, want at once", orders[0]-at)
				}
				if kept := w.disk.newest(); len(kept.Debts) != 1 {
					t.Errorf("on disk are %d debts, want 1 for the next start", len(kept.Debts))
				}
			})
		})
	}
}

// A save cannot be called off. Run waits for it, because its caller closes the
// journal next; the contactor does not wait.
func TestTheEndWaitsForASaveWithTheContactorOpen(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.disk.hang()
		w.driverStops()
		w.end()
		w.sleep(10 * time.Minute)
		select {
		case result := <-w.ended:
			t.Fatalf("Run ended with %v while a save is under way", result)
		default:
		}
		from := w.now().Mono - 10*time.Minute
		if n := len(w.coil.since(from, hal.Closed)); n != 0 || w.coil.commanded() != hal.Open {
			t.Errorf("ordered %v, and closed %d times", w.coil.commanded(), n)
		}
		w.disk.free()
		if result, took := w.ends(); result != nil || took != 0 {
			t.Errorf("Run ended with %v, %v after the save", result, took)
		}
	})
}

// What came about while the last save was under way is saved too.
func TestTheEndIsWrittenDown(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.sleep(10 * time.Minute)
		w.driverStops()
		w.until("releasing", time.Minute, func(*session.State) bool { return len(w.till.orders(payment.Settle)) == 2 })
		w.disk.set(func(d *disk) { d.takes = 5 * time.Second })
		w.tell(session.TakenOut{})
		w.ends()
		if kept := w.disk.newest(); len(kept.Done) != 1 || kept.Latched != session.Withdrawn {
			t.Errorf("on disk are %d settled charges and %q, want 1 and the withdrawal", len(kept.Done), kept.Latched)
		}
	})
}

// Whoever asks while the program ends would not get far.
func TestNobodyIsServedWhileTheProgramEnds(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.approving()
		w.till.hang()
		w.end()
		w.sleep(5 * time.Second)
		if err := w.requestLate("ola"); !errors.Is(err, display.ErrOut) {
			t.Errorf("answered %v, want %v", err, display.ErrOut)
		}
		if s := w.newest(); s.Counter != 1 {
			t.Errorf("%d charges begun, want 1", s.Counter)
		}
	})
}

// requestLate asks whether or not the program has been told to end.
func (w *world) requestLate(driver string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return w.evse.Request(ctx, w.wish(driver))
}

func TestTheEndBeforeTheBeginningIsAnEndToo(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.again(ctx, nil)
		if result, took := w.ends(); result != nil || took != 0 {
			t.Errorf("Run ended with %v after %v", result, took)
		}
	})
}

// A context that cannot end is not one that has ended.
func TestRunGoesOnWithAContextThatNeverEnds(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.again(context.Background(), nil)
		w.sleep(time.Minute)
		select {
		case result := <-w.ended:
			t.Errorf("Run ended with %v by itself", result)
			w.ended <- result
		default:
			w.watch(func(Moment) { panic("enough") }) // nothing else ends it
			w.tell(session.Ticked{})
		}
	})
}

// A reading that is called off at the end is no news of the meter.
func TestTheEndIsNotLoggedAsAFailure(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.approving()
		w.meter.hang()
		reads := w.meter.count(w.now().Mono + 1)
		w.until("reading", 15*time.Second, func(*session.State) bool { return w.meter.count(w.now().Mono+1) > reads })
		if result, took := w.ends(); result != nil || took > time.Second {
			t.Errorf("Run ended with %v after %v", result, took)
		}
		if got := w.log.String(); got != "map[]" {
			t.Errorf("logged %s", got)
		}
	})
}
