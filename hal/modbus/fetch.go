package modbus

import (
	"context"
	"errors"
	"fmt"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// take waits for the bus, and says whether as a meter in doubt, for release.
func (m *Meter) take(ctx context.Context) (doubt bool, err error) {
	doubt = m.doubtful.Load()
	return doubt, m.bus.take(ctx, doubt)
}

// release gives the bus back and notes whether the meter can be trusted to answer.
func (m *Meter) release(doubt bool, err error) {
	m.known = m.known && err == nil
	m.doubtful.Store(err != nil && !refused(err))
	m.bus.release(doubt)
}

// fetch asks for a block and keeps its registers.
func (m *Meter) fetch(ctx context.Context, b *block) error {
	s := b.shapes[m.turn%len(b.shapes)]
	registers, err := m.bus.ask(ctx, s.request)
	if err != nil {
		return err
	}
	copy(b.registers, registers[2*s.lead:])
	return nil
}

// supply says whether there is mains voltage at the meter. Power that flows
// proves it, and then nothing is asked. One phase is enough: which one the car
// is on is the electrician's choice.
func (m *Meter) supply(ctx context.Context, power hal.Power) (hal.Supply, error) {
	if power != 0 {
		return hal.SupplyPresent, nil
	}
	if len(m.volts) == 0 || m.mute {
		return hal.SupplyUnknown, nil
	}
	for _, b := range m.blocks[m.main:] {
		err := m.fetch(ctx, b)
		if unknown(err) {
			m.mute = true
			return hal.SupplyUnknown, nil
		}
		if err != nil {
			return hal.SupplyUnknown, err
		}
	}
	supply := hal.SupplyMissing
	for _, v := range m.volts {
		volts, err := m.model.Milli(&v.register, v.words)
		switch {
		case err != nil:
			supply = hal.SupplyUnknown
		case volts >= live:
			return hal.SupplyPresent, nil
		}
	}
	return supply, nil
}

// unknown says whether the meter itself refused, because it has no such function
// or register, or does not give them together. Other exceptions come from
// gateways, or pass.
func unknown(err error) bool {
	refusal, is := errors.AsType[*goburrow.ModbusError](err)
	return is && refusal.ExceptionCode <= goburrow.ExceptionCodeIllegalDataValue
}

// impossible is the error for a value that cannot be. What gave it is not to be
// trusted any further: the connection ends.
func (m *Meter) impossible(v *value, err error) error {
	m.bus.fail(m.blocks[v.blocks[0]].shapes[0].within)
	return explained(m.model, v, err)
}

// explained adds to a decoder's error what the registers hold and what that may
// mean.
func explained(m *meters.Map, v *value, err error) error {
	hint := ""
	turned := *m
	turned.WordOrder = meters.Big
	if m.WordOrder == meters.Big {
		turned.WordOrder = meters.Little
	}
	number, wrong := decode(&turned, v)
	switch {
	case errors.Is(err, meters.ErrNoValue):
		hint = ": it does not measure this, or not yet"
	case wrong == nil:
		hint = fmt.Sprintf(": with its words the other way round it would be %d %s: is the word order of the map that of the meter?", number, unitOf(v.register.Unit))
	}
	return fmt.Errorf("%s, % x: %w%s", v.name, v.words, err, hint)
}
