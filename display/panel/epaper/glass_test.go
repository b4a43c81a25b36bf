package epaper

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// glass is a panel with its controller, as far as its data sheet tells. It is strict:
// what a real one would take amiss is an error.
type glass struct {
	data     gpio.Level
	awake    bool
	command  byte
	args     []byte
	log      []order // all of it, in order
	memory   map[byte][]byte
	column   int
	row      int
	place    map[byte]int
	temp     int  // 12 bits, of the sensor
	register int  // 12 bits
	deaf     bool // nothing comes back
	oneWay   bool // the port has an input of its own
	half     bool // the port has been told that it has not
	takes    map[byte]time.Duration
	until    time.Time // busy
	stuck    bool      // busy for ever
	gone     bool      // no panel: nothing is ever busy
	broken   error     // of the port
	pull     gpio.Pull // of the busy line
	tone     []byte    // dots as they are seen: rows of the memory
	seen     []string  // draws
}

func newGlass() *glass {
	return &glass{
		memory: map[byte][]byte{cmdNew: make([]byte, rowBytes*Width), cmdOld: make([]byte, rowBytes*Width)},
		tone:   make([]byte, rowBytes*Width),
		temp:   20 * 16,
		takes: map[byte]time.Duration{updateWhole: 2 * time.Second, updateToldWhole: 2 * time.Second,
			updatePartial: 300 * time.Millisecond, updateToldPartial: 300 * time.Millisecond, updateTemperature: 5 * time.Millisecond, updateVoltages: 20 * time.Millisecond},
	}
}

// line is one of the panel's lines.
type line struct {
	gpio.PinIO
	out  func(gpio.Level) error
	read func() gpio.Level
	pull *gpio.Pull // nil: nobody asks
}

func (l line) Out(v gpio.Level) error { return l.out(v) }
func (l line) Read() gpio.Level       { return l.read() }
func (l line) In(p gpio.Pull, _ gpio.Edge) error {
	if l.pull != nil {
		*l.pull = p
	}
	return nil
}

func (g *glass) pins() Pins {
	return Pins{
		Data: line{out: func(v gpio.Level) error { g.data = v; return nil }},
		Reset: line{out: func(v gpio.Level) error {
			if g.awake = bool(v); g.awake {
				g.until = time.Now().Add(time.Millisecond)
				clear(g.memory[cmdNew]) // the worst that it may do
				clear(g.memory[cmdOld])
			}
			return nil
		}},
		Busy: line{pull: &g.pull, read: func() gpio.Level {
			return gpio.Level(g.stuck || !g.gone && (!g.awake || time.Now().Before(g.until)))
		}},
	}
}

func (g *glass) String() string      { return "glass" }
func (g *glass) Duplex() conn.Duplex { return conn.Half }
func (g *glass) MaxTxSize() int      { return 1000 }
func (g *glass) draws() []string     { return g.seen }
func (g *glass) commands() (all []byte) {
	for _, o := range g.log {
		all = append(all, o.command)
	}
	return all
}

func (g *glass) TxPackets([]spi.Packet) error { return errors.New("not taken here") }

func (g *glass) Connect(f physic.Frequency, mode spi.Mode, bits int) (spi.Conn, error) {
	if f > 20*physic.MegaHertz || mode&^spi.HalfDuplex != spi.Mode0 || bits != 8 || g.oneWay && mode&spi.HalfDuplex != 0 {
		return nil, fmt.Errorf("%v, %v, %d bits", f, mode, bits)
	}
	g.half = mode&spi.HalfDuplex != 0
	return g, nil
}

func (g *glass) Tx(w, r []byte) error {
	switch {
	case g.broken != nil:
		return g.broken
	case g.gone:
		return nil
	case !g.awake:
		return errors.New("it sleeps")
	case time.Now().Before(g.until):
		return errors.New("it is busy")
	case g.half && len(w) > 0 && len(r) > 0:
		return errors.New("both ways at once")
	case len(w) > g.MaxTxSize():
		return fmt.Errorf("%d bytes at once", len(w))
	case len(r) > 0:
		return g.read(r)
	case g.data == gpio.Low:
		g.finish()
		g.command, g.args = w[0], nil
		g.log = append(g.log, order{command: w[0]})
		return g.begin()
	}
	g.args = append(g.args, w...)
	last := &g.log[len(g.log)-1]
	last.data = append(last.data, w...)
	return g.take(w)
}

// begin does what a command does without data.
func (g *glass) begin() error {
	switch g.command {
	case cmdReset:
		g.until = time.Now().Add(5 * time.Millisecond)
	case cmdActivate:
		update := g.log[len(g.log)-2]
		if update.command != cmdUpdate {
			return errors.New("activated without an update")
		}
		return g.update(update.data[0])
	}
	return nil
}

// take does what a command does with its data.
func (g *glass) take(w []byte) error {
	switch g.command {
	case cmdColumn:
		g.column = int(w[0])
	case cmdRow:
		g.row = int(g.args[0])
		g.place = map[byte]int{}
	case cmdNew, cmdOld:
		at := g.place[g.command]
		if g.column != 0 || g.row != 0 || at+len(w) > rowBytes*Width {
			return fmt.Errorf("%d bytes from place %d on", len(w), at)
		}
		copy(g.memory[g.command][at:], w)
		g.place[g.command] += len(w)
	case cmdWriteTemp:
		if len(g.args) == 2 {
			g.register = int(g.args[0])<<4 | int(g.args[1])>>4
		}
	case cmdSleep:
		g.awake = false
	}
	return nil
}

// finish looks whether a command got all its data.
func (g *glass) finish() {
	if n := len(g.args); (g.command == cmdNew || g.command == cmdOld) && n != rowBytes*Width {
		panic(fmt.Sprintf("%d bytes of %d", n, rowBytes*Width))
	}
}

func (g *glass) read(r []byte) error {
	if g.command != cmdReadTemp || g.data != gpio.High || len(r) != 2 {
		return errors.New("nothing to read")
	}
	if g.deaf {
		r[0], r[1] = 0xff, 0xff
		return nil
	}
	r[0], r[1] = byte(g.register>>4), byte(g.register<<4)
	return nil
}

func (g *glass) update(what byte) error {
	took, ok := g.takes[what]
	if !ok {
		return fmt.Errorf("no such update: 0x%02x", what)
	}
	g.until = time.Now().Add(took)
	switch what {
	case updateTemperature:
		g.register = g.temp
	case updateWhole, updateToldWhole:
		g.seen = append(g.seen, "whole")
		copy(g.tone, g.memory[cmdNew])
	case updatePartial, updateToldPartial:
		g.seen = append(g.seen, "partial")
		for i, is := range g.memory[cmdNew] { // only dots that differ are driven
			driven := is ^ g.memory[cmdOld][i]
			g.tone[i] = g.tone[i]&^driven | is&driven
		}
		if what == updateToldPartial && !slices.ContainsFunc(g.log, func(o order) bool { return o.command == cmdWaveform && len(o.data) == waveBytes }) {
			return errors.New("it was told no waveform")
		}
	}
	return nil
}

// white says whether a dot of the glass is white: x along its long side from where the ribbon is not.
func (g *glass) white(x, y int) bool {
	return g.tone[(Width-1-x)*rowBytes+y/8]&(0x80>>(y%8)) != 0
}
