package draw

import (
	"image"
	"strings"
)

// part is a piece of a line in one style.
type part struct {
	text  string
	bold  bool
	faint bool // in the colour of what is said second
	unit  bool // smaller than the rest: a unit beside its number
	icon  icon // drawn in place of a text
}

// wideLine is one line. A spread one has its parts at both ends.
type wideLine struct {
	parts  []part
	spread bool
}

// wrapped breaks the text of a part between words, where it is longer than its room.
func (c *canvas) wrapped(p part, size, width int) []string {
	s := p.style(size)
	var lines []string
	for _, word := range strings.Split(p.text, " ") {
		last := len(lines) - 1
		if last >= 0 && c.letters.wide(s, lines[last]+" "+word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// fitting is the largest size up to a size in which all lines of the block fit, and the
// least of the block where none does.
func (c *canvas) fitting(b block, width, size int) int {
	for _, l := range b.lines {
		for size > b.least {
			has := c.lineWide(b, l, size)
			if has <= width {
				break
			}
			size = max(min(size*width/has, size-1), b.least)
		}
	}
	return size
}

// style is that of a part of a block whose letters have that size.
func (p part) style(size int) style {
	if p.unit {
		size = max(size*9/20, leastWide)
	}
	return style{size, p.bold}
}

// partWide is how wide a part is.
func (c *canvas) partWide(p part, size int) int {
	if p.icon != noIcon {
		return size * 3 / 4
	}
	return c.letters.wide(p.style(size), p.text)
}

// gapOf is the gap between two parts of a line.
func gapOf(l wideLine, size int) int {
	if l.spread {
		return size / 2
	}
	return size / 5
}

// lineWide is how much room a line needs.
func (c *canvas) lineWide(b block, l wideLine, size int) int {
	wide := gapOf(l, size) * (len(l.parts) - 1)
	for _, p := range l.parts {
		wide += c.partWide(p, size)
	}
	if b.bar {
		wide += barGap + barLeast
	}
	return wide
}

// extent is how far a line reaches above and below its baseline.
func (c *canvas) extent(l wideLine, size int) (above, below int) {
	for _, p := range l.parts {
		if p.icon != noIcon {
			above = max(above, size*3/4)
			continue
		}
		ink := c.letters.ink(p.style(size), p.text)
		above, below = max(above, -ink.Min.Y), max(below, ink.Max.Y)
	}
	return above, below
}

// high is how high a block is with that gap between its lines.
func (c *canvas) high(p placed, gap int) int {
	sum := gap * (len(p.lines) - 1)
	for _, l := range p.lines {
		above, below := c.extent(l, p.size)
		sum += above + below
	}
	if p.bar {
		return max(sum, barHigh)
	}
	return sum
}

// line draws the parts of a line from x on, or at both ends.
func (c *canvas) line(x, end, base int, p placed, l wideLine) {
	for i, piece := range l.parts {
		if i > 0 {
			x += gapOf(l, p.size)
		}
		wide := c.partWide(piece, p.size)
		if l.spread && i == len(l.parts)-1 {
			x = end - wide
		}
		with := blackPen
		if piece.faint {
			with = faintPen
		}
		if piece.icon != noIcon {
			c.icon(piece.icon, image.Rect(x, base-p.size*3/4, x+wide, base), with)
		} else {
			c.text(piece.style(p.size), x, base, piece.text, with)
			c.touched[len(c.touched)-1].cut = p.short
		}
		x += wide
	}
}
