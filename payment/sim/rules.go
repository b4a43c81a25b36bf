package sim

import (
	"time"

	"stolpe/payment"
)

// admit is what every write of a known reference meets first: the rate limit,
// and then whoever else works on the payment. Neither is remembered by a key.
func (b *Book) admit(now time.Duration, e *entry, call Call) *Problem {
	fresh := 0
	for fresh < len(e.writes) && e.writes[fresh] <= now-time.Minute {
		fresh++
	}
	e.writes = append(e.writes[:0], e.writes[fresh:]...)
	if n := len(e.writes); n >= b.Rules.WritesPerMinute {
		if n == 0 {
			return tooMany(time.Minute)
		}
		return tooMany(e.writes[n-b.Rules.WritesPerMinute] + time.Minute - now)
	}
	e.writes = append(e.writes, now)
	if now >= e.busy {
		return nil
	}
	return busy(call)
}

// busy is the answer while somebody else works on the payment.
func busy(call Call) *Problem {
	switch call {
	case CaptureCall:
		return refuse(captureBusy)
	case CancelCall:
		return refuse(cancelBusy)
	case RefundCall:
		return refuse(refundBusy)
	}
	return &Problem{Status: 423, Title: "Locked"}
}

// again answers a key that was used before; done is false for a new one. like
// says whether what the key does not tell is the same as the first time.
func (b *Book) again(u use, like bool) (done bool, p *Problem) {
	old, known := b.keys[u.change.Key]
	switch {
	case u.change.Key == "":
		return true, refuse(noKey)
	case !known && len(b.keys) >= b.Rules.MaxKept:
		return true, refuse(cannotCreate)
	case !known:
		return false, nil
	case old.call != u.call || old.change.Ref != u.change.Ref:
		return true, refuse(conflict(u.call))
	case old.problem != nil:
		return true, old.problem
	case old.change != u.change || !like:
		return true, refuse(conflict(u.call))
	}
	return true, nil
}

// conflict is the code for a key that was used for something else.
func conflict(call Call) string {
	switch call {
	case CaptureCall:
		return keyOfCapture
	case RefundCall:
		return keyOfRefund
	}
	return keyOfCreate
}

// remember binds the key to what came of its first use: its effect, or a refusal
// with a code, which it keeps for ever.
func (b *Book) remember(u use, code string) *Problem {
	u.problem = refuse(code)
	if !passing(code) {
		b.keys[u.change.Key] = u
	}
	return u.problem
}

// capture is the code a capture is refused with; empty means it took effect.
func (b *Book) capture(now time.Duration, e *entry, c Change) string {
	f := &e.found
	left := f.Left()
	switch {
	case f.State == payment.NotFound:
		return noSuchPayment
	case c.Currency != e.request.Currency:
		return wrongCurrency
	case f.State == payment.Created:
		return captureTooSoon
	case f.State != payment.Authorised:
		return captureEnded
	case b.overdue(now, e):
		return captureTooLate
	case f.Freed > 0:
		return captureReleased
	case left == 0:
		return captureNothing
	case c.Amount < max(1, b.Rules.MinCapture):
		return amountTooSmall
	case c.Amount > left:
		return captureTooMuch
	case b.Rules.WholeOnly && c.Amount != f.Held:
		return captureWhole
	case e.gone:
		b.note(e, Event{Name: Captured, Amount: c.Amount, Key: c.Key, At: now}) // the bank said no
		return fundsGone
	}
	f.Taken += c.Amount
	e.captured = now
	b.note(e, Event{Name: Captured, Amount: c.Amount, Key: c.Key, Success: true, At: now})
	return ""
}

// cancel is the code a cancel is refused with; empty means it took effect.
func (b *Book) cancel(now time.Duration, e *entry, onlyUnapproved bool) string {
	f := &e.found
	switch {
	case f.State == payment.NotFound:
		return noSuchPayment
	case f.State == payment.Created:
		f.State = payment.EndedByUs
		f.Freed = f.Amount // the API shows it so, though nothing was ever held
		b.note(e, Event{Name: Terminated, Amount: f.Amount, Success: true, At: now})
		return ""
	case f.State != payment.Authorised:
		return cancelNothing
	case onlyUnapproved:
		return cancelApproved
	case b.overdue(now, e):
		return cancelTooLate
	case b.release(now, e):
		return ""
	case f.Freed == 0:
		return cancelCaptured
	case b.Rules.CancelAgainOK:
		return ""
	}
	return cancelNothing
}

// refund is the code a refund is refused with; empty means it took effect.
func (b *Book) refund(now time.Duration, e *entry, c Change) string {
	f := &e.found
	switch {
	case f.State == payment.NotFound:
		return noSuchPayment
	case c.Currency != e.request.Currency:
		return wrongCurrency
	case f.State == payment.Created:
		return refundTooSoon
	case f.State != payment.Authorised:
		return refundEnded
	case c.Amount < 1:
		return amountTooSmall
	case f.Taken > 0 && now >= e.captured+b.Rules.RefundWithin:
		return refundTooLate
	case f.Taken > 0 && f.Refunded == f.Taken:
		return refundNothing
	case c.Amount > f.Taken-f.Refunded:
		return refundTooMuch
	}
	f.Refunded += c.Amount
	b.note(e, Event{Name: Refunded, Amount: c.Amount, Key: c.Key, Success: true, At: now})
	return ""
}
