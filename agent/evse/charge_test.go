package evse

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

func TestAChargeIsBilledByTheRegister(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.ready()
		if err := w.request("kari", 5*time.Second); err != nil {
			t.Fatal(err)
		}
		w.sleep(20 * time.Second)
		w.till.approve(w.ref(1))
		w.until("charging", 5*time.Second, in(session.Charging))
		w.sleep(time.Hour)
		if s, _, _ := w.evse.Snapshot(); s.Phase != session.Charging {
			t.Errorf("after an hour the page shows %v", s.Phase)
		}
		w.driverStops()
		w.until("settled", time.Minute, settled) // the rest is released in the same minute
		got := w.truth().Energy
		if got < 7_350 || got > 7_400 {
			t.Errorf("the car got %v, want an hour at 7.4 kW less the start", got)
		}
		w.paid(1, got)
		if f := w.till.found(w.ref(1)); f.Taken != payment.Amount(int64(got)*549/1000) || f.Freed != 20_000-f.Taken {
			t.Errorf("%v captured and %v released of 200.00 for %v at 5.49 a kWh", f.Taken, f.Freed, got)
		}
		want := []session.Phase{session.Idle, session.Approving, session.Charging, session.Stopping, session.Idle}
		if !slices.Equal(w.phases, want) {
			t.Errorf("phases %v, want %v", w.phases, want)
		}
		if d := w.newest().Done[0]; d.Why != display.ByDriver {
			t.Errorf("ended %v, want %v", d.Why, display.ByDriver)
		}
	})
}

func TestOneOfTwoDriversIsServed(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.ready()
		w.disk.set(func(d *disk) { d.takes = 3 * time.Second })
		answers := make(chan error, 2)
		for _, driver := range []string{"kari", "ola"} {
			go func() { answers <- w.request(driver, time.Minute) }()
		}
		first, second := <-answers, <-answers
		if !errors.Is(first, display.ErrBusy) || second != nil {
			t.Errorf("answers %v at once and %v in the end, want %v and none", first, second, display.ErrBusy)
		}
		if s := w.newest(); s.Counter != 1 || s.Phase != session.Approving {
			t.Errorf("%d charges and %v, want 1 and approving", s.Counter, s.Phase)
		}
	})
}

func TestWhatCannotBeServedIsRefusedAtOnce(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		if err := w.request("kari", time.Second); !errors.Is(err, display.ErrOut) {
			t.Errorf("before the meter has spoken: %v, want %v", err, display.ErrOut)
		}
		w.ready()
		for _, c := range []struct {
			change func(*session.Requested)
			want   error
		}{
			{func(q *session.Requested) { q.Seen.KWh-- }, display.ErrPrice},
			{func(q *session.Requested) { q.Reserve++ }, display.ErrAmount},
		} {
			q := w.wish("kari")
			c.change(&q)
			if err := w.evse.Request(t.Context(), q); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		}
		if n := w.newest().Counter; n != 0 {
			t.Errorf("%d charges begun, want none", n)
		}
	})
}

// A driver is not told yes by the state of a moment ago: the sense line has been
// silent for too long, and nobody has looked since.
func TestARequestIsJudgedByThePresent(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.ready()
		w.coil.hang()
		w.sleep(time.Until(w.booted.Add(time.Since(w.booted).Truncate(time.Second) + session.SenseWithin + 500*time.Millisecond)))
		if err := w.request("kari", time.Second); !errors.Is(err, display.ErrOut) {
			t.Errorf("answered %v, want %v", err, display.ErrOut)
		}
		if s := w.newest(); s.Phase != session.Idle || s.Counter != 0 {
			t.Errorf("%v with %d charges begun", s.Phase, s.Counter)
		}
	})
}

// Whether the program is ended without any grace or the power goes, the next start
// bills what the register says and not a Wh else.
func TestARestartSettlesTheChargeExactly(t *testing.T) {
	for name, end := range map[string]func(*world){
		"ended without grace": func(w *world) { w.stop() },
		"power cut":           (*world).cut,
		"power cut in a save": func(w *world) {
			w.disk.hang()
			w.driverStops()
			w.cut()
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) { w.grace = 0 }, func(t *testing.T, w *world) {
				w.charging()
				w.sleep(47 * time.Minute)
				end(w)
				w.sleep(time.Minute)
				got := w.truth().Energy
				w.restart()
				w.until("settled", 2*time.Minute, settled)
				if after := w.truth().Energy; after != got || got < 5_700 {
					t.Errorf("%v delivered before the restart, %v after it", got, after)
				}
				w.paid(1, got)
				w.ready()
			})
		})
	}
}

// cut takes the power from the post: nothing of what its program does from here
// on has any effect, and a healthy contactor falls open.
func (w *world) cut() {
	synctest.Wait()
	w.coil.set(func(c *coil) { c.off = true; c.orders = append(c.orders, order{to: hal.Open}) })
	w.disk.set(func(d *disk) { d.off = true })
	w.till.mu.Lock()
	w.till.off = true
	w.till.mu.Unlock()
	if err := w.rig.Set(hal.Open); err != nil {
		w.t.Error(err)
	}
	w.free()
	w.stop()
}

// restart starts the program again with what is on disk.
func (w *world) restart() {
	kept := w.disk.newest()
	w.till.mu.Lock()
	w.till.off = false
	w.till.mu.Unlock()
	w.renew()
	w.start(kept)
}
