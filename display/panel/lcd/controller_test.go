package lcd

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// controller is an HD44780 as its data sheet tells, with the slowest clock it allows. It
// is strict: what a real one would miss is an error.
type controller struct {
	now     func() time.Time
	free    time.Time // from when on it takes the next
	four    bool      // lines of data
	half    *byte     // the upper half that it has
	rows    bool      // two
	on      bool
	shifted int // letters to the left
	place   int // in the memory of what is shown, or of letters
	letters bool
	shown   [0x80]byte
	own     [64]byte
	clears  int
	halves  int
	fault   error
}

func newController() *controller {
	c := &controller{now: time.Now, free: time.Now().Add(40 * time.Millisecond)}
	for i := range c.shown {
		c.shown[i] = 0xee // what it had before
	}
	return c
}

// fall takes what is on the lines when the enable falls.
func (c *controller) fall(letter bool, half byte) {
	c.halves++
	if c.now().Before(c.free) {
		c.fault = fmt.Errorf("half %d (%x) comes %v too soon", c.halves, half, c.free.Sub(c.now()))
	}
	switch {
	case !c.four:
		c.take(letter, half<<4|0xf) // nothing holds the other four down
	case c.half == nil:
		c.half = &half
	default:
		b := *c.half<<4 | half
		c.half = nil
		c.take(letter, b)
	}
}

func (c *controller) take(letter bool, b byte) {
	busy := 53 * time.Microsecond
	switch {
	case letter && c.letters:
		c.own[c.place%64] = b
		c.place++
		busy = 59 * time.Microsecond
	case letter:
		c.shown[c.place%0x80] = b
		if c.place++; c.place == 0x28 {
			c.place = 0x40
		}
		busy = 59 * time.Microsecond
	case b >= 0x80:
		c.place, c.letters = int(b&0x7f), false
	case b >= 0x40:
		c.place, c.letters = int(b&0x3f), true
	case b >= 0x20:
		c.four, c.half = b&0x10 == 0, nil
		if c.rows = b&0x08 != 0; !c.four && c.halves == 1 {
			busy = 4100 * time.Microsecond
		}
		if !c.four && c.halves == 2 {
			busy = 100 * time.Microsecond
		}
	case b >= 0x08 && b < 0x10:
		c.on = b&0x04 != 0
	case b == insClear:
		for i := range c.shown {
			c.shown[i] = ' '
		}
		c.place, c.letters = 0, false
		c.clears++
		c.shifted = 0
		busy = 2160 * time.Microsecond
	case b == insHome, b == insHome|1:
		c.place, c.letters, c.shifted = 0, false, 0
		busy = 2160 * time.Microsecond
	case b == insEntry:
	default:
		busy = 2160 * time.Microsecond
	}
	c.free = c.now().Add(busy)
}

// text gives what stands on the display. Own letters are told by their dots.
func (c *controller) text(o Options) string {
	var all strings.Builder
	for y := range o.Rows {
		from := []int{0, 0x40, o.Columns, 0x40 + o.Columns}[y]
		for x := range o.Columns {
			all.WriteString(c.letter(c.shown[from&0x40+(from&0x3f+x+c.shifted)%0x28]))
		}
		all.WriteString("|")
	}
	return all.String()
}

func (c *controller) letter(b byte) string {
	if b >= 8 {
		return string(rune(b))
	}
	for _, d := range alphabet {
		if [8]byte(c.own[b*8:b*8+8]) == d.dots {
			return string(d.letter)
		}
	}
	return "▒"
}

// expander is a PCF8574 before a controller, on a bus of 400 kHz.
type expander struct {
	*controller
	passed time.Duration // on the bus
	last   byte
	light  bool
	broken error
	bytes  int
}

func newExpander() *expander {
	e := &expander{controller: newController()}
	e.now = func() time.Time { return time.Now().Add(e.passed) }
	return e
}

func (e *expander) String() string                  { return "bus" }
func (e *expander) SetSpeed(physic.Frequency) error { return nil }

func (e *expander) Tx(address uint16, w, r []byte) error {
	if address != 0x27 || len(r) > 0 {
		return errors.New("no acknowledgement")
	}
	if e.broken != nil {
		return e.broken
	}
	e.bytes += 1 + len(w)
	e.passed += 9 * 2500 * time.Nanosecond // the address
	for _, b := range w {
		e.passed += 9 * 2500 * time.Nanosecond
		if e.last&outEnable != 0 && b&outEnable == 0 {
			if (e.last^b)&^outEnable != 0 {
				e.fault = errors.New("the data change while the enable falls")
			}
			e.fall(b&outLetter != 0, b>>4)
		}
		if e.last&outEnable == 0 && b&outEnable != 0 && (e.last^b)&outLetter != 0 {
			e.fault = errors.New("the register changes while the enable rises")
		}
		e.last, e.light = b, b&outLight != 0
	}
	return nil
}

// lead is one of six lines to a controller.
type lead struct {
	gpio.PinOut
	level gpio.Level
	fell  func()
	fails error
}

func (l *lead) Out(v gpio.Level) error {
	if l.fails != nil {
		return l.fails
	}
	if l.level && !v && l.fell != nil {
		l.fell()
	}
	l.level = v
	return nil
}

// leads gives six lines to a controller.
func leads(c *controller) Pins {
	letter := &lead{}
	var data [4]*lead
	p := Pins{Letter: letter}
	for i := range data {
		data[i] = &lead{}
		p.Data[i] = data[i]
	}
	p.Enable = &lead{fell: func() {
		var half byte
		for i, l := range data {
			if l.level {
				half |= 1 << i
			}
		}
		c.fall(bool(letter.level), half)
	}}
	return p
}
