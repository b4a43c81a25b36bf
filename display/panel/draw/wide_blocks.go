package draw

import (
	"slices"
	"strings"

	"stolpe/display/panel"
)

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
		for _, fee := range whole(p.Fees) {
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
		weight := 8
		if p.Face == panel.FreeButton {
			weight = must // nothing else says what the button does
		}
		add(text(roomy(p.Do, p.ShortDo, width), most, weight, sameDo)...)
	}
	add(text(p.Money, 44, 5, sameNotes)...)
	if p.Price == "" {
		for _, fee := range whole(p.Fees) {
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

// whole puts parts of the price together again that are in two lines for smaller displays:
// the second has digits alone, the first none.
func whole(fees []panel.Said) []panel.Said {
	const digits = "0123456789"
	var all []panel.Said
	for i, fee := range fees {
		if i > 0 && !strings.ContainsAny(fees[i-1][0], digits) && strings.ContainsAny(fee[0], digits) {
			last := &all[len(all)-1]
			number := fee
			if number[1] == "" {
				number[1] = number[0]
			}
			last[0] += " " + number[0]
			if last[1] != "" {
				last[1] += " " + number[1]
			}
			continue
		}
		all = append(all, fee)
	}
	return all
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
	return p.Code != nil && p.ShortDo == p.Caption
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
