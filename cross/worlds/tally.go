package worlds

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"stolpe/agent/session"
)

// Tally is what a number of worlds came to.
type Tally struct {
	Worlds, Charges, Faults uint64 // how many
	Away                    uint64 // drivers turned away
	Events, Records         uint64 // steps of the simulation, and records on the card
	Minutes                 uint64 // of virtual time, summed over the worlds

	hits       [sites]uint64
	pairs      [sites][session.Phases]uint64
	complaints []Complaint
}

// Complaint is one world in which a promise was broken.
type Complaint struct {
	Seed   uint64
	Class  string // as in "M3"
	Detail string
	Faults []fault // those that it takes, after shrinking
	At     time.Duration
}

// String writes the complaint as a line that can be put into the regression file.
func (c Complaint) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed=%d only=", c.Seed)
	for i, f := range c.Faults {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%v:%d", f.site, f.n)
	}
	fmt.Fprintf(&b, " # %s after %v: %s", c.Class, c.At.Round(time.Second), c.Detail)
	return b.String()
}

func (t *Tally) reached(s site, p session.Phase) {
	t.hits[s]++
	t.pairs[s][p]++
}

// add sums another tally into t.
func (t *Tally) add(o *Tally) {
	t.Worlds += o.Worlds
	t.Charges += o.Charges
	t.Away += o.Away
	t.Faults += o.Faults
	t.Events += o.Events
	t.Records += o.Records
	t.Minutes += o.Minutes
	for s := range t.hits {
		t.hits[s] += o.hits[s]
		for p := range t.pairs[s] {
			t.pairs[s][p] += o.pairs[s][p]
		}
	}
	t.complaints = append(t.complaints, o.complaints...)
	slices.SortFunc(t.complaints, func(a, b Complaint) int {
		if a.Seed < b.Seed {
			return -1
		}
		return 1
	})
	if len(t.complaints) > maxComplaints {
		t.complaints = t.complaints[:maxComplaints]
	}
}

// maxComplaints is how many are kept; one is already too many.
const maxComplaints = 20

// unreached lists the fault sites, and the pairs of phase and site, that must
// come up and have not.
func (t *Tally) unreached() []string {
	var missing []string
	for s := range sites {
		for p := range session.Phases {
			if canMeet(s, session.Phase(p)) && t.pairs[s][p] == 0 {
				missing = append(missing, fmt.Sprintf("%v in %v", s, session.Phase(p)))
			}
		}
	}
	return missing
}

// canMeet says whether a site is passed in a phase at all.
func canMeet(s site, p session.Phase) bool {
	switch s {
	case wontClose, welded, senseStuck, meterSlower, meterReset, paymentDies: // when the contactor is ordered closed; while a car charges
		return p == session.Charging
	case slowOpen: // when it is ordered open
		return p == session.Stopping
	case fundsGone, fundsBack, pushRefused: // when the payer approves; when a payment is made
		return p == session.Approving
	case wholeOnly, deadlineShort, appRefused: // properties of the sales unit, drawn before anything happens; after all has been settled
		return p == session.Idle
	case portalAct: // hardly ever while nothing is held
		return p == session.Idle || p == session.Charging
	case serviceBusy, readLost, readRefused: // debts, and reading back while somebody waits or charges
		return p == session.Idle || s != serviceBusy && (p == session.Charging || p == session.Approving)
	case requestLost, answerLost, lateRequest, appliedThenError, serverError, tooMany, refused, hintLost, hintLate, hintTwice: // calls, and what is told of them
		return p == session.Idle || p == session.Approving
	case slowAnswer: // no order leaves while a charge is stopping
		return p != session.Stopping
	case cutBeforeDeed, cutAfterDeed: // hardly any order leaves while a car is waited for
		return p != session.Waiting && p != session.Stopping
	case withdrawn, tested:
		return p != session.Stopping
	}
	return true
}

// Print writes the summary. It depends on the seeds alone, never on the machine.
func (t *Tally) Print(w io.Writer) {
	fmt.Fprintf(w, "worlds      %d\ncharges     %d (%d drivers turned away)\n", t.Worlds, t.Charges, t.Away)
	fmt.Fprintf(w, "virtual     %d years\n", t.Minutes/(60*24*365))
	fmt.Fprintf(w, "events      %d, %.0f a charge\n", t.Events, float64(t.Events)/float64(max(1, t.Charges)))
	fmt.Fprintf(w, "records     %.1f a charge\n", float64(t.Records)/float64(max(1, t.Charges)))
	fmt.Fprintf(w, "faults      %d\n", t.Faults)
	fmt.Fprintf(w, "violations  %d\n", len(t.complaints))
	for _, c := range t.complaints {
		fmt.Fprintf(w, "  %v\n", c)
	}
}
