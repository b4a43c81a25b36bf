package meters

import (
	"errors"
	"fmt"
	"math"

	"stolpe/hal"
)

// ErrNoValue says that the meter answered but has no value to give: one of the
// map's invalid markers, NaN, or an accumulator of 0.
var ErrNoValue = errors.New("the meter has no value there")

// Energy decodes an energy register. words[i] are the bytes of r.Places()[i] as
// they came over the wire. NaN, infinity, anything negative (minus zero too: a
// counter has no sign) and more than is believed are errors: they are not
// readings, and surely not 0.
func (m *Map) Energy(r *Register, words [][]byte) (hal.Energy, error) {
	n, err := m.value(r, words, false)
	return hal.Energy(n), err
}

// Power decodes a power register as Energy does. Power fed into the grid is
// negative.
func (m *Map) Power(r *Register, words [][]byte) (hal.Power, error) {
	n, err := m.value(r, words, true)
	return hal.Power(n), err
}

// Milli decodes a register of V, A or Hz as Energy does, in thousandths. Only a
// current may be negative.
func (m *Map) Milli(r *Register, words [][]byte) (int64, error) {
	n, err := m.value(r, words, true)
	if err == nil && n < 0 && r.Unit != "A" {
		return 0, fmt.Errorf("register %#04x holds %d thousandths of a %s: want no negative number", r.Addr, n, r.Unit)
	}
	return n, err
}

// value decodes a measured register in Wh, W or thousandths.
func (m *Map) value(r *Register, words [][]byte, signed bool) (int64, error) {
	if err := r.fits(words); err != nil {
		return 0, err
	}
	exponent := thousands(r.Unit)
	if r.Exp10 != nil {
		last := len(words) - 1
		raw, err := m.raw(r.Exp10.Addr, r.Exp10.Type, words[last])
		if err != nil {
			return 0, err
		}
		words = words[:last]
		d := r.Exp10.Type.decimal(raw)
		exponent += int(d.signed())
	}
	if r.Type.floating() {
		return m.float(r, words, exponent, signed)
	}
	return m.whole(r, words, exponent, signed)
}

// whole decodes numbers without a fraction, exactly.
func (m *Map) whole(r *Register, words [][]byte, exponent int, signed bool) (int64, error) {
	scale := factor(r.Scale)
	exponent += scale.exponent
	sum := int64(0)
	for i := range words {
		raw, err := m.raw(r.part(i), r.Type, words[i])
		if err != nil {
			return 0, err
		}
		d := r.Type.decimal(raw)
		if d.negative && !signed {
			return 0, fmt.Errorf("register %#04x holds %d: want no negative number", r.part(i), d.signed())
		}
		if d.digits > mostRaw {
			return 0, fmt.Errorf("register %#04x holds %#x: want at most %v %s", r.part(i), raw, r.largest(), r.Unit)
		}
		if r.Type.ownExponent() {
			exponent += d.exponent
		}
		if r.negative(i) {
			sum -= d.signed()
		} else {
			sum += d.signed()
		}
	}
	magnitude, ok := times(uint64(max(sum, -sum)), scale.digits, exponent)
	if !ok || float64(magnitude) > r.most() {
		number := float64(sum) * float64(scale.digits) * math.Pow10(exponent-thousands(r.Unit))
		return 0, fmt.Errorf("register %#04x holds %v %s: want at most %v", r.Addr, number, r.Unit, r.largest())
	}
	if sum < 0 {
		return -int64(magnitude), nil
	}
	return int64(magnitude), nil
}

// float decodes IEEE 754 numbers: here a measured quantity is one for no longer
// than it takes to round it.
func (m *Map) float(r *Register, words [][]byte, exponent int, signed bool) (int64, error) {
	sum := 0.0
	for i := range words {
		raw, err := m.raw(r.part(i), r.Type, words[i])
		if err != nil {
			return 0, err
		}
		f := r.Type.float(raw)
		if math.Signbit(f) && !signed {
			return 0, fmt.Errorf("register %#04x holds %v %s: want no negative number", r.part(i), f, r.Unit)
		}
		if r.negative(i) {
			f = -f
		}
		sum += f
	}
	if r.Scale != 0 {
		sum *= r.Scale
	}
	sum *= math.Pow10(exponent)
	if !(math.Abs(sum) <= r.most()) { // so put that infinity less infinity fails too
		return 0, fmt.Errorf("register %#04x holds %v %s: want at most %v", r.Addr, sum/math.Pow10(thousands(r.Unit)), r.Unit, r.largest())
	}
	return int64(math.Round(sum)), nil
}

// raw puts a number's registers together, and knows those that mean none.
func (m *Map) raw(addr uint16, t Type, registers []byte) (uint64, error) {
	raw := join(registers, m.WordOrder)
	marker, marked := m.Invalid[t]
	switch {
	case marked && raw == marker:
	case t == Acc32 && raw == 0:
	case t.floating() && math.IsNaN(t.float(raw)):
	default:
		return raw, nil
	}
	return 0, fmt.Errorf("register %#04x holds %#x: %w", addr, raw, ErrNoValue)
}

// mostRaw is the largest number that is looked at, before any scale. Chosen by
// us: the sum of as many as sumMost of them fits into 64 bits, and in the finest
// steps that a map can have it is more than is believed of anything.
const mostRaw = 1 << 59

// fits says what is wrong with the bytes of a value's places, if anything.
func (r *Register) fits(words [][]byte) error {
	if len(words) != r.parts() {
		return fmt.Errorf("register %#04x: %d parts of a value: want %d", r.Addr, len(words), r.parts())
	}
	for i, registers := range words {
		want := 2 * int(r.Words())
		if r.Exp10 != nil && i == len(words)-1 {
			want = 2 * int(r.Exp10.Type.Words())
		}
		if len(registers) != want || want == 0 {
			return fmt.Errorf("register %#04x: %d bytes: want %d", r.part(i), len(registers), want)
		}
	}
	return nil
}

// part is the address of part i of a value, as Places has it.
func (r *Register) part(i int) uint16 {
	switch {
	case i == 0:
		return r.Addr
	case i <= len(r.SumWith):
		return r.SumWith[i-1]
	case r.negative(i):
		return *r.Subtract
	}
	return r.Exp10.Addr
}

// negative says whether part i of a value is to be taken away.
func (r *Register) negative(i int) bool { return r.Subtract != nil && i == 1+len(r.SumWith) }

// most is the largest value that is believed, in Wh, W or thousandths.
func (r *Register) most() float64 { return r.largest() * math.Pow10(thousands(r.Unit)) }

// largest is the same in the register's own unit.
func (r *Register) largest() float64 {
	if r.Max != 0 {
		return r.Max
	}
	return believed(r.Unit) / math.Pow10(thousands(r.Unit))
}

// Modulus is how much the import register counts, in Wh, before it begins again
// at 0: what fits into its type. It is 0 for one that never does, or of which
// that cannot be said beforehand: floats, numbers of 64 bits, sums, and those
// with a power of ten of their own. A meter may begin again earlier, at the last
// digit of its display; no source says so of one that is here.
func (m *Map) Modulus() hal.Energy {
	r := m.Registers[ImportTotal]
	bits := r.Type.mantissa()
	if r.Type.signed() {
		bits--
	}
	if bits <= 0 || bits > 32 || r.Type.floating() || r.Type.ownExponent() || len(r.SumWith) > 0 || r.Exp10 != nil {
		return 0
	}
	scale := factor(r.Scale)
	n, ok := times(1<<bits, scale.digits, scale.exponent+thousands(r.Unit))
	if !ok {
		return 0
	}
	return hal.Energy(n)
}
