package session

import (
	"fmt"
	"time"

	"stolpe/hal"
)

// A technician's test closes the contactor of an EVSE that is out of service, for a
// moment, to see that it closes and opens again. Nobody pays for what flows meanwhile,
// because nothing may: there is no charge, and no car where that can be told.

// TestFor is how long a test keeps the contactor closed at most. Chosen by us: as long
// as a contactor may take to follow, and less than a car's charger takes to draw.
const TestFor = MoveWithin

// Test is the newest test of the contactor since the program began. All instants are
// Instant.Mono, and 0 for what has not happened.
type Test struct {
	Begun    time.Duration // when it was agreed to
	Ordered  time.Duration // closed
	Closed   time.Duration // and sensed so
	Ended    time.Duration // ordered open again
	Opened   time.Duration // and sensed so
	Register hal.Energy    // when it began, Wh
	Cut      string        // what ended it before its time; empty for nothing
}

// On says whether the test is under way.
func (t *Test) On() bool { return t.Begun > 0 && t.Ended == 0 }

// Test is the newest test since the program began, zero without one. It does not
// survive a restart: then the contactor is open.
func (s *State) Test() Test { return s.test }

const (
	// untestable faults forbid a test. Of those that open a contactor, being out of
	// service is what a test takes, and whether a contactor closes and is sensed is what
	// it finds out. While it is not known which payments there are, or what the journal
	// lost, the register must be left alone.
	untestable = unsafe&^(Withdrawn|Recall|WontClose|SenseBroken) | Seeking | Rotten
)

// Tests says what speaks against beginning a test in s, and what to do about it; ""
// when nothing does.
func (r *Rules) Tests(s *State, now hal.Instant) string {
	switch against := r.againstTest(s); {
	case against != "":
		return against
	case s.test.On():
		return "a test is under way: wait until it has ended"
	case s.Faults()&Worn != 0:
		return fmt.Sprintf("it has closed %d times within an hour: wait", len(s.switched))
	case s.sense.known && s.sense.position == hal.Closed:
		return "it is sensed closed already: switch the post off at its breaker and look at contacts and sense wire"
	case !s.SensedAs(hal.Open, now.Mono):
		return "the sense line has not been read lately: wait" // and the plug with it
	case !s.dead(now.Mono):
		return "the register has not been seen standing still: wait some seconds, and look at the meter if that does not help"
	case now.Mono-s.sense.since < r.Limits.Rest:
		return fmt.Sprintf("it has been open for less than %v: wait", r.Limits.Rest)
	}
	return ""
}

// againstTest says what speaks against a contactor that is closed for a test, whether
// that begins or is under way.
func (r *Rules) againstTest(s *State) string {
	switch no := s.Faults() & untestable; {
	case s.Phase != Idle:
		return "somebody is charging: wait until that has ended"
	case s.Latched&Withdrawn == 0:
		return "no technician has taken it out of service: do that first"
	case no != 0:
		return no.String() + ": put that right first"
	case !r.NoPlug && s.plug == hal.PlugIn:
		return "a cable is plugged in: unplug it"
	case !r.NoPlug && s.plug != hal.PlugOut:
		return "nobody knows whether a cable is plugged in: look at the plug input"
	case s.meter.load >= drawing:
		return fmt.Sprintf("%v flow at the meter: find out where to", s.meter.load)
	case s.test.Closed > 0 && s.test.On() && s.sense.position == hal.Open:
		return "it has opened by itself"
	}
	return ""
}

// testing says whether the contactor is to be closed for a test. It looks at all that
// a test takes, and not at whether that was so once.
func (r *Rules) testing(s *State, now time.Duration) bool {
	return s.test.On() && now-s.test.Begun < TestFor && r.againstTest(s) == ""
}

// test begins a test, if nothing speaks against it.
func (r *Rules) test(s *State, now hal.Instant) {
	if r.Tests(s, now) != "" {
		return
	}
	s.test = Test{Begun: now.Mono, Register: s.meter.last}
	s.meter.restart()
}

// judgeTest ends a test whose time is over, or against which something speaks, and
// notes what came of it.
func (r *Rules) judgeTest(s *State, now hal.Instant) {
	t, c := &s.test, &s.sense
	switch {
	case t.On() && !r.testing(s, now.Mono):
		s.endTest(now, r.againstTest(s))
	case t.On() && t.Ordered > 0 && t.Closed == 0 && c.position == hal.Closed:
		t.Closed, s.Misses = c.since, 0
	case t.Ended > 0 && t.Closed > 0 && t.Opened == 0 && c.position == hal.Open && c.since > t.Closed:
		t.Opened = c.since
		s.moved(max(0, t.Opened-t.Ended))
	}
}

// endTest has the contactor open again.
func (s *State) endTest(now hal.Instant, cut string) {
	t := &s.test
	if !t.On() {
		return
	}
	t.Ended, t.Cut = now.Mono, cut
	s.meter.restart()
	if t.Ordered > 0 {
		s.Wear.Closings++
		if s.meter.load >= drawing {
			s.Wear.Hot++
		}
	}
}
