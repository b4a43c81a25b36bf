package modbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// serialAge is how long a serial is believed without asking again. Chosen by us:
// nobody replaces a meter without cutting it off, and after any failed read the
// serial is asked for anyway.
const serialAge = 5 * time.Minute

// Meter is one energy meter. Any number of goroutines may use it; they take
// turns.
type Meter struct {
	name       string // for errors
	line       *line
	now        func() time.Duration
	gap        time.Duration // silence the meter needs before a request
	model      *meters.Map
	resolution hal.Energy // Wh
	blocks     []*request
	energy     value
	power      value
	identity   []*request // one or none: the meter cannot tell its serial
	number     value      // the serial

	// For the holder of the line only.
	serial   string
	known    bool          // serial is what this meter said
	asked    time.Duration // when
	spoken   bool
	lastWord time.Duration // the end of the last exchange, if spoken
}

// newMeter plans the requests for a meter on a line.
func newMeter(m *meters.Map, unit uint8, l *line, now func() time.Duration) (*Meter, error) {
	meter := &Meter{
		name:       fmt.Sprintf("unit %d at %s", unit, l.address),
		line:       l,
		now:        now,
		gap:        time.Duration(m.Limits.MinGap) * time.Millisecond,
		model:      m,
		resolution: cmp.Or(m.Resolution, coarse),
		energy:     value{Register: m.Registers[meters.ImportTotal]},
		power:      value{Register: m.Registers[meters.PowerTotal]},
	}
	var err error
	if meter.blocks, err = plan(m, unit, &meter.energy, &meter.power); err != nil {
		return nil, err
	}
	if serial, ok := m.Identity["serial"]; ok {
		meter.number.Register = serial
		meter.identity, err = plan(m, unit, &meter.number)
	}
	return meter, err
}

// Resolution is the step of the import register in Wh, or a safe upper bound
// where nobody has published one.
func (m *Meter) Resolution() hal.Energy { return m.resolution }

// Close closes the connection. A read under way ends at once, and every later
// one fails, with net.ErrClosed.
func (m *Meter) Close() error {
	if err := m.line.close(); err != nil {
		return fmt.Errorf("modbus: close meter %s: %w", m.name, err)
	}
	return nil
}

// Read asks the meter for its register, its power and, from time to time, its
// serial. It connects where necessary. A reading is complete or there is an
// error: no connection, no whole answer in time, an answer that is not one to
// this request, a refusal by the meter or a gateway (*modbus.ModbusError of
// goburrow), a value that cannot be, or ctx's own error. After an error just
// read again.
func (m *Meter) Read(ctx context.Context) (hal.Reading, error) {
	r, err := m.read(ctx)
	if err != nil {
		return hal.Reading{}, fmt.Errorf("modbus: read meter %s: %w", m.name, err)
	}
	return r, nil
}

func (m *Meter) read(ctx context.Context) (r hal.Reading, err error) {
	if err := m.line.take(ctx); err != nil {
		return r, err
	}
	defer m.line.release()
	defer func() { m.known = m.known && err == nil }()
	if r.Serial, err = m.identify(ctx); err != nil {
		return r, err
	}
	for i, block := range m.blocks {
		registers, err := m.ask(ctx, block)
		if err != nil {
			return r, err
		}
		if err := m.decode(&r, i, registers); err != nil {
			m.line.drop()
			return r, err
		}
	}
	r.At = m.lastWord
	return r, nil
}

// decode decodes the values that block i holds.
func (m *Meter) decode(r *hal.Reading, i int, registers []byte) (err error) {
	if m.energy.block == i {
		if r.Register, err = m.energy.energy(m.model, registers); err != nil {
			return err
		}
	}
	if m.power.block == i {
		r.Power, err = m.power.power(m.model, registers)
	}
	return err
}

// identify gives the serial, from memory while that is young. A meter that has no
// such register cannot tell, and says so by refusing.
func (m *Meter) identify(ctx context.Context) (string, error) {
	if m.known && m.now()-m.asked < serialAge {
		return m.serial, nil
	}
	m.serial = ""
	for _, block := range m.identity {
		registers, err := m.ask(ctx, block)
		if err != nil && !unknown(err) {
			return "", err
		}
		if err != nil {
			continue
		}
		if m.serial, err = m.number.text(m.model, registers); err != nil {
			return "", err
		}
	}
	m.known, m.asked = true, m.now()
	return m.serial, nil
}

// unknown says whether the meter itself refused, because it has no such function
// or register. Other exceptions come from gateways, or pass.
func unknown(err error) bool {
	var refused *goburrow.ModbusError
	return errors.As(err, &refused) && (refused.ExceptionCode == goburrow.ExceptionCodeIllegalFunction ||
		refused.ExceptionCode == goburrow.ExceptionCodeIllegalDataAddress)
}

// ask makes one exchange after the silence the meter needs.
func (m *Meter) ask(ctx context.Context, r *request) ([]byte, error) {
	if err := m.silence(ctx); err != nil {
		return nil, err
	}
	registers, err := m.line.exchange(ctx, r)
	m.spoken, m.lastWord = true, m.now()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", r, err)
	}
	return registers, nil
}

// silence waits until the line has been quiet for the meter's gap. At one read a
// second that is only ever before the request that follows the serial's.
func (m *Meter) silence(ctx context.Context) error {
	for m.spoken {
		wait := m.lastWord + m.gap - m.now()
		if wait <= 0 {
			break
		}
		timer := time.NewTimer(min(wait, slice))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
	return nil
}

// slice is how long a silence is waited for before the clock is looked at again:
// Config.Now may run faster than life. Chosen by us.
const slice = 2 * time.Millisecond
