package epaper

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// Commands of the SSD1680.
const (
	cmdGates       = 0x01 // driver output control
	cmdGateVoltage = 0x03
	cmdVoltages    = 0x04 // source driving voltages
	cmdSleep       = 0x10 // deep sleep
	cmdOrder       = 0x11 // data entry mode
	cmdReset       = 0x12 // software reset
	cmdSensor      = 0x18 // which temperature sensor
	cmdWriteTemp   = 0x1a // temperature register
	cmdReadTemp    = 0x1b // temperature register
	cmdActivate    = 0x20 // what cmdUpdate says
	cmdSources     = 0x21 // display update control 1
	cmdUpdate      = 0x22 // display update control 2
	cmdNew         = 0x24 // memory of what will be
	cmdOld         = 0x26 // memory of what was
	cmdCommon      = 0x2c // VCOM
	cmdWaveform    = 0x32 // look-up table
	cmdOption      = 0x37 // display option
	cmdBorder      = 0x3c // border waveform
	cmdWaveEnd     = 0x3f // end option of the look-up table
	cmdColumns     = 0x44 // window of the memory
	cmdRows        = 0x45
	cmdColumn      = 0x4e // place in the memory
	cmdRow         = 0x4f
)

// What cmdUpdate may ask for.
const (
	updateTemperature = 0xb1 // clock on, temperature, waveform, clock off
	updateVoltages    = 0xc0 // clock and voltages on
	updateWhole       = 0xf7 // all, with the panel's waveform for whole draws
	updatePartial     = 0xff // all, with the panel's waveform for partial draws
	updateToldWhole   = 0xc7 // as updateWhole, with the waveform it was told
	updateToldPartial = 0x0f // the same for partial draws; clock and voltages are on
)

// order is one command and its data.
type order struct {
	command byte
	data    []byte
}

// start gives what follows each reset.
func start() []order {
	return []order{
		{cmdGates, []byte{Width - 1, 0, 0}},
		{cmdOrder, []byte{0x03}}, // rows and columns grow
		{cmdColumns, []byte{0, rowBytes - 1}},
		{cmdRows, []byte{0, 0, Width - 1, 0}},
		{cmdBorder, []byte{0x05}},        // as white dots
		{cmdSources, []byte{0x00, 0x80}}, // both memories as they are; 122 dots begin at source 8
		{cmdSensor, []byte{0x80}},        // its own
	}
}

// wake resets the controller and sets it up.
func (d *Device) wake() error {
	for _, step := range []struct {
		level gpio.Level
		after time.Duration
	}{{gpio.Low, resetLow}, {gpio.High, resetAfter}} {
		if err := d.pins.Reset.Out(step.level); err != nil {
			return fmt.Errorf("reset line: %w", err)
		}
		time.Sleep(step.after)
	}
	if err := d.wait(readyMost, "reset"); err != nil {
		return err
	}
	if err := d.send(order{cmdReset, nil}); err != nil {
		return err
	}
	if err := d.wait(readyMost, "reset by command"); err != nil {
		return err
	}
	return d.send(start()...)
}

// sleep makes the controller use nothing until the next reset.
func (d *Device) sleep() error { return d.send(order{cmdSleep, []byte{0x01}}) }

// draw puts next on the glass in place of was.
func (d *Device) draw(was []byte, whole bool) error {
	if err := d.send(told(d.options.Model, whole)...); err != nil {
		return err
	}
	update, most := byte(updatePartial), partialMost
	if whole {
		update, most, was = updateWhole, wholeMost, d.next
	}
	if d.options.Model == V3 {
		update = updateToldPartial
		if whole {
			update = updateToldWhole
		} else if err := d.activate(updateVoltages, partialMost, "voltages"); err != nil {
			return err
		}
	}
	home := []order{{cmdColumn, []byte{0}}, {cmdRow, []byte{0, 0}}}
	if err := d.send(append(home, order{cmdNew, d.next})...); err != nil {
		return err
	}
	if err := d.send(append(home, order{cmdOld, was})...); err != nil {
		return err
	}
	return d.activate(update, most, "draw")
}

// activate asks for an update and waits for its beginning and its end.
func (d *Device) activate(what byte, most time.Duration, name string) error {
	asked := time.Now()
	if err := d.send(order{cmdUpdate, []byte{what}}, order{cmdActivate, nil}); err != nil {
		return err
	}
	for last := asked; d.pins.Busy.Read() != gpio.High; time.Sleep(poll / 5) {
		now := time.Now()
		if now.Sub(last) > missedMost {
			break // nobody has looked for so long that it may be over
		}
		if now.Sub(asked) > beginsMost {
			return fmt.Errorf("%s: the busy line is not high %v after the order; see to the ribbon, the lines and the power of the panel", name, beginsMost)
		}
		last = now
	}
	return d.wait(most, name)
}

// wait waits until the controller is not busy.
func (d *Device) wait(most time.Duration, name string) error {
	for began := time.Now(); d.pins.Busy.Read() == gpio.High; time.Sleep(poll) {
		if time.Since(began) > most {
			return fmt.Errorf("%s: the busy line is still high after %v; see to the lines of the panel", name, most)
		}
	}
	return nil
}

// send gives orders.
func (d *Device) send(orders ...order) error {
	for _, o := range orders {
		if err := d.transfer(gpio.Low, []byte{o.command}, nil); err != nil {
			return fmt.Errorf("command 0x%02x: %w", o.command, err)
		}
		for rest := o.data; len(rest) > 0; {
			n := min(len(rest), d.most)
			if err := d.transfer(gpio.High, rest[:n], nil); err != nil {
				return fmt.Errorf("%d bytes after command 0x%02x: %w", n, o.command, err)
			}
			rest = rest[n:]
		}
	}
	return nil
}

// transfer passes bytes one way.
func (d *Device) transfer(data gpio.Level, w, r []byte) error {
	if err := d.pins.Data.Out(data); err != nil {
		return fmt.Errorf("data line: %w", err)
	}
	return d.conn.Tx(w, r)
}

// errMute says that nothing can be read from the panel.
var errMute = errors.New("the panel's own temperature cannot be read over this port; name a file with the temperature in `temperature`, or set `coldest_c` to -40 where it never freezes")
