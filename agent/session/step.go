package session

import (
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Step gives the state after e happened at now. It never fails: an event that
// means nothing in s changes nothing.
func (r *Rules) Step(s State, now hal.Instant, e Event) State {
	r.Advance(&s, now, e)
	return s
}

// Advance is Step in place, for whoever has no use for the state before. What
// older states share with s is left as it is.
func (r *Rules) Advance(s *State, now hal.Instant, e Event) {
	r.notice(s, now, e)
	r.judgeMeter(s, now)
	r.judgeContactor(s, now)
	r.judgeTest(s, now)
	if s.Boots > 0 && now.Mono >= settledIn {
		s.Boots = 0
		s.Passing &^= Rebooting
	}
	stop, told := e.(Stopped)
	if told {
		s.endTest(now, "it was stopped")
	}
	if s.Phase != Idle && (told && s.ends(stop) || s.Faults()&unsafe != 0) {
		r.stop(s, now, s.whyStopped(e))
	}
	switch s.Phase {
	case Idle:
		r.idle(s, now, e)
	case Approving:
		r.approving(s, now)
	case Waiting:
		r.waiting(s, now, e)
	case Charging:
		r.charging(s, now)
	case Stopping:
		r.stopping(s, now)
	}
	if s.Phase == Idle && s.Latched&Leaving != 0 {
		s.recalled(true)
	}
}

// notice records what e says about the world, whatever the phase.
func (r *Rules) notice(s *State, now hal.Instant, e Event) {
	switch e := e.(type) {
	case Hinted:
		s.hinted(e.Ref)
	case Metered:
		r.metered(s, now, e.Reading)
	case Sensed:
		r.sensed(s, e)
	case Ordered:
		r.closes(s, now)
	case Plugged:
		s.plug = e.Plug
	case Signalled:
		s.signal(e.Signals)
	case Asked:
		r.asked(s, now, e.Order)
	case Answered:
		r.answered(s, now, e.Order, e.Answer)
	case Retried:
		s.retried(now, e.Ref)
	case TakenOut:
		s.Latched |= Withdrawn
	case Recalled:
		s.recalled(e.Now)
	case Readmitted:
		s.Latched &^= Recall | Leaving
	case Renewal:
		s.renewal(e.Near)
	case Restored:
		r.restored(s, e.But)
	case Claimed:
		r.claimed(s, now, e)
	case TestBegun:
		r.test(s, now)
	case TestEnded:
		s.endTest(now, "whoever began it has ended it, or has gone")
	case Unwritable:
		s.Passing |= DiskFailed
	}
}

// heeds says whether a holder's word counts for the charge under way. The post's
// own, with no holder, always does.
func (s *State) heeds(h payment.Holder) bool {
	return h == payment.Holder{} || s.HeldBy(h)
}

// ends says whether a stop counts for the charge under way.
func (s *State) ends(e Stopped) bool {
	return s.heeds(e.Holder) && (!e.Asking || s.Phase == Approving && !s.Charge.Held)
}

// stop ends the charge, whatever phase it is in. It holds from then on: there is
// no way from Stopping, or from a debt, back to a closed contactor.
func (r *Rules) stop(s *State, now hal.Instant, why display.End) {
	switch s.Phase {
	case Approving, Waiting:
		r.owe(s, now, 0, why)
	case Charging:
		s.Charge.Why = why
		r.checkpoint(s, now)
		s.wear()
		s.enter(Stopping, now)
		s.meter.restart()
	}
}

func (r *Rules) idle(s *State, now hal.Instant, e Event) {
	q, ok := e.(Requested)
	if !ok || r.Accepts(s, now, q) != nil {
		return
	}
	s.Counter++
	s.Charge = Charge{
		Number: s.Counter, Holder: q.Holder, Price: r.Price, Limit: q.Reserve,
		Start: s.meter.last, Seen: s.meter.last, Started: now.Wall,
	}
	s.back, s.url, s.grants = q.Return, "", 0
	s.way, s.phone, s.series = q.Way, q.Phone, s.Receipts
	s.ask = ask{make: true, next: now.Mono, heard: now.Mono}
	s.enter(Approving, now)
}

// approving waits for the payer. What the payment service says arrives through
// answered; here only time counts.
func (r *Rules) approving(s *State, now hal.Instant) {
	switch {
	case now.Mono-s.Since >= r.Limits.Approve:
		r.owe(s, now, 0, display.TimedOut)
	case s.Charge.Held:
		s.enter(Waiting, now)
		r.waiting(s, now, nil)
	case now.Mono-s.ask.heard >= unheardWithin:
		// An approval learnt of much later would close the contactor with nobody there.
		r.owe(s, now, 0, display.NoAnswer)
	}
}

func (r *Rules) waiting(s *State, now hal.Instant, e Event) {
	if more, told := e.(Extended); told && s.heeds(more.Holder) && s.grants < maxExtensions {
		s.grants++
	}
	switch m := &s.meter; {
	case now.Mono-s.Since >= r.Limits.PlugIn*time.Duration(1+s.grants):
		r.owe(s, now, 0, r.whyNotBegun(s))
	case m.known && m.still >= equalReadings && m.last-s.Charge.Start > r.drift(now.Mono-s.Since):
		s.Latched |= Welded // the register moved although nothing was closed
		r.owe(s, now, 0, display.ContactorBad)
	case r.carPresent(s) && s.dead(now.Mono) && now.Mono-s.sense.since >= r.Limits.Rest:
		s.flow = flow{movedAt: now.Mono}
		s.enter(Charging, now)
		s.meter.restart()
		r.charging(s, now) // it may be over before it begins: a start fee as high as the reservation
	}
}

// whyNotBegun says why nothing came of an approval: with a car in the socket it
// was not the driver.
func (r *Rules) whyNotBegun(s *State) display.End {
	if r.carPresent(s) {
		return display.ContactorBad
	}
	return display.NeverPlugged
}

func (r *Rules) charging(s *State, now hal.Instant) {
	c, m := &s.Charge, &s.meter
	switch quiet := s.quiet(now.Mono); {
	case !r.carPresent(s):
		r.stop(s, now, display.Unplugged)
	case c.Price.Total(r.atWorst(s, now)) >= c.Limit:
		r.stop(s, now, display.LimitReached)
	case now.Mono-s.Since >= r.Limits.Longest:
		r.stop(s, now, display.TooLong)
	case m.last == c.Start && quiet >= r.Limits.NoEnergy:
		r.stop(s, now, display.NoEnergy)
	case quiet >= r.Limits.CarFull && !r.idleFeeRuns(s, now):
		r.stop(s, now, display.CarFull)
	default:
		part := int(c.Price.Total(r.useNow(s, now)) * checkpoints / c.Limit)
		if part > s.flow.spoken {
			s.flow.spoken = part
			r.checkpoint(s, now)
		}
	}
}

// idleFeeRuns says whether standing still is being paid for, so that the charge
// need not end because of it.
func (r *Rules) idleFeeRuns(s *State, now hal.Instant) bool {
	p := s.Charge.Price.Idle
	if p.Minute == 0 || s.meter.last == s.Charge.Start {
		return false
	}
	owed := payment.Amount((s.flow.idle+r.idleNow(s, now.Mono))/time.Minute) * p.Minute
	return p.Cap == 0 || owed < p.Cap
}

// useNow is what the charge has used by now, as far as is believed.
func (r *Rules) useNow(s *State, now hal.Instant) payment.Use {
	return payment.Use{
		Energy: max(0, s.meter.last-s.Charge.Start),
		Time:   s.flow.lasts(now.Mono),
		Idle:   s.flow.idle + r.idleNow(s, now.Mono),
	}
}

// atWorst is what the charge will have used if it is stopped only at the next
// chance, at full power all the while.
func (r *Rules) atWorst(s *State, now hal.Instant) payment.Use {
	u, m := r.useNow(s, now), &s.meter
	// From the newest reading, and from the newest confirmed one: a single wrong
	// reading that is a little low looks like any other.
	byLast := m.last + r.MaxPower.Over(now.Mono-m.at+r.Refresh+overshoot)
	bySure := m.sure + r.MaxPower.Over(now.Mono-m.sureAt+r.Refresh+overshoot)
	u.Energy = max(byLast, bySure) + r.Grain - s.Charge.Start
	u.Time += overshoot
	if u.Idle > 0 {
		u.Idle += overshoot
	}
	return u
}

// checkpoint writes down what a dead meter and a power cut could not tell later.
// Time and idle time count only as far as they are written down.
func (r *Rules) checkpoint(s *State, now hal.Instant) {
	u := r.useNow(s, now)
	s.Charge.Seen = max(s.Charge.Seen, s.meter.sure)
	s.Charge.Elapsed, s.Charge.Idle = u.Time, u.Idle
}

// stopping waits for the final reading: two equal ones after the contacts have
// opened. If the contacts stay closed, or the meter stays silent, the charge is
// billed by what was known for sure.
func (r *Rules) stopping(s *State, now hal.Instant) {
	c, m := &s.Charge, &s.meter
	if s.Passing&Seeking != 0 {
		return // it may turn out that others have charged since
	}
	switch {
	case s.resting() && m.atRest(now.Mono) && m.last >= c.Start:
		c.End, s.Resting = m.last, m.last
		s.opened()
	case s.Latched&(Welded|MeterSwap) != 0, s.Latched&SenseBroken != 0 && !s.resting(), now.Mono-s.Since >= FinalWithin:
		c.End = max(c.Seen, c.Start)
	default:
		return
	}
	r.owe(s, now, c.owed(), c.Why)
}

// owe ends the charge and puts what is to be settled on the list.
func (r *Rules) owe(s *State, now hal.Instant, due payment.Amount, why display.End) {
	d := Debt{Charge: s.Charge, Due: due}
	d.Why, d.Ended = why, now.Wall
	if d.End == 0 {
		d.End = d.Start
	}
	a := s.ask
	a.out, a.tries, a.next, a.missing, a.back = false, 0, now.Mono, 0, s.back
	s.Debts = append(s.Debts[:len(s.Debts):len(s.Debts)], d)
	s.asks = append(s.asks[:len(s.asks):len(s.asks)], a)
	s.Charge, s.ask, s.url, s.back, s.phone, s.flow = Charge{}, ask{}, "", "", "", flow{}
	s.enter(Idle, now)
}
