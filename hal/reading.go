package hal

import (
	"fmt"
	"time"
)

// StaleAfter is the age at which a reading may no longer be shown as if it were
// the present. Chosen by us: the driver's page promises to say so after 30 s.
const StaleAfter = 30 * time.Second

// Reading is what a meter said, and when.
type Reading struct {
	Register Energy        // the import register, Wh, as the meter itself counts
	Power    Power         // total active power, W, drawn from the grid
	Supply   Supply        // whether there is mains voltage at the meter
	Serial   string        // of the meter that answered; empty if it cannot tell
	At       time.Duration // Instant.Mono at which the whole answer had arrived
}

// Supply says whether mains voltage stands at the meter, which is before the
// contactor.
type Supply uint8

// What is known of the supply.
const (
	SupplyUnknown Supply = iota // the meter was not asked, or cannot tell
	SupplyMissing
	SupplyPresent
)

// String gives the supply as a word.
func (s Supply) String() string {
	switch s {
	case SupplyMissing:
		return "missing"
	case SupplyPresent:
		return "present"
	}
	return "unknown"
}

// Quality says what a reading is worth.
type Quality uint8

// The qualities of a reading.
const (
	Missing Quality = iota // there is none
	Stale                  // older than StaleAfter
	Fresh
)

// Quality judges the reading at the monotonic instant now.
func (r Reading) Quality(now time.Duration) Quality {
	switch {
	case r == Reading{}:
		return Missing
	case now-r.At > StaleAfter:
		return Stale
	}
	return Fresh
}

// Format writes the register as text at the monotonic instant now, and says so
// when the number is missing or old: it cannot be mistaken for a live one.
func (r Reading) Format(now time.Duration) string {
	switch r.Quality(now) {
	case Missing:
		return "no reading"
	case Stale:
		return fmt.Sprintf("%v (stale, %v old)", r.Register, (now - r.At).Round(time.Second))
	}
	return r.Register.String()
}
