package epaper

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/conntest"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/spi/spitest"

	"stolpe/display/panel"
)

// picture is white with black dots.
func picture(dots ...image.Point) *image.Paletted {
	m := image.NewPaletted(image.Rect(0, 0, Width, Height), color.Palette{color.Black, color.White})
	for i := range m.Pix {
		m.Pix[i] = 1
	}
	for _, p := range dots {
		m.SetColorIndex(p.X, p.Y, 0)
	}
	return m
}

func corners() []image.Point {
	return []image.Point{{0, 0}, {Width - 1, 0}, {3, Height - 1}, {100, 9}, {Width - 1, Height - 1}}
}

// same says whether the glass shows a picture.
func same(t *testing.T, g *glass, m image.Image) {
	t.Helper()
	for y := range Height {
		for x := range Width {
			if want := m.At(x, y) == color.White; g.white(x, y) != want {
				t.Fatalf("dot %d,%d is white: %v", x, y, !want)
			}
		}
	}
}

func mustOpen(t *testing.T, g *glass, o Options) *Device {
	t.Helper()
	d, err := Open(g, g.pins(), o)
	if err != nil {
		t.Fatal(err)
	}
	g.log = nil
	return d
}

func mustShow(t *testing.T, d *Device, f panel.Frame) {
	t.Helper()
	if err := d.Show(f); err != nil {
		t.Fatal(err)
	}
}

func TestPicturesComeOntoTheGlass(t *testing.T) {
	for _, model := range []Model{V4, V3} {
		t.Run(fmt.Sprint(model), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGlass()
				d := mustOpen(t, g, Options{Model: model})
				if len(g.draws()) > 0 {
					t.Error("drawn when opened")
				}
				all, few := picture(corners()...), picture(corners()[:2]...)
				for _, f := range []panel.Frame{{Image: all}, {Image: few}, {Image: few}, {Image: all, Whole: true}, {Image: all}, {Image: few}} {
					mustShow(t, d, f)
					same(t, g, f.Image)
					if g.awake {
						t.Error("it does not sleep between draws")
					}
				}
				if want := []string{"whole", "partial", "whole", "partial"}; !slices.Equal(g.draws(), want) {
					t.Errorf("drawn %v, want %v", g.draws(), want)
				}
				if err := d.Close(); err != nil || len(g.draws()) != 4 {
					t.Errorf("closed: %v, %v", err, g.draws())
				}
			})
		})
	}
}

// The typical sequence of the SSD1680's data sheet: reset, software reset, initial codes,
// memory, an update with the waveform from its own memory, sleep.
func TestTheSequenceIsThatOfTheDataSheet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := picture(image.Pt(Width-1, 0)) // row 0, first bit
		memory := slices.Repeat([]byte{0xff}, rowBytes*Width)
		old := bytes.Clone(memory)
		memory[0] = 0x7f
		var ops []conntest.IO
		say := func(command byte, data ...byte) {
			ops = append(ops, conntest.IO{W: []byte{command}})
			if len(data) > 0 {
				ops = append(ops, conntest.IO{W: data})
			}
		}
		begin := func() {
			say(0x12)
			say(0x01, 0xf9, 0x00, 0x00)
			say(0x11, 0x03)
			say(0x44, 0x00, 0x0f)
			say(0x45, 0x00, 0x00, 0xf9, 0x00)
			say(0x3c, 0x05)
			say(0x21, 0x00, 0x80)
			say(0x18, 0x80)
		}
		home := func() { say(0x4e, 0x00); say(0x4f, 0x00, 0x00) }
		begin() // to open
		say(0x1a, 0x5a, 0x30)
		say(0x1b)
		ops = append(ops, conntest.IO{R: []byte{0x5a, 0x30}})
		warmth := func() { say(0x22, 0xb1); say(0x20); say(0x1b); ops = append(ops, conntest.IO{R: []byte{0x14, 0x00}}) } // 20 °C
		warmth()
		say(0x10, 0x01)
		begin() // the whole
		warmth()
		home()
		say(0x24, old...)
		home()
		say(0x26, old...)
		say(0x22, 0xf7)
		say(0x20)
		say(0x10, 0x01)
		begin() // a part
		warmth()
		say(0x3c, 0x80)
		home()
		say(0x24, memory...)
		home()
		say(0x26, old...)
		say(0x22, 0xff)
		say(0x20)
		say(0x10, 0x01)
		port := &spitest.Playback{Playback: conntest.Playback{Ops: ops, DontPanic: true}}
		g := newGlass() // for its lines alone
		var busy gpio.Level
		d, err := Open(port, Pins{Data: g.pins().Data, Reset: g.pins().Reset, Busy: line{read: func() gpio.Level { busy = !busy; return busy }}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		mustShow(t, d, panel.Frame{Image: picture()})
		mustShow(t, d, panel.Frame{Image: m})
		if err := port.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheWaveformsAreTheMakers(t *testing.T) {
	for name, c := range map[string]struct {
		w   wave
		sum string
	}{
		"whole":   {wholeWave(), "0e2096d1fc9f20b9ba3bd00745d4594133336c7aeec60eb3c37437745779507e"},
		"partial": {partialWave(), "e68de4947601a3b59607d107cc34640a018f522ae56edc03a17544e3c6ad150e"},
	} {
		if got := fmt.Sprintf("%x", sha256.Sum256(c.w.bytes())); got != c.sum {
			t.Errorf("%s: SHA-256 %s, the maker's table has %s", name, got, c.sum)
		}
	}
}

func TestColdIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, resting := newGlass(), picture(image.Pt(7, 7))
		d := mustOpen(t, g, Options{Coldest: 0, Resting: resting})
		n := 0
		for _, c := range []struct {
			degrees float64
			face    panel.Face
			drawn   string // how, and R where it is that it rests
			is      int    // °C, where it is refused
		}{
			{20, panel.Free, "whole", 0}, {0, panel.Free, "partial", 0},
			{-0.0625, panel.Free, "R", -1}, {1.5, panel.Free, "", 1}, // until it is clearly warmer
			{-4.5, panel.OutOfOrder, "whole", 0}, {1.5, panel.Free, "R", 1},
			{2, panel.Free, "whole", 0}, {0.5, panel.Free, "partial", 0},
			{-5.5, panel.OutOfOrder, "", -6}, {-30, panel.Free, "", -30}, {0.5, panel.OutOfOrder, "partial", 0},
			{-4.9375, panel.Free, "R", -5}, {2.5, panel.Free, "whole", 0},
		} {
			g.temp = int(c.degrees*16) & 0xfff // sixteenths
			n++
			before := len(g.draws())
			m := picture(image.Pt(n, 2*n))
			err := d.Show(panel.Frame{Image: m, Page: panel.Page{Face: c.face}})
			how := strings.Join(g.draws()[before:], " ")
			var cold panel.Cold
			if refused := errors.As(err, &cold); refused {
				if how == "whole" {
					how = "R"
					same(t, g, resting)
				}
			} else {
				same(t, g, m)
			}
			if how != c.drawn || cold.Now != c.is || (err != nil) != errors.Is(err, panel.ErrCold) {
				t.Errorf("%v °C, %v: drawn %q (%v), want %q", c.degrees, c.face, how, err, c.drawn)
			}
			if g.awake {
				t.Errorf("%v °C: it does not sleep", c.degrees)
			}
		}
	})
}

// Nothing is new while it gets colder, until it is too cold for any picture.
func TestAPageThatIsShownAgainIsTakenAwayInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, f := newGlass(), panel.Frame{Image: picture(image.Pt(1, 1)), Page: panel.Page{Face: panel.Free}}
		resting := picture(image.Pt(7, 7))
		d := mustOpen(t, g, Options{Coldest: 0, Resting: resting})
		for sixteenths := 40; sixteenths > -160; sixteenths -= 16 { // a degree each time
			g.temp = sixteenths & 0xfff
			if err := d.Show(f); err != nil != (sixteenths < 0) {
				t.Errorf("%v °C: %v", sixteenths/16, err)
			}
		}
		if !slices.Equal(g.draws(), []string{"whole", "whole"}) {
			t.Errorf("drawn %v", g.draws())
		}
		same(t, g, resting)
	})
}

func TestTheTemperatureMayComeFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "temp")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("7125\n")
	synctest.Test(t, func(t *testing.T) {
		g := newGlass()
		g.deaf = true
		d := mustOpen(t, g, Options{Coldest: 5, Thermometer: path})
		mustShow(t, d, panel.Frame{Image: picture()})
		if slices.Contains(g.commands(), cmdReadTemp) {
			t.Error("the panel is asked")
		}
		for text, want := range map[string]string{"4999\n": "4 °C", "-1\n": "-1 °C", "warm": "not a number", "": "not a number", "999999": "no temperature"} {
			write(text)
			if err := d.Show(panel.Frame{Image: picture(), Whole: true, Page: panel.Page{Face: panel.Busy}}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", text, err)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		var cold panel.Cold
		if err := d.Show(panel.Frame{Image: picture(), Whole: true}); err == nil || errors.As(err, &cold) {
			t.Errorf("without its thermometer: %v", err)
		}
		if len(g.draws()) != 1 {
			t.Error("drawn in the cold")
		}
		if g.awake {
			t.Error("without its thermometer it does not sleep")
		}
	})
}

func TestAPanelThatCannotBeReadIsAskedForAThermometer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGlass()
		g.deaf = true
		if _, err := Open(g, g.pins(), Options{}); !errors.Is(err, errMute) {
			t.Error(err)
		}
		mustShow(t, mustOpen(t, g, Options{Coldest: AnyCold}), panel.Frame{Image: picture()})
		if g.half {
			t.Error("a panel that is not read is on a line that goes both ways")
		}
	})
}

func TestAPanelIsReadThroughEitherKindOfPort(t *testing.T) {
	for _, oneWay := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newGlass()
			g.oneWay, g.temp = oneWay, 3*16
			d := mustOpen(t, g, Options{Coldest: 4})
			var cold panel.Cold
			if err := d.Show(panel.Frame{Image: picture(), Page: panel.Page{Face: panel.Free}}); !errors.As(err, &cold) || cold.Now != 3 || g.half == oneWay {
				t.Errorf("one way %v: %v", oneWay, err)
			}
		})
	}
}

func TestFaultsAreSaidInBoundedTime(t *testing.T) {
	unplugged := errors.New("input/output error")
	for name, c := range map[string]struct {
		fail func(*glass)
		want string
		most time.Duration
	}{
		"no panel":         {func(g *glass) { g.gone = true }, "not high", time.Second},
		"busy for ever":    {func(g *glass) { g.stuck = true }, "still high", time.Second},
		"never ends":       {func(g *glass) { g.takes[updateWhole] = time.Hour }, "draw: the busy line is still high", 11 * time.Second},
		"the port is gone": {func(g *glass) { g.broken = unplugged }, "input/output error", time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGlass()
				d := mustOpen(t, g, Options{Coldest: AnyCold})
				c.fail(g)
				began := time.Now()
				err := d.Show(panel.Frame{Image: picture()})
				if err == nil || !strings.Contains(err.Error(), c.want) || time.Since(began) > c.most {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				if name != "the port is gone" || !errors.Is(err, unplugged) {
					return
				}
				g.broken = nil
				mustShow(t, d, panel.Frame{Image: picture()})
				if g.draws()[0] != "whole" {
					t.Error("after a failure it takes something for granted")
				}
			})
		})
	}
}

// A draw that did not come to its end leaves anything on the glass.
func TestAfterAFailedDrawNothingIsTakenForGranted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGlass()
		d := mustOpen(t, g, Options{Coldest: AnyCold})
		mustShow(t, d, panel.Frame{Image: picture()})
		g.takes[updatePartial] = time.Hour
		if err := d.Show(panel.Frame{Image: picture(corners()...)}); err == nil {
			t.Error("a draw has no end")
		}
		g.until, g.tone[9] = time.Time{}, 0x5a
		mustShow(t, d, panel.Frame{Image: picture()})
		same(t, g, picture())
	})
}

// Without a panel the busy line must read as not busy, so that a draw finds out.
func TestTheBusyLineIsPulledDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGlass()
		if mustOpen(t, g, Options{}); g.pull != gpio.PullDown {
			t.Errorf("the busy line has the pull %v", g.pull)
		}
	})
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGlass()
		if _, err := Open(g, Pins{Data: g.pins().Data}, Options{}); err == nil || !strings.Contains(err.Error(), "busy") {
			t.Error(err)
		}
		g.stuck = true
		if _, err := Open(g, g.pins(), Options{}); err == nil || !strings.Contains(err.Error(), "still high") {
			t.Error(err)
		}
		d := mustOpen(t, newGlass(), Options{})
		for _, m := range []image.Image{nil, image.NewGray(image.Rect(0, 0, Height, Width))} {
			if err := d.Show(panel.Frame{Image: m}); err == nil || !strings.Contains(err.Error(), "250 by 122") {
				t.Error(err)
			}
		}
	})
}

func TestAnyPictureOfTheSizeWillDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGlass()
		d := mustOpen(t, g, Options{})
		m := image.NewRGBA(image.Rect(10, 20, 10+Width, 20+Height))
		for y := range Height {
			for x := range Width {
				m.Set(10+x, 20+y, []color.Color{color.White, color.Black}[(x*7+y*3)%2])
			}
		}
		mustShow(t, d, panel.Frame{Image: m})
		for y := range Height {
			for x := range Width {
				if g.white(x, y) != ((x*7+y*3)%2 == 0) {
					t.Fatalf("dot %d,%d", x, y)
				}
			}
		}
	})
}

// BenchmarkFill is all that the processor does for a draw but for passing it on: 8 kB on
// the bus.
func BenchmarkFill(b *testing.B) {
	d := &Device{next: make([]byte, rowBytes*Width)}
	m := picture(corners()...)
	b.ReportAllocs()
	for b.Loop() {
		if err := d.fill(m); err != nil {
			b.Fatal(err)
		}
	}
}
