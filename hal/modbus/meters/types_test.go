package meters

import (
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// wire turns "0001 e240" into bytes, and "0001 | e240" into two places.
func wire(t testing.TB, text string) (words [][]byte) {
	t.Helper()
	for part := range strings.SplitSeq(text, "|") {
		b, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		words = append(words, b)
	}
	return words
}

func TestEveryTypeIsReadAsItsMakersMeanIt(t *testing.T) {
	subtract := uint16(2)
	ten := &Exponent{Addr: 9, Type: Int16}
	for _, c := range []struct {
		name  string
		r     Register
		order WordOrder
		wire  string
		want  int64 // W
	}{
		{"int16", Register{Type: Int16}, Big, "fffe", -2},
		{"int16, the smallest", Register{Type: Int16}, Big, "8000", -32768},
		{"uint16", Register{Type: Uint16}, Big, "fffe", 65534},
		{"one register has no order", Register{Type: Uint16}, Little, "0102", 0x0102},
		{"int32", Register{Type: Int32}, Big, "ffff ff85", -123},
		{"int32, low word first", Register{Type: Int32}, Little, "ff85 ffff", -123},
		{"uint32", Register{Type: Uint32}, Big, "0001 e240", 123456},
		{"uint32, low word first", Register{Type: Uint32}, Little, "e240 0001", 123456},
		{"int64", Register{Type: Int64}, Big, "ffff ffff ffff fffe", -2},
		{"int64, low word first", Register{Type: Int64}, Little, "0004 0003 0000 0000", 0x30004},
		{"uint64", Register{Type: Uint64}, Big, "0000 0000 0001 e240", 123456},
		{"float32", Register{Type: Float32}, Big, "42f6 e979", 123},
		{"float32, low word first", Register{Type: Float32}, Little, "e979 42f6", 123},
		{"float64", Register{Type: Float64}, Big, "c09a 5200 0000 0000", -1685}, // -1684.5
		{"float64, low word first", Register{Type: Float64}, Little, "0000 0000 5200 c09a", -1685},
		{"acc32", Register{Type: Acc32}, Big, "0001 e240", 123456},
		{"t5", Register{Type: T5}, Big, "fe00 5a3c", 231},               // 23100 * 10^-2
		{"t5 has no sign", Register{Type: T5}, Big, "fdff ffff", 16777}, // 16777215 * 10^-3
		{"t5 with a positive power", Register{Type: T5}, Big, "0200 0007", 700},
		{"t6", Register{Type: T6}, Big, "ffff fc18", -100}, // -1000 * 10^-1
		{"t6, low word first", Register{Type: T6}, Little, "fc18 ffff", -100},
		{"nothing with an absurd power", Register{Type: T5}, Big, "8000 0000", 0},
		{"kW", Register{Type: Int16, Unit: "kW"}, Big, "0007", 7000},
		{"steps of 10 W", Register{Type: Uint16, Unit: "kW", Scale: 0.01}, Big, "02e0", 7360},
		{"half a watt is rounded away from 0", Register{Type: Int16, Scale: 0.1}, Big, "0005", 1},
		{"and so when negative", Register{Type: Int16, Scale: 0.1}, Big, "fffb", -1},
		{"less is nothing", Register{Type: Int16, Scale: 0.1}, Big, "0004", 0},
		{"a scale that is no power of ten", Register{Type: Uint16, Scale: 2.5}, Big, "0003", 8},
		{"exponent", Register{Type: Int16, Exp10: ten}, Big, "02e0 | 0001", 7360},
		{"negative exponent", Register{Type: Int16, Exp10: ten}, Big, "02e0 | ffff", 74},
		{"float with exponent", Register{Type: Float32, Exp10: ten}, Big, "42f6 e979 | 0001", 1235},
		{"sum", Register{Type: Uint16, SumWith: []uint16{2, 4}}, Big, "0001 | 0002 | 0004", 7},
		{"sum of what would be rounded", Register{Type: Uint16, Scale: 0.1, SumWith: []uint16{2}}, Big, "0004 | 0004", 1},
		{"difference", Register{Type: Uint16, Subtract: &subtract}, Big, "0001 | 0003", -2},
		{"sum and difference", Register{Type: Uint16, SumWith: []uint16{4}, Subtract: &subtract, Exp10: ten}, Big, "0001 | 0001 | 0005 | 0002", -300},
		{"difference of floats", Register{Type: Float32, Subtract: &subtract}, Big, "0000 0000 | 42f6 e979", -123},
	} {
		if c.r.Unit == "" {
			c.r.Unit = "W"
		}
		m := &Map{WordOrder: c.order}
		if got, err := m.Power(&c.r, wire(t, c.wire)); err != nil || int64(got) != c.want {
			t.Errorf("%s: %d, %v; want %d", c.name, int64(got), err, c.want)
		}
		if got := len(c.r.Places()); got != len(wire(t, c.wire)) {
			t.Errorf("%s: %d places", c.name, got)
		}
	}
}

func TestWhatMeansNoValueIsNone(t *testing.T) {
	m := &Map{WordOrder: Little, Invalid: map[Type]uint64{Int16: 0x8000, Uint32: math.MaxUint32, Int32: 0x7FFFFFFE, Uint64: math.MaxUint64}}
	ten, two := &Exponent{Addr: 9, Type: Int16}, uint16(2)
	for _, c := range []struct {
		name string
		r    Register
		wire string
	}{
		{"all ones", Register{Type: Uint32}, "ffff ffff"},
		{"a marker, low word first", Register{Type: Int32}, "fffe 7fff"},
		{"64 bits", Register{Type: Uint64}, "ffff ffff ffff ffff"},
		{"an exponent", Register{Type: Uint16, Exp10: ten}, "0001 | 8000"},
		{"a tariff", Register{Type: Uint32, SumWith: []uint16{2}}, "0001 0000 | ffff ffff"},
		{"what is taken away", Register{Type: Uint32, Subtract: &two}, "0001 0000 | ffff ffff"},
		{"NaN", Register{Type: Float32}, "0000 7fc0"},
		{"signalling NaN", Register{Type: Float32}, "0001 7fa0"},
		{"negative NaN", Register{Type: Float64}, "0001 0000 0000 fff0"},
		{"an accumulator that is not there", Register{Type: Acc32}, "0000 0000"},
	} {
		c.r.Unit = "W"
		if got, err := m.Power(&c.r, wire(t, c.wire)); !errors.Is(err, ErrNoValue) || got != 0 {
			t.Errorf("%s: %v, %v; want ErrNoValue", c.name, got, err)
		}
	}
	// The same bits in another type are a number.
	if got, err := m.Power(&Register{Type: Uint16, Unit: "W"}, wire(t, "8000")); err != nil || got != 0x8000 {
		t.Errorf("another type: %v, %v", got, err)
	}
}

func TestWhatCannotBeIsAnErrorThatNamesTheRegister(t *testing.T) {
	m := &Map{WordOrder: Big}
	ten := &Exponent{Addr: 9, Type: Int16}
	energy := func(r Register, words [][]byte) error { _, err := m.Energy(&r, words); return err }
	milli := func(r Register, words [][]byte) error { _, err := m.Milli(&r, words); return err }
	for _, c := range []struct {
		name string
		read func(Register, [][]byte) error
		r    Register
		wire string
		want string
	}{
		{"a negative counter", energy, Register{Type: Int32, Unit: "Wh"}, "ffff ffff", "holds -1: want no negative number"},
		{"a negative tariff", energy, Register{Type: Int32, Unit: "Wh", SumWith: []uint16{7}}, "0000 0009 | ffff ffff", "0x0007 holds -1"},
		{"a negative float beside a larger one", energy, Register{Type: Float64, Unit: "Wh", SumWith: []uint16{7}}, "40f0 0000 0000 0000 | bff0 0000 0000 0000", "0x0007 holds -1 Wh"},
		{"minus zero", energy, Register{Type: Float64, Unit: "Wh"}, "8000 0000 0000 0000", "holds -0 Wh"},
		{"infinity", energy, Register{Type: Float64, Unit: "Wh"}, "7ff0 0000 0000 0000", "holds +Inf Wh"},
		{"infinity less infinity", milli, Register{Type: Float32, Unit: "A", Subtract: new(uint16)}, "7f80 0000 | 7f80 0000", "holds NaN A"},
		{"more than is believed", energy, Register{Type: Uint64, Unit: "kWh", Scale: 0.01}, "0000 0000 3b9a ca01", "holds 1.000000001e+07 kWh: want at most 1e+07"},
		{"more than the map believes", energy, Register{Type: Uint16, Unit: "kWh", Max: 100}, "0065", "holds 101 kWh: want at most 100"},
		{"more than can be counted", energy, Register{Type: Uint64, Unit: "Wh", Scale: 0.000001}, "0800 0000 0000 0001", "want at most 1e+10 Wh"},
		{"an absurd exponent", energy, Register{Type: Uint16, Unit: "Wh", Exp10: ten}, "0001 | 7fff", "want at most 1e+10"},
		{"and a tiny one", energy, Register{Type: Uint16, Unit: "Wh", Exp10: ten}, "0001 | 8000", "want at most 1e+10"},
		{"an absurd power of ten of its own", milli, Register{Type: T5, Unit: "V"}, "7f00 0001", "want at most 1000"},
		{"a torn voltage", milli, Register{Type: Uint32, Unit: "V", Scale: 0.1}, "0902 0000", "want at most 1000"},
		{"a negative voltage", milli, Register{Type: Int16, Unit: "V"}, "ff1a", "want no negative number"},
		{"ten times the frequency", milli, Register{Type: Float32, Unit: "Hz"}, "43fa 0000", "holds 500 Hz: want at most 100"},
		{"too much current", milli, Register{Type: Int32, Unit: "A"}, "0000 2711", "want at most 10000"},
		{"too few bytes", energy, Register{Type: Uint32, Unit: "Wh"}, "0001", "2 bytes: want 4"},
		{"too many", energy, Register{Type: Uint16, Unit: "Wh"}, "0001 0002", "4 bytes: want 2"},
		{"a place too few", energy, Register{Type: Uint16, Unit: "Wh", Exp10: ten}, "0001", "1 parts of a value: want 2"},
		{"half an exponent", energy, Register{Type: Uint16, Unit: "Wh", Exp10: ten}, "0001 | 01", "0x0009: 1 bytes: want 2"},
		{"no type", energy, Register{Unit: "Wh"}, "", "0 bytes: want 0"},
	} {
		err := c.read(c.r, wire(t, c.wire))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "register 0x00") || errors.Is(err, ErrNoValue) {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

func TestVoltageCurrentAndFrequencyAreThousandths(t *testing.T) {
	m := &Map{WordOrder: Big}
	for _, c := range []struct {
		r    Register
		wire string
		want int64
	}{
		{Register{Type: Uint16, Unit: "V", Scale: 0.1}, "0902", 230_600},
		{Register{Type: Int32, Unit: "A", Scale: 0.001}, "ffff fc18", -1000}, // a current may flow the other way
		{Register{Type: Uint32, Unit: "A", Scale: 0.0001}, "0000 0005", 1},   // half a thousandth
		{Register{Type: Float32, Unit: "Hz"}, "4247 fdf4", 49_998},
		{Register{Type: T5, Unit: "Hz"}, "fd00 c34e", 49_998},
		{Register{Type: Float32, Unit: "V"}, "8000 0000", 0}, // minus zero: not a counter
	} {
		if got, err := m.Milli(&c.r, wire(t, c.wire)); err != nil || got != c.want {
			t.Errorf("%+v: %d, %v; want %d", c.r, got, err, c.want)
		}
	}
}

func TestWhatAMeterSaysOfItself(t *testing.T) {
	for _, c := range []struct {
		name  string
		r     Register
		order WordOrder
		wire  string
		want  string
	}{
		{"a number", Register{Type: Uint32}, Big, "0151 60e9", "22110441"},
		{"low word first", Register{Type: Uint32}, Little, "60e9 0151", "22110441"},
		{"a signed number", Register{Type: Int16}, Big, "fffe", "-2"},
		{"a version", Register{Type: Float32}, Big, "3f8c cccd", "1.1"},
		{"no version", Register{Type: Float32}, Big, "7fc0 0000", ""},
		{"64 bits", Register{Type: Uint64}, Big, "8000 0000 0000 0000", "9223372036854775808"},
		{"never written", Register{Type: Uint32}, Big, "ffff ffff", ""},
		{"all zeros", Register{Type: Uint16}, Big, "0000", ""},
		{"hex", Register{Type: Hex, Length: 2}, Big, "1234 00ab", "123400AB"},
		{"hex has no order", Register{Type: Hex, Length: 2}, Little, "1234 00ab", "123400AB"},
		{"no hex", Register{Type: Hex, Length: 2}, Big, "0000 0000", ""},
		{"a text", Register{Type: String, Length: 3}, Big, "4142 4344 0000", "ABCD"},
		{"a text has no order", Register{Type: String, Length: 2}, Little, "4142 4344", "ABCD"},
		{"blanks around it", Register{Type: String, Length: 3}, Big, "2041 2042 2020", "A B"},
		{"filled with zeros in front", Register{Type: String, Length: 3}, Big, "0000 4142 4300", "ABC"},
		{"left from before", Register{Type: String, Length: 3}, Big, "4142 0058 5900", "AB"},
		{"no text", Register{Type: String, Length: 2}, Big, "ffff ffff", ""},
		{"blanks only", Register{Type: String, Length: 2}, Big, "2020 2020", ""},
		{"beyond ASCII", Register{Type: String, Length: 2}, Big, "4dc3 bc00", "Mü"},
		{"a character a register", Register{Type: String1, Length: 4}, Big, "0053 004f 0043 004f", "SOCO"},
		{"with a blank", Register{Type: String1, Length: 3}, Big, "0053 0020 0000", "S"},
	} {
		m := &Map{WordOrder: c.order, Invalid: map[Type]uint64{Int32: 7}}
		if got, err := m.Text(&c.r, wire(t, c.wire)); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	m := &Map{WordOrder: Big, Invalid: map[Type]uint64{Int32: 7}}
	if got, err := m.Text(&Register{Type: Int32}, wire(t, "0000 0007")); err != nil || got != "" {
		t.Errorf("a marker: %q, %v; want none", got, err)
	}
	for _, c := range []struct {
		r    Register
		wire string
	}{
		{Register{Type: String, Length: 2}, "4101 4243"}, {Register{Type: String, Length: 2}, "41ff 4243"}, {Register{Type: String, Length: 2}, "4142"},
	} {
		if got, err := m.Text(&c.r, wire(t, c.wire)); err == nil || got != "" {
			t.Errorf("%s: %q, want an error", c.wire, got)
		}
	}
}

func TestTheRegisterBeginsAgainWhereItsTypeEnds(t *testing.T) {
	for _, c := range []struct {
		r    Register
		want int64 // Wh
	}{
		{Register{Type: Uint16, Unit: "kWh"}, 65_536_000},
		{Register{Type: Int16, Unit: "Wh"}, 32_768},
		{Register{Type: Uint32, Unit: "kWh", Scale: 0.01}, 42_949_672_960},
		{Register{Type: Int32, Unit: "kWh", Scale: 0.1}, 214_748_364_800},
		{Register{Type: Uint32, Unit: "Wh", Scale: 10}, 42_949_672_960},
		{Register{Type: Acc32, Unit: "Wh"}, 4_294_967_296},
		{Register{Type: Float32, Unit: "kWh"}, 0},
		{Register{Type: Float64, Unit: "Wh"}, 0},
		{Register{Type: Uint64, Unit: "Wh"}, 0},
		{Register{Type: Int64, Unit: "Wh"}, 0},
		{Register{Type: Int64, Unit: "Wh", Scale: 0.1}, 0},
		{Register{Type: T5, Unit: "Wh"}, 0},
		{Register{Type: Uint32, Unit: "Wh", SumWith: []uint16{2}}, 0},
		{Register{Type: Int32, Unit: "Wh", Exp10: &Exponent{Addr: 4, Type: Int16}}, 0},
		{Register{}, 0},
	} {
		m := &Map{Registers: map[Quantity]Register{ImportTotal: c.r}}
		if got := m.Modulus(); int64(got) != c.want {
			t.Errorf("%+v: %d Wh, want %d", c.r, int64(got), c.want)
		}
	}
}

// Multiplying and dividing by a factor is exact, against fractions of any size.
func TestFactorsAreExact(t *testing.T) {
	round := func(r *big.Rat) *big.Int { // half away from zero; r is not negative
		doubled := new(big.Rat).Add(r, r)
		doubled.Add(doubled, big.NewRat(1, 1))
		return new(big.Int).Quo(doubled.Num(), new(big.Int).Mul(doubled.Denom(), big.NewInt(2)))
	}
	power := func(n int) *big.Rat {
		p := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil))
		if n < 0 {
			p.Inv(p)
		}
		return p
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "n") >> rapid.IntRange(0, 63).Draw(t, "shift")
		digits := rapid.Uint64Range(1, 1_000_000).Draw(t, "digits")
		exponent := rapid.IntRange(-mostTens, mostTens).Draw(t, "exponent")
		f := new(big.Rat).Mul(new(big.Rat).SetFrac(new(big.Int).SetUint64(digits), big.NewInt(1)), power(exponent))
		number := new(big.Rat).SetFrac(new(big.Int).SetUint64(n), big.NewInt(1))
		for name, c := range map[string]struct {
			by   func(n, digits uint64, exponent int) (uint64, bool)
			want *big.Int
		}{"times": {times, round(new(big.Rat).Mul(number, f))}, "over": {over, round(new(big.Rat).Quo(number, f))}} {
			got, ok := c.by(n, digits, exponent)
			if ok && c.want.Cmp(new(big.Int).SetUint64(got)) != 0 {
				t.Fatalf("%d %s %d*10^%d is %v, want %v", n, name, digits, exponent, got, c.want)
			}
			if !ok && c.want.Cmp(big.NewInt(1<<62)) < 0 {
				t.Fatalf("%d %s %d*10^%d is refused, but is %v", n, name, digits, exponent, c.want)
			}
		}
	})
	for _, c := range []struct {
		n, digits uint64
		exponent  int
	}{{1 << 63, 2, 0}, {1 << 63, 1, 0}, {math.MaxUint64, 10, -1}, {math.MaxUint64, 10, -2}, {1, 10, 19}, {1, 1, 20}, {1, 1, -20}} {
		if got, ok := times(c.n, c.digits, c.exponent); ok && c.exponent != -2 {
			t.Errorf("%+v is %d, want none", c, got)
		}
	}
	for text, want := range map[float64]decimal{0: {digits: 1}, 1: {digits: 1}, 0.01: {digits: 1, exponent: -2}, 2.5: {digits: 25, exponent: -1}, 1e6: {digits: 1, exponent: 6}, 0.000123: {digits: 123, exponent: -6}} {
		if got := factor(text); got != want {
			t.Errorf("%v is %+v, want %+v", text, got, want)
		}
	}
}
