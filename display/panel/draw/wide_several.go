package draw

import (
	"image"

	"stolpe/display/panel"
)

// pair draws two EVSEs beside each other, each with the code to scan where it may be used:
// most posts have two.
func (c *canvas) pair(p panel.Page) {
	half := c.picture.Rect.Max.X / 2
	c.fill(image.Rect(half-2, bandHigh, half+2, c.picture.Rect.Max.Y), black)
	for i, r := range p.Rows {
		room := image.Rect(i*half+margin, bandHigh+10, (i+1)*half-margin, c.picture.Rect.Max.Y-bottom)
		cost := block{lines: []wideLine{{parts: figure(r.Figure)}}, most: 72, least: leastWide, weight: must}
		if r.Figure == "" {
			cost.lines = nil
		}
		if r.Scan != nil {
			c.half(room, r, cost)
			continue
		}
		blocks := []block{{lines: []wideLine{{parts: []part{{text: r.Code, bold: true}}}}, most: 64, least: codeWide, weight: must}}
		blocks = append(blocks, text(r.Word, bigWide, must, sameTitle)...)
		c.stack(room, append(blocks, some(cost)...))
	}
}

// some leaves a block out that has no line.
func some(b block) []block {
	if len(b.lines) == 0 {
		return nil
	}
	return []block{b}
}

// half draws one EVSE of a pair that may be used.
func (c *canvas) half(room image.Rectangle, r panel.Row, cost block) {
	top, below := room, room
	top.Max.Y = top.Min.Y + 46
	below.Min.Y = below.Max.Y - 50
	between := below.Min.Y - top.Max.Y
	code := c.letters.tough(r.Scan)
	dots := max(min(moduleTop, between/(code.Size+8), (room.Dx()+2*margin-8)/(code.Size+8)), 1)
	side := (code.Size + 8) * dots
	head := wideLine{parts: []part{{text: r.Code, bold: true}, {text: inBoth(r.Word), faint: true}}, spread: true}
	if c.lineWide(block{}, head, leastWide) > room.Dx() {
		head = wideLine{parts: head.parts[:1]}
	}
	c.stack(top, []block{{lines: []wideLine{head}, most: bigWide, least: codeWide, weight: must}})
	c.code(code, image.Pt(room.Min.X+(room.Dx()-side)/2, top.Max.Y+(between-side)/2), dots)
	c.stack(below, some(cost))
}

// list draws three EVSEs or more below each other, in two columns where they are many. The
// page's own code, of the only one that is free, has no room here: it stands at the outlet.
func (c *canvas) list(room image.Rectangle, p panel.Page) {
	columns := 1
	if len(p.Rows) > 4 {
		columns = 2
	}
	each := (len(p.Rows) + columns - 1) / columns
	if said := text(p.Title, 44, must, sameTitle); columns == 1 && each*90+90 <= room.Dy() {
		c.stack(image.Rect(room.Min.X, room.Max.Y-86, room.Max.X, room.Max.Y), said)
		room.Max.Y -= 90
	}
	high := room.Dy() / each
	wide := (room.Dx() - (columns-1)*margin) / columns
	for i, r := range p.Rows {
		at := image.Pt(room.Min.X+i/each*(wide+margin), room.Min.Y+i%each*high)
		c.row(image.Rectangle{at, at.Add(image.Pt(wide, high))}, r)
	}
}

// inBoth is a text in both languages, in one line.
func inBoth(text panel.Said) string {
	if text[1] == "" {
		return text[0]
	}
	return text[0] + " / " + text[1]
}

// row draws one EVSE of many: its code, its state in both languages, and what it costs. A
// stripe has the colour of its light.
func (c *canvas) row(room image.Rectangle, r panel.Row) {
	stripe := image.Rect(room.Min.X, room.Min.Y+6, room.Min.X+14, room.Max.Y-6)
	c.fill(stripe, black)
	c.fill(stripe.Inset(2), lamp(r.Light))
	c.note("stripe", stripe)
	room.Min.X += 24
	code, word, cost := part{text: r.Code, bold: true}, part{text: inBoth(r.Word), faint: true}, part{text: r.Figure}
	if r.Figure == "" {
		cost.text = " "
	}
	fits := func(l wideLine) bool { return c.lineWide(block{}, l, leastWide) <= room.Dx() }
	line := func(parts ...part) wideLine { return wideLine{parts: parts, spread: len(parts) == 2} }
	lines := []wideLine{line(code, cost), line(word)}
	if !fits(lines[0]) {
		lines = []wideLine{line(code), line(part{text: r.Word[0], faint: true}, cost)}
	}
	if !fits(lines[1]) {
		lines[1] = line(part{text: r.Word[0], faint: true})
	}
	var blocks []block
	for i, l := range lines {
		least := leastWide
		if i == 0 && !fits(l) {
			least = codeWide
		}
		blocks = append(blocks, block{lines: []wideLine{l}, most: 48 - 4*i, least: least, weight: must})
	}
	c.stack(room, blocks)
}
