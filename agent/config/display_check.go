package config

import (
	"fmt"
	"slices"
	"strings"

	"stolpe/agent/config/device"
	"stolpe/agent/config/strict"
)

// displayWay is one way to connect a kind of display.
type displayWay struct {
	bus       device.Bus
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
			{bus: device.I2C, need: []string{"address"}, may: []string{"reset"}},
			{bus: device.SPI, need: []string{"dc"}, may: []string{"reset"}},
		}},
		EPaper: {models: []string{"waveshare213"}, dots: true, ways: []displayWay{{bus: device.SPI, need: []string{"busy", "dc", "reset"}}}},
		LCD: {models: []string{"hd44780_20x4", "hd44780_16x2"}, ways: []displayWay{
			{bus: device.I2C, need: []string{"address"}},
			{bus: device.Lines, need: []string{"d4", "d5", "d6", "d7", "e", "rs"}, may: []string{"backlight"}},
		}},
		Framebuffer: {dots: true, ways: []displayWay{{bus: device.Framebuffer}}},
		PNG:         {dots: true, ways: []displayWay{{bus: device.File, need: []string{"size"}}}},
		Kiosk:       {dots: true, ways: []displayWay{{bus: device.Page}}},
		Light:       {ways: []displayWay{{bus: device.Lines, need: colours}, {bus: device.PWM, need: colours}}},
	}[k]
}

// checkDisplay checks one display for itself.
func (r *reader) checkDisplay(f *file, i int) {
	d, at := f.Display[i], fmt.Sprintf("display[%d]", i)
	sort := displayOf(d.Kind)
	if sort == nil || !r.Fine(at+".kind") {
		return
	}
	of := "with kind: " + string(d.Kind)
	switch model := at + ".model"; {
	case !r.Fine(model):
	case len(sort.models) == 0 && d.Model != "":
		r.Fail(model, strict.Quote(d.Model), "it left out "+of)
	case len(sort.models) > 0 && !slices.Contains(sort.models, d.Model):
		found := "nothing"
		if d.Model != "" {
			found = strict.Quote(d.Model)
		}
		r.Fail(model, found, strings.Join(sort.models, " or ")+" "+of)
	}
	if url := at + ".url"; r.Fine(url) {
		if allowed := sort.allows(d); allowed != "" {
			r.Fail(url, strict.Quote(d.URL), allowed+" "+of)
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
		r.Fail(path, found, "it left out "+of)
	}
}

// pictureSizes are those that there are layouts for.
func pictureSizes() []string { return []string{"800x480", "250x122", "128x64"} }

// allows says what is allowed instead of the address of a display; nothing if it is
// allowed.
func (s *displaySort) allows(d fileDisplay) string {
	a, err := device.Parse(d.URL, Output)
	if err != nil {
		return "" // already told
	}
	var forms []string
	for _, w := range s.ways {
		forms = append(forms, string(w.bus)+":")
		if a.Bus != w.bus {
			continue
		}
		said := a.Said()
		for _, name := range w.need {
			if !slices.Contains(said, name) {
				return fmt.Sprintf("it with %s", strings.Join(w.need, ", "))
			}
		}
		for _, name := range said {
			if !slices.Contains(w.need, name) && !slices.Contains(w.may, name) {
				return fmt.Sprintf("it without %s", name)
			}
		}
		if size := fmt.Sprintf("%dx%d", a.Width, a.Height); a.Bus == device.File && !slices.Contains(pictureSizes(), size) {
			return "a size of " + strings.Join(pictureSizes(), " or ")
		}
		return ""
	}
	return "an address that begins with " + strings.Join(forms, " or ")
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

// checkDisplays compares displays with each other.
func (r *reader) checkDisplays(f *file) {
	codes := map[int]int{} // display that decides, by id of an EVSE
	all := f.displays()
	for i, d := range all {
		r.checkDisplay(f, i)
		at := fmt.Sprintf("display[%d]", i)
		for j, o := range all[:i] {
			if r.Fine(at+".url", fmt.Sprintf("display[%d].url", j)) && d.At.Same(o.At) {
				r.Fail(at+".url", strict.Quote(d.URL)+" again", fmt.Sprintf("another device than that of display[%d]", j))
			}
		}
		if d.Code == CodeNone || !r.Fine(at+".code", at+".kind", at+".evses") {
			continue
		}
		for _, id := range d.EVSEs {
			if j, other := codes[id]; !other {
				codes[id] = i
			} else if all[j].Code != d.Code && r.Fine(at+".code") {
				r.Fail(at+".code", strict.Quote(string(d.Code)), fmt.Sprintf("%s as display[%d] has, which is for EVSE %d too, or none", all[j].Code, j, id))
			}
		}
	}
}
