package draw

import (
	"slices"
	"strings"

	"stolpe/display/panel"
)

// line is a line of a display of letters, or two where its end has no room beside it.
type line struct {
	texts  []string // the same with ever less room: the first that fits is taken, or the last is wrapped
	end    string   // at the right end of the line
	spare  bool     // the end is left out where it has no room
	weight int      // where there are too few lines, those of the least weight go first
}

// Letters gives a page as lines for a display of so many columns and rows of letters, at
// least 16 and 2. There are exactly that many lines, none longer than the display is wide;
// the last may be empty. There is no code on it: where a text says to scan one, that is the
// sticker's.
func Letters(cols, rows int, p panel.Page) []string {
	var all []line
	switch {
	case p.Face == panel.Free || p.Face == panel.FreeButton:
		all = letterPrice(cols, rows, p)
	case p.Face == panel.Several:
		all = letterSeveral(cols, rows, p)
	case rows < 4:
		all = letterTwo(cols, p)
	default:
		all = letterPage(p)
	}
	for {
		out := lettered(cols, all)
		if len(out) <= rows {
			return append(out, make([]string, rows-len(out))...)
		}
		least, last := all[0].weight, 0
		for i, l := range all {
			if l.weight <= least {
				least, last = l.weight, i
			}
		}
		if len(all) == 1 {
			return out[:rows]
		}
		all = slices.Delete(all, last, last+1)
	}
}

// lettered gives all lines in the width of a display.
func lettered(cols int, all []line) []string {
	var out []string
	for _, l := range all {
		out = append(out, l.in(cols)...)
	}
	return out
}

// in gives the line in the width of a display, as one or more.
func (l line) in(cols int) []string {
	texts := slices.DeleteFunc(slices.Clone(l.texts), func(s string) bool { return s == "" })
	if len(texts) == 0 {
		texts = []string{l.end}
		l.end = ""
	}
	for _, text := range texts {
		if room := cols - count(text) - count(l.end); l.end != "" && room > 0 {
			return []string{text + strings.Repeat(" ", room) + l.end}
		}
	}
	for _, text := range texts {
		if (l.end == "" || l.spare) && count(text) <= cols {
			return slices.DeleteFunc([]string{text}, func(s string) bool { return s == "" })
		}
	}
	out, _ := wrapped(texts[len(texts)-1], cols, 3)
	end, _ := wrapped(l.end, cols, 1)
	return append(out, end...)
}

// letterPage are the lines of most pages, in order.
func letterPage(p panel.Page) []line {
	head := line{texts: []string{both(p.Big), slash(p.Big), p.Big[0]}, end: p.Left, weight: 8}
	money := line{texts: []string{p.Cost}, end: p.Energy, weight: must}
	do, title := 6, 5
	switch p.Face {
	case panel.Charging:
		head.weight = 7
		return []line{head, {texts: []string{p.Energy}, end: p.Power, spare: true, weight: must},
			{texts: []string{p.Cost}, end: p.Time, spare: true, weight: must}, letterStale(p), {texts: []string{p.ShortDo[0]}, weight: 2}}
	case panel.NearLimit:
		head.weight, title, do = 4, 7, 1
		money = line{texts: []string{p.Cost}, end: p.Reserved, spare: true, weight: must}
	case panel.Suspended, panel.Stopping, panel.NoEnergy:
		title, do = 7, 3
	case panel.Paying, panel.Authorised:
		title = 1
	case panel.PayCode:
		p.Title = panel.Said{} // says to scan what is not here
	case panel.Faulted, panel.Emergency:
		head.end, head.spare = p.Fault, true
	}
	all := []line{head, money, letterStale(p)}
	for i := range p.Title {
		if !strings.EqualFold(p.Title[i], p.Big[i]) {
			all = append(all, line{texts: []string{p.Title[i]}, weight: title})
		}
	}
	for _, text := range p.ShortDo {
		all = append(all, line{texts: []string{text}, weight: do})
	}
	return append(all, letterCall(p), line{texts: []string{p.Version}, weight: 2})
}

// letterStale says when figures were read that are too old to pass for the present.
func letterStale(p panel.Page) line {
	if !p.Stale {
		return line{weight: 1}
	}
	return line{texts: []string{p.Updated[0]}, weight: must}
}

// letterCall is what to tell whoever is called for help.
func letterCall(p panel.Page) line {
	tight := strings.ReplaceAll(p.Help, " ", "")
	call := line{texts: []string{p.Help, tight}, weight: 1}
	switch p.Face {
	case panel.OutOfOrder, panel.Faulted, panel.Emergency:
		call.weight = 7
	case panel.PayOffline, panel.Unavailable:
		call.weight = 4
	case panel.Interrupted:
		call.texts, call.weight = []string{behind(p.Fault, p.Help), behind(p.Fault, tight), p.Help, tight}, 4
	}
	return call
}

// letterTwo are the lines of most pages on a display of two: the state, in both languages if
// it can, and the one thing to know or to do.
func letterTwo(cols int, p panel.Page) []line {
	head := line{texts: []string{both(p.Big), slash(p.Big), p.Big[0]}, end: p.Left, weight: 8}
	tight := strings.ReplaceAll(p.Help, " ", "")
	second := []string{p.ShortDo[0], p.Title[0], p.Help, tight}
	if p.Stale {
		return letterTwoStale(cols, p)
	}
	switch p.Face {
	case panel.Charging:
		return []line{{texts: []string{p.Energy}, end: p.Power, spare: true, weight: must}, {texts: []string{p.Cost}, end: p.Time, spare: true, weight: must}}
	case panel.NearLimit:
		return []line{head, {texts: []string{p.Cost}, end: p.Reserved, spare: true, weight: must}}
	case panel.Suspended, panel.Stopping, panel.Finished, panel.NoEnergy, panel.Interrupted:
		return []line{head, {texts: []string{p.Cost}, end: p.Energy, spare: true, weight: must}}
	case panel.OutOfOrder, panel.Faulted, panel.Emergency:
		head.end, head.spare = p.Fault, true
		second = []string{p.Help, tight, p.ShortDo[0]}
	case panel.Paying, panel.Authorised, panel.PayCode:
		head.texts, second = head.texts[2:], []string{p.ShortDo[0], p.Big[1]}
	}
	second = slices.DeleteFunc(second, func(text string) bool {
		return text == "" || count(text) > cols || strings.EqualFold(text, p.Big[0])
	})
	return []line{head, {texts: second, weight: must}}
}

// letterTwoStale are the figures with the time when they were read, or what is paid with that.
func letterTwoStale(cols int, p panel.Page) []line {
	cost := line{texts: []string{p.Cost}, weight: must}
	for _, at := range []string{"(" + p.At + ")", p.At} {
		if count(p.Energy)+1+count(at) <= cols {
			return []line{{texts: []string{p.Energy}, end: at, weight: must}, cost}
		}
	}
	return []line{letterStale(p), cost}
}

// letterPrice is what a post that may be used costs. Where there is no room for all parts
// of it there is a sign that there are more.
func letterPrice(cols, rows int, p panel.Page) []line {
	head := line{texts: []string{both(p.Big), slash(p.Big), p.Big[0]}, weight: 7}
	price := line{texts: []string{behind(p.Price, p.Unit)}, weight: must}
	var do []line
	room := rows - 1 // below the head
	if p.Face == panel.FreeButton {
		head.weight, room = 4, rows
		do = []line{{texts: []string{p.ShortDo[0]}, weight: 3}}
		if rows >= 4 {
			do[0].weight = must
			do = append(do, line{texts: []string{p.ShortDo[1]}, weight: 3})
		}
	}
	for n := len(p.Fees); ; n-- {
		all := append([]line{price}, do...)
		for i, fee := range p.Fees[:n] {
			all = slices.Insert(all, 1+i, line{texts: []string{fee[0]}, weight: must})
		}
		if n < len(p.Fees) {
			all[n].end = "+"
		}
		needed := slices.DeleteFunc(slices.Clone(all), func(l line) bool { return l.weight < must })
		if n == 0 || len(lettered(cols, needed)) <= room {
			all = slices.Insert(all, 0, head)
			all = append(all, line{texts: []string{p.VAT[0]}, weight: 3})
			return append(all, line{texts: []string{p.ShortDo[0]}, weight: 2}, line{texts: []string{p.ShortDo[1]}, weight: 2})
		}
	}
}

// letterSeveral is a line for each of several EVSEs, or which of them are free.
func letterSeveral(cols, rows int, p panel.Page) []line {
	head := line{texts: []string{both(p.Big), slash(p.Big), p.Big[0]}, weight: 5}
	all := []line{head}
	var free []string
	for i, code := range ends(p.Rows) {
		r := p.Rows[i]
		text := code + " " + r.Word[0]
		l := line{texts: []string{text}, end: r.Figure, weight: must}
		if r.Face == panel.Free || r.Face == panel.FreeButton {
			free = append(free, code)
			l.texts = append(l.texts, code)
		} else if count(text)+1+count(r.Figure) > cols {
			l.end = ""
		}
		all = append(all, l)
	}
	if len(lettered(cols, all[1:])) > rows {
		return []line{head, {texts: []string{strings.Join(free, ", "), strings.Join(free, " ")}, weight: must}}
	}
	return all
}
