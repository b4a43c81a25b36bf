package light

import (
	"errors"
	"fmt"

	"periph.io/x/conn/v3/gpio"
)

// bright is from where on a part of a colour is switched on. Chosen by us: an amber still
// has its green, and a tinge is dropped.
const bright = 64 // of 255

// Lines are the lines of a light that knows on and off. High is on.
type Lines struct {
	Red, Green, Blue gpio.PinOut
}

// OpenLines takes a light on three lines.
func OpenLines(l Lines) (*Device, error) {
	if l.Red == nil || l.Green == nil || l.Blue == nil {
		return nil, errors.New("light: the lines red, green and blue must all be there; give them in its url")
	}
	return open(l)
}

func (l Lines) set(red, green, blue uint8) error {
	for _, c := range []struct {
		name string
		pin  gpio.PinOut
		v    uint8
	}{{"red", l.Red, red}, {"green", l.Green, green}, {"blue", l.Blue, blue}} {
		if err := c.pin.Out(c.v >= bright); err != nil {
			return fmt.Errorf("%s line: %w", c.name, err)
		}
	}
	return nil
}

func (l Lines) smooth() bool { return false }
func (l Lines) close() error { return nil }
