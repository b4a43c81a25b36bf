package main

import (
	"os"
	"time"

	"stolpe/hal"
)

// clock tells the time as the machine has it.
type clock struct {
	began time.Time // monotonic
}

// epoch is a time before which this program did not exist: a clock that says so
// is wrong.
const epoch = 1767225600 // 2026-01-01T00:00:00Z

// synchronised is the file by which systemd-timesyncd says that the wall clock
// has been set by a time server since boot (systemd-timesyncd.service(8)).
const synchronised = "/run/systemd/timesync/synchronized"

// now gives the present instant. Mono starts at one second: zero means never.
func (c clock) now() hal.Instant {
	i := hal.Instant{Mono: time.Since(c.began) + time.Second, Wall: hal.Stamp{Unix: time.Now().Unix()}}
	switch _, err := os.Stat(synchronised); {
	case i.Wall.Unix < epoch:
	case err == nil:
		i.Wall.Clock = hal.ClockSynced
	default:
		i.Wall.Clock = hal.ClockHoldover
	}
	return i
}

// mono is now's monotonic part.
func (c clock) mono() time.Duration { return time.Since(c.began) + time.Second }
