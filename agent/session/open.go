package session

import "stolpe/payment"

// Open lists the payments that are not settled, with what is known to be due of
// each: the charge under way first, by its last checkpoint. A page shows more than
// that, but a bill may come to less than was shown: this much it comes to whatever
// happens. Less than the smallest payment is never taken.
func (r *Rules) Open(s *State) []payment.Open {
	var all []payment.Open
	if c := &s.Charge; s.Phase != Idle {
		o := payment.Open{Ref: r.Ref(c.Number), Currency: c.Price.Currency, Limit: c.Limit, Register: max(c.Start, c.Seen)}
		sure := payment.Use{Energy: o.Register - c.Start, Time: c.Elapsed, Idle: c.Idle}
		if due := min(c.Price.Total(sure), c.Limit); c.Held && due >= o.Currency.Minimum() {
			o.Due = due
		}
		all = append(all, o)
	}
	for i := range s.Debts {
		d := &s.Debts[i]
		all = append(all, payment.Open{Ref: r.Ref(d.Number), Currency: d.Price.Currency, Limit: d.Limit, Due: d.Due, Register: d.End, Attempt: d.Attempt, Ended: true})
	}
	return all
}
