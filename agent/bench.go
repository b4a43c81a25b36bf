package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"stolpe/agent/evse"
	"stolpe/hal"
	"stolpe/hal/sim"
)

// simulatedModel is the meter that a bench plays.
const simulatedModel = "eastron_sdm630"

// bench is a simulated meter, contactor and car, with the meter behind a real wire.
type bench struct {
	rig    *sim.Rig
	server *sim.Server
	memory *os.File // the meter's register, which survives a power cut as a real one does
}

// newBench starts a bench. With a file the meter remembers its register there.
func newBench(mono func() time.Duration, car sim.Car, file string) (*bench, error) {
	b := &bench{}
	setup := sim.Setup{Serial: "22110345", Register: 10_344_076} // Wh: a meter some years old
	if file != "" {
		f, err := os.OpenFile(filepath.Clean(file), os.O_RDWR|os.O_CREATE, 0o600)
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
	var err error
	if b.server, err = sim.Serve("127.0.0.1:0", 1, b.rig); err != nil {
		return nil, fmt.Errorf("simulated meter: %w", err)
	}
	return b, nil
}

// Close ends the wire.
func (b *bench) Close() error {
	err := b.server.Close()
	if b.memory != nil {
		err = errors.Join(err, b.memory.Close())
	}
	return err
}

// remembering writes down what the meter shows before anybody sees it.
func (b *bench) remembering(m evse.Meter) evse.Meter {
	if b.memory == nil {
		return m
	}
	return memory{m, b.memory}
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
