package oled

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio/gpiotest"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// glass is a display as its data sheet has it: a controller with a memory, and dots in
// front of it. What is no command of it, or not in its mode, is wrong.
type glass struct {
	model Model
	wrong []string

	lit      bool
	byPages  bool // the addressing mode
	backward bool // columns from the last to the first
	upward   bool // rows from the last to the first
	inverted bool
	all      bool // dots lit, whatever the memory has
	line     byte // the first
	offset   byte
	rows     byte // lit in turn, less one
	pump     bool // there is a voltage
	level    byte // contrast
	voltage  byte // of rows that are not lit
	memory   [8][132]byte
	// brightest is the most contrast while a picture went over to a display that was lit.
	brightest byte
	page      int
	column    int

	args []byte // of a command that is not complete
}

// power makes the glass as it is when it has just got its power: with noise in its memory.
func (g *glass) power(seed uint64) {
	*g = glass{model: g.model, wrong: g.wrong, rows: 63, level: 0x7f, pump: g.model == SH1106, byPages: true}
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range g.memory {
		for j := range g.memory[i] {
			g.memory[i][j] = byte(r.Uint32())
		}
	}
}

// dot says whether a dot is seen to be lit.
func (g *glass) dot(x, y int) bool {
	if !g.lit || !g.pump {
		return false
	}
	if g.all {
		return true
	}
	if g.rows != 63 || g.offset != 0 || g.line != 0 {
		return x%2 == 0 // moved about: surely not the picture
	}
	if !g.backward { // the glass is mounted so that backward is forward
		x = Width - 1 - x
	}
	if !g.upward {
		y = Height - 1 - y
	}
	if g.model == SH1106 {
		x += 2
	}
	return g.memory[y/8][x]>>(y%8)&1 == 1 != g.inverted
}

// shows says how many dots are not as in a picture.
func (g *glass) differs(p *picture) (dots int) {
	for y := range Height {
		for x := range Width {
			if g.dot(x, y) != (p.page(y / 8)[x]>>(y%8)&1 == 1) {
				dots++
			}
		}
	}
	return dots
}

// takes are how many arguments a command has.
func (g *glass) takes(c byte) int {
	switch c {
	case 0x81, 0xa8, 0xd3, 0xd5, 0xd9, 0xda, 0xdb:
		return 1
	case 0x20, 0x8d:
		if g.model == SSD1306 {
			return 1
		}
	case 0xad:
		if g.model == SH1106 {
			return 1
		}
	case 0x21, 0x22:
		if g.model == SSD1306 {
			return 2
		}
	}
	return 0
}

func (g *glass) command(b byte) {
	g.args = append(g.args, b)
	if len(g.args) <= g.takes(g.args[0]) {
		return
	}
	c, a := g.args[0], g.args[len(g.args)-1]
	g.args = nil
	switch {
	case c == 0xae, c == 0xaf:
		g.lit = c == 0xaf
	case c == 0xa4, c == 0xa5:
		g.all = c == 0xa5
	case c == 0xa6, c == 0xa7:
		g.inverted = c == 0xa7
	case c == 0xa0, c == 0xa1:
		g.backward = c == 0xa1
	case c == 0xc0, c == 0xc8:
		g.upward = c == 0xc8
	case c == 0x81:
		g.level = a
	case c == 0xa8:
		g.rows = a
	case c == 0xd3:
		g.offset = a
	case c == 0xdb:
		g.voltage = a
	case c&0xc0 == 0x40:
		g.line = c & 0x3f
	case c == 0xda && a == 0x12, c == 0xd5, c == 0xd9:
	case c&0xf8 == 0xb0, c&0xe0 == 0x00:
		g.address(c)
	default:
		g.own(c, a)
	}
}

// own are commands that only one of the two has.
func (g *glass) own(c, a byte) {
	sh := g.model == SH1106
	switch {
	case !sh && c == 0x20:
		g.byPages = a == 2
	case !sh && c == 0x8d:
		g.pump = a == 0x14
	case !sh && (c == 0x21 || c == 0x22 || c == 0x2e):
	case sh && c == 0xad:
		if g.lit {
			g.wrong = append(g.wrong, "the converter is set while the display is on")
		}
		g.pump = a == 0x8b
	case sh && c == 0x32:
	default:
		g.wrong = append(g.wrong, fmt.Sprintf("no command %#x %#x", c, a))
	}
}

func (g *glass) address(c byte) {
	if !g.byPages {
		g.wrong = append(g.wrong, fmt.Sprintf("%#x is for addressing by pages", c))
	}
	switch {
	case c&0xf8 == 0xb0:
		g.page = int(c & 7)
	case c < 0x10:
		g.column = g.column&0xf0 | int(c)
	default:
		g.column = g.column&0x0f | int(c&0x0f)<<4
	}
}

func (g *glass) data(b byte) {
	columns := map[Model]int{SSD1306: 128, SH1106: 132}[g.model]
	if len(g.args) > 0 {
		g.wrong = append(g.wrong, fmt.Sprintf("command %#x has no end", g.args[0]))
	}
	if g.column >= columns {
		g.wrong = append(g.wrong, fmt.Sprintf("column %d", g.column))
		return
	}
	g.memory[g.page][g.column] = b
	if g.lit {
		g.brightest = max(g.brightest, g.level)
	}
	g.column++
}

// cable is a bus of either kind with one display on it.
type cable struct {
	glass
	address uint16 // on I2C
	dc      gpiotest.Pin
	perByte time.Duration // how long a byte takes
	calls   int           // transfers
	bytes   int           // with those that say whom they are for
	fails   func(call int) error
	lag     func(call int) time.Duration // how long a transfer takes besides; nil: no time
	away    bool                         // unplugged
	deaf    bool                         // nothing is taken in, to be quick
}

func (c *cable) String() string { return "cable" }

// transfer is one of either kind.
func (c *cable) transfer(bytes int) error {
	c.calls++
	c.bytes += bytes
	wait := time.Duration(bytes) * c.perByte
	if c.lag != nil {
		wait += c.lag(c.calls)
	}
	if wait > 0 {
		pass(wait)
	}
	if c.fails != nil {
		return c.fails(c.calls)
	}
	return nil
}

func (c *cable) take(data bool, all []byte) {
	if c.deaf {
		return
	}
	for _, b := range all {
		if data {
			c.data(b)
		} else {
			c.command(b)
		}
	}
}

// onI2C and onSPI are the two kinds of cable.
type i2cCable struct{ *cable }
type spiCable struct{ *cable }

func (c i2cCable) Tx(address uint16, w, r []byte) error {
	if err := c.transfer(1 + len(w)); err != nil {
		// A transfer may be cut off anywhere.
		if n := len(w) / 2; n > 1 && !c.away {
			c.take(w[0] == 0x40, w[1:n])
		}
		c.args = nil // the next begins a command
		return err
	}
	if c.away || address != c.address {
		return syscall.ENXIO
	}
	if len(r) > 0 || len(w) < 2 || w[0] != 0x00 && w[0] != 0x40 {
		c.wrong = append(c.wrong, fmt.Sprintf("transfer % x, to read %d", w, len(r)))
		return nil
	}
	c.take(w[0] == 0x40, w[1:])
	return nil
}

func (c i2cCable) SetSpeed(physic.Frequency) error { return syscall.EPERM }

func (c spiCable) Connect(f physic.Frequency, mode spi.Mode, bits int) (spi.Conn, error) {
	most := map[Model]physic.Frequency{SSD1306: 3300 * physic.KiloHertz, SH1106: 2 * physic.MegaHertz}[c.model]
	if f != most || mode != spi.Mode0 || bits != 8 {
		c.wrong = append(c.wrong, fmt.Sprintf("connected at %v, %v, %d bits", f, mode, bits))
	}
	return c, nil
}

func (c spiCable) Tx(w, r []byte) error {
	if err := c.transfer(len(w)); err != nil {
		return err
	}
	if len(r) > 0 || len(w) == 0 {
		c.wrong = append(c.wrong, fmt.Sprintf("transfer % x, to read %d", w, len(r)))
	}
	if !c.away {
		c.take(bool(c.dc.Read()), w)
	}
	return nil
}

func (c spiCable) TxPackets([]spi.Packet) error { return syscall.ENOTSUP }
func (c spiCable) Duplex() conn.Duplex          { return conn.Full }

// wiring plugs a display in.
func (c *cable) wiring(kind string) Wiring {
	if kind == "i2c" {
		return Wiring{Bus: i2cCable{c}, Address: c.address}
	}
	return Wiring{Port: spiCable{c}, DC: &c.dc}
}

func newCable(m Model) *cable {
	c := &cable{glass: glass{model: m}, address: 0x3d, dc: gpiotest.Pin{N: "DC"}}
	c.power(1)
	return c
}

// pass lets time go by that is not the world's.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
