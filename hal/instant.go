package hal

import "time"

// Clock says how far the wall clock can be trusted. A Raspberry Pi has no
// battery clock and may start in 1970.
type Clock uint8

// The qualities of a wall clock.
const (
	ClockUnknown  Clock = iota // never set since start-up
	ClockHoldover              // set once, not disciplined now
	ClockSynced                // disciplined by a time source
)

// String gives the quality as the word used in telemetry and receipts.
func (c Clock) String() string {
	switch c {
	case ClockSynced:
		return "synced"
	case ClockHoldover:
		return "holdover"
	}
	return "unknown"
}

// Stamp is a time of day as the wall clock told it. It is recorded and shown;
// of decisions, only those that take days are made by it, and only by good clocks.
type Stamp struct {
	Unix  int64 // seconds since 1970-01-01 UTC
	Clock Clock
}

// Time gives the stamp as a time in UTC.
func (s Stamp) Time() time.Time { return time.Unix(s.Unix, 0).UTC() }

// Instant is one point in time told twice: by a clock that never jumps and by
// one that people read.
type Instant struct {
	Mono time.Duration // since this program started; the only one that is subtracted
	Wall Stamp
}
