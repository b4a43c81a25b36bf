package evse

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	bench "stolpe/hal/sim"
	"stolpe/payment"
)

// What comes late, twice, or from before an order says nothing about the present.
// The worlds here charge; each event would end or change that if it were believed.
func TestWhatComesLateIsHarmless(t *testing.T) {
	for name, late := range map[string]func(*world) session.Event{
		"a reading from before": func(w *world) session.Event {
			return session.Metered{Reading: hal.Reading{Register: register + 30_000, Serial: "22110345", At: w.now().Mono - time.Minute}}
		},
		"a reading of another meter, from before": func(w *world) session.Event {
			return session.Metered{Reading: hal.Reading{Register: register, Serial: "77", At: w.now().Mono - time.Minute}}
		},
		"a sense from before the order": func(w *world) session.Event {
			return session.Sensed{Position: hal.Open, At: w.coil.since(0, hal.Closed)[0] - time.Millisecond}
		},
		"a refusal of an overtaken order": func(w *world) session.Event {
			return session.Answered{Order: w.till.orders(payment.Look)[0], Answer: payment.Answer{Status: payment.Refused, Reason: payment.Aborted}}
		},
		"the end of the reservation, told to the order that made it": func(w *world) session.Event {
			return session.Answered{Order: w.till.orders(payment.Reserve)[0], Answer: payment.Answer{Status: payment.Missing}}
		},
		"another driver's stop": func(w *world) session.Event {
			return session.Stopped{Why: display.ByDriver, Holder: holder("ola")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				w.charging()
				w.sleep(10*time.Minute + 100*time.Millisecond)
				was := w.newest()
				e := late(w)
				w.tell(e)
				w.tell(e)
				if is := w.newest(); is.Phase != session.Charging || !is.Kept.Same(&was.Kept) || is.Faults() != 0 {
					t.Errorf("%v with faults %q after %v", is.Phase, is.Faults(), e)
				}
				w.driverStops()
				w.until("settled", time.Minute, settled)
				w.paid(1, w.truth().Energy)
			})
		})
	}
}

// A sense line that takes three seconds, all the way through a charge: what it says
// of the time before an order does not condemn the contactor.
func TestASlowSenseLineDoesNotCondemnTheContactor(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.approving()
		w.coil.hang()
		w.sleep(time.Second) // a sense is under way, and sees it open
		w.till.approve(w.ref(1))
		w.until("closed", 3*time.Second, func(*session.State) bool { return w.truth().Contacts == hal.Closed })
		w.sleep(3 * time.Second)
		w.coil.free()
		w.sleep(10 * time.Minute)
		if s := w.newest(); s.Phase != session.Charging || s.Faults() != 0 {
			t.Errorf("%v with faults %q", s.Phase, s.Faults())
		}
	})
}

// The meter is read once a second while energy flows, whatever the jitter of the
// passes, and seldom when nobody charges.
func TestTheMeterIsReadAsOftenAsWanted(t *testing.T) {
	for _, c := range []struct {
		phase session.Phase
		want  int // readings in ten minutes
	}{{session.Idle, 60}, {session.Charging, 600}} {
		t.Run(c.phase.String(), func(t *testing.T) {
			bubble(t, func(w *world) {
				w.lag = func(mono time.Duration) time.Duration { // every other pass comes a millisecond early
					return mono - time.Duration(mono/time.Second%2)*time.Millisecond
				}
			}, func(t *testing.T, w *world) {
				phases()[c.phase](w)
				w.sleep(10 * time.Second)
				from := w.meter.count(w.now().Mono + 1)
				w.sleep(10 * time.Minute)
				if n := w.meter.count(w.now().Mono+1) - from; n < c.want-1 || n > c.want+1 {
					t.Errorf("read %d times, want %d", n, c.want)
				}
			})
		})
	}
}

// A device that fails for an hour is two lines in the log.
func TestAFailureIsLoggedOnceAndItsEndOnce(t *testing.T) {
	for _, c := range []struct {
		name        string
		fail, mend  func(*world)
		begin, ends string
	}{
		{"meter", func(w *world) { w.meter.breaks(true) }, func(w *world) { w.meter.breaks(false) },
			"meter does not answer", "meter answers again"},
		{"sense line", func(w *world) { w.coil.set(func(c *coil) { c.blind = true }) }, func(w *world) { w.coil.set(func(c *coil) { c.blind = false }) },
			"sense line does not answer", "sense line answers again"},
		{"plug input", func(w *world) { w.plug.breaks(true) }, func(w *world) { w.plug.breaks(false) },
			"plug input does not answer", "plug input answers again"},
		{"contactor", func(w *world) { w.coil.set(func(c *coil) { c.refuses[hal.Open] = 1_000_000 }) },
			func(w *world) { w.coil.set(func(c *coil) { c.refuses[hal.Open] = 0 }) },
			"contactor does not answer", "contactor answers again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				w.ready()
				c.fail(w)
				w.sleep(time.Hour)
				if got, want := w.log.String(), "map["+c.begin+":1]"; got != want {
					t.Errorf("after an hour logged %s, want %s", got, want)
				}
				c.mend(w)
				w.sleep(time.Minute)
				if got := w.log.String(); !strings.Contains(got, c.begin+":1") || !strings.Contains(got, c.ends+":1") {
					t.Errorf("logged %s, want %q and %q once each", got, c.begin, c.ends)
				}
			})
		})
	}
}

// A payment service that is away is asked by the ladder, and each asking in vain is
// a line: a few a minute at first, four an hour in the end.
func TestAPaymentServiceThatHangsIsAskedAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.sleep(10 * time.Minute)
		w.till.hang()
		w.driverStops()
		w.until("in debt", time.Minute, func(s *session.State) bool { return len(s.Debts) == 1 })
		from := time.Now()
		w.until("asked again", time.Minute, func(*session.State) bool { return len(w.till.orders(payment.Settle)) == 2 })
		if waited := time.Since(from); waited < askWithin || waited > askWithin+10*time.Second {
			t.Errorf("asked again after %v, an asking may take %v", waited, askWithin)
		}
		w.sleep(time.Hour)
		w.till.free()
		w.until("settled", 30*time.Minute, settled)
		w.paid(1, w.truth().Energy)
	})
}

func TestAMeterThatHangsIsReadAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.meter.hang()
		w.sleep(25 * time.Second)
		w.meter.free()
		w.sleep(5 * time.Second)
		if s := w.newest(); s.Phase != session.Charging || s.Faults() != 0 {
			t.Errorf("%v with faults %q", s.Phase, s.Faults())
		}
		if n := w.meter.count(w.now().Mono+1) - w.meter.count(w.now().Mono-30*time.Second); n > 10 {
			t.Errorf("read %d times in half a minute, of which it hung 25 s", n)
		}
		if got := w.log.String(); got != "map[meter answers again:1 meter does not answer:1]" {
			t.Errorf("logged %s", got)
		}
	})
}

func TestWithoutAPlugInputNothingIsSaidOfThePlug(t *testing.T) {
	bubble(t, func(w *world) { w.rules.NoPlug = true }, func(t *testing.T, w *world) {
		ctx, end := context.WithCancel(t.Context())
		w.again(ctx, func(p *Parts) { p.Plug = nil })
		w.end = end
		w.watch(func(m Moment) {
			if _, ok := m.Event.(session.Plugged); ok {
				t.Error("the plug is said to be known")
			}
		})
		w.charging()
	})
}

// A plug input that fails says nothing, and nothing is not a car.
func TestABrokenPlugInputEndsTheCharge(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.sleep(10 * time.Minute)
		w.plug.breaks(true)
		w.sleep(1100 * time.Millisecond)
		if x := w.truth(); x.Contacts != hal.Open {
			t.Error("the contacts are still closed")
		}
		w.until("settled", time.Minute, settled)
		w.paid(1, w.truth().Energy)
	})
}

// A reading beside an error is no reading, and neither is a sense.
func TestWhatComesBesideAnErrorIsNotBelieved(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.meter.breaks(true)
		w.sleep(5 * time.Second)
		w.meter.breaks(false)
		w.coil.set(func(c *coil) { c.blind = true })
		w.sleep(5 * time.Second)
		w.coil.set(func(c *coil) { c.blind = false })
		w.sleep(5 * time.Second)
		if s := w.newest(); s.Phase != session.Charging || s.Faults() != 0 {
			t.Errorf("%v with faults %q", s.Phase, s.Faults())
		}
	})
}

// Pulling the cable ends the charge within a second.
func TestAPulledCableEndsTheCharge(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.sleep(10 * time.Minute)
		w.rig.Do(func(b *bench.Bench, now time.Duration) { b.Unplug(now) })
		w.sleep(1100 * time.Millisecond)
		if x := w.truth(); x.Contacts != hal.Open {
			t.Error("the contacts are still closed")
		}
		w.until("settled", time.Minute, settled)
		w.paid(1, w.truth().Energy)
		if why := w.newest().Done[0].Why; why != display.Unplugged {
			t.Errorf("ended %v, want %v", why, display.Unplugged)
		}
	})
}

// Without a loop that takes them, events queue up to a limit, and then whoever
// tells them waits no longer than they want to.
func TestTellEndsWithItsContext(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.stop()
		v := New(w.evse.parts) // nobody runs it
		for range maxFacts {
			if err := v.Tell(t.Context(), session.Ticked{}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		from := time.Now()
		if err := v.Tell(ctx, session.Ticked{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(from) != time.Second {
			t.Errorf("Tell = %v after %v, want %v after a second", err, time.Since(from), context.DeadlineExceeded)
		}
		if err := v.Request(ctx, w.wish("kari")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Request = %v, want %v", err, context.DeadlineExceeded)
		}
	})
}
