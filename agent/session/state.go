package session

import (
	"slices"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// State is all that is known of one EVSE. Only Kept survives a restart.
type State struct {
	Kept

	Passing Faults        // faults that are judged afresh all the time
	Since   time.Duration // when the phase was entered, Instant.Mono

	ask      ask      // about the charge under way
	asks     []ask    // about each of Debts, in step with it
	links    []string // where each of Done's drivers reads about it, in step with it; empty after a restart
	tell     ask      // about the receipt of the oldest of Done that is ToldDue
	seek     *seek    // nil unless Seeking
	sequence uint32   // of the newest order

	meter meter
	sense sense
	plug  hal.Plug
	flow  flow
	test  Test

	signals  hal.Signals     // as the wires last said
	switched []time.Duration // when the contactor was ordered closed of late, Instant.Mono, oldest first
	url      string          // where the payer approves
	series   uint64          // Receipts at the request: a request is the same however often it is made
	way      payment.Way     // how the payer gets there
	phone    payment.Phone   // with payment.ByPush, until the payment has been made
	noPush   bool            // the service does not let us send messages to the app
	back     string          // where the payer comes back to
	grants   uint8           // extensions given in Waiting
	claim    claim           // of somebody who has lost the page
}

// Kept is what must be on disk before anyone acts on it.
type Kept struct {
	Phase   Phase
	Counter uint64 // number of the newest charge; makes its reference
	Boots   uint8  // starts since the post last ran for settledIn
	Misses  uint8  // times in a row the contactor did not close
	Latched Faults
	Serial  string     // of the meter, from the first reading or the config
	Resting hal.Energy // register when it was last known to stand still, Wh
	Charge  Charge     // the one under way; zero when Idle
	Debts   []Debt     // to be settled, oldest first
	Done    []Debt     // settled, oldest first
	Wear    Wear       // of the contactor

	// Receipts is the newest number in the series of sales documents. Every charge
	// of which something was captured uses one, in the step in which that is known.
	Receipts uint64
}

// Wear counts what shortens the life of a contactor: its makers give so many
// openings under load, and a hundred times as many without.
type Wear struct {
	Closings uint64        // ordered
	Hot      uint64        // openings with a load on the contacts
	Opening  time.Duration // from the newest order to open until it was sensed
	Slowest  time.Duration // the longest of those
}

// Charge is what is known for good of one charge.
type Charge struct {
	Number  uint64
	Holder  payment.Holder
	Price   payment.Price
	Limit   payment.Amount // reserved, minor units
	Held    bool           // the payer approved it
	Start   hal.Energy     // register at the request, contactor open, Wh
	Seen    hal.Energy     // register as known for sure at the last checkpoint, Wh
	End     hal.Energy     // register after opening, Wh; 0 until it is final
	Elapsed time.Duration  // with the contactor closed, at the last checkpoint
	Idle    time.Duration  // of that, with the idle fee running
	Started hal.Stamp
	Ended   hal.Stamp
	Why     display.End
	Writes  uint16 // askings about its payment that may have changed something

	// Guaranteed is until when the payer's bank stands by the reservation, in
	// seconds since 1970 by the service's clock; 0 when that was not told.
	Guaranteed int64

	// Gathered says that the charge was read back from the payment service: there
	// is no checkpoint that tells how far it came.
	Gathered bool
}

// Debt is a charge that has ended and whose reservation has to be settled.
type Debt struct {
	Charge
	Due      payment.Amount // to be taken, minor units; the bill, fixed once
	Attempt  uint8          // which capture key is in use
	Trouble  payment.Reason // why a person should look at it
	Captured payment.Amount // as read back, minor units
	Released payment.Amount // as read back, minor units
	Closed   hal.Stamp      // when it was settled
	Receipt  uint64         // in the series of sales documents; 0 if nothing was sold
	Told     Told
}

// Told says how far the payer's app knows of a receipt.
type Told uint8

// The steps.
const (
	ToldNothing Told = iota // and need not: there is no receipt for the app
	ToldDue
	ToldAll
	ToldNever // given up
	tolds
)

// String gives the step as the word used in records.
func (t Told) String() string { return [tolds]string{"nothing", "due", "all", "never"}[t] }

// Sold is the bill of a settled charge, cut down to what was captured. Its lines
// sum to that, unless somebody else has captured more than was used.
func (d *Debt) Sold() payment.Bill { return d.Price.Cost(d.Use(), min(d.Limit, d.Captured)) }

// Use is what the charge has used by its own facts.
func (c *Charge) Use() payment.Use {
	return payment.Use{Energy: max(0, c.End-c.Start), Time: c.Elapsed, Idle: c.Idle}
}

// Bill is what an ended charge costs.
func (c *Charge) Bill() payment.Bill { return c.Price.Cost(c.Use(), c.Limit) }

// owed is what is to be taken for an ended charge, in minor units. Less than the
// service's minimum is given to the driver.
func (c *Charge) owed() payment.Amount {
	total := c.Bill().Total
	if total < c.Price.Currency.Minimum() {
		return 0
	}
	return total
}

// Faults is everything that is wrong.
func (s *State) Faults() Faults { return s.Latched | s.Passing }

// Same says whether two kept states are the same, so that nothing need be
// written. It is asked after every event, so it compares what is cheap first;
// slices are never changed in place, so one array is one content.
func (k *Kept) Same(o *Kept) bool {
	return k.Phase == o.Phase && k.Counter == o.Counter && k.Boots == o.Boots && k.Misses == o.Misses &&
		k.Latched == o.Latched && k.Resting == o.Resting && k.Charge == o.Charge && k.Serial == o.Serial && k.Wear == o.Wear &&
		k.Receipts == o.Receipts &&
		sameDebts(k.Debts, o.Debts) && sameDebts(k.Done, o.Done)
}

func sameDebts(a, b []Debt) bool {
	if len(a) != len(b) {
		return false
	}
	return len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b)
}

// enter begins a phase.
func (s *State) enter(p Phase, now hal.Instant) {
	s.Phase, s.Since = p, now.Mono
}

// setDebt replaces one debt without touching older states.
func (s *State) setDebt(i int, d Debt) {
	if s.Debts[i] == d {
		return
	}
	s.Debts = slices.Clone(s.Debts)
	s.Debts[i] = d
}

// setAsk replaces the asking about one debt.
func (s *State) setAsk(i int, a ask) {
	s.asks = slices.Clone(s.asks)
	s.asks[i] = a
}
