package panel

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// count puts the figures of a charge on the page.
func (p *Page) count(s Scene, e EVSE, t talk) {
	c, l := e.View.Charge, t.numbers()
	switch p.Face {
	case PayCode, Paying, Authorised:
		p.wait(c.Left, t)
		p.Reserved = plain(l.Sum(shown(c.Reserved), c.Price.Currency))
	case Charging, Suspended, NearLimit:
		p.use(c, l)
		p.Power = plain(l.KW(min(max(c.Power, 0), mostPower)))
		p.Stale = c.Reading > hal.StaleAfter
		if p.At = plain(l.Clock(back(s.Now, c.Reading), s.Post.Zone)); p.At == "" && p.Stale {
			p.At = fmt.Sprintf("-%d min", min(c.Reading, mostLeft)/time.Minute) // no clock is needed for that
		}
		if p.At != "" {
			p.Updated = t.say(func(w *words) display.Text { return w.updated }, "time", p.At)
		}
	case Stopping, Finished, Interrupted:
		p.use(c, l)
	case NoEnergy:
		p.Cost = plain(l.Money(0, c.Price.Currency))
	}
}

// use is what a charge has used of what was reserved for it.
func (p *Page) use(c display.Charge, l display.Lang) {
	cost := c.Cost
	if c.End != display.NotEnded {
		cost = c.Due()
	}
	p.Energy = plain(l.KWh(min(max(c.Energy, 0), MostEnergy)))
	p.Cost = plain(l.Money(shown(cost), c.Price.Currency))
	p.Time = hours(c.Elapsed)
	if reserved := shown(c.Reserved); reserved > 0 && c.End == display.NotEnded {
		p.Reserved = plain(l.Sum(reserved, c.Price.Currency))
		p.Used = int(min(shown(cost), reserved) * 1000 / reserved)
	}
}

// end says what becomes of the money of a charge that is over, as far as that is known.
func (p *Page) end(e EVSE, t talk) {
	c := e.View.Charge
	if (p.Face == Finished || p.Face == NoEnergy) && !e.cable() {
		p.Do, p.ShortDo = Said{}, Said{}
	}
	if p.Face == Interrupted {
		p.why(c.End, t)
	}
	if p.Face != Finished && p.Face != NoEnergy && p.Face != Interrupted || c.End == display.NotEnded || c.Stuck {
		return
	}
	p.Money = t.say(func(w *words) display.Text {
		switch nothing := c.Due() == 0 && c.Captured == 0; {
		case nothing && c.Settled && c.Released > 0:
			return w.allGone
		case nothing && !c.Settled && c.Held:
			return w.allGoes
		case !nothing && c.Settled && c.Released > 0:
			return w.restGone
		case !nothing && !c.Settled && c.Reserved > c.Due():
			return w.restGoes
		}
		return ""
	})
}

// cable says whether there is one to unplug after a charge, as far as anybody knows: many
// posts have no plug input.
func (e EVSE) cable() bool {
	c := e.View.Charge
	return e.Parked || c.End != display.Unplugged && (c.Energy > 0 || c.End == display.NoEnergy)
}

// why says why a charge was interrupted, where that is more than the face says.
func (p *Page) why(end display.End, t talk) {
	var pick func(*words) display.Text
	switch end {
	case display.PowerLost:
		pick = func(w *words) display.Text { return w.powerLost }
	case display.MeterLost:
		pick = func(w *words) display.Text { return w.meterLost }
	default:
		return
	}
	p.Title = t.say(pick)
	p.Long = p.Title
}

// cost puts the price on the page of a post that may be used, and what standing there
// costs on that of a car that does not charge.
func (p *Page) cost(e EVSE, t talk) {
	price, l := e.View.Price, t.numbers()
	switch p.Face {
	case Free, FreeButton, Occupied:
		if !e.sells() {
			return
		}
	case Suspended:
		p.idle(e.View.Charge, t)
		return
	default:
		return
	}
	parts := l.MoneyParts(shown(price.KWh), price.Currency)
	p.Price = plain(parts.Number)
	p.Unit = plain(parts.Before + parts.After + "/kWh")
	if price.VAT > 0 {
		p.VAT = t.each(func(w *display.Words) display.Text { return w.WithVAT })
	}
	if p.Face == FreeButton { // whoever presses it agrees to this, too
		p.Offer = price
		p.fee(t, price, min(e.View.Default, MostCost), func(w *words) display.Text { return w.reserves })
	}
	p.fee(t, price, price.Minute, func(w *words) display.Text { return w.perMinute })
	p.fee(t, price, price.Session, func(w *words) display.Text { return w.perSession })
	p.fee(t, price, price.Idle.Minute, func(w *words) display.Text { return w.perIdle })
	if price.Idle.Minute > 0 && price.Idle.After > 0 {
		p.Fees = append(p.Fees, t.say(func(w *words) display.Text { return w.idleAfter }, "time", l.Time(min(price.Idle.After, mostTime))))
	}
}

// fee adds one part of the price, if there is such a part: in two lines where one is too
// short for it.
func (p *Page) fee(t talk, price payment.Price, a payment.Amount, pick func(*words) display.Text) {
	if a <= 0 {
		return
	}
	line := t.say(pick, "price", t.numbers().Sum(shown(a), price.Currency))
	if utf8.RuneCountInString(line[0]) <= LineMost && utf8.RuneCountInString(line[1]) <= LineMost {
		p.Fees = append(p.Fees, line)
		return
	}
	var name, number Said
	for i, text := range line {
		name[i], number[i], _ = strings.Cut(text, " ")
	}
	p.Fees = append(p.Fees, said(name[0], name[1]), said(number[0], number[1]))
}

// idle says what it costs that the car does not charge, and from when on.
func (p *Page) idle(c display.Charge, t talk) {
	if !c.Idle.Runs && c.Idle.Starts <= 0 {
		return
	}
	p.fee(t, c.Price, c.Price.Idle.Minute, func(w *words) display.Text { return w.perIdle })
	if !c.Idle.Runs {
		wait := (min(c.Idle.Starts, mostTime-time.Minute) + time.Minute - 1).Truncate(time.Minute)
		p.Fees = append(p.Fees, t.say(func(w *words) display.Text { return w.idleStarts }, "time", t.numbers().Time(wait)))
	}
}

// rows say one line of each of several EVSEs.
func (p *Page) rows(s Scene, t talk) {
	l, free := t.numbers(), []EVSE{}
	for _, e := range s.EVSEs {
		r := Row{Code: e.View.Code, Face: s.faceOf(e)}
		of := r.Face
		if of == NearLimit {
			of = Charging // how near is for its driver alone
		}
		r.Word = t.say(func(w *words) display.Text { return w.faces[of].big })
		r.Word = said(lower(r.Word[0]), lower(r.Word[1]))
		r.Light = lightOf(r.Face)
		c := e.View.Charge
		switch r.Face {
		case Free, FreeButton, Occupied:
			if !e.sells() {
				break
			}
			r.Figure = plain(l.Money(shown(e.View.Price.KWh), e.View.Price.Currency)) + "/kWh"
			if e.Link != "" {
				r.Scan = s.Codes.of(capitals(e.Link))
			}
			free = append(free, e)
		case Charging, Suspended, NearLimit, Stopping:
			if c.Reading > hal.StaleAfter {
				break // there is no room to say so
			}
			r.Figure = plain(l.Money(shown(c.Cost), c.Price.Currency))
		}
		p.Rows = append(p.Rows, r)
	}
	p.notice(t, s.EVSEs[0].View.Notice)
	switch len(free) {
	case 0:
		p.Big = t.say(func(w *words) display.Text { return w.noneFree })
		if !slices.ContainsFunc(s.EVSEs, func(e EVSE) bool { return e.View.Busy }) {
			p.Big = t.say(func(w *words) display.Text { return w.faces[OutOfOrder].big })
		}
		p.Title, p.Long = Said{}, Said{}
	case 1: // only then does a code of the page lead to the right one
		p.Face = Free
		p.scan(s, free[0], t)
		p.Face = Several
	}
}

// What is beyond these does not occur, and is shown as the most that has room. Chosen by us.
const (
	mostPower hal.Power = 999_900                         // W
	mostTime            = 999*time.Hour + 59*time.Minute  // of a charge
	mostLeft            = 99*time.Minute + 59*time.Second // of a wait
)

// shown is an amount as far as it occurs on a display.
func shown(a payment.Amount) payment.Amount { return min(max(a, 0), MostCost) }

// hours writes a duration in hours and minutes: "1:44".
func hours(d time.Duration) string {
	minutes := int64(min(max(d, 0), mostTime) / time.Minute)
	return fmt.Sprintf("%d:%02d", minutes/60, minutes%60)
}

// back is a stamp that much earlier.
func back(s hal.Stamp, d time.Duration) hal.Stamp {
	s.Unix -= int64(max(d, 0) / time.Second)
	return s
}
