package meters

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"sync"

	"stolpe/hal"
)

// Shown is what a meter measures, and its serial.
type Shown struct {
	Import, Export hal.Energy     // Wh
	Power          hal.Power      // W, of all phases
	Voltage        [3]hal.Voltage // mV, L1 to L3
	Current        [3]hal.Current // mA, L1 to L3
	FrequencyMilli int64          // mHz
	Serial         string
}

// Image is what a meter of one kind holds in its registers: for simulating one.
// Any number of goroutines may use it.
type Image struct {
	m     *Map
	reach map[uint8]span // by function code
	mu    sync.Mutex
	at    map[cell]uint16
}

// span is the first register that a function code reads, and the one after the
// last.
type span struct {
	low, high int // addresses
}

// cell is one register. Input and holding registers have addresses of their own.
type cell struct {
	function uint8  // Modbus function code
	addr     uint16 // on the wire
}

// NewImage gives a meter that shows nothing yet: every register is 0, but those
// by which it is known.
func NewImage(m *Map) *Image {
	image := &Image{m: m, at: map[cell]uint16{}, reach: map[uint8]span{}}
	for _, r := range m.Registers {
		for _, p := range r.Places() {
			image.write(image.at, &r, p.Addr, make([]byte, 2*p.Words))
		}
	}
	for _, r := range m.Identity {
		said := make([]byte, 2*r.Words())
		if len(r.Expect) > 0 {
			if known, err := m.spell(&r, r.Expect[0]); err == nil { // the rules say it fits
				said = known
			}
		}
		image.write(image.at, &r, r.Addr, said)
	}
	for c := range image.at {
		s, known := image.reach[c.function]
		if !known {
			s.low = math.MaxUint16
		}
		image.reach[c.function] = span{min(s.low, int(c.addr)), max(s.high, int(c.addr)+1)}
	}
	return image
}

// write puts bytes into registers.
func (i *Image) write(at map[cell]uint16, r *Register, addr uint16, registers []byte) {
	for n := 0; n < len(registers); n += 2 {
		at[cell{i.m.FunctionOf(r), addr + uint16(n/2)}] = binary.BigEndian.Uint16(registers[n:])
	}
}

// Show lets the meter show what it measures, as far as its map goes. What a meter
// of this kind cannot show is an error, and changes nothing.
func (i *Image) Show(s Shown) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	values, at := s.values(i.m), maps.Clone(i.at)
	for _, q := range Quantities() {
		r, measured := i.m.Registers[q]
		if !measured {
			continue
		}
		exponent, ok := i.exponent(q, values)
		if !ok {
			number := float64(values[q]) / math.Pow10(thousands(r.Unit))
			return fmt.Errorf("meters: show %s of %v %s: the %s of this map goes to %v", q, number, r.Unit, r.Type, r.largest())
		}
		raws, _ := i.m.encode(&r, values[q], exponent)
		for n, raw := range raws {
			i.write(at, &r, r.part(n), i.m.number(r.Type, raw))
		}
		if r.Exp10 != nil {
			i.write(at, &r, r.Exp10.Addr, i.m.number(r.Exp10.Type, uint64(uint16(int16(exponent)))))
		}
	}
	if r, ok := i.m.Identity["serial"]; ok {
		registers, err := i.m.spell(&r, s.Serial)
		if err != nil {
			return fmt.Errorf("meters: show serial: %w", err)
		}
		i.write(at, &r, r.Addr, registers)
	}
	i.at = at
	return nil
}

// exponent gives the power of ten in which a quantity is shown: the finest one
// that fits it and all others with the same exponent register. There may be none.
func (i *Image) exponent(wanted Quantity, values map[Quantity]int64) (e int, ok bool) {
	r := i.m.Registers[wanted]
	first, last := 0, 0
	if r.Exp10 != nil || r.Type.ownExponent() {
		first, last = -thousands(r.Unit), coarsest
	}
	for e = first; e <= last && !ok; e++ {
		ok = true
		for q, other := range i.m.Registers {
			if q == wanted || r.shares(&other) {
				_, fits := i.m.encode(&other, values[q], e)
				ok = ok && fits && (values[q] >= 0 || q.signed())
			}
		}
	}
	return e - 1, ok
}

// coarsest is the largest power of ten in which a value is shown. Chosen by us: a
// number of 8 bits would fit in such steps, however much is believed.
const coarsest = 12

// shares says whether two values have one exponent register.
func (r *Register) shares(other *Register) bool {
	return r.Exp10 != nil && other.Exp10 != nil && *r.Exp10 == *other.Exp10
}

// values gives each quantity of a map in Wh, W or thousandths.
func (s *Shown) values(m *Map) map[Quantity]int64 {
	power := s.phases(m.Phases)
	all := map[Quantity]int64{
		ImportTotal: int64(s.Import), ExportTotal: int64(s.Export), PowerTotal: int64(s.Power), Frequency: s.FrequencyMilli,
	}
	for n, q := range []Quantity{PowerL1, PowerL2, PowerL3} {
		all[q] = power[n]
	}
	for n, q := range []Quantity{VoltageL1, VoltageL2, VoltageL3} {
		all[q] = int64(s.Voltage[n])
	}
	for n, q := range []Quantity{CurrentL1, CurrentL2, CurrentL3} {
		all[q] = int64(s.Current[n])
	}
	return all
}

// phases shares the power out by what flows in each phase, in W. If nothing
// flows, it is all in the first.
func (s *Shown) phases(count int) (power [3]int64) {
	var flow, all int64 // mA
	for n := range count {
		all += max(int64(s.Current[n]), 0)
	}
	rest := int64(s.Power)
	for n := count - 1; n > 0 && all > 0; n-- {
		flow = max(int64(s.Current[n]), 0)
		power[n] = int64(float64(s.Power) * float64(flow) / float64(all))
		rest -= power[n]
	}
	power[0] = rest
	return power
}

// Registers appends the byte count and the registers, as the meter would answer a
// request for them, or gives a Modbus exception code: 1 for a function it does
// not have, 2 for registers it does not have, 3 for more than it gives at once,
// an odd number of them, or a gap between those it has.
func (i *Image) Registers(to []byte, function byte, addr, count uint16) (_ []byte, exception byte) {
	const illegalFunction, illegalAddress, illegalValue = 1, 2, 3 // Modbus Application Protocol 7
	i.mu.Lock()
	defer i.mu.Unlock()
	reach, ok := i.reach[function]
	end := int(addr) + int(count)
	limits := &i.m.Limits
	if limits.EvenCountOnly && limits.AcrossGaps {
		reach.high++ // to make the last number of registers even
	}
	switch {
	case !ok:
		return to, illegalFunction
	case count == 0 || count > limits.MaxRegisters || limits.EvenCountOnly && count%2 == 1:
		return to, illegalValue
	case int(addr) < reach.low || end > reach.high:
		return to, illegalAddress
	}
	answer := append(to, byte(2*count))
	for a := int(addr); a < end; a++ {
		word, described := i.at[cell{function, uint16(a)}]
		if !described && !limits.AcrossGaps {
			if _, last := i.at[cell{function, uint16(end - 1)}]; last && a > int(addr) {
				return to, illegalValue
			}
			return to, illegalAddress
		}
		answer = binary.BigEndian.AppendUint16(answer, word)
	}
	return answer, 0
}
