package oled

import (
	"bytes"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"

	"periph.io/x/conn/v3/conntest"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/spi/spitest"

	"stolpe/display/panel"
)

// What goes over the bus, byte by byte, held against the data sheets.
//
// SSD1306, Rev 1.5 of Solomon Systech: the software initialisation of its application note
// (multiplex ratio a8 3f, offset d3 00, start line 40, segments a1, scan c8, pins da 12,
// contrast 81, memory a4, not inverted a6, clock d5, charge pump 8d 14, on af), here with
// the display off first and the phases d9 and level db besides; 20 02 is page addressing
// (10.1.3), in which b0 to b7, 00 to 0f and 10 to 1f set row and column (10.1.1, 10.1.2,
// 10.1.13). On I2C the byte 00 announces commands and 40 data (8.1.5.2).
//
// SH1106, V2.3 of Sino Wealth, chapter "Commands": clock d5, rows a8, offset d3, start line
// 40, converter ad 8b, which is set while the display is off, and its voltage 32, segments
// a1, scan c8, pins da 12, phases d9, level db, memory a4, not inverted a6, on af; b0 to b7,
// 00 to 0f and 10 to 1f set row and column. The glass begins at the memory's column 2:
// (132-128)/2.
const (
	ssd1306Begin = "ae d300 40 a1 c8 da12 81ff a4 a6 d5f0 8d14 d9f1 db40 2e a83f 2000 21007f 220007 af"
	ssd1306Pages = "2002"
	ssd1306Day   = "8d14 2002 a4 a6 c8 40 d300 d9f1 db40 81cf af"
	ssd1306Night = "8d14 2002 a4 a6 c8 40 d300 d911 db00 8120 af"
	sh1106Begin  = "ae d580 a83f d300 40 ad8b 32 a1 c8 da12 d922 db35 a4 a6 af"
	sh1106Day    = "32 a4 a6 c8 40 d300 d922 db35 81cf af"
	sh1106Night  = "32 a4 a6 c8 40 d300 d911 db22 8120 af"
)

// op is one transfer.
type op struct {
	data bool
	all  []byte
}

func command(text string) op {
	all, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return op{false, all}
}

// lit is the light without the last command, which is told to a display that is lit.
func lit(o op) op { return op{false, o.all[:len(o.all)-1]} }

// played is what is to go over the bus when a display is opened, shows a picture with one
// dot at 20, 10 during the day, the same again, and at night the dot at 22, 10 besides.
func played(m Model) []op {
	begin, day, night, column := ssd1306Begin, ssd1306Day, ssd1306Night, byte(0)
	ops := []op{command(begin), command(ssd1306Pages)}
	if m == SH1106 {
		begin, day, night, column = sh1106Begin, sh1106Day, sh1106Night, 2
		ops = []op{command(begin)}
	}
	ops = append(ops, command("ae"))
	ops = append(ops, ops...) // by Open, and by the first Show
	for page := range byte(8) {
		row := make([]byte, 128)
		if page == 1 {
			row[20] = 1 << 2
		}
		ops = append(ops, op{false, []byte{0xb0 + page, column, 0x10}}, op{true, row})
	}
	at := 22 + column
	return append(ops, command(day), command(day),
		op{false, []byte{0xb1, at & 15, 0x10 + at>>4}}, op{true, []byte{1 << 2}}, command(night))
}

// play does what played is of, and then goes on on SPI, where everything is sent each time.
func play(t *testing.T, m Model, w Wiring) {
	t.Helper()
	d, err := Open(m, w)
	if err != nil {
		t.Fatal(err)
	}
	p := image.NewPaletted(image.Rect(0, 0, Width, Height), color.Palette{color.Black, color.White})
	p.SetColorIndex(20, 10, 1)
	for range 2 {
		if err := d.Show(panel.Frame{Image: p}); err != nil {
			t.Fatal(err)
		}
	}
	p.SetColorIndex(22, 10, 1)
	if err := d.Show(panel.Frame{Image: p, Night: true}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestPlayedBackOnI2C(t *testing.T) {
	for _, m := range []Model{SSD1306, SH1106} {
		b := &i2ctest.Playback{DontPanic: true}
		for _, o := range played(m) {
			first := byte(0x00)
			if o.data {
				first = 0x40
			}
			b.Ops = append(b.Ops, i2ctest.IO{Addr: 0x3d, W: append([]byte{first}, o.all...)})
		}
		play(t, m, Wiring{Bus: b, Address: 0x3d})
		if err := b.Close(); err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
}

func TestPlayedBackOnSPI(t *testing.T) {
	for _, m := range []Model{SSD1306, SH1106} {
		open := 2 * (slices.Index([]Model{SH1106, SSD1306}, m) + 2) // transfers before the first dots
		ops := played(m)
		opening, dots := ops[:open], ops[open:open+16]
		begin, day, night := ops[:open/2-1], ops[open+16], ops[len(ops)-1]
		// Each Show sends everything, and after the first it is not made dark.
		want := slices.Concat(opening, dots, []op{day}, begin, []op{lit(day)}, dots, []op{day}, begin, []op{lit(night)}, dots, []op{night})
		last := slices.Clone(want[len(want)-14].all) // the row with the dots, at night
		last[22] = 1 << 2
		want[len(want)-14].all = last

		p, dc := &spitest.Playback{Playback: conntest.Playback{DontPanic: true}}, &edges{}
		var levels []gpio.Level
		for _, o := range want {
			p.Ops = append(p.Ops, conntest.IO{W: o.all})
			levels = append(levels, gpio.Level(o.data))
		}
		play(t, m, Wiring{Port: p, DC: dc})
		if err := p.Close(); err != nil {
			t.Errorf("%s: %v", m, err)
		}
		// periph sets the line once more each time that it begins.
		if got, want := told(dc.to), told(levels); !bytes.Equal(got, want) {
			t.Errorf("%s: the line for data was set\n%s, want\n%s", m, got, want)
		}
	}
}

// told writes levels, each change once.
func told(levels []gpio.Level) (all []byte) {
	for _, l := range slices.Compact(levels) {
		all = append(all, l.String()[0])
	}
	return all
}

// A transfer that is not as recorded is an error of the display's, not a panic.
func TestAnotherTransferIsAnError(t *testing.T) {
	b := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{{Addr: 0x3c, W: []byte{0}}}}
	if _, err := Open(SSD1306, Wiring{Bus: b, Address: 0x3c}); err == nil || !strings.Contains(err.Error(), "unexpected write") {
		t.Errorf("got %v", err)
	}
	p := &spitest.Playback{Playback: conntest.Playback{DontPanic: true}}
	stuck := &edges{stuck: errors.New("line is gone")}
	if _, err := Open(SH1106, Wiring{Port: p, DC: stuck}); !errors.Is(err, stuck.stuck) {
		t.Errorf("got %v", err)
	}
}
