package draw

import (
	"image"
	"strings"

	"stolpe/display/panel/draw/font"
)

// place says where in its row a text stands.
type place uint8

// The places.
const (
	left   place = iota
	centre       // in the middle
	spread       // two texts, at both ends
)

// row is a line of a layout.
type row struct {
	texts  []string // one, or two that are spread
	sizes  []string // fonts, the best first
	place  place
	weight int  // where there is too little room, rows of the least weight go first
	wrap   bool // may become several lines
	cut    bool // may lose words at its end: what the owner has to say
	band   bool // in the colour of the ground, on a bar of ink
	share  int  // draws the bar of the reservation instead, in thousandths
	bar    bool // this is that bar
}

// must is the weight of what is never left out.
const must = 9

// levels is how often letters are made smaller before something is left out.
const levels = 4

// shareHigh is the height of the bar of the reservation, in dots.
const shareHigh = 7

// bandMore is how much higher than its text a bar with a text is, above and below, in dots.
const bandMore = 2

// column is a place for rows below each other.
type column struct {
	box   image.Rectangle
	gap   int // least between rows, dots
	loose int // most between rows, dots
}

// laid is a row with its font, ready to be drawn.
type laid struct {
	row
	font  *font.Font
	above int  // of its baseline, dots
	below int  // of its baseline, dots
	short bool // texts have been cut although they must not be
}

func (l laid) high() int { return l.above + l.below }

// stack draws rows below each other, in the middle of the column. It takes the largest
// letters with which all of them fit; where even the smallest do not, it leaves out what
// matters least.
func (s *sheet) stack(c column, rows []row) {
	rows = said(rows)
	for {
		for level := range levels {
			if all, ok := c.lay(rows, level); ok {
				s.put(c, all)
				return
			}
		}
		i := lightest(rows)
		if i < 0 {
			all, _ := c.lay(rows, levels-1)
			s.put(c, all)
			return
		}
		rows = append(rows[:i:i], rows[i+1:]...)
	}
}

// said leaves out the rows that say nothing.
func said(rows []row) []row {
	var all []row
	for _, r := range rows {
		if r.bar || strings.Join(r.texts, "") != "" {
			all = append(all, r)
		}
	}
	return all
}

// lightest gives the row to leave out: of those of the least weight the last, or none.
func lightest(rows []row) int {
	found, least := -1, must
	for i, r := range rows {
		if r.weight < least || r.weight == least && found >= 0 {
			found, least = i, r.weight
		}
	}
	return found
}

// lay chooses the letters of all rows; ok says that they fit.
func (c column) lay(rows []row, level int) (all []laid, ok bool) {
	ok = true
	high := 0
	for _, r := range rows {
		for _, l := range c.choose(r, level) {
			ok = ok && !l.short
			high += l.high()
			all = append(all, l)
		}
	}
	return all, ok && high+c.gap*(len(all)-1) <= c.box.Dy()
}

// choose gives a row the best of its letters that is small enough for its width, the level
// says from which on. It becomes several where it may.
func (c column) choose(r row, level int) []laid {
	if r.bar {
		return []laid{{row: r, above: shareHigh}}
	}
	for _, name := range r.sizes[min(level, len(r.sizes)-1):] {
		if f := font.Named(name); r.wide(f) <= c.box.Dx() {
			return []laid{r.in(f)}
		}
	}
	f := font.Named(r.sizes[len(r.sizes)-1])
	columns := c.box.Dx() / f.Width
	if !r.wrap {
		l := r.in(f)
		l.short = !r.cut
		l.texts = []string{shorten(strings.Join(r.texts, " "), columns)}
		return []laid{l}
	}
	var all []laid
	for _, line := range wrapped(r.texts[0], columns) {
		part := r
		part.texts = []string{line}
		all = append(all, part.in(f))
	}
	return all
}

// wide is what a row needs, in dots.
func (r row) wide(f *font.Font) int {
	wide := (len(r.texts) - 1) * f.Width
	for _, t := range r.texts {
		wide += f.Wide(t)
	}
	return wide
}

// in gives the row with a font.
func (r row) in(f *font.Font) laid {
	var ink image.Rectangle
	for _, t := range r.texts {
		ink = ink.Union(f.Ink(t))
	}
	l := laid{row: r, font: f, above: -ink.Min.Y, below: ink.Max.Y}
	if r.band {
		l.above, l.below = l.above+bandMore, l.below+bandMore
	}
	return l
}

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
		s.text(l.font, box.Min.X-l.font.Ink(l.texts[0]).Min.X, base, l.texts[0])
		for _, t := range l.texts[1:] {
			s.text(l.font, box.Max.X-l.font.Wide(t), base, t)
		}
	}
	if l.short {
		s.note(strings.Join(l.texts, " "), image.Rectangle{}, true)
	}
}
