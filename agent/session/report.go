package session

import (
	"time"

	"stolpe/hal"
)

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
