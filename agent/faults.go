package main

import (
	"time"

	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/agent/telemetry"
	"stolpe/hal"
)

// Chosen by us.
const (
	// earlyFor is how long what was wrong at a start may stand before it is told: a
	// meter that has not been read yet is no news.
	earlyFor = 30 * time.Second
	// awayFor is how long a fault must be away to be over: one that comes and goes by
	// the second is one fault.
	awayFor = 10 * time.Second
	// oftenAway is the same of a fault that has been raised often of late: each time that
	// it comes and goes is written to a card, and sent.
	oftenAway = 10 * time.Minute
	often     = 5         // times
	lately    = time.Hour // within which it was raised so often
)

// complaints are the faults of an EVSE as they were told.
type complaints struct {
	told  session.Faults
	early session.Faults // there at the start, and not told yet
	until time.Duration  // when they are told, Instant.Mono; 0 at the start
	since map[session.Faults]hal.Instant
	gone  map[session.Faults]hal.Instant // those of told that may be over

	raised map[session.Faults][]time.Duration // when each was raised the last few times, Instant.Mono
}

// complained are the faults that the book has, and those that were found at a start.
func complained(raised ledger.Raised, found *session.State) complaints {
	c := complaints{since: map[session.Faults]hal.Instant{}, gone: map[session.Faults]hal.Instant{}, raised: map[session.Faults][]time.Duration{}}
	session.EachFault(func(f session.Faults) {
		if at, ok := raised[f.Code()]; ok {
			c.told |= f
			c.since[f] = hal.Instant{Wall: hal.Stamp{Unix: at}}
		}
	})
	c.early = found.Passing &^ c.told
	return c
}

// judge tells what is new, and what is over.
func (c *complaints) judge(faults session.Faults, now hal.Instant, tell func(ledger.Kind, ledger.Fault, hal.Stamp)) {
	if c.until == 0 {
		c.until = now.Mono + earlyFor
	}
	c.early &= faults
	if now.Mono >= c.until {
		c.early = 0
	}
	if faults == c.told && len(c.gone) == 0 {
		return
	}
	session.EachFault(func(f session.Faults) {
		is, told := faults&f != 0, c.told&f != 0
		went, away := c.gone[f]
		switch {
		case is && !told && c.early&f == 0:
			c.told |= f
			c.since[f] = now
			times := append(c.raised[f], now.Mono)
			c.raised[f] = times[max(0, len(times)-often):]
			tell(ledger.FaultRaised, faultOf(f), now.Wall)
		case is && away:
			delete(c.gone, f)
		case !is && told && !away:
			c.gone[f] = now
		case !is && told && now.Mono-went.Mono >= c.away(f):
			over := faultOf(f)
			over.Seconds = c.lasted(f, went)
			c.told &^= f
			delete(c.gone, f)
			delete(c.since, f)
			tell(ledger.FaultCleared, over, went.Wall)
		}
	})
}

// away is how long a fault must be away to be over.
func (c *complaints) away(f session.Faults) time.Duration {
	if times := c.raised[f]; len(times) == often && times[often-1]-times[0] <= lately {
		return oftenAway
	}
	return awayFor
}

// lasted is how long a fault was there, in s; 0 if nobody knows.
func (c *complaints) lasted(f session.Faults, went hal.Instant) int64 {
	came := c.since[f]
	switch {
	case came.Mono > 0:
		return int64((went.Mono - came.Mono) / time.Second)
	case came.Wall.Unix < epoch || went.Wall.Clock == hal.ClockUnknown:
		return 0
	}
	return max(0, went.Wall.Unix-came.Wall.Unix)
}

func faultOf(f session.Faults) ledger.Fault {
	return ledger.Fault{Code: f.Code(), Class: telemetry.ClassOf(f.Code()), Text: f.String()}
}
