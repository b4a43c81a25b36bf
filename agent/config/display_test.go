package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stolpe/agent/config/device"
	"stolpe/agent/config/strict"
	"stolpe/display"
)

// shown is a post of two EVSEs with displays.
func shown(t *testing.T, displays ...string) (Config, error) {
	t.Helper()
	text := change(t, readText(t, simFile), "  - {id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}\n",
		"  - {id: 1, code: A1, contactor: {sim: true}, max_power_w: 22000}\n  - {id: 2, code: A2, contactor: {sim: true}, max_power_w: 22000}\n")
	text += "display:\n"
	for _, d := range displays {
		text += "  - {" + d + "}\n"
	}
	return parseText(text)
}

// kinds are all kinds of displays.
func kinds() []DisplayKind {
	return []DisplayKind{OLED, EPaper, LCD, Framebuffer, PNG, Kiosk, Light}
}

func TestDisplaySaysWhatHoldsWhenItIsLeftOut(t *testing.T) {
	quiet(t)
	c, err := shown(t, `kind: framebuffer, url: "fb:///dev/fb0"`, `kind: light, url: "pwm:///sys/class/pwm/pwmchip0?red=0&green=1&blue=2", evses: [2]`)
	if err != nil {
		t.Fatal(err)
	}
	both := [2]display.Lang{display.NB, display.EN}
	want := []Display{
		{Name: "framebuffer", Kind: Framebuffer, URL: "fb:///dev/fb0", At: device.Address{Bus: device.Framebuffer, Path: "/dev/fb0"}, EVSEs: []int{1, 2}, Languages: both, Code: CodeSticker},
		{Name: "light", Kind: Light, URL: "pwm:///sys/class/pwm/pwmchip0?red=0&green=1&blue=2", EVSEs: []int{2}, Languages: both, Code: CodeNone,
			At: device.Address{Bus: device.PWM, Path: "/sys/class/pwm/pwmchip0", Channels: map[string]int{"red": 0, "green": 1, "blue": 2}}},
	}
	if diff := cmp.Diff(want, c.Displays); diff != "" {
		t.Error(diff)
	}
}

// Every way to connect every kind is accepted as the messages have it, with each model, and
// every option that may be there.
func TestEveryDisplayThatIsSaidToBePossible(t *testing.T) {
	quiet(t)
	tried := 0
	for _, k := range kinds() {
		sort := displayOf(k)
		models := []string{""}
		if len(sort.models) > 0 {
			models = sort.models
		}
		for _, w := range sort.ways {
			for _, model := range models {
				said := "kind: " + string(k) + ", url: \"" + w.example
				for _, option := range w.may {
					said += "&" + option + "=GPIO4"
				}
				said += `"`
				if model != "" {
					said += ", model: " + model
				}
				if c, err := shown(t, said); err != nil || c.Displays[0].Kind != k || c.Displays[0].Model != model || c.Displays[0].At.Bus != w.bus {
					t.Errorf("%s: %+v, %v", said, c.Displays, err)
				}
				tried++
			}
		}
	}
	if tried != 15 {
		t.Errorf("%d displays tried: want 15", tried)
	}
}

// The reference shows every way to connect a display, and none that is refused.
func TestReferenceShowsAddressesThatAreAllowed(t *testing.T) {
	var doc string
	schema().Walk(func(path string, k strict.Key) {
		if path == "display[].url" {
			doc = k.Doc
		}
	})
	examples := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(doc, -1)
	ways := 0
	for _, k := range kinds() {
		for _, w := range displayOf(k).ways {
			ways++
			if !slices.ContainsFunc(examples, func(e []string) bool { return e[1] == w.example }) {
				t.Errorf("%s is not in the reference", w.example)
			}
		}
	}
	if len(examples) != ways {
		t.Errorf("%d addresses in the reference for %d ways", len(examples), ways)
	}
}

// Displays of one kind are told apart by people, in logs and figures.
func TestNamesOfDisplays(t *testing.T) {
	quiet(t)
	c, err := shown(t, `kind: kiosk, url: "http://127.0.0.1:8090"`, `kind: framebuffer, url: "fb:///dev/fb0"`, `kind: kiosk, url: "http://127.0.0.1:8091"`, `kind: kiosk, url: "http://127.0.0.1:8092"`)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range c.Displays {
		names = append(names, d.Name)
	}
	if got := strings.Join(names, " "); got != "kiosk framebuffer kiosk-2 kiosk-3" {
		t.Error(got)
	}
}

func TestLanguagesOfADisplay(t *testing.T) {
	quiet(t)
	for said, want := range map[string][2]display.Lang{
		"":                      {display.NB, display.EN},
		", languages: [sv]":     {display.SV, display.SV},
		", languages: [de, nb]": {display.DE, display.NB},
		", languages: [\"en\"]": {display.EN, display.EN},
	} {
		if c, err := shown(t, `kind: framebuffer, url: "fb:///dev/fb0"`+said); err != nil || c.Displays[0].Languages != want {
			t.Errorf("%s: %v, %v", said, c.Displays, err)
		}
	}
	for country, want := range map[string]display.Lang{"DK": display.DA, "FI": display.FI} {
		text := strings.NewReplacer("country: NO", "country: "+country, "currency: NOK", "currency: "+string(countryOf(country).currency), "999999999", "12345678").
			Replace(readText(t, simFile)) + "display:\n  - {kind: framebuffer, url: \"fb:///dev/fb0\"}\n"
		if c, err := parseText(text); err != nil || c.Displays[0].Languages != [2]display.Lang{want, display.EN} {
			t.Errorf("%s: %v, %v", country, c.Displays, err)
		}
	}
}

// A code that rotates is asked for where a display shows it, and nowhere else.
func TestRotatingCodesAreOfSomeEVSEs(t *testing.T) {
	quiet(t)
	c, err := shown(t, `kind: framebuffer, url: "fb:///dev/fb0", evses: [2], code: rotating`, `kind: kiosk, url: "http://127.0.0.1:8090", evses: [1]`,
		`kind: lcd, model: hd44780_16x2, url: "i2c:///dev/i2c-1?address=0x27"`, `kind: png, url: "file:///run/stolpe/display.png?size=250x122", code: none`)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Rotating(1), c.Rotating(2), c.Rotating(3)); got != "false true false" {
		t.Error(got)
	}
}

// A line of a display is one that the post has a use for: nobody tries it out as another.
func TestLinesOfDisplaysAreInUse(t *testing.T) {
	quiet(t)
	c, err := shown(t, `kind: light, url: "lines:?red=!GPIO6&green=!gpiochip0/12&blue=!GPIO13"`)
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]bool{"GPIO6": true, "!GPIO6": true, "gpiochip0/6": true, "GPIO12": true, "GPIO13": true, "GPIO14": false} {
		if c.Uses(line) != want {
			t.Errorf("%s: %v", line, !want)
		}
	}
}

// What is another about a display holds with the next start.
func TestDisplaysChangeWithTheNextStart(t *testing.T) {
	quiet(t)
	before, err := shown(t, `kind: framebuffer, url: "fb:///dev/fb0"`)
	after, err2 := shown(t, `kind: framebuffer, url: "fb:///dev/fb0", turned: true`)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	want := []Change{{Key: "display[0].turned", From: "false", To: "true"}}
	if diff := cmp.Diff(want, Compare(before, after)); diff != "" {
		t.Error(diff)
	}
	if took := before.Took(after); took.Displays[0].Turned || took.Sum == after.Sum {
		t.Errorf("it took effect at once: %+v", took.Displays)
	}
}
