// Package oled shows pages on a small OLED of 128 x 64 dots with an SSD1306 or an SH1106,
// on I2C or SPI.
//
// # Why
//
// The SSD1306 is driven by periph. It is told afterwards to address its memory by pages, as
// periph writes it so, while its setting is another: the data sheet has these commands for
// that mode only. The SH1106 is like it at first sight, but knows that mode only, has 132
// columns of which the glass shows the middle 128, makes its voltage by other commands and
// is slower on SPI, so it has its own, short, driver (sh1106.go).
//
// Boards of 2.42 inches, which can be read from where the cable is, have an SSD1309. It takes
// the commands of an SSD1306, has no use for the one of the charge pump, and wants its reset
// line, as it does not reset itself; that is what users of other programs report, it was not
// tried here.
//
// Somebody stands before the display for a minute, and the display stands in the rain for
// years, beside a contactor. So it is never believed to be as it was left. Each Show says
// again what light and picture depend on, and once a minute everything, so that a
// controller that has lost its power for a moment, or was disturbed, is whole again within
// that time. On I2C this also finds a display that is unplugged, as nobody answers. On SPI
// nobody ever answers, so there each Show sends everything; it takes some ms, and a display
// that is plugged in again shows the next page.
//
// Nothing is lit before the first picture is there, as the memory holds noise at first.
// Nothing is sent at the end: the last page stays for as long as there is power. For that
// the reset line must stay high when nobody holds it. A Raspberry Pi with
// dtparam=strict_gpiod makes it an input then, which the board pulls low from GPIO9 on: put
// 10 kΩ to 3.3 V at it, or take GPIO4, 5 or 6.
//
// Organic dots grow dim as they shine. The light is less than the most, much less at night,
// and Shift moves the picture by a dot every minute.
//
// A Show takes 120 ms on a bus of 100 kHz when it sends everything. Between two transfers
// it is seen whether it takes too long; a single one is limited by the kernel.
package oled

import (
	"errors"
	"fmt"
	"image"
	"os"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/spi"

	"stolpe/display/panel"
)

// Size of the picture, in dots.
const (
	Width  = 128
	Height = 64

	pageHeight = 8                   // dots of a byte of the controller's memory, from top to bottom
	pages      = Height / pageHeight // rows of such bytes
)

// Chosen by us.
const (
	// Again is how often a page wants to be shown although nothing is new: the picture
	// moves with it, and a controller that was disturbed is set right.
	Again = time.Minute

	// within is how long an opening or a Show may take: ten times as long as on a bus of
	// 100 kHz, with as much again for a bus that others use.
	within = 2 * time.Second

	// pulse is how long the reset line is low, and how long the controller is left alone
	// after it. The data sheets ask for 3 µs (SSD1306) and 10 µs (SH1106); long wires
	// with a capacitor want more.
	pulse = time.Millisecond

	// dayContrast of 255 is that of most drivers for panels that make their own voltage:
	// brighter ones are hardly seen to be so, and grow dim sooner.
	dayContrast = 0xcf
	// nightContrast is read well in the dark, and still in the dusk of a summer's night
	// and under a street lamp.
	nightContrast = 0x20
)

// Model is the controller of a display.
type Model string

// The models, as a configuration names them.
const (
	SSD1306 Model = "ssd1306"
	SH1106  Model = "sh1106"
)

// Wiring is what the display is connected to: Bus, or Port and DC. All of it stays the
// caller's, who closes it after the Device.
type Wiring struct {
	Bus     i2c.Bus
	Address uint16 // on the bus: 0x3c, or 0x3d where that is bridged on the board
	Port    spi.Port
	DC      gpio.PinOut // tells data from commands: the board's DC, D/C or A0
	Reset   gpio.PinOut // the board's RES or RST; nil where it resets itself
}

// Device is a display that is open. One call at a time may be made.
type Device struct {
	model Model
	link  *link
	driver
	deaf   bool      // nobody answers: everything is sent each time
	lit    bool      // there has been a picture
	whole  time.Time // everything was sent then; zero: never, or there was an error since
	closed bool
}

// driver is one kind of controller.
type driver interface {
	// begin sets the controller up. Then nothing is known of its memory. It may leave
	// the display lit or dark.
	begin() error
	// draw makes the memory as pix is, and sends what it does not have.
	draw(pix *picture) error
	// settings are the commands that light and picture depend on most; they do no harm
	// to a display that is lit.
	settings(night bool) []byte
}

// Commands that both controllers have.
const (
	displayOff = 0xae
	displayOn  = 0xaf
)

// Open resets the display and sets it up. It stays dark until the first Show.
func Open(m Model, w Wiring) (*Device, error) {
	d := &Device{model: m, deaf: w.Bus == nil}
	if err := d.open(w); err != nil {
		return nil, fmt.Errorf("%s: open: %w", m, err)
	}
	return d, nil
}

func (d *Device) open(w Wiring) error {
	if err := d.connect(w); err != nil {
		return err
	}
	d.link.begin()
	if err := reset(w.Reset); err != nil {
		return err
	}
	return d.setUp()
}

// setUp sets the controller up, and leaves the display dark if it was.
func (d *Device) setUp() error {
	if err := d.begin(); err != nil || d.lit {
		return err
	}
	return d.link.command(displayOff)
}

// connect finds the way to the controller, and its driver.
func (d *Device) connect(w Wiring) error {
	var err error
	switch {
	case d.model != SSD1306 && d.model != SH1106:
		return fmt.Errorf("unknown model: want %s or %s", SSD1306, SH1106)
	case w.Bus != nil && w.Port == nil:
		d.link = onI2C(w.Bus, w.Address)
	case w.Port != nil && w.Bus == nil && w.DC != nil:
		d.link, err = onSPI(w.Port, w.DC, d.model)
	default:
		err = errors.New("want a bus of I2C, or a port of SPI and the line for data")
	}
	if err != nil {
		return err
	}
	if d.model == SH1106 {
		d.driver = &sh1106{link: d.link}
	} else {
		d.driver = &ssd1306Driver{link: d.link}
	}
	return nil
}

// reset resets the controller.
func reset(line gpio.PinOut) error {
	if line == nil {
		return nil
	}
	for _, level := range []gpio.Level{gpio.High, gpio.Low, gpio.High} {
		if err := line.Out(level); err != nil {
			return fmt.Errorf("reset line: %w", err)
		}
		time.Sleep(pulse)
	}
	return nil
}

// Show shows a frame's picture, which must be of the display's size: what is brighter than
// half is lit. After an error the display may show anything; the next Show sends
// everything.
func (d *Device) Show(f panel.Frame) error {
	if d.closed {
		return fmt.Errorf("%s: show: %w", d.model, os.ErrClosed)
	}
	pix, err := packed(f.Image)
	if err == nil {
		d.link.begin()
		err = d.show(pix, f.Night)
	}
	if err != nil {
		d.whole = time.Time{}
		return fmt.Errorf("%s: show: %w", d.model, err)
	}
	return nil
}

func (d *Device) show(pix *picture, night bool) error {
	now := time.Now()
	anew := d.deaf || d.whole.IsZero() || now.Sub(d.whole) >= Again
	if anew {
		if err := d.setUp(); err != nil {
			return err
		}
	}
	if err := d.draw(pix); err != nil {
		return err
	}
	d.lit = true
	if err := d.link.command(append(d.settings(night), displayOn)...); err != nil {
		return err
	}
	if anew {
		d.whole = now
	}
	return nil
}

// Close ends the use of the display, which goes on showing the last page.
func (d *Device) Close() error {
	d.closed = true
	return nil
}

// Shift gives by how much a picture is moved after a time: to the right and down, by at
// most so many dots. It moves by one dot every Again, so that every dot of the edge of a
// letter is dark for some of the time.
func Shift(since time.Duration, most int) image.Point {
	places := (most + 1) * (most + 1)
	at := 0
	if round := 2*places - 2; round > 0 { // there and back
		at = int(max(0, since) / Again % time.Duration(round))
		at = min(at, round-at)
	}
	row, column := at/(most+1), at%(most+1)
	if row%2 == 1 {
		column = most - column
	}
	return image.Pt(column, row)
}
