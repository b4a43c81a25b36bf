package session

import (
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// settledWithin is how long a settlement may take before somebody should know. Chosen by
// us: many times what it takes, and long before a reservation can be lost.
const settledWithin = 5 * time.Minute

// Believed is the newest reading that is believed, zero before the first since the
// start, and when the meter was last heard at all, as an Instant.Mono: a meter that
// is heard later says what cannot be believed.
func (s *State) Believed() (r hal.Reading, heard time.Duration) {
	m := &s.meter
	if !m.known {
		return hal.Reading{}, m.heard
	}
	return hal.Reading{Register: m.last, Power: m.power, Supply: m.supply, Serial: s.Serial, At: m.at}, m.heard
}

// PlugSensed is where the plug was sensed last.
func (s *State) PlugSensed() hal.Plug { return s.plug }

// Dead says that nothing is live behind the contactor, as far as can be told, so that it
// may be closed.
func (s *State) Dead(now time.Duration) bool { return s.dead(now) }

// Asking tells how the settling of debt i stands, as Instant.Mono: when the service is
// asked next, and from when on a person may have it asked sooner (Retried). Out says
// that it is being asked.
func (s *State) Asking(i int) (next, retry time.Duration, out bool) {
	q := &s.asks[i]
	return q.mayAt(), s.retryFrom(i), q.out
}

// Stuck says whether a debt waits for a person, or longer than any settlement should.
func (d *Debt) Stuck(now hal.Stamp) bool {
	age, _, known := d.Countdown(now)
	return d.Trouble != payment.NoReason || known && age > settledWithin
}

// Contactor is where the contactor stands, in a word: open, closed, mismatch where it
// does not do as it is told, or unknown.
func (s *State) Contactor(now time.Duration) string {
	const bad = Welded | WontClose | SenseBroken
	switch closed := s.SensedAs(hal.Closed, now); {
	case closed && s.Phase != Charging && !s.test.On() && s.Latched&bad != 0:
		return "mismatch"
	case closed:
		return hal.Closed.String()
	case s.SensedAs(hal.Open, now):
		return hal.Open.String()
	}
	return "unknown"
}

// Quality is what the newest reading is worth, in a word: ok, stale, missing or
// implausible. A post that starts does not believe its meter at its first word.
func (s *State) Quality(now time.Duration, starts bool) string {
	r, heard := s.Believed()
	switch q := r.Quality(now); {
	case q == hal.Fresh:
		return "ok"
	case q == hal.Missing && starts:
		return "missing"
	case heard > r.At && now-heard <= hal.StaleAfter:
		return "implausible"
	case q == hal.Stale:
		return "stale"
	}
	return "missing"
}
