package meters

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"stolpe/hal"
)

// each runs a test for every built-in map.
func each(t *testing.T, test func(*testing.T, *Map)) {
	for _, name := range Names() {
		m, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { test(t, m) })
	}
}

// read asks an image for the places of a register, as a master does.
func read(t rapid.TB, i *Image, r *Register) (words [][]byte) {
	t.Helper()
	for _, p := range r.Places() {
		count := p.Words
		if i.m.Limits.EvenCountOnly {
			count += count % 2
		}
		answer, exception := i.Registers([]byte{0xAA}, i.m.FunctionOf(r), p.Addr, count)
		if exception != 0 || len(answer) != 2+2*int(count) || answer[0] != 0xAA || int(answer[1]) != 2*int(count) {
			t.Fatalf("%d registers at %#04x: exception %d, % x", count, p.Addr, exception, answer)
		}
		words = append(words, answer[2:][:2*p.Words])
	}
	return words
}

// decode reads a quantity back, in Wh, W or thousandths.
func decode(m *Map, q Quantity, r *Register, words [][]byte) (int64, error) {
	switch q.units()[len(q.units())-1] {
	case "Wh":
		n, err := m.Energy(r, words)
		return int64(n), err
	case "W":
		n, err := m.Power(r, words)
		return int64(n), err
	}
	return m.Milli(r, words)
}

// base is how many Wh, W or thousandths a unit is.
func base(unit string) float64 {
	if unit == "Wh" || unit == "W" {
		return 1
	}
	return 1000
}

// most is what is believed of any register, in Wh, W or thousandths, worked out
// without the codec.
func most(unit string) float64 {
	return map[string]float64{"kWh": 1e10, "Wh": 1e10, "kW": 1e7, "W": 1e7, "V": 1e6, "A": 1e7, "Hz": 1e5}[unit]
}

// reach is what a register can say, in Wh, W or thousandths, worked out without the
// codec: from 0 to high, and below 0 where it can.
func reach(r *Register) (high int64, signed bool) {
	bits := map[Type]int{Int16: 15, Uint16: 16, Int32: 31, Uint32: 32, Acc32: 32}[r.Type]
	limit := most(r.Unit)
	scale := r.Scale
	if scale == 0 {
		scale = 1
	}
	if bits > 0 && r.Exp10 == nil { // all ones may be a marker
		limit = min(limit, (math.Exp2(float64(bits))-2)*scale*base(r.Unit))
	}
	signed = r.Subtract != nil || slices.Contains([]Type{Int16, Int32, Int64, Float32, Float64, T6}, r.Type)
	return int64(limit), signed && (r.Unit == "W" || r.Unit == "kW" || r.Unit == "A")
}

// slack is how far a value may be from what was shown: half a step of its type.
func slack(r *Register, words [][]byte, shown int64) float64 {
	power := 0
	switch {
	case r.Type == Float32:
		return math.Abs(float64(shown))*math.Exp2(-24) + 0.5
	case r.Exp10 != nil:
		power = int(int16(words[len(words)-1][0])<<8 | int16(words[len(words)-1][1]))
	case r.Type == T5 || r.Type == T6:
		power = int(int8(words[0][0])) // most significant word first, in all maps that have it
	}
	step := base(r.Unit) * math.Pow10(power)
	if r.Scale != 0 {
		step *= r.Scale
	}
	return math.Floor(step/2 + 0.5)
}

// What is shown on the image of any map is read back through the same map, to half
// a step: over all that is believed, and below zero where the type can.
func TestEveryMapReadsBackWhatItShows(t *testing.T) {
	each(t, func(t *testing.T, m *Map) {
		image := NewImage(m)
		rapid.Check(t, func(t *rapid.T) {
			s, want := drawShown(t, m)
			if err := image.Show(s); err != nil {
				t.Fatal(err)
			}
			for q, r := range m.Registers {
				words := read(t, image, &r)
				got, err := decode(m, q, &r, words)
				if r.Type == Acc32 && want[q] == 0 {
					if !errors.Is(err, ErrNoValue) {
						t.Fatalf("%s: %d, %v: an accumulator of 0 is none", q, got, err)
					}
					continue
				}
				if shown, ok := want[q]; ok && (err != nil || math.Abs(float64(got-shown)) > slack(&r, words, shown)) {
					t.Fatalf("%s of %d is read as %d, %v (% x)", q, shown, got, err, words)
				}
			}
			if r, ok := m.Identity["serial"]; ok {
				if got, err := m.Text(&r, read(t, image, &r)); err != nil || got != s.Serial {
					t.Fatalf("serial %q is read as %q, %v", s.Serial, got, err)
				}
			}
		})
	})
}

// drawShown draws what a meter shows, and what each quantity should be read as.
func drawShown(t *rapid.T, m *Map) (s Shown, want map[Quantity]int64) {
	want = map[Quantity]int64{}
	draw := func(q Quantity) int64 {
		r, ok := m.Registers[q]
		if !ok {
			return 0
		}
		high, signed := reach(&r)
		low := int64(0)
		if signed {
			low = -high
		}
		want[q] = rapid.OneOf(rapid.Int64Range(low, high), rapid.Int64Range(low, high), rapid.SampledFrom([]int64{0, 1, low, high})).Draw(t, string(q))
		return want[q]
	}
	s.Import, s.Export, s.Power = hal.Energy(draw(ImportTotal)), hal.Energy(draw(ExportTotal)), hal.Power(draw(PowerTotal))
	for n := range m.Phases {
		s.Voltage[n] = hal.Voltage(draw([]Quantity{VoltageL1, VoltageL2, VoltageL3}[n]))
		s.Current[n] = hal.Current(draw([]Quantity{CurrentL1, CurrentL2, CurrentL3}[n]))
	}
	s.FrequencyMilli = draw(Frequency)
	if r, ok := m.Identity["serial"]; ok {
		digits := `[1-9][0-9]{0,7}`
		if r.Type == Hex {
			digits = fmt.Sprintf(`[1-9A-E][0-9A-F]{%d}`, 4*r.Length-1)
		}
		s.Serial = rapid.OneOf(rapid.Just(""), rapid.StringMatching(digits)).Draw(t, "serial")
	}
	return s, want
}

// The power of the phases is shared out by what flows in each, and adds up.
func TestThePhasesAddUpToTheTotal(t *testing.T) {
	for _, c := range []struct {
		count   int
		current [3]hal.Current
		want    [3]int64
	}{
		{3, [3]hal.Current{16_000, 16_000, 16_000}, [3]int64{3334, 3333, 3333}},
		{3, [3]hal.Current{0, 16_000, 0}, [3]int64{0, 10_000, 0}},
		{3, [3]hal.Current{-1, 6_000, 2_000}, [3]int64{0, 7500, 2500}},
		{3, [3]hal.Current{}, [3]int64{10_000, 0, 0}},
		{1, [3]hal.Current{1_000, 6_000, 2_000}, [3]int64{10_000, 0, 0}},
	} {
		s := Shown{Power: 10_000, Current: c.current}
		if got := s.phases(c.count); got != c.want {
			t.Errorf("%v: %v, want %v", c.current, got, c.want)
		}
	}
}

// The bits that mean "no value" are never read as one, in any register of any map.
func TestMarkersOfEveryMapAreNoValue(t *testing.T) {
	each(t, func(t *testing.T, m *Map) {
		for q, r := range m.Registers {
			words := read(t, NewImage(m), &r)
			marker, marked := m.Invalid[r.Type]
			switch r.Type {
			case Float32:
				marker, marked = 0x7FC00000, true
			case Float64:
				marker, marked = 0x7FF8000000000000, true
			case Acc32:
				marker, marked = 0, true
			}
			for n := 0; marked && n < 1+len(r.SumWith); n++ {
				before := words[n]
				words[n] = m.number(r.Type, marker)
				if got, err := decode(m, q, &r, words); !errors.Is(err, ErrNoValue) {
					t.Errorf("%s: %#x in part %d is %d, %v", q, marker, n, got, err)
				}
				words[n] = before
			}
		}
	})
}

// An image refuses what its meter would: every register nobody describes, unless
// the map says that such are read as 0.
func TestAnImageHasNoRegistersButThoseOfItsMap(t *testing.T) {
	each(t, func(t *testing.T, m *Map) {
		image := NewImage(m)
		described, low, high := map[[2]int]bool{}, map[int]int{}, map[int]int{}
		for _, p := range m.parts() {
			f := int(p.function)
			if _, ok := low[f]; !ok {
				low[f] = int(p.Addr)
			}
			high[f] = max(high[f], p.end())
			for a := int(p.Addr); a < p.end(); a++ {
				described[[2]int{f, a}] = true
			}
		}
		step := 1
		if m.Limits.EvenCountOnly {
			step = 2
		}
		for f := range low {
			for a := 0; a+step <= 1<<16; a++ {
				answer, exception := image.Registers(nil, byte(f), uint16(a), uint16(step))
				all := described[[2]int{f, a}] && described[[2]int{f, a + step - 1}]
				inside := m.Limits.AcrossGaps && a >= low[f] && a+step <= high[f]+step-1
				switch {
				case all != (exception == 0) && !inside, inside && exception != 0, exception != 0 && exception != 2:
					t.Fatalf("function %d at %#04x: exception %d", f, a, exception)
				case exception == 0 && inside && !described[[2]int{f, a}] && (answer[1] != 0 || answer[2] != 0):
					t.Fatalf("function %d at %#04x: % x where nothing is", f, a, answer)
				}
			}
		}
		if _, exception := image.Registers(nil, 6, 0, 2); exception != 1 {
			t.Errorf("function 6: exception %d", exception)
		}
	})
}

func TestAnImageGivesNoMoreThanItsMeterBears(t *testing.T) {
	exception := func(id string, addr, count uint16) byte {
		m, err := Find(id)
		if err != nil {
			t.Fatal(err)
		}
		_, e := NewImage(m).Registers(nil, m.Function, addr, count)
		return e
	}
	for _, c := range []struct {
		id          string
		addr, count uint16
		want        byte
	}{
		{"eastron_sdm630", 0, 76, 0}, {"eastron_sdm630", 0, 82, 3}, {"eastron_sdm630", 0, 3, 3}, {"eastron_sdm630", 0, 0, 3},
		{"eastron_sdm630", 0, 80, 2}, {"eastron_sdm630", 0xFFFF, 2, 2},
		{"abb_b23_b24", 0x5000, 8, 0}, {"abb_b23_b24", 0x5000, 7, 0},
		{"abb_b23_b24", 0x5000, 10, 2},     // goes on past what it has
		{"abb_b23_b24", 0x5B04, 10, 3},     // two values with a gap between them
		{"abb_b23_b24", 0x5B00, 45, 3},     // the same, more of them
		{"carlo_gavazzi_em580", 0, 51, 3},  // more than 50
		{"sbc_ale3", 0x1B, 2, 0},           // one tariff
		{"sbc_ale3", 0x1B, 6, 3},           // the partial counter between them is not described
		{"sbc_ale3", 0x1A, 2, 2},           // begins before
		{"bauer_bsm_ws36a", 0x9C90, 57, 0}, // a whole model, gaps and all
	} {
		if got := exception(c.id, c.addr, c.count); got != c.want {
			t.Errorf("%s: %d registers at %#04x: exception %d, want %d", c.id, c.count, c.addr, got, c.want)
		}
	}
}

func TestWhatAMeterCannotShowChangesNothing(t *testing.T) {
	for _, c := range []struct {
		id   string
		s    Shown
		want string
	}{
		{"orno_we504", Shown{Power: -1}, "meters: show power_total of -1 W: the uint16 of this map goes to"},
		{"eastron_sdm630", Shown{Import: -1}, "show import_total of -0.001 kWh"},
		{"eastron_sdm630", Shown{Import: 10_000_000_001}, "show import_total of 1.0000000001e+07"},
		{"siemens_pac1600", Shown{Import: 4_294_967_296}, "show import_total of 4.294967296e+09 Wh"},
		{"eastron_sdm630", Shown{Voltage: [3]hal.Voltage{0, 0, -230_000}}, "show voltage_l3 of -230 V"},
		{"hager_ecr380d", Shown{Voltage: [3]hal.Voltage{655_350}}, "show voltage_l1 of 655.35 V"}, // the marker
		{"eastron_sdm630", Shown{FrequencyMilli: 500_000}, "show frequency of 500 Hz"},
		{"eastron_sdm630", Shown{Serial: "A1"}, `show serial: register 0xfc00 cannot show "A1"`},
		{"eastron_sdm630", Shown{Serial: "4294967296"}, "cannot show"},
		{"eastron_sdm630", Shown{Serial: "4294967295"}, "cannot show"}, // what was never written
		{"eastron_sdm630", Shown{Serial: "007"}, "cannot show"},
		{"iskra_wm3m4", Shown{Serial: "123456789"}, "want what fits into 4 registers of string"},
		{"inepro_pro380", Shown{Serial: "22abcdef"}, "cannot show"},
		{"inepro_pro380", Shown{Serial: "2211034"}, "cannot show"},
	} {
		m, err := Find(c.id)
		if err != nil {
			t.Fatal(err)
		}
		image := NewImage(m)
		if err := image.Show(Shown{Import: 123_450, Power: 50}); err != nil {
			t.Fatal(err)
		}
		if err := image.Show(c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.id, err, c.want)
		}
		r := m.Registers[ImportTotal]
		if got, err := m.Energy(&r, read(t, image, &r)); err != nil || got < 123_000 || got > 124_000 {
			t.Errorf("%s: then shows %v, %v", c.id, got, err)
		}
	}
}

// A simulated meter passes the checks of its own map.
func TestAnImageIsOfItsMap(t *testing.T) {
	checks := 0
	each(t, func(t *testing.T, m *Map) {
		image := NewImage(m)
		if err := image.Show(Shown{Serial: ""}); err != nil {
			t.Fatal(err)
		}
		for name, r := range m.Identity {
			if len(r.Expect) == 0 {
				continue
			}
			checks++
			if got, err := m.Text(&r, read(t, image, &r)); err != nil || got != r.Expect[0] {
				t.Errorf("%s: %q, %v; want %q", name, got, err, r.Expect[0])
			}
		}
	})
	if checks < 10 {
		t.Errorf("%d checks in all maps", checks)
	}
}

// One goroutine simulates while others serve.
func TestAnImageIsNeverHalfShown(t *testing.T) {
	m, err := Find("sbc_ale3") // its import lies in two places
	if err != nil {
		t.Fatal(err)
	}
	image, r := NewImage(m), m.Identity["serial"]
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 500 {
				answer, exception := image.Registers(nil, 3, r.Addr, 2)
				if exception != 0 || !bytes.Equal(answer[1:3], answer[3:5]) {
					t.Errorf("% x, exception %d", answer, exception)
				}
			}
		})
	}
	for n := range 500 {
		if err := image.Show(Shown{Serial: map[bool]string{true: "65537", false: "131074"}[n%2 == 0]}); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}
