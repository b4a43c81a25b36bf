package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
	book "stolpe/payment/sim"
)

// Sets of sites, as bits.
const (
	powerSites = 1<<cutBeforeSave | 1<<cutInSave | 1<<cutBeforeDeed | 1<<cutAfterDeed | 1<<cutAnytime | 1<<killed
	meterSites = 1<<meterMute | 1<<meterSpike | 1<<meterNudge | 1<<meterDip | 1<<meterSilent | 1<<meterFrozen | 1<<meterSwapped | 1<<meterOffset |
		1<<meterSlower | 1<<meterReset
	contactorSites = 1<<wontClose | 1<<slowOpen | 1<<welded | 1<<senseStuck
	cardSites      = 1<<syncFails | 1<<bitRot | 1<<cardLost | 1<<oldCard
	netSites       = 1<<requestLost | 1<<answerLost | 1<<lateRequest | 1<<appliedThenError | 1<<serverError | 1<<tooMany |
		1<<slowAnswer | 1<<networkDown | 1<<readLost | 1<<serviceBusy | 1<<refused | 1<<readRefused
	moneySites = 1<<paymentDies | 1<<fundsGone | 1<<wholeOnly | 1<<refused | 1<<readRefused | 1<<portalAct | 1<<deadlineShort
)

// causes are the faults without which a charge must not end for a reason: L2. A
// post that never charges keeps every other promise.
var causes = map[display.End]uint64{
	display.MeterLost:    meterSites,
	display.ContactorBad: contactorSites | meterSites | 1<<cutInSave | 1<<supplyGone,
	display.StorageBad:   1 << syncFails,
	display.PaymentGone:  1<<paymentDies | 1<<readRefused | 1<<portalAct | 1<<deadlineShort | cardSites,
	display.PowerLost:    powerSites | 1<<syncFails | 1<<supplyGone,
	display.ByTechnician: 1<<withdrawn | 1<<tested,
	display.NoAnswer:     netSites | cardSites | powerSites | 1<<pushRefused,
	display.Declined:     cardSites | 1<<refused | 1<<pushRefused | 1<<portalAct | 1<<deadlineShort,
	display.TooLong:      1,
	display.Emergency:    1 << tripped,
	display.ByButton:     1 << buttonPressed,
}

// upper is the most energy that charge r can owe: what had flowed when its
// contacts were open, or, if they would not open, shortly after the order.
func (j *judge) upper(w *world, r *record) hal.Energy {
	const slack = 2500 * time.Millisecond
	switch {
	case r.closedAt == 0:
		return 0
	case r.stopAt == 0:
		return w.bench.Truth(w.now).Energy - r.start
	case r.opened:
		return r.moved - r.start
	}
	return r.atStop - r.start + w.post.rules.MaxPower.Over(slack)
}

// mostDue is the most that may be captured for a charge: M3.
func (j *judge) mostDue(w *world, r *record) payment.Amount {
	u := payment.Use{Energy: j.upper(w, r)}
	if r.closedAt > 0 {
		until := r.stopAt
		if until == 0 {
			until = w.now
		}
		u.Time = until - r.closedAt
		u.Idle = max(0, u.Time-r.price.Idle.After)
	}
	return r.price.Cost(u, r.limit).Total
}

// lying says whether the meter itself has told wrong totals for a while: a frozen
// register that jumps later, one off by a constant, one that counts in another
// unit, or two wrong readings in a row. What is not promised is the correctness of the meter.
func (j *judge) lying() bool {
	return j.agreed || j.noticed&(1<<meterFrozen|1<<meterOffset|1<<meterSlower) != 0
}

// misled says whether neither the card nor the service may have known of a payment
// when they were asked. Nothing is promised then.
func (j *judge) misled() bool { return j.noticed&cardSites != 0 && j.noticed&(1<<readRefused) != 0 }

// settled judges one settled charge as the post sees it.
func (j *judge) settled(w *world, d *session.Debt) {
	r := j.find(d.Number)
	if r == nil || j.complaint != "" || j.misled() {
		return
	}
	if most := j.mostDue(w, r); d.Captured-r.portal > most && !j.lying() {
		j.complainf("M3", "charge %d: %v captured, %v at most owed (%v)", d.Number, d.Captured, most, d.Why)
	}
	// A lost card gives numbers back; put in again, it speaks of another payment.
	known := j.noticed&(1<<cardLost|1<<oldCard) == 0
	if known && d.Trouble == payment.NoReason && d.Captured+d.Released != 0 && d.Captured+d.Released != d.Limit {
		j.complainf("M1", "charge %d: captured %v and released %v of %v", d.Number, d.Captured, d.Released, d.Limit)
	}
	if d.Trouble != payment.NoReason && j.noticed&(moneySites|cardSites) == 0 {
		j.complainf("M7", "charge %d: a person is asked to look at it without a cause (%v)", d.Number, d.Trouble)
	}
	if d.Held && !d.Gathered && known && d.Guaranteed != guaranteed(r) {
		j.complainf("G1", "charge %d: guaranteed until %d, and not %d", d.Number, d.Guaranteed, guaranteed(r))
	}
	if need, listed := causes[d.Why]; listed && j.noticed&need == 0 {
		j.complainf("L2", "charge %d ended by %v without a cause", d.Number, d.Why)
	}
	if j.noticed&(meterSites|contactorSites|cardSites|moneySites) == 0 && d.Trouble == payment.NoReason {
		j.exact(w, r, d)
	}
}

// exact holds a charge whose meter, contactor, card and reservation were sound to
// the last watt-hour and øre, whatever network and power did.
func (j *judge) exact(w *world, r *record, d *session.Debt) {
	used := j.upper(w, r)
	if got := d.End - d.Start; got != used {
		j.complainf("M3", "charge %d: billed %d Wh, used %d Wh (%v)", d.Number, got, used, d.Why)
		return
	}
	due := d.Price.Cost(payment.Use{Energy: used, Time: d.Elapsed, Idle: d.Idle}, d.Limit).Total
	if due < d.Price.Currency.Minimum() {
		due = 0
	}
	if d.Captured != due {
		j.complainf("M3", "charge %d: captured %v, due %v (%v)", d.Number, d.Captured, due, d.Why)
	}
	if closed := r.stopAt - r.closedAt; r.closedAt > 0 && d.Elapsed > closed+time.Second {
		j.complainf("M3", "charge %d: billed %v, lasted %v", d.Number, d.Elapsed, closed)
	}
}

// atRest is checked when the world has come to rest: M1, M6, M7.
func (j *judge) atRest(w *world) {
	s := &w.post.state
	if !w.post.up {
		j.complain("L1", "the post is still down")
		return
	}
	if s.Phase != session.Idle && s.Passing&session.Seeking == 0 {
		j.complainf("M7", "still %v half an hour after everything was mended (%v)", s.Phase, s.Faults())
	}
	for i := range s.Debts {
		if d := &s.Debts[i]; d.Trouble == payment.NoReason {
			j.complainf("M7", "charge %d is not settled half an hour after everything was mended", d.Number)
		}
	}
	if w.telling() && s.Passing&session.Seeking == 0 {
		j.complain("R4", "a receipt is not in the app half an hour after everything was mended")
	}
	for p := range w.book.Payments(w.now) {
		j.payment(w, p)
	}
}

// payment judges one payment as the service sees it.
func (j *judge) payment(w *world, p book.Payment) {
	r := j.find(p.Ref.Number())
	if r == nil {
		j.complainf("M6", "payment %s belongs to no charge", p.Ref)
		return
	}
	f := p.Found
	if f.State == payment.Created && j.noticed&cardSites != 0 {
		return // made after its record was lost: nobody was shown it, it holds nothing, it will expire
	}
	if j.misled() {
		return
	}
	if held := f.State == payment.Created || f.Left() > 0; held && !j.owes(w, r.number) {
		j.complainf("M6", "payment %s is %v with %v left, and nobody knows of it", p.Ref, f.State, f.Left())
	}
	if sold := f.Taken > 0 && !j.owes(w, r.number); sold && j.noticed&cardSites == 0 && !j.documented(w, r.number) {
		j.complainf("R2", "payment %s: %v captured, and no document says so", p.Ref, f.Taken)
	}
	if most := j.mostDue(w, r); f.Taken-r.portal > most && !j.lying() {
		j.complainf("M3", "payment %s: %v captured, %v at most owed", p.Ref, f.Taken, most)
	}
}

func (j *judge) owes(w *world, n uint64) bool {
	s := &w.post.state
	for i := range s.Debts {
		if s.Debts[i].Number == n {
			return true
		}
	}
	return s.Phase != session.Idle && s.Charge.Number == n
}

// phaseLimits are the longest a phase may last with the post running, with a
// margin for the longest pause between passes.
var phaseLimits = [session.Phases]time.Duration{
	session.Approving: 12 * time.Minute,
	session.Waiting:   21 * time.Minute,
	session.Charging:  24*time.Hour + time.Minute,
	session.Stopping:  11 * time.Minute,
}

// whileClosed checks what must hold while power flows: S1, S2.
func (j *judge) whileClosed(w *world, r *record) {
	if j.testing {
		j.whileTesting(w)
		return
	}
	switch {
	case w.now-j.lastHeard > session.MeterWithin+2*time.Second:
		j.complainf("S2", "closed with a meter silent for %v", w.now-j.lastHeard)
	case w.post.dead:
		j.complain("S2", "closed with a card that has failed")
	case r.stopped:
		j.complain("S2", "closed after the driver had stopped")
	case w.signals&hal.Trips != 0:
		j.complainf("S2", "closed although %v", w.signals)
	case !j.lying() && r.price.Total(j.useNow(w)) > r.limit:
		j.complainf("S1", "closed past the reservation: %v of %v", r.price.Total(j.useNow(w)), r.limit)
	}
}
