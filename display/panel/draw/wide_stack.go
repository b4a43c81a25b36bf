package draw

import (
	"image"
	"slices"
	"strings"

	"stolpe/display/panel"
)

// leastWide is the size of the smallest letters of a Wide picture. On a screen of 7 inches
// they are 7.3 mm high from one line to the next, which is what somebody who stands at
// 600 mm reads at a glance; what somebody must know is larger (bigWide).
const (
	leastWide = 38 // dots
	codeWide  = 30 // dots, for a post's code of 13 characters and more where there is no room
	bigWide   = 53 // dots: capitals alone are 7.3 mm, as EN 301 549 5.1.4 has it
)

// Distances of a Wide picture, in dots. Chosen by us, by eye.
const (
	closely  = 9  // least between lines
	tightly  = 5  // the same where there is little room
	loosely  = 26 // most between blocks
	barHigh  = 34 // of the bar of the reservation
	barLeast = 120
	barGap   = 16 // before what stands at its end
)

// block are lines that stay together, in letters of one size.
type block struct {
	said        panel.Said // its text in two languages: one line each, or one for both
	lines       []wideLine // its lines, where it is no such text
	most, least int        // sizes of letters, dots
	weight      int        // where there is too little room, the blocks of the least weight go first
	same        int        // blocks with the same number here have letters of one size; 0 is alone
	foot        bool       // stands at the end of the room
	middle      bool       // lines stand in the middle
	cut         bool       // may lose words at its end: what the owner has to say
	share       int        // thousandths of the bar
	bar         bool       // draws the bar of the reservation, with the line at its end
}

// placed is a block with its size and its height.
type placed struct {
	block
	size  int  // of its letters, dots
	high  int  // dots
	short bool // a text is longer than its room
}

// crowded is the level from which on lines stand close to each other, and two languages in
// one line where that is possible.
const crowded = 4

// levelsWide is how often everything is made tighter before something is left out.
const levelsWide = crowded + 8

// sizeAt makes letters smaller with each level, and begins anew where lines become fewer.
func sizeAt(level, most, least int) int {
	if level >= crowded {
		level -= crowded
	}
	return max(most*(16-2*level)/16, least)
}

// gapsAt are the least gaps between lines and between blocks.
func gapsAt(level int) (lines, blocks int) {
	if level >= crowded {
		return tightly, closely
	}
	return closely, 2 * closely
}

// stack draws blocks below each other. It takes the largest letters with which all of them
// fit; where even the smallest do not, it leaves out what matters least, and of a text its
// second language before its first.
func (c *canvas) stack(room image.Rectangle, blocks []block) {
	blocks = slices.Clone(blocks)
	for {
		for level := range levelsWide {
			if all, ok := c.lay(room, blocks, level); ok {
				lines, _ := gapsAt(level)
				c.draw(room, all, lines)
				return
			}
		}
		all, _ := c.lay(room, blocks, levelsWide-1)
		i := lightestBlock(all)
		switch {
		case i < 0:
			c.draw(room, all, tightly)
			return
		case blocks[i].said[1] != "":
			blocks[i].said[1] = ""
		default:
			blocks = slices.Delete(blocks, i, i+1)
		}
	}
}

// lightestBlock gives the block to shorten or to leave out, or none: one that is too long for
// its room, since no other makes room for it, and else of those of the least weight the last.
// A second language weighs less than the first.
func lightestBlock(blocks []placed) int {
	found, least := -1, 2*must
	for i, b := range blocks {
		weight := 2 * b.weight
		if b.said[1] != "" {
			weight -= 3
		}
		if b.short && b.weight < must {
			weight = -1
		}
		if weight < least || weight == least && found >= 0 {
			found, least = i, weight
		}
	}
	return found
}

// lay chooses lines and sizes of all blocks. ok says that they fit.
func (c *canvas) lay(room image.Rectangle, blocks []block, level int) (all []placed, ok bool) {
	shared := map[int]int{}
	for _, b := range blocks {
		b.lines = c.linesOf(b, room.Dx(), level)
		size := c.fitting(b, room.Dx(), sizeAt(level, b.most, b.least))
		all = append(all, placed{block: b, size: size})
		if s, ok := shared[b.same]; b.same > 0 && (!ok || size < s) {
			shared[b.same] = size
		}
	}
	ok = true
	lines, blocksApart := gapsAt(level)
	if level == levelsWide-1 {
		blocksApart = tightly
	}
	high := blocksApart * (len(all) - 1)
	for i := range all {
		p := &all[i]
		if s, shares := shared[p.same]; shares {
			p.size = max(s, p.least)
		}
		c.cutTo(p, room.Dx())
		p.high = c.high(*p, lines)
		ok = ok && !p.short
		high += p.high
	}
	return all, ok && high <= room.Dy()
}

// linesOf are the lines of a block. A text that is too long even in its smallest letters
// becomes several.
func (c *canvas) linesOf(b block, width, level int) []wideLine {
	if b.said[0] == "" {
		return b.lines
	}
	one := wideLine{parts: []part{{text: b.said[0], bold: !b.cut, faint: b.cut}, {text: b.said[1], faint: true}}}
	if b.said[1] != "" && level >= crowded && c.lineWide(b, one, b.least) <= width {
		return []wideLine{one}
	}
	var all []wideLine
	for _, p := range one.parts {
		if p.text == "" {
			continue
		}
		for _, line := range c.wrapped(p, b.least, width) {
			p.text = line
			all = append(all, wideLine{parts: []part{p}})
		}
	}
	return all
}

// cutLines is in how many lines a text that may be cut must find room.
const cutLines = 2

// cutTo marks a block whose lines are longer than their room, or cuts it where it may.
func (c *canvas) cutTo(p *placed, width int) {
	if p.cut && len(p.lines) > cutLines {
		last := p.lines[cutLines-1].parts[0]
		text := last.text
		for last.text = shortened(text); text != "" && c.partWide(last, p.size) > width; last.text = shortened(text) {
			text = text[:max(strings.LastIndex(text, " "), 0)]
		}
		p.lines = append(slices.Clone(p.lines[:cutLines-1]), wideLine{parts: []part{last}})
	}
	for _, l := range p.lines {
		p.short = p.short || c.lineWide(p.block, l, p.size) > width
	}
}

// shortened marks a text whose end is missing.
func shortened(text string) string { return strings.TrimRight(text, ",.;:–- ") + "…" }

// draw puts the blocks into their room: those of the foot at its end, the others in the
// middle of the rest. Lines of one block stand closer than blocks do.
func (c *canvas) draw(room image.Rectangle, all []placed, gap int) {
	free, gaps := room.Dy(), 1
	for _, p := range all {
		free -= p.high
		if !p.foot {
			gaps++
		}
	}
	between := max(min(free/gaps, loosely), min(gap, free/max(len(all)-1, 1)))
	end, high := room.Max.Y, 0
	for _, p := range slices.Backward(all) {
		if !p.foot {
			high += p.high + between
			continue
		}
		end -= p.high
		c.block(image.Rect(room.Min.X, end, room.Max.X, end+p.high), p, gap)
		end -= between
	}
	y := room.Min.Y + max((end-room.Min.Y-high+between)/2, 0)
	for _, p := range all {
		if !p.foot {
			c.block(image.Rect(room.Min.X, y, room.Max.X, y+p.high), p, gap)
			y += p.high + between
		}
	}
}

// block draws one block at its place.
func (c *canvas) block(at image.Rectangle, p placed, gap int) {
	y := at.Min.Y
	for _, l := range p.lines {
		above, below := c.extent(l, p.size)
		wide := c.lineWide(block{}, l, p.size)
		x := at.Min.X
		switch {
		case p.bar:
			y += (at.Dy() - above - below) / 2
			c.share(image.Rect(at.Min.X, at.Min.Y, at.Max.X-wide-barGap, at.Max.Y), p.share)
			x = at.Max.X - wide
		case p.middle:
			x += (at.Dx() - wide) / 2
		}
		c.line(x, at.Max.X, y+above, p, l)
		y += above + below + gap
	}
}
