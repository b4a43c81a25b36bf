package modbus

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// sdm630Map is a map to be changed at will.
func sdm630Map(t testing.TB) *meters.Map {
	t.Helper()
	m, err := meters.Find("eastron_sdm630")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// onLine gives a meter of the map on a line, where this one really is.
func onLine(t *testing.T, m *meters.Map, there *meters.Image) (*Meter, *answering) {
	t.Helper()
	far := &answering{units: map[byte]*meters.Image{1: there}}
	meter, err := lined(t, usual, far.serve).Meter(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	return meter, far
}

func TestWhatIsKnownOfTheSupply(t *testing.T) {
	volts := func(v ...hal.Voltage) meters.Shown {
		s := meters.Shown{Import: 1000, Serial: "1"}
		copy(s.Voltage[:], v)
		return s
	}
	flowing, feeding := volts(), volts()
	flowing.Power, feeding.Power = 1, -1
	without := func(q ...meters.Quantity) *meters.Map {
		m := sdm630Map(t)
		for _, q := range q {
			delete(m.Registers, q)
		}
		return m
	}
	all := []meters.Quantity{meters.VoltageL1, meters.VoltageL2, meters.VoltageL3}
	for _, c := range []struct {
		name  string
		m     *meters.Map
		there *meters.Map // the real meter; nil: as the map
		shows meters.Shown
		want  hal.Supply
		asked int // requests for voltages in two readings
	}{
		{"three phases", sdm630Map(t), nil, volts(230_000, 231_000, 229_000), hal.SupplyPresent, 2},
		{"one phase", sdm630Map(t), nil, volts(0, 0, 100_000), hal.SupplyPresent, 2},
		{"none", sdm630Map(t), nil, volts(0, 0, 0), hal.SupplyMissing, 2},
		{"what is picked up", sdm630Map(t), nil, volts(99_900, 45_000, 12_000), hal.SupplyMissing, 2},
		{"power flows", sdm630Map(t), nil, flowing, hal.SupplyPresent, 0},
		{"power is fed in", sdm630Map(t), nil, feeding, hal.SupplyPresent, 0},
		{"no voltages in the map", without(all...), sdm630Map(t), volts(230_000), hal.SupplyUnknown, 0},
		{"one voltage in the map", without(all[1:]...), nil, volts(230_000), hal.SupplyPresent, 2},
		{"the meter refuses", sdm630Map(t), refusing(t, all...), volts(), hal.SupplyUnknown, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			if c.there == nil {
				c.there = c.m
			}
			image := meters.NewImage(c.there)
			if err := image.Show(c.shows); err != nil {
				t.Fatal(err)
			}
			meter, far := onLine(t, c.m, image)
			for range 2 {
				got, err := meter.Read(t.Context())
				if err != nil || got.Supply != c.want || got.Register != 1000 {
					t.Errorf("%s: %+v, %v; want %v", c.name, got, err, c.want)
				}
			}
			asked := 0
			for _, s := range far.asks(0) {
				if s.function == 4 && s.addr < 0x10 {
					asked++
				}
			}
			if asked != c.asked {
				t.Errorf("%s: asked for voltages %d times, want %d: %v", c.name, asked, c.asked, far.asks(0))
			}
		})
	}
}

// refusing is the map of a meter that has no such registers.
func refusing(t testing.TB, q ...meters.Quantity) *meters.Map {
	m := sdm630Map(t)
	m.Limits.AcrossGaps = false
	for _, q := range q {
		delete(m.Registers, q)
	}
	m.Registers[meters.Frequency] = meters.Register{Addr: 0x36, Type: meters.Float32, Unit: "Hz"} // describes the gap
	for i, q := range []meters.Quantity{meters.PowerL1, meters.PowerL2, meters.PowerL3, meters.CurrentL1, meters.CurrentL2, meters.CurrentL3, meters.VoltageL1, meters.VoltageL2} {
		m.Registers[q] = meters.Register{Addr: uint16(0x38 + 2*i), Type: meters.Float32, Unit: map[bool]string{true: "W", false: "A"}[i < 3]}
		if i > 5 {
			m.Registers[q] = meters.Register{Addr: uint16(0x38 + 2*i), Type: meters.Float32, Unit: "V"}
		}
	}
	return m
}

// Voltages that come with the register anyway are not asked for again.
func TestVoltagesAtHandAreUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mapped(nil)
		m.Registers[meters.VoltageL1] = meters.Register{Addr: 1000, Type: meters.Uint16, Unit: "V"}
		m.Registers[meters.VoltageL2] = meters.Register{Addr: 1, Type: meters.Uint16, Unit: "V"} // half of the import, for this test
		image := meters.NewImage(m)
		if err := image.Show(meters.Shown{Voltage: [3]hal.Voltage{0, 230_000}}); err != nil {
			t.Fatal(err)
		}
		meter, far := onLine(t, m, image)
		if got, err := meter.Read(t.Context()); err != nil || got.Supply != hal.SupplyPresent || len(far.asks(0)) != 2 {
			t.Errorf("%+v, %v, %v", got, err, far.asks(0))
		}
	})
}

func TestAMeterOfAnotherModelIsAnError(t *testing.T) {
	m, err := meters.Find("eastron_sdm120")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		says string // its model code
		want string // in the error; empty: it is read
	}{
		"this one":   {m.Identity["model_code"].Expect[0], ""},
		"another":    {"137", `another meter than eastron_sdm120: its model_code is "137", want `},
		"it refuses": {"", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			other := *m
			other.Identity = maps.Clone(m.Identity)
			code := other.Identity["model_code"]
			code.Expect = []string{c.says}
			other.Identity["model_code"] = code
			if c.says == "" {
				other.Identity = nil
			}
			image, shows := showing(t, &other)
			meter, far := onLine(t, m, image)
			got, err := meter.Read(t.Context())
			if c.want == "" && (err != nil || got.Register != shows.Import) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || got != hal.Reading{}) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			before := len(far.asks(0))
			meter.Read(t.Context())
			if again := slices.ContainsFunc(far.asks(before), func(s span) bool { return s.function == 3 }); again != (c.want != "") {
				t.Errorf("%s: asked who it is again: %t", name, again)
			}
		})
	}
}

func TestValuesAreAllThereIsToTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := sdm630Map(t)
		image, _ := showing(t, m)
		meter, _ := onLine(t, m, image)
		values, err := meter.Values(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, v := range values {
			if v.Err != nil || v.At <= 0 {
				t.Errorf("%+v", v)
			}
			told = append(told, fmt.Sprint(v.Name, " ", v.Number, v.Unit, v.Text))
		}
		want := []string{"serial 20240117", "import_total 1234000Wh", "export_total 56000Wh", "power_total 6900W",
			"power_l1 2300W", "power_l2 2300W", "power_l3 2300W", "voltage_l1 230000mV", "voltage_l2 231000mV", "voltage_l3 229000mV",
			"current_l1 10000mA", "current_l2 10000mA", "current_l3 10000mA", "frequency 50000mHz"}
		if strings.ReplaceAll(strings.Join(told, ","), " 0", " ") != strings.Join(want, ",") {
			t.Errorf("%q", told)
		}
	})
}

// One value that a meter does not have hides no other, and the reading goes on.
func TestAValueThatIsRefusedIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := sdm630Map(t)
		m.Limits.AcrossGaps = false
		less := *m
		less.Registers = maps.Clone(m.Registers)
		delete(less.Registers, meters.CurrentL2)
		image, _ := showing(t, &less)
		meter, far := onLine(t, m, image)
		values, err := meter.Values(t.Context())
		if err != nil || len(values) != 14 {
			t.Fatalf("%+v, %v", values, err)
		}
		for _, v := range values {
			if missing := v.Name == "current_l2"; missing != (v.Err != nil) || missing && !unknown(v.Err) {
				t.Errorf("%+v", v)
			}
		}
		delete(far.units, 1)
		if values, err = meter.Values(t.Context()); err == nil || len(values) != 0 {
			t.Errorf("from nobody: %+v, %v", values, err)
		}
	})
}

func TestAnImpossibleValueIsExplained(t *testing.T) {
	turned := sdm630Map(t)
	turned.WordOrder = meters.Little
	nan := []byte{0x7F, 0xC0, 0, 0}
	for name, c := range map[string]struct {
		there *meters.Map
		serve func(*answering, net.Conn)
		want  []string
	}{
		"the words the other way round": {turned, (*answering).serve, []string{"import_total", "0x0048", "1234567 Wh", "word order"}},
		"no number": {sdm630Map(t), func(a *answering, conn net.Conn) {
			for r := heard(conn); r != nil; r = heard(conn) {
				conn.Write(framed(append(r[:2:2], append([]byte{2 * r[5]}, slices.Repeat(nan, int(r[5])/2)...)...)...))
			}
		}, []string{"import_total", "0x0048", "7f c0 00 00", "does not measure this, or not yet"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			image, shows := showing(t, c.there)
			shows.Import = 1_234_567 // as a float32 of kWh, one that means nothing when its words are turned around
			if err := image.Show(shows); err != nil {
				t.Fatal(err)
			}
			far := &answering{units: map[byte]*meters.Image{1: image}}
			meter, err := lined(t, usual, func(conn net.Conn) { c.serve(far, conn) }).Meter(sdm630Map(t), 1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := meter.Read(t.Context())
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) || got != (hal.Reading{}) {
					t.Errorf("%s: %+v, %v; want an error with %q", name, got, err, want)
				}
			}
			values, err := meter.Values(t.Context())
			if len(values) != 14 || err != nil {
				t.Errorf("%s: %+v, %v", name, values, err)
			}
			for _, v := range values {
				if v.Name == "import_total" && (v.Err == nil || errors.Is(v.Err, meters.ErrNoValue) != (name == "no number")) {
					t.Errorf("%s: %+v", name, v)
				}
			}
		})
	}
}

// However many meters of a bus are dead, one that lives is read in time, and the
// dead ones are still tried.
func TestDeadMetersDoNotKeepALivingOneWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		image, shows := showing(t, sdm630Map(t))
		far := &answering{units: map[byte]*meters.Image{12: image}}
		b := lined(t, usual, far.serve)
		var tried [12]int // times, by unit
		for unit := 1; unit <= 11; unit++ {
			meter, err := b.Meter(sdm630Map(t), unit)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for {
					if _, err := meter.Read(t.Context()); errors.Is(err, net.ErrClosed) {
						return
					}
					tried[unit]++
				}
			}()
		}
		meter, err := b.Meter(sdm630Map(t), 12)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second) // until all have failed once
		for range 20 {
			start := time.Now()
			got, err := meter.Read(t.Context())
			if took := time.Since(start); err != nil || got.Register != shows.Import || took > 5*time.Second {
				t.Errorf("%+v, %v after %v", got, err, took)
			}
			time.Sleep(time.Second)
		}
		b.close()
		synctest.Wait()
		for unit := 1; unit <= 11; unit++ {
			if tried[unit] < 2 {
				t.Errorf("unit %d was tried %d times", unit, tried[unit])
			}
		}
	})
}
