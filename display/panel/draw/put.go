package draw

import (
	"image"
	"strings"
)

// put draws rows that have their letters. Rows beyond the end of the column are left out,
// and noted as cut.
func (s *sheet) put(c column, all []laid) {
	spare := c.box.Dy()
	for _, l := range all {
		spare -= l.high()
	}
	gap := c.gap
	if n := len(all) - 1; n > 0 {
		gap = min(max(spare/n, c.gap), c.loose)
		spare -= gap * n
	}
	y := c.box.Min.Y + max(spare, 0)/2
	for _, l := range all {
		box := image.Rect(c.box.Min.X, y, c.box.Max.X, y+l.high())
		y += l.high() + gap
		if box.Max.Y > c.box.Max.Y {
			s.note(strings.Join(l.texts, " "), image.Rectangle{}, true)
			continue
		}
		s.row(box, l)
	}
}

// spreadIn is the most that two spread texts stand away from the edges, in dots.
const spreadIn = 8

func (s *sheet) row(box image.Rectangle, l laid) {
	base := box.Min.Y + l.above
	switch {
	case l.bar:
		s.bar(box, l.share)
	case l.band:
		s.band(l.font, box, base, l.texts[0])
	case l.place == centre:
		ink := l.font.Ink(l.texts[0])
		s.text(l.font, box.Min.X+(box.Dx()-ink.Dx())/2-ink.Min.X, base, l.texts[0])
	default:
		in := 0
		if l.place == spread {
			in = min((box.Dx()-l.wide(l.font))/6, spreadIn)
		}
		s.text(l.font, box.Min.X+in-l.font.Ink(l.texts[0]).Min.X, base, l.texts[0])
		for _, t := range l.texts[1:] {
			s.text(l.font, box.Max.X-in-l.font.Wide(t), base, t)
		}
	}
	if l.short {
		s.note(strings.Join(l.texts, " "), image.Rectangle{}, true)
	}
}
