package session

import (
	"time"

	"stolpe/hal"
)

// meter is what is believed of the meter.
//
// With the contactor closed a reading must follow from the last believed one:
// not lower, and no further up than full power could have carried it. One that
// does not follow may still be right, if the next one follows from it: then two
// agree against one. With the contactor open the register stands still, so a
// reading is believed when it equals the one before it, never on its own word.
type meter struct {
	last   hal.Energy    // newest believed register, Wh
	at     time.Duration // Reading.At of it; before the first, when the program started
	sure   hal.Energy    // newest register that a later reading has confirmed, Wh
	sureAt time.Duration // Reading.At of it
	power  hal.Power     // told with last, W
	load   hal.Power     // told with the newest reading, believed or not, W
	loadAt time.Duration // Reading.At of it
	calm   time.Duration // Reading.At of the newest with a load below drawing
	supply hal.Supply    // told with it
	known  bool          // anything has been believed since the start
	doubt  time.Duration // Reading.At of the first of a run that could not be believed; 0 without one
	below  bool          // the newest that could not be believed was too low

	raw    hal.Energy    // newest register, believed or not, Wh
	heard  time.Duration // Reading.At of it
	begun  bool          // there was a reading since this rest or flow began
	still  uint8         // at rest: readings in a row equal to raw, that one included, each a Refresh after the one before
	stood  time.Duration // at rest: Reading.At of the newest of those
	rising uint8         // at rest: readings in a row, each above the one before
	base   hal.Energy    // at rest: the first believed register, Wh; 0 before it
	baseAt time.Duration // Reading.At of it
}

const (
	// equalReadings in a row make a start or a final reading. Fixed by the design.
	equalReadings = 2
	// risingReadings at rest, each above the one before, are a current and not a
	// glitch. Chosen by us.
	risingReadings = 3
	// A register that stands still for frozenAfter while the meter itself tells of
	// at least frozenPower is frozen. Chosen by us: 42 Wh, several steps of any meter.
	frozenAfter           = 5 * time.Minute
	frozenPower hal.Power = 500
	// ownUse is what may flow behind the meter with the contactor open: a lamp, a
	// residual current device. Chosen by us; whatever is more flows through contacts.
	ownUse hal.Power = 20
)

// atRest says whether the register has been seen standing still, lately.
func (m *meter) atRest(now time.Duration) bool {
	return m.known && m.still >= equalReadings && m.raw == m.last && now-m.at <= freshFor
}

// restart forgets the readings that may not be compared with those to come.
func (m *meter) restart() {
	m.begun, m.still, m.rising, m.base = false, 0, 0, 0
}

// confirm notes a register that two readings stand for.
func (m *meter) confirm(register hal.Energy, at time.Duration) {
	if register >= m.sure {
		m.sure, m.sureAt = register, at
	}
}

// metered takes in a reading.
func (r *Rules) metered(s *State, now hal.Instant, v hal.Reading) {
	m := &s.meter
	rest := s.resting()
	if v.At <= m.loadAt || v.At <= m.heard || !r.sameMeter(s, v.Serial) {
		return // late, told twice, or not ours
	}
	m.load, m.loadAt, m.supply = v.Power, v.At, v.Supply
	if v.Power < drawing {
		m.calm = v.At
	}
	if rest && v.At <= s.sense.since+r.Refresh {
		return // taken before the contacts opened, or from what the meter had measured before
	}
	v.Register = r.unrolled(s, v.Register)
	prev, prevAt := m.raw, m.heard
	m.raw, m.heard = v.Register, v.At
	if m.doubt == 0 || v.At-prevAt > MeterWithin/2 {
		m.doubt = v.At
	}
	if rest {
		r.meterResting(s, v, prev)
	} else {
		r.meterFlowing(s, v, prev, prevAt)
	}
	m.begun = true
	m.below = v.Register < max(s.floor(), m.last)
	if m.known && m.at == v.At {
		m.doubt = 0
		s.Passing &^= MeterSilent
		r.noteFlow(s, now)
	}
}

func (r *Rules) meterFlowing(s *State, v hal.Reading, prev hal.Energy, prevAt time.Duration) {
	m := &s.meter
	agrees := m.begun && r.follows(v, prev, prevAt)
	if !(m.known && r.follows(v, m.last, m.at)) && !(agrees && r.possible(s, v)) {
		return
	}
	if agrees && prev >= s.floor() {
		m.confirm(prev, prevAt)
	}
	m.last, m.at, m.power, m.known = v.Register, v.At, v.Power, true
}

func (r *Rules) meterResting(s *State, v hal.Reading, prev hal.Energy) {
	m := &s.meter
	switch {
	case m.begun && v.Register == prev:
		if v.At-m.stood >= r.Refresh {
			m.still, m.rising, m.stood = min(m.still+1, equalReadings), 0, v.At
		}
	case m.begun && v.Register > prev && v.Register-prev <= r.plausible(MeterWithin):
		m.still, m.rising, m.stood = 1, m.rising+1, v.At
	default:
		m.still, m.rising, m.stood = 1, 0, v.At
	}
	if m.rising >= risingReadings {
		s.Latched |= Welded
	}
	if m.still < equalReadings || !r.possible(s, v) {
		return
	}
	if m.base == 0 {
		m.base, m.baseAt = v.Register, v.At
	}
	if v.Register-m.base > r.drift(v.At-m.baseAt) {
		s.Latched |= Welded // energy flows through contacts that are said to be open
	}
	m.last, m.at, m.power, m.known = v.Register, v.At, v.Power, true
	m.sure, m.sureAt = v.Register, v.At
}

// drift is what the register may move, in Wh, in d with the contactor open: one step,
// and what the post uses itself.
func (r *Rules) drift(d time.Duration) hal.Energy {
	return r.Grain + hal.Energy(time.Duration(ownUse)*d/time.Hour)
}

// follows says whether v can come after a register read at a time.
func (r *Rules) follows(v hal.Reading, from hal.Energy, at time.Duration) bool {
	return v.Register >= from && v.Register-from <= r.plausible(v.At-at)
}

// possible says whether a register that two readings agree on can be true: not
// below what was there when the charge began, not above what can have flowed
// since the last belief, and not further below that belief than a wrong reading
// can have carried it.
func (r *Rules) possible(s *State, v hal.Reading) bool {
	m := &s.meter
	if v.Register < s.floor() {
		return false
	}
	if !m.known {
		return r.possibleAfterCut(&s.Charge, v.Register)
	}
	up := v.Register - m.last
	return up <= r.plausible(v.At-m.at) && -up <= r.plausible(MeterWithin)
}

// possibleAfterCut says whether a charge that a restart has ended can have come so
// far: not past the checkpoint after the one that a power cut may have undone, and
// what flows while a slow card writes that.
func (r *Rules) possibleAfterCut(c *Charge, register hal.Energy) bool {
	if c.Number == 0 || c.Gathered || c.Price.KWh == 0 {
		return true
	}
	part := hal.Energy(int64(c.Limit) * int64(hal.KWh) / int64(c.Price.KWh) / checkpoints)
	return register <= c.Seen+2*part+r.plausible(MeterWithin)
}

// plausible is how far the register can have come in d, in Wh: at full power, a
// tenth more for tolerance, the meter's own delay of at least a second, and two
// steps.
func (r *Rules) plausible(d time.Duration) hal.Energy {
	return (r.MaxPower + r.MaxPower/10).Over(d+max(r.Refresh, time.Second)) + 2*r.Grain
}

// unrolled gives the register as it would stand if it did not begin again at 0
// when it is full. It has done so if, counted on past the end, it has come no
// further from where it last stood still than a charge can go. From then on all
// registers of this EVSE are counted like that, until a technician restores it.
func (r *Rules) unrolled(s *State, register hal.Energy) hal.Energy {
	floor := s.floor()
	if r.Modulus == 0 || register >= floor {
		return register
	}
	ahead := (register%r.Modulus - floor%r.Modulus + r.Modulus) % r.Modulus
	if ahead > r.plausible(r.Limits.Longest) {
		return register
	}
	return floor + ahead
}

// floor is a register, in Wh, below which the meter cannot be.
func (s *State) floor() hal.Energy { return max(s.Resting, s.Charge.Start) }

// sameMeter pins the first serial number told and raises MeterSwap at another.
// A meter that cannot tell its number is taken at its word.
func (r *Rules) sameMeter(s *State, serial string) bool {
	switch {
	case serial == "" || serial == s.Serial:
		return true
	case s.Serial == "" && (r.Serial == "" || r.Serial == serial):
		s.Serial = serial
		return true
	}
	s.Latched |= MeterSwap
	return false
}

// judgeMeter raises what time brings up: silence, nonsense, a frozen register, no
// mains. A meter that speaks again after a silence is given time to be believed.
func (r *Rules) judgeMeter(s *State, now hal.Instant) {
	m := &s.meter
	s.Passing &^= SupplyGone
	if m.supply == hal.SupplyMissing {
		s.Passing |= SupplyGone
	}
	if now.Mono-m.at > MeterWithin {
		nonsense := m.doubt > 0 && m.heard-m.doubt > MeterWithin/2 && now.Mono-m.heard <= MeterWithin/2
		switch {
		case s.Latched&meterLies != 0: // named already
		case nonsense && m.below:
			s.Latched |= MeterBack
		case nonsense:
			s.Latched |= MeterAstray
		default:
			s.Passing |= MeterSilent
		}
	}
	if s.Phase == Charging && m.power >= frozenPower && now.Mono-max(s.flow.countedAt, s.flow.hushed) > r.frozenWithin() {
		s.Latched |= MeterFrozen
	}
	// At rest a register that moves is Welded; three of its steps would have shown.
	most := max(frozenAfter, 3*time.Duration(r.Grain)*time.Hour/time.Duration(drawing))
	if s.resting() && m.load >= drawing && m.loadAt-max(m.calm, s.sense.since) > most {
		s.Latched |= MeterFrozen
	}
}

// frozenWithin is how long a register may stand still under power: long enough
// for the steps of a coarse one.
func (r *Rules) frozenWithin() time.Duration {
	return max(frozenAfter, time.Duration(2*r.Grain)*time.Hour/time.Duration(frozenPower))
}
