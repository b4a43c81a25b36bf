package gpio

import (
	"fmt"
	"time"
)

// press finds out that a button was pressed. A button that is held when it is first
// looked at, a wire that flutters and what comes after are no press: the button must have
// been seen at rest before, as a person leaves it, and then made for as long as any
// contact must last. So a wire that breaks, a short circuit and a button that sticks
// press nothing, or press once.
type press struct{ ready bool }

// look takes in a look at the button's loop, and says whether it is pressed by now and
// was not before.
func (p *press) look(now time.Duration, l *loop) bool {
	switch lasted := now-l.since >= settle; {
	case !lasted && now-l.restless >= flutterMost:
		p.ready = false
	case lasted && !l.seen:
		p.ready = true
	case lasted && l.made && p.ready:
		p.ready = false
		return true
	}
	return false
}

// lookAtButton notes a press of the accept button. Nothing here waits for whoever wants to
// know of it.
func (w *watch) lookAtButton(now time.Duration) {
	if w.accept < 0 || !w.press.look(now, &w.inputs[w.accept].loop) {
		return
	}
	select {
	case w.presses <- struct{}{}:
	default: // one is enough
	}
}

// Presses has something to take when the accept button has been pressed since it was last
// taken from. Watch must run.
func (l *Lines) Presses() <-chan struct{} { return l.presses }

// Pressed says whether the accept button is held now. It is an error, and no, when that is
// not known, as for Sense. Without such a button it is no.
func (l *Lines) Pressed() (bool, error) {
	if l.accept < 0 {
		return false, nil
	}
	made, err := l.seen(func(g *glance) loop { return g.accept })
	if err != nil {
		return false, fmt.Errorf("gpio: accept: %w", err)
	}
	return made, nil
}
