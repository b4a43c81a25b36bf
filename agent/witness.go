package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"stolpe/agent/doctor"
	"stolpe/agent/evse"
	"stolpe/hal"
	"stolpe/hal/modbus"
)

// witness remembers how the meters last answered: the loops go on without what failed,
// and it is a technician who wants to know why it did.
type witness struct {
	mu     sync.Mutex
	meters map[int]lastReading // by EVSE
}

// lastReading is what came of asking a meter last.
type lastReading struct {
	asked  bool
	err    error // nil if it answered
	serial string
	took   time.Duration
}

// newWitness makes one that has seen nothing.
func newWitness() *witness { return &witness{meters: map[int]lastReading{}} }

// read is a meter that is remembered.
func (w *witness) read(evse int, m evse.Meter) evse.Meter { return seenMeter{m, evse, w} }

type seenMeter struct {
	evse.Meter
	evse    int // whose meter it is
	witness *witness
}

// Read reads the meter.
func (m seenMeter) Read(ctx context.Context) (hal.Reading, error) {
	began := time.Now()
	r, err := m.Meter.Read(ctx)
	if !errors.Is(ctx.Err(), context.Canceled) {
		m.witness.mu.Lock()
		defer m.witness.mu.Unlock()
		last := m.witness.meters[m.evse]
		last.asked, last.err = true, err
		if err == nil {
			last.serial, last.took = r.Serial, time.Since(began)
		}
		m.witness.meters[m.evse] = last
	}
	return r, err
}

// meter is how the meter of an EVSE last answered.
func (w *witness) meter(evse int) lastReading {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.meters[evse]
}

// troubleWith is why a meter did not answer.
func troubleWith(url string, err error) doctor.Trouble {
	serial := strings.HasPrefix(url, "rtu:")
	var unnamed *net.DNSError
	for _, x := range []struct {
		is  bool
		why doctor.Trouble
	}{
		{err == nil, ""},
		{errors.Is(err, modbus.ErrOther) || modbus.Refused(err), doctor.OtherModel},
		{serial && errors.Is(err, fs.ErrNotExist), doctor.NoAdapter},
		{serial && noPort(err), doctor.NoPort},
		{serial && errors.Is(err, fs.ErrPermission), doctor.NoRights},
		{serial && errors.Is(err, syscall.EBUSY), doctor.LineHeld},
		{errors.As(err, &unnamed), doctor.NoName},
		{errors.Is(err, syscall.ECONNREFUSED), doctor.NoListener},
		{modbus.Unanswered(err), doctor.Gateway},
		{modbus.Garbled(err), doctor.Garbled},
	} {
		if x.is {
			return x.why
		}
	}
	return doctor.Silent
}
