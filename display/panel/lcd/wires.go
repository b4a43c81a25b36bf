package lcd

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
)

// Outputs of a PCF8574 on nearly every backpack; bits 4 to 7 are the data.
const (
	outLetter = 1 << 0 // register select: a letter
	outEnable = 1 << 2 // the controller takes the half when it falls
	outLight  = 1 << 3 // backlight
)

// backpack is a PCF8574 on an I2C bus.
type backpack struct {
	bus     i2c.Bus
	address uint16 // seven bits
}

// OpenI2C sets up a display behind a PCF8574, as a rule at 0x27 or, with a PCF8574A, at 0x3f.
func OpenI2C(bus i2c.Bus, address uint16, o Options) (*Device, error) {
	return open(backpack{bus, address}, fmt.Sprintf("text display at 0x%02x", address), o)
}

func (b backpack) half(v byte) error {
	return b.tx(b.strobe([]byte{outLight}, v<<4|outLight))
}

func (b backpack) write(letter bool, all ...byte) error {
	var with byte = outLight
	if letter {
		with |= outLetter
	}
	out := make([]byte, 1, 1+5*len(all)) // bytes: one before the first half, as what kind it is must be there before the enable
	out[0] = with
	for _, v := range all {
		out = b.strobe(out, v&0xf0|with)
		out = b.strobe(out, v<<4|with)
		// The controller needs up to 59 µs for a letter. At 100 kHz, all that a PCF8574
		// is made for, a byte takes 90 µs; at 400 kHz this one fills the time.
		out = append(out, v<<4|with)
	}
	return b.tx(out)
}

// strobe adds one half: with the enable, and without.
func (b backpack) strobe(out []byte, v byte) []byte {
	return append(out, v|outEnable, v)
}

func (b backpack) tx(out []byte) error {
	if err := b.bus.Tx(b.address, out, nil); err != nil {
		return fmt.Errorf("%d bytes: %w", len(out), err)
	}
	return nil
}

// Pins are the lines of a display without a backpack. R/W is tied to ground.
type Pins struct {
	Letter gpio.PinOut    // RS
	Enable gpio.PinOut    // E
	Data   [4]gpio.PinOut // D4 to D7
}

// letterWait is what a letter takes at most. 59 µs with the slowest clock.
const letterWait = 60 * time.Microsecond

// OpenLines sets up a display on six lines.
func OpenLines(p Pins, o Options) (*Device, error) {
	for _, pin := range append(p.Data[:], p.Letter, p.Enable) {
		if pin == nil {
			return nil, errors.New("text display: the lines rs, e, d4, d5, d6 and d7 must all be there; give them in its url")
		}
	}
	if err := p.Enable.Out(gpio.Low); err != nil {
		return nil, fmt.Errorf("text display: enable line: %w", err)
	}
	return open(p, "text display", o)
}

func (p Pins) half(v byte) error {
	if err := p.Letter.Out(gpio.Low); err != nil {
		return fmt.Errorf("register select line: %w", err)
	}
	return p.strobe(v)
}

func (p Pins) write(letter bool, all ...byte) error {
	if err := p.Letter.Out(gpio.Level(letter)); err != nil {
		return fmt.Errorf("register select line: %w", err)
	}
	for _, v := range all {
		if err := p.strobe(v >> 4); err != nil {
			return err
		}
		if err := p.strobe(v & 0xf); err != nil {
			return err
		}
		time.Sleep(letterWait)
	}
	return nil
}

// strobe gives one half. The 450 ns that the enable must be high pass in the kernel.
func (p Pins) strobe(v byte) error {
	for i, pin := range p.Data {
		if err := pin.Out(v>>i&1 == 1); err != nil {
			return fmt.Errorf("data line d%d: %w", 4+i, err)
		}
	}
	for _, level := range []gpio.Level{gpio.High, gpio.Low} {
		if err := p.Enable.Out(level); err != nil {
			return fmt.Errorf("enable line: %w", err)
		}
	}
	return nil
}
