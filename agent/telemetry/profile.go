package telemetry

import "time"

// Profile is how much a post tells: what a mobile subscription of ten years allows,
// or a cable.
type Profile string

// The profiles.
const (
	Minimal  Profile = "minimal"  // states, events and health: no stream of the meter
	Frugal   Profile = "frugal"   // for mobile networks
	Standard Profile = "standard" // for a cable
)

// Pace is how often a profile tells what always changes; 0 is never.
type Pace struct {
	Health   time.Duration
	Charging time.Duration // session and meter, while charging
	Idle     time.Duration // meter, while not
	State    time.Duration // again, without a change
}

// Pace gives how often the profile tells. Chosen by us, by what it costs a month with
// four charges of an hour and a half a day: go run ./cross bench data.
func (p Profile) Pace() Pace {
	switch p {
	case Minimal:
		return Pace{Health: time.Hour, State: time.Hour}
	case Standard:
		return Pace{Health: 5 * time.Minute, Charging: 10 * time.Second, Idle: 5 * time.Minute, State: 15 * time.Minute}
	}
	return Pace{Health: 15 * time.Minute, Charging: time.Minute, Idle: 30 * time.Minute, State: 30 * time.Minute}
}
