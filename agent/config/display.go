package config

import (
	"fmt"
	"slices"

	"stolpe/agent/config/device"
	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
	"stolpe/display"
)

// DisplayKind is what is driven: one driver for each.
type DisplayKind string

// The kinds.
const (
	OLED        DisplayKind = "oled"
	EPaper      DisplayKind = "epaper"
	LCD         DisplayKind = "lcd"
	Framebuffer DisplayKind = "framebuffer"
	PNG         DisplayKind = "png"
	Kiosk       DisplayKind = "kiosk"
	Light       DisplayKind = "light"
)

// CodeOn is which code to scan is on a display.
type CodeOn string

// The codes.
const (
	CodeSticker  CodeOn = "sticker"  // that of the sticker
	CodeRotating CodeOn = "rotating" // one that only who stands there can have
	CodeNone     CodeOn = "none"
)

// Display is a display of the post, or a light that stands for one.
type Display struct {
	Name        string // its kind, and from the second of a kind on a number: oled, oled-2
	Kind        DisplayKind
	Model       string          // of an OLED, EPaper or LCD; empty for the others
	URL         string          // where it is, as the file has it
	At          device.Address  // where it is, taken apart
	EVSEs       []int           // that it is for, by id; at least one
	Languages   [2]display.Lang // what it says first, and second; the same twice for one language
	Code        CodeOn          // CodeNone for an LCD and a Light
	Turned      bool            // by 180 degrees
	Coldest     int             // below this an EPaper is not refreshed, °C
	Temperature string          // absolute path of the file that has the temperature; empty for the panel's own sensor
}

// fileDisplay is a Display as it stands in the file.
type fileDisplay struct {
	Kind        DisplayKind
	Model       string
	URL         string
	EVSEs       []int
	Languages   []string
	Code        CodeOn
	Turned      bool
	Coldest     int `mapstructure:"coldest_c"` // °C
	Temperature string
}

// maxDisplays is how many displays a post has at most. Chosen by us: one for each EVSE on
// each of two sides.
const maxDisplays = 2 * maxEVSEs

// maxDisplayURL is the longest address of a display, characters. Chosen by us: a path and
// seven lines, each with the name of its chip.
const maxDisplayURL = 300

// What e-paper may be told to stand, °C. Chosen by us: wider than any panel that is sold.
const (
	minColdest = -40
	maxColdest = 40
)

func displayKeys() strict.Key {
	return strict.Key{Name: "display", Kind: strict.List, Min: 1, Max: maxDisplays, Unset: "none", Doc: "The post's own displays, and lights. None of them matters to a charge: whatever becomes of one, the post works on.", Keys: []strict.Key{
		{Name: "kind", Kind: strict.Text, Need: true, Want: "oled, epaper, lcd, framebuffer, png, kiosk or light", Legal: func(s string) bool { return displayOf(DisplayKind(s)) != nil },
			Doc: "What it is. framebuffer is a screen at the machine's own video output; png a picture in a file, and kiosk a page, for a program of yours that shows it; light is one lamp of three colours, for a post without a display."},
		{Name: "model", Kind: strict.Text, Unset: "needed with oled, epaper and lcd", Want: "ssd1306, sh1106, waveshare213, waveshare213_v3, hd44780_20x4 or hd44780_16x2", Legal: legal.OneOf("ssd1306", "sh1106", "waveshare213", "waveshare213_v3", "hd44780_20x4", "hd44780_16x2"),
			Doc: "Its controller, or its maker's name for it: ssd1306 and sh1106 are OLEDs of 128x64; waveshare213 is an e-paper of 250x122, and waveshare213_v3 the one with V3 on its back; the two of hd44780 show letters."},
		{Name: "url", Kind: strict.Text, Need: true, Want: "the address of a device, a file or a page, as its kind has it", Legal: legal.Shorter(maxDisplayURL),
			Doc: "Where it is. oled: `i2c:///dev/i2c-1?address=0x3c` or `spi:///dev/spidev0.0?dc=GPIO6`, each also with reset. epaper: `spi:///dev/spidev0.0?dc=GPIO6&reset=GPIO12&busy=GPIO13`. " +
				"lcd: `i2c:///dev/i2c-1?address=0x27`, or `lines:?rs=GPIO6&e=GPIO12&d4=GPIO13&d5=GPIO16&d6=GPIO19&d7=GPIO20`, also with backlight. framebuffer: `fb:///dev/fb0`. " +
				"png: `file:///run/stolpe/display.png?size=800x480`, or 250x122, or 128x64. kiosk: `http://127.0.0.1:8090`. light: `lines:?red=GPIO6&green=GPIO12&blue=GPIO13`, with ! before each line where low lights it (a common anode), or `pwm:///sys/class/pwm/pwmchip0?red=0&green=1&blue=2`."},
		{Name: "evses", Kind: strict.Numbers, Unset: "all of the post", Min: 1, Max: maxEVSEs, Each: [2]int64{1, maxEVSE}, Want: "the id of an EVSE",
			Doc: "The EVSEs that it is for."},
		{Name: "languages", Kind: strict.Texts, Unset: "that of the country, and en", Min: 1, Max: 2, Want: "nb, en, sv, da, fi or de", Legal: language,
			Doc: "What it says, the first language first. Both are on it at the same time."},
		{Name: "code", Kind: strict.Text, Def: string(CodeSticker), Want: "sticker, rotating or none", Legal: legal.OneOf(string(CodeSticker), string(CodeRotating), string(CodeNone)),
			Doc: "The code to scan. sticker: the address that the sticker has. rotating: another one for each charge, without which nothing is paid; a copied sticker then leads nobody to pay. The same on all displays of an EVSE that have a code. An lcd and a light have none."},
		{Name: "turned", Kind: strict.Flag, Def: false, Want: "true or false",
			Doc: "Whether it is built in upside down. Not of an lcd or a light."},
		{Name: "coldest_c", Kind: strict.Number, Def: int64(0), Min: minColdest, Max: maxColdest, Want: "°C",
			Doc: "Temperature below which an epaper is not drawn, as its data sheet says: the cold spoils it. Just before, it shows that it rests. -40: it never gets too cold, and the temperature is not asked for."},
		{Name: "temperature", Kind: strict.Text, Unset: "the panel's own sensor", Want: "an absolute path", Legal: legal.Absolute,
			Doc: "File with the temperature of an epaper in thousandths of a degree, as the kernel writes it. The panel's own sensor cannot be read through the maker's board for the Raspberry Pi. The processor is some 10 degrees warmer than the air: with its file, set coldest_c higher."},
	}}
}

func language(tag string) bool {
	_, known := display.ParseLang(tag)
	return known
}

// displays gives the displays in the words of the program.
func (f file) displays() (all []Display) {
	of := map[DisplayKind]int{}
	for _, d := range f.Display {
		at, err := device.Parse(d.URL, Output)
		if err != nil {
			at = device.Address{} // already told as an error
		}
		of[d.Kind]++
		name := string(d.Kind)
		if n := of[d.Kind]; n > 1 {
			name += fmt.Sprintf("-%d", n)
		}
		one := Display{
			Name: name, Kind: d.Kind, Model: d.Model, URL: d.URL, At: at, EVSEs: slices.Clone(d.EVSEs), Code: d.Code,
			Turned: d.Turned, Coldest: d.Coldest, Temperature: d.Temperature,
			Languages: [2]display.Lang{display.LangOf(countryOf(f.Post.Country).currency), display.EN},
		}
		for i := range d.Languages {
			lang, _ := display.ParseLang(d.Languages[i])
			one.Languages[1] = lang
			if i == 0 {
				one.Languages[0] = lang
			}
		}
		if k := displayOf(d.Kind); k != nil && !k.dots {
			one.Code = CodeNone
		}
		if len(one.EVSEs) == 0 {
			for _, e := range f.EVSEs {
				one.EVSEs = append(one.EVSEs, e.ID)
			}
		}
		all = append(all, one)
	}
	return all
}

// Rotating says whether an EVSE has a display with a code that rotates, so that nothing is
// paid without one.
func (c Config) Rotating(evse int) bool {
	return slices.ContainsFunc(c.Displays, func(d Display) bool {
		return d.Code == CodeRotating && slices.Contains(d.EVSEs, evse)
	})
}

// Uses says whether the display hangs on a line, however that is written.
func (d Display) Uses(line string) bool {
	for _, used := range d.At.Lines {
		if lineOf(used) == lineOf(line) {
			return true
		}
	}
	return false
}
