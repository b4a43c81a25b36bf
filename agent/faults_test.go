package main

import (
	"strings"
	"testing"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
)

// A fault that comes and goes all day is one that goes on: it does not fill the card.
func TestFaultThatFlapsGoesOn(t *testing.T) {
	s, book, _ := newStudy(t, session.State{})
	see := func(second int, f session.Faults) {
		s.Saw(evse.Moment{After: session.State{Passing: f}, Now: secondsIn(second)})
		if err := s.write(); err != nil {
			t.Fatal(err)
		}
	}
	counts := func(raised, cleared int) {
		t.Helper()
		if got := storied(t, book); strings.Count(got, "fault.raised") != raised || strings.Count(got, "fault.cleared") != cleared {
			t.Errorf("want %d and %d: %s", raised, cleared, got)
		}
	}
	now := 0
	for range 400 { // two hours
		see(now, session.MeterSilent)
		see(now+1, 0)
		see(now+11, 0)
		now += 18
	}
	counts(5, 4)
	see(now, session.MeterSilent|session.Emergency) // another is told as ever
	see(now+1, 0)
	see(now+11, 0)
	counts(6, 5)
	see(now+600, 0)
	counts(6, 5)
	see(now+601, 0)
	counts(6, 6)
	now += 7200
	see(now, session.MeterSilent) // and so is this one, once it is rare again
	see(now+1, 0)
	see(now+11, 0)
	counts(7, 7)
}

// A car that pauses and goes on all night is told of a number of times, and with the next
// charge again.
func TestPausesAreToldSoOften(t *testing.T) {
	s, book, _ := newStudy(t, session.State{})
	for n := range uint64(2) {
		after := session.State{Kept: session.Kept{Phase: session.Charging, Charge: session.Charge{Number: n + 1}}}
		s.underWay(&after, &after, secondsIn(0))
		for i := range 3 * maxPauses {
			s.rest(display.Suspended, &after.Charge, secondsIn(60*i))
			s.rest(display.Charging, &after.Charge, secondsIn(60*i+30))
			if err := s.write(); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := storied(t, book)
	if a, b := strings.Count(got, "session.suspended"), strings.Count(got, "session.resumed"); a != 2*maxPauses || b != a {
		t.Errorf("%d pauses, %d ends of them", a, b)
	}
}
