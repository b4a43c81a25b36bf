package gpio

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// board is a GPIO chip as periph shows it, with wires that a test moves.
type board struct {
	t           testing.TB
	name, label string

	mu    sync.Mutex
	pins  []pin
	calls []string // what was asked of it, in order
	set   *inputs  // the inputs, when they are requested

	refused error // what requests of inputs give
	broken  error // what Read gives
	deaf    error // what WaitForEdge gives
	stuck   error // what Out gives
	mute    bool  // edges are lost
	forgets bool  // calls
	reads   int
}

// pin is one line of it.
type pin struct {
	lineInfo
	held, output bool
	wire         wire
	pullUp, high bool
}

// wire is what is outside.
type wire uint8

const (
	cut wire = iota // the pull decides
	up
	down
)

// pi gives a board with the names of a Raspberry Pi's header.
func pi(t testing.TB) *board {
	var names []string
	for i := range 28 {
		names = append(names, fmt.Sprintf("GPIO%d", i))
	}
	return newBoard(t, "gpiochip0", "pinctrl-bcm2711", names...)
}

func newBoard(t testing.TB, name, label string, lines ...string) *board {
	b := &board{t: t, name: name, label: label}
	for _, l := range lines {
		b.pins = append(b.pins, pin{lineInfo: lineInfo{name: l}})
	}
	return b
}

func (b *board) Name() string  { return b.name }
func (b *board) Label() string { return b.label }

func (b *board) lines() []lineInfo {
	var all []lineInfo
	for _, p := range b.pins {
		all = append(all, p.lineInfo)
	}
	return all
}

func (b *board) at(name string) *pin {
	return &b.pins[slices.IndexFunc(b.pins, func(p pin) bool { return p.name == name })]
}

func (b *board) called(format string, a ...any) {
	if !b.forgets {
		b.calls = append(b.calls, fmt.Sprintf(format, a...))
	}
}

// heard gives the calls so far, one a line.
func (b *board) heard() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.calls, "\n")
}

// do changes the board.
func (b *board) do(f func(*board)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

// level is what a voltmeter shows at the line.
func (b *board) level(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.at(name)
	if p.held && p.output {
		return p.high
	}
	return p.wire == up || p.wire == cut && p.pullUp
}

// move moves a wire, and gives an edge if the level changes.
func (b *board) move(name string, w wire) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.pins, func(p pin) bool { return p.name == name })
	p := &b.pins[i]
	before := p.wire == up || p.wire == cut && p.pullUp
	p.wire = w
	after := p.wire == up || p.wire == cut && p.pullUp
	if before == after || b.set == nil || b.mute || !slices.Contains(b.set.numbers, i) {
		return
	}
	b.set.events = append(b.set.events, event{i, after})
	if most := 16 * len(b.set.numbers); len(b.set.events) > most { // as the kernel does
		b.set.events = b.set.events[1:]
	}
	b.set.wake()
}

func (b *board) take(number int) error {
	p := &b.pins[number]
	if p.held || p.consumer != "" {
		return fmt.Errorf("LineSetFromConfig: %w", syscall.EBUSY)
	}
	p.held = true
	return nil
}

func (b *board) output(number int) (outputLine, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &b.pins[number]
	b.called("%s output low", p.name)
	if err := b.take(number); err != nil {
		return nil, err
	}
	p.output, p.high = true, false
	return &driven{b, p}, nil
}

func (b *board) inputs(numbers []int, pullUp []bool) (inputSet, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for i, n := range numbers {
		p := &b.pins[n]
		names = append(names, p.name+map[bool]string{false: " pull-down", true: " pull-up"}[pullUp[i]])
	}
	b.called("inputs %s", strings.Join(names, ", "))
	if b.refused != nil {
		return nil, b.refused
	}
	for i, n := range numbers {
		if err := b.take(n); err != nil {
			for _, taken := range numbers[:i] {
				b.pins[taken].held = false
			}
			return nil, err
		}
		b.pins[n].pullUp = pullUp[i]
	}
	b.set = &inputs{board: b, numbers: numbers, woken: make(chan struct{}, 1), halted: make(chan struct{}, 1)}
	return b.set, nil
}

// driven is a line of the board that the program drives.
type driven struct {
	board *board
	pin   *pin
}

func (d *driven) Out(bits, mask gpio.GPIOValue) error {
	d.board.mu.Lock()
	defer d.board.mu.Unlock()
	if !d.pin.held || mask != 1 {
		d.board.t.Errorf("Out(%d, %d) on %s, held %v", bits, mask, d.pin.name, d.pin.held)
	}
	d.board.called("%s %s", d.pin.name, map[bool]string{false: "low", true: "high"}[bits&1 == 1])
	if d.board.stuck != nil {
		return d.board.stuck
	}
	d.pin.high = bits&1 == 1
	return nil
}

// Read must not be called, by whatever way somebody has got here.
func (d *driven) Read(gpio.GPIOValue) (gpio.GPIOValue, error) {
	d.board.t.Errorf("the output %s was read", d.pin.name)
	return 0, nil
}

func (d *driven) Close() error {
	d.board.mu.Lock()
	defer d.board.mu.Unlock()
	d.board.called("%s released", d.pin.name)
	d.pin.held, d.pin.output = false, false
	return nil
}

type event struct {
	number int
	rising bool
}

// inputs is a LineSet of inputs.
type inputs struct {
	board   *board
	numbers []int
	events  []event
	woken   chan struct{}
	halted  chan struct{}
	closed  bool
	idle    bool // nothing has happened since it was last asked for an edge
}

func (s *inputs) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

func (s *inputs) Read(mask gpio.GPIOValue) (bits gpio.GPIOValue, err error) {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.board.reads++
	if s.closed || mask != 1<<len(s.numbers)-1 {
		s.board.t.Errorf("Read(%#x), closed %v", mask, s.closed)
	}
	if s.board.broken != nil {
		return 0, s.board.broken
	}
	for i, n := range s.numbers {
		if p := s.board.pins[n]; p.wire == up || p.wire == cut && p.pullUp {
			bits |= 1 << i
		}
	}
	return bits, nil
}

// next takes the oldest event, if there is one.
func (s *inputs) next() (number int, edge gpio.Edge, err error) {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	switch {
	case s.closed:
		s.board.t.Error("wait for an edge on inputs that are closed")
		return 0, gpio.NoEdge, os.ErrClosed
	case s.board.deaf != nil:
		return 0, gpio.NoEdge, s.board.deaf
	case len(s.events) == 0:
		s.idle = true
		return 0, gpio.NoEdge, nil
	}
	e := s.events[0]
	s.events, s.idle = s.events[1:], false
	if e.rising {
		return e.number, gpio.RisingEdge, nil
	}
	return e.number, gpio.FallingEdge, nil
}

func (s *inputs) WaitForEdge(timeout time.Duration) (int, gpio.Edge, error) {
	if timeout <= 0 {
		s.board.t.Errorf("WaitForEdge(%v)", timeout) // periph: for ever, or not at all
		return 0, gpio.NoEdge, os.ErrDeadlineExceeded
	}
	select {
	case <-s.halted: // Halt ends a wait under way, not one to come
	default:
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		if number, edge, err := s.next(); edge != gpio.NoEdge || err != nil {
			return number, edge, err
		}
		select {
		case <-s.woken:
		case <-s.halted:
			return 0, gpio.NoEdge, os.ErrDeadlineExceeded
		case <-timer.C:
			return 0, gpio.NoEdge, os.ErrDeadlineExceeded
		}
	}
}

func (s *inputs) Halt() error {
	select {
	case s.halted <- struct{}{}:
	default:
	}
	return nil
}

func (s *inputs) Close() error {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.board.called("inputs released")
	s.closed = true
	s.board.set = nil
	for _, n := range s.numbers {
		s.board.pins[n].held = false
	}
	return nil
}
