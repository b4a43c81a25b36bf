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
		r.progress(d, q, now, a.Found)
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
		r.denied(d, q, now, a)
	default: // unknown, busy, or not approved and not yet withdrawn
		q.later(now.Mono, a.Wait)
		if a.Status == payment.Unknown && a.Code != "" && q.tries >= uint8(len(ladder)) {
			// The service itself has answered every time, and reading back shows no
			// change: its key may be stuck with an old refusal.
			r.denied(d, q, now, payment.Answer{Status: payment.Refused, Reason: payment.Rejected})
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
func (r *Rules) progress(d *Debt, q *ask, now hal.Instant, f payment.Found) {
	switch {
	case f.Taken < d.Due && r.tooOld(d, now.Wall):
		d.Due, d.Trouble = f.Taken, payment.TooLate
		q.tries, q.next = 0, now.Mono
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

// Chosen by us. A capture that is refused is tried again and again at first, and
// then once a day: with these the keys last for the 180 days in which Norway's
// reservations can be captured.
const (
	maxAttempts    = 200 // capture keys that one debt may use up
	denseAttempts  = 24
	sparseAttempts = 24 * time.Hour
)

// denied reacts to a definite no.
func (r *Rules) denied(d *Debt, q *ask, now hal.Instant, a payment.Answer) {
	d.Trouble = a.Reason
	switch {
	case a.Reason == payment.NoPartial, a.Reason == payment.TooLate, r.tooOld(d, now.Wall):
		q.next = now.Mono + slowly // not even releasing works
		if d.Due > a.Found.Taken {
			// It cannot be had, and the whole reservation is not ours to take: release it.
			d.Due = a.Found.Taken
			q.next = now.Mono
		}
	case a.Reason == payment.Conflict:
		q.next = now.Mono + slowly
	case a.Found.Left() > 0 && a.Found.Taken >= d.Due:
		q.next = now.Mono + newKeyAfter // it is the release that is refused, which has no key
	case a.Reason == payment.FundsGone:
		d.newKey(q, now, slowly)
	default:
		d.newKey(q, now, newKeyAfter)
	}
}

// newKey lets the next capture go under another key, after a rest: a key that has
// been refused is refused for good.
func (d *Debt) newKey(q *ask, now hal.Instant, rest time.Duration) {
	if d.Attempt >= denseAttempts {
		rest = sparseAttempts
	}
	if d.Attempt < maxAttempts {
		d.Attempt++
	}
	q.next = now.Mono + rest
}

// settled moves debt i to the settled ones. If something was sold, the sales
// document gets its number here, in the one step that makes it true.
func (r *Rules) settled(s *State, now hal.Instant, i int) {
	d, link := s.Debts[i], s.asks[i].back
	s.Debts = slices.Delete(slices.Clone(s.Debts), i, i+1)
	s.asks = slices.Delete(slices.Clone(s.asks), i, i+1)
	d.Closed = now.Wall
	if d.Captured > 0 {
		s.Receipts++
		d.Receipt = s.Receipts
		if r.Receipts && d.Sold().Total == d.Captured {
			d.Told = ToldDue
		}
	}
	done, links := s.Done, s.links
	if over := len(done) - MaxDone + 1; over > 0 {
		if done[0].Told == ToldDue {
			s.tell = ask{} // the app will not know; the page and the books do
		}
		done, links = done[over:], links[over:]
	}
	s.Done = append(slices.Clone(done), d)
	s.links = append(slices.Clone(links), link)
}
