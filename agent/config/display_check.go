package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"stolpe/agent/config/device"
	"stolpe/agent/config/strict"
)

// displayWay is one way to connect a kind of display.
type displayWay struct {
	bus       device.Bus
	example   string   // with all options that it needs
	need, may []string // options of its address
}

// displaySort is what is known of a kind of display.
type displaySort struct {
	models []string     // empty for a kind without models
	ways   []displayWay // at least one
	dots   bool         // it shows pictures, which may be turned and may have a code
}

// displayOf gives what is known of a kind; nil where there is none of that name.
func displayOf(k DisplayKind) *displaySort {
	colours := []string{"red", "green", "blue"}
	return map[DisplayKind]*displaySort{
		OLED: {models: []string{"ssd1306", "sh1106"}, dots: true, ways: []displayWay{
			{bus: device.I2C, example: "i2c:///dev/i2c-1?address=0x3c", need: []string{"address"}, may: []string{"reset"}},
			{bus: device.SPI, example: "spi:///dev/spidev0.0?dc=GPIO6", need: []string{"dc"}, may: []string{"reset"}},
		}},
		EPaper: {models: []string{"waveshare213", "waveshare213_v3"}, dots: true, ways: []displayWay{
			{bus: device.SPI, example: "spi:///dev/spidev0.0?dc=GPIO6&reset=GPIO12&busy=GPIO13", need: []string{"dc", "reset", "busy"}},
		}},
		LCD: {models: []string{"hd44780_20x4", "hd44780_16x2"}, ways: []displayWay{
			{bus: device.I2C, example: "i2c:///dev/i2c-1?address=0x27", need: []string{"address"}},
			{bus: device.Lines, example: "lines:?rs=GPIO6&e=GPIO12&d4=GPIO13&d5=GPIO16&d6=GPIO19&d7=GPIO20", need: []string{"rs", "e", "d4", "d5", "d6", "d7"}, may: []string{"backlight"}},
		}},
		Framebuffer: {dots: true, ways: []displayWay{{bus: device.Framebuffer, example: "fb:///dev/fb0"}}},
		PNG:         {dots: true, ways: []displayWay{{bus: device.File, example: "file:///run/stolpe/display.png?size=800x480", need: []string{"size"}}}},
		Kiosk:       {dots: true, ways: []displayWay{{bus: device.Page, example: "http://127.0.0.1:8090"}}},
		Light: {ways: []displayWay{
			{bus: device.Lines, example: "lines:?red=GPIO6&green=GPIO12&blue=GPIO13", need: colours},
			{bus: device.PWM, example: "pwm:///sys/class/pwm/pwmchip0?red=0&green=1&blue=2", need: colours},
		}},
	}[k]
}

// checkDisplay checks one display for itself.
func (r *reader) checkDisplay(f *file, i int) {
	d, at := f.Display[i], fmt.Sprintf("display[%d]", i)
	sort := displayOf(d.Kind)
	if sort == nil || !r.Fine(at+".kind") {
		return
	}
	of := ", as kind is " + string(d.Kind)
	switch model := at + ".model"; {
	case !r.Fine(model):
	case len(sort.models) == 0 && d.Model != "":
		r.Fail(model, strict.Quote(d.Model), "it left out"+of)
	case len(sort.models) > 0 && !slices.Contains(sort.models, d.Model):
		found := "nothing"
		if d.Model != "" {
			found = strict.Quote(d.Model)
		}
		r.Fail(model, found, strings.Join(sort.models, " or ")+of)
	}
	if url := at + ".url"; r.Fine(url) {
		if allowed := sort.allows(d); allowed != "" {
			r.Fail(url, strict.Quote(d.URL), allowed+of)
		}
	}
	if d.Kind != EPaper {
		r.needless(at+".coldest_c", fmt.Sprint(d.Coldest), of)
		r.needless(at+".temperature", strict.Quote(d.Temperature), of)
	}
	if !sort.dots {
		r.needless(at+".code", strict.Quote(string(d.Code)), of)
		r.needless(at+".turned", fmt.Sprint(d.Turned), of)
	}
	if d.Kind == Light {
		r.needless(at+".languages", "a list", of)
	}
	r.checkDisplayLists(f, i)
}

// needless refuses a key that would be read and ignored.
func (r *reader) needless(path, found, of string) {
	if r.Given(path) && r.Fine(path) {
		r.Fail(path, found, "it left out"+of)
	}
}

// pictureSizes are those that there are layouts for.
func pictureSizes() []string { return []string{"800x480", "250x122", "128x64"} }

// allows says what is allowed instead of the address of a display; nothing if it is
// allowed.
func (s *displaySort) allows(d fileDisplay) string {
	a, err := device.Parse(d.URL, Output)
	var examples []string
	for _, w := range s.ways {
		if err != nil || a.Bus != w.bus {
			examples = append(examples, strconv.Quote(w.example))
			continue
		}
		for _, name := range a.Said() {
			if !slices.Contains(w.need, name) && !slices.Contains(w.may, name) {
				return "it without " + name
			}
		}
		for _, name := range w.need {
			if !slices.Contains(a.Said(), name) {
				return "it with " + name + ", as in " + strconv.Quote(w.example)
			}
		}
		if size := fmt.Sprintf("%dx%d", a.Width, a.Height); a.Bus == device.File && !slices.Contains(pictureSizes(), size) {
			return "a size of " + strings.Join(pictureSizes(), " or ")
		}
		return ""
	}
	return "an address such as " + strings.Join(examples, " or ")
}

// checkDisplayLists checks which EVSEs a display is for, and what it says.
func (r *reader) checkDisplayLists(f *file, i int) {
	d, at := f.Display[i], fmt.Sprintf("display[%d]", i)
	if path := at + ".languages"; r.Fine(path) && len(d.Languages) == 2 && d.Languages[0] == d.Languages[1] {
		r.Fail(path+"[1]", strict.Quote(d.Languages[1])+" again", "another language, or only one")
	}
	if !r.Fine(at+".evses", "evses") {
		return
	}
	for j, id := range d.EVSEs {
		path := fmt.Sprintf("%s.evses[%d]", at, j)
		known := false
		for k := range f.EVSEs {
			known = known || f.EVSEs[k].ID == id || !r.Fine(fmt.Sprintf("evses[%d].id", k))
		}
		if !known {
			r.Fail(path, fmt.Sprint(id), "the id of one of evses")
		}
		if slices.Contains(d.EVSEs[:j], id) {
			r.Fail(path, fmt.Sprintf("%d again", id), "each EVSE once")
		}
	}
}

// checkDisplays compares displays with each other, and with what else is served.
func (r *reader) checkDisplays(f *file) {
	all := f.displays()
	for i, d := range all {
		r.checkDisplay(f, i)
		url := fmt.Sprintf("display[%d].url", i)
		for j, o := range all[:i] {
			if r.Fine(url, fmt.Sprintf("display[%d].url", j)) && d.At.Same(o.At) {
				r.Fail(url, strict.Quote(d.URL)+" again", fmt.Sprintf("another device than that of display[%d]", j))
			}
		}
		for _, l := range []struct{ path, at string }{{"web.listen", f.Web.Listen}, {"metrics.listen", f.Metrics.Listen}} {
			if r.Fine(url, l.path) && d.At.Bus == device.Page && d.At.Path == l.at {
				r.Fail(url, strict.Quote(d.URL), "another port than that of "+l.path)
			}
		}
	}
	r.checkCodes(all)
}

// checkCodes refuses two displays of an EVSE that disagree about its code: that of a sticker
// leads nobody to pay where another one rotates.
func (r *reader) checkCodes(all []Display) {
	first := map[int]int{} // display with a code, by id of an EVSE
	for i, d := range all {
		at := fmt.Sprintf("display[%d]", i)
		if d.Code == CodeNone || !r.Fine(at+".code", at+".kind", at+".evses") {
			continue
		}
		for _, id := range d.EVSEs {
			j, other := first[id]
			if !other {
				first[id] = i
			} else if all[j].Code != d.Code && r.Fine(at+".code") {
				r.Fail(at+".code", strict.Quote(string(d.Code)), fmt.Sprintf("%s as display[%d] has, which is for EVSE %d too, or none", all[j].Code, j, id))
			}
		}
	}
}
