package meters

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
)

// This file is the way back: from what a meter measures to its registers.

// bits gives a number's bits, if it fits into the type.
func (t Type) bits(d decimal) (raw uint64, ok bool) {
	width := t.mantissa()
	most := uint64(math.MaxUint64) >> (64 - width)
	if t.signed() {
		most >>= 1
	}
	if d.digits > most || d.negative && !t.signed() {
		return 0, false
	}
	if raw = d.digits; d.negative {
		raw = -raw & (math.MaxUint64 >> (64 - width))
	}
	if t.ownExponent() {
		raw |= uint64(uint8(int8(d.exponent))) << width
	}
	return raw, true
}

// floatBits gives the bits of the nearest IEEE 754 number.
func (t Type) floatBits(f float64) uint64 {
	if t == Float32 {
		return uint64(math.Float32bits(float32(f)))
	}
	return math.Float64bits(f)
}

// encode gives the bits of each part of a value of n Wh, W or thousandths, when
// it is told in steps of ten to the power of exponent. Not every value can be
// told: then ok is false.
func (m *Map) encode(r *Register, n int64, exponent int) (raws []uint64, ok bool) {
	scale := factor(r.Scale)
	steps, ok := over(uint64(max(n, -n)), scale.digits, scale.exponent+thousands(r.Unit)+exponent)
	if !ok || math.Abs(float64(n)) > r.most() {
		return nil, false
	}
	if r.Type.floating() {
		for _, part := range r.split(n) {
			f := float64(part) / math.Pow10(thousands(r.Unit)+exponent)
			if r.Scale != 0 {
				f /= r.Scale
			}
			raws = append(raws, r.Type.floatBits(f))
		}
		return raws, true
	}
	total := int64(steps)
	if n < 0 {
		total = -total
	}
	for _, part := range r.split(total) {
		raw, ok := r.Type.bits(decimal{part < 0, uint64(max(part, -part)), exponent})
		if marker, marked := m.Invalid[r.Type]; !ok || marked && raw == marker {
			return nil, false
		}
		raws = append(raws, raw)
	}
	return raws, true
}

// split shares a value out among its parts: a quarter to each tariff but the
// first, so that a reader who forgets one is found out, and what is negative to
// the part that is taken away.
func (r *Register) split(n int64) []int64 {
	parts := []int64{n}
	if r.Subtract != nil {
		parts[0] = max(n, 0)
	}
	for range r.SumWith {
		parts = append(parts, parts[0]/4)
	}
	for _, p := range parts[1:] {
		parts[0] -= p
	}
	if r.Subtract != nil {
		parts = append(parts, max(-n, 0))
	}
	return parts
}

// number puts the bits of a number into registers.
func (m *Map) number(t Type, raw uint64) []byte {
	count := 2 * int(t.Words())
	registers := binary.BigEndian.AppendUint64(nil, raw)[8-count:]
	if m.WordOrder == Little {
		for i, j := 0, count-2; i < j; i, j = i+2, j-2 {
			registers[i], registers[i+1], registers[j], registers[j+1] = registers[j], registers[j+1], registers[i], registers[i+1]
		}
	}
	return registers
}

// spell puts what a meter says of itself into registers; nothing is all zeros.
func (m *Map) spell(r *Register, text string) ([]byte, error) {
	registers := make([]byte, 2*r.Words())
	var err error
	switch {
	case text == "":
		return registers, nil
	case r.Type == Hex:
		var digits []byte
		digits, err = hex.DecodeString(text)
		copy(registers, digits)
	case r.Type == String:
		copy(registers, text)
	case r.Type == String1:
		for i := range min(len(text), int(r.Length)) {
			registers[2*i+1] = text[i]
		}
	default:
		var raw uint64
		raw, err = strconv.ParseUint(text, 10, 16*int(r.Words()))
		registers = m.number(r.Type, raw)
	}
	if back, unreadable := m.Text(r, [][]byte{registers}); err != nil || unreadable != nil || back != text {
		return nil, fmt.Errorf("register %#04x cannot show %q: want what fits into %d registers of %s", r.Addr, text, r.Words(), r.Type)
	}
	return registers, nil
}
