package evse

import (
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	bench "stolpe/hal/sim"
)

// hangAll makes everything hang that an EVSE talks to, and waits until the loop
// has a save, an order, a reading and a sense under way that never end.
func (w *world) hangAll() {
	w.t.Helper()
	w.disk.hang()
	w.till.hang()
	saves, looks := w.disk.count(), len(w.till.orders(0))
	w.until("saving and asking", time.Hour, func(*session.State) bool {
		return w.disk.count() > saves && len(w.till.orders(0)) > looks
	})
	w.meter.hang()
	w.coil.hang()
	w.sleep(2 * time.Second)
}

// openers are what opens a contactor at once.
func openers() map[string]func(*world) {
	return map[string]func(*world){
		"the driver":   func(w *world) { w.driverStops() },
		"the post":     func(w *world) { w.tell(session.Stopped{Why: display.ByTechnician}) },
		"a technician": func(w *world) { w.tell(session.TakenOut{}) },
		"a fault": func(w *world) {
			w.tell(session.Metered{Reading: hal.Reading{Register: register + 1000, Serial: "77", At: w.now().Mono}})
		},
		"the car":             func(w *world) { w.tell(session.Plugged{Plug: hal.PlugOut}) },
		"a broken plug input": func(w *world) { w.tell(session.Plugged{}) },
		"the end": func(w *world) {
			w.end()
			synctest.Wait()
		},
	}
}

func TestOpeningWaitsForNothing(t *testing.T) {
	for name, opens := range openers() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				w.rules.Price.Minute = 100 // so that a checkpoint comes while nothing answers
			}, func(t *testing.T, w *world) {
				w.charging()
				w.hangAll()
				if w.coil.commanded() != hal.Closed {
					t.Fatal("open before anything happened")
				}
				at := w.now().Mono
				opens(w)
				if orders := w.coil.since(at, hal.Open); len(orders) == 0 || orders[0] != at || w.now().Mono != at {
					t.Errorf("ordered open at %v, want at %v", orders, at)
				}
				w.sleep(time.Second)
				if x := w.truth(); x.Contacts != hal.Open {
					t.Errorf("contacts %v a second later", x.Contacts)
				}
			})
		})
	}
}

// A log that hangs must not keep the contactor closed: when a card dies the log
// may well be on it.
func TestOpeningDoesNotWaitForTheLog(t *testing.T) {
	for name, fail := range diskFails() {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				w.charging()
				w.log.hang()
				fail(w.disk)
				saves := w.disk.count()
				w.until("saving", time.Hour, func(*session.State) bool { return w.disk.count() > saves })
				w.sleep(stuckAfter + 3*time.Second)
				if got := w.coil.commanded(); got != hal.Open {
					t.Errorf("ordered %v, want open", got)
				}
			})
		})
	}
}

func TestSilenceOpensWhileNothingAnswers(t *testing.T) {
	bubble(t, func(w *world) { w.rules.Price.Minute = 100 }, func(t *testing.T, w *world) {
		w.charging()
		w.meter.hang()
		from := w.now().Mono
		w.sleep(session.MeterWithin + 2*time.Second)
		opened := w.coil.since(from, hal.Open)
		if len(opened) == 0 || opened[0]-from > session.MeterWithin+time.Second {
			t.Errorf("the meter is silent from %v on, opened at %v", from, opened)
		}
	})
}

func TestTheContactorIsOrderedAgainEverySecond(t *testing.T) {
	for p, bring := range map[hal.Position]func(*world){hal.Open: (*world).ready, hal.Closed: (*world).charging} {
		t.Run(p.String(), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				bring(w)
				from := w.now().Mono + 1
				w.sleep(time.Minute)
				if n := len(w.coil.since(from, p)); n != 60 {
					t.Errorf("ordered %v %d times in a minute, want 60", p, n)
				}
				if n := len(w.coil.since(from, p^hal.Closed)); n != 0 {
					t.Errorf("ordered otherwise %d times", n)
				}
			})
		})
	}
}

// The first order of all comes before anything else is done.
func TestTheContactorIsOrderedOpenFirst(t *testing.T) {
	bubble(t, func(w *world) {
		for _, g := range []*gate{&w.disk.gate, &w.coil.gate, &w.meter.gate, &w.till.gate} {
			g.hang()
		}
	}, func(t *testing.T, w *world) {
		synctest.Wait()
		if orders := w.coil.since(0, hal.Open); len(orders) != 1 || orders[0] != time.Second {
			t.Errorf("ordered open at %v, want at the start and once", orders)
		}
	})
}

func TestAnOrderThatFailedIsGivenAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.approving()
		w.coil.set(func(c *coil) { c.refuses[hal.Closed] = 1 })
		w.till.approve(w.ref(1))
		w.until("closed", 5*time.Second, func(*session.State) bool { return w.truth().Contacts == hal.Closed })
		if orders := w.coil.since(0, hal.Closed); orders[1]-orders[0] > time.Second {
			t.Errorf("ordered again after %v, want at the next pass", orders[1]-orders[0])
		}
		w.sleep(10 * time.Minute)
		w.coil.set(func(c *coil) { c.refuses[hal.Open] = 1 })
		stopped := w.now().Mono
		w.driverStops()
		w.tell(session.Ticked{}) // anything that happens before the next pass
		if orders := w.coil.since(stopped, hal.Open); len(orders) != 2 {
			t.Errorf("ordered open at %v, want twice at %v", orders, stopped)
		}
		w.sleep(50 * time.Millisecond)
		if x := w.truth(); x.Contacts != hal.Open {
			t.Errorf("contacts %v after an order that failed", x.Contacts)
		}
		w.until("settled", time.Minute, settled)
		w.paid(1, w.truth().Energy)
	})
}

// A contactor that takes no orders and stays closed: the charge is ended, the
// fault is found, and its orders never stop.
func TestAContactorThatTakesNoOrdersIsFoundOut(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.coil.set(func(c *coil) { c.refuses[hal.Open] = 1_000_000 })
		w.driverStops()
		from := w.now().Mono
		w.until("known for welded", 10*time.Second, func(s *session.State) bool { return s.Latched&session.Welded != 0 })
		w.sleep(time.Minute)
		if n := len(w.coil.since(from, hal.Open)); n < 60 {
			t.Errorf("ordered open %d times in a minute, want at least 60", n)
		}
		w.coil.set(func(c *coil) { c.refuses[hal.Open] = 0 })
		w.sleep(2 * time.Second)
		if x := w.truth(); x.Contacts != hal.Open {
			t.Error("still closed after it takes orders again")
		}
	})
}

// Whatever the loop itself stumbles over, the contactor is open when it ends. What
// panics elsewhere takes the whole program down, and that the hardware opens then
// is not for a test in the program.
func TestAPanicOfTheLoopOpensTheContactor(t *testing.T) {
	for name, hang := range map[string]func(*world){"alone": func(*world) {}, "while nothing answers": (*world).hangAll} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) { w.rules.Price.Minute = 100 }, func(t *testing.T, w *world) {
				w.charging()
				hang(w)
				w.watch(func(Moment) { panic("a watcher stumbles") })
				at := w.now().Mono
				if err := w.evse.Tell(t.Context(), session.Ticked{}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if orders := w.coil.since(at, hal.Open); len(orders) != 1 {
					t.Errorf("ordered open %d times, want once", len(orders))
				}
				select {
				case got := <-w.ended:
					if got != "a watcher stumbles" {
						t.Errorf("Run ended with %v", got)
					}
					w.ended <- got
				default:
					t.Error("the panic is held up by what hangs")
				}
			})
		})
	}
}

// Opened by itself, or never closed: the loop ends the charge whatever it ordered.
func TestAContactorThatFallsOpenEndsTheCharge(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.rig.Do(func(b *bench.Bench, now time.Duration) { b.Fault(now, bench.Faults{NoClose: true}) })
		w.until("over", 10*time.Second, func(s *session.State) bool { return s.Phase != session.Charging })
		if got := w.coil.commanded(); got != hal.Open {
			t.Errorf("ordered %v, want open", got)
		}
		w.until("settled", time.Minute, settled)
		if why := w.newest().Done[0].Why; why != display.ContactorBad {
			t.Errorf("ended %v, want %v", why, display.ContactorBad)
		}
	})
}
