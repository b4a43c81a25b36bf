package epaper

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"periph.io/x/conn/v3/gpio"
)

// The number that is written and read back: neither all ones nor all zeros, nor the same
// half twice. 12 bits.
const probe = 0x5a3

// Temperatures that a sensor beside a living processor does not give, in thousandths of
// °C. Chosen by us.
const (
	impossiblyCold = -60_000
	impossiblyWarm = 125_000
)

// temperature gives thousandths of °C, or 0 where nobody needs them. The panel must be
// awake.
func (d *Device) temperature() (int, error) {
	if d.options.Coldest <= AnyCold {
		return 0, nil
	}
	if d.options.Thermometer != "" {
		return thermometer(d.options.Thermometer)
	}
	if err := d.activate(updateTemperature, readyMost, "temperature"); err != nil {
		return 0, err
	}
	raw, err := d.readTemp()
	if err != nil {
		return 0, err
	}
	if raw >= 0x800 { // negative: 12 bits, two's complement
		raw -= 0x1000
	}
	return possible(raw * 1000 / 16) // sixteenths of °C
}

// readTemp reads the temperature register: 12 bits.
func (d *Device) readTemp() (int, error) {
	if err := d.send(order{cmdReadTemp, nil}); err != nil {
		return 0, err
	}
	var b [2]byte // the upper eight bits, and the lower four
	if err := d.transfer(gpio.High, nil, b[:]); err != nil {
		return 0, fmt.Errorf("read of the temperature: %w", err)
	}
	return int(b[0])<<4 | int(b[1])>>4, nil
}

// tryRead finds out whether the port can read at all.
func (d *Device) tryRead() error {
	if err := d.send(order{cmdWriteTemp, []byte{probe >> 4, probe & 0xf << 4}}); err != nil {
		return err
	}
	got, err := d.readTemp()
	if err != nil {
		return fmt.Errorf("%w (%w)", errMute, err)
	}
	if got != probe {
		return fmt.Errorf("%w (0x%03x was written, 0x%03x read)", errMute, probe, got)
	}
	return nil
}

// thermometer reads a file of the kernel's: thousandths of °C.
func thermometer(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("temperature: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("temperature: %s has %.20q, not a number of thousandths of °C", path, text)
	}
	return possible(n)
}

// possible passes on what a thermometer may say.
func possible(n int) (int, error) {
	if n < impossiblyCold || n > impossiblyWarm {
		return 0, fmt.Errorf("temperature: %d thousandths of °C is no temperature of a display", n)
	}
	return n, nil
}

// degrees rounds thousandths down.
func degrees(n int) int {
	if n < 0 {
		return -((-n + 999) / 1000)
	}
	return n / 1000
}
