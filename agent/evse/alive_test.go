package evse

import (
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	bench "stolpe/hal/sim"
)

func TestAliveIsCalledEverySecondWhileAllIsAsWanted(t *testing.T) {
	for name, bring := range map[string]func(*world){"idle": (*world).ready, "charging": (*world).charging} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				bring(w)
				w.sleep(5 * time.Second)
				from := w.now().Mono + 1
				w.sleep(time.Minute)
				if n := w.pings(from); n != 60 {
					t.Errorf("called %d times in a minute, want 60", n)
				}
			})
		})
	}
}

// Alive is for whoever kills a program that hangs. What it must not be called for
// is each of these.
func TestAliveIsNotCalledWhile(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration // until when the last call may come
		wrong func(*world)
	}{
		{"a save is pending", 0, func(w *world) {
			w.disk.hang()
			w.driverStops()
		}},
		{"the disk has failed", 0, func(w *world) {
			w.disk.set(func(d *disk) { d.broken = true })
			w.driverStops()
		}},
		{"the contacts are closed against the order", session.MoveWithin, func(w *world) {
			w.rig.Do(func(b *bench.Bench, now time.Duration) { b.Fault(now, bench.Faults{Welded: true}) })
			w.driverStops()
		}},
		{"the sense line shows the wrong position", session.MoveWithin, func(w *world) {
			w.rig.Do(func(b *bench.Bench, now time.Duration) {
				b.Fault(now, bench.Faults{SenseStuck: true, SenseAt: hal.Closed})
			})
			w.driverStops()
		}},
		{"the sense line is silent", session.MoveWithin, func(w *world) { w.coil.hang() }},
		{"the sense line gives errors", session.MoveWithin, func(w *world) { w.coil.set(func(c *coil) { c.blind = true }) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				w.charging()
				w.sleep(10 * time.Second)
				if w.pings(0) == 0 {
					t.Fatal("never called before")
				}
				c.wrong(w)
				from := w.now().Mono + c.after + 1
				w.sleep(25 * time.Second)
				if n := w.pings(from); n != 0 {
					t.Errorf("called %d times", n)
				}
			})
		})
	}
}

// Before the sense line has spoken and the first state is on disk nobody knows
// whether all is well.
func TestAliveIsNotCalledBeforeAnythingIsKnown(t *testing.T) {
	for name, hang := range map[string]func(*world){
		"no sense": func(w *world) { w.coil.hang() },
		"no disk":  func(w *world) { w.disk.hang() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, hang, func(t *testing.T, w *world) {
				w.sleep(20 * time.Second)
				if n := w.pings(0); n != 0 {
					t.Errorf("called %d times", n)
				}
			})
		})
	}
}

// Lives is for whoever kills a program that hangs. What a start anew would not help must
// not stop it: not before anything is known, and not later.
func TestLivesIsCalledWhile(t *testing.T) {
	for name, wrong := range map[string]func(*world){
		"all is well":     func(*world) {},
		"a save hangs":    func(w *world) { w.disk.hang(); w.driverStops() },
		"the disk failed": func(w *world) { w.disk.set(func(d *disk) { d.broken = true }); w.driverStops() },
		"it is welded": func(w *world) {
			w.rig.Do(func(b *bench.Bench, now time.Duration) { b.Fault(now, bench.Faults{Welded: true}) })
			w.driverStops()
		},
		"the sense line hangs": func(w *world) { w.coil.hang() },
		"it refuses to close":  func(w *world) { w.coil.set(func(c *coil) { c.refuses = [2]int{hal.Closed: 1000} }) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				w.charging()
				wrong(w)
				w.sleep(time.Second / 2)
				from := w.rounds()
				w.sleep(time.Minute)
				if n := w.rounds() - from; n != 60 {
					t.Errorf("called %d times in a minute, want 60", n)
				}
			})
		})
	}
}

func TestLivesIsCalledBeforeAnythingIsKnown(t *testing.T) {
	bubble(t, func(w *world) { w.coil.hang(); w.disk.hang() }, func(t *testing.T, w *world) {
		w.sleep(20 * time.Second)
		if n := w.rounds(); n < 19 {
			t.Errorf("called %d times", n)
		}
	})
}

// A contactor that is closed and takes no order to open is left to whoever opens it when
// the program is dead. One that was never closed is not.
func TestLivesIsNotCalledWhileTheContactorTakesNoOrderToOpen(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		w.coil.set(func(c *coil) { c.refuses = [2]int{hal.Open: 1000} })
		w.driverStops()
		w.sleep(time.Second)
		from := w.rounds()
		w.sleep(15 * time.Second)
		if n := w.rounds() - from; n != 0 {
			t.Errorf("called %d times", n)
		}
		w.coil.set(func(c *coil) { c.refuses = [2]int{} })
		w.sleep(3 * time.Second)
		if w.rounds() == from {
			t.Error("not called again when it is open")
		}
	})
	bubble(t, func(w *world) { w.coil.set(func(c *coil) { c.refuses = [2]int{hal.Open: 1000} }) }, func(t *testing.T, w *world) {
		w.sleep(20 * time.Second)
		if n := w.rounds(); n < 19 {
			t.Errorf("called %d times with a line that cannot be had", n)
		}
		w.coil.set(func(c *coil) { c.refuses = [2]int{} })
	})
}
