package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"stolpe/hal"
)

// lookAgain is how often is looked for what was missing at the start. Chosen by us: soon
// for whoever has just put it there, and nothing to a small processor.
const lookAgain = 5 * time.Second

// lateWires are the lines of a real contactor that could not be had at the start: there is
// no chip yet, another program has one of them, or the rights come later. Until they are
// there, nothing is commanded, and nobody knows where the contactor stands: the EVSE has
// CON-003 and serves no driver. The moment they are there the contactor is ordered open,
// before anything else (gpio.Open), and from then on they are lines like others.
type lateWires struct {
	open    func() (wires, error)
	log     *slog.Logger
	presses chan struct{}
	here    chan struct{} // closed when they are there

	mu     sync.Mutex
	lines  wires // nil until then
	why    error // the last try has failed; nil once they are there
	closed bool
}

func newLateWires(open func() (wires, error), why error, log *slog.Logger) *lateWires {
	return &lateWires{open: open, why: why, log: log, presses: make(chan struct{}, 1), here: make(chan struct{})}
}

// errMoreChips ends a program that is to be started anew, as it cannot use a chip that has
// come since it began.
var errMoreChips = coded{errors.New("there is a GPIO chip that could not be used when the program began, and can be now: it ends so that it is started anew; without systemd, start it again"), exitDevice}

// run tries until the lines are there, and passes presses of the button on from then. It
// ends with ctx.
func (l *lateWires) run(ctx context.Context) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for l.try() != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	lines, err := l.now()
	if err != nil { // closed before they came
		return
	}
	for {
		select {
		case <-lines.Presses():
			select {
			case l.presses <- struct{}{}:
			default: // one is enough
			}
		case <-ctx.Done():
			return
		}
	}
}

// try tries once, and says what is still in the way.
func (l *lateWires) try() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines != nil || l.closed {
		return nil
	}
	lines, err := l.open()
	if err != nil {
		if err.Error() != l.why.Error() {
			l.log.Error("the lines of the contactor cannot be had", "err", err)
		}
		l.why = err
		return err
	}
	l.lines, l.why = lines, nil
	close(l.here)
	l.log.Info("contactor open: its lines are there now")
	return nil
}

// missing says why they are not there; nil when they are.
func (l *lateWires) missing() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// now gives the lines, or why there are none.
func (l *lateWires) now() (wires, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.lines != nil:
		return l.lines, nil
	case l.closed:
		return nil, os.ErrClosed
	}
	return nil, fmt.Errorf("its lines are not there: %w", l.why)
}

// Set orders the contactor. Without its lines it cannot be ordered anywhere.
func (l *lateWires) Set(p hal.Position) error {
	w, err := l.now()
	if err != nil {
		return err
	}
	return w.Set(p)
}

// Sense says where the contacts stand, which nobody knows without the lines.
func (l *lateWires) Sense() (hal.Position, error) {
	w, err := l.now()
	if err != nil {
		return hal.Open, err
	}
	return w.Sense()
}

// Plugged says whether the cable is in.
func (l *lateWires) Plugged() (hal.Plug, error) {
	w, err := l.now()
	if err != nil {
		return hal.PlugUnknown, err
	}
	return w.Plugged()
}

// Watch watches the inputs once they are there. Until then nothing has spoken, which whoever
// asks counts as the worst that there can be.
func (l *lateWires) Watch(ctx context.Context, changed func(hal.Signals)) {
	select {
	case <-l.here:
	case <-ctx.Done():
		return
	}
	if w, err := l.now(); err == nil {
		w.Watch(ctx, changed)
	}
}

// Beat toggles the dead-man.
func (l *lateWires) Beat() error {
	w, err := l.now()
	if err != nil {
		return err
	}
	return w.Beat()
}

// Presses has something to take when the accept button was pressed.
func (l *lateWires) Presses() <-chan struct{} { return l.presses }

// Pressed says whether it is held.
func (l *lateWires) Pressed() (bool, error) {
	w, err := l.now()
	if err != nil {
		return false, err
	}
	return w.Pressed()
}

// Close gives the lines back, and has none come any more.
func (l *lateWires) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.lines == nil {
		return nil
	}
	return l.lines.Close()
}
