package modbus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stolpe/hal/modbus/meters"
)

// serialAge is how long a serial is believed without asking again. Chosen by us:
// nobody replaces a meter without cutting it off, and after any failed read the
// serial is asked for anyway.
const serialAge = 5 * time.Minute

// ErrOther says that something answers, and says of itself that it is another meter.
var ErrOther = errors.New("another meter")

// theSerial is the key of the serial among the identities of a map.
const theSerial = "serial"

// proof is something a meter says of itself.
type proof struct {
	value
	block *block
}

// proofs prepares what a meter must say of itself before it is believed: its
// serial, and whatever its map expects. Each is asked for alone: they lie apart,
// and some meters refuse to tell them together with anything else.
func (b *Bus) proofs(m *meters.Map, unit uint8) ([]*proof, error) {
	var all []*proof
	for _, name := range slices.Sorted(maps.Keys(m.Identity)) {
		r := m.Identity[name]
		if name != theSerial && len(r.Expect) == 0 {
			continue
		}
		p, err := b.proof(m, unit, name)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (b *Bus) proof(m *meters.Map, unit uint8, name string) (*proof, error) {
	p := &proof{value: value{name: meters.Quantity(name), register: m.Identity[name]}}
	blocks, err := plan(m, nil, &p.value)
	if err != nil {
		return nil, err
	}
	p.block = blocks[0]
	return p, wording(m, b.encode, unit, false, blocks)
}

// identify gives the serial, from memory while that is young, and makes sure that
// the meter is one of the map's. A meter that has no such register cannot tell,
// and says so by refusing.
func (m *Meter) identify(ctx context.Context) (string, error) {
	if m.known && m.bus.now()-m.asked < serialAge {
		return m.serial, nil
	}
	m.serial, m.mute = "", false
	for _, p := range m.proofs {
		text, err := m.tell(ctx, p)
		if err != nil && !unknown(err) {
			return "", err
		}
		if err == nil && !p.fits(text) {
			return "", fmt.Errorf("%w than %s: its %s is %q, want %s", ErrOther, m.model.ID, p.name, text, strings.Join(p.register.Expect, " or "))
		}
		if p.name == theSerial {
			m.serial = text
		}
	}
	m.known, m.asked = true, m.bus.now()
	return m.serial, nil
}

// tell asks what the meter says of itself.
func (m *Meter) tell(ctx context.Context, p *proof) (string, error) {
	if err := m.fetch(ctx, p.block); err != nil {
		return "", err
	}
	return m.model.Text(&p.register, p.words)
}

// fits says whether a meter of the map can say so.
func (p *proof) fits(text string) bool {
	return len(p.register.Expect) == 0 || slices.Contains(p.register.Expect, text)
}
