package display

import "stolpe/payment"

// Ending is what a driver is told about a charge that is over.
type Ending struct {
	Trouble Trouble
	Title   string
	What    string // why it ended, and what is paid for if that was not the plan
	Money   string // what has become of the money; never empty
	Do      string // empty when there is nothing to do
}

// Wallet is what drivers of this post call the app they pay with.
func (p Post) Wallet() string {
	if p.Pay == "" {
		return "Vipps"
	}
	return p.Pay
}

// Ending tells how a charge ended. The charge must have ended.
func (l Lang) Ending(c Charge, p Post) Ending {
	w, t := l.Words(), c.Trouble()
	end := w.Ends[c.End]
	if c.End == ByDriver && c.Energy > 0 {
		end = "" // no news to whoever pressed the button
	}
	e := Ending{Trouble: t, Title: string(c.title(w)), Money: l.Taken(c)}
	only := ""
	if t != NoTrouble && t != NotSettled && c.Energy > 0 {
		only = w.PayOnly.With("energy", l.KWh(c.Energy))
	}
	e.What = sentences(string(w.Troubles[t].What), end.With("pay", p.Wallet()), only)
	e.Do = w.Troubles[t].Do.With("pay", p.Wallet())
	return e
}

func (c Charge) title(w *Words) Text {
	switch t := c.Trouble(); {
	case t == Interrupted || t == MeterStopped:
		return w.Broken
	case c.Energy > 0:
		return w.Finished
	case c.End == ByDriver || c.End == ByButton || c.End == ByOwner || c.End == AbortedInApp:
		return w.Cancelled
	}
	return w.NotBegun
}

// Due is what the driver will have paid in the end, minor units. A bill below
// the smallest payment is never captured.
func (c Charge) Due() payment.Amount {
	if c.Bill.Total < c.Price.Currency.Minimum() {
		return 0
	}
	return c.Bill.Total
}

// Taken says what has become of the money of a charge that has ended. It says
// that nothing was taken only once the payment service has been seen to hold
// nothing and to have taken nothing. Until then it says what is being done.
func (l Lang) Taken(c Charge) string {
	w, due, cur := l.Words(), c.Due(), c.Price.Currency
	amount := func(t Text, a payment.Amount) string { return t.With("amount", l.Money(a, cur)) }
	reserved := l.Sum(c.Reserved, cur)
	switch {
	case c.Settled && c.Captured > 0:
		if c.Released <= 0 {
			return amount(w.Took, c.Captured)
		}
		return sentences(amount(w.Took, c.Captured), amount(w.RestReleased, c.Released), string(w.BankDays))
	case c.Settled:
		return l.nothing(c)
	case c.Stuck && due > c.Captured:
		return amount(w.CannotTake, due)
	case c.Stuck:
		return string(w.CannotRelease)
	case due > 0 || c.Captured > 0:
		return l.pending(c, max(due, c.Captured))
	case c.Held:
		return w.AllGoes.With("amount", reserved)
	}
	return string(w.IfReserved)
}

// nothing is for a settled charge of which nothing was captured.
func (l Lang) nothing(c Charge) string {
	w := l.Words()
	released, little := "", ""
	if c.Released > 0 {
		released = w.AllReleased.With("amount", l.Sum(c.Released, c.Price.Currency))
	}
	if c.Bill.Total > 0 && c.Due() == 0 {
		little = string(w.TooLittle)
	}
	return sentences(string(w.NothingTaken), released, little)
}

// pending is for a bill that is still being captured, or whose remainder is
// still being released.
func (l Lang) pending(c Charge, due payment.Amount) string {
	w, cur := l.Words(), c.Price.Currency
	taken := w.WillTake
	if c.Captured >= due {
		taken = w.Took
	}
	rest := ""
	if c.Reserved > due {
		rest = w.RestGoes.With("amount", l.Money(c.Reserved-due, cur))
	}
	return sentences(taken.With("amount", l.Money(due, cur)), rest)
}

// sentences joins those that are not empty.
func sentences(parts ...string) string {
	joined := ""
	for _, p := range parts {
		if p != "" && joined != "" {
			joined += " "
		}
		joined += p
	}
	return joined
}
