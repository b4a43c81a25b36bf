// Package gpio switches the contactor of one EVSE and looks at its wires, through
// the kernel's GPIO character devices.
//
// # Why
//
// A contactor is never trusted, and neither is a wire. The line that commands the
// contactor is only ever written: reading an output back tells what the pin was
// told, not what the contacts do, and some drivers turn the line into an input for
// it. The type of that line here has no Read. Where the contacts stand is told by
// an auxiliary contact on a line of its own, which is why a sense line is a must.
//
// All inputs follow one rule. An input is a loop through contacts that is made or
// not made. A broken wire, a loose one that flutters, a line that nobody looks at
// and an error of the kernel are all "not made", and "not made" is always the safe
// thing: the contacts are open, the cable is out, the button is pressed. So:
//
//	sense  made: the contacts are closed      not made: open
//	plug   made: the cable is in              not made: out
//	stop   made: nobody presses the button    not made: pressed
//	estop  made: not pressed                  not made: emergency stop
//	rcd    made: the device is on             not made: it has tripped
//	hot    made: cool enough                  not made: too hot
//	accept made: somebody presses the button  not made: nobody does
//
// For the technician: sense is a normally open auxiliary contact of the contactor
// (13-14; a normally closed one would show a broken wire as "closed"), plug a contact
// that closes with the cable in, accept a push button that is normally open; stop,
// estop, rcd and hot are normally closed, so that whatever breaks is seen at once. A plain spec ("GPIO24") is made when high:
// wire the contact between 3.3 V and the line. A spec with "!" ("!GPIO24") is made
// when low: wire it between the line and ground. Never 5 V or 24 V on a line, and never mains:
// that wants an optocoupler or a relay. The kernel is asked for the pull that reads
// as "not made", but it is weak (about 50 kΩ on a Pi) and some chips have none: put
// one of 1 to 4.7 kΩ at the wire, and 1 kΩ between there and the line. The emergency
// stop has a second contact that cuts the coil's supply by itself, and so has the
// relay that the dead-man holds. This package is not the safety function, it only
// agrees with it.
//
// Contacts bounce, so a change counts when it has lasted for 100 ms. One thing never
// waits: emergency stop and residual current device count from the first edge on,
// even if it is gone by the time anybody looks. To open too often costs a charge; to
// miss a stop may cost more. For the same reason Set refuses to close while one of
// them is on or has not been looked at: an order to close that was on its way when
// the button was pressed must not come after the one to open.
//
// There is no goroutine here. One loop, Watch, looks at all inputs; it runs in the
// caller's goroutine and calls the caller from there, so that between the edge and
// the order to open there is neither queue nor hand-over. A look takes the levels of
// all lines in one call to the kernel, so no line waits for another's bouncing.
//
// Lines are requested as periph's LineSet. A LineSet becomes an output that is low
// in one call to the kernel, and its reads give errors; periph's single lines do
// neither (they request first and set later, and give Low for an error). The rest of
// periph stays out: its drivers of the processor's registers drive pins that the
// kernel does not know of, which no failing program ever lets go.
//
// Lines of displays and lights are given out one by one in the form that periph's drivers
// take (OpenOut, OpenIn), as nothing else may ask the kernel for a line. They share nothing
// with an EVSE's, and no call for one waits for another's. The kernel refuses a line that is
// held, also by this program, so nobody gets a contactor's once that is open; before, only
// the configuration can see that a line is named twice.
package gpio

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"stolpe/hal"
)

// Config says which lines belong to an EVSE. A line is named as the kernel names it
// ("GPIO17"), or by chip and number ("pinctrl-bcm2711/17", "gpiochip0/17"); chips are
// numbered as they are found, so a label is the better name. Without a chip, the
// chip is the first whose label begins with "pinctrl-", or the only one. An input
// with "!" before it is made when low. All inputs must be on one chip. A line belongs
// to one EVSE: an emergency stop for several wants a contact for each.
type Config struct {
	// Line commands the contactor: high closes it. Take a line that rests low while
	// the board starts (GPIO9 to GPIO27 on a Pi), with a pull-down of its own.
	Line string
	// ActiveLow is for relay boards that close on low. They are not recommended, and
	// not only because a broken wire may close them: a line is low when it is
	// requested, and periph cannot ask for high. So the relay is told to close for a
	// moment whenever the program starts and whenever Failsafe runs: 10 to 100 µs
	// as a rule, up to some ms on a busy machine, and a fast relay can follow that.
	ActiveLow bool
	// Again is for a try after one that has failed. The line of an ActiveLow contactor is
	// then requested last: whoever tries every few seconds in vain must not have the relay
	// told to close each time.
	Again   bool
	Sense   string // the auxiliary contact; must be given
	DeadMan string // an output that Beat toggles; may be empty

	// Inputs, each of which may be empty: then it says nothing.
	Plug, Stop, EStop, RCD, Hot, Accept string
}

// Lines are the lines of one EVSE, held until Close. All methods may be called from
// any goroutine at any time.
type Lines struct {
	contactor contactor
	deadMan   *output // nil: there is none
	sense     int     // index in inputs
	plug      int     // index in inputs; none: -1
	accept    int     // index in inputs; none: -1
	inputs    []input // Watch's own while it runs
	press     press   // of the accept button; Watch's own
	presses   chan struct{}
	began     time.Time

	life     sync.Mutex
	set      inputSet // the lines of inputs, in that order
	watching bool
	closed   bool

	look sync.Mutex
	last glance

	// tripped says that an emergency stop or a residual current device is on, or not
	// looked at.
	tripped atomic.Bool
}

// Open requests the lines. The contactor's comes first (but see Config.Again), and is open
// from then on whatever is wrong with the others. If anything is, it is an error, and the lines
// are given back. Call it before the program opens anything else: what periph closes
// at its start, it closes twice.
func Open(c Config) (*Lines, error) {
	chips, err := kernelChips()
	if err != nil {
		return nil, fmt.Errorf("gpio: %w", err)
	}
	return open(chips, c)
}

func open(chips []chip, c Config) (*Lines, error) {
	l := &Lines{plug: -1, accept: -1, presses: make(chan struct{}, 1), began: time.Now(), last: glance{err: errNotWatched}}
	l.contactor = contactor{activeLow: c.ActiveLow, tripped: &l.tripped}
	at, err := findOutput(chips, "contactor line", c.Line)
	if err != nil {
		return nil, err
	}
	first, last := l.openContactor, func(Config, place) error { return nil }
	if c.Again && c.ActiveLow {
		first, last = last, first
	}
	if err := first(c, at); err != nil {
		return nil, err
	}
	taken := map[place]string{at: "contactor line"}
	err = l.openInputs(chips, c, taken)
	if err == nil {
		err = l.openDeadMan(chips, c.DeadMan, taken)
	}
	if err == nil {
		err = last(c, at)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// openContactor requests the contactor's line, and orders it open.
func (l *Lines) openContactor(c Config, at place) error {
	if err := l.contactor.request(at); err != nil {
		return fmt.Errorf("gpio: contactor line %q: %w", c.Line, err)
	}
	return nil
}

// openInputs requests all inputs at once.
func (l *Lines) openInputs(chips []chip, c Config, taken map[place]string) error {
	if c.Sense == "" {
		return errors.New("gpio: no sense line: without one nobody knows whether the contactor has opened")
	}
	var at []place
	for _, w := range []struct {
		what, spec string
		signal     hal.Signals
	}{
		{"sense", c.Sense, 0}, {"plug", c.Plug, 0}, {"stop", c.Stop, hal.StopPressed},
		{"estop", c.EStop, hal.EmergencyStop}, {"rcd", c.RCD, hal.RCDTripped}, {"hot", c.Hot, hal.TooHot},
		{"accept", c.Accept, 0},
	} {
		if w.spec == "" {
			continue
		}
		p, low, err := find(chips, w.spec)
		if err != nil {
			return fmt.Errorf("gpio: %s %q: %w", w.what, w.spec, err)
		}
		if err := claim(taken, p, w.what); err != nil {
			return err
		}
		if len(at) > 0 && p.chip != at[0].chip {
			return fmt.Errorf("gpio: %s is on %v and sense on %v: all inputs of an EVSE must be on one chip", w.what, p, at[0])
		}
		switch w.what {
		case "sense":
			l.sense = len(at)
		case "plug":
			l.plug = len(at)
		case "accept":
			l.accept = len(at)
		}
		at = append(at, p)
		l.inputs = append(l.inputs, input{
			number: p.number, low: low, signal: w.signal, loop: loop{eager: w.signal&hal.Trips != 0},
		})
	}
	l.tripped.Store(l.trips())
	return l.requestInputs(at)
}

// requestInputs requests the lines of all inputs, with the pull that reads as "not
// made".
func (l *Lines) requestInputs(at []place) (err error) {
	numbers, pullUp := make([]int, len(at)), make([]bool, len(at))
	for i := range l.inputs {
		numbers[i], pullUp[i] = l.inputs[i].number, l.inputs[i].low
	}
	if l.set, err = at[0].chip.inputs(numbers, pullUp); err != nil {
		return fmt.Errorf("gpio: %w", held(err, at...))
	}
	return nil
}

func (l *Lines) openDeadMan(chips []chip, spec string, taken map[place]string) error {
	if spec == "" {
		return nil
	}
	at, err := findOutput(chips, "dead-man", spec)
	if err != nil {
		return err
	}
	if err := claim(taken, at, "dead-man"); err != nil {
		return err
	}
	o := &output{}
	if err := o.request(at); err != nil {
		return fmt.Errorf("gpio: dead-man %q: %w", spec, err)
	}
	l.deadMan = o
	return nil
}

// claim notes whose line it is.
func claim(taken map[place]string, p place, what string) error {
	if owner, ok := taken[p]; ok {
		return fmt.Errorf("gpio: %v cannot be both %s and %s", p, owner, what)
	}
	taken[p] = what
	return nil
}

// Beat toggles the dead-man output once: hardware that misses its beats for too
// long opens the contactor by itself. Without such an output it does nothing.
func (l *Lines) Beat() error {
	if l.deadMan == nil {
		return nil
	}
	if err := l.deadMan.toggle(); err != nil {
		return fmt.Errorf("gpio: dead-man: %w", err)
	}
	return nil
}

// Close opens the contactor, lets the dead-man rest low, ends Watch, and gives the
// lines back. What a line does that nobody holds is up to the kernel: a Raspberry
// Pi's leaves it as it is by default, others make it an input.
func (l *Lines) Close() error {
	err := l.contactor.close()
	if l.deadMan != nil {
		if stuck := l.deadMan.close(false); stuck != nil {
			err = errors.Join(err, fmt.Errorf("gpio: dead-man: %w", stuck))
		}
	}
	if stuck := l.closeInputs(); stuck != nil {
		err = errors.Join(err, fmt.Errorf("gpio: inputs: %w", stuck))
	}
	return err
}

// closeInputs gives the inputs back, or makes Watch do it if it runs.
func (l *Lines) closeInputs() error {
	l.life.Lock()
	defer l.life.Unlock()
	if l.closed || l.set == nil {
		return nil
	}
	l.closed = true
	if l.watching {
		return l.set.Halt()
	}
	return l.set.Close()
}
