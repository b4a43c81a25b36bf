package main

import (
	"strings"
	"testing"

	"stolpe/hal"
)

func TestWhatADisplayShows(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]onDisplay{
		"10344.07":   {"10344.07", 10_344_070, 10},
		"10 344,076": {"10 344,076", 10_344_076, 1},
		"7":          {"7", 7_000, 1000},
		"0.5":        {"0.5", 500, 100},
	} {
		if got, err := parseShown(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".", "7.", ".5", "-7", "+7", "1.2345", "1e3", "kWh", "12345678901", "1.2.3"} {
		if got, err := parseShown(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestARegisterIsHeldAgainstADisplay(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		register, shown, within hal.Energy
		code                    int
		why                     string
	}{
		"the same":                  {10_344_076, 10_344_076, 11, exitDone, "agree"},
		"rounded":                   {10_344_076, 10_344_080, 11, exitDone, "agree"},
		"another":                   {10_344_076, 10_350_000, 11, exitDiffers, "apart"},
		"kWh read as Wh, and back":  {10_344, 10_344_000, 11, exitDiffers, "1000 times too little"},
		"Wh read as kWh":            {10_344_076_000, 10_344_076, 11, exitDiffers, "1000 times too much"},
		"one digit more":            {103_440_760, 10_344_076, 11, exitDiffers, "10 times too much"},
		"nothing counted yet":       {0, 0, 11, exitRefused, "too little to tell"},
		"hardly anything":           {105, 100, 11, exitRefused, "too little to tell"},
		"a register that is silent": {0, 10_344_076, 11, exitDiffers, "apart"},
	} {
		c := compared{Model: "m", key: "evses[1].meter.confirmed", RegisterWh: x.register, ShownWh: x.shown, WithinWh: x.within}
		if code := c.judge(); code != x.code || !strings.Contains(c.Why, x.why) || c.Next == "" || c.Agrees != (code == exitDone) {
			t.Errorf("%s: %d, %+v; want %d and %q", name, code, c, x.code, x.why)
		}
		if c.Agrees && !strings.HasSuffix(c.Next, "stolpe config set 'evses[1].meter.confirmed' m") {
			t.Errorf("%s: %q is about another EVSE", name, c.Next)
		}
	}
}

// The key is that of the EVSE whose meter is read, by its place and not by its number.
func TestKeyOfAConfirmedMeter(t *testing.T) {
	t.Parallel()
	two := `evses:
  - {id: 3, code: A12, meter: {model: eastron_sdm630, url: "tcp://127.0.0.1:5021"}, contactor: {sim: true}, max_power_w: 22000}
  - {id: 7, code: A13, meter: {model: eastron_sdm120, url: "tcp://127.0.0.1:5022"}, contactor: {sim: true}, max_power_w: 7000}
`
	file := configured(t, t.TempDir(), simEVSEs, two)
	for evse, want := range map[int]string{3: "evses[0].meter.confirmed", 7: "evses[1].meter.confirmed"} {
		a := asked{file: file, evse: evse}
		if _, err := a.find(); err != nil || a.key != want {
			t.Errorf("EVSE %d: %q, %v; want %q", evse, a.key, err, want)
		}
	}
}
