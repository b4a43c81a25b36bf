package session

import (
	"math"
	"slices"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// ask is how the asking about one payment stands. It is not kept: after a
// restart everything is read back anyway.
type ask struct {
	make    bool          // the payment has still to be made, as far as we know
	out     bool          // an order is on its way
	seq     uint32        // Order.Seq of it
	next    time.Duration // not before this
	tries   uint8         // askings in a row that got nowhere
	pace    time.Duration // see mayWrite
	heard   time.Duration // when the service last told us anything about it
	taken   bool          // what is due has been seen to be taken
	missing time.Duration // since when the service has said there is no such payment; 0 if it has not
	calm    time.Duration // no hint makes it leave before this
	hinted  bool          // there was a hint while an order was on its way
	back    string        // where its driver reads about it
}

// Fixed by the API's description: five calls that change something are allowed
// a minute for one reference.
const (
	// burst calls may follow each other at once (a capture and its release), and
	// one more every refill: in any minute burst + 60 s / refill = 5.
	burst  = 2
	refill = 20 * time.Second
)

// Chosen by us.
const (
	// lookEvery is how often an open payment is read back while its payer is
	// deciding; the API suggests 2 s.
	lookEvery = 2 * time.Second
	// checkEvery is how often the reservation is read back while a car charges.
	checkEvery = 5 * time.Minute
	// unheardWithin is how long the payment service may be silent before a
	// request is given up.
	unheardWithin = 2 * time.Minute
	// tombstone is how long a payment that was never seen is asked for, because
	// the call that makes it may still be on its way.
	tombstone = 15 * time.Minute
	// newKeyAfter is how long a definite refusal rests before another key is tried.
	newKeyAfter = 15 * time.Minute
	// slowly is how often the hopeless is tried.
	slowly = time.Hour
)

// ladder is the time between askings that get nowhere.
var ladder = [...]time.Duration{
	5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute,
}

// mayWrite says whether one more call that changes something is within the
// budget. pace is the instant at which the budget would be full again: each call
// moves it on by refill. After a restart it is taken to be as far off as the
// journalled number of calls can have moved it, so that a post which restarts in
// a loop still keeps to the budget.
func (a *ask) mayWrite(now time.Duration) bool {
	return a.pace <= now+(burst-1)*refill
}

// mayAt is when an order that may change something can leave.
func (a *ask) mayAt() time.Duration { return max(a.next, a.pace-(burst-1)*refill) }

func (a *ask) wrote(now time.Duration) { a.pace = max(a.pace, now) + refill }

// wrote counts a call that may change something, before it leaves.
func (c *Charge) wrote() {
	if c.Writes < math.MaxUint16 {
		c.Writes++
	}
}

// later puts off the next asking by the ladder, or by wait if that is longer.
func (a *ask) later(now, wait time.Duration) {
	step := ladder[min(int(a.tries), len(ladder)-1)]
	a.tries = min(a.tries+1, 200)
	a.next = now + max(step, wait)
}

// asked notes that an order has left.
func (r *Rules) asked(s *State, now hal.Instant, o payment.Order) {
	s.sequence = max(s.sequence, o.Seq)
	a := s.askAbout(o.Ref)
	if a == nil {
		return
	}
	updated := *a
	updated.out, updated.seq, updated.calm = true, o.Seq, now.Mono+calmFor
	writes := o.Verb != payment.Look
	if writes {
		updated.wrote(now.Mono)
		updated.make = false
	}
	switch {
	case s.seek != nil && a == &s.seek.ask:
		s.change().ask = updated
	case a == &s.tell:
		*a = updated // receipts have no budget of their own
	case a == &s.ask:
		*a = updated
		if writes {
			s.Charge.wrote()
		}
	default:
		i := s.debtOf(o.Ref.Number())
		s.setAsk(i, updated)
		d := s.Debts[i]
		d.wrote()
		s.setDebt(i, d)
	}
}

// Awaits says whether an order that was to be asked is still waited for. One that
// had to wait for the disk may have been overtaken.
func (s *State) Awaits(o payment.Order) bool {
	a := s.askAbout(o.Ref)
	return a != nil && a.out && a.seq == o.Seq
}

// askAbout finds the asking that an order belongs to; nil when it is over.
func (s *State) askAbout(ref payment.Ref) *ask {
	n := ref.Number()
	if s.Phase != Idle && n == s.Charge.Number {
		return &s.ask
	}
	if i := s.debtOf(n); i >= 0 {
		return &s.asks[i]
	}
	if s.seek != nil && n == s.seek.number() {
		return &s.seek.ask
	}
	if i := s.telling(); i >= 0 && n == s.Done[i].Number {
		return &s.tell
	}
	return nil
}

func (s *State) debtOf(n uint64) int {
	return slices.IndexFunc(s.Debts, func(d Debt) bool { return d.Number == n })
}

// answered takes in how an asking ended. An answer to an older asking is
// dropped: only the newest may speak.
func (r *Rules) answered(s *State, now hal.Instant, o payment.Order, a payment.Answer) {
	about := s.askAbout(o.Ref)
	if about == nil || !about.out || about.seq != o.Seq {
		return
	}
	if s.seek != nil && about == &s.seek.ask {
		r.sought(s, now, a)
		return
	}
	if about == &s.tell {
		r.told(s, now, a)
		return
	}
	updated := *about
	updated.out = false
	updated.calm = max(updated.calm, now.Mono+a.Wait)
	if a.Status != payment.Unknown && a.Status != payment.Busy {
		updated.heard = now.Mono
	}
	if about == &s.ask {
		s.ask = updated
		r.answeredCharge(s, now, a)
	} else {
		r.answeredDebt(s, now, s.debtOf(o.Ref.Number()), updated, a)
	}
	if updated.hinted {
		s.hinted(o.Ref)
	}
}

// answeredDebt takes in an answer about debt i.
func (r *Rules) answeredDebt(s *State, now hal.Instant, i int, q ask, a payment.Answer) {
	d := s.Debts[i]
	q.hinted = false
	closed := r.settling(&d, &q, now, a)
	s.setDebt(i, d)
	s.setAsk(i, q)
	if closed {
		r.settled(s, now, i)
	}
}

// answeredCharge takes in an answer about the charge under way.
func (r *Rules) answeredCharge(s *State, now hal.Instant, a payment.Answer) {
	q := &s.ask
	wait := lookEvery
	if s.Phase == Waiting || s.Phase == Charging {
		wait = checkEvery
	}
	q.next, q.hinted = now.Mono+max(wait, a.Wait), false
	if s.Phase == Approving && a.Found.State != payment.NotFound && !r.ours(s, a.Found) {
		a = payment.Answer{Status: payment.Refused, Reason: payment.Foreign}
	}
	switch a.Status {
	case payment.Unknown, payment.Busy:
	case payment.Missing:
		q.make = true // the call that makes it was lost: the same again, under the same key
		if s.Phase != Approving {
			r.reservationGone(s, now)
		}
	case payment.Pending:
		if a.Found.URL != "" { // a look need not tell it again
			s.url = a.Found.URL
		}
		q.make = s.url == "" && s.way != payment.ByPush // its address was lost with the answer: asking again brings it back
	case payment.Held:
		if f := a.Found; f.Taken != 0 || f.Freed != 0 || f.Held < s.Charge.Limit {
			r.reservationGone(s, now)
		} else if !s.Charge.Held {
			s.Charge.Held, s.Charge.Guaranteed = true, f.Guaranteed
			s.url, s.phone = "", ""
			q.next = now.Mono + checkEvery
		}
	default:
		r.refused(s, now, a)
	}
}

// ours says whether what was found is the payment of the charge under way. The
// call that makes it would be told, but its answer may be lost, and a look asks
// for a reference only.
func (r *Rules) ours(s *State, f payment.Found) bool {
	t := r.terms(s)
	t.Meter = f.Terms.Meter // the meter may have told its number since
	return payment.Order{Amount: s.Charge.Limit, Terms: t}.Ours(f)
}

// refused ends a charge whose payment has come to its end.
func (r *Rules) refused(s *State, now hal.Instant, a payment.Answer) {
	switch a.Reason {
	case payment.Setup:
		s.Passing |= Unsellable
	case payment.NoPush:
		s.noPush = true // the next driver gets a link
	}
	if s.Phase != Approving {
		r.reservationGone(s, now)
		return
	}
	switch a.Reason {
	case payment.Setup:
		r.owe(s, now, 0, display.NoAnswer)
	case payment.Aborted:
		r.owe(s, now, 0, display.AbortedInApp)
	case payment.Expired:
		r.owe(s, now, 0, display.TimedOut)
	case payment.Foreign:
		// What is there is not this charge's, so nothing of it is touched. The counter
		// is behind what the service knows: find out what was lost, this number first.
		r.owe(s, now, 0, display.NoAnswer)
		r.settled(s, now, len(s.Debts)-1)
		s.Counter--
		r.seekAbove(s, now)
	default:
		r.owe(s, now, 0, display.Declined)
	}
}

// reservationGone ends a charge that is not, or no longer, paid for.
func (r *Rules) reservationGone(s *State, now hal.Instant) {
	r.stop(s, now, display.PaymentGone)
}
