package replay

import (
	"fmt"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
	service "stolpe/payment/sim"
)

// judge sees the truth of one world and holds the post to its promises.
type judge struct {
	complaints []complaint
}

// complaint is a promise that was broken.
type complaint struct {
	Line int    `json:"line"` // of the table; 0 if it is about no row
	What string `json:"what"`
}

// String gives the complaint as a line.
func (c complaint) String() string {
	if c.Line == 0 {
		return c.What
	}
	return fmt.Sprintf("line %d: %s", c.Line, c.What)
}

// complain notes a broken promise; v may be nil.
func (j *judge) complain(v *visit, format string, a ...any) {
	c := complaint{What: fmt.Sprintf(format, a...)}
	if v != nil {
		c.Line = v.row.line
	}
	j.complaints = append(j.complaints, c)
}

// begin notes the truth before a visit's charge. All that flowed before belongs to
// the visits before.
func (j *judge) begin(w *world, v *visit) {
	j.meterOf(w, w.serving)
	v.start = w.bench.Truth(w.now).Energy
}

func (j *judge) meterOf(w *world, v *visit) {
	if v != nil {
		v.metered = w.bench.Truth(w.now).Energy - v.start
	}
}

// stepped takes down what the post holds of charges that have ended.
func (j *judge) stepped(w *world) {
	s := &w.life.state
	for settled, list := range [][]session.Debt{s.Debts, s.Done} {
		for _, d := range list {
			v := w.served[d.Number]
			switch {
			case v == nil:
				j.complain(nil, "%s owes charge %d, which nobody asked for", w.owner(), d.Number)
				continue
			case v.ended == 0:
				v.ended = w.now
			}
			v.debt = d
			if settled == 1 && v.settled == 0 {
				v.settled = w.now
			}
		}
	}
}

// refused looks for refusals that a sound post never earns.
func (j *judge) refused(w *world, o payment.Order, p *service.Problem) {
	if p.Status == 429 || p.Code == "4010" {
		j.complain(w.served[o.Ref.Number()], "%s: the service refuses with %d %s (%s)", o.Ref, p.Status, p.Code, p.Title)
	}
}

// price is what energy and time cost, by the judge's own sums.
func price(p payment.Price, e hal.Energy, closed time.Duration) payment.Amount {
	if e <= 0 {
		return 0
	}
	return payment.Amount(int64(e)*int64(p.KWh)/1000) + payment.Amount(closed/time.Minute)*p.Minute
}

// owed is what a charge under way has come to, in truth.
func (j *judge) owed(w *world, v *visit) payment.Amount {
	return price(w.price, w.bench.Truth(w.now).Energy-v.start, v.closed+w.now-v.closedAt)
}

// atRest judges a world that has come to rest.
func (j *judge) atRest(w *world) {
	j.meterOf(w, w.serving)
	s := &w.life.state
	if !w.life.up || s.Phase != session.Idle || s.Faults() != 0 || len(s.Debts) > 0 {
		j.complain(w.serving, "%s does not come to rest: up %v, %v, faults %q, %d debts", w.owner(), w.life.up, s.Phase, s.Faults(), len(s.Debts))
	}
	for p := range w.book.Payments(w.now) {
		v := w.served[p.Ref.Number()]
		if v == nil || w.rules.Ref(v.number) != p.Ref {
			j.complain(nil, "payment %s belongs to no row", p.Ref)
			continue
		}
		v.found = p.Found
		j.payment(w, v)
	}
	for _, v := range w.visits {
		j.visit(w, v)
	}
	j.documents(w)
}

// payment judges one payment as the service sees it.
func (j *judge) payment(w *world, v *visit) {
	f, ref := v.found, w.rules.Ref(v.number)
	most := min(price(w.price, v.metered, v.closed), f.Held)
	switch {
	case f.State == payment.Created:
		j.complain(v, "%s still waits for its payer", ref)
	case f.Held > 0 && f.Taken+f.Freed != f.Held, f.Refunded != 0:
		j.complain(v, "%s: captured %v and released %v of %v reserved, %v given back", ref, f.Taken, f.Freed, f.Held, f.Refunded)
	case f.Taken > most:
		j.complain(v, "%s: captured %v, metered %v, which cost %v at most", ref, f.Taken, v.metered, most)
	case f.Held > 0 && (f.Taken != v.debt.Captured || f.Freed != v.debt.Released):
		j.complain(v, "%s: captured %v and released %v, the post believes %v and %v", ref, f.Taken, f.Freed, v.debt.Captured, v.debt.Released)
	}
}

// visit judges what the post made of one driver.
func (j *judge) visit(w *world, v *visit) {
	ref := w.rules.Ref(v.number)
	switch {
	case v.number == 0:
		if !w.faults {
			j.complain(v, "turned away though nothing was wrong")
		}
	case v.settled == 0:
		j.complain(v, "%s is never done", ref)
	case v.billed() > v.metered:
		j.complain(v, "%s: billed %v, metered %v", ref, v.billed(), v.metered)
	case v.found.Taken != v.bill(w.price):
		j.complain(v, "%s: captured %v, the bill is %v", ref, v.found.Taken, v.bill(w.price))
	case !w.faults:
		j.sound(v, ref)
	}
}

// sound judges a charge to which nothing happened: a post that never charges
// keeps every other promise.
func (j *judge) sound(v *visit, ref payment.Ref) {
	limited := v.debt.Why == display.LimitReached
	switch v.debt.Why {
	case display.CarFull, display.Unplugged, display.ByDriver, display.LimitReached:
	default:
		j.complain(v, "%s ended by %v without a cause", ref, v.debt.Why)
		return
	}
	if v.metered != v.billed() || v.metered != v.row.energy && !limited {
		j.complain(v, "%s: %v in the table, %v metered, %v billed (%v)", ref, v.row.energy, v.metered, v.billed(), v.debt.Why)
	}
}

// billed is the energy that the post has billed.
func (o *outcome) billed() hal.Energy { return max(0, o.debt.End-o.debt.Start) }

// bill is what the post must capture for what it has billed: nothing where that is
// less than the service's least payment.
func (o *outcome) bill(p payment.Price) payment.Amount {
	total := min(price(p, o.billed(), o.debt.Elapsed), o.found.Held)
	if total < p.Currency.Minimum() {
		return 0
	}
	return total
}
