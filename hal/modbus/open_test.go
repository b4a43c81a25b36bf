package modbus_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
)

func TestOpenSaysWhatWouldBeRight(t *testing.T) {
	right := modbus.Config{Model: "eastron_sdm630", URL: "tcp://meter.local:502", Unit: 1, Now: leap()}
	for _, c := range []struct {
		name   string
		change func(*modbus.Config)
		want   string // in the error; none: it opens
	}{
		{"right", func(*modbus.Config) {}, ""},
		{"unit 247", func(c *modbus.Config) { c.Unit = 247 }, ""},
		{"unit 255", func(c *modbus.Config) { c.Unit = 255 }, ""},
		{"IPv6", func(c *modbus.Config) { c.URL = "tcp://[fe80::1]:502" }, ""},
		{"a typing error in the model", func(c *modbus.Config) { c.Model = "eastron_sdm603" }, "eastron_sdm630"},
		{"no model", func(c *modbus.Config) { c.Model = "" }, "the nearest are"},
		{"a path as model", func(c *modbus.Config) { c.Model = "../meters/eastron_sdm630" }, "no map"},
		{"unit 0", func(c *modbus.Config) { c.Unit = 0 }, "want 1 to 247, or 255"},
		{"unit 248", func(c *modbus.Config) { c.Unit = 248 }, "want 1 to 247, or 255"},
		{"unit 257", func(c *modbus.Config) { c.Unit = 257 }, "want 1 to 247, or 255"},
		{"no clock", func(c *modbus.Config) { c.Now = nil }, "no clock"},
		{"no URL", func(c *modbus.Config) { c.URL = "" }, "want tcp://host:port"},
		{"no scheme", func(c *modbus.Config) { c.URL = "meter.local:502" }, "want tcp://host:port"},
		{"another scheme", func(c *modbus.Config) { c.URL = "http://meter.local:502" }, "want tcp://host:port"},
		{"no port", func(c *modbus.Config) { c.URL = "tcp://meter.local" }, "want tcp://host:port"},
		{"port 0", func(c *modbus.Config) { c.URL = "tcp://meter.local:0" }, "want tcp://host:port"},
		{"port 65536", func(c *modbus.Config) { c.URL = "tcp://meter.local:65536" }, "want tcp://host:port"},
		{"no host", func(c *modbus.Config) { c.URL = "tcp://:502" }, "want tcp://host:port"},
		{"a path", func(c *modbus.Config) { c.URL = "tcp://meter.local:502/1" }, "want tcp://host:port"},
		{"a query", func(c *modbus.Config) { c.URL = "tcp://meter.local:502?baud=9600" }, "want tcp://host:port"},
		{"a user", func(c *modbus.Config) { c.URL = "tcp://me@meter.local:502" }, "want tcp://host:port"},
		{"not a URL", func(c *modbus.Config) { c.URL = "tcp://%zz:502" }, "want tcp://host:port"},
	} {
		config := right
		c.change(&config)
		meter, err := modbus.Open(config)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			meter.Close()
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}

func TestEveryModelOpens(t *testing.T) {
	models := modbus.Models()
	if !slices.Contains(models, "eastron_sdm630") || !slices.IsSorted(models) {
		t.Errorf("models %v", models)
	}
	for _, model := range models {
		m, err := meters.Find(model)
		if err != nil {
			t.Fatal(err)
		}
		meter, err := modbus.Open(modbus.Config{Model: model, URL: "tcp://127.0.0.1:502", Unit: 1, Now: leap()})
		if err != nil {
			t.Errorf("%s: %v", model, err)
			continue
		}
		if step := meter.Resolution(); step != cmp.Or(m.Resolution, 10) {
			t.Errorf("%s: a step of %v, want %v, or 10 Wh where it is not known", model, step, m.Resolution)
		}
		meter.Close()
	}
}
