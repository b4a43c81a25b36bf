package session

import (
	"slices"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// settling brings one debt forward by an answer, and says whether it is over.
func (r *Rules) settling(d *Debt, q *ask, now hal.Instant, a payment.Answer) bool {
	if a.Found.State != payment.NotFound {
		q.missing = 0
	}
	switch a.Status {
	case payment.Settled:
		d.settle(a.Found)
		return true
	case payment.Held:
		d.progress(q, now, a.Found)
	case payment.Missing:
		if q.missing == 0 {
			q.missing = now.Mono
		}
		if now.Mono-q.missing >= tombstone {
			if !d.Held {
				return true // it was never made
			}
			d.Trouble = payment.Meddled // it was there before: a wrong sales unit, perhaps
			q.next = now.Mono + slowly
			break
		}
		q.next = now.Mono + time.Minute
	case payment.Refused:
		d.refused(q, now, a)
	default: // unknown, busy, or not approved and not yet withdrawn
		q.later(now.Mono, a.Wait)
		if a.Status == payment.Unknown && a.Code != "" && q.tries >= uint8(len(ladder)) {
			// The service itself has answered every time, and reading back shows no
			// change: its key may be stuck with an old refusal.
			d.refused(q, now, payment.Answer{Status: payment.Refused, Reason: payment.Rejected})
			q.tries = 0
		}
	}
	return false
}

// settle notes the end of a debt.
func (d *Debt) settle(f payment.Found) {
	d.Captured, d.Released = f.Taken, f.Freed
	switch {
	case d.Captured != d.Due || f.Refunded != 0:
		d.Trouble = payment.Meddled
	case d.Due == d.owed():
		d.Trouble = payment.NoReason // whatever it was, it is over
	}
}

// progress decides what comes after an answer that says money is still held.
func (d *Debt) progress(q *ask, now hal.Instant, f payment.Found) {
	switch {
	case f.Taken > 0 && f.Taken < d.Due:
		// Less was taken than is due, by somebody else or before the journal failed.
		// A driver is charged once: that is all there will be.
		d.Due, d.Trouble = f.Taken, payment.Meddled
		q.tries, q.next = 0, now.Mono
	case f.Taken > 0 && f.Taken >= d.Due && !q.taken:
		q.taken = true
		q.tries, q.next = 0, now.Mono // now the rest can be released
	default:
		q.later(now.Mono, 0)
	}
}

// maxAttempts is how many capture keys one debt may use up.
const maxAttempts = 100

// refused reacts to a definite no.
func (d *Debt) refused(q *ask, now hal.Instant, a payment.Answer) {
	d.Trouble = a.Reason
	switch a.Reason {
	case payment.NoPartial, payment.TooLate:
		q.next = now.Mono + slowly // not even releasing works
		if d.Due > a.Found.Taken {
			// It cannot be had, and the whole reservation is not ours to take: release it.
			d.Due = a.Found.Taken
			q.next = now.Mono
		}
	case payment.Conflict:
		q.next = now.Mono + slowly
	case payment.FundsGone:
		d.newKey()
		q.next = now.Mono + slowly
	default:
		d.newKey()
		q.next = now.Mono + newKeyAfter
	}
}

// newKey lets the next capture go under another key: a key that has been refused
// is refused for good.
func (d *Debt) newKey() {
	if d.Attempt < maxAttempts {
		d.Attempt++
	}
}

// settled moves debt i to the settled ones.
func (s *State) settled(i int) {
	d := s.Debts[i]
	s.Debts = slices.Delete(slices.Clone(s.Debts), i, i+1)
	s.asks = slices.Delete(slices.Clone(s.asks), i, i+1)
	done := s.Done
	if len(done) >= MaxDone {
		done = done[len(done)-MaxDone+1:]
	}
	s.Done = append(slices.Clone(done), d)
}
