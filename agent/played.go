package main

import (
	"context"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// played is a simulated meter of any model: what happens on a bench, in the
// registers of a map.
type played struct {
	rig   *sim.Rig
	model *meters.Map
	image *meters.Image
}

func play(m *meters.Map, rig *sim.Rig) sim.Registers {
	return &played{rig: rig, model: m, image: meters.NewImage(m)}
}

// deviceFailure is what a meter says that is there and cannot (Modbus Application
// Protocol 1.1b3, 7).
const deviceFailure = 4

// Registers answers a request with what the meter shows now.
func (p *played) Registers(to []byte, function byte, addr, count uint16) (_ []byte, exception byte, answers bool) {
	r, err := p.rig.Read(context.Background())
	if err != nil {
		return to, 0, false
	}
	if err := p.image.Show(showing(p.model, r)); err != nil {
		return to, deviceFailure, true
	}
	to, exception = p.image.Registers(to, function, addr, count)
	return to, exception, true
}

// showing is what a meter with equally loaded phases shows of a reading.
func showing(m *meters.Map, r hal.Reading) meters.Shown {
	const volts, hertz = 230, 50 // chosen by us: a sound grid
	s := meters.Shown{Import: r.Register, Power: r.Power, FrequencyMilli: hertz * 1000, Serial: r.Serial}
	for phase := range m.Phases {
		if r.Supply != hal.SupplyMissing {
			s.Voltage[phase] = volts * 1000
		}
		s.Current[phase] = hal.Current(int64(r.Power) * 1000 / int64(volts*m.Phases))
	}
	return s
}
