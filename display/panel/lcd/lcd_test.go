package lcd

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"stolpe/display/panel"
)

func big() Options   { return Options{Columns: 20, Rows: 4} }
func small() Options { return Options{Columns: 16, Rows: 2} }

func mustShow(t *testing.T, d *Device, lines ...string) {
	t.Helper()
	if err := d.Show(panel.Frame{Lines: lines}); err != nil {
		t.Fatal(err)
	}
}

// stands says whether the display shows lines.
func stands(t *testing.T, c *controller, o Options, lines ...string) {
	t.Helper()
	var want strings.Builder
	for y := range o.Rows {
		line := ""
		if y < len(lines) {
			line = lines[y]
		}
		want.WriteString(line + strings.Repeat(" ", o.Columns-len([]rune(line))) + "|")
	}
	if got := c.text(o); got != want.String() || c.fault != nil || !c.on || !c.rows {
		t.Errorf("it shows %s (on %v, two rows %v, %v)\nwant     %s", got, c.on, c.rows, c.fault, want.String())
	}
}

// pages are what a Norwegian post shows.
func pages() [][]string {
	return [][]string{
		{"LEDIG/FREE   Stolpe", "5,49 kr/kWh", "Skann kode på stolpe", "Scan code on post"},
		{"Lader / Charging", "12,40 kWh   68,08 kr", "7,2 kW   1:44 t/h", "Skann for å stoppe"},
		{"Lader / Charging", "12,41 kWh   68,14 kr", "7,2 kW   1:44 t/h", "Skann for å stoppe"},
		{"NØDSTOPP", "Emergency stop", "Prøv på nytt, Ærlig", "22 00 00 00"},
		{"LADDAR ÄNNU Öppna", "Übung ø Æ Å", "", ""},
		{},
	}
}

func TestPagesStandOnTheDisplay(t *testing.T) {
	for _, o := range []Options{big(), small()} {
		for name, open := range map[string]func() (*controller, *Device, error){
			"backpack": func() (*controller, *Device, error) {
				e := newExpander()
				d, err := OpenI2C(e, 0x27, o)
				return e.controller, d, err
			},
			"lines": func() (*controller, *Device, error) {
				c := newController()
				d, err := OpenLines(leads(c), o)
				return c, d, err
			},
		} {
			t.Run(fmt.Sprint(name, o.Columns), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, d, err := open()
					if err != nil {
						t.Fatal(err)
					}
					if c.on || c.clears != 1 {
						t.Errorf("on %v before the first page, cleared %d times", c.on, c.clears)
					}
					for range 25 {
						for _, lines := range pages() {
							cut := make([]string, min(o.Rows, len(lines)))
							for y := range cut {
								letters := []rune(lines[y])
								cut[y] = string(letters[:min(len(letters), o.Columns)])
							}
							mustShow(t, d, lines...)
							stands(t, c, o, cut...)
						}
					}
					if err := d.Close(); err != nil || !c.on {
						t.Error("the last page does not stay", err)
					}
				})
			})
		}
	}
}

// The data sheet's figure 24: three times the upper half of 0x30, once that of 0x20, and
// then function, off, clear and entry.
func TestTheSequenceIsThatOfTheDataSheet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &i2ctest.Playback{DontPanic: true}
		say := func(b ...byte) { bus.Ops = append(bus.Ops, i2ctest.IO{Addr: 0x27, W: b}) }
		say(0x08, 0x3c, 0x38)
		say(0x08, 0x3c, 0x38)
		say(0x08, 0x3c, 0x38)
		say(0x08, 0x2c, 0x28)
		say(0x08, 0x2c, 0x28, 0x8c, 0x88, 0x88, 0x0c, 0x08, 0x8c, 0x88, 0x88, 0x0c, 0x08, 0x1c, 0x18, 0x18)
		say(0x08, 0x0c, 0x08, 0x6c, 0x68, 0x68)
		letter := func(b byte) []byte {
			high, low := b&0xf0|0x09, b<<4|0x09
			return []byte{high | 4, high, low | 4, low, low}
		}
		row := func(at byte, text string) {
			at |= 0x80
			say(0x08, at&0xf0|0x0c, at&0xf0|0x08, at<<4|0x0c, at<<4|0x08, at<<4|0x08)
			out := []byte{0x09}
			for i := range len(text) {
				out = append(out, letter(text[i])...)
			}
			say(out...)
		}
		row(0x00, "FREE            ")
		row(0x40, "5,49            ")
		say(0x08, 0x0c, 0x08, 0xcc, 0xc8, 0xc8) // on
		row(0x42, "5")
		d, err := OpenI2C(bus, 0x27, small())
		if err != nil {
			t.Fatal(err)
		}
		mustShow(t, d, "FREE", "5,49")
		mustShow(t, d, "FREE", "5,59")
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOnlyWhatChangesIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newExpander()
		d, err := OpenI2C(e, 0x27, big())
		if err != nil {
			t.Fatal(err)
		}
		cost := func(lines []string) int {
			before := e.bytes
			mustShow(t, d, lines...)
			return e.bytes - before
		}
		all := pages()
		first, figures, same := cost(all[1]), cost(all[2]), cost(all[2])
		if first < 80*5 || figures > 150 || same != 0 {
			t.Errorf("the first page takes %d bytes, new figures %d, the same %d", first, figures, same)
		}
	})
}

// A spike has made the controller take one half of a letter for the other, another has
// changed what stands there. That is mended within a minute,
// whether figures run or the page is always the same.
func TestItHealsWithinAMinute(t *testing.T) {
	const seconds = int(Again / time.Second)
	t.Run("with figures", func(t *testing.T) { heals(t, seconds, 1) })
	t.Run("while nothing is new", func(t *testing.T) { heals(t, seconds, seconds) })
}

func heals(t *testing.T, seconds, changes int) {
	synctest.Test(t, func(t *testing.T) {
		e := newExpander()
		d, err := OpenI2C(e, 0x27, big())
		if err != nil {
			t.Fatal(err)
		}
		mustShow(t, d, "på")
		e.fall(true, 0x4)
		clear(e.shown[:])
		clear(e.own[:])
		e.on, e.light = false, false
		for i := range seconds {
			time.Sleep(time.Second)
			e.fault = nil // until it is whole again it takes letters for instructions that last
			mustShow(t, d, "på", fmt.Sprint(i/changes%2))
		}
		stands(t, e.controller, big(), "på", fmt.Sprint((seconds-1)/changes%2))
		if !e.light {
			t.Error("it is dark")
		}
	})
}

// A spike that looked like an instruction has shifted the rows: no letter that is written
// brings them back.
func TestShiftedRowsComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newController()
		d, err := OpenLines(leads(c), big())
		if err != nil {
			t.Fatal(err)
		}
		mustShow(t, d, "FREE", "5,49")
		c.shifted = 7
		time.Sleep(Again)
		mustShow(t, d, "FREE", "5,49")
		stands(t, c, big(), "FREE", "5,49")
	})
}

func TestEveryLetterIsDrawnOrHasAPlainOne(t *testing.T) {
	seen := map[[8]byte]rune{}
	for i, d := range alphabet {
		if other, ok := seen[d.dots]; ok {
			t.Errorf("%c and %c look the same", d.letter, other)
		}
		seen[d.dots] = d.letter
		for _, row := range d.dots {
			if row > 0x1f {
				t.Errorf("%c is wider than five dots", d.letter)
			}
		}
		if plain(d.letter) != '?' && d.letter != 'é' {
			t.Errorf("%c is in two tables", d.letter)
		}
		if i < slots {
			continue
		}
		var l letters
		rows, _ := l.encode([]string{"åøæÅØÆ€Ä" + string(d.letter)}, small())
		if got := rows[0][8]; got < 8 || got != d.plain {
			t.Errorf("%c where there is no room: 0x%02x", d.letter, got)
		}
		for slot, code := range rows[0][:8] {
			if code > 7 {
				t.Errorf("letter %d of the first eight has no room beside %c", slot, d.letter)
			}
		}
	}
	for r := rune(0xa0); r <= 0xff; r++ { // what pages may have beside ASCII
		if drawing(r) < 0 && plain(r) == '?' && r != '¿' {
			t.Errorf("%c is written as ?", r)
		}
	}
	for text, want := range map[string]string{
		"A–B": "A-B", "a’b": "a'b", "Ñandú": "Nandu", "1\u00a0000": "1 000", "C:\\x~": "C:/x-", "日": "?", "…": ".",
		"é": "\x00", "}{": "}{",
	} {
		var l letters
		rows, _ := l.encode([]string{text}, small())
		if got := strings.TrimRight(string(rows[0]), " "); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
}

func TestFaultsAreSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nak := errors.New("remote I/O error")
		e := newExpander()
		if _, err := OpenI2C(e, 0x3f, big()); err == nil || !strings.Contains(err.Error(), "0x3f") {
			t.Error(err)
		}
		d, err := OpenI2C(e, 0x27, big())
		if err != nil {
			t.Fatal(err)
		}
		mustShow(t, d, "1")
		e.broken = nak
		if err := d.Show(panel.Frame{Lines: []string{"2"}}); !errors.Is(err, nak) {
			t.Error(err)
		}
		e.broken = nil
		before := e.bytes
		mustShow(t, d, "2")
		if e.bytes-before < 80*5 {
			t.Error("after a failure it takes something for granted")
		}
		if _, err := OpenI2C(e, 0x27, Options{Columns: 40, Rows: 2}); err == nil || !strings.Contains(err.Error(), "40 by 2") {
			t.Error(err)
		}
		p := leads(newController())
		p.Data[2] = nil
		if _, err := OpenLines(p, big()); err == nil || !strings.Contains(err.Error(), "d6") {
			t.Error(err)
		}
		for name, broken := range map[string]func(*Pins, gpio.PinOut){
			"register select line": func(p *Pins, l gpio.PinOut) { p.Letter = l },
			"enable line":          func(p *Pins, l gpio.PinOut) { p.Enable = l },
			"data line d7":         func(p *Pins, l gpio.PinOut) { p.Data[3] = l },
		} {
			p := leads(newController())
			broken(&p, &lead{fails: nak})
			if _, err := OpenLines(p, big()); !errors.Is(err, nak) || !strings.Contains(err.Error(), name) {
				t.Error(name, err)
			}
		}
	})
}

// counter is a bus that takes everything.
type counter struct {
	i2c.Bus
	bytes int
}

func (c *counter) Tx(_ uint16, w, _ []byte) error {
	c.bytes += 1 + len(w)
	return nil
}

// BenchmarkFigures is a page of which only the figures are new: what a charge costs each
// second, without the bus.
func BenchmarkFigures(b *testing.B) {
	bus := &counter{}
	d := &Device{options: big(), wires: backpack{bus, 0x27}, name: "bench"}
	all := pages()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if err := d.show(all[1+n%2]); err != nil {
			b.Fatal(err)
		}
		d.whole = time.Now()
	}
	b.ReportMetric(float64(bus.bytes)/float64(b.N), "bus-B/op")
}
