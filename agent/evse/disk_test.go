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

// The twins hold the law at every deed; here it is seen that deeds wait for a slow
// disk, and for how long.
func TestDeedsWaitForTheDisk(t *testing.T) {
	const slow = 5 * time.Second
	bubble(t, nil, func(t *testing.T, w *world) {
		w.ready()
		w.disk.set(func(d *disk) { d.takes = slow })
		asked := time.Now()
		if err := w.request("kari", time.Minute); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(asked); took < slow {
			t.Errorf("the driver is told yes after %v, the disk takes %v", took, slow)
		}
		w.sleep(time.Second)
		if n := len(w.till.orders(payment.Reserve)); n != 1 {
			t.Errorf("asked %d times to reserve, want once", n)
		}
		w.till.approve(w.ref(1))
		w.until("charging", 10*time.Second, in(session.Charging))
		decided := w.now().Mono
		w.until("closed", time.Minute, func(*session.State) bool { return w.truth().Contacts == hal.Closed })
		closed := w.coil.since(0, hal.Closed)[0]
		if waited := closed - decided; waited < slow-time.Second || waited > slow {
			t.Errorf("closed %v after the decision, the disk takes %v", waited, slow)
		}
		w.sleep(10 * time.Minute)
		w.driverStops()
		stopped := w.now().Mono
		if open := w.coil.since(stopped, hal.Open); len(open) == 0 || open[0] != stopped {
			t.Errorf("opened at %v, want at %v", open, stopped)
		}
		w.until("settled", time.Minute, settled)
		w.paid(1, w.truth().Energy)
		if !w.kept {
			t.Error("nothing was ever said to be on disk")
		}
	})
}

// What a page shows is what a power cut would leave.
func TestWhatIsShownIsOnDisk(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.ready()
		w.disk.hang()
		answer := make(chan error, 1)
		go func() { answer <- w.request("kari", time.Minute) }()
		w.until("approving", time.Second, in(session.Approving))
		w.sleep(5 * time.Second)
		shown, now, changed := w.evse.Snapshot()
		if shown.Phase != session.Idle || now != w.now() {
			t.Errorf("%v is shown at %v while the disk hangs at %v", shown.Phase, now, w.now())
		}
		if len(answer) > 0 {
			t.Error("the driver is told something while the disk hangs")
		}
		w.disk.free()
		select {
		case <-changed:
		case <-time.After(time.Second):
			t.Error("nobody is told of the change")
		}
		if err := <-answer; err != nil {
			t.Errorf("the driver is told %v", err)
		}
		if shown, _, _ := w.evse.Snapshot(); shown.Phase != session.Approving {
			t.Errorf("%v is shown after the save, want approving", shown.Phase)
		}
	})
}

// The driver gives up while the order to reserve waits for the disk: it is not sent.
func TestAnOvertakenOrderIsNotSent(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.ready()
		w.disk.set(func(d *disk) { d.takes = 5 * time.Second })
		answer := make(chan error, 1)
		go func() { answer <- w.request("kari", time.Minute) }()
		w.until("approving", time.Second, in(session.Approving))
		w.sleep(2 * time.Second)
		w.driverStops()
		if err := <-answer; err != nil {
			t.Errorf("the driver is told %v", err)
		}
		w.until("given up", 20*time.Minute, settled)
		if orders := w.till.orders(payment.Reserve); len(orders) != 0 {
			t.Errorf("sent %v", orders)
		}
		if orders := w.till.orders(payment.Settle); len(orders) == 0 {
			t.Error("nobody looked whether there is something to settle")
		}
	})
}

// While the disk is slow one driver may go and another come. Both are answered.
func TestEveryDriverWhoWaitsIsAnswered(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.ready()
		w.disk.set(func(d *disk) { d.takes = 5 * time.Second })
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- w.request("kari", time.Minute) }()
		w.until("approving", time.Second, in(session.Approving))
		w.sleep(time.Second)
		w.driverStops()
		go func() { second <- w.request("ola", time.Minute) }()
		if err := <-second; err != nil {
			t.Errorf("the second driver is told %v", err)
		}
		if err := <-first; err != nil {
			t.Errorf("the first driver is told %v, though the charge was written down", err)
		}
	})
}

// diskFails are the ways in which a disk fails in the middle of a charge.
func diskFails() map[string]func(*disk) {
	return map[string]func(*disk){
		"with an error": func(d *disk) { d.set(func(d *disk) { d.broken = true }) },
		"by silence":    func(d *disk) { d.hang() },
	}
}

func TestAfterTheDiskFailedTheChargeIsSettledFromMemory(t *testing.T) {
	for name, fail := range diskFails() {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				w.charging()
				fail(w.disk)
				saves := w.disk.count()
				w.until("saving again", time.Hour, func(*session.State) bool { return w.disk.count() > saves })
				begun := w.now().Mono
				w.until("settled", 2*time.Minute, settled)
				opened := w.coil.since(begun, hal.Open)[0]
				if name == "with an error" && opened != begun {
					t.Errorf("opened %v after the failure, want at once", opened-begun)
				}
				if wait := opened - begun; name == "by silence" && (wait <= stuckAfter || wait > stuckAfter+2*time.Second) {
					t.Errorf("opened after %v of silence, want after %v", wait, stuckAfter)
				}
				w.paid(1, w.truth().Energy)
				if why := w.newest().Done[0].Why; why != display.StorageBad {
					t.Errorf("ended %v, want %v", why, display.StorageBad)
				}
				if shown, _, _ := w.evse.Snapshot(); !settled(&shown) {
					t.Error("the page does not show that the charge is settled")
				}
				w.disk.set(func(d *disk) { d.broken = true }) // should it answer now, then with a no
				w.disk.free()
				w.sleep(time.Hour)
				if got := w.log.count("journal cannot be written; no new drivers until restart"); got != 1 {
					t.Errorf("the failure is logged %d times, want once", got)
				}
				if err := w.request("ola", time.Minute); !errors.Is(err, display.ErrOut) {
					t.Errorf("the next driver is told %v, want %v", err, display.ErrOut)
				}
				if n := w.disk.count(); n != saves+1 {
					t.Errorf("saved %d times after the failure", n-saves-1)
				}
				if err := w.stop(); err != nil {
					t.Errorf("Run ended with %v", err)
				}
			})
		})
	}
}

func TestADriverIsNotToldYesByADiskThatFails(t *testing.T) {
	for name, fail := range diskFails() {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				w.ready()
				fail(w.disk)
				if err := w.request("kari", time.Minute); !errors.Is(err, display.ErrOut) {
					t.Errorf("answered %v, want %v", err, display.ErrOut)
				}
				w.sleep(time.Minute)
				if orders := w.till.orders(payment.Reserve); len(orders) != 0 {
					t.Errorf("asked to %v", orders)
				}
			})
		})
	}
}

// A phone does not wait for ever, and the loop does not wait for phones.
func TestARequestEndsWithItsContext(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.ready()
		w.disk.hang()
		if err := w.request("kari", 5*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("answered %v, want %v", err, context.DeadlineExceeded)
		}
		w.disk.free()
		w.until("asked to reserve", time.Second, func(*session.State) bool { return len(w.till.orders(payment.Reserve)) == 1 })
	})
}

// A contactor is closed by what is known when the disk is ready, not by what was
// known when the save began: here the sense line has gone silent meanwhile.
func TestASlowDiskDoesNotCloseOnOldKnowledge(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.approving()
		w.sleep(time.Until(w.booted.Add(time.Since(w.booted).Truncate(time.Second) + 1100*time.Millisecond)))
		w.coil.hang()
		w.disk.hang()
		silent := w.now().Mono - 100*time.Millisecond // last sensed then
		w.till.approve(w.ref(1))
		w.until("charging", 5*time.Second, in(session.Charging))
		w.sleep(silent + session.SenseWithin + 500*time.Millisecond - w.now().Mono)
		w.disk.free()
		w.sleep(time.Millisecond)
		if s := w.newest(); s.Phase != session.Stopping {
			t.Errorf("%v, want stopping", s.Phase)
		}
		w.sleep(time.Minute)
		if orders := w.coil.since(0, hal.Closed); len(orders) != 0 {
			t.Errorf("ordered closed at %v", orders)
		}
	})
}
