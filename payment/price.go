package payment

import (
	"fmt"
	"time"

	"stolpe/hal"
)

// Price is what a charge costs, VAT included. It is frozen into a charge when
// the charge is requested.
type Price struct {
	Currency Currency
	VAT      int    // of the net price, in basis points: 2500 is 25 %
	KWh      Amount // per kWh, minor units
	Minute   Amount // per whole minute with the contactor closed, minor units
	Session  Amount // once, if any energy was delivered, minor units
	Idle     Idle
}

// Idle is the fee for standing at the post without drawing power.
type Idle struct {
	After  time.Duration // this long without energy is free
	Minute Amount        // per whole minute after that, minor units; 0 means no fee
	Cap    Amount        // the most it can come to, minor units; 0 means no cap
}

// Use is what a charge has used so far.
type Use struct {
	Energy hal.Energy    // Wh: register now less register at the start
	Time   time.Duration // with the contactor closed
	Idle   time.Duration // without energy, after the free time
}

// LineKind says what a line of a bill is for.
type LineKind uint8

// The lines of a bill, in the order AFIR wants prices shown.
const (
	EnergyLine LineKind = iota
	TimeLine
	SessionLine
	IdleLine
	lineKinds
)

// String gives the kind as the word used in records.
func (k LineKind) String() string {
	return [...]string{"energy", "time", "session", "idle"}[k]
}

// Line is one line of a bill.
type Line struct {
	Kind     LineKind
	Quantity int64  // Wh for energy, whole minutes for time and idle, 1 for the start fee
	Each     Amount // price of one kWh, minute or start, minor units
	Amount   Amount // minor units, VAT included
	VAT      Amount // part of Amount, minor units
}

// Bill is what a finished charge costs. It is computed once.
type Bill struct {
	Lines [lineKinds]Line // lines of amount zero are left out when shown
	Total Amount          // the sum of the lines, minor units, VAT included
	VAT   Amount          // the sum of the lines' VAT, so that what is printed adds up
}

// Cost computes the bill for a use at this price, at most limit. Everything is
// rounded in the driver's favour, and a charge that delivered no energy costs
// nothing at all.
func (p Price) Cost(u Use, limit Amount) Bill {
	var b Bill
	if u.Energy <= 0 || limit <= 0 {
		return b
	}
	left := limit
	for kind, line := range p.lines(u) {
		line.Amount = min(line.Amount, left)
		left -= line.Amount
		line.VAT = p.vatOf(line.Amount)
		b.Lines[kind] = line
		b.Total += line.Amount
		b.VAT += line.VAT
	}
	return b
}

// Total is Cost's total without its lines and without a limit: what is asked
// every second while a charge runs.
func (p Price) Total(u Use) Amount {
	if u.Energy <= 0 {
		return 0
	}
	return p.energy(u) + p.time(u) + p.Session + p.idle(u)
}

func (p *Price) energy(u Use) Amount { return Amount(int64(u.Energy) * int64(p.KWh) / int64(hal.KWh)) }

func (p *Price) time(u Use) Amount {
	if p.Minute == 0 {
		return 0
	}
	return Amount(u.Time/time.Minute) * p.Minute
}

func (p *Price) idle(u Use) Amount {
	if p.Idle.Minute == 0 {
		return 0
	}
	fee := Amount(u.Idle/time.Minute) * p.Idle.Minute
	if p.Idle.Cap > 0 {
		fee = min(fee, p.Idle.Cap)
	}
	return fee
}

func (p *Price) lines(u Use) [lineKinds]Line {
	return [lineKinds]Line{
		{Kind: EnergyLine, Quantity: int64(u.Energy), Each: p.KWh, Amount: p.energy(u)},
		{Kind: TimeLine, Quantity: int64(u.Time / time.Minute), Each: p.Minute, Amount: p.time(u)},
		{Kind: SessionLine, Quantity: 1, Each: p.Session, Amount: p.Session},
		{Kind: IdleLine, Quantity: int64(u.Idle / time.Minute), Each: p.Idle.Minute, Amount: p.idle(u)},
	}
}

// vatOf is the VAT contained in a gross amount, rounded to the nearest minor
// unit. One rounding a line, not one a bill: the receipt in the app is a list of
// lines, and a list whose lines do not add up helps nobody.
func (p Price) vatOf(gross Amount) Amount {
	whole := int64(10_000 + p.VAT)
	return Amount((int64(gross)*int64(p.VAT)*2 + whole) / (2 * whole))
}

// Prices above these are typing errors. Chosen by us, far above any real price.
const (
	maxPrice Amount = 10_000_00 // per kWh, minute or start, minor units
	maxVAT          = 3_000     // basis points; the telemetry schema says the same
	maxAfter        = 24 * time.Hour
)

// Check says what is wrong with the price, or nil.
func (p Price) Check() error {
	if !p.Currency.Known() {
		return fmt.Errorf("currency %q: want NOK, DKK or EUR", p.Currency)
	}
	if p.VAT < 0 || p.VAT > maxVAT {
		return fmt.Errorf("vat_bp %d: want 0 to %d basis points (2500 is 25 %%)", p.VAT, maxVAT)
	}
	for _, part := range []struct {
		key    string
		amount Amount
	}{{"kwh", p.KWh}, {"minute", p.Minute}, {"session", p.Session}, {"idle.minute", p.Idle.Minute}, {"idle.cap", p.Idle.Cap}} {
		if part.amount < 0 || part.amount > maxPrice {
			return fmt.Errorf("%s %d: want 0 to %d minor units (549 is 5.49)", part.key, part.amount, maxPrice)
		}
	}
	if p.Idle.After < 0 || p.Idle.After > maxAfter {
		return fmt.Errorf("idle.after %v: want 0 to %v", p.Idle.After, maxAfter)
	}
	if p.KWh == 0 && p.Minute == 0 && p.Session == 0 {
		return fmt.Errorf("kwh, minute and session are all 0: nothing would ever be charged")
	}
	return nil
}
