package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// record is a charge as the commands about charges tell of it. Amounts are in minor
// units. What is not known, or not for whoever asks, is left out.
type record struct {
	Ref        payment.Ref      `json:"ref,omitempty"`
	EVSE       int              `json:"evse"` // its number
	State      recordState      `json:"state"`
	Start      string           `json:"start,omitempty"` // of the request
	End        string           `json:"end,omitempty"`
	Seconds    int64            `json:"dur_s"` // with the contactor closed
	Energy     hal.Energy       `json:"energy_wh"`
	StartWh    *hal.Energy      `json:"meter_start_wh,omitempty"`
	EndWh      *hal.Energy      `json:"meter_end_wh,omitempty"`
	Why        string           `json:"why,omitempty"` // it has ended: a display.End's word
	Currency   payment.Currency `json:"currency,omitempty"`
	Reserved   *payment.Amount  `json:"reserved,omitempty"`
	Gross      *payment.Amount  `json:"gross,omitempty"` // the bill, VAT included; so far while it runs
	VAT        *payment.Amount  `json:"vat,omitempty"`
	Captured   *payment.Amount  `json:"captured,omitempty"`
	Released   *payment.Amount  `json:"released,omitempty"`
	Refunded   *payment.Amount  `json:"refunded,omitempty"`
	WrittenOff *payment.Amount  `json:"written_off,omitempty"`
	Receipt    string           `json:"receipt,omitempty"`
	Trouble    string           `json:"trouble,omitempty"`

	seq     uint64 // of its newest line; those that the post knows of itself come after all lines
	at      int64  // when it was requested or else first told of, s since 1970
	settled bool
}

// recordState is how far a charge, and its money, has come.
type recordState string

// The states.
const (
	recordAsked    recordState = "asked"     // the payer has not decided
	recordUnderWay recordState = "under_way" // approved, and not over
	recordDue      recordState = "due"       // over, and not settled yet
	recordStuck    recordState = "stuck"     // the same, and a person should look
	recordCaptured recordState = "captured"  // settled: something was sold
	recordReleased recordState = "released"  // settled: all of the reservation was let go
	recordNothing  recordState = "nothing"   // settled: there was never any money
	recordRefunded recordState = "refunded"  // sold, and given back or some of it
	recordLost     recordState = "lost"      // the ledger has no end of it, and the post knows nothing of it
)

// recordStates are all of them.
func recordStates() []recordState {
	return []recordState{recordAsked, recordUnderWay, recordDue, recordStuck, recordCaptured, recordReleased, recordNothing, recordRefunded, recordLost}
}

// openState stands for all states before a charge is settled.
const openState = "open"

// open says whether there may be money that waits for something.
func (s recordState) open() bool {
	return slices.Contains([]recordState{recordAsked, recordUnderWay, recordDue, recordStuck, recordLost}, s)
}

// parseState reads the state of --state: one of them, or open; empty for all.
func parseState(text string) error {
	if text == "" || text == openState || slices.Contains(recordStates(), recordState(text)) {
		return nil
	}
	var words []string
	for _, s := range recordStates() {
		words = append(words, string(s))
	}
	return fmt.Errorf("--state %q: want %s (all that is not settled), %s", text, openState, strings.Join(words, ", "))
}

// take takes in what a line of the ledger, or the post, tells of the charge.
func (r *record) take(kind ledger.Kind, s *ledger.Session) {
	r.Currency = cmp.Or(r.Currency, s.Currency)
	r.Reserved = &s.Reserved
	if !s.Start.IsZero() {
		r.Start, r.at = utc(s.Start), s.Start.Unix()
	}
	if !s.End.IsZero() {
		r.End = utc(s.End)
	}
	r.Seconds = max(r.Seconds, s.Seconds)
	if s.Energy != nil {
		r.Energy = *s.Energy
	}
	learn(&r.StartWh, s.StartWh)
	learn(&r.EndWh, s.EndWh)
	learn(&r.Gross, s.Gross)
	learn(&r.VAT, s.VAT)
	learn(&r.Captured, s.Captured)
	learn(&r.Released, s.Released)
	learn(&r.WrittenOff, s.WrittenOff)
	r.Why, r.Receipt = cmp.Or(s.Reason, r.Why), cmp.Or(s.Receipt, r.Receipt)
	r.Trouble = s.Trouble
	r.turn(kind)
}

// learn takes in what is told.
func learn[T any](to **T, told *T) {
	if told != nil {
		*to = told
	}
}

// turn brings the state up to a kind of line.
func (r *record) turn(kind ledger.Kind) {
	switch kind {
	case ledger.SessionCreated:
		r.State = recordAsked
	case ledger.SessionAuthorised, ledger.SessionStarted, ledger.SessionSuspended, ledger.SessionResumed:
		r.State = recordUnderWay
	case ledger.SessionEnded:
		r.State = recordDue
	case ledger.PaymentFailed:
		if !r.settled {
			r.State = recordStuck
		}
	case ledger.Sold, ledger.Ended:
		r.settled = true
		r.State = settledState(r)
	default: // tells nothing of how far it is
	}
}

func settledState(r *record) recordState {
	switch {
	case r.Refunded != nil && *r.Refunded > 0:
		return recordRefunded
	case r.Captured != nil && *r.Captured > 0:
		return recordCaptured
	case r.Released != nil && *r.Released > 0:
		return recordReleased
	}
	return recordNothing
}

// liveRecords are the charges that an EVSE knows of itself: those that are not settled,
// and those that are and may not stand in the ledger yet.
func liveRecords(v unit) (all []record) {
	s, now, _ := v.Snapshot()
	r := v.Rules()
	about := func(number uint64, kind ledger.Kind, told *ledger.Session) *record {
		all = append(all, record{Ref: r.Ref(number), EVSE: r.EVSE, seq: liveSeq + number})
		one := &all[len(all)-1]
		one.take(kind, told)
		return one
	}
	for i := range s.Done {
		d := &s.Done[i]
		told := ledger.Owed(d)
		told.Captured, told.Released, told.Receipt = &d.Captured, &d.Released, r.ReceiptNumber(d)
		about(d.Number, ledger.Sold, told)
	}
	for i := range s.Debts {
		kind := ledger.SessionEnded
		if s.Debts[i].Stuck(now.Wall) {
			kind = ledger.PaymentFailed
		}
		about(s.Debts[i].Number, kind, ledger.Owed(&s.Debts[i]))
	}
	if s.Phase != session.Idle {
		kind := ledger.SessionCreated
		if s.Charge.Held {
			kind = ledger.SessionStarted
		}
		one := about(s.Charge.Number, kind, ledger.Created(&s.Charge))
		c := r.View(&s, now).Charge
		one.Energy, one.Seconds, one.Gross = c.Energy, int64(c.Elapsed/time.Second), &c.Cost
	}
	return all
}

// liveSeq is above the numbers of all lines: those of charges are added to it.
const liveSeq = 1 << 62

// redacted is a record without what could lead to a driver or to money.
func (r record) redacted() record {
	return record{
		EVSE: r.EVSE, State: r.State, Start: r.Start, End: r.End, Seconds: r.Seconds, Energy: r.Energy, Why: r.Why,
		seq: r.seq, at: r.at, settled: r.settled,
	}
}

// seenBy is a record as far as a role may see it.
func (r record) seenBy(role control.Role) record {
	if role >= control.Technician {
		return r
	}
	return r.redacted()
}

// blacken takes out of a record what leads to a driver or to a payment, and leaves what
// was sold: there are days for times.
func (r *record) blacken(zone *time.Location) {
	r.Ref, r.Receipt, r.StartWh, r.EndWh = "", "", nil, nil
	for _, at := range []*string{&r.Start, &r.End} {
		if t, err := time.Parse(time.RFC3339, *at); err == nil {
			*at = t.In(zone).Format(time.DateOnly)
		}
	}
}
