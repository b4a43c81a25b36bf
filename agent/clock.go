package main

import (
	"os"
	"sync/atomic"
	"time"

	"stolpe/hal"
)

// clock tells the time as the machine has it.
type clock struct {
	began time.Time // monotonic
	*timeSource
}

// timeSource is who sets the wall clock from outside.
type timeSource struct {
	sets func() bool // says whether somebody does, or has since boot
	did  atomic.Bool // somebody has been seen to since the program began
}

// setFromOutside says whether the wall clock is, or was since the program began. A board
// without a battery boots with the time of its last end: until then it cannot tell an old
// command from a new one.
func (s *timeSource) setFromOutside() bool { return s.look() || s.did.Load() }

func (s *timeSource) look() bool {
	is := s.sets()
	if is {
		s.did.Store(true)
	}
	return is
}

// epoch is a time before which this program did not exist: a clock that says so
// is wrong.
const epoch = 1767225600 // 2026-01-01T00:00:00Z

// synchronised is the file by which systemd-timesyncd says that the wall clock
// has been set by a time server since boot (systemd-timesyncd.service(8)).
const synchronised = "/run/systemd/timesync/synchronized"

// machineTime is the time source of this machine: what the kernel says of any, or
// systemd-timesyncd, which leaves a file.
func machineTime() *timeSource {
	return &timeSource{sets: func() bool {
		_, err := os.Stat(synchronised)
		return err == nil || clockOffset() != nil
	}}
}

// now gives the present instant. Mono starts at one second: zero means never.
func (c clock) now() hal.Instant {
	i := hal.Instant{Mono: time.Since(c.began) + time.Second, Wall: hal.Stamp{Unix: time.Now().Unix()}}
	switch set := c.look(); {
	case i.Wall.Unix < epoch:
	case set:
		i.Wall.Clock = hal.ClockSynced
	default:
		i.Wall.Clock = hal.ClockHoldover
	}
	return i
}

// mono is now's monotonic part.
func (c clock) mono() time.Duration { return time.Since(c.began) + time.Second }
