package worlds

import (
	"fmt"
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// judge sees the truth and holds the post to its promises. The letters are those
// of the invariants: M money, S safety, J journal, L liveness.
type judge struct {
	complaint string // the class of the first broken promise, as in "M3"
	detail    string

	base       hal.Energy // register of the meter at the world's start, Wh
	records    []record   // by charge, oldest first
	asks       []asking
	disk       session.Kept // newest acknowledged by the card
	lastHeard  time.Duration
	testAt     time.Duration // when a technician last began a test; 0 for never
	testing    bool          // the contactor was last ordered closed for that
	carSince   time.Duration // a car has been plugged in while it is; 0: none is
	wrong      bool          // the newest reading was wrong
	agreed     bool          // there were two wrong ones in a row
	lastCharge time.Duration
	papers     []document // numbers of sales documents, as written down
	mayskip    bool       // the journal was damaged: the series may jump
	noticed    uint64     // sites that went wrong, as bits
}

// record is the truth about one charge.
type record struct {
	number   uint64
	price    payment.Price
	limit    payment.Amount
	start    hal.Energy    // delivered by the bench before it, Wh
	asked    time.Duration // when it was requested
	approved time.Duration // when the payer approved; 0 before
	closedAt time.Duration // first ordered closed; 0 before
	stopAt   time.Duration // ordered open, or power lost
	atStop   hal.Energy    // delivered by then, Wh
	moved    hal.Energy    // delivered until the contacts had really opened, Wh
	opened   bool
	stopped  bool           // the driver has stopped it
	taken    payment.Amount // captured by the post, minor units
	portal   payment.Amount // captured by somebody else, minor units
	captures int            // how often something was taken
}

func (j *judge) complain(class, detail string) {
	if j.complaint == "" {
		j.complaint, j.detail = class, detail
	}
}

func (j *judge) complainf(class, format string, a ...any) {
	if j.complaint == "" {
		j.complain(class, fmt.Sprintf(format, a...))
	}
}

// current is the record of the newest charge.
func (j *judge) current() *record {
	if len(j.records) == 0 {
		j.records = append(j.records, record{})
	}
	return &j.records[len(j.records)-1]
}

// find gives the record of a charge: the newest with its number, because one
// whose request never reached the card gives its number back.
func (j *judge) find(n uint64) *record {
	for i := len(j.records) - 1; i >= 0; i-- {
		if j.records[i].number == n {
			return &j.records[i]
		}
	}
	return nil
}

func (j *judge) keep(a asking) int {
	j.asks = append(j.asks, a)
	return len(j.asks) - 1
}

// asked counts how often the verb of an order has been asked about its payment.
func (j *judge) asked(o payment.Order) int {
	n := 0
	for i := range j.asks {
		if j.asks[i].order.Ref == o.Ref && j.asks[i].order.Verb == o.Verb {
			n++
		}
	}
	return n
}

// overdue is called with the time at which the next order has to leave: L3.
func (j *judge) overdue(w *world, at time.Duration) {
	const most = 2 * time.Minute // a pass comes much sooner
	if late := w.instant().Mono - at; late > most {
		j.complainf("L3", "an order should have left %v ago", late)
	}
}

// begin opens the record of a charge that was just accepted.
func (j *judge) begin(w *world) {
	s := &w.post.state
	j.records = append(j.records, record{
		number: s.Counter, price: w.post.rules.Price, limit: s.Charge.Limit, start: w.bench.Truth(w.now).Energy, asked: w.now,
	})
	j.lastCharge = w.now
	w.tally.Charges++
	j.servedWelded(w)
}

// servedWelded looks for a charge that begins although the contacts have been
// welded for long: S4.
func (j *judge) servedWelded(w *world) {
	t := w.bench.Truth(w.now)
	if f := w.bench.Faults(); f.Welded && !f.SenseStuck && t.Contacts == hal.Closed &&
		w.now-t.Changed > 10*time.Minute && !j.mended(w) {
		j.complain("S4", "a driver is served with welded contacts")
	}
}

// mended says whether the weld is younger than anybody could have noticed.
func (j *judge) mended(w *world) bool { return w.now-w.post.booted < time.Minute }

// heard notes a reading that the post could believe. Two wrong ones in a row may
// speak for each other: nobody can tell them from two right ones.
func (j *judge) heard(w *world, wrong bool) {
	j.agreed = j.agreed || wrong && j.wrong
	j.lastHeard, j.wrong = w.now, wrong
}

// stepped follows the phases.
func (j *judge) stepped(w *world, before session.Phase) {
	s := &w.post.state
	if before == session.Idle && s.Phase == session.Approving {
		j.begin(w)
	}
	if before == session.Charging {
		j.stoppedAt(w)
	}
	if r := j.current(); before == session.Approving && s.Charge.Held && w.now-r.approved > staleAfter {
		j.complainf("S1", "an approval is believed that is %v old", w.now-r.approved)
	}
}

// stoppedAt notes the truth at the moment a charge is ordered to end.
func (j *judge) stoppedAt(w *world) {
	r := j.current()
	if r.closedAt != 0 && r.stopAt == 0 {
		t := w.bench.Truth(w.now)
		r.stopAt, r.atStop = w.now, t.Energy
	}
}

// stopped notes that the driver has stopped the charge.
func (j *judge) stopped(w *world) {
	if r := j.find(w.post.state.Charge.Number); r != nil {
		r.stopped = true
	}
}

func (j *judge) approved(w *world, ref payment.Ref) {
	if r := j.find(ref.Number()); r != nil {
		r.approved = w.now
	}
}

// useNow is what the newest charge has truly used.
func (j *judge) useNow(w *world) payment.Use {
	r := j.current()
	u := payment.Use{Energy: w.bench.Truth(w.now).Energy - r.start}
	if r.closedAt > 0 {
		u.Time = w.now - r.closedAt
	}
	return u
}

// closing is called when the contactor is ordered closed: S1, S3, S5.
func (j *judge) closing(w *world) {
	s, k := &w.post.state, &j.disk
	if s.Phase == session.Idle {
		j.closingTest(w)
		return
	}
	j.testing = false
	r := j.current()
	r.closedAt = w.now
	switch {
	case k.Phase != session.Charging || !k.Charge.Held || k.Charge.Number != s.Charge.Number:
		j.complain("S1", "contactor closed before the card knew of an approved charge")
	case s.Passing&session.Seeking != 0:
		j.complain("S3", "contactor closed before payments were read back")
	case r.stopped:
		j.complain("S2", "contactor closed after the driver had stopped")
	case r.approved == 0:
		j.complain("S1", "contactor closed without the payer's approval")
	}
}

// staleAfter is the age from which an approval may be nobody's any more: as long
// as the session bears the payment service's silence, and one time-out.
const staleAfter = 2*time.Minute + timeout + 5*time.Second

// always is checked after every event.
func (j *judge) always(w *world) {
	s := &w.post.state
	r := j.current()
	if r.stopAt != 0 && !r.opened {
		t := w.bench.Truth(w.now)
		r.moved = t.Energy
		r.opened = t.Contacts == hal.Open
	}
	if len(s.Debts) > session.MaxDebts+1 {
		j.complainf("L1", "%d debts", len(s.Debts))
	}
	if limit := phaseLimits[s.Phase]; limit > 0 && s.Passing&session.Seeking == 0 && w.instant().Mono-s.Since > limit {
		j.complainf("L1", "%v for %v", s.Phase, w.instant().Mono-s.Since)
	}
	if w.post.closed {
		j.whileClosed(w, r)
	}
}

// wrote is called when the card has acknowledged a state: J2.
func (j *judge) wrote(w *world, k *session.Kept) {
	before := j.disk.Receipts
	j.disk = *k
	j.documents(w, before, k.Receipts)
	w.card.records++
	w.card.snapshot(w)
	for i := range k.Done {
		j.settled(w, &k.Done[i])
	}
}

// booted is called when the journal has been read: J1, J4.
func (j *judge) booted(w *world, k *session.Kept, t session.Trust) {
	if w.card.sound && !k.Same(&j.disk) && !w.card.ambiguous {
		j.complainf("J1", "the journal lost an acknowledged record and says nothing (%s)", w.card.last)
	}
	if k.Receipts > j.disk.Receipts { // the power went when the record was there, and before anybody was told
		before := j.disk.Receipts
		j.disk = *k
		j.documents(w, before, k.Receipts)
	}
	j.mayskip = j.mayskip || !w.card.sound || j.noticed&cardSites != 0
	j.disk = *k
	j.lastHeard, j.testAt = w.now, 0
}
