package session

import (
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// Want is how the world should be.
type Want struct {
	Contactor hal.Position
	Orders    []payment.Order // those whose time has come; each is asked once
	Poll      time.Duration   // how often the meter should be read
}

// Chosen by us: often enough to stop within the reservation, and seldom enough
// to spare bus and battery when nobody charges.
const (
	pollBusy = time.Second
	pollIdle = 10 * time.Second
)

// Want says how the world should be in s at now. The contactor is closed for two
// reasons only, a charge and a technician's test, and these are the lines that say so.
func (r *Rules) Want(s *State, now hal.Instant) Want {
	w := Want{Poll: pollBusy}
	if s.Phase == Charging && s.Charge.Held && s.Faults()&unsafe == 0 {
		w.Contactor = hal.Closed
	}
	if r.testing(s, now.Mono) {
		w.Contactor = hal.Closed
	}
	if s.Phase == Idle && !s.test.On() && (s.meter.atRest(now.Mono) || now.Mono-s.meter.loadAt > freshFor) {
		w.Poll = pollIdle // it has settled, or it is silent
	}
	if s.searching() {
		if q := &s.seek.ask; !q.out && now.Mono >= q.next {
			w.Orders = append(w.Orders, payment.Order{Ref: r.Ref(s.seek.number()), Currency: r.Price.Currency, Seq: s.sequence + 1})
		}
		return w // no call that changes anything before it is known what there is
	}
	r.wantCharge(s, now, &w)
	for i := range s.Debts {
		if q := &s.asks[i]; !q.out && now.Mono >= q.mayAt() {
			w.Orders = append(w.Orders, r.settleOrder(&s.Debts[i], s.sequence+1+uint32(len(w.Orders))))
		}
	}
	if i := s.telling(); i >= 0 && !s.tell.out && now.Mono >= s.tell.next {
		w.Orders = append(w.Orders, r.informOrder(s, &s.Done[i], s.links[i], s.sequence+1+uint32(len(w.Orders))))
	}
	return w
}

// searching says whether the search goes on. It pauses while there is no room for
// what it may find: the one that ends where the last begins, and the last itself.
func (s *State) searching() bool { return s.seek != nil && len(s.Debts) < MaxDebts-1 }

// NextAsk says when the next order is due, as an Instant.Mono; no while none is
// but those on their way.
func (s *State) NextAsk() (at time.Duration, ok bool) {
	if s.searching() {
		return s.seek.ask.next, !s.seek.ask.out
	}
	if waits := s.Phase != Idle && s.Phase != Stopping; waits && !s.ask.out {
		at, ok = s.ask.next, true
	}
	for i := range s.asks {
		if q := &s.asks[i]; !q.out && (!ok || q.mayAt() < at) {
			at, ok = q.mayAt(), true
		}
	}
	if q := &s.tell; s.telling() >= 0 && !q.out && (!ok || q.next < at) {
		at, ok = q.next, true
	}
	return at, ok
}

// wantCharge adds the order about the charge under way.
func (r *Rules) wantCharge(s *State, now hal.Instant, w *Want) {
	q := &s.ask
	if s.Phase == Idle || s.Phase == Stopping || q.out || now.Mono < q.next {
		return
	}
	c := &s.Charge
	o := payment.Order{Ref: r.Ref(c.Number), Amount: c.Limit, Currency: c.Price.Currency, Seq: s.sequence + 1}
	if q.make && q.mayWrite(now.Mono) {
		o.Verb, o.Terms, o.Return, o.Way, o.Phone = payment.Reserve, r.terms(s), s.back, s.way, s.phone
	}
	w.Orders = append(w.Orders, o)
}

func (r *Rules) terms(s *State) payment.Terms {
	c := &s.Charge
	return payment.Terms{EVSE: r.evse(), Meter: s.Serial, Start: c.Start, Price: c.Price, Holder: c.Holder, Receipts: s.series}
}

func (r *Rules) settleOrder(d *Debt, seq uint32) payment.Order {
	return payment.Order{
		Verb: payment.Settle, Ref: r.Ref(d.Number), Amount: d.Due,
		Currency: d.Price.Currency, Attempt: d.Attempt, Seq: seq,
	}
}
