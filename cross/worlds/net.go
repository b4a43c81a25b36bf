package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/payment"
	book "stolpe/payment/sim"
	"stolpe/payment/vipps"
)

// asking is one order on its way, as the client of payment/vipps would take it:
// read back, decide, make at most one call, answer.
type asking struct {
	order  payment.Order
	life   int // of the post that asked, see post.life
	call   payment.Call
	letter letter // not a call about money, but this
	place  place  // with nth: the moment of its call
	nth    uint16 // see place
	lost   bool   // the answer never arrives
	failed bool   // the answer is a server error
	delay  time.Duration
	answer payment.Answer
}

// Chosen for the simulation: a mobile network, and the client's time-out.
const (
	oneWay  = 60 * time.Millisecond
	timeout = 20 * time.Second
)

// ask sends an order on its way.
func (w *world) ask(o payment.Order) {
	o = w.plantedOrder(o)
	w.judge.asking(w, o)
	a := asking{order: o, life: w.post.life}
	if w.at(atAsk); w.search != nil {
		w.misfortunes()
	}
	if w.hit(slowAnswer) {
		a.delay = w.span(time.Second, 15*time.Second)
	}
	n := w.judge.keep(a)
	if w.now < w.netDown {
		w.answerIn(n, timeout, payment.Answer{})
		return
	}
	if o.Verb == payment.Reserve {
		w.judge.asks[n].call = payment.Call{Kind: payment.Create, Amount: o.Amount}
		w.send(n)
		return
	}
	w.in(oneWay+a.delay, evRead, n)
}

func (w *world) answerIn(n int, d time.Duration, a payment.Answer) {
	w.judge.asks[n].answer = a
	w.events.push(event{at: w.now + d, kind: evAnswer, life: w.judge.asks[n].life, n: n})
}

// send sends the one call that an asking may make, with what goes wrong on the way.
func (w *world) send(n int) {
	a := &w.judge.asks[n]
	w.atCall(a)
	switch {
	case w.hit(requestLost):
		w.answerIn(n, timeout, payment.Answer{})
		return
	case w.hit(lateRequest):
		w.late++
		w.in(w.span(timeout, 9*time.Minute), evLate, n)
		w.answerIn(n, timeout, payment.Answer{})
		return
	case w.hit(serverError):
		w.answerIn(n, 2*oneWay, payment.Answer{Code: "500"})
		return
	case w.hit(tooMany):
		w.answerIn(n, 2*oneWay, payment.Answer{Status: payment.Busy, Wait: 10 * time.Second})
		return
	case w.hit(answerLost):
		a.lost = true
	case w.hit(appliedThenError):
		a.failed = true
	}
	w.in(oneWay+a.delay, evWrite, n)
}

// traffic is what happens at the service's end, and the answers coming home.
func (w *world) traffic(e event) {
	switch e.kind {
	case evRead:
		if w.judge.asks[e.n].order.Verb == payment.Inform {
			w.readApp(e.n)
			return
		}
		w.readBack(e.n)
	case evWrite:
		w.call(e.n)
	case evLate:
		w.late--
		w.perform(e.n)
	case evAnswer:
		if w.at(atAnswer); w.search != nil && w.cut(cutAnytime) {
			return
		}
		w.home(e.n)
	}
}

// readBack is GET, and what follows from it.
func (w *world) readBack(n int) {
	a := &w.judge.asks[n]
	if w.at(atRead); w.hit(readLost) {
		w.answerIn(n, timeout, payment.Answer{})
		return
	}
	f, p := w.book.Get(w.now, a.order.Ref)
	if p != nil {
		answer, _ := vipps.Judge(payment.NoCall, p.Status, p.Code)
		if answer.Status != payment.Missing {
			w.judge.complain("rate", "the service refused to be read: "+p.Title)
		}
		f = payment.Found{}
	}
	switch p := w.refusal(atRead, ""); {
	case p != nil && p.Status == 429:
		w.answerIn(n, oneWay, payment.Answer{Status: payment.Busy, Wait: p.After})
		return
	case p != nil:
		f = payment.Found{}
	}
	a.call = w.plantedNext(a.order, f)
	switch {
	case a.call.Kind != payment.NoCall:
	case a.order.Verb == payment.Look: // one event for the way there and back
		if a.answer = w.told(a.order, f); a.life == w.post.life {
			w.home(n)
		}
		return
	default:
		w.answerIn(n, oneWay, w.told(a.order, f))
		return
	}
	w.send(n)
}

// call performs a call and sends its answer home.
func (w *world) call(n int) {
	answer := w.perform(n)
	a := &w.judge.asks[n]
	switch {
	case a.lost:
		w.answerIn(n, timeout, payment.Answer{})
	case a.failed:
		w.answerIn(n, oneWay, payment.Answer{Code: "500"})
	default:
		w.answerIn(n, oneWay, answer)
	}
}

// perform lets the service do what it is asked.
func (w *world) perform(n int) payment.Answer {
	a := &w.judge.asks[n]
	o := a.order
	if a.letter != noLetter {
		return w.deliver(a)
	}
	w.backTo(a)
	if a.call.Kind != payment.Create && w.hit(serviceBusy) {
		w.book.Busy(o.Ref, w.now+w.span(time.Second, time.Minute))
	}
	w.judge.calling(w, a)
	f, p := w.serve(a)
	if p == nil {
		w.judge.moved(w, o.Ref, f)
		w.notify(o.Ref)
		return w.told(o, f)
	}
	answer, exists := vipps.Judge(a.call.Kind, p.Status, p.Code)
	answer.Wait = p.After
	if exists {
		f, p = w.book.Get(w.now, o.Ref)
		switch {
		case p != nil:
			return payment.Answer{}
		case o.Ours(f):
			return w.told(o, f)
		}
		return payment.Answer{Status: payment.Refused, Reason: payment.Foreign}
	}
	return answer
}

// guaranteedFor is how long the bank of every payer stands by a reservation.
const guaranteedFor = 7 * 24 * time.Hour

// told is what an order learns from finding f, with the bank's guarantee in it.
func (w *world) told(o payment.Order, f payment.Found) payment.Answer {
	if f.State == payment.Authorised {
		if r := w.judge.find(o.Ref.Number()); r != nil {
			f.Guaranteed = guaranteed(r)
		}
	}
	return o.Answer(f)
}

// guaranteed is until when the bank stands by a reservation: by the service's own
// clock, which is never wrong.
func guaranteed(r *record) int64 { return int64((r.approved + guaranteedFor) / time.Second) }

// serve is the service itself.
func (w *world) serve(a *asking) (payment.Found, *book.Problem) {
	o := a.order
	key := ""
	switch a.call.Kind {
	case payment.Create:
		key = o.Key(payment.Create)
	case payment.Capture:
		key = w.plantedKey(o)
	}
	if p := w.refusal(a.place, key); p != nil {
		return payment.Found{}, p
	}
	if o.Way == payment.ByPush && o.Verb == payment.Reserve && w.hit(pushRefused) {
		return payment.Found{}, w.sticks(key, &book.Problem{Status: 400, Code: "5080"})
	}
	var f payment.Found
	var p *book.Problem
	switch a.call.Kind {
	case payment.Create:
		f, p = w.book.Create(w.now, book.Request{Key: key, Ref: o.Ref, Amount: o.Amount, Currency: o.Currency, Terms: o.Terms, URL: "app"})
	case payment.Capture:
		f, p = w.book.Capture(w.now, book.Change{Key: key, Ref: o.Ref, Amount: a.call.Amount, Currency: o.Currency})
	default:
		f, p = w.book.Cancel(w.now, o.Ref, a.call.Kind == payment.Withdraw)
	}
	if p != nil {
		w.judge.refused(p)
	}
	return f, p
}

// home brings an answer to the post.
func (w *world) home(n int) {
	a := &w.judge.asks[n]
	answer := w.plantedAnswer(a)
	if answer.Status == payment.Pending && (answer.Found.URL != "" || a.order.Way == payment.ByPush) && a.letter == noLetter {
		w.offer(a.order.Ref)
	}
	w.step(session.Answered{Order: a.order, Answer: answer})
	w.plantedHome(a, answer)
}

// killPayment lets somebody in the portal, or the bank, end a reservation.
func (w *world) killPayment() {
	if w.post.state.Phase == session.Charging && w.hit(paymentDies) {
		w.book.Kill(w.now, w.post.rules.Ref(w.post.state.Charge.Number))
	}
}
