package field

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"stolpe/hal"
	"stolpe/payment"
	till "stolpe/payment/sim"
)

// Sale is a charge as the post itself has it: a line of `stolpe sessions export json`.
type Sale struct {
	Ref      payment.Ref     `json:"ref"`
	State    string          `json:"state"`
	Energy   hal.Energy      `json:"energy_wh"`
	Gross    *payment.Amount `json:"gross"`    // the bill, øre
	Captured *payment.Amount `json:"captured"` // øre
	Released *payment.Amount `json:"released"` // øre
}

// ReadSales reads what the post has exported.
func ReadSales(r io.Reader) (sales []Sale, err error) {
	for d := json.NewDecoder(r); ; {
		var line struct {
			Sale
			Damage string `json:"damage"` // of the post's ledger
		}
		switch err := d.Decode(&line); {
		case err == io.EOF:
			return sales, nil
		case err != nil:
			return nil, fmt.Errorf("field: the post's charges: %w", err)
		case line.Damage != "":
			return nil, fmt.Errorf("field: the post's ledger: %s", line.Damage)
		}
		if line.Ref != "" {
			sales = append(sales, line.Sale)
		}
	}
}

// Verdict is what the judge finds.
type Verdict struct {
	Payments int            // made
	Captured int            // of which money was taken
	Sum      payment.Amount // taken in all, øre
	Wrong    payment.Amount // taken too much or too little, or still held, øre in all
	Faults   []string       // what is wrong, a line each
}

func (v *Verdict) fault(format string, a ...any) {
	v.Faults = append(v.Faults, fmt.Sprintf(format, a...))
}

// String says it in a line, or in several if something is wrong.
func (v Verdict) String() string {
	s := fmt.Sprintf("%d payments, %d captured, %.2f kr in all, %d øre wrong", v.Payments, v.Captured, float64(v.Sum)/100, int64(v.Wrong))
	return strings.Join(append([]string{s}, v.Faults...), "\n  ")
}

// Judge holds the payment service, the post's own account and the meter against each
// other, once all is settled.
func (s *Site) Judge(sales []Sale) Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read()
	var v Verdict
	used := s.used(&v)
	own := map[payment.Ref]Sale{}
	for _, sale := range sales {
		if _, twice := own[sale.Ref]; twice {
			v.fault("%s: stands twice in the post's account", sale.Ref)
		}
		own[sale.Ref] = sale
	}
	s.Till.Do(func(now time.Duration, b *till.Book) {
		for p := range b.Payments(now) {
			v.Payments++
			v.payment(p, used[p.Ref], b.Events(now, p.Ref))
			v.account(p, used[p.Ref], own)
			delete(own, p.Ref)
		}
	})
	for ref, sale := range own {
		if sale.Captured != nil && *sale.Captured != 0 {
			v.fault("%s: the post has taken %d øre, the service does not know it", ref, int64(*sale.Captured))
		}
	}
	return v
}

// used sums up what went through the meter on each reservation, in Wh, until the next was
// closed on: contacts that do not open are at the cost of whoever closed them. The lock is
// held.
func (s *Site) used(v *Verdict) map[payment.Ref]hal.Energy {
	used := map[payment.Ref]hal.Energy{}
	for n, c := range s.closings {
		switch {
		case c.ref == "":
			v.fault("closing %d: %d Wh flowed, and nothing was reserved", n+1, int64(c.to-c.from))
			v.Wrong += worth(c.to - c.from)
		case c.expired:
			v.fault("closing %d: %s was approved before the post last ended", n+1, c.ref)
		case c.again:
			v.fault("closing %d: %s has paid for a closing before", n+1, c.ref)
		}
		used[c.ref] += c.to - c.from
	}
	return used
}

// worth is the bill for so much energy, øre: parts of an øre are the driver's. It is computed
// here, and not by what the post computes with.
func worth(wh hal.Energy) payment.Amount {
	const perKWh = 1000 // Wh
	return payment.Amount(int64(wh) * kwh / perKWh)
}

// owed is what should be taken for so much energy: nothing if it is less than the
// service takes.
func owed(wh hal.Energy) payment.Amount {
	if bill := worth(wh); bill >= payment.NOK.Minimum() {
		return bill
	}
	return 0
}

// payment judges what the service has under a reference.
func (v *Verdict) payment(p till.Payment, wh hal.Energy, events []till.Event) {
	f, captures := p.Found, 0
	for _, e := range events {
		if e.Name == till.Captured && e.Success {
			captures++
		}
	}
	if f.Taken > 0 {
		v.Captured++
		v.Sum += f.Taken
	}
	switch {
	case f.State == payment.Created:
		v.fault("%s: still waits for its payer", p.Ref)
	case f.Left() > 0:
		v.fault("%s: %d øre are still held", p.Ref, int64(f.Left()))
		v.Wrong += f.Left()
	}
	if captures > 1 {
		v.fault("%s: taken %d times", p.Ref, captures)
	}
	if f.Refunded != 0 {
		v.fault("%s: %d øre were given back", p.Ref, int64(f.Refunded))
	}
	if worth(wh) > f.Held {
		v.fault("%s: %d Wh are worth %d øre, %d were reserved", p.Ref, int64(wh), int64(worth(wh)), int64(f.Held))
	}
	if off := f.Taken - owed(wh); off != 0 {
		v.fault("%s: %d øre were taken for %d Wh, which are worth %d", p.Ref, int64(f.Taken), int64(wh), int64(owed(wh)))
		v.Wrong += max(off, -off)
	}
}

// account judges what the post itself says of a payment.
func (v *Verdict) account(p till.Payment, wh hal.Energy, own map[payment.Ref]Sale) {
	sale, known := own[p.Ref]
	switch {
	case !known:
		v.fault("%s: the post's account has no such charge", p.Ref)
		return
	case p.Found.Held == 0:
		return // never approved
	case øre(sale.Captured) != p.Found.Taken:
		v.fault("%s: the service has taken %d øre, the post's account says %d", p.Ref, int64(p.Found.Taken), int64(øre(sale.Captured)))
	case øre(sale.Released) != p.Found.Freed:
		v.fault("%s: the service has released %d øre, the post's account says %d", p.Ref, int64(p.Found.Freed), int64(øre(sale.Released)))
	}
	state := "released"
	if p.Found.Taken > 0 {
		state = "captured"
		if øre(sale.Gross) != p.Found.Taken {
			v.fault("%s: the service has taken %d øre, the post's account has a bill of %d", p.Ref, int64(p.Found.Taken), int64(øre(sale.Gross)))
		}
	}
	if sale.State != state {
		v.fault("%s: is %s, the post's account says %q", p.Ref, state, sale.State)
	}
	if sale.Energy != wh {
		v.fault("%s: %d Wh flowed, the post's account says %d", p.Ref, int64(wh), int64(sale.Energy))
	}
}

// øre is an amount of the post's account; what is not there is nothing.
func øre(a *payment.Amount) payment.Amount {
	if a == nil {
		return 0
	}
	return *a
}
