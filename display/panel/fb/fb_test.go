package fb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"stolpe/display/panel"
)

// The ways a Raspberry Pi's screen may be built: its usual one, that of small SPI screens,
// and one with a line longer than its dots that is seen from its third row and second dot.
func screens() map[string]screen {
	rgb565 := [3]channel{{11, 3}, {5, 2}, {0, 3}}
	xrgb := [3]channel{{16, 0}, {8, 0}, {0, 0}}
	return map[string]screen{
		"xrgb8888": {width: 16, height: 8, line: 64, dot: 4, red: xrgb[0], green: xrgb[1], blue: xrgb[2]},
		"argb8888": {width: 16, height: 8, line: 64, dot: 4, red: xrgb[0], green: xrgb[1], blue: xrgb[2], opaque: 0xff000000},
		"rgb565":   {width: 16, height: 8, line: 32, dot: 2, red: rgb565[0], green: rgb565[1], blue: rgb565[2]},
		"padded":   {width: 16, height: 8, line: 96, dot: 4, start: 2*96 + 4, red: xrgb[0], green: xrgb[1], blue: xrgb[2]},
	}
}

// pretend is a frame buffer that is a plain file, full of what was there before.
func pretend(t *testing.T, s screen) *Device {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fb0")
	if err := os.WriteFile(path, bytes.Repeat([]byte{0x5a}, (s.height+3)*s.line), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := open(path, func(*os.File) (screen, error) { return s, nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// shown reads a dot back from the pretended screen, in the values a picture has.
func shown(t *testing.T, d *Device, x, y int) color.RGBA {
	t.Helper()
	raw := make([]byte, 4)
	s := d.screen
	if _, err := d.f.ReadAt(raw[:s.dot], s.start+int64(y*s.line+x*s.dot)); err != nil {
		t.Fatal(err)
	}
	v := binary.LittleEndian.Uint32(raw)
	if v&s.opaque != s.opaque {
		t.Errorf("the dot at %d, %d is %#x: it can be seen through", x, y, v)
	}
	value := func(c channel) uint8 { return uint8(v>>c.shift) << c.lost }
	return color.RGBA{value(s.red), value(s.green), value(s.blue), 255}
}

// drawing is a picture of 6 by 3 dots with a different colour in each; its values are those
// that 16 bits can tell apart.
func drawing() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 6, 3))
	for y := range 3 {
		for x := range 6 {
			m.SetRGBA(x, y, color.RGBA{uint8(8 + 32*x), uint8(64 * y), 248, 255})
		}
	}
	return m
}

func TestAPictureIsEnlargedInTheMiddleOfBlack(t *testing.T) {
	for name, s := range screens() {
		t.Run(name, func(t *testing.T) {
			d := pretend(t, s)
			m := drawing()
			if err := d.Show(panel.Frame{Image: m}); err != nil {
				t.Fatal(err)
			}
			for y := range s.height {
				for x := range s.width {
					want := color.RGBA{A: 255}
					if in := image.Pt(x-2, y-1); in.In(image.Rect(0, 0, 12, 6)) { // twice as big
						want = m.RGBAAt(in.X/2, in.Y/2)
					}
					if got := shown(t, d, x, y); got != want {
						t.Fatalf("the dot at %d, %d is %v, want %v", x, y, got, want)
					}
				}
			}
		})
	}
}

// TestATableOfColours: a picture with one is shown as the same picture without.
func TestATableOfColours(t *testing.T) {
	s := screens()["rgb565"]
	m := drawing()
	few := image.NewPaletted(image.Rect(2, 3, 8, 6), nil) // with an origin of its own
	for y := range 3 {
		for x := range 6 {
			few.Palette = append(few.Palette, m.RGBAAt(x, y))
			few.SetColorIndex(x+2, y+3, uint8(len(few.Palette)-1))
		}
	}
	one, other := pretend(t, s), pretend(t, s)
	for _, show := range []struct {
		d *Device
		m image.Image
	}{{one, m}, {other, few}, {other, m}, {other, few}} {
		if err := show.d.Show(panel.Frame{Image: show.m}); err != nil {
			t.Fatal(err)
		}
	}
	for y := range s.height {
		for x := range s.width {
			if got, want := shown(t, other, x, y), shown(t, one, x, y); got != want {
				t.Fatalf("the dot at %d, %d is %v, want %v", x, y, got, want)
			}
		}
	}
	wrote := other.Wrote()
	few.SetColorIndex(2, 3, 5)
	if err := other.Show(panel.Frame{Image: few}); err != nil {
		t.Fatal(err)
	}
	if got := other.Wrote() - wrote; got != int64(2*s.width*s.dot) {
		t.Errorf("%d bytes written for one dot", got)
	}
}

func TestNothingBesideTheScreenIsTouched(t *testing.T) {
	s := screens()["padded"]
	d := pretend(t, s)
	if err := d.Show(panel.Frame{Image: drawing()}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(d.f.Name())
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range raw {
		row, in := (i-int(s.start))/s.line, (i-int(s.start))%s.line
		seen := i >= int(s.start) && row < s.height && in < s.width*s.dot
		if !seen && b != 0x5a {
			t.Fatalf("byte %d was written; it is in row %d, byte %d of a line", i, row, in)
		}
	}
}

func TestOnlyChangedRowsAreWritten(t *testing.T) {
	s := screens()["xrgb8888"]
	d := pretend(t, s)
	row := int64(s.width * s.dot)
	wrote := int64(0)
	show := func(what string, f panel.Frame, rows int64) {
		t.Helper()
		if err := d.Show(f); err != nil {
			t.Fatal(err)
		}
		if got := d.Wrote() - wrote; got != rows*row {
			t.Errorf("%s: %d bytes written, want %d rows of %d", what, got, rows, row)
		}
		wrote = d.Wrote()
	}
	m := drawing()
	charging := panel.Frame{Page: panel.Page{Face: panel.Charging}, Image: m}
	show("the first picture", charging, 8)
	show("the same", charging, 0)
	m.SetRGBA(3, 1, color.RGBA{0, 0, 0, 255}) // on the very picture that was shown
	show("one dot", charging, 2)
	if got := shown(t, d, 8, 3); got != (color.RGBA{A: 255}) {
		t.Errorf("the dot that has changed is %v", got)
	}
	show("another face", panel.Frame{Page: panel.Page{Face: panel.Finished}, Image: m}, 8)
	show("dusk", panel.Frame{Page: panel.Page{Face: panel.Finished}, Image: m, Night: true}, 8)
	if got, day := shown(t, d, 2, 1).B, m.RGBAAt(0, 0).B; got >= day || got < day/2 {
		t.Errorf("at night a blue of %d is %d", day, got)
	}
}

func TestAScreenThatIsUnplugged(t *testing.T) {
	s := screens()["rgb565"]
	d := pretend(t, s)
	small := panel.Frame{Image: drawing()}
	if err := d.Show(small); err != nil {
		t.Fatal(err)
	}
	if err := d.f.Close(); err != nil {
		t.Fatal(err)
	}
	other := drawing()
	other.SetRGBA(0, 0, color.RGBA{0, 0, 0, 255})
	if err := d.Show(panel.Frame{Image: other}); err == nil || !strings.Contains(err.Error(), "row") {
		t.Errorf("shown on a screen that is gone: %v", err)
	}
	again, err := open(d.f.Name(), func(*os.File) (screen, error) { return s, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.Show(small); err != nil || again.Wrote() != int64(s.height*s.width*s.dot) {
		t.Errorf("opened anew, %d bytes were written (%v), want all", again.Wrote(), err)
	}
}

func TestWhatCannotBeShown(t *testing.T) {
	d := pretend(t, screens()["xrgb8888"])
	for name, f := range map[string]panel.Frame{
		"letters":  {Lines: []string{"LEDIG"}},
		"too wide": {Image: image.NewRGBA(image.Rect(0, 0, 17, 8))},
		"too high": {Image: image.NewRGBA(image.Rect(0, 0, 16, 9))},
		"no dots":  {Image: image.NewRGBA(image.Rect(0, 0, 0, 0))},
	} {
		if err := d.Show(f); err == nil {
			t.Errorf("%s: shown", name)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "fb0")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a screen that is not there: %v", err)
	}
	plain := filepath.Join(t.TempDir(), "fb0")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(plain); err == nil || !strings.Contains(err.Error(), "size") {
		t.Errorf("a file that is no screen: %v", err)
	}
}

// TestTheKernelsStructs holds ours to the lengths of the kernel's: it copies as much as its
// own have, whatever ours have.
func TestTheKernelsStructs(t *testing.T) {
	if got := unsafe.Sizeof(variable{}); got != 160 {
		t.Errorf("struct fb_var_screeninfo has %d bytes, want 160", got)
	}
	want := uintptr(80)
	if unsafe.Sizeof(uintptr(0)) == 4 {
		want = 68
	}
	if got := unsafe.Sizeof(fixed{}); got != want {
		t.Errorf("struct fb_fix_screeninfo has %d bytes, want %d", got, want)
	}
}

func TestWhatTheKernelSays(t *testing.T) {
	good := func() (variable, fixed) {
		v := variable{Width: 800, Height: 480, Bits: 32, Y: 480, X: 8,
			Red: bitfield{16, 8, 0}, Green: bitfield{8, 8, 0}, Blue: bitfield{0, 8, 0}, Transparency: bitfield{24, 8, 0}}
		return v, fixed{LineLength: 3328, Length: 3328 * 970}
	}
	v, x := good()
	got, err := read(v, x)
	want := screen{width: 800, height: 480, line: 3328, dot: 4, start: 480*3328 + 32,
		red: channel{16, 0}, green: channel{8, 0}, blue: channel{0, 0}, opaque: 0xff000000}
	if err != nil || got != want {
		t.Errorf("read %+v, %v, want %+v", got, err, want)
	}
	for name, spoil := range map[string]func(*variable, *fixed){
		"a palette":      func(v *variable, _ *fixed) { v.Bits = 8 },
		"24 bits":        func(v *variable, _ *fixed) { v.Bits = 24 },
		"greys":          func(v *variable, _ *fixed) { v.Grey = 1 },
		"ten bits":       func(v *variable, _ *fixed) { v.Red.Length = 10 },
		"no green":       func(v *variable, _ *fixed) { v.Green.Length = 0 },
		"outside":        func(v *variable, _ *fixed) { v.Red.Offset = 28 },
		"mirrored":       func(v *variable, _ *fixed) { v.Blue.Right = 1 },
		"short lines":    func(_ *variable, x *fixed) { x.LineLength = 3199 },
		"little memory":  func(_ *variable, x *fixed) { x.Length = 3328 * 959 },
		"seen too low":   func(v *variable, _ *fixed) { v.Y = 491 },
		"nothing at all": func(v *variable, x *fixed) { *v, *x = variable{}, fixed{} },
	} {
		v, x := good()
		spoil(&v, &x)
		if s, err := read(v, x); err == nil {
			t.Errorf("%s: taken as %+v", name, s)
		}
	}
}

// BenchmarkShow is a page of which a fifth of the rows change.
func BenchmarkShow(b *testing.B) {
	s := screen{width: 800, height: 480, line: 3200, dot: 4, red: channel{16, 0}, green: channel{8, 0}, blue: channel{0, 0}}
	path := filepath.Join(b.TempDir(), "fb0")
	if err := os.WriteFile(path, make([]byte, s.height*s.line), 0o600); err != nil {
		b.Fatal(err)
	}
	d, err := open(path, func(*os.File) (screen, error) { return s, nil })
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	m := image.NewPaletted(image.Rect(0, 0, 800, 480), color.Palette{color.White, color.Black})
	n := 0
	for b.Loop() {
		n++
		for y := 100; y < 200; y++ {
			m.SetColorIndex(400, y, uint8(n%2))
		}
		if err := d.Show(panel.Frame{Image: m}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(d.Wrote())/float64(n), "B/draw")
}
