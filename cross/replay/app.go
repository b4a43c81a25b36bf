package replay

import (
	"stolpe/agent/session"
	"stolpe/payment"
)

// app is the service that puts receipts into the payers' app: what it has of each
// payment.
type app map[payment.Ref]*paper

// paper is what the app has of one payment.
type paper struct {
	receipt *payment.Receipt // nil before it is there
	link    string
}

// inform takes an order to the app's service: reads back, then sends what is
// missing, one call for an asking, with what goes wrong on the way.
func (w *world) inform(a *asking) {
	if w.draw.hit(readLost) {
		w.answerIn(timeout, a, payment.Answer{})
		return
	}
	p := w.app[a.order.Ref]
	if p == nil {
		p = &paper{}
		w.app[a.order.Ref] = p
	}
	if p.has(a.order) == payment.Settled {
		w.answerIn(oneWay, a, payment.Answer{Status: payment.Settled})
		return
	}
	w.send(a, func() payment.Answer {
		w.judge.informed(w, a.order, p)
		if p.receipt == nil {
			p.receipt = a.order.Receipt
		} else {
			p.link = a.order.Return
		}
		return payment.Answer{Status: p.has(a.order)}
	})
}

// has says how much of an order is in the app.
func (p *paper) has(o payment.Order) payment.Status {
	switch {
	case p.receipt == nil:
		return payment.Unknown
	case o.Return != "" && p.link == "":
		return payment.Pending
	}
	return payment.Settled
}

// informed is called when a receipt or a link takes effect.
func (j *judge) informed(w *world, o payment.Order, p *paper) {
	v := w.served[o.Ref.Number()]
	switch {
	case v == nil:
		j.complain(nil, "%s: a receipt for a charge that nobody asked for", o.Ref)
	case p.receipt == nil && o.Receipt.Total() != v.debt.Captured:
		j.complain(v, "%s: the receipt is of %v, captured was %v", o.Ref, o.Receipt.Total(), v.debt.Captured)
	case p.receipt != nil && p.receipt.Number != o.Receipt.Number:
		j.complain(v, "%s: receipt %s, and now %s", o.Ref, p.receipt.Number, o.Receipt.Number)
	}
}

// documents judges the numbers of the sales documents: one for each sale, without
// a gap, and in the app.
func (j *judge) documents(w *world) {
	sales := uint64(0)
	numbers := map[uint64]uint64{}
	for _, v := range w.visits {
		d := &v.debt
		if d.Captured == 0 {
			continue
		}
		sales++
		if other, used := numbers[d.Receipt]; used {
			j.complain(v, "document %d is of charges %d and %d", d.Receipt, other, d.Number)
		}
		numbers[d.Receipt] = d.Number
		p := w.app[w.rules.Ref(d.Number)]
		if d.Told != session.ToldAll || p == nil || p.receipt == nil || p.receipt.Number != w.rules.ReceiptNumber(d) {
			j.complain(v, "document %d is not in the app", d.Receipt)
		}
	}
	if newest := w.life.state.Receipts; newest != sales {
		j.complain(nil, "%s: %d sales, %d numbers", w.owner(), sales, newest)
	}
}

// telling says whether the app has yet to get a receipt.
func (w *world) telling() bool {
	for i := range w.life.state.Done {
		if w.life.state.Done[i].Told == session.ToldDue {
			return true
		}
	}
	return false
}
