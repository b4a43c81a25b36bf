package main

import (
	"cmp"
	"time"

	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// chapter is what a ledger has of one charge, and of what was wrong at its EVSE meanwhile.
type chapter struct {
	ref    payment.Ref
	past   *past
	evse   int // its number; 0 as long as nothing is found
	during bool
	sale   *ledger.Sale // nil before its end
	events []happened
}

// happened is one thing that has happened.
type happened struct {
	At    string `json:"at"`
	Clock string `json:"clock"` // how good it was
	Kind  string `json:"kind"`
	Text  string `json:"text,omitempty"`
}

func newChapter(ref payment.Ref) *chapter { return &chapter{ref: ref, past: newPast(wanted{})} }

// take takes in a line of the ledger.
func (c *chapter) take(e ledger.Entry) {
	fault := e.Fault != nil && c.during && e.EVSE == c.evse
	if e.Ref != c.ref && !fault {
		return
	}
	if !fault {
		c.evse = e.EVSE
		switch e.Kind {
		case ledger.SessionCreated:
			c.during = true
		case ledger.SessionEnded, ledger.Sold, ledger.Ended:
			c.during = false
		default:
		}
		if e.Sale != nil && c.sale == nil {
			c.sale = e.Sale
		}
		c.past.take(e)
	}
	c.events = append(c.events, happened{utc(hal.Stamp{Unix: e.At}.Time()), e.Clock, string(e.Kind), toldBy(e)})
}

// toldBy is what a line says beyond its kind.
func toldBy(e ledger.Entry) string {
	switch {
	case e.Fault != nil && e.Fault.Seconds > 0:
		return e.Fault.Code + " " + e.Fault.Text + ", " + (time.Duration(e.Fault.Seconds) * time.Second).String()
	case e.Fault != nil:
		return e.Fault.Code + " " + e.Fault.Text
	case e.Refund != nil:
		return e.Refund.Amount.String() + " " + string(e.Refund.Currency) + " " + e.Refund.Reason
	case e.Told != "":
		return e.Told
	case e.Sale != nil:
		return cmp.Or(e.Sale.TroubleWas, e.Sale.Receipt)
	case e.Session != nil:
		return cmp.Or(e.Session.Trouble, e.Session.Reason)
	case e.Gap != nil:
		return e.Gap.Why
	}
	return ""
}

// chargeShown is what sessions show tells of a charge.
type chargeShown struct {
	Session record     `json:"session"`
	Model   string     `json:"meter_model,omitempty"`
	Serial  string     `json:"meter_serial,omitempty"`
	Lines   []line     `json:"lines,omitempty"` // of the bill
	Owed    *owing     `json:"owed,omitempty"`  // while it is not settled
	Events  []happened `json:"events"`
	Damage  string     `json:"damage,omitempty"` // of the ledger
}

// shown is all of it; false where nobody knows of such a charge.
func (c *chapter) shown(live []record, sure bool) (chargeShown, bool) {
	all := c.past.records(live, sure)
	if len(all) == 0 {
		return chargeShown{}, false
	}
	s := chargeShown{Session: all[0], Events: append([]happened{}, c.events...)}
	if c.sale != nil {
		s.Model, s.Serial = c.sale.Model, c.sale.Serial
		d := c.sale.Debt()
		bill := d.Bill()
		if d.Receipt != 0 {
			bill = d.Sold()
		}
		for _, l := range bill.Lines {
			if l.Amount != 0 {
				s.Lines = append(s.Lines, line{l.Kind.String(), l.Quantity, l.Each, l.Amount, l.VAT})
			}
		}
	}
	return s, true
}

// charge is a charge that is settled, as its receipt tells of it. The ledger's own words
// count: post, meter and price may be others today.
func (c *chapter) charge(r *session.Rules) display.Charge {
	d := c.sale.Debt()
	charge := r.Past(&session.State{}, hal.Instant{}, c.sale.Serial, &d).Charge
	charge.Ref, charge.Receipt, charge.Meter.Model = c.ref, c.sale.Receipt, cmp.Or(c.sale.Model, charge.Meter.Model)
	return charge
}

// noReceipt says why there is none.
func (c *chapter) noReceipt() error {
	if c.evse == 0 {
		return noSession(c.ref)
	}
	return control.Refuse(control.NotFound, "charge %s is not settled yet, so it has no receipt; stolpe sessions show %s tells how far it is", c.ref, c.ref)
}
