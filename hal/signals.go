package hal

import "strings"

// Signals is the set of things that the wires of a post say against charging. A
// wire that is broken says it too, so the empty set is only what sound wires say.
type Signals uint8

// The signals.
const (
	StopPressed   Signals = 1 << iota // the stop button is held
	EmergencyStop                     // the emergency stop is pressed
	RCDTripped                        // the residual current device has cut the supply
	TooHot                            // the thermostat in the cabinet has opened
)

// Trips are the signals that open a contactor without asking anybody.
const Trips = EmergencyStop | RCDTripped

// String lists the signals in words; "none" for the empty set.
func (s Signals) String() string {
	var words []string
	for i, w := range [...]string{"stop button", "emergency stop", "RCD tripped", "too hot"} {
		if s&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
