package payment

// CallKind is a call to the service that changes something.
type CallKind uint8

// The calls.
const (
	NoCall    CallKind = iota
	Create             // make a payment and ask the payer
	Capture            // take part of what is held
	Withdraw           // end a payment the payer has not approved; leaves an approved one alone
	CancelAll          // release everything still held
)

// Call is one call to make, with its amount in minor units where it has one.
type Call struct {
	Kind   CallKind
	Amount Amount
}

// Next decides which one call brings an order forward, seeing what the service
// has. The remainder is released only when what is due has been seen to be
// taken: a release before that would lose the rest of the bill for good. There is
// one capture for an order: when something else than its amount has been taken,
// no call is made, and whoever asks has to decide on the amount anew.
func (o Order) Next(f Found) Call {
	switch {
	case o.Verb == Reserve && f.State == NotFound:
		return Call{Create, o.Amount}
	case o.Verb != Settle:
		return Call{}
	case f.State == Created:
		return Call{Kind: Withdraw}
	case f.Left() <= 0:
		return Call{}
	case f.Taken == 0 && o.Amount > 0:
		return Call{Capture, min(o.Amount, f.Left())}
	case f.Taken < o.Amount:
		return Call{}
	}
	return Call{Kind: CancelAll}
}

// Answer says what finding f means for the order.
func (o Order) Answer(f Found) Answer {
	a := Answer{Found: f}
	switch f.State {
	case NotFound:
		a.Status = Missing
	case Created:
		a.Status = Pending
	case Authorised:
		a.Status = Held
		if f.Left() <= 0 {
			a.Status = Settled
		}
	case DeclinedByPayer:
		a.Status, a.Reason = Refused, Aborted
	case TimedOut:
		a.Status, a.Reason = Refused, Expired
	case EndedByUs:
		a.Status, a.Reason = Refused, Terminated
	}
	if a.Status == Refused && o.Verb == Settle {
		a.Status = Settled // never approved, so nothing is held
	}
	return a
}

// Ours says whether a payment found under the order's reference is the one this
// order asked for, and not somebody else's use of the same reference.
func (o Order) Ours(f Found) bool {
	return f.Amount == o.Amount && f.Terms == o.Terms
}
