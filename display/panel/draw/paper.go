package draw

import (
	"image"
	"strings"

	"stolpe/display/panel"
)

// paperLine is of 31 letters and of 41 where it must be: beside a code, of 15 and 21.
func paperLine() letters { return letters{lines, []string{"8x16", "6x12", "5x8"}} }

func paperFigure() letters {
	return letters{figures, []string{"16x32bold", "12x24bold", "10x20bold", "8x16bold"}}
}

func paperHead() letters {
	return letters{heads, []string{"12x24bold", "10x20bold", "8x16bold", "6x12bold"}}
}

// noticeHigh is the height of two lines for what the owner has to say, below the rest, in
// dots.
const noticeHigh = 22

// paper draws a page for an e-paper.
func paper(p panel.Page) (*image.Paletted, []mark) {
	s := newSheet(Paper, 0)
	all := image.Rectangle{Max: Paper.Dots()}.Inset(1)
	c := column{box: all, gap: 2, loose: 9}
	if p.Price != "" && p.Notice[0] != "" {
		c.box.Max.Y -= noticeHigh
		below := column{box: image.Rect(all.Min.X, c.box.Max.Y+1, all.Max.X, all.Max.Y), gap: 1, loose: 3}
		s.stack(below, []row{{texts: []string{p.Notice[0]}, in: letters{lines, []string{"6x12", "5x8"}}, place: centre, weight: must, wrap: 2, cut: true}})
	}
	code, dots, side := paperCode(p, c.box.Max.Y)
	if dots > 0 {
		s.code(code, image.Rect(0, 0, side, side).Add(image.Pt(0, (c.box.Max.Y-side)/2)), dots, image.Point{})
		c.box.Min.X, c.gap, c.loose = side+2, 2, 7
	}
	s.stack(c, paperRows(p, dots > 0))
	return s.picture, s.marks
}

// paperCode gives the code that is drawn, the width of a module and the side of the square
// that the code stands in; none and 0 where there is none. Where the figures matter more
// the code is no larger than it must be. Elsewhere it has as much error correction as there
// is room for: a display in the open gets dirty.
func paperCode(p panel.Page, high int) (code *panel.Code, dots, side int) {
	dots = scale(p.Code, high, quietPaper)
	if dots == 0 {
		return nil, 0, 0
	}
	switch p.Face {
	case panel.Charging, panel.Suspended, panel.NearLimit, panel.Interrupted, panel.Occupied:
		dots = min(dots, 3)
		return p.Code, dots, min((p.Code.Size+8)*dots, high)
	}
	return p.Code.Tough(high/dots - quietPaper), dots, high
}

// paperRows are the rows of a page; narrow is beside a code.
func paperRows(p panel.Page, narrow bool) []row {
	rows := []row{{texts: []string{both(p.Big)}, in: paperHead(), place: centre, weight: must, band: true}}
	switch p.Face {
	case panel.Free, panel.FreeButton:
		return append(rows, paperPrice(p)...)
	case panel.Charging, panel.Suspended, panel.NearLimit, panel.Stopping, panel.Finished, panel.NoEnergy, panel.Interrupted:
		return append(rows, paperCharge(p, narrow)...)
	case panel.Several:
		return append(rows, paperSeveral(p, narrow)...)
	}
	if narrow {
		rows = append(rows, paperSaid(p.Title, p.Big, 5)...)
		rows = append(rows, paperSaid(p.ShortDo, panel.Said{}, 7)...)
		rows = append(rows, paperSaid(p.Within, panel.Said{}, 6)...)
	} else {
		rows = append(rows, paperWait(p)...)
	}
	if p.Face == panel.Occupied && p.Price != "" {
		rows = append(rows, paperLineOf(p.Price+" "+p.Unit, 4))
		for i := range p.Fees {
			rows = append(rows, paperLineOf(p.Fees[i][0], 3))
		}
	}
	return append(rows, paperEnd(p)...)
}

// paperWait is what a page is about and what to do, and how long there is for it.
func paperWait(p panel.Page) []row {
	if p.Within[0] == "" {
		return append(paperSaid(p.Long, p.Big, 6), paperSaid(p.Do, panel.Said{}, 7)...)
	}
	rows := paperSaid(p.Long, p.Big, extra)
	for i := range p.Do {
		if one := behind(p.Do[i], p.Within[i]); count(one) < panel.LongMost {
			rows = append(rows, paperLineOf(one, 7))
			continue
		}
		rows = append(rows, paperLineOf(p.Do[i], 7), paperLineOf(p.Within[i], 7))
	}
	return rows
}

// paperPrice is what a post that may be used costs, and how to use it.
func paperPrice(p panel.Page) []row {
	rows := []row{{texts: []string{behind(p.Price, p.Unit)}, in: paperFigure(), place: centre, weight: must}}
	if len(p.Fees) == 0 {
		rows = []row{{texts: []string{p.Price}, in: paperFigure(), place: centre, weight: must}, paperLineOf(p.Unit, must)}
	}
	rows = append(rows, row{texts: []string{p.VAT[0], p.VAT[1]}, in: paperLine(), place: spread, weight: 8})
	for _, fee := range p.Fees {
		rows = append(rows, paperLineOf(fee[0], must), paperLineOf(fee[1], 5))
	}
	if p.Face == panel.FreeButton || p.Code == nil {
		rows = append(rows, paperSaid(p.ShortDo, panel.Said{}, 8)...)
	}
	if p.Code != nil {
		rows = append(rows, paperSaid(p.Caption, panel.Said{}, 5)...)
	}
	return append(rows, paperLineOf(both(p.Named), 1))
}

// paperCharge is what has been charged, and what it costs.
func paperCharge(p panel.Page, narrow bool) []row {
	figure := func(texts ...string) row {
		r := row{texts: texts, in: paperFigure(), place: centre, weight: must}
		if len(texts) > 1 {
			r.place = spread
		}
		return r
	}
	var rows []row
	if narrow {
		rows = append(rows, figure(p.Energy), figure(p.Cost))
	} else {
		rows = append(rows, paperSaid(p.Long, p.Big, 5)...)
		if p.Energy == "" {
			rows = append(rows, figure(p.Cost))
		} else {
			rows = append(rows, figure(p.Energy, p.Cost))
		}
	}
	switch p.Face {
	case panel.Charging, panel.NearLimit:
		rows = append(rows, row{bar: true, share: p.Used, weight: 6}, row{texts: []string{p.Time, p.Reserved}, in: paperLine(), place: spread, weight: 5})
	case panel.Suspended:
		rows = append(rows, paperSaid(p.Title, p.Big, 8)...)
		for i := range 2 {
			rows = append(rows, row{texts: []string{listed(p.Fees, i)}, in: paperLine(), place: centre, weight: 7 - 3*i, wrap: 2})
		}
	case panel.Interrupted:
		if narrow {
			rows = append(paperSaid(p.Title, p.Big, 7), rows...)
		}
	}
	rows = append(rows, paperSaid(p.Money, panel.Said{}, 5)...)
	if p.Code == nil {
		rows = append(rows, paperSaid(p.Do, panel.Said{}, 7)...)
	}
	return append(rows, paperEnd(p)...)
}

// paperEnd is what all pages have below the rest, as far as they have it.
func paperEnd(p panel.Page) []row {
	var rows []row
	if p.Code != nil && p.Face != panel.PayCode {
		rows = append(rows, paperSaid(p.Caption, panel.Said{}, 5)...)
	}
	call := 1
	switch p.Face {
	case panel.OutOfOrder, panel.Faulted, panel.Emergency, panel.PayOffline, panel.Unavailable, panel.Interrupted:
		call = 8
	}
	at := dear
	if p.Stale {
		at = must
	}
	rows = append(rows, row{texts: []string{strings.TrimSpace(p.Fault + "  " + p.Help)}, in: paperLine(), place: centre, weight: call},
		paperLineOf(p.Updated[0], at), paperLineOf(p.Version, 3), paperLineOf(p.Where, 1))
	return append(rows, row{texts: []string{p.Notice[0]}, in: paperLine(), place: centre, weight: 2, wrap: 3, cut: true})
}

// paperSeveral is a line for each of several EVSEs.
func paperSeveral(p panel.Page, narrow bool) []row {
	var rows []row
	long := paperSaid(p.Long, panel.Said{}, 3)
	if narrow {
		long = paperSaid(p.Caption, panel.Said{}, 5)
	}
	codes := ends(p.Rows)
	for i, r := range p.Rows {
		rows = append(rows, row{texts: []string{codes[i] + " " + r.Word[0], r.Figure}, in: paperLine(), place: spread, weight: must})
	}
	return append(append(rows, long...), paperLineOf(p.Help, 1))
}

func paperLineOf(text string, weight int) row {
	return row{texts: []string{text}, in: paperLine(), place: centre, weight: weight}
}

// paperSaid is a text in both languages, below each other; none of what has been said.
func paperSaid(text, already panel.Said, weight int) []row {
	var rows []row
	for i, t := range text {
		if !strings.EqualFold(t, already[i]) {
			rows = append(rows, paperLineOf(t, weight))
		}
	}
	return rows
}

// behind puts two texts behind each other.
func behind(a, b string) string { return strings.TrimSpace(a + " " + b) }
