package oled

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// Highest speeds on SPI, by the data sheets: a clock of 300 ns at least for the SSD1306,
// of 500 ns for the SH1106.
const (
	ssd1306Speed = 3300 * physic.KiloHertz
	sh1106Speed  = 2 * physic.MegaHertz
)

// First byte of a transfer on I2C: what the others are.
const (
	commands = 0x00
	data     = 0x40
)

// errSlow says that a display takes too long.
var errSlow = errors.New("the bus is too slow, or others keep it")

// link is the way to the controller: what periph's driver and ours send goes through it. It
// is periph's i2c.Bus and spi.Port, and looks at the clock before each transfer.
type link struct {
	until time.Time // nothing is begun after this

	bus     i2c.Bus // nil: SPI
	address uint16  // on the bus

	conn  spi.Conn
	speed physic.Frequency // that conn was connected with
	dc    gpio.PinOut
}

func onI2C(bus i2c.Bus, address uint16) *link { return &link{bus: bus, address: address} }

func onSPI(port spi.Port, dc gpio.PinOut, m Model) (*link, error) {
	l := &link{dc: dc, speed: ssd1306Speed}
	if m == SH1106 {
		l.speed = sh1106Speed
	}
	var err error
	if l.conn, err = port.Connect(l.speed, spi.Mode0, 8); err != nil { // a port may be connected once only
		return nil, err
	}
	return l, nil
}

// begin begins an opening or a Show.
func (l *link) begin() { l.until = time.Now().Add(within) }

// inTime says with an error that it has taken too long.
func (l *link) inTime() error {
	if late := time.Since(l.until); late > 0 {
		return fmt.Errorf("not done after %v: %w", within, errSlow)
	}
	return nil
}

// command sends commands with their arguments.
func (l *link) command(all ...byte) error { return l.send(commands, gpio.Low, all) }

// data sends bytes for the controller's memory.
func (l *link) data(pix []byte) error { return l.send(data, gpio.High, pix) }

func (l *link) send(first byte, dc gpio.Level, all []byte) error {
	if l.bus != nil {
		return l.Tx(0, append([]byte{first}, all...), nil)
	}
	if err := l.dc.Out(dc); err != nil {
		return fmt.Errorf("line for data: %w", err)
	}
	return timed{l}.Tx(all, nil)
}

// String names the port.
func (l *link) String() string {
	if l.bus != nil {
		return l.bus.String()
	}
	return l.conn.String()
}

// Tx sends on I2C. periph's driver knows one address only, so what it says is not heard.
func (l *link) Tx(_ uint16, w, r []byte) error {
	if err := l.inTime(); err != nil {
		return err
	}
	return l.bus.Tx(l.address, w, r)
}

// SetSpeed leaves the bus as it is.
func (l *link) SetSpeed(physic.Frequency) error { return nil }

// Connect gives the connection that there is.
func (l *link) Connect(physic.Frequency, spi.Mode, int) (spi.Conn, error) { return timed{l}, nil }

// timed is the connection on SPI.
type timed struct{ *link }

// Tx sends on SPI.
func (t timed) Tx(w, r []byte) error {
	if err := t.inTime(); err != nil {
		return err
	}
	return t.conn.Tx(w, r)
}

// TxPackets sends on SPI.
func (t timed) TxPackets(p []spi.Packet) error {
	if err := t.inTime(); err != nil {
		return err
	}
	return t.conn.TxPackets(p)
}

// Duplex is that of the connection.
func (t timed) Duplex() conn.Duplex { return t.conn.Duplex() }
