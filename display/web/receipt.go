package web

import (
	"strconv"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// over is the page of a charge that has ended.
type over struct {
	Ending  display.Ending
	Big     display.Parts // what it cost; with Energy below
	Used    string        // energy and time; empty when there was none
	Unplug  bool
	Again   bool // nothing was sold: offer the post's page
	Receipt *receipt
}

// receipt is the table at the end, for the driver and his accountant.
type receipt struct {
	Lines   []row
	Sums    []row
	Details []row
}

type row struct {
	Label string
	Note  string // how it came about
	Value string
	Total bool
}

// finish draws the page of a charge that has ended.
func (s *sheet) finish(v display.View) {
	c, cur := v.Charge, v.Charge.Price.Currency
	e := s.Lang.Ending(c, s.Post)
	s.Scene, s.Tone, s.Head = done, good, e.Title
	o := &over{Ending: e, Unplug: c.Energy > 0 && c.End != display.Unplugged, Again: c.Energy <= 0}
	s.Over = o
	if e.Trouble != display.NoTrouble {
		s.Tone = bad
		if e.Trouble == display.NotSettled {
			s.Tone = pause // nothing the driver has to do
		}
		s.Alert = &alert{Trouble: e.Trouble, What: e.What, Money: e.Money, Do: e.Do}
		s.Say = s.fault(v)
	} else {
		s.Say = e.What
	}
	if c.Energy <= 0 {
		if e.Trouble == display.NoTrouble {
			s.Tone = dim
		}
		return
	}
	cost := c.Due()
	if c.Settled {
		cost = c.Captured
	}
	o.Big = s.Lang.MoneyParts(cost, cur)
	o.Used = s.Lang.KWh(c.Energy) + " · " + s.Lang.Time(c.Elapsed)
	o.Receipt = s.receipt(v)
}

func (s *sheet) receipt(v display.View) *receipt {
	c, w, cur := v.Charge, s.W, v.Charge.Price.Currency
	money := func(a payment.Amount) string { return s.Lang.Money(a, cur) }
	r := &receipt{}
	for _, line := range c.Bill.Lines {
		if line.Amount == 0 {
			continue
		}
		r.Lines = append(r.Lines, row{Label: string(w.BillLines[line.Kind]), Note: s.each(line, cur), Value: money(line.Amount)})
	}
	sum := func(label display.Text, a payment.Amount) {
		r.Sums = append(r.Sums, row{Label: label.With("rate", s.Lang.Percent(c.Price.VAT)), Value: money(a), Total: label == w.Total})
	}
	sum(w.Total, c.Bill.Total)
	if c.Price.VAT > 0 {
		sum(w.OfWhichVAT, c.Bill.VAT)
	}
	sum(w.Reserved, c.Reserved)
	if c.Settled || c.Captured > 0 {
		sum(w.TakenLabel, c.Captured)
	}
	if c.Settled || c.Released > 0 {
		sum(w.ReleasedLabel, c.Released)
	}
	r.Details = s.details(c)
	return r
}

// each says how a line's amount came about.
func (s *sheet) each(line payment.Line, cur payment.Currency) string {
	price := s.Lang.Money(line.Each, cur)
	quantity := ""
	switch line.Kind {
	case payment.EnergyLine:
		quantity = s.Lang.Register(hal.Energy(line.Quantity))
	case payment.TimeLine, payment.IdleLine:
		quantity = s.Lang.Minutes(line.Quantity)
	default:
		return price
	}
	return s.W.PerUnit.With("quantity", quantity, "price", price)
}

// details are where, when and by which meter.
func (s *sheet) details(c display.Charge) []row {
	w := s.W
	var rows []row
	tell := func(label display.Text, value string) {
		if value != "" {
			rows = append(rows, row{Label: label.With("pay", s.Pay()), Value: value})
		}
	}
	tell(w.Reference, string(c.Ref))
	tell(w.Place, string(w.Post)+" "+s.Code()+", "+s.Post.Name)
	if c.Started.Unix != 0 {
		tell(w.Started, s.Lang.Date(c.Started, s.Post.Zone))
	}
	if c.Ended.Unix != 0 {
		tell(w.Ended, s.Lang.Date(c.Ended, s.Post.Zone))
	}
	tell(w.TimeLabel, s.Lang.Time(c.Elapsed))
	tell(w.MeterLabel, c.Meter.Model)
	tell(w.SerialNo, c.Meter.Serial)
	tell(w.MeterStart, s.Lang.Register(c.Meter.Start))
	end := string(w.MeterWait)
	if c.Meter.End > 0 {
		end = s.Lang.Register(c.Meter.End)
	}
	tell(w.MeterEnd, end)
	tell(w.Sold, s.Lang.Register(c.Energy))
	return rows
}

// OrgNo is the seller's number, with the mark of the VAT register.
func (s sheet) OrgNo() string {
	number := s.W.OrgNo.With("number", spaced(s.Post.Seller.OrgNo))
	if s.Post.Seller.VATRegistered {
		number += " " + string(s.W.VATMark)
	}
	return number
}

// spaced writes a number of nine digits in three groups, as Norwegian
// organisation numbers are read; anything else stays as it is.
func spaced(number string) string {
	if _, err := strconv.ParseUint(number, 10, 64); err != nil || len(number) != 9 {
		return number
	}
	return number[:3] + " " + number[3:6] + " " + number[6:]
}

// roundUp gives whole minutes, a begun one as a whole one.
func roundUp(d time.Duration) time.Duration {
	return (d + time.Minute - 1).Truncate(time.Minute)
}
