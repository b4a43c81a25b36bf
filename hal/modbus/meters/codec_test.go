package meters

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"stolpe/hal"
)

// register is a quantity and the map it belongs to.
type register struct {
	Register
	m Map
}

func at(typ Type, unit string, scale, top float64, order WordOrder) *register {
	return &register{Register{Addr: 0x48, Type: typ, Unit: unit, Scale: scale, Max: top}, Map{WordOrder: order}}
}

func (r *register) energy(raw []byte) (hal.Energy, error) {
	return r.m.Energy(&r.Register, [][]byte{raw})
}
func (r *register) power(raw []byte) (hal.Power, error) { return r.m.Power(&r.Register, [][]byte{raw}) }

func float(f float32) []byte { return binary.BigEndian.AppendUint32(nil, math.Float32bits(f)) }

var (
	kwh   = at(Float32, "kWh", 0, 1e7, Big)
	watts = at(Float32, "W", 0, 1e7, Big)
)

func TestEnergyIsRoundedToWholeWattHoursOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		v    *register
		raw  []byte
		want hal.Energy
	}{
		{"a new meter", kwh, float(0), 0},
		{"one Wh", kwh, float(0.001), 1},
		{"rounded down", kwh, float(0.0014), 1},
		{"rounded up", kwh, float(0.0016), 2},
		{"a float32 just below", kwh, float(1234.567), 1_234_567},
		{"above 16 MWh a float32 steps by 2 Wh", kwh, float(16384.001), 16_384_002},
		{"the largest believed", kwh, float(1e7), 10_000_000_000},
		{"less than a Wh", kwh, float(math.SmallestNonzeroFloat32), 0},
		{"Wh", at(Float32, "Wh", 0, 1e10, Big), float(5000), 5000},
		{"scaled integer", at(Uint32, "kWh", 0.01, 1e7, Big), []byte{0, 0, 0x30, 0x39}, 123_450},
		{"largest integer", at(Uint32, "Wh", 0, 1e10, Big), []byte{255, 255, 255, 255}, math.MaxUint32},
		{"low word first", at(Uint32, "Wh", 0, 1e10, Little), []byte{0, 1, 0, 2}, 2<<16 | 1},
		{"low word of a float first", at(Float32, "kWh", 0, 1e7, Little), append(float(1.5)[2:4:4], float(1.5)[:2]...), 1500},
	} {
		if got, err := c.v.energy(c.raw); err != nil || got != c.want {
			t.Errorf("%s: %d, %v; want %d", c.name, got, err, c.want)
		}
	}
}

func TestAnImpossibleEnergyIsAnErrorAndNeverZero(t *testing.T) {
	for name, raw := range map[string][]byte{
		"NaN":            float(float32(math.NaN())),
		"signalling NaN": {0x7F, 0xA0, 0, 1},
		"infinity":       float(float32(math.Inf(1))),
		"-infinity":      float(float32(math.Inf(-1))),
		"negative":       float(-0.001),
		"minus zero":     float(float32(math.Copysign(0, -1))),
		"absurd":         float(1.1e7),
		"largest float":  float(math.MaxFloat32),
		"all ones":       {255, 255, 255, 255},
	} {
		if got, err := kwh.energy(raw); err == nil || !strings.Contains(err.Error(), "0x0048") {
			t.Errorf("%s: %v, %v; want an error that names the register", name, got, err)
		}
	}
}

func TestPowerMayBeNegative(t *testing.T) {
	for _, c := range []struct {
		raw  []byte
		want hal.Power
	}{
		{float(0), 0}, {float(float32(math.Copysign(0, -1))), 0}, {float(7360.4), 7360}, {float(-1500.6), -1501},
	} {
		if got, err := watts.power(c.raw); err != nil || got != c.want {
			t.Errorf("%v, %v; want %v", got, err, c.want)
		}
	}
	if got, err := at(Float32, "kW", 0, 1e4, Big).power(float(7.36)); err != nil || got != 7360 {
		t.Errorf("7.36 kW: %v, %v", got, err)
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1.1e7, -1.1e7} {
		if got, err := watts.power(float(float32(f))); err == nil {
			t.Errorf("%v W: %v, want an error", f, got)
		}
	}
}

func TestASerialThatWasNeverWrittenIsNone(t *testing.T) {
	var m Map
	for raw, want := range map[uint32]string{0: "", math.MaxUint32: "", 22110345: "22110345", 1: "1"} {
		got, err := m.Text(&Register{Type: Uint32}, [][]byte{binary.BigEndian.AppendUint32(nil, raw)})
		if err != nil || got != want {
			t.Errorf("%#08x: %q, %v, want %q", raw, got, err, want)
		}
	}
}

// FuzzEnergy holds the decoder against what a float32 of kWh can mean.
func FuzzEnergy(f *testing.F) {
	for _, bits := range []uint32{0, 0x80000000, 0x7FC00000, 0x7F800000, 0x4B189680, 0x4B189681, 0x449A522B, 1} {
		f.Add(bits)
	}
	f.Fuzz(func(t *testing.T, bits uint32) {
		got, err := kwh.energy(binary.BigEndian.AppendUint32(nil, bits))
		number := float64(math.Float32frombits(bits))
		possible := bits>>31 == 0 && number <= 1e7 // false for NaN
		if possible != (err == nil) {
			t.Fatalf("%v kWh: %v, %v", number, got, err)
		}
		if err != nil && got != 0 {
			t.Fatalf("%v kWh: an error with the value %v", number, got)
		}
		if err == nil && math.Abs(float64(got)-number*1000) > 0.5 {
			t.Fatalf("%v kWh became %d Wh", number, int64(got))
		}
	})
}
