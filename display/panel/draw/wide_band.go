package draw

import (
	"image"
	"strings"

	"stolpe/display/panel"
)

// band draws the state across the picture, and says whether the post's code stands there.
func (c *canvas) band(p panel.Page, with pen) (named bool) {
	at := image.Rect(0, 0, c.picture.Rect.Max.X, bandHigh)
	c.fill(at, with.over)
	if with.over == white {
		c.fill(image.Rect(0, bandHigh-ruleHigh, at.Max.X, bandHigh), black)
	}
	size, post := c.bandSizes(p, at.Dx()-2*margin)
	base := (bandHigh - ruleHigh + capitals(size)) / 2
	x := margin
	c.text(style{size, true}, x, base, p.Big[0], with)
	if p.Big[1] != "" {
		x += c.letters.wide(style{size, true}, p.Big[0]) + bandGap
		c.text(style{size, false}, x, base, p.Big[1], with)
	}
	if post > 0 {
		s := style{post, true}
		c.text(s, at.Max.X-margin-c.letters.wide(s, p.Post), base, p.Post, with)
	}
	return post > 0
}

// bandSizes chooses the letters of the state and of the post's code. A code for which there
// is no room beside a state in large letters has 0: it stands below the band.
func (c *canvas) bandSizes(p panel.Page, width int) (state, post int) {
	needs := func(state, post int) int {
		sum := c.letters.wide(style{state, true}, p.Big[0])
		if p.Big[1] != "" {
			sum += bandGap + c.letters.wide(style{state, false}, p.Big[1])
		}
		if post > 0 {
			sum += 2*bandGap + c.letters.wide(style{post, true}, p.Post)
		}
		return sum
	}
	for _, least := range []int{bigWide, leastWide} {
		for state = stateMost; p.Post != "" && state >= stateLeast; state -= 2 {
			for post = min(state, postMost); post >= least; post -= 2 {
				if needs(state, post) <= width {
					return state, post
				}
			}
		}
	}
	for state = stateMost; state > leastWide && needs(state, 0) > width; {
		state--
	}
	return state, 0
}

// capitals is how high capital letters are.
func capitals(size int) int { return size * 72 / 100 }

// column draws the code with what it is good for and where it leads, and says where the
// column ends. Where the address costs too much of the code's size it is left out: a phone
// shows it before it goes there.
func (c *canvas) column(p panel.Page) int {
	wide, most, code := codeLeast, codeMost, c.letters.tough(p.Code)
	if p.Face == panel.FreeButton {
		most, p.Domain = codeLeast, "" // of all pages it says most, and the code is for the terms alone
	}
	var lines []wideLine
	for i, text := range p.Caption {
		said := part{text: text, bold: i == 0, faint: i == 1}
		for _, said.text = range c.wrapped(said, leastWide, most-margin) {
			wide = max(wide, c.partWide(said, leastWide)+margin)
			lines = append(lines, wideLine{parts: []part{said}})
		}
	}
	domain := min(c.letters.wide(style{leastWide, false}, p.Domain)+margin, domainMost)
	if p.Domain != "" {
		wide = min(max(wide, domain), codeMost)
		lines = append(lines, wideLine{parts: []part{{text: c.ending(p.Domain, wide-margin), faint: true}}})
	}
	for {
		below := placed{block: block{lines: lines, middle: true}, size: leastWide}
		below.high = c.high(below, tightly)
		c.cutTo(&below, wide)
		room := c.picture.Rect.Max.Y - bottom - bandHigh - below.high
		dots := max(min(moduleTop, wide/(code.Size+8), room/(code.Size+8)), 1)
		if dots < moduleLow && p.Domain != "" && len(lines) > 2 {
			p.Domain, lines = "", lines[:len(lines)-1]
			continue
		}
		side := (code.Size + 8) * dots
		box := c.code(code, image.Pt((wide-side)/2, bandHigh+(room-side)/2), dots)
		c.block(image.Rect(0, box.Max.Y, wide, box.Max.Y+below.high), below, tightly)
		return wide
	}
}

// ending is as much of the end of an address as there is room for: whose it is stands
// there.
func (c *canvas) ending(domain string, width int) string {
	text := domain
	for c.letters.wide(style{leastWide, false}, text) > width {
		_, rest, ok := strings.Cut(domain, ".")
		if !ok || !strings.Contains(rest, ".") {
			rest = domain[1:]
		}
		domain, text = rest, "…"+rest
	}
	return text
}
