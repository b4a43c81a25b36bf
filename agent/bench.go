package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/plain"
	"stolpe/hal"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// simulatedModel is the meter that a bench plays.
const simulatedModel = "eastron_sdm630"

// bench is a simulated meter, contactor and car. Served, the meter is behind a real
// wire.
type bench struct {
	rig    *sim.Rig
	server *sim.Server // nil until serve
	memory *os.File    // the meter's register, which survives a power cut as a real one does
}

// newBench makes a bench. With a file the meter remembers its register there.
func newBench(mono func() time.Duration, car sim.Car, file string) (*bench, error) {
	b := &bench{}
	setup := sim.Setup{Serial: "22110345", Register: 10_344_076} // Wh: a meter some years old
	if file != "" {
		f, err := plain.Open(file, os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, fmt.Errorf("simulated meter: %w", err)
		}
		b.memory = f
		var last int64
		if _, err := fmt.Fscan(f, &last); err == nil {
			setup.Register = hal.Energy(last)
		}
	}
	b.rig = sim.NewRig(setup, mono)
	b.rig.Do(func(s *sim.Bench, now time.Duration) { s.PlugIn(now, car) })
	return b, nil
}

// serve puts the meter on a wire as unit 1, and says where. It is the SDM630 that
// was made after the manual, or any other by its map.
func (b *bench) serve(m *meters.Map) (url string, err error) {
	meter := sim.SDM630(b.rig)
	if m.ID != simulatedModel {
		meter = play(m, b.rig)
	}
	if b.server, err = sim.ServeTCP("127.0.0.1:0", sim.Units{1: meter}); err != nil {
		return "", fmt.Errorf("simulated meter: %w", err)
	}
	return b.server.URL(), nil
}

// Close ends the wire.
func (b *bench) Close() (err error) {
	if b.server != nil {
		err = b.server.Close()
	}
	if b.memory != nil {
		err = errors.Join(err, b.memory.Close())
	}
	return err
}

// remembering writes down what the meter shows before anybody sees it.
func (b *bench) remembering(m evse.Meter) evse.Meter {
	if b.memory != nil {
		m = memory{m, b.memory}
	}
	return m
}

type memory struct {
	evse.Meter
	file *os.File
}

// Read reads the meter.
func (m memory) Read(ctx context.Context) (hal.Reading, error) {
	r, err := m.Meter.Read(ctx)
	if err != nil {
		return r, err
	}
	if _, err := m.file.WriteAt(fmt.Appendf(nil, "%-20d\n", int64(r.Register)), 0); err != nil {
		return hal.Reading{}, fmt.Errorf("simulated meter: %w", err)
	}
	return r, nil
}
