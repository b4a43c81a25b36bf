package session

import (
	"fmt"
	"slices"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// maxTells is how often a receipt is offered to the app before it is given up.
// Chosen by us: with the ladder of askings about a day.
const maxTells = 100

// telling says which of Done is the oldest whose receipt the app has yet to get;
// -1 if there is none.
func (s *State) telling() int {
	for i := range s.Done { // asked after every event, so nothing is copied
		if s.Done[i].Told == ToldDue {
			return i
		}
	}
	return -1
}

// told takes in what came of offering a receipt to the app. Nothing that is
// answered here can hold up money.
func (r *Rules) told(s *State, now hal.Instant, a payment.Answer) {
	q := &s.tell
	q.out = false
	end := ToldDue
	switch a.Status {
	case payment.Settled:
		end = ToldAll
	case payment.Refused:
		end = ToldNever
	case payment.Pending: // the receipt is there; the link is next
		q.tries = min(q.tries+1, maxTells)
		q.next = now.Mono + lookEvery
	default:
		q.later(now.Mono, a.Wait)
	}
	if q.tries >= maxTells {
		end = ToldNever
	}
	if end == ToldDue {
		return
	}
	i := s.telling()
	s.Done = slices.Clone(s.Done)
	s.Done[i].Told = end
	s.tell = ask{next: now.Mono}
}

// informOrder offers the receipt of d to the app, with a link to the page at back.
func (r *Rules) informOrder(s *State, d *Debt, back string, seq uint32) payment.Order {
	receipt := r.Lang.Receipt(r.viewDebt(s.Serial, d))
	return payment.Order{
		Verb: payment.Inform, Ref: r.Ref(d.Number), Amount: d.Captured, Currency: d.Price.Currency, Return: back, Receipt: &receipt, Seq: seq,
	}
}

// ReceiptNumber is the number of a charge's sales document; empty if it has none.
// Each EVSE has a series of its own: its journal is written in one piece, and a
// counter shared by two journals would not be.
func (r *Rules) ReceiptNumber(d *Debt) string {
	if d.Receipt == 0 {
		return ""
	}
	return fmt.Sprintf("%s-%06d", r.evse(), d.Receipt)
}

// guarantee is how long a card's bank stands by a reservation when the service
// does not say: the shortest published (Visa, BankAxept).
const guarantee = 7 * 24 * time.Hour

// Countdown says how long ago a charge ended that is not settled yet, and how
// long its reservation is still sure. Without a clock to say so, it says no.
func (d *Debt) Countdown(now hal.Stamp) (age, left time.Duration, ok bool) {
	if now.Clock == hal.ClockUnknown || d.Ended.Clock == hal.ClockUnknown {
		return 0, 0, false
	}
	until := d.Guaranteed
	if until == 0 {
		until = d.Started.Unix + int64(guarantee/time.Second)
	}
	return time.Duration(now.Unix-d.Ended.Unix) * time.Second, time.Duration(until-now.Unix) * time.Second, true
}

// tooOld says whether the service has let the reservation go by its own rules, so
// that nothing can be captured. It takes two good clocks to say so: a wrong one
// would give money away.
func (r *Rules) tooOld(d *Debt, now hal.Stamp) bool {
	return r.Capture > 0 && now.Clock == hal.ClockSynced && d.Started.Clock == hal.ClockSynced &&
		now.Unix-d.Started.Unix >= int64(r.Capture/time.Second)
}
