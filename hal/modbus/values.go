package modbus

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stolpe/hal/modbus/meters"
)

// Value is one thing that a meter tells: a quantity, or something of itself.
type Value struct {
	Name   string        // as the map says it, such as voltage_l1
	Number int64         // of a quantity, in Unit
	Unit   string        // Wh, W, mV, mA or mHz; empty for a text
	Text   string        // what it says of itself; empty if it cannot tell
	At     time.Duration // by the clock of the readings, when the answer had arrived
	Err    error         // why there is no value; nil: there is one
}

// Values asks for everything that the map has, for a person who wants to know. A
// value that the meter refuses or cannot give has the reason in its place. The
// error is for a meter that does not answer rightly at all; what had come until
// then is there.
func (m *Meter) Values(ctx context.Context) ([]Value, error) {
	values, err := m.valuesHeard(ctx, nil)
	if err != nil {
		return values, fmt.Errorf("modbus: read meter %s: %w", m.name, err)
	}
	return values, nil
}

// valuesHeard asks for everything while somebody hears what is said for it, or nobody.
func (m *Meter) valuesHeard(ctx context.Context, heard func(Frame)) (told []Value, err error) {
	doubt, err := m.take(ctx)
	if err != nil {
		return nil, err
	}
	m.bus.tap = heard
	defer func() { m.bus.tap = nil; m.release(doubt, err) }()
	for _, name := range slices.Sorted(maps.Keys(m.model.Identity)) {
		p, err := m.bus.proof(m.model, m.unit, name)
		if err != nil {
			return told, err
		}
		v := Value{Name: name}
		v.Text, v.Err = m.tell(ctx, p)
		if v.Err != nil && !unknown(v.Err) {
			return told, v.Err
		}
		if v.Err == nil && !p.fits(v.Text) {
			v.Err = fmt.Errorf("%q: a meter of this map says %s", v.Text, strings.Join(p.register.Expect, " or "))
		}
		v.At = m.bus.lastWord
		told = append(told, v)
	}
	var wanted []*value
	for _, q := range meters.Quantities() {
		if v := newValue(m.model, q); v != nil {
			wanted = append(wanted, v)
		}
	}
	quantities, err := m.quantities(ctx, wanted)
	return append(told, quantities...), err
}

// quantities asks for several values. Those in a request that the meter refuses
// are asked for one by one, so that one it does not have hides no other.
func (m *Meter) quantities(ctx context.Context, wanted []*value) ([]Value, error) {
	blocks, err := plan(m.model, nil, wanted...)
	if err != nil {
		return nil, err
	}
	if err := wording(m.model, m.bus.encode, m.unit, false, blocks); err != nil {
		return nil, err
	}
	refusals, at := make([]error, len(blocks)), make([]time.Duration, len(blocks))
	for i, b := range blocks {
		refusals[i], at[i] = m.fetch(ctx, b), m.bus.lastWord
		if err := refusals[i]; err != nil && !unknown(err) {
			return nil, err
		}
	}
	var told []Value
	for _, v := range wanted {
		t := Value{Name: string(v.name), Unit: unitOf(v.register.Unit)}
		for _, b := range v.blocks {
			t.At, t.Err = max(t.At, at[b]), cmp.Or(t.Err, refusals[b])
		}
		switch {
		case t.Err != nil && len(wanted) > 1:
			alone, err := m.quantities(ctx, []*value{{name: v.name, register: v.register}})
			if err != nil {
				return told, err
			}
			t = alone[0]
		case t.Err == nil:
			if t.Number, t.Err = decode(m.model, v); t.Err != nil {
				t.Err = explained(m.model, v, t.Err)
			}
		}
		told = append(told, t)
	}
	return told, nil
}

// decode gives a quantity in the unit that unitOf names.
func decode(m *meters.Map, v *value) (int64, error) {
	switch v.register.Unit {
	case "kWh", "Wh":
		n, err := m.Energy(&v.register, v.words)
		return int64(n), err
	case "kW", "W":
		n, err := m.Power(&v.register, v.words)
		return int64(n), err
	}
	return m.Milli(&v.register, v.words)
}

// unitOf is the unit in which a quantity is told that the map has in another.
func unitOf(unit string) string {
	switch unit {
	case "kWh", "Wh":
		return "Wh"
	case "kW", "W":
		return "W"
	}
	return "m" + unit
}
