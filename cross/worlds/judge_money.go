package worlds

import (
	"stolpe/payment"
	book "stolpe/payment/sim"
)

// asking is called when an order leaves: M5.
func (j *judge) asking(w *world, o payment.Order) {
	if w.post.dead || o.Verb == payment.Look {
		return
	}
	if o.Verb == payment.Reserve && j.disk.Charge.Number != o.Ref.Number() {
		j.complain("M5", "a payment is asked for before the card knows of it")
	}
	if o.Verb == payment.Settle && !j.owedOnDisk(w, o) {
		j.complain("M4", "a settlement is asked for before the card knows the bill")
	}
	if o.Verb == payment.Inform && !j.soldOnDisk(w, o) {
		j.complain("R3", "a receipt leaves before the card knows its number")
	}
}

func (j *judge) owedOnDisk(w *world, o payment.Order) bool {
	for i := range j.disk.Debts {
		d := &j.disk.Debts[i]
		if d.Number == o.Ref.Number() && d.Due == o.Amount && d.Attempt == o.Attempt {
			return true
		}
	}
	return false
}

func (j *judge) soldOnDisk(w *world, o payment.Order) bool {
	for i := range j.disk.Done {
		if d := &j.disk.Done[i]; d.Number == o.Ref.Number() && w.post.rules.ReceiptNumber(d) == o.Receipt.Number {
			return true
		}
	}
	return false
}

// calling is called when a call takes effect at the service: M2, M3.
func (j *judge) calling(w *world, a *asking) {
	if r := j.find(a.order.Ref.Number()); r != nil && a.call.Kind == payment.CancelAll && r.taken+r.portal < a.order.Amount && !j.misled() {
		j.complain("M3", "the rest is released before the bill is taken")
	}
}

// moved is called when a call has had its effect, or had it before: M2.
func (j *judge) moved(w *world, ref payment.Ref, f payment.Found) {
	r := j.find(ref.Number())
	if r == nil || f.Taken == r.taken+r.portal {
		return
	}
	r.taken = f.Taken - r.portal
	if r.captures++; r.captures > 1 {
		j.complainf("M2", "charge %d is captured twice, %v in all", r.number, f.Taken)
	}
}

// refused looks for refusals that a sound post never earns.
func (j *judge) refused(p *book.Problem) {
	switch {
	case p.Status == 429 && j.noticed&(1<<lateRequest|1<<portalAct) == 0: // late ones come when they like
		j.complain("rate", "more than five calls a minute for one reference")
	case p.Code == "4010" && j.noticed&cardSites == 0: // a card that forgot a bill may make another one
		j.complain("M2", "one key, two bodies")
	}
}
