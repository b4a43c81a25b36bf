package modbus

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// This file is the only place where a measured quantity is a float, and it is
// one for no longer than it takes to round it.

// energy decodes an import register from the registers of its request. NaN,
// infinity, anything negative (minus zero too: a counter has no sign) and more
// than the register can hold are errors: they are not readings, and surely not 0.
func (v *value) energy(registers []byte) (hal.Energy, error) {
	number, err := v.number(registers)
	if err != nil {
		return 0, err
	}
	if math.Signbit(number) {
		return 0, fmt.Errorf("register %#04x holds %v %s: an import register is never negative", v.Addr, number, v.Unit)
	}
	return hal.Energy(math.Round(number * perBase(v.Unit))), nil
}

// power decodes a power register. Power fed into the grid is negative.
func (v *value) power(registers []byte) (hal.Power, error) {
	number, err := v.number(registers)
	if err != nil {
		return 0, err
	}
	return hal.Power(math.Round(number * perBase(v.Unit))), nil
}

// perBase is how many Wh or W a unit of the register is.
func perBase(unit string) float64 {
	if unit == "kWh" || unit == "kW" {
		return 1000
	}
	return 1
}

// number decodes a quantity in its register's own unit.
func (v *value) number(registers []byte) (float64, error) {
	raw := v.raw(registers)
	number := float64(raw)
	if v.Type == meters.Float32 {
		number = float64(math.Float32frombits(raw))
	}
	if v.Scale != 0 {
		number *= v.Scale
	}
	if !(math.Abs(number) <= v.Max) { // so put that NaN fails too
		return 0, fmt.Errorf("register %#04x holds %v %s: want a number up to %v", v.Addr, number, v.Unit, v.Max)
	}
	return number, nil
}

// raw is the value's 32 bits.
func (v *value) raw(registers []byte) uint32 {
	high := uint32(binary.BigEndian.Uint16(registers[v.offset:]))
	low := uint32(binary.BigEndian.Uint16(registers[v.offset+2:]))
	if v.order == meters.Little {
		high, low = low, high
	}
	return high<<16 | low
}

// serial decodes a serial. All zeros and all ones are memory that was never
// written: the meter cannot tell.
func (v *value) serial(registers []byte) string {
	raw := v.raw(registers)
	if raw == 0 || raw == math.MaxUint32 {
		return ""
	}
	return strconv.FormatUint(uint64(raw), 10)
}
