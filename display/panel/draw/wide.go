package draw

import (
	"image"

	"stolpe/display/panel"
)

// Places of a Wide picture, in dots. Chosen by us, by eye.
const (
	bandHigh   = 90
	ruleHigh   = 6 // under the band of a page that is white there as well
	margin     = 24
	bottom     = 8   // below everything
	codeLeast  = 300 // of the column with a code
	codeMost   = 400
	domainMost = 384
	bandGap    = 24 // between the texts of the band
	stateMost  = 76 // letters of the state
	stateLeast = 46 // beside the post's code
	postMost   = 64 // letters of the post's code
	moduleLow  = 6  // the least width of a module for which something else may have its room
	toughMost  = 29 // modules; a code of version 3 has room for more error correction
	moduleTop  = 8  // the widest module of a code: at 45 cm more gains nothing
)

// wide draws a page for a screen of 800 by 480 dots.
func wide(p panel.Page, letters *Glyphs) (*image.Paletted, []mark) {
	c := paint(p, letters)
	marks := make([]mark, len(c.touched))
	for i, t := range c.touched {
		marks[i] = mark{t.what, t.box, t.cut}
	}
	return c.picture, marks
}

// paint draws the page.
func paint(p panel.Page, letters *Glyphs) *canvas {
	if letters == nil {
		letters = &Glyphs{}
	}
	band := bandPen(p.Light)
	c := &canvas{picture: image.NewPaletted(image.Rectangle{Max: Wide.Dots()}, paletteWide(band)), letters: letters}
	named := c.band(p, band)
	room := image.Rect(margin, bandHigh+14, c.picture.Rect.Max.X-margin, c.picture.Rect.Max.Y-bottom)
	switch {
	case len(p.Rows) == 2:
		c.pair(p)
		return c
	case len(p.Rows) > 0:
		c.list(room, p)
		return c
	case p.Code != nil:
		room.Min.X = c.column(p) + margin/2
	}
	if named {
		p.Post = ""
	}
	c.stack(room, wideBlocks(p, room.Dx()))
	return c
}
