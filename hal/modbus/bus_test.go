package modbus

import (
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/hal/modbus/meters"
)

func TestABusOpensWhatItKnowsAndSaysWhatItWants(t *testing.T) {
	for _, c := range []struct {
		url  string
		want string // in the error; empty: it opens
		line setting
	}{
		{"tcp://meter.local:502", "", setting{}},
		{"tcp://[fe80::1]:502", "", setting{}},
		{"tcp://meter.local", "want tcp://host:port", setting{}},
		{"tcp://meter.local:0", "want tcp://host:port", setting{}},
		{"tcp://meter.local:65536", "want tcp://host:port", setting{}},
		{"tcp://:502", "want tcp://host:port", setting{}},
		{"tcp://meter.local:502/1", "want tcp://host:port", setting{}},
		{"tcp://meter.local:502?baud=9600", "want tcp://host:port", setting{}},
		{"tcp://me@meter.local:502", "want tcp://host:port", setting{}},
		{"tcp://%zz:502", wantURL, setting{}},
		{"http://meter.local:502", wantURL, setting{}},
		{"meter.local:502", wantURL, setting{}},
		{"rtuovertcp://192.168.1.20:4001", "", setting{}},
		{"rtu:///dev/ttyS0", "", setting{}},
		{"rtu:///dev/serial/by-id/usb-FTDI_FT232R-if00-port0?baud=19200&parity=E&stop=2", "", setting{19200, "E", 2}},
		{"rtu:///dev/ttyAMA0?stop=1", "", setting{stop: 1}},
		{"rtu:///dev/ttyS0?", "want rtu:///dev/", setting{}},
		{"", wantURL, setting{}},
		{"/dev/ttyS0", wantURL, setting{}},
		{"serial:///dev/ttyS0", wantURL, setting{}},
		{"TCP:/x", "want tcp://host:port", setting{}},
		{"rtuovertcp://meter.local", "want rtuovertcp://host:port", setting{}},
		{"rtuovertcp://meter.local:502/1", "want rtuovertcp://host:port", setting{}},
		{"rtuovertcp://meter.local:502?baud=9600", "want rtuovertcp://host:port", setting{}},
		{"rtu://ttyS0", "want rtu:///dev/", setting{}},
		{"rtu://dev/ttyS0", "want rtu:///dev/", setting{}},
		{"rtu:/dev/ttyS0", "want rtu:///dev/", setting{}},
		{"rtu:///", "want rtu:///dev/", setting{}},
		{"rtu:///dev/../dev/ttyS0", "want rtu:///dev/", setting{}},
		{"rtu:///dev/ttyS0/", "want rtu:///dev/", setting{}},
		{"rtu:///dev/ttyS0#9600", "want rtu:///dev/", setting{}},
		{"rtu://me@/dev/ttyS0", "want rtu:///dev/", setting{}},
		{"rtu:///dev/ttyS0?baud=9601", "want one of [1200 ", setting{}},
		{"rtu:///dev/ttyS0?baud=300", "want one of [1200 ", setting{}},
		{"rtu:///dev/ttyS0?baud=fast", "want one of [1200 ", setting{}},
		{"rtu:///dev/ttyS0?baud=", "want one of [1200 ", setting{}},
		{"rtu:///dev/ttyS0?baud=9600&baud=9600", "given 2 times", setting{}},
		{"rtu:///dev/ttyS0?parity=e", "want N (none), E (even) or O (odd)", setting{}},
		{"rtu:///dev/ttyS0?parity=M", "want N (none), E (even) or O (odd)", setting{}},
		{"rtu:///dev/ttyS0?stop=1.5", "want 1 or 2", setting{}},
		{"rtu:///dev/ttyS0?stop=3", "want 1 or 2", setting{}},
		{"rtu:///dev/ttyS0?bauds=9600", `unknown key "bauds": want baud, parity or stop`, setting{}},
		{"rtu:///dev/ttyS0?baud=9600;parity=N", "want rtu:///dev/", setting{}},
	} {
		b, err := OpenBus(c.url, func() time.Duration { return 0 })
		switch {
		case c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.url, err, c.want)
		case err == nil && b.place.line != c.line:
			t.Errorf("%s: %+v, want %+v", c.url, b.place.line, c.line)
		}
	}
	if _, err := OpenBus("tcp://meter.local:502", nil); err == nil || !strings.Contains(err.Error(), "no clock") {
		t.Errorf("without a clock: %v", err)
	}
}

func TestANameThatMayMoveIsWarnedOf(t *testing.T) {
	for url, warned := range map[string]bool{
		"rtu:///dev/ttyUSB0": true, "rtu:///dev/ttyACM12": true, "rtu:///dev/ttyS0": false, "rtu:///dev/ttyAMA0": false,
		"rtu:///dev/serial/by-id/usb-1a86_ttyUSB0": false, "tcp://ttyUSB0:502": false,
	} {
		b, err := OpenBus(url, func() time.Duration { return 0 })
		if err != nil {
			t.Fatal(err)
		}
		if advice := b.Advice(); warned != strings.Contains(advice, "/dev/serial/by-id") || !warned && advice != "" {
			t.Errorf("%s: %q", url, advice)
		}
	}
}

// mapped is a map that can be read, with these defaults of its line.
func mapped(d *meters.SerialDefaults) *meters.Map {
	return &meters.Map{ID: "drawn", Function: 4, Serial: d, Limits: meters.Limits{MaxRegisters: 40, MaxResponse: 1000},
		Registers: map[meters.Quantity]meters.Register{
			meters.ImportTotal: {Addr: 0, Type: meters.Uint32, Unit: "Wh"},
			meters.PowerTotal:  {Addr: 2, Type: meters.Int32, Unit: "W"},
		}}
}

func TestALineIsSetAsItsMetersComeIfTheURLDoesNotSay(t *testing.T) {
	e19200, n9600, even := &meters.SerialDefaults{Baud: 19200, Parity: "E", StopBits: 1}, &meters.SerialDefaults{Baud: 9600, Parity: "N"}, &meters.SerialDefaults{Parity: "E"}
	for _, c := range []struct {
		name   string
		url    string
		meters []*meters.SerialDefaults
		want   string // the setting, or what is in the error
	}{
		{"nobody says", "rtu:///dev/ttyS0", []*meters.SerialDefaults{nil}, "9600 8N1"},
		{"the map says", "rtu:///dev/ttyS0", []*meters.SerialDefaults{e19200}, "19200 8E1"},
		{"a part each", "rtu:///dev/ttyS0", []*meters.SerialDefaults{even, nil, {Baud: 2400}}, "2400 8E1"},
		{"the URL says more", "rtu:///dev/ttyS0?baud=38400", []*meters.SerialDefaults{e19200}, "38400 8E1"},
		{"two say different things", "rtu:///dev/ttyS0", []*meters.SerialDefaults{e19200, n9600}, "19200 8E1: set all alike"},
		{"the URL decides", "rtu:///dev/ttyS0?baud=4800&parity=N&stop=1", []*meters.SerialDefaults{e19200, n9600}, "4800 8N1"},
		{"too slow for us", "rtu:///dev/ttyS0", []*meters.SerialDefaults{{Baud: 300}}, "300 baud"},
		{"too slow, but changed", "rtu:///dev/ttyS0?baud=1200", []*meters.SerialDefaults{{Baud: 300}}, "1200 8N1"},
		{"a gateway's", "rtuovertcp://meter.local:502", []*meters.SerialDefaults{e19200, n9600}, "0 80"},
	} {
		b, err := OpenBus(c.url, func() time.Duration { return 0 })
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range c.meters {
			if _, wrong := b.Meter(mapped(d), i+1); wrong != nil {
				err = wrong
			}
		}
		if got := b.setting().String(); err == nil && got != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
	}
}

func TestAMeterHasAnAddressOfItsKind(t *testing.T) {
	for url, right := range map[string][]int{
		"tcp://meter.local:502":        {1, 247, 255},
		"rtuovertcp://meter.local:502": {1, 247},
		"rtu:///dev/ttyS0":             {1, 247},
	} {
		b, err := OpenBus(url, func() time.Duration { return 0 })
		if err != nil {
			t.Fatal(err)
		}
		for _, unit := range []int{-1, 0, 1, 247, 248, 254, 255, 256, 257} {
			_, err := b.Meter(mapped(nil), unit)
			if slices.Contains(right, unit) != (err == nil) || err != nil && !strings.Contains(err.Error(), "want 1 to 247") {
				t.Errorf("unit %d at %s: %v", unit, url, err)
			}
		}
	}
}

func TestAMapWithoutWhatIsBilledIsRefused(t *testing.T) {
	b := unwired()
	for _, q := range []meters.Quantity{meters.ImportTotal, meters.PowerTotal} {
		m := mapped(nil)
		delete(m.Registers, q)
		if _, err := b.Meter(m, 1); err == nil || !strings.Contains(err.Error(), "want import_total and power_total") {
			t.Errorf("without %s: %v", q, err)
		}
	}
	for name, addr := range map[string]uint16{"too far": 200, "across a gap": 20} {
		m := mapped(nil)
		m.Registers[meters.PowerTotal] = meters.Register{Addr: 2, Type: meters.Int16, Unit: "W", Exp10: &meters.Exponent{Addr: addr, Type: meters.Int16}}
		if _, err := b.Meter(m, 1); err == nil || !strings.Contains(err.Error(), "cannot be read in one request") {
			t.Errorf("an exponent %s: %v", name, err)
		}
	}
}
