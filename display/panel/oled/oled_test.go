package oled

import (
	"errors"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"stolpe/display/panel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// each runs a test for both controllers on both buses, with a clock that is not the
// world's.
func each(t *testing.T, test func(t *testing.T, c *cable, kind string)) {
	for _, m := range []Model{SSD1306, SH1106} {
		for _, kind := range []string{"i2c", "spi"} {
			t.Run(string(m)+" on "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCable(m)
					test(t, c, kind)
					for _, w := range c.wrong {
						t.Errorf("against the data sheet: %s", w)
					}
				})
			})
		}
	}
}

func mustOpen(t *testing.T, c *cable, kind string) *Device {
	t.Helper()
	d, err := Open(c.model, c.wiring(kind))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// random gives a picture, of which few dots differ from that of the seed before.
func random(seed uint64) panel.Frame {
	p := image.NewPaletted(image.Rect(0, 0, Width, Height), color.Palette{color.Black, color.White})
	for s := range seed + 1 {
		r := rand.New(rand.NewPCG(s, 7))
		for range 1 + r.IntN(200) {
			p.Pix[r.IntN(len(p.Pix))] ^= 1
		}
	}
	return panel.Frame{Image: p}
}

func mustShow(t *testing.T, d *Device, c *cable, f panel.Frame) {
	t.Helper()
	if err := d.Show(f); err != nil {
		t.Fatal(err)
	}
	mustDiffer(t, c, f, false)
}

// mustDiffer looks at the glass.
func mustDiffer(t *testing.T, c *cable, f panel.Frame, want bool) {
	t.Helper()
	p, err := packed(f.Image)
	if err != nil {
		t.Fatal(err)
	}
	if n := c.differs(p); n > 0 != want {
		t.Errorf("%d dots are not as in the picture", n)
	}
}

func TestWhatIsShownIsThere(t *testing.T) {
	each(t, func(t *testing.T, c *cable, kind string) {
		d := mustOpen(t, c, kind)
		if c.lit {
			t.Error("it is lit before there is a picture")
		}
		for seed := range uint64(20) {
			mustShow(t, d, c, random(seed))
			pass(7 * time.Second)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		mustDiffer(t, c, random(19), false) // it stays
		if err := d.Show(random(1)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("when closed: %v", err)
		}
		mustShow(t, mustOpen(t, c, kind), c, random(3)) // opened anew
	})
}

func TestItIsDarkerAtNight(t *testing.T) {
	each(t, func(t *testing.T, c *cable, kind string) {
		d := mustOpen(t, c, kind)
		f := random(1)
		for _, night := range []bool{false, true, false} {
			f.Night = night
			mustShow(t, d, c, f)
			day := c.level == dayContrast && c.voltage > 0x30
			if dim := c.level == nightContrast && c.voltage < 0x30; day == night || dim != night {
				t.Errorf("night %v: contrast %#x, voltage %#x", night, c.level, c.voltage)
			}
		}
	})
}

// A picture takes a tenth of a second on a slow bus: so long it must not shine as by day,
// each time that everything is sent.
func TestThereIsNoFlashAtNight(t *testing.T) {
	each(t, func(t *testing.T, c *cable, kind string) {
		d := mustOpen(t, c, kind)
		f := random(1)
		f.Night = true
		for range 3 {
			mustShow(t, d, c, f)
			c.brightest = 0
			pass(Again)
		}
		mustShow(t, d, c, f)
		if c.brightest != nightContrast {
			t.Errorf("contrast %#x while the picture was sent again", c.brightest)
		}
	})
}

// A controller whose power was gone for a moment, or that heard something else in the
// noise of a contactor, is right again by itself: at once where nobody would say so, and
// within a minute where only what has changed is sent.
func TestADisturbedDisplayIsSetRight(t *testing.T) {
	for name, disturb := range map[string]func(*cable){
		"its power was gone":  func(c *cable) { c.power(9) },
		"it was switched off": func(c *cable) { c.command(displayOff) },
		"it is inverted":      func(c *cable) { c.command(0xa7) },
		"it is mirrored":      func(c *cable) { c.command(0xa0); c.command(0xc0) },
		"it is moved":         func(c *cable) { c.command(0xd3); c.command(7); c.command(0x43) },
		"its memory is wrong": func(c *cable) { c.memory[3][70] ^= 0x18 },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, c *cable, kind string) {
				d := mustOpen(t, c, kind)
				f := random(1)
				mustShow(t, d, c, f)
				disturb(c)
				mustDiffer(t, c, f, true)
				if kind == "i2c" {
					pass(Again)
				}
				mustShow(t, d, c, f)
			})
		})
	}
}

// Whatever goes wrong at whatever transfer, and however far it came: what was shown after
// it without an error is there.
func TestAfterAnErrorEverythingIsSent(t *testing.T) {
	each(t, func(t *testing.T, c *cable, kind string) {
		d := mustOpen(t, c, kind)
		seed := uint64(0)
		mustShow(t, d, c, random(seed))
		for fails := 1; ; fails++ {
			seed++
			before := c.calls
			c.fails = func(call int) error {
				if call-before == fails {
					return syscall.EIO
				}
				return nil
			}
			err := d.Show(random(seed))
			c.fails = nil
			if err == nil {
				if fails < 3 {
					t.Errorf("a picture goes over in %d transfers", fails-1)
				}
				break
			}
			if !errors.Is(err, syscall.EIO) || !strings.HasPrefix(err.Error(), string(c.model)+": show: ") {
				t.Errorf("transfer %d fails: %v", fails, err)
			}
			mustShow(t, d, c, random(seed+uint64(fails%2))) // the same, or another
			seed++
		}
	})
}

func TestAnUnpluggedDisplay(t *testing.T) {
	each(t, func(t *testing.T, c *cable, kind string) {
		d := mustOpen(t, c, kind)
		f := random(1)
		mustShow(t, d, c, f)
		c.away = true
		err := d.Show(f) // nothing is new, and it is seen all the same
		if kind == "i2c" && !errors.Is(err, syscall.ENXIO) || kind == "spi" && err != nil {
			t.Errorf("unplugged: %v", err)
		}
		if _, err := Open(c.model, c.wiring(kind)); (err != nil) != (kind == "i2c") {
			t.Errorf("opened while unplugged: %v", err)
		}
		c.away = false
		c.power(5)
		if kind == "i2c" {
			d = mustOpen(t, c, kind)
		}
		mustShow(t, d, c, f)
	})
}

func TestABusThatIsSlowOrStuck(t *testing.T) {
	each(t, func(t *testing.T, c *cable, kind string) {
		d := mustOpen(t, c, kind)
		from := time.Now()
		c.perByte = 90 * time.Microsecond // 100 kHz: nine bits
		mustShow(t, d, c, random(1))
		if took := time.Since(from); took > 120*time.Millisecond || took < 80*time.Millisecond {
			t.Errorf("it takes %v on a bus of 100 kHz", took)
		}
		c.perByte = 10 * 90 * time.Microsecond // 10 kHz
		pass(Again)
		mustShow(t, d, c, random(2))
		c.perByte = 0
		c.lag = func(int) time.Duration { return 400 * time.Millisecond } // held, but not for so long that it fails
		pass(Again)
		from = time.Now()
		if err := d.Show(random(3)); !errors.Is(err, errSlow) {
			t.Errorf("slow: %v", err)
		}
		if took := time.Since(from); took > within+time.Second {
			t.Errorf("slow: given up after %v", took)
		}
		c.lag = func(int) time.Duration { return time.Second }
		c.fails = func(int) error { return syscall.ETIMEDOUT } // as the kernel does
		from = time.Now()
		if err := d.Show(random(4)); !errors.Is(err, syscall.ETIMEDOUT) || time.Since(from) != time.Second {
			t.Errorf("stuck: %v after %v", err, time.Since(from))
		}
		c.lag, c.fails = nil, nil
		mustShow(t, d, c, random(4))
	})
}

// edges writes down what a line is told, and when.
type edges struct {
	gpiotest.Pin
	at    []time.Time
	to    []gpio.Level
	stuck error
}

func (e *edges) Out(l gpio.Level) error {
	e.at, e.to = append(e.at, time.Now()), append(e.to, l)
	return e.stuck
}

func TestItIsResetWhenItIsOpened(t *testing.T) {
	each(t, func(t *testing.T, c *cable, kind string) {
		e, w := &edges{}, c.wiring(kind)
		w.Reset = e
		d, err := Open(c.model, w)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.to) != 3 || e.to[1] != gpio.Low || e.to[2] != gpio.High || e.at[2].Sub(e.at[1]) < 10*time.Microsecond || time.Since(e.at[2]) < 10*time.Microsecond {
			t.Errorf("reset is %v at %v", e.to, e.at)
		}
		mustShow(t, d, c, random(1))
		if err := d.Close(); err != nil || len(e.to) != 3 {
			t.Errorf("closed: %v, reset is %v", err, e.to)
		}
		e.stuck = syscall.EIO
		if _, err := Open(c.model, w); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "reset line") {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhatCannotBeShownIsRefused(t *testing.T) {
	each(t, func(t *testing.T, c *cable, kind string) {
		d := mustOpen(t, c, kind)
		mustShow(t, d, c, random(1))
		for _, i := range []image.Image{nil, image.NewRGBA(image.Rect(0, 0, 250, 122)), image.NewPaletted(image.Rect(0, 0, 128, 63), nil)} {
			if err := d.Show(panel.Frame{Image: i}); err == nil {
				t.Errorf("%T was shown", i)
			}
		}
		mustDiffer(t, c, random(1), false)
		w := c.wiring(kind)
		for name, wrong := range map[string]Wiring{
			"nothing": {}, "no line for data": {Port: spiCable{c}}, "both": {Bus: i2cCable{c}, Port: spiCable{c}, DC: &c.dc},
		} {
			if _, err := Open(c.model, wrong); err == nil {
				t.Errorf("opened with %s", name)
			}
		}
		if _, err := Open("ssd1305", w); err == nil || !strings.Contains(err.Error(), "ssd1306") {
			t.Errorf("opened another model: %v", err)
		}
	})
}

// All pictures are packed alike, whatever their type and their place.
func TestAnyPictureIsPacked(t *testing.T) {
	f := random(5).Image.(*image.Paletted)
	want, err := packed(f)
	if err != nil {
		t.Fatal(err)
	}
	grey := image.NewGray(image.Rect(10, 20, 10+Width, 20+Height))
	large := image.NewPaletted(image.Rect(-3, -5, 200, 200), color.Palette{color.Gray{120}, color.White, color.Gray{130}})
	for y := range Height {
		for x := range Width {
			if f.Pix[y*f.Stride+x] == 1 {
				grey.SetGray(10+x, 20+y, color.Gray{129})
				large.SetColorIndex(x, y, uint8(1+(x+y)%2))
			}
		}
	}
	for _, i := range []image.Image{grey, large.SubImage(image.Rect(0, 0, Width, Height))} {
		if got, err := packed(i); err != nil || *got != *want {
			t.Errorf("%T: packed otherwise, %v", i, err)
		}
	}
}

func TestShiftGoesEverywhereByOneDot(t *testing.T) {
	for most := range 4 {
		seen := map[image.Point]bool{Shift(0, most): true}
		for i := range 200 {
			a, b := Shift(time.Duration(i)*Again, most), Shift(time.Duration(i+1)*Again-1, most)
			next := Shift(time.Duration(i+1)*Again, most)
			step := next.Sub(a)
			if a != b || most > 0 && step.X*step.X+step.Y*step.Y != 1 {
				t.Errorf("most %d, minute %d: from %v to %v, then %v", most, i, a, b, next)
			}
			if !next.In(image.Rect(0, 0, most+1, most+1)) {
				t.Errorf("most %d: %v", most, next)
			}
			seen[next] = true
		}
		if len(seen) != (most+1)*(most+1) {
			t.Errorf("most %d: %d places", most, len(seen))
		}
	}
	if Shift(-time.Hour, 2) != (image.Point{}) {
		t.Error("before the start")
	}
}
