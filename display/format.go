package display

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// Parts is a number in pieces, for media that draw its unit smaller.
type Parts struct {
	Before, Number, After string
}

// String joins the parts, with a no-break space between number and unit.
func (p Parts) String() string {
	s := p.Number
	if p.Before != "" {
		s = p.Before + nbsp + s
	}
	if p.After != "" {
		s += nbsp + p.After
	}
	return s
}

// MoneyParts writes an amount with two decimals: "5,49" and "kr".
func (l Lang) MoneyParts(a payment.Amount, c payment.Currency) Parts {
	name := string(c)
	if c == languages[l].own {
		name = languages[l].sign
	}
	number := l.fixed(int64(a), 2)
	if languages[l].before {
		return Parts{Before: name, Number: number}
	}
	return Parts{Number: number, After: name}
}

// Money writes an amount with two decimals: "5,49 kr", "NOK 5.49".
func (l Lang) Money(a payment.Amount, c payment.Currency) string {
	return l.MoneyParts(a, c).String()
}

// Sum writes an amount without decimals when it is whole: "200 kr". It is for
// amounts somebody chose; what was computed keeps its decimals (Money).
func (l Lang) Sum(a payment.Amount, c payment.Currency) string {
	p := l.MoneyParts(a, c)
	if a%100 == 0 {
		p.Number = l.fixed(int64(a/100), 0)
	}
	return p.String()
}

// EnergyParts writes energy in kWh with two decimals, cut off and not rounded:
// nothing is shown that was not delivered.
func (l Lang) EnergyParts(e hal.Energy) Parts {
	return Parts{Number: l.fixed(int64(e/10), 2), After: "kWh"}
}

// KWh writes energy with two decimals: "8,64 kWh".
func (l Lang) KWh(e hal.Energy) string { return l.EnergyParts(e).String() }

// Whole writes energy in whole kWh, cut off: "36 kWh".
func (l Lang) Whole(e hal.Energy) string {
	return Parts{Number: l.fixed(int64(e/hal.KWh), 0), After: "kWh"}.String()
}

// Register writes energy with every watt-hour of it, as receipts do: "8,640 kWh".
func (l Lang) Register(e hal.Energy) string {
	return Parts{Number: l.fixed(int64(e), 3), After: "kWh"}.String()
}

// KW writes power with one decimal, or none when it is whole: "7,2 kW", "22 kW".
func (l Lang) KW(p hal.Power) string {
	number := l.fixed(int64(p/100), 1)
	if p%1000 == 0 {
		number = l.fixed(int64(p/1000), 0)
	}
	return Parts{Number: number, After: "kW"}.String()
}

// Percent writes basis points: "25 %".
func (l Lang) Percent(bp int) string {
	number := strings.TrimRight(strings.TrimRight(l.fixed(int64(bp), 2), "0"), languages[l].decimal)
	return Parts{Number: number, After: "%"}.String()
}

// Time writes a duration as people say it: "45 s", "12 min", "1 t 12 min".
func (l Lang) Time(d time.Duration) string {
	d = max(d, 0)
	minutes := int64(d / time.Minute)
	switch {
	case d < time.Minute:
		return Parts{Number: strconv.FormatInt(int64(d/time.Second), 10), After: "s"}.String()
	case d < time.Hour:
		return Parts{Number: strconv.FormatInt(minutes, 10), After: "min"}.String()
	}
	return fmt.Sprintf("%d%s%s %d%smin", minutes/60, nbsp, languages[l].hour, minutes%60, nbsp)
}

// Minutes writes a count of minutes as receipts do: "72 min".
func (l Lang) Minutes(n int64) string {
	return Parts{Number: l.fixed(n, 0), After: "min"}.String()
}

// Countdown writes what is left of a wait: "9:12". A second that has begun counts
// as a whole one, so that 0:00 means over.
func Countdown(d time.Duration) string {
	seconds := int64((max(d, 0) + time.Second - 1) / time.Second)
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// Clock writes a time of day in the zone, marked when the clock was running
// without a reference, and nothing at all when it had never been set.
func (l Lang) Clock(s hal.Stamp, zone *time.Location) string {
	text := at(s, zone).Format(languages[l].clock)
	switch s.Clock {
	case hal.ClockSynced:
		return text
	case hal.ClockHoldover:
		return l.Words().ClockHoldover.With("time", text)
	}
	return ""
}

// Date writes a date and a time of day in the zone, marked when the clock could
// not be trusted. A receipt must show what was recorded, so it always says
// something.
func (l Lang) Date(s hal.Stamp, zone *time.Location) string {
	t := at(s, zone)
	text := t.Format(languages[l].date + " " + languages[l].clock)
	switch s.Clock {
	case hal.ClockSynced:
		return text
	case hal.ClockHoldover:
		return l.Words().ClockHoldover.With("time", text)
	}
	return l.Words().ClockUnknown.With("time", text)
}

func at(s hal.Stamp, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return s.Time().In(zone)
}

// fixed writes n, which counts units of 10 to the power -places.
func (l Lang) fixed(n int64, places int) string {
	sign := ""
	if n < 0 {
		sign, n = "−", -n
	}
	digits := fmt.Sprintf("%0*d", places+1, n)
	whole, part := digits[:len(digits)-places], digits[len(digits)-places:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + languages[l].thousands + whole[i:]
	}
	if places == 0 {
		return sign + whole
	}
	return sign + whole + languages[l].decimal + part
}
