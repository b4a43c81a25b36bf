package draw

import (
	"image"
	"slices"
	"strings"

	"stolpe/display/panel/draw/font"
)

// place says where in its row a text stands.
type place uint8

// The places.
const (
	centre place = iota // in the middle
	spread              // two texts, a little away from both ends
	edges               // two texts, at both ends
)

// letters are fonts for one use, the best first. All rows of a picture with the same use
// are of the same size, so that two languages look alike and figures line up.
type letters struct {
	use   use
	fonts []string
}

// use is what letters are for.
type use uint8

// The uses.
const (
	lines use = iota
	figures
	heads
	uses
)

// loss is how bad it is to have to take letters. Chosen by us, from the pictures: small
// lines are hard to read before small figures are, and a head is read at any size.
func (u use) loss(name string) int {
	table := [uses]map[string]int{
		lines:   {"6x12": 4, "5x8": smallest},
		figures: {"12x24bold": 2, "10x20bold": 4, "8x16bold": 7, "6x12bold": 14, "5x8": 20},
		heads:   {"10x20bold": 1, "8x16bold": 2, "6x12bold": 5, "5x8": 13},
	}
	return table[u][name]
}

// smallest is the loss from which on letters are the smallest there are.
const smallest = 12

// row is a line of a layout.
type row struct {
	texts  []string // one, or two that are spread
	in     letters
	place  place
	weight int  // where there is too little room, rows of the least weight go first
	wrap   int  // may become so many lines; 0 is one
	cut    bool // may lose words at its end: what the owner has to say
	band   bool // in the colour of the ground, on a bar of ink
	share  int  // draws the bar of the reservation instead, in thousandths
	bar    bool // this is that bar
}

// Weights of rows.
const (
	must  = 9 // is never left out
	dear  = 4 // this and less is there only where it does not cost the smallest letters
	extra = 2 // this and less is there only where it costs nothing: no smaller letters, no closer lines
)

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
// matters least: all rows of the same weight, since a text in two languages is one thing.
func (s *sheet) stack(c column, rows []row) {
	rows = said(rows)
	for {
		sizes := sized(rows)
		least := lightest(rows)
		for _, size := range sizes {
			if least <= extra && size.loss > 0 || least <= dear && size.loss >= smallest {
				break
			}
			all, ok := c.lay(rows, size, even)
			if !ok && least > extra {
				all, ok = c.lay(rows, size, tight)
			}
			if ok {
				s.put(c, all)
				return
			}
		}
		if least == must {
			all, _ := c.lay(rows, sizes[len(sizes)-1], tight)
			s.put(c, all)
			return
		}
		rows = slices.DeleteFunc(rows, func(r row) bool { return r.weight == least })
	}
}

// fits says whether rows fit without leaving any out, in some size.
func (c column) fits(rows []row) bool {
	rows = said(rows)
	for _, size := range sized(rows) {
		if _, ok := c.lay(rows, size, tight); ok {
			return true
		}
	}
	return false
}

// size says for each use which of its fonts to take, and how bad that is.
type size struct {
	level [uses]int
	loss  int // points: see use.loss
}

// sized gives all sizes that rows may have, the best first.
func sized(rows []row) []size {
	all := []size{{}}
	for u := range uses {
		var fonts []string
		for _, r := range rows {
			if r.in.use == u && len(r.in.fonts) > len(fonts) {
				fonts = r.in.fonts
			}
		}
		for _, z := range all {
			for level := 1; level < len(fonts); level++ {
				more := z
				more.level[u], more.loss = level, z.loss+u.loss(fonts[level])
				all = append(all, more)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b size) int { return a.loss - b.loss })
	return all
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

// lightest gives the least weight of the rows that may be left out, or must.
func lightest(rows []row) int {
	least := must
	for _, r := range rows {
		least = min(least, r.weight)
	}
	return least
}

// spacing is how much room rows of lines have.
type spacing bool

// The spacings.
const (
	even  spacing = true  // the same for all, whatever letters they have
	tight spacing = false // no more than their ink
)

// lay gives all rows their letters; ok says that they fit.
func (c column) lay(rows []row, z size, s spacing) (all []laid, ok bool) {
	ok = true
	high := 0
	for _, r := range rows {
		for _, l := range c.lines(r, z, s) {
			ok = ok && !l.short
			high += l.high()
			all = append(all, l)
		}
	}
	return all, ok && high+c.gap*(len(all)-1) <= c.box.Dy()
}

// lines gives a row its letters. It becomes several where it may.
func (c column) lines(r row, z size, s spacing) []laid {
	if r.bar {
		return []laid{{row: r, above: shareHigh}}
	}
	f := font.Named(r.in.fonts[min(z.level[r.in.use], len(r.in.fonts)-1)])
	if r.wide(f) <= c.box.Dx() {
		return []laid{r.laid(f, s)}
	}
	columns := (c.box.Dx() + 1) / f.Width
	parts, whole := wrapped(strings.Join(r.texts, " "), columns, max(r.wrap, 1))
	var all []laid
	for _, line := range parts {
		part := r
		part.texts = []string{line}
		l := part.laid(f, s)
		l.short = !whole && !r.cut
		all = append(all, l)
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

// laid gives the row with a font.
func (r row) laid(f *font.Font, s spacing) laid {
	var ink image.Rectangle
	if s == even && r.in.use == lines {
		ink = f.Ink("Hg")
	}
	for _, t := range r.texts {
		ink = ink.Union(f.Ink(t))
	}
	l := laid{row: r, font: f, above: -ink.Min.Y, below: ink.Max.Y}
	if r.band {
		l.above, l.below = l.above+bandMore, l.below+bandMore
	}
	return l
}
