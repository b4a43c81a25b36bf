package session

import (
	"slices"
	"time"

	"stolpe/display"
	"stolpe/hal"
)

// sense is what the sense line says of the contactor.
type sense struct {
	position hal.Position
	known    bool          // it has been read since the start
	at       time.Duration // Sensed.At of the newest reading
	since    time.Duration // Sensed.At of the first in this run of equal ones
	wrong    time.Duration // since when it has not been as ordered; 0 when it is
}

// flow is what the charge under way has seen of its energy.
type flow struct {
	from      time.Duration // when the contactor was ordered closed; 0 before
	closed    bool          // sensed closed since
	hot       bool          // power flowed when it was ordered open
	movedAt   time.Duration // when energy last flowed in earnest
	countedAt time.Duration // when the register last moved in earnest
	mark      hal.Energy    // register at markAt, Wh
	markAt    time.Duration // since when energy is counted to see whether it flows
	hushed    time.Duration // when the meter last told of less than frozenPower
	pace      hal.Energy    // register at paceAt, Wh
	paceAt    time.Duration // since when register and power are compared; 0: not while little flows
	idle      time.Duration // idle fee of earlier quiet spells
	spoken    int           // checkpoints written
}

// begin notes that the contactor has been ordered closed.
func (f *flow) begin(now hal.Instant, register hal.Energy) {
	if f.from == 0 {
		f.from, f.movedAt, f.countedAt, f.mark, f.markAt = now.Mono, now.Mono, now.Mono, register, now.Mono
	}
}

// lasts is how long the contactor has been ordered closed.
func (f *flow) lasts(now time.Duration) time.Duration {
	if f.from == 0 {
		return 0
	}
	return now - f.from
}

// resting says whether the contactor is open for certain: not wanted closed, and
// sensed open.
func (s *State) resting() bool {
	return s.Phase != Charging && !s.test.On() && s.sense.known && s.sense.position == hal.Open
}

// dead says that nothing is live behind the contactor, as far as four signals can
// tell: it is not wanted closed, it is sensed open, the register stands still and
// the meter tells of no power. Only then may it be closed.
func (s *State) dead(now time.Duration) bool {
	return s.resting() && s.meter.atRest(now) && s.meter.load < drawing
}

// given says whether the contactor has been ordered closed for what it is to be closed
// for.
func (s *State) given() bool {
	if s.test.On() {
		return s.test.Ordered > 0
	}
	return s.flow.from > 0
}

// closes notes that the contactor has been ordered closed. An order that is said
// again, after an error, closes nothing more.
func (r *Rules) closes(s *State, now hal.Instant) {
	if s.given() {
		return
	}
	if most := r.Limits.Closings; most > 0 {
		last := s.switched[max(0, len(s.switched)+1-most):]
		s.switched = append(slices.Clone(last), now.Mono)
	}
	if s.test.On() {
		s.test.Ordered = now.Mono
		return
	}
	s.flow.begin(now, s.meter.last)
}

// worn says whether the contactor has closed as often as it may in an hour.
func (r *Rules) worn(s *State, now time.Duration) bool {
	most := r.Limits.Closings
	return most > 0 && len(s.switched) >= most && now-s.switched[len(s.switched)-most] < time.Hour
}

// wear counts the opening that begins now and the closing before it.
func (s *State) wear() {
	if s.flow.from == 0 {
		return
	}
	s.Wear.Closings++
	if s.flow.hot = s.meter.load >= drawing; s.flow.hot {
		s.Wear.Hot++
	}
}

// opened notes how long the contacts took to open. The time includes what the
// sense input takes to be sure; what matters is whether it grows.
func (s *State) opened() {
	if s.flow.closed && s.sense.since > s.Since {
		s.moved(s.sense.since - s.Since)
	}
}

// moved notes an opening that took so long.
func (s *State) moved(took time.Duration) {
	s.Wear.Opening = took
	s.Wear.Slowest = max(s.Wear.Slowest, took)
}

// sensed takes in a reading of the sense line.
func (r *Rules) sensed(s *State, e Sensed) {
	c := &s.sense
	if c.known && e.At <= c.at {
		return
	}
	if !c.known || e.Position != c.position {
		c.since = e.At
		s.meter.restart()
	}
	c.position, c.at, c.known = e.Position, e.At, true
	s.Passing &^= SenseSilent
}

// judgeContactor compares what is sensed with what is ordered.
func (r *Rules) judgeContactor(s *State, now hal.Instant) {
	c := &s.sense
	if now.Mono-c.at > SenseWithin {
		s.Passing |= SenseSilent
	}
	s.Passing &^= Worn
	if r.worn(s, now.Mono) {
		s.Passing |= Worn
	}
	ordered, given := hal.Open, true
	if s.Phase == Charging || r.testing(s, now.Mono) {
		ordered, given = hal.Closed, s.given()
	}
	switch {
	case !c.known || c.position == ordered || !given:
		c.wrong = 0
		if s.Phase == Charging && c.position == hal.Closed && !s.flow.closed {
			s.flow.closed, s.Misses = true, 0
		}
	case c.wrong == 0:
		c.wrong = max(now.Mono, s.Since)
	}
	// Judged by what has been sensed since, not by a reading older than the order.
	overdue := c.wrong > 0 && c.at-c.wrong > MoveWithin
	if overdue && ordered == hal.Open {
		s.Latched |= r.whyClosed(s, now.Mono)
	}
	if s.Phase == Charging && c.position == hal.Open && (overdue || s.flow.closed) {
		r.missed(s, now)
	}
}

// whyClosed says why the contactor is sensed closed although it is ordered open.
// Power that goes on flowing flows through welded contacts. If it flowed into a car
// that is still there and has stopped with the order, the contacts have opened and it
// is the sense line that lies; as long as the meter has not spoken of it, nobody
// knows. In every other case the contacts count as welded.
func (r *Rules) whyClosed(s *State, now time.Duration) Faults {
	m := &s.meter
	order := max(s.Since, s.test.Ended)
	told := m.loadAt > order+r.Refresh // what flows since the order
	switch {
	case told && m.load >= drawing:
		return Welded
	case s.Latched&SenseBroken != 0:
		return 0
	case r.NoPlug || s.plug != hal.PlugIn || !s.flow.hot:
		return Welded
	case told:
		return SenseBroken
	case now-order <= MeterWithin/2:
		return 0 // the meter has not spoken of it yet
	}
	return Welded
}

// missed ends a charge whose contactor is sensed open although it is ordered
// closed. If power flows all the same it is the sense line that lies; without
// mains voltage no coil pulls, and the contactor is not to blame; one that had
// been closed has opened by itself.
func (r *Rules) missed(s *State, now hal.Instant) {
	m := &s.meter
	switch {
	case m.load >= drawing && m.loadAt > s.sense.since && m.loadAt > s.flow.from:
		s.Latched |= SenseBroken
	case !s.flow.closed && m.supply != hal.SupplyMissing:
		s.Misses++
		if s.Misses >= closeTries {
			s.Latched |= WontClose
		}
	}
	r.stop(s, now, display.ContactorBad)
}

// flowWindow is the time over which power is averaged to see whether a car is
// charging. Chosen by us: the least that counts, drawing, moves a fine register
// by one or two steps in it.
const flowWindow = time.Minute

// noteFlow marks when energy was last seen to flow in earnest: at drawing or more
// on average. A car's own standby does not count.
func (r *Rules) noteFlow(s *State, now hal.Instant) {
	f, m := &s.flow, &s.meter
	if s.Phase != Charging || f.from == 0 {
		return
	}
	if m.power < frozenPower {
		f.hushed = m.at
	}
	r.comparePace(s)
	window := m.at - f.markAt
	flows := m.last-f.mark >= max(r.Grain, drawing.Over(max(window, flowWindow)))
	if flows {
		f.countedAt = m.at
	}
	if flows || m.power >= drawing { // between two steps of the register the power tells
		f.idle += r.idleNow(s, now.Mono)
		f.movedAt = m.at
	}
	if flows || window >= max(flowWindow, time.Duration(r.Grain)*time.Hour/time.Duration(drawing)) {
		f.mark, f.markAt = m.last, m.at
	}
}

// comparePace holds the register against the power that the meter tells of: while
// at least frozenPower flows, at least half of what it makes must be counted. Less
// is a register in another unit than its map says, or another register.
func (r *Rules) comparePace(s *State) {
	f, m := &s.flow, &s.meter
	span := m.at - f.paceAt
	switch {
	case m.power < frozenPower:
		f.paceAt = 0
		return
	case f.paceAt > 0 && span < r.frozenWithin():
		return
	case f.paceAt > 0 && m.last > f.pace && m.last-f.pace+r.Grain < frozenPower.Over(span)/2:
		s.Latched |= MeterUnit
	}
	f.pace, f.paceAt = m.last, m.at
}

// quiet is how long no energy to speak of has flowed.
func (s *State) quiet(now time.Duration) time.Duration { return max(0, now-s.flow.movedAt) }

// idleNow is how long the idle fee has run in the present quiet spell.
func (r *Rules) idleNow(s *State, now time.Duration) time.Duration {
	p := s.Charge.Price.Idle
	if p.Minute == 0 {
		return 0
	}
	return max(0, s.quiet(now)-p.After)
}

// Signals are what the wires of the post said last.
func (s *State) Signals() hal.Signals { return s.signals }

// SensedAs says whether the contactor has been sensed at p, lately.
func (s *State) SensedAs(p hal.Position, now time.Duration) bool {
	return s.sense.known && s.sense.position == p && now-s.sense.at <= MoveWithin
}
