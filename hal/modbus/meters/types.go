package meters

import (
	"encoding/binary"
	"math"
)

// Type is how a value lies in its registers.
type Type string

// The types.
const (
	Int16   Type = "int16"
	Uint16  Type = "uint16"
	Int32   Type = "int32"
	Uint32  Type = "uint32"
	Int64   Type = "int64"
	Uint64  Type = "uint64"
	Float32 Type = "float32" // IEEE 754
	Float64 Type = "float64"
	Acc32   Type = "acc32"  // SunSpec accumulator: begins again after 2^32, and 0 means that there is none
	T5      Type = "t5"     // Iskra: a signed power of ten in the top 8 bits, a mantissa in the other 24
	T6      Type = "t6"     // Iskra: the same with a signed mantissa
	String  Type = "string" // two characters a register
	String1 Type = "string_char_per_register"
	Hex     Type = "hex" // bytes told as hexadecimal digits
)

// Words is the number of 16-bit registers of a number; 0 for a text, whose map
// says how long it is, and for an unknown type.
func (t Type) Words() uint16 {
	switch t {
	case Int16, Uint16:
		return 1
	case Int32, Uint32, Float32, Acc32, T5, T6:
		return 2
	case Int64, Uint64, Float64:
		return 4
	}
	return 0
}

// text says whether the registers hold characters or digits.
func (t Type) text() bool { return t == String || t == String1 || t == Hex }

// floating says whether the value is an IEEE 754 number.
func (t Type) floating() bool { return t == Float32 || t == Float64 }

// signed says whether the value may be negative.
func (t Type) signed() bool {
	switch t {
	case Int16, Int32, Int64, Float32, Float64, T6:
		return true
	}
	return false
}

// ownExponent says whether the value holds a power of ten itself.
func (t Type) ownExponent() bool { return t == T5 || t == T6 }

// mantissa is the number of bits of a whole number, without those of an exponent.
func (t Type) mantissa() int {
	if t.ownExponent() {
		return 24
	}
	return 16 * int(t.Words())
}

// join puts the registers of a number together.
func join(registers []byte, order WordOrder) (raw uint64) {
	for i := 0; i+1 < len(registers); i += 2 {
		at := i
		if order == Little {
			at = len(registers) - 2 - i
		}
		raw = raw<<16 | uint64(binary.BigEndian.Uint16(registers[at:]))
	}
	return raw
}

// decimal is a number without a fraction times a power of ten: what every type
// but the floats holds, and any factor written with a decimal point.
type decimal struct {
	negative bool
	digits   uint64 // the number without sign and point
	exponent int    // power of ten
}

// signed is the number without its power of ten. It must fit.
func (d decimal) signed() int64 {
	if d.negative {
		return -int64(d.digits)
	}
	return int64(d.digits)
}

// decimal is the meaning of the bits of a whole number.
func (t Type) decimal(raw uint64) (d decimal) {
	if t.ownExponent() {
		d.exponent = int(int8(raw >> 24))
	}
	width := t.mantissa()
	d.digits = raw & (math.MaxUint64 >> (64 - width))
	if d.negative = t.signed() && d.digits>>(width-1) == 1; d.negative {
		d.digits = -d.digits & (math.MaxUint64 >> (64 - width))
	}
	return d
}

// float is the meaning of the bits of an IEEE 754 number.
func (t Type) float(raw uint64) float64 {
	if t == Float32 {
		return float64(math.Float32frombits(uint32(raw)))
	}
	return math.Float64frombits(raw)
}
