package session

import (
	"slices"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Rules are what an EVSE goes by. They do not change while it runs; what a
// charge was promised is frozen into the charge.
type Rules struct {
	Post     string // id of the post; with EVSE it makes the references
	EVSE     int    // number on the post
	Code     string // on the sticker
	Price    payment.Price
	Choices  []payment.Amount // amounts a driver may reserve, minor units, ascending
	Default  payment.Amount   // the one already chosen, minor units
	MaxPower hal.Power        // the most that can flow, W
	Grain    hal.Energy       // the smallest step of the meter's register, Wh
	Modulus  hal.Energy       // the register begins again at 0 after so much, Wh; 0: never
	Refresh  time.Duration    // how old what the meter shows may be
	Serial   string           // of the meter, if the config pins it
	Model    string           // of the meter, for the receipt
	NoPlug   bool             // there is no plug input: a car counts as present
	Wired    hal.Signals      // those that have a wire
	Limits   Limits

	Receipts bool          // receipts go into the payer's app
	Push     bool          // drivers may be asked in the app by their phone number
	Lang     display.Lang  // of what goes into the app
	Capture  time.Duration // from a request until nothing of it can be captured any more; 0: no end
}

// Limits are how long each phase may last. All are set by DefaultLimits.
type Limits struct {
	Approve  time.Duration // for the payer to decide
	PlugIn   time.Duration // from approval to a car; asked-for extensions add as much again
	NoEnergy time.Duration // closed without any energy at all
	CarFull  time.Duration // without energy, when no idle fee runs
	Longest  time.Duration // any charge
	Rest     time.Duration // the contactor stays open at least so long
	Closings int           // so often at most it closes in an hour; 0: as often as it is wanted
}

// DefaultLimits are chosen by us; Approve follows the API's ten minutes, with
// half a minute for the expiry to be seen. Rest lets contacts cool and a car's
// charger lose its voltage; Closings is several times what drivers need.
func DefaultLimits() Limits {
	return Limits{
		Approve:  10*time.Minute + 30*time.Second,
		PlugIn:   5 * time.Minute,
		NoEnergy: 10 * time.Minute,
		CarFull:  15 * time.Minute,
		Longest:  24 * time.Hour,
		Rest:     10 * time.Second,
		Closings: 20,
	}
}

// Chosen by us.
const (
	// MaxDebts is how many settlements may be open before no new driver is
	// served: enough for a day without network, few enough for one journal slot.
	MaxDebts = 16
	// MaxDone is how many settled charges are kept for their drivers' pages.
	MaxDone = 8
	// maxExtensions bounds Waiting: with five minutes each, twenty in all.
	maxExtensions = 3

	// MeterWithin is how long the meter may be silent (invariant S2).
	MeterWithin = 60 * time.Second
	// SenseWithin is how long the sense line may go unread.
	SenseWithin = 10 * time.Second
	// MoveWithin is how long the contactor may take to follow an order. A
	// contactor of this size travels in 20 to 60 ms; the rest is polling.
	MoveWithin = 2 * time.Second
	// closeTries is how often in a row a contactor may fail to close.
	closeTries = 3
	// FinalWithin is how long a final reading is waited for before the charge is
	// billed by what was last known for sure.
	FinalWithin = 10 * time.Minute
	// freshFor is the age up to which a reading may start a charge.
	freshFor = 30 * time.Second
	// overshoot is the time for which full power is assumed to go on flowing
	// after a decision to stop: one pass of the loop, and the contactor's travel.
	overshoot = MoveWithin + time.Second
	// drawing is the least average power that counts as charging. The driver's
	// page says "not drawing power" below it.
	drawing hal.Power = 100
	// checkpoints is into how many parts of the reservation a charge is divided
	// for the journal: what a dead meter and a power cut together can cost the
	// operator is one part. More parts wear the card.
	checkpoints = 16

	// settledIn is how long after a start a post no longer counts as rebooting.
	settledIn = 10 * time.Minute
	// maxBoots is how many starts without settledIn between them are too many.
	maxBoots = 5
)

// Accepts says whether a request would be served in s: nil, or
// display.ErrBusy, ErrOut, ErrPrice or ErrAmount.
func (r *Rules) Accepts(s *State, now hal.Instant, q Requested) error {
	switch {
	case s.Phase != Idle:
		return display.ErrBusy
	case s.Faults() != 0 || len(s.Debts) >= MaxDebts || !s.dead(now.Mono):
		return display.ErrOut
	case q.Way == payment.ByPush && !r.pushes(s):
		return display.ErrOut
	case q.Seen != r.Price:
		return display.ErrPrice
	case !slices.Contains(r.Choices, q.Reserve):
		return display.ErrAmount
	}
	return nil
}

// Ref is the reference of charge number n.
func (r *Rules) Ref(n uint64) payment.Ref { return payment.NewRef(r.Post, r.EVSE, n) }

// pushes says whether drivers can be asked in the app by their phone number.
func (r *Rules) pushes(s *State) bool { return r.Push && !s.noPush }

// carPresent says whether a car may be assumed at the socket.
func (r *Rules) carPresent(s *State) bool { return r.NoPlug || s.plug == hal.PlugIn }
