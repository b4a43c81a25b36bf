package evse

import (
	"context"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
)

// What a person at the post does with a contactor.

// Test has the contactor closed for a technician's test, session.TestFor at most and no
// longer than nothing speaks against it. It returns once that is agreed; State.Test tells
// what comes of it. The error is a NotNow, or ctx's when nobody knows.
func (v *EVSE) Test(ctx context.Context) error {
	return v.ask(ctx, fact{event: session.TestBegun{}})
}

// NotNow is what speaks against a test, and what to do about it.
type NotNow string

// Error says it.
func (n NotNow) Error() string { return "not now: " + string(n) }

// Open opens the contactor at once, whatever the loop is doing, and ends the charge or the
// test under way. The error is the contactor's: then the loop goes on trying.
func (v *EVSE) Open() error { return v.guard.open() }

// beginTest begins a technician's test. Its end is not left to the next pass.
func (l *loop) beginTest(now hal.Instant) error {
	l.step(now, session.Ticked{}, false) // the answer is about the present
	against := l.Rules().Tests(&l.state, now)
	if l.ending {
		against = "the program ends: start it again"
	}
	if against != "" {
		return NotNow(against)
	}
	l.step(now, session.TestBegun{}, false)
	l.lease = time.After(session.TestFor * l.parts.Every / time.Second)
	return nil
}

// signalled takes in what the wires say, what they said in between, and that a person
// has had the contactor opened.
func (l *loop) signalled() {
	since, now, told := l.guard.take()
	if told {
		l.step(l.parts.Now(), session.Stopped{Why: display.ByTechnician}, true)
	}
	for _, s := range []hal.Signals{since, now} {
		if s != l.state.Signals() {
			l.step(l.parts.Now(), session.Signalled{Signals: s}, false)
		}
	}
}
