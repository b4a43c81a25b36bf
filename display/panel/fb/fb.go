// Package fb shows pictures on a Linux frame buffer: an HDMI or DSI screen of a Raspberry
// Pi, without a window system.
//
// # Why
//
// Rows are written to the file and not into mapped memory: a screen that is unplugged gives
// an error then, where touching its memory would end the program. Only rows that have changed
// are written, which is a hundredth of a screen in a second of charging; all are written
// whenever the page is about something else, as the kernel may have printed over the picture.
//
// The console belongs to the kernel and so does its cursor. A program needs the right to
// configure terminals to take both away, which the agent shall not have; the kernel's command
// line does it for good: `fbcon=map:9` puts the console on a screen that does not exist (and
// `vt.global_cursor_default=0 consoleblank=0` leave it there without a cursor or a pause).
//
// A picture is enlarged by a whole number, so that a code stays sharp, and put in the middle
// of what is black otherwise. At night it is drawn darker: that needs no right to the screen's
// lamp, and works with any screen.
package fb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"

	"stolpe/display/panel"
)

// nightPart is what is left of a colour at night, in 256ths. Chosen by us: 60 % of a value
// is about 30 % of its light.
const nightPart = 154

// channel is where one colour stands in a dot.
type channel struct {
	shift uint // bits
	lost  uint // bits of 8 that it has not
}

func (c channel) of(v uint8) uint32 { return uint32(v>>c.lost) << c.shift }

// screen is how a frame buffer is built.
type screen struct {
	width, height    int   // dots
	line             int   // bytes from one row to the next
	dot              int   // bytes
	start            int64 // of the first row, bytes
	red, green, blue channel
	opaque           uint32 // bits of a dot that hides what may lie behind it
}

// Device is a screen. Make one with Open.
type Device struct {
	f      *os.File
	screen screen
	row    []byte     // of the screen, being made
	last   *picture   // what the screen shows
	night  bool       // how it shows it
	face   panel.Face // what that is about
	wrote  int64      // bytes
}

// Open takes a frame buffer, "/dev/fb0" as a rule.
func Open(path string) (*Device, error) { return open(path, ask) }

func open(path string, ask func(*os.File) (screen, error)) (*Device, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open the screen: %w", err)
	}
	s, err := ask(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open the screen: %w", err)
	}
	return &Device{f: f, screen: s, row: make([]byte, s.width*s.dot)}, nil
}

// Size is what the screen has, in dots.
func (d *Device) Size() (width, height int) { return d.screen.width, d.screen.height }

// Show draws the picture of the frame.
func (d *Device) Show(f panel.Frame) error {
	if f.Image == nil {
		return fmt.Errorf("show on %s: a frame without dots", d.f.Name())
	}
	m := plain(f.Image)
	if m.wide == 0 || m.high == 0 || m.wide > d.screen.width || m.high > d.screen.height {
		return fmt.Errorf("show on %s: its %dx%d dots are too few for %dx%d", d.f.Name(), d.screen.width, d.screen.height, m.wide, m.high)
	}
	last := d.last
	if last != nil && (!last.like(m) || f.Page.Face != d.face || f.Night != d.night) {
		last = nil
	}
	d.last = nil // until all is there
	if err := d.paint(m, last, f.Night); err != nil {
		return err
	}
	d.last, d.night, d.face = m, f.Night, f.Page.Face
	return nil
}

// picture is a copy of one, so that the renderer may draw the next one on the same.
type picture struct {
	wide, high int             // dots
	each       int             // bytes of a dot: 1 finds its colour in the table, 4 are its colour
	dots       []byte          // row by row
	colours    [256]color.RGBA // the table
}

// plain copies a picture.
func plain(m image.Image) *picture {
	at := m.Bounds()
	p := &picture{wide: at.Dx(), high: at.Dy()}
	if few, ok := m.(*image.Paletted); ok {
		p.each = 1
		for i, c := range few.Palette[:min(len(few.Palette), len(p.colours))] {
			p.colours[i] = color.RGBAModel.Convert(c).(color.RGBA)
		}
		for y := at.Min.Y; y < at.Max.Y; y++ {
			p.dots = append(p.dots, few.Pix[few.PixOffset(at.Min.X, y):][:p.wide]...)
		}
		return p
	}
	all := image.NewRGBA(image.Rect(0, 0, p.wide, p.high))
	draw.Draw(all, all.Rect, m, at.Min, draw.Src)
	p.each, p.dots = 4, all.Pix
	return p
}

// like says whether rows of both can be compared.
func (p *picture) like(other *picture) bool {
	return p.wide == other.wide && p.high == other.high && p.each == other.each && p.colours == other.colours
}

// row is one row.
func (p *picture) row(y int) []byte { return p.dots[y*p.wide*p.each:][:p.wide*p.each] }

// paint writes the rows that are not those of the last picture; all without one.
func (d *Device) paint(m, last *picture, night bool) error {
	times := min(d.screen.width/m.wide, d.screen.height/m.high)
	top := (d.screen.height - m.high*times) / 2
	if last == nil {
		if err := d.frame(top, top+m.high*times); err != nil {
			return err
		}
	}
	shade, table := shades(night), [256]uint32{}
	for i, c := range m.colours {
		table[i] = d.screen.dotOf(c.R, c.G, c.B, &shade)
	}
	for from := range m.high {
		row := m.row(from)
		if last != nil && bytes.Equal(row, last.row(from)) {
			continue
		}
		d.dark()
		for x := range m.wide {
			v := table[row[x*m.each]]
			if m.each == 4 {
				v = d.screen.dotOf(row[4*x], row[4*x+1], row[4*x+2], &shade)
			}
			d.fill(x, m.wide, times, v)
		}
		for i := range times {
			if err := d.put(top + from*times + i); err != nil {
				return err
			}
		}
	}
	return nil
}

// frame makes the rows above and below the picture black.
func (d *Device) frame(top, end int) error {
	d.dark()
	for y := range d.screen.height {
		if y >= top && y < end {
			continue
		}
		if err := d.put(y); err != nil {
			return err
		}
	}
	return nil
}

// dotOf is a colour as the screen has it.
func (s screen) dotOf(r, g, b uint8, shade *[256]uint8) uint32 {
	return s.opaque | s.red.of(shade[r]) | s.green.of(shade[g]) | s.blue.of(shade[b])
}

// fill puts one dot of a row of so many into the row of the screen.
func (d *Device) fill(x, wide, times int, v uint32) {
	left := (d.screen.width - wide*times) / 2
	for i := range times {
		d.set(left+x*times+i, v)
	}
}

// shades are the values that colours are drawn with.
func shades(night bool) [256]uint8 {
	var s [256]uint8
	for v := range s {
		s[v] = uint8(v)
		if night {
			s[v] = uint8(v * nightPart / 256)
		}
	}
	return s
}

// dark makes a black row.
func (d *Device) dark() {
	for x := range d.screen.width {
		d.set(x, d.screen.opaque)
	}
}

// set puts a dot into the row. Frame buffers have the order of the processor, which is
// little-endian on every board the agent is built for.
func (d *Device) set(x int, v uint32) {
	if d.screen.dot == 2 {
		binary.LittleEndian.PutUint16(d.row[2*x:], uint16(v))
		return
	}
	binary.LittleEndian.PutUint32(d.row[4*x:], v)
}

// put writes the row at its place.
func (d *Device) put(y int) error {
	if _, err := d.f.WriteAt(d.row, d.screen.start+int64(y)*int64(d.screen.line)); err != nil {
		return fmt.Errorf("draw row %d of %d: %w", y, d.screen.height, err)
	}
	d.wrote += int64(len(d.row))
	return nil
}

// Wrote says how many bytes have gone to the screen since Open.
func (d *Device) Wrote() int64 { return d.wrote }

// Close leaves the last picture on the screen.
func (d *Device) Close() error {
	if err := d.f.Close(); err != nil {
		return fmt.Errorf("close the screen: %w", err)
	}
	return nil
}
