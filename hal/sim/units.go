package sim

import (
	"encoding/binary"
	"fmt"
	"maps"
	"time"
)

// Registers is one meter on a wire. Several clients may ask at once.
type Registers interface {
	// Registers appends the byte count and the registers asked for, two bytes
	// each, or gives a Modbus exception code in their place. It says whether the
	// meter answers at all.
	Registers(to []byte, function byte, addr, count uint16) (_ []byte, exception byte, answers bool)
}

// Units are the meters on a wire by their Modbus addresses.
type Units map[byte]Registers

// Fixed by MODBUS over Serial Line 1.02, section 2.2: slaves are 1 to 247, 0 is a
// broadcast, the rest is reserved.
const maxUnit = 247

// meters are the units on a wire and what goes wrong on it.
type meters struct {
	wire   Wire
	units  Units
	script chan WireFault // for the next requests, in order
	late   chan held      // the answer that Late has held back
}

// held is an answer that was not sent in time.
type held struct {
	frame []byte
	until time.Time // when it is lost; zero: never
}

func newMeters(w Wire, units Units) (meters, error) {
	for unit, registers := range units {
		if registers == nil {
			return meters{}, fmt.Errorf("sim: unit %d: no registers", unit)
		}
		if w != TCP && (unit == 0 || unit > maxUnit) {
			return meters{}, fmt.Errorf("sim: unit %d: want 1 to %d", unit, maxUnit)
		}
	}
	return meters{wire: w, units: maps.Clone(units), script: make(chan WireFault, maxScript), late: make(chan held, 1)}, nil
}

// Wire puts faults on the wire: the next request that is heard meets the first,
// and so on. It returns an error when more than 256 are waiting, and for a fault
// that does not occur on this kind of wire.
func (m *meters) Wire(faults ...WireFault) error {
	for _, f := range faults {
		if !f.On(m.wire) {
			return fmt.Errorf("sim: wire fault %q does not occur on %s", f, m.wire)
		}
	}
	for i, f := range faults {
		select {
		case m.script <- f:
		default:
			return fmt.Errorf("sim: wire fault %d of %d: %d are waiting already", i+1, len(faults), maxScript)
		}
	}
	return nil
}

// next is the fault that the present request meets.
func (m *meters) next() WireFault {
	select {
	case f := <-m.script:
		return f
	default:
		return Sound
	}
}

// answer appends unit, function and data of the answer to a request of the same
// make; nil when nobody answers. A gateway refuses where it knows nobody. On a
// line whoever is not there is silent, and a broadcast is for nobody.
func (m *meters) answer(to, request []byte) []byte {
	unit, function := request[0], request[1]
	meter, known := m.units[unit]
	to = append(to, unit, function)
	said, code := to, byte(0)
	switch {
	case !known && m.wire != TCP:
		return nil
	case !known:
		code = gatewayTarget
	case len(request) != 6 && function != readHolding && function != readInput:
		code = illegalFunction
	case len(request) != 6:
		code = illegalValue
	default:
		var answers bool
		addr, count := binary.BigEndian.Uint16(request[2:]), binary.BigEndian.Uint16(request[4:])
		if said, code, answers = meter.Registers(to, function, addr, count); !answers {
			return nil
		}
	}
	if code != 0 {
		said = append(to, code)
		said[len(to)-1] |= 0x80
	}
	return said
}
