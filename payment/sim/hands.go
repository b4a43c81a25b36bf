package sim

import (
	"time"

	"stolpe/payment"
)

// Approve is the payer approving in the app. It says whether that counted: only
// a payment that still waits can be approved.
func (b *Book) Approve(now time.Duration, ref payment.Ref) bool {
	e := b.waiting(now, ref)
	if e == nil {
		return false
	}
	e.found.State, e.found.Held, e.approved = payment.Authorised, e.found.Amount, now
	b.note(e, Event{Name: Authorized, Amount: e.found.Amount, Success: true, At: now})
	return true
}

// Decline is the payer refusing in the app. It says whether that counted.
func (b *Book) Decline(now time.Duration, ref payment.Ref) bool {
	e := b.waiting(now, ref)
	if e == nil {
		return false
	}
	e.found.State = payment.DeclinedByPayer
	b.note(e, Event{Name: Aborted, Amount: e.found.Amount, Success: true, At: now})
	return true
}

// Expire has a payment run out of time at once. It says whether that counted.
func (b *Book) Expire(now time.Duration, ref payment.Ref) bool {
	e := b.waiting(now, ref)
	if e == nil {
		return false
	}
	e.found.State = payment.TimedOut
	b.note(e, Event{Name: Expired, Amount: e.found.Amount, Success: true, At: now})
	return true
}

func (b *Book) waiting(now time.Duration, ref payment.Ref) *entry {
	if e := b.find(now, ref); e != nil && e.found.State == payment.Created {
		return e
	}
	return nil
}

// Kill releases what is held without the post's doing: somebody in the portal,
// or the bank. It says whether anything was held.
func (b *Book) Kill(now time.Duration, ref payment.Ref) bool {
	e := b.find(now, ref)
	return e != nil && b.release(now, e)
}

// Funds says whether the bank still has the money of a reservation. Without it
// captures are refused with 6260, though the payment looks held as before.
func (b *Book) Funds(ref payment.Ref, there bool) {
	if e := b.entries[ref]; e != nil {
		e.gone = !there
	}
}

// Busy has the provider work on a payment until the given time: a payer in the
// middle of 3-D Secure, another call. Writes are refused until then with 6250,
// 6280, 6160 or 423; no key remembers that.
func (b *Book) Busy(ref payment.Ref, until time.Duration) {
	if e := b.entries[ref]; e != nil {
		e.busy = until
	}
}
