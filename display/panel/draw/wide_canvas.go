package draw

import (
	"image"
	"image/color"

	"stolpe/display/panel"
)

// Colours of a Wide picture, by their index: dark on white, as a screen in the sun shows
// white best, and the colours of the status light. A test holds every pair that is used to
// the contrast of WCAG 2.2, 1.4.3.
const (
	white uint8 = iota
	black
	faint // what is said second
	red
	green
	blue
	yellow
	shadesOfBlack // and two more: of letters on white
	_
	_
	shadesOfFaint // likewise
	_
	_
	shadesOfBand // of letters on the band
	_
	_
	colours
)

// solids are the colours that are not shades of others.
var solids = [shadesOfBlack]color.RGBA{
	{255, 255, 255, 255}, {10, 14, 20, 255}, {62, 70, 82, 255},
	{172, 0, 30, 255}, {10, 93, 42, 255}, {12, 62, 148, 255}, {255, 208, 0, 255},
}

// pen is what is written with, and on: the first of three shades, and the colours by their
// index.
type pen struct {
	with, over uint8 // indices of colours
	shades     uint8 // index of the first
}

// Pens on white.
var (
	blackPen = pen{black, white, shadesOfBlack}
	faintPen = pen{faint, white, shadesOfFaint}
)

// bandPen is the one for the band. It has the colour of the status light, whose meanings
// stand on the post: a light and a screen must not say two things.
func bandPen(l panel.Light) pen {
	switch over := lamp(l); over {
	case white, yellow:
		return pen{black, over, shadesOfBand}
	default:
		return pen{white, over, shadesOfBand}
	}
}

// lamp is the colour of a light.
func lamp(l panel.Light) uint8 {
	switch r, g, b := l.Red > 0, l.Green > 0, l.Blue > 0; {
	case r && g && b:
		return white
	case r && g:
		return yellow
	case g:
		return green
	case b:
		return blue
	}
	return red
}

// paletteWide is the table of colours of a picture with that band.
func paletteWide(band pen) color.Palette {
	table := make(color.Palette, colours)
	for i, c := range solids {
		table[i] = c
	}
	for _, p := range []pen{blackPen, faintPen, band} {
		for i := range uint8(solid - 1) {
			table[p.shades+i] = mix(solids[p.over], solids[p.with], int(i)+1)
		}
	}
	return table
}

// mix is so many quarters of the way from one colour to another.
func mix(from, to color.RGBA, part int) color.RGBA {
	value := func(a, b uint8) uint8 { return uint8((int(a)*(solid-part) + int(b)*part) / solid) }
	return color.RGBA{value(from.R, to.R), value(from.G, to.G), value(from.B, to.B), 255}
}

// touch is something that has been drawn on a Wide picture.
type touch struct {
	what string
	box  image.Rectangle
	size int // of letters, dots; 0 for what is none
	pen  pen
	cut  bool
}

// canvas is a Wide picture being drawn.
type canvas struct {
	picture *image.Paletted
	letters *Glyphs
	touched []touch
}

// fill paints a box.
func (c *canvas) fill(box image.Rectangle, with uint8) {
	box = box.Intersect(c.picture.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := c.picture.Pix[c.picture.PixOffset(box.Min.X, y):][:box.Dx()]
		for i := range row {
			row[i] = with
		}
	}
}

// note keeps what lies where.
func (c *canvas) note(what string, box image.Rectangle) {
	c.touched = append(c.touched, touch{what: what, box: box})
}

// text writes a line from x on, with its baseline at y.
func (c *canvas) text(s style, x, y int, text string, with pen) {
	at := x
	for _, r := range text {
		l := c.letters.letter(s, r)
		c.put(l.ink.Add(image.Pt(at, y)), l.dots, with)
		at += l.advance
	}
	c.touched = append(c.touched, touch{what: text, box: c.letters.ink(s, text).Add(image.Pt(x, y)), size: s.size, pen: with})
}

// put draws a letter or an icon into a box. What lies outside the picture is lost, and found
// by the test of what was touched.
func (c *canvas) put(box image.Rectangle, dots []uint8, with pen) {
	in := box.Intersect(c.picture.Rect)
	for y := in.Min.Y; y < in.Max.Y; y++ {
		from := dots[(y-box.Min.Y)*box.Dx()+in.Min.X-box.Min.X:][:in.Dx()]
		to := c.picture.Pix[c.picture.PixOffset(in.Min.X, y):]
		for i, part := range from {
			switch part {
			case 0:
			case solid:
				to[i] = with.with
			default:
				to[i] = with.shades + part - 1
			}
		}
	}
}

// share draws the bar of the reservation.
func (c *canvas) share(box image.Rectangle, used int) {
	c.fill(box, black)
	c.fill(box.Inset(4), white)
	in := box.Inset(8)
	in.Max.X = in.Min.X + in.Dx()*min(max(used, 0), 1000)/1000
	c.fill(in, black)
	c.note("bar", box)
}

// code draws a code with modules of so many dots, its quiet zone included, and gives its
// box.
func (c *canvas) code(code *panel.Code, at image.Point, dots int) image.Rectangle {
	box := image.Rectangle{Max: image.Pt(code.Size+8, code.Size+8).Mul(dots)}.Add(at)
	c.fill(box, white)
	for y := range code.Size {
		for x := range code.Size {
			if code.Dark(x, y) {
				from := at.Add(image.Pt(x+4, y+4).Mul(dots))
				c.fill(image.Rectangle{from, from.Add(image.Pt(dots, dots))}, black)
			}
		}
	}
	c.note("code "+code.Text, box)
	return box
}
