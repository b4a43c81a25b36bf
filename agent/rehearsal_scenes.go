package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/hal/sim"
	"stolpe/payment"
	till "stolpe/payment/sim"
)

// scene is something that can be played, and how it must end.
type scene struct {
	name, about string
	why         display.End    // how the charge ends
	sold        bool           // something is captured
	left        session.Faults // faults that must be there at the end
	play        act
}

// act is a part of a scene.
type act func(context.Context, *rehearsal) error

// inTurn plays acts one after the other, until one of them fails.
func inTurn(acts ...act) act {
	return func(ctx context.Context, r *rehearsal) error {
		for _, do := range acts {
			if err := do(ctx, r); err != nil {
				return err
			}
		}
		return nil
	}
}

// Within which time something comes about, in the post's time. Chosen by us: longer than
// any limit of a charge that has to do with it.
const (
	soon   = 2 * time.Minute
	inTime = 30 * time.Minute
)

// becomes waits until the EVSE is so.
func becomes(what string, within time.Duration, true func(*session.State) bool) act {
	return func(ctx context.Context, r *rehearsal) error { return r.until(ctx, what, within, true) }
}

// passes lets time pass.
func passes(d time.Duration) act {
	return func(ctx context.Context, r *rehearsal) error {
		end := r.clock.Now() + d
		return r.until(ctx, "time has passed", 2*d+time.Minute, func(*session.State) bool { return r.clock.Now() >= end })
	}
}

// worldDoes changes what is around the post.
func worldDoes(do func(*rehearsal)) act {
	return func(_ context.Context, r *rehearsal) error { do(r); return nil }
}

func stops(ctx context.Context, r *rehearsal) error { return r.stop(ctx) }

func payerApproves(_ context.Context, r *rehearsal) error {
	return r.payer("approves", func(b *till.Book, now time.Duration, ref payment.Ref) bool { return b.Approve(now, ref) })
}

func payerDeclines(_ context.Context, r *rehearsal) error {
	return r.payer("declines", func(b *till.Book, now time.Duration, ref payment.Ref) bool { return b.Decline(now, ref) })
}

// comes has a driver ask as soon as the post takes one, until there is something to approve.
func comes(ctx context.Context, r *rehearsal) error {
	return inTurn(
		becomes("the post is ready", soon, func(s *session.State) bool { return s.Faults() == 0 && s.Phase == session.Idle }),
		func(ctx context.Context, r *rehearsal) error { return r.request(ctx) },
		becomes("there is a payment", soon, func(*session.State) bool { return r.made() > 0 }),
	)(ctx, r)
}

// charges has a driver come and approve, until the contactor has closed.
func charges() act {
	return inTurn(comes, passes(5*time.Second), payerApproves, becomes("the contactor is closed", soon, func(s *session.State) bool { return s.Phase == session.Charging }))
}

// ends waits until nothing is open any more.
func ends() act {
	return becomes("everything is settled", inTime, func(s *session.State) bool {
		return s.Phase == session.Idle && len(s.Debts) == 0 && len(s.Done) > 0
	})
}

// owes waits until the bill is known and cannot be settled.
func owes() act {
	return becomes("the contactor is open and the bill known", soon, func(s *session.State) bool { return len(s.Debts) == 1 })
}

func goesDark(_ context.Context, r *rehearsal) error {
	r.tell(r.clock.Now(), "world", "the power goes")
	err := r.powerOff()
	r.tell(r.clock.Now(), "contactor", "falls open: its coil has no power")
	return err
}

func comesBack(ctx context.Context, r *rehearsal) error {
	r.clock.Step(5 * time.Minute)
	r.tell(r.clock.Now(), "world", "the power is back")
	return r.powerOn(ctx)
}

func fullCar(_ context.Context, r *rehearsal) error {
	r.rig.Do(func(b *sim.Bench, now time.Duration) { b.PlugIn(now, sim.Car{}) })
	r.tell(r.clock.Now(), "world", "a car that is full is plugged in")
	return nil
}

func takesNobody(ctx context.Context, r *rehearsal) error {
	if err := r.request(ctx); err == nil {
		return errors.New("a post with a welded contactor has taken another driver")
	}
	r.tell(r.clock.Now(), "post", "takes no other driver")
	return nil
}

// scenes are those that can be played.
func scenes() []scene {
	offline := worldDoes(func(r *rehearsal) { r.network(false) })
	online := worldDoes(func(r *rehearsal) { r.network(true) })
	fault := func(what string, f sim.Faults) act { return worldDoes(func(r *rehearsal) { r.fault(what, f) }) }
	return []scene{
		{name: "happy", about: "a driver charges for half an hour, stops, and pays for what was used", why: display.ByDriver, sold: true,
			play: inTurn(charges(), passes(30*time.Minute), stops, ends())},
		{name: "declined", about: "the payer says no in the app", why: display.AbortedInApp, play: inTurn(comes, payerDeclines, ends())},
		{name: "expire", about: "the payer never answers", why: display.TimedOut, play: inTurn(comes, ends())},
		{name: "no-energy", about: "the payment is approved, and the car draws nothing", why: display.NoEnergy, play: inTurn(fullCar, charges(), ends())},
		{name: "meter-lost", about: "the meter stops answering under way, and comes back", why: display.MeterLost, sold: true,
			play: inTurn(charges(), passes(10*time.Minute), worldDoes(func(r *rehearsal) { r.meter(false) }),
				becomes("the contactor opens", soon, func(s *session.State) bool { return s.Phase == session.Stopping }), passes(soon),
				worldDoes(func(r *rehearsal) { r.meter(true) }), ends())},
		{name: "power-cut", about: "the power goes while the car charges, for five minutes", why: display.PowerLost, sold: true,
			play: inTurn(charges(), passes(10*time.Minute), goesDark, comesBack, ends())},
		{name: "offline", about: "the network goes while the car charges, and comes back after the driver has left", why: display.ByDriver, sold: true,
			play: inTurn(charges(), passes(10*time.Minute), offline, passes(10*time.Minute), stops, owes(), passes(10*time.Minute), owes(), online, ends())},
		{name: "late-approval", about: "the payer approves after the driver has left, while the network is gone", why: display.ByDriver,
			play: inTurn(comes, offline, stops, passes(soon), payerApproves, passes(soon), online, ends())},
		{name: "welded", about: "the contactor welds, and the car goes on drawing", why: display.ByDriver, sold: true, left: session.Welded,
			play: inTurn(charges(), passes(10*time.Minute), fault("the contacts weld", sim.Faults{Welded: true}), stops, ends(), takesNobody)},
	}
}

// made is how many payments there are at the service.
func (r *rehearsal) made() (n int) {
	r.till.Do(func(now time.Duration, b *till.Book) {
		for range b.Payments(now) {
			n++
		}
	})
	return n
}

// promise is something that must be so whatever happens, and whether it is.
type promise struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// promises looks at the end whether they were held: by the truth of the bench and by the
// books of the payment service, and not by what the post says of itself.
func (r *rehearsal) promises(s scene) []promise {
	var all []promise
	look := func(what string, ok bool, format string, a ...any) {
		all = append(all, promise{what, ok, fmt.Sprintf(format, a...)})
	}
	state := r.state()
	var d session.Debt
	if n := len(state.Done); n > 0 {
		d = state.Done[n-1]
	}
	var truth sim.Truth
	r.rig.Do(func(b *sim.Bench, now time.Duration) { truth = b.Truth(now) })
	var held, taken payment.Amount
	r.till.Do(func(now time.Duration, b *till.Book) {
		for p := range b.Payments(now) {
			held, taken = held+p.Found.Left(), taken+p.Found.Taken
		}
	})
	used := d.Price.Cost(payment.Use{Energy: truth.Energy, Time: d.Elapsed, Idle: d.Idle}, d.Limit).Total
	look("the driver pays for no more than the car got", taken <= used, "%v taken, %v delivered and worth %v", taken, truth.Energy, used)
	look("nothing is taken twice", taken == d.Captured, "%v at the service, %v in the journal", taken, d.Captured)
	look("what was reserved is settled", held == 0 && len(state.Debts) == 0 && len(state.Done) == 1, "%v still held, %d charges open", held, len(state.Debts))
	if s.left&session.Welded == 0 {
		look("the contactor is open", truth.Contacts == hal.Open, "contacts are %v", truth.Contacts)
	} else {
		look("the contactor is ordered open", truth.Contacts == hal.Closed && state.Faults().Opens(), "contacts are %v: they are welded, and the post knows", truth.Contacts)
	}
	look("it ends as it should", d.Why == s.why && (taken > 0) == s.sold && state.Faults()&s.left == s.left, "%v, %v taken, faults: %v", d.Why, taken, state.Faults())
	return all
}
