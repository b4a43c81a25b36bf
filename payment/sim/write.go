package sim

import (
	"time"

	"stolpe/payment"
)

// Change asks to capture or to refund part of a payment.
type Change struct {
	Key      string // idempotency key
	Ref      payment.Ref
	Amount   payment.Amount // minor units
	Currency payment.Currency
}

// use is what a key was used for. A key belongs to one call on one reference.
type use struct {
	call    Call
	change  Change
	problem *Problem // what it was refused with, and always will be; nil when it had its effect
}

// Create makes a payment and waits for the payer. Problems: 4020 for a key used
// otherwise, 4150 for a used reference, 4040, 4140, 5040, 5070, Request.Refused,
// 423, 429.
func (b *Book) Create(now time.Duration, r Request) (payment.Found, *Problem) {
	e := b.find(now, r.Ref)
	if e == nil {
		if len(b.order) >= b.Rules.MaxKept {
			return payment.Found{}, refuse(cannotCreate)
		}
		e = &entry{request: Request{Ref: r.Ref}}
		e.writes, e.events = e.writeRoom[:0], e.eventRoom[:0]
		b.entries[r.Ref] = e
		b.order = append(b.order, e)
	}
	if p := b.admit(now, e, CreateCall); p != nil {
		return payment.Found{}, p
	}
	u := use{CreateCall, Change{r.Key, r.Ref, r.Amount, r.Currency}, nil}
	if done, p := b.again(u, r.like(e.request)); done {
		return b.told(e, p)
	}
	if p := b.remember(u, b.create(e, r)); p != nil {
		return payment.Found{}, p
	}
	e.request, e.made = r, now
	e.found = payment.Found{State: payment.Created, Amount: r.Amount, Terms: r.Terms}
	b.note(e, Event{Name: Created, Amount: r.Amount, Key: r.Key, Success: true, At: now})
	e.psp = b.psp
	f := e.found
	f.URL = r.URL
	return f, nil
}

// create is the code a new payment is refused with; empty lets it be made.
func (b *Book) create(e *entry, r Request) string {
	switch {
	case e.found.State != payment.NotFound:
		return refUsed
	case r.Refused != "":
		return r.Refused
	case !r.Currency.Known(), b.Rules.Currency != "" && r.Currency != b.Rules.Currency:
		return wrongCurrency
	case r.Amount < r.Currency.Minimum(), r.Amount > payment.MaxAmount:
		return amountInvalid
	}
	return ""
}

// Capture takes part of what is held. Problems: 4010, 4140, 5040, 5090, 6010,
// 6070, 6080, 6090, 6100, 6140, 6170, 6200, 6260, 6280, 429.
func (b *Book) Capture(now time.Duration, c Change) (payment.Found, *Problem) {
	return b.modify(now, CaptureCall, c)
}

// Refund gives back part of what was captured. Problems: 4140, 4150, 5040, 5090,
// 6010, 6020, 6150, 6160, 6180, 6210, 6220, 429.
func (b *Book) Refund(now time.Duration, c Change) (payment.Found, *Problem) {
	return b.modify(now, RefundCall, c)
}

// Cancel releases everything that is still held, for good; a payment that is not
// approved yet is ended. With onlyUnapproved it leaves an approved payment alone.
// The call has no key. Problems: 5090, 6030, 6040, 6050, 6060, 6250, 429.
func (b *Book) Cancel(now time.Duration, ref payment.Ref, onlyUnapproved bool) (payment.Found, *Problem) {
	e := b.find(now, ref)
	if e == nil {
		return payment.Found{}, refuse(noSuchPayment)
	}
	if p := b.admit(now, e, CancelCall); p != nil {
		return payment.Found{}, p
	}
	return b.told(e, refuse(b.cancel(now, e, onlyUnapproved)))
}

func (b *Book) modify(now time.Duration, call Call, c Change) (payment.Found, *Problem) {
	e := b.find(now, c.Ref)
	if e != nil {
		if p := b.admit(now, e, call); p != nil {
			return payment.Found{}, p
		}
	}
	u := use{call, c, nil}
	if done, p := b.again(u, true); done {
		return b.told(e, p)
	}
	code := noSuchPayment
	switch {
	case e == nil:
	case call == CaptureCall:
		code = b.capture(now, e, c)
	case call == RefundCall:
		code = b.refund(now, e, c)
	}
	return b.told(e, b.remember(u, code))
}

// bind makes a key remember a refusal that somebody else decided on, unless it is
// used already.
func (b *Book) bind(u use) {
	if _, known := b.keys[u.change.Key]; !known && len(b.keys) < b.Rules.MaxKept {
		b.keys[u.change.Key] = u
	}
}

// told is the answer to a write: a refusal, or how the payment stands today.
func (b *Book) told(e *entry, p *Problem) (payment.Found, *Problem) {
	if p != nil {
		return payment.Found{}, p
	}
	return b.show(e), nil
}

// like says whether r says the same as old, where the change of a use does not
// tell already.
func (r Request) like(old Request) bool {
	return r.Terms == old.Terms && r.Digest == old.Digest && r.Refused == old.Refused
}
