package web

import (
	"time"

	"stolpe/display"
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

// receipt is the summary of a charge that has ended. Once there is a sales
// document, what only accountants look for stands there alone.
type receipt struct {
	Lines   []display.Row
	Sums    []display.Row
	Details []display.Row
	Page    string // address of the sales document; empty until there is one
	File    string // and of the same as a file to keep; empty where files cannot be made
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
	r := &receipt{}
	r.Lines, _ = s.Lang.Bill(c)
	sum := func(label display.Text, a payment.Amount) {
		r.Sums = append(r.Sums, display.Row{Label: label.With("rate", s.Lang.Percent(c.Price.VAT)), Value: s.Lang.Money(a, cur), Strong: label == w.Total})
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
	if c.Receipt != "" {
		r.Page, r.File = s.Place.with(document).path(), s.DocFile()
		return r
	}
	reference := display.Row{Label: w.Reference.With("pay", s.Pay()), Value: string(c.Ref)}
	r.Details = append([]display.Row{reference}, s.Lang.Delivered(s.Post, s.Code(), c)...)
	return r
}

// roundUp gives whole minutes, a begun one as a whole one.
func roundUp(d time.Duration) time.Duration {
	return (d + time.Minute - 1).Truncate(time.Minute)
}
