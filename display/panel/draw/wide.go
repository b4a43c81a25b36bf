package draw

import (
	"image"
	"image/color"
	"slices"
	"strings"

	"stolpe/display/panel"
)

// Colours of a Wide picture: dark on white, as a screen in the sun shows white best. A test
// holds every pair that is used to the contrast of WCAG 2.2, 1.4.3.
var (
	paperWide = color.RGBA{255, 255, 255, 255}
	inkWide   = color.RGBA{10, 14, 20, 255}
	faintWide = color.RGBA{62, 70, 82, 255}
)

// tone are the colours of the band above a page: the ground, and what is written on it.
type tone struct{ over, text color.RGBA }

// toneOf gives the band the colour of the status light, whose meanings stand on the post:
// a light and a screen must not say two things.
func toneOf(l panel.Light) tone {
	white := color.RGBA{255, 255, 255, 255}
	switch r, g, b := l.Red > 0, l.Green > 0, l.Blue > 0; {
	case r && g && b:
		return tone{white, inkWide}
	case r && g:
		return tone{color.RGBA{255, 208, 0, 255}, inkWide}
	case g:
		return tone{color.RGBA{10, 93, 42, 255}, white}
	case b:
		return tone{color.RGBA{12, 62, 148, 255}, white}
	}
	return tone{color.RGBA{172, 0, 30, 255}, white}
}

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
func wide(p panel.Page, letters *Glyphs) (image.Image, []mark) {
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
	c := &canvas{picture: image.NewRGBA(image.Rectangle{Max: Wide.Dots()}), letters: letters}
	c.fill(c.picture.Rect, paperWide)
	named := c.band(p)
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

// band draws the state across the picture, and says whether the post's code stands there.
func (c *canvas) band(p panel.Page) (named bool) {
	t := toneOf(p.Light)
	at := image.Rect(0, 0, c.picture.Rect.Max.X, bandHigh)
	c.fill(at, t.over)
	if t.over == paperWide {
		c.fill(image.Rect(0, bandHigh-ruleHigh, at.Max.X, bandHigh), inkWide)
	}
	size, post := c.bandSizes(p, at.Dx()-2*margin)
	base := (bandHigh - ruleHigh + capitals(size)) / 2
	x := margin
	c.text(style{size, true}, x, base, p.Big[0], t.text, t.over)
	if p.Big[1] != "" {
		x += c.letters.wide(style{size, true}, p.Big[0]) + bandGap
		c.text(style{size, false}, x, base, p.Big[1], t.text, t.over)
	}
	if post > 0 {
		s := style{post, true}
		c.text(s, at.Max.X-margin-c.letters.wide(s, p.Post), base, p.Post, t.text, t.over)
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
	wide, code := codeLeast, p.Code.Tough(toughMost)
	var lines []wideLine
	for i, text := range p.Caption {
		said := part{text: text, bold: i == 0, faint: i == 1}
		for _, said.text = range c.wrapped(said, leastWide, codeMost-margin) {
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

// figure is a number with its unit beside it, as large as there is room.
func figure(text string) []part {
	first := strings.IndexAny(text, "0123456789")
	last := strings.LastIndexAny(text, "0123456789")
	if first < 0 {
		return []part{{text: text, bold: true}}
	}
	var all []part
	if before := strings.TrimSpace(text[:first]); before != "" {
		all = append(all, part{text: before, unit: true})
	}
	all = append(all, part{text: text[first : last+1], bold: true})
	if after := strings.TrimSpace(text[last+1:]); after != "" {
		all = append(all, part{text: after, unit: true})
	}
	return all
}

// Groups of blocks that have letters of one size.
const (
	alone = iota
	sameTitle
	sameDo
	sameFees
	sameNotes
)

// wideBlocks are the blocks of a page, in their order.
func wideBlocks(p panel.Page, width int) []block {
	var all []block
	add := func(b ...block) { all = append(all, b...) }
	most := 60 // letters of texts
	if p.Code == nil {
		most = 84
	}
	if p.Post != "" {
		add(block{lines: []wideLine{{parts: []part{{text: p.Post}}}}, most: bigWide, least: codeWide, weight: 8})
	}
	if p.Price != "" {
		add(block{lines: []wideLine{{parts: []part{{text: p.Price, bold: true}, {text: p.Unit, unit: true}}}}, most: 96, least: bigWide, weight: must})
		add(text(p.VAT, 42, 7, sameFees)...)
		for _, fee := range p.Fees {
			add(text(fee, 44, 8, sameFees)...)
		}
	} else {
		add(text(titled(p, width), most, 7, sameTitle)...)
	}
	add(used(p)...)
	if p.Left != "" {
		add(block{lines: []wideLine{{parts: []part{{icon: glass, faint: true}, {text: p.Left, bold: true}}}}, most: 120, least: bigWide, weight: 8})
	}
	if !scanned(p) {
		add(text(roomy(p.Do, p.ShortDo, width), most, 8, sameDo)...)
	}
	add(text(p.Money, 44, 5, sameNotes)...)
	if p.Price == "" {
		for _, fee := range p.Fees {
			add(text(fee, 44, 8, sameFees)...)
		}
	}
	for i, t := range p.Notice {
		if t != "" {
			add(block{said: panel.Said{t}, most: leastWide, least: leastWide, weight: 4 - i, cut: true})
		}
	}
	return append(all, foot(p)...)
}

// text is a block of what is said in two languages; none where nothing is.
func text(said panel.Said, most, weight, same int) []block {
	if said[0] == "" {
		return nil
	}
	return []block{{said: said, most: most, least: leastWide, weight: weight, same: same}}
}

// titled is the state in some words, unless they are those of the band or at the code.
func titled(p panel.Page, width int) panel.Said {
	said := roomy(p.Long, p.Title, width)
	if strings.EqualFold(said[0], p.Big[0]) || p.Code != nil && p.Title == p.Caption {
		return panel.Said{}
	}
	return said
}

// roomy is the longer of two texts where there is room for it in large letters.
func roomy(long, short panel.Said, width int) panel.Said {
	for _, t := range long {
		if len([]rune(t))*bigWide*6/10 > width {
			return short
		}
	}
	return long
}

// scanned says that what to do now is to scan, which stands at the code already.
func scanned(p panel.Page) bool {
	switch p.Face {
	case panel.Free, panel.Charging, panel.Suspended, panel.NearLimit:
		return p.Code != nil
	}
	return false
}

// used are the figures of a charge: what has been used, how much of the reservation that is, and how fast.
func used(p panel.Page) []block {
	var all []block
	energy, cost := figure(p.Energy), figure(p.Cost)
	b := block{most: 110, least: 56, weight: must}
	switch {
	case p.Energy == "" && p.Cost == "":
		return nil
	case p.Energy == "" || p.Cost == "":
		b.lines = []wideLine{{parts: figure(p.Energy + p.Cost)}}
	case p.Code == nil:
		b.lines = []wideLine{{parts: slices.Concat(energy, []part{{text: " "}}, cost)}}
	default:
		b.lines = []wideLine{{parts: energy}, {parts: cost}}
	}
	all = append(all, b)
	if p.Reserved != "" {
		all = append(all, block{lines: []wideLine{{parts: []part{{text: p.Reserved}}}}, most: 44, least: leastWide, weight: 6, bar: true, share: p.Used})
	}
	var facts []part
	if p.Power != "" {
		facts = append(facts, part{text: p.Power})
	}
	if p.Time != "" {
		facts = append(facts, part{icon: glass, faint: true}, part{text: p.Time})
	}
	if len(facts) > 0 {
		all = append(all, block{lines: []wideLine{{parts: facts}}, most: 44, least: leastWide, weight: 4})
	}
	if p.Stale {
		all = append(all, text(p.Updated, 44, must, alone)...)
	}
	return all
}

// foot is whom to call, and where one is.
func foot(p panel.Page) []block {
	var parts []part
	if p.Fault != "" {
		parts = append(parts, part{text: p.Fault})
	}
	if p.Version != "" {
		parts = append(parts, part{text: p.Version, faint: true})
	}
	if p.Help != "" {
		parts = append(parts, part{icon: phone}, part{text: p.Help})
	}
	if len(parts) == 0 {
		return nil
	}
	weight := 3
	switch p.Face {
	case panel.Faulted, panel.Emergency, panel.OutOfOrder, panel.Unavailable, panel.Interrupted:
		weight = 8
	}
	return []block{{lines: []wideLine{{parts: parts}}, most: 44, least: leastWide, weight: weight, foot: true}}
}
