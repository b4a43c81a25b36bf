package replay

import (
	"time"

	"stolpe/agent/session"
	"stolpe/payment"
	service "stolpe/payment/sim"
	"stolpe/payment/vipps"
)

// asking is one order on its way, as the client of payment/vipps would take it:
// read back, decide, make at most one call, answer.
type asking struct {
	order  payment.Order
	lives  int // the life of the post that asked
	lost   bool
	failed bool
}

// Chosen for the simulation: a mobile network, the client's time-out, and what the
// service says with a 429.
const (
	oneWay  = 60 * time.Millisecond
	timeout = 20 * time.Second
	retry   = 10 * time.Second
)

// ask sends an order on its way.
func (w *world) ask(o payment.Order) {
	a := &asking{order: o, lives: w.lives}
	if o.Verb == payment.Reserve {
		w.call(a, payment.Call{Kind: payment.Create, Amount: o.Amount})
		return
	}
	if o.Verb == payment.Inform {
		w.in(oneWay, func() { w.inform(a) })
		return
	}
	w.in(oneWay, func() { w.readBack(a) })
}

// answerIn brings an answer to the post after d, if it still waits.
func (w *world) answerIn(d time.Duration, a *asking, answer payment.Answer) {
	w.in(d, func() {
		if a.lives != w.lives {
			return // asked before a power cut
		}
		if answer.Status == payment.Pending && answer.Found.URL != "" {
			w.offer(a.order.Ref)
		}
		w.step(session.Answered{Order: a.order, Answer: answer})
	})
}

// call sends a call about money.
func (w *world) call(a *asking, c payment.Call) {
	w.send(a, func() payment.Answer { return w.perform(a.order, c) })
}

// send sends the one call that an asking may make, with what goes wrong on the way.
func (w *world) send(a *asking, perform func() payment.Answer) {
	switch {
	case w.draw.hit(requestLost):
		w.answerIn(timeout, a, payment.Answer{})
		return
	case w.draw.hit(notApplied):
		w.answerIn(2*oneWay, a, payment.Answer{Code: "500"})
		return
	case w.draw.hit(tooMany):
		w.answerIn(2*oneWay, a, payment.Answer{Status: payment.Busy, Wait: retry})
		return
	case w.draw.hit(answerLost):
		a.lost = true
	case w.draw.hit(appliedThenError):
		a.failed = true
	}
	w.in(oneWay, func() {
		answer := perform()
		switch {
		case a.lost:
			w.answerIn(timeout, a, payment.Answer{})
		case a.failed:
			w.answerIn(oneWay, a, payment.Answer{Code: "500"})
		default:
			w.answerIn(oneWay, a, answer)
		}
	})
}

// readBack is GET, and what follows from it.
func (w *world) readBack(a *asking) {
	if w.draw.hit(readLost) {
		w.answerIn(timeout, a, payment.Answer{})
		return
	}
	f, p := w.book.Get(w.now, a.order.Ref)
	if p != nil {
		if answer, _ := vipps.Judge(payment.NoCall, p.Status, p.Code); answer.Status != payment.Missing {
			w.judge.complain(w.serving, "the service refuses to be read: %d %s", p.Status, p.Title)
		}
		f = payment.Found{}
	}
	if c := w.next(a.order, f); c.Kind != payment.NoCall {
		w.call(a, c)
		return
	}
	w.answerIn(oneWay, a, a.order.Answer(f))
}

// perform lets the service do what it is asked.
func (w *world) perform(o payment.Order, c payment.Call) payment.Answer {
	var f payment.Found
	var p *service.Problem
	switch c.Kind {
	case payment.Create:
		f, p = w.book.Create(w.now, service.Request{
			Key: o.Key(payment.Create), Ref: o.Ref, Amount: o.Amount, Currency: o.Currency, Terms: o.Terms, URL: "app",
		})
	case payment.Capture:
		f, p = w.book.Capture(w.now, service.Change{Key: o.Key(payment.Capture), Ref: o.Ref, Amount: c.Amount, Currency: o.Currency})
	default:
		f, p = w.book.Cancel(w.now, o.Ref, c.Kind == payment.Withdraw)
	}
	if p == nil {
		return o.Answer(f)
	}
	w.judge.refused(w, o, p)
	answer, exists := vipps.Judge(c.Kind, p.Status, p.Code)
	answer.Wait = p.After
	if !exists {
		return answer
	}
	f, p = w.book.Get(w.now, o.Ref)
	switch {
	case p != nil:
		return payment.Answer{}
	case o.Ours(f):
		return o.Answer(f)
	}
	return payment.Answer{Status: payment.Refused, Reason: payment.Foreign}
}
