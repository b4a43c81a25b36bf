// Package epaper shows pages on Waveshare's e-paper of 2.13 inches, versions 3 and 4: 250
// by 122 dots, black and white, with the controller SSD1680.
//
// # Why
//
// The library that the post's lines come from has drivers for these panels, but they
// import its driver of the Raspberry Pi's registers, which drives lines that the kernel
// does not know of; hal/gpio says why that has no place here. They also wait for the busy
// line for ever. So the sequences of the SSD1680's data sheet (Solomon Systech, rev. 0.14)
// and of the maker's published examples are written anew, and every wait has an end.
//
// An e-paper keeps its picture without power, and so do its faults: between two draws the
// controller sleeps, and each draw begins with a reset, after which nothing is taken for
// granted. The controller compares what was with what will be to know which dots to drive
// in a partial draw; both are written each time, from here, so that a controller which
// lost its memory draws nothing wrong.
//
// Writing to a panel that is not there succeeds: SPI has no acknowledgement. The busy line
// is the only sign of life. It must be high soon after a draw has been asked for and low
// again when it is over; either missing is an error.
//
// The glass is made for 0 to 50 °C. Colder, the particles hardly move, and driving them
// hurts. So below a limit nothing is drawn, and that is no failure (panel.Cold). But the
// picture stays all the while, with a price and a code that may soon be wrong. So one more
// is drawn a few degrees below the limit, which is right whatever happens: that the
// display rests. For it to be in time, a page must be shown again now and then although
// nothing is new (panel.Refresh.Cold). The page of a program that ends is drawn down to
// the same limit.
//
// The temperature comes from a file of the kernel's (in thousandths of a degree, as thermal
// zones, hwmon and 1-wire sensors give it), or from the controller's own sensor. To read
// that, the panel must be wired to the port directly: the maker's board for the Raspberry
// Pi has a driver between them that goes one way. Whether it can be read is tried when the
// display is opened, with a number that no line gives by chance. The processor's own
// temperature is some 10 °C above the air's: with that, set the limit higher.
package epaper

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"

	"stolpe/display/panel"
)

// The size of the picture.
const (
	Width  = 250 // dots
	Height = 122 // dots
)

// Model is the version that is printed on the back of the panel.
type Model uint8

// The models.
const (
	V4 Model = iota // brings its own waveforms
	V3              // is told its waveforms
)

// AnyCold is a limit that is none: the display is drawn at any temperature.
const AnyCold = -40 // °C; no panel is sold for less

// Times and limits.
const (
	resetLow   = 2 * time.Millisecond   // the maker's
	resetAfter = 10 * time.Millisecond  // data sheet: after power and reset
	readyMost  = 500 * time.Millisecond // chosen by us: takes some ms
	beginsMost = 100 * time.Millisecond // chosen by us: takes some µs
	missedMost = 50 * time.Millisecond  // chosen by us: no order is over so soon
	// Chosen by us: 0.3 s and 2 s when it is warm, and up to three times that at 0 °C.
	partialMost = 3 * time.Second
	wholeMost   = 10 * time.Second
	poll        = 5 * time.Millisecond // chosen by us: 60 looks for a partial draw

	spareCold = 5 // °C below the limit down to which a picture is drawn that stays for long; chosen by us: the glass is slow there, and once is not often
	warmer    = 2 // °C above the limit at which it goes on after it was too cold; chosen by us: wider than a sensor's noise

	rowBytes = 16 // of the controller's memory: 122 dots and 6 that are not there
)

// Pins are the lines beside the port.
type Pins struct {
	Data  gpio.PinOut // low: a command; high: data
	Reset gpio.PinOut // low: reset
	Busy  gpio.PinIn  // high: busy
}

// Options are what the display's owner decides.
type Options struct {
	Model       Model
	Coldest     int    // °C; below it nothing is drawn; AnyCold: no limit
	Thermometer string // file with thousandths of °C; empty: the panel's own sensor

	// Resting is drawn once when it gets too cold; nil leaves what there is.
	Resting image.Image
}

// Device is one panel. It is used by one goroutine at a time.
type Device struct {
	options Options
	pins    Pins
	conn    spi.Conn
	most    int // bytes of a transfer

	shown   []byte // the controller's memory for what is on the glass; nil: not known
	next    []byte // the same for what is being drawn
	cold    bool   // it was too cold the last time
	resting bool   // Resting has been drawn, or tried
}

// Open finds out whether the panel answers and whether its temperature can be told. It
// draws nothing, and the port stays the caller's.
func Open(port spi.Port, pins Pins, o Options) (*Device, error) {
	if pins.Data == nil || pins.Reset == nil || pins.Busy == nil {
		return nil, errors.New("e-paper: the lines for data, reset and busy must all be there; give dc, reset and busy in its url")
	}
	d := &Device{options: o, pins: pins, next: make([]byte, rowBytes*Width), most: 4096} // bytes; the kernel's default
	if err := d.connect(port); err != nil {
		return nil, fmt.Errorf("e-paper: port %v: %w", port, err)
	}
	if l, ok := d.conn.(conn.Limits); ok && l.MaxTxSize() > 0 {
		d.most = min(d.most, l.MaxTxSize())
	}
	if err := pins.Busy.In(gpio.PullDown, gpio.NoEdge); err != nil { // without a panel it is low
		return nil, fmt.Errorf("e-paper: busy line: %w", err)
	}
	if err := d.try(); err != nil {
		return nil, fmt.Errorf("e-paper: %w", err)
	}
	return d, nil
}

// connect takes a port. Where the panel is to be read, its one data line should go both
// ways; a port that cannot do that may have its input joined to that line.
func (d *Device) connect(port spi.Port) (err error) {
	const speed, bits = 4 * physic.MegaHertz, 8 // the controller takes 20 MHz, long wires do not
	if d.options.Coldest > AnyCold && d.options.Thermometer == "" {
		if d.conn, err = port.Connect(speed, spi.Mode0|spi.HalfDuplex, bits); err == nil {
			return nil
		}
	}
	d.conn, err = port.Connect(speed, spi.Mode0, bits)
	return err
}

// try does everything but draw.
func (d *Device) try() error {
	if err := d.wake(); err != nil {
		return err
	}
	if d.options.Coldest > AnyCold && d.options.Thermometer == "" {
		if err := d.tryRead(); err != nil {
			return err
		}
	}
	if _, err := d.temperature(); err != nil {
		return err
	}
	return d.sleep()
}

// Show draws the frame's picture, where it is another, and returns when it stands. It takes
// up to some seconds. A panel that is too cold gives panel.Cold. After any other error the display must be opened anew.
func (d *Device) Show(f panel.Frame) error {
	if err := d.show(f); err != nil {
		return fmt.Errorf("e-paper: %w", err)
	}
	return nil
}

func (d *Device) show(f panel.Frame) error {
	if err := d.fill(f.Image); err != nil {
		return err
	}
	whole := f.Whole || d.shown == nil || d.resting
	if err := d.wake(); err != nil {
		return err
	}
	is, err := d.temperature()
	if err != nil {
		return errors.Join(err, d.sleep())
	}
	if cold := d.tooCold(is, f.Page.Face == panel.OutOfOrder); cold != nil {
		return cmp.Or(d.rest(is), cold)
	}
	d.resting = false
	if !whole && bytes.Equal(d.next, d.shown) {
		return d.sleep()
	}
	return d.put(whole)
}

// put draws next, and has the controller sleep.
func (d *Device) put(whole bool) error {
	was := d.shown
	d.shown = nil // until it stands
	if err := d.draw(was, whole); err != nil {
		return err
	}
	if err := d.sleep(); err != nil {
		return err
	}
	d.shown = append(was[:0], d.next...)
	return nil
}

// rest draws once that the display rests, if it is not much too cold for that, and has the
// controller sleep.
func (d *Device) rest(is int) error {
	if d.resting || d.options.Resting == nil || d.tooCold(is, true) != nil {
		return d.sleep()
	}
	if err := d.fill(d.options.Resting); err != nil {
		return errors.Join(err, d.sleep())
	}
	d.resting = true
	return d.put(true)
}

// tooCold gives panel.Cold where it is too cold for a picture, or for one that stays for
// long.
func (d *Device) tooCold(is int, stays bool) error {
	least := d.options.Coldest
	if stays {
		least -= spareCold
	} else if d.cold {
		least += warmer
	}
	cold := is < least*1000 // thousandths
	if !stays {
		d.cold = cold
	}
	if !cold {
		return nil
	}
	return panel.Cold{Now: degrees(is), Least: least}
}

// Close leaves the picture as it is. The controller sleeps already, the lines are the
// caller's.
func (d *Device) Close() error { return nil }

// fill puts a picture into the controller's order: one row for each column of the
// picture, from the right to the left; a bit is a dot, the first is the highest, white is 1.
func (d *Device) fill(m image.Image) error {
	if m == nil || m.Bounds().Dx() != Width || m.Bounds().Dy() != Height {
		return fmt.Errorf("the picture is %s, and the panel has %d by %d dots", size(m), Width, Height)
	}
	for i := range d.next {
		d.next[i] = 0xff // white, also the dots that are not there
	}
	white := whites(m)
	for y := range Height {
		for x := range Width {
			if white(x, y) {
				continue
			}
			d.next[(Width-1-x)*rowBytes+y/8] &^= 0x80 >> (y % 8)
		}
	}
	return nil
}
