package gpio

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"stolpe/hal"
)

// output is one line that this program drives. It is low once it is requested.
type output struct {
	mu   sync.Mutex
	line outputLine // nil: not requested, or given back
	high bool
}

func (o *output) request(at place) error {
	line, err := at.chip.output(at.number)
	if err != nil {
		return held(err, at)
	}
	o.line = line
	return nil
}

// drive sets the level. The caller holds mu.
func (o *output) drive(high bool) error {
	if o.line == nil {
		return os.ErrClosed
	}
	level := lineLow
	if high {
		level = lineHigh
	}
	if err := o.line.Out(level, onlyLine); err != nil {
		return err
	}
	o.high = high
	return nil
}

func (o *output) toggle() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.drive(!o.high)
}

// close sets the level a last time and gives the line back.
func (o *output) close(high bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.line == nil {
		return nil
	}
	err := o.drive(high)
	err = errors.Join(err, o.line.Close())
	o.line = nil
	return err
}

// contactor is the output that closes a contactor.
type contactor struct {
	output
	activeLow bool
	tripped   *atomic.Bool
}

// request takes the line, which is low from then on, and orders the contactor open.
func (c *contactor) request(at place) error {
	if err := c.output.request(at); err != nil {
		return err
	}
	if err := c.set(hal.Open); err != nil {
		err = errors.Join(err, c.line.Close())
		c.line = nil
		return err
	}
	return nil
}

// errTripped is why a contactor is not closed.
var errTripped = errors.New("emergency stop or residual current device is on, or not looked at")

// set orders the contactor. Whether it may close is asked under the lock: who sets
// tripped and then orders it open can be sure that no order to close comes after.
func (c *contactor) set(p hal.Position) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p == hal.Closed && c.tripped.Load() {
		return errTripped
	}
	return c.drive((p == hal.Closed) != c.activeLow)
}

func (c *contactor) close() error {
	if err := c.output.close(c.activeLow); err != nil {
		return fmt.Errorf("gpio: order the contactor open a last time: %w", err)
	}
	return nil
}

// Set orders the contactor to be open or closed, and does not wait for it to move.
// It waits for nothing but the kernel. It refuses to close while an emergency stop
// or a residual current device is on or is not being watched, and when the lines are
// closed (os.ErrClosed).
func (l *Lines) Set(p hal.Position) error {
	if err := l.contactor.set(p); err != nil {
		return fmt.Errorf("gpio: order the contactor %v: %w", p, err)
	}
	return nil
}

// Failsafe opens contactors, each by a request of its own. It is what is left to do
// when the program that held them has died: it needs no configuration but the lines,
// written as in Config.Line, with "!" before a line whose relay closes on low (see
// Config.ActiveLow). It tries them all and gives all errors.
//
// When it returns it has let go of the lines. The kernel promises nothing for a line
// that nobody holds: a Raspberry Pi's leaves it low by default, and with
// dtparam=strict_gpiod, as elsewhere, it becomes an input, which the pull-down of the
// board makes low. To hold the line would gain nothing, as the program that calls
// this ends.
func Failsafe(specs ...string) error {
	chips, err := kernelChips()
	if err != nil {
		return fmt.Errorf("gpio: no contactor was opened; switch off the supply if one may be closed: %w", err)
	}
	return failsafe(chips, specs)
}

func failsafe(chips []chip, specs []string) error {
	var all error
	for _, spec := range specs {
		if err := openOnce(chips, spec); err != nil {
			all = errors.Join(all, fmt.Errorf("gpio: contactor line %q was not opened: %w", spec, err))
		}
	}
	return all
}

// openOnce requests a contactor's line, orders it open and lets go of it.
func openOnce(chips []chip, spec string) error {
	at, low, err := find(chips, spec)
	if err != nil {
		return err
	}
	c := contactor{activeLow: low, tripped: &atomic.Bool{}}
	if err := c.request(at); err != nil {
		return err
	}
	return c.output.close(low)
}
