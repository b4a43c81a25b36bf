package gpio

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// errNoPWM is why a line has no pulses.
var errNoPWM = errors.New("this line has no pulse width modulation: it is high or low")

// pinName is what is the same for both kinds.
type pinName struct {
	at  place
	low bool // "!": low counts as high
}

// String gives the line by name, chip and number.
func (p pinName) String() string { return p.at.String() }

// Name gives the line's own name, or where it is when it has none.
func (p pinName) Name() string {
	if name := p.at.chip.lines()[p.at.number].name; name != "" {
		return name
	}
	return p.at.String()
}

// Number gives the line's number on its chip.
func (p pinName) Number() int { return p.at.number }

// Halt does nothing: nothing goes on by itself.
func (p pinName) Halt() error { return nil }

// OutPin is a line that is driven. It is periph's gpio.PinOut.
type OutPin struct {
	pinName
	line output
}

// InPin is a line that is looked at. It is periph's gpio.PinIn.
type InPin struct {
	pinName
	mu     sync.Mutex
	set    inputSet // nil: given back
	pullUp bool
}

var (
	_ gpio.PinOut = (*OutPin)(nil)
	_ gpio.PinIn  = (*InPin)(nil)
)

// OpenOut requests a line that is to be driven, named as in Config; a "!" before it turns
// its levels round. The line itself is low from then on, until Out says otherwise: it
// cannot be requested in another way (see Config.ActiveLow). A line that is held gives
// syscall.EBUSY.
func OpenOut(spec string) (*OutPin, error) {
	chips, err := kernelChips()
	if err != nil {
		return nil, fmt.Errorf("gpio: %q: %w", spec, err)
	}
	return openOut(chips, spec)
}

func openOut(chips []chip, spec string) (*OutPin, error) {
	at, low, err := find(chips, spec)
	if err != nil {
		return nil, fmt.Errorf("gpio: %q: %w", spec, err)
	}
	p := &OutPin{pinName: pinName{at, low}}
	if err := p.line.request(at); err != nil {
		return nil, fmt.Errorf("gpio: %q: %w", spec, err)
	}
	return p, nil
}

// Out sets the level. After Close it gives os.ErrClosed.
func (p *OutPin) Out(l gpio.Level) error {
	p.line.mu.Lock()
	defer p.line.mu.Unlock()
	if err := p.line.drive(bool(l) != p.low); err != nil {
		return fmt.Errorf("gpio: set %v %v: %w", p, l, err)
	}
	return nil
}

// PWM always gives an error: the kernel's lines know levels only.
func (p *OutPin) PWM(gpio.Duty, physic.Frequency) error {
	return fmt.Errorf("gpio: %v: %w", p, errNoPWM)
}

// Function says that the line is driven.
func (p *OutPin) Function() string { return "Out" }

// Close gives the line back at the level that it has. What it does then is up to the
// kernel: see Lines.Close.
func (p *OutPin) Close() error {
	p.line.mu.Lock()
	high := p.line.high
	p.line.mu.Unlock()
	if err := p.line.close(high); err != nil {
		return fmt.Errorf("gpio: give back %v: %w", p, err)
	}
	return nil
}

// OpenIn requests a line that is to be looked at, named as in Config; a "!" before it
// turns its levels round. The pull is that of the wire: choose the one that reads as
// "not ready", so that a broken wire is seen. A line that is held gives syscall.EBUSY.
func OpenIn(spec string, pullUp bool) (*InPin, error) {
	chips, err := kernelChips()
	if err != nil {
		return nil, fmt.Errorf("gpio: %q: %w", spec, err)
	}
	return openIn(chips, spec, pullUp)
}

func openIn(chips []chip, spec string, pullUp bool) (*InPin, error) {
	at, low, err := find(chips, spec)
	if err != nil {
		return nil, fmt.Errorf("gpio: %q: %w", spec, err)
	}
	p := &InPin{pinName: pinName{at, low}, pullUp: pullUp}
	if err := p.request(); err != nil {
		return nil, fmt.Errorf("gpio: %q: %w", spec, err)
	}
	return p, nil
}

func (p *InPin) request() (err error) {
	if p.set, err = p.at.chip.inputs([]int{p.at.number}, []bool{p.pullUp}); err != nil {
		return held(err, p.at)
	}
	return nil
}

// Look gives the level, or says why it is not known.
func (p *InPin) Look() (gpio.Level, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.set == nil {
		return gpio.Low, fmt.Errorf("gpio: look at %v: %w", p, os.ErrClosed)
	}
	bits, err := p.set.Read(onlyLine)
	if err != nil {
		return gpio.Low, fmt.Errorf("gpio: look at %v: %w", p, err)
	}
	return gpio.Level((bits&onlyLine == lineHigh) != p.low), nil
}

// Read gives the level, and what the pull of the wire gives where it is not known: a line
// that cannot be looked at reads as a broken wire does.
func (p *InPin) Read() gpio.Level {
	if level, err := p.Look(); err == nil {
		return level
	}
	return gpio.Level(p.pullUp != p.low)
}

// In requests the line again where another pull of the wire is wanted. A wire without any
// cannot be had: the kernel is always asked for one.
func (p *InPin) In(pull gpio.Pull, _ gpio.Edge) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	up := pull == gpio.PullUp
	switch {
	case p.set == nil:
		return fmt.Errorf("gpio: look at %v: %w", p, os.ErrClosed)
	case pull == gpio.PullNoChange, pull != gpio.Float && up == p.pullUp:
		return nil
	case pull == gpio.Float:
		return fmt.Errorf("gpio: %v: no line is looked at without a pull: %w", p, syscall.EINVAL)
	}
	err := p.set.Close()
	p.set, p.pullUp = nil, up
	if err := errors.Join(err, p.request()); err != nil {
		return fmt.Errorf("gpio: request %v with another pull: %w", p, err)
	}
	return nil
}

// WaitForEdge waits for a change of the line, at most so long, and says whether there was
// one. For ever is not on offer: a time of 0 or less gives false at once.
func (p *InPin) WaitForEdge(timeout time.Duration) bool {
	p.mu.Lock()
	set := p.set
	p.mu.Unlock()
	if set == nil || timeout <= 0 {
		return false
	}
	_, edge, err := set.WaitForEdge(timeout)
	return err == nil && edge != gpio.NoEdge
}

// Pull gives the pull that the kernel was asked for.
func (p *InPin) Pull() gpio.Pull {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pullUp {
		return gpio.PullUp
	}
	return gpio.PullDown
}

// DefaultPull is not known.
func (p *InPin) DefaultPull() gpio.Pull { return gpio.PullNoChange }

// Function says that the line is looked at.
func (p *InPin) Function() string { return "In" }

// Close gives the line back. Call it when nobody waits for an edge.
func (p *InPin) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.set == nil {
		return nil
	}
	err := p.set.Close()
	p.set = nil
	if err != nil {
		return fmt.Errorf("gpio: give back %v: %w", p, err)
	}
	return nil
}
