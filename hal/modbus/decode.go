package modbus

import (
	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// energy decodes an import register from the registers of its request.
func (v *value) energy(m *meters.Map, registers []byte) (hal.Energy, error) {
	v.words[0] = registers[v.offset:][:2*v.Words()]
	return m.Energy(&v.Register, v.words[:])
}

// power decodes a power register.
func (v *value) power(m *meters.Map, registers []byte) (hal.Power, error) {
	v.words[0] = registers[v.offset:][:2*v.Words()]
	return m.Power(&v.Register, v.words[:])
}

// text decodes a serial; it is empty when the meter cannot tell.
func (v *value) text(m *meters.Map, registers []byte) (string, error) {
	v.words[0] = registers[v.offset:][:2*v.Words()]
	return m.Text(&v.Register, v.words[:])
}
