// Package draw turns a page of a post's display into a picture for each size of display,
// and into lines for displays of letters.
//
// # Why
//
// A page says what is shown, this says where. Each size has a layout of its own, made by
// hand: what matters most to somebody in front of the post is the largest there, and the
// first to go where there is too little room is the last that is missed (fit.go). A picture
// depends on the page alone: no clock, no chance and no fraction is part of it, so the same
// page is the same dots on every machine and a test compares them one by one. While it
// draws, each renderer notes the box of everything it has drawn; from that a test proves
// that nothing is cut off and nothing covers another thing, whatever the text.
package draw

import (
	"image"
	"image/color"
	"slices"

	"stolpe/display/panel"
)

// Size is a class of displays.
type Size uint8

// The sizes.
const (
	Small Size = iota // 128 x 64 dots that are lit or dark: OLED
	Paper             // 250 x 122 dots, black on white: e-paper of 2.13 inches
	Wide              // 800 x 480 dots in colours: screens of 5 to 10 inches
)

// Sizes are all of them.
func Sizes() []Size { return []Size{Small, Paper, Wide} }

// Dots gives width and height, in dots.
func (s Size) Dots() image.Point {
	return [...]image.Point{Small: {128, 64}, Paper: {250, 122}, Wide: {800, 480}}[s]
}

// String gives the size as people write it: "128x64".
func (s Size) String() string {
	return [...]string{Small: "128x64", Paper: "250x122", Wide: "800x480"}[s]
}

// ShiftMost is by how many dots a picture may be moved each way: see Options.
const ShiftMost = 2

// Options are what a device asks for beside the page.
type Options struct {
	// Shift moves what is lit on a Small picture to the right and down, by 0 to ShiftMost
	// dots each, so that no dot of an OLED is lit for weeks on end. Others do not need it
	// and take no notice.
	Shift image.Point
	// Glyphs keeps what takes long of a Wide picture from one drawing to the next; nil keeps
	// nothing. Others have no use for it.
	Glyphs *Glyphs
	Turned bool // by 180 degrees, for a display that is mounted upside down
}

// Draw draws a page. Small and Paper are *image.Paletted with two colours: index 1 is lit
// or white, index 0 dark or black. Wide has 16 colours.
func Draw(size Size, p panel.Page, o Options) image.Image {
	picture, _ := render(size, p, o)
	if o.Turned {
		turn(picture)
	}
	return picture
}

// ShowsCode says whether the picture of a page has the page's code: where there is one, it
// is worth its room on that size, and it is not too dense for a camera to read it there.
func ShowsCode(size Size, p panel.Page) bool {
	switch size {
	case Paper:
		_, dots, _ := paperCode(p, Paper.Dots().Y)
		return dots > 0
	case Wide:
		scan := func(r panel.Row) bool { return r.Scan != nil }
		return p.Code != nil && len(p.Rows) == 0 || len(p.Rows) == 2 && slices.ContainsFunc(p.Rows, scan)
	default:
		return smallScale(p) > 0
	}
}

// render draws a page and says what lies where.
func render(size Size, p panel.Page, o Options) (*image.Paletted, []mark) {
	switch size {
	case Paper:
		return paper(p)
	case Wide:
		return wide(p, o.Glyphs)
	default:
		return small(p, o.Shift)
	}
}

// mark is something that was drawn: nothing else may be drawn inside its box.
type mark struct {
	what string // the text, or what else it is
	box  image.Rectangle
	cut  bool // the text was longer than its room
}

// blackWhite are the colours of the mono pictures.
func blackWhite() color.Palette { return color.Palette{color.Black, color.White} }

// turn turns a picture by 180 degrees, in place.
func turn(picture *image.Paletted) { slices.Reverse(picture.Pix) }
