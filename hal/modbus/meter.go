package modbus

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// Chosen by us, where a map says nothing.
const (
	// coarse is assumed as the step of an import register, in Wh: meters for
	// billing show at least 0.01 kWh, and a float32 in kWh has steps below 8 Wh up
	// to 131 MWh, which no post reaches in its life.
	coarse hal.Energy = 10

	// lively is assumed as the time between two changes of a value: twice what
	// most meters need whose makers say it.
	lively = 2 * time.Second
)

// live is the voltage of a phase from which it counts as supplied. Chosen by us:
// half of the lowest grid there is would be 100 V, and an open phase that picks
// something up from the others shows tens of volts.
const live = 100 * 1000 // mV

// Meter is one energy meter. Any number of goroutines may use it; they take
// turns, among themselves and with those who use other meters on the same bus.
type Meter struct {
	bus    *Bus
	model  *meters.Map
	unit   uint8  // Modbus address
	name   string // for errors
	energy *value
	power  *value
	volts  []*value // none: the map has no voltages
	blocks []*block // the first of them, main in number, hold energy and power
	main   int      // number of blocks
	proofs []*proof

	// doubtful says that the last exchange failed: see Bus.take.
	doubtful atomic.Bool

	// For the holder of the bus only.
	turn   int  // counts the readings: each asks in other words than the one before
	mute   bool // the meter refused to tell its voltages
	serial string
	known  bool          // serial is what this meter said, and it is of this model
	asked  time.Duration // when
}

// Meter prepares one of the meters on the bus: that with this unit id, 1 to 247,
// or 255 for a meter that is its own gateway over Modbus TCP. What the URL leaves
// out of a serial line's settings the map says; two maps that say different
// things are an error.
func (b *Bus) Meter(m *meters.Map, unit int) (*Meter, error) {
	meter, err := b.meter(m, unit)
	if err != nil {
		return nil, fmt.Errorf("modbus: meter %s on %s: %w", m.ID, b.place.address, err)
	}
	return meter, nil
}

func (b *Bus) meter(m *meters.Map, unit int) (*Meter, error) {
	if own := unit == 255 && !b.place.rtu(); !own && (unit < 1 || unit > 247) {
		return nil, fmt.Errorf("unit %d: want 1 to 247, or 255 over Modbus TCP", unit)
	}
	meter := &Meter{bus: b, model: m, unit: uint8(unit), name: fmt.Sprintf("unit %d at %s", unit, b.place.address),
		energy: newValue(m, meters.ImportTotal), power: newValue(m, meters.PowerTotal)}
	for _, q := range []meters.Quantity{meters.VoltageL1, meters.VoltageL2, meters.VoltageL3} {
		if v := newValue(m, q); v != nil {
			meter.volts = append(meter.volts, v)
		}
	}
	if meter.energy == nil || meter.power == nil {
		return nil, fmt.Errorf("map %s: want import_total and power_total", m.ID)
	}
	main, err := plan(m, nil, meter.energy, meter.power)
	if err != nil {
		return nil, err
	}
	more, err := plan(m, main, meter.volts...)
	if err != nil {
		return nil, err
	}
	meter.blocks, meter.main = slices.Concat(main, more), len(main)
	if meter.proofs, err = b.proofs(m, uint8(unit)); err != nil {
		return nil, err
	}
	if err := wording(m, b.encode, uint8(unit), b.place.rtu(), meter.blocks); err != nil {
		return nil, err
	}
	return meter, b.learn(m)
}

// newValue is the quantity as the map has it; nil if it has none.
func newValue(m *meters.Map, q meters.Quantity) *value {
	r, has := m.Registers[q]
	if !has {
		return nil
	}
	return &value{name: q, register: r}
}

// learn takes from a map what nobody has said of the serial line.
func (b *Bus) learn(m *meters.Map) error {
	if b.place.scheme != schemeRTU || m.Serial == nil {
		return nil
	}
	says := setting{m.Serial.Baud, m.Serial.Parity, m.Serial.StopBits}
	b.mu.Lock()
	defer b.mu.Unlock()
	url := b.place.line
	agreed := b.line.or(says)
	if says = url.or(says); says.or(agreed) != agreed {
		return fmt.Errorf("comes set to %v, another meter on the line to %v: set all alike, and give baud, parity and stop in the URL", says.or(factory), agreed.or(factory))
	}
	if agreed.baud != 0 && !slices.Contains(bauds(), agreed.baud) {
		return fmt.Errorf("comes set to %d baud: set it to one of %v, and give that in the URL", agreed.baud, bauds())
	}
	b.line = agreed
	return nil
}

// Resolution is the step of the import register in Wh, or a safe upper bound
// where nobody has published one.
func (m *Meter) Resolution() hal.Energy { return cmp.Or(m.model.Resolution, coarse) }

// Modulus is how much the import register counts, in Wh, before it begins again
// at 0; 0 if it never does.
func (m *Meter) Modulus() hal.Energy { return m.model.Modulus() }

// Refresh is how long a value may stay the same although what is measured
// changes.
func (m *Meter) Refresh() time.Duration {
	return cmp.Or(time.Duration(m.model.Limits.Refresh)*time.Millisecond, lively)
}

// Read asks the meter for its register, its power and, from time to time, its
// serial. When no power flows it asks for the voltages, which say whether there
// is a supply. It connects where necessary. A reading is complete or there is an
// error: no connection, no whole answer in time, an answer that is not one to
// this request, a refusal by the meter or a gateway (*modbus.ModbusError of
// goburrow), a meter of another model, a value that cannot be, or ctx's own
// error. After an error just read again.
func (m *Meter) Read(ctx context.Context) (hal.Reading, error) {
	r, err := m.read(ctx)
	if err != nil {
		return hal.Reading{}, fmt.Errorf("modbus: read meter %s: %w", m.name, err)
	}
	return r, nil
}

func (m *Meter) read(ctx context.Context) (r hal.Reading, err error) {
	doubt, err := m.take(ctx)
	if err != nil {
		return r, err
	}
	defer func() { m.release(doubt, err) }()
	if r.Serial, err = m.identify(ctx); err != nil {
		return r, err
	}
	m.turn++
	for _, b := range m.blocks[:m.main] {
		if err := m.fetch(ctx, b); err != nil {
			return r, err
		}
	}
	r.At = m.bus.lastWord
	if r.Register, err = m.model.Energy(&m.energy.register, m.energy.words); err != nil {
		return r, m.impossible(m.energy, err)
	}
	if r.Power, err = m.model.Power(&m.power.register, m.power.words); err != nil {
		return r, m.impossible(m.power, err)
	}
	r.Supply, err = m.supply(ctx, r.Power)
	return r, err
}
