package script

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// What the core promises, in the world of the scenarios.

type failing interface {
	Helper()
	Fatal(args ...any)
}

func must(t failing, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// approved starts a post, plugs a car in, and has a driver's request made and approved.
func approved(t failing, w *world, reserve payment.Amount) {
	t.Helper()
	must(t, w.start(session.Whole), w.until(30*time.Second))
	w.wires.plug = hal.PlugIn
	must(t, w.until(31*time.Second), w.step(w.request("A", reserve)))
	w.approve()
}

func (w *world) approve() {
	w.till.change(w.till.newest(), func(f *payment.Found) { f.State, f.Held = payment.Authorised, f.Amount })
}

// Whatever the price and however a car draws, what has flowed when the contactor
// is open never costs more than the reservation.
func TestNothingFlowsPastTheReservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.rules.Price = payment.Price{
			Currency: payment.NOK, VAT: 2500,
			KWh:     payment.Amount(rapid.IntRange(2_000, 20_000).Draw(t, "kwh")),
			Minute:  payment.Amount(rapid.IntRange(0, 2_000).Draw(t, "minute")),
			Session: payment.Amount(rapid.IntRange(0, 20_000).Draw(t, "session")),
			Idle:    payment.Idle{After: time.Minute, Minute: payment.Amount(rapid.IntRange(0, 2_000).Draw(t, "idle"))},
		}
		w.rules.Choices = []payment.Amount{20_000}
		approved(t, w, 20_000)
		start := w.wires.register
		for n := 0; w.state.Counter == 0 || w.state.Phase != session.Idle; n++ {
			if n%60 == 0 {
				w.wires.car = hal.Power(rapid.SampledFrom([]int{0, 300, 7_400, 22_000, 22_000}).Draw(t, "W"))
			}
			must(t, w.pass())
			if n > 30_000 {
				t.Fatal("the charge does not end")
			}
		}
		d := append(w.state.Debts, w.state.Done...)[0]
		use := d.Use()
		if flowed := w.wires.register - start; use.Energy > flowed {
			t.Fatalf("billed %v of %v", use.Energy, flowed)
		}
		if cost := w.rules.Price.Total(use); cost > d.Limit {
			t.Fatalf("%v, %v of use cost %v of %v reserved", d.Why, use, cost, d.Limit)
		}
	})
}

// A register of coarse steps stands still for long, and is not frozen.
func TestCoarseRegisterIsNotFrozen(t *testing.T) {
	w := newWorld()
	w.rules.Grain, w.wires.grain = 100, 100
	w.wires.car = 600
	approved(t, w, 35_000)
	must(t, w.until(time.Hour))
	if w.state.Phase != session.Charging {
		t.Errorf("after an hour at 600 W: %v with %v, want charging", w.state.Phase, w.state.Faults())
	}
}

// A late answer to an older asking says nothing.
func TestOldAnswerIsDropped(t *testing.T) {
	w := newWorld()
	must(t, w.start(session.Whole), w.until(30*time.Second))
	w.till.mood = lost
	must(t, w.step(w.request("A", 35_000)))
	old := w.flights[0].order
	must(t, w.until(60*time.Second))
	heard := w.rules.Step(w.state, w.now(), session.Answered{Order: old, Answer: payment.Answer{Status: payment.Refused, Reason: payment.Aborted}})
	if w.state.Phase != session.Approving || !reflect.DeepEqual(heard, w.state) {
		t.Errorf("an answer to asking %d was heard later, in phase %v", old.Seq, w.state.Phase)
	}
}

// An approval read back when the time for approving is over closes nothing, even
// if no tick has come between.
func TestLateApprovalIsReleased(t *testing.T) {
	w := newWorld()
	w.rules.Limits.Approve = 2 * time.Minute
	must(t, w.start(session.Whole), w.until(30*time.Second))
	w.wires.plug = hal.PlugIn
	must(t, w.until(31*time.Second), w.step(w.request("A", 35_000)))
	over := w.at + w.rules.Limits.Approve
	must(t, w.until(over-20*time.Second))
	w.approve()
	for len(w.flights) == 0 || w.flights[0].answer.Status != payment.Held {
		must(t, w.pass())
	}
	read := w.flights[0]
	w.flights = nil // it takes its time
	must(t, w.until(over-time.Second))
	if w.state.Phase != session.Approving {
		t.Fatalf("phase %v before the time is over", w.state.Phase)
	}
	w.at = over
	must(t, w.step(session.Answered{Order: read.order, Answer: read.answer}))
	if w.state.Phase != session.Idle {
		t.Errorf("phase %v after an approval that came too late", w.state.Phase)
	}
}
