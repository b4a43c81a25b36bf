package draw

import (
	"image"

	"stolpe/display/panel"
)

// smallLine is of 21 letters, and of 25 where it must be: beside a code, of 10 and 12.
func smallLine() letters { return letters{lines, []string{"6x12", "5x8"}} }

func smallFigure() letters {
	return letters{figures, []string{"12x24bold", "10x20bold", "8x16bold", "6x12bold"}}
}

func smallHead() letters {
	return letters{heads, []string{"12x24bold", "10x20bold", "8x16bold", "6x12bold"}}
}

// smallTiny is for the column beside a code.
func smallTiny() letters { return letters{lines, []string{"5x8"}} }

// smallCode is the side of the square that a code stands in, in dots: half the picture.
const smallCode = 64

// small draws a page for an OLED. Its dots age where they are lit, so the text is moved by
// some dots from time to time, and the code within its square.
func small(p panel.Page, shift image.Point) (*image.Paletted, []mark) {
	s := newSheet(Small, 1)
	c := column{box: image.Rect(0, 0, 128-ShiftMost, 64-ShiftMost), gap: 2, loose: 6}
	if p.Face == panel.FreeButton {
		c.gap = 1 // a price may have four parts
	}
	dots := smallScale(p)
	if dots == 0 {
		s.off = shift
		s.stack(c, smallRows(p, c))
		return s.picture, s.marks
	}
	s.code(p.Code, image.Rect(0, 0, smallCode, smallCode), dots, shift.Sub(image.Pt(ShiftMost/2, ShiftMost/2)))
	c.box.Min.X, c.gap, c.loose = smallCode+2, 1, 5
	s.off = shift
	switch p.Face {
	case panel.PayCode:
		s.stack(c, besidePayCode(p))
	case panel.Several:
		s.stack(c, besideSeveral(p))
	case panel.Interrupted, panel.Occupied:
		s.stack(c, besideOver(p))
	default:
		s.stack(c, besidePrice(p, c))
	}
	return s.picture, s.marks
}

// smallScale gives the width of a module, 0 where there is none to show. Half the picture
// is for a code only where nothing matters more than to scan it. A post with a button has
// its price and its terms to say, and those who want to read them scan the sticker.
func smallScale(p panel.Page) int {
	switch p.Face {
	case panel.Free, panel.PayCode, panel.Interrupted, panel.Occupied:
		return scale(p.Code, smallCode, quietSmall)
	case panel.Several:
		if len(p.Rows) <= 3 && narrowRows(p) != nil {
			return scale(p.Code, smallCode, quietSmall)
		}
	}
	return 0
}

// besidePrice are the rows beside the code of a post that may be used. All parts of the
// price are there, or a sign that there are more: whoever scans sees them all.
func besidePrice(p panel.Page, c column) []row {
	state := []row{smallText(smallHead(), p.Big[0], 8), smallText(smallHead(), p.Big[1], 8)}
	if len(p.Fees) > 0 {
		state = []row{{texts: []string{slash(p.Big)}, in: letters{heads, []string{"6x12bold", "5x8"}}, place: centre, weight: 8, wrap: 2}}
	}
	rows := append(state, smallText(smallFigure(), p.Price, must), smallText(smallTiny(), p.Unit, must), smallText(smallTiny(), p.VAT[0], 7))
	rows = append(rows, besideFees(p, c, rows)...)
	return append(rows, smallWrap(p.Caption[0], 2), smallWrap(p.Caption[1], 1), smallText(smallTiny(), p.Named[0], 1))
}

// besideFees are as many parts of the price as there is room for below the other rows.
func besideFees(p panel.Page, c column, others []row) []row {
	for n := len(p.Fees); n > 0; n-- {
		if unfinished(p.Fees, n) {
			continue
		}
		var rows []row
		for _, fee := range p.Fees[:n] {
			rows = append(rows, row{texts: []string{fee[0]}, in: smallTiny(), place: centre, weight: must, wrap: 3})
		}
		if n < len(p.Fees) {
			rows = append(rows, smallText(smallTiny(), "+ …", must))
		}
		if c.fits(append(others[:len(others):len(others)], rows...)) {
			return rows
		}
	}
	if len(p.Fees) > 0 {
		return []row{smallText(smallTiny(), "+ …", must)}
	}
	return nil
}

func besidePayCode(p panel.Page) []row {
	return []row{smallText(smallHead(), p.Big[0], 8), smallText(smallHead(), p.Big[1], 7), smallText(smallFigure(), p.Left, must),
		smallWrap(p.ShortDo[0], 7), smallWrap(p.ShortDo[1], 6)}
}

// besideOver are the rows beside the code of a post where a charge is over, and another one
// may follow.
func besideOver(p panel.Page) []row {
	head := letters{heads, []string{"10x20bold", "8x16bold", "6x12bold"}}
	rows := []row{smallText(head, p.Big[0], must), smallText(smallLine(), p.Energy, must), smallText(smallLine(), p.Cost, must)}
	if p.Face == panel.Interrupted {
		return append(rows, smallWrap(p.Caption[0], 8), smallWrap(p.Caption[1], 7), smallWrap(p.Title[0], 3))
	}
	rows = append(rows, smallWrap(p.ShortDo[0], 8), smallWrap(p.ShortDo[1], 7))
	if p.Price != "" {
		rows = append(rows, smallText(smallLine(), p.Price, must), smallText(smallTiny(), p.Unit, must))
	}
	return append(rows, smallWrap(p.Caption[0], 3), smallWrap(p.Caption[1], 3))
}

// besideSeveral are the rows beside the one code of several EVSEs, that of the free one.
func besideSeveral(p panel.Page) []row {
	return append(narrowRows(p), smallWrap(p.Caption[0], 6), smallWrap(p.Caption[1], 5))
}

// narrowRows are those of the EVSEs, each in a word; none where not all fit beside a code.
func narrowRows(p panel.Page) []row {
	var rows []row
	for i, code := range ends(p.Rows) {
		r := p.Rows[i]
		text := code + " " + r.Word[0]
		if count(text) > 12 {
			return nil
		}
		rows = append(rows, smallText(smallLine(), text, must))
		if r.Face == panel.Free || r.Face == panel.FreeButton {
			rows = append(rows, smallText(smallTiny(), r.Figure, must))
		}
	}
	return rows
}

// smallRows are the rows of a page that shows no code.
func smallRows(p panel.Page, c column) []row {
	switch p.Face {
	case panel.Charging:
		return []row{smallText(smallFigure(), p.Energy, must), smallText(smallFigure(), p.Cost, must), smallText(smallLine(), both(p.Big), 7),
			{texts: []string{p.Power, since(p)}, in: smallLine(), place: spread, weight: 5}}
	case panel.NearLimit:
		return []row{smallText(smallHead(), p.Big[0], 6), smallText(smallLine(), p.Title[0], 7), smallText(smallLine(), p.Title[1], 7),
			smallText(smallFigure(), p.Cost, must), {bar: true, share: p.Used, weight: 5},
			{texts: []string{p.Energy, p.Reserved}, in: smallLine(), place: spread, weight: 6}}
	case panel.Suspended:
		return smallSuspended(p)
	case panel.Finished, panel.NoEnergy:
		return smallFinished(p)
	case panel.Free, panel.FreeButton:
		return smallPrice(p, c)
	case panel.Several:
		return overview(p, c)
	}
	rows := []row{smallText(smallHead(), p.Big[0], must)}
	if p.Left == "" {
		rows = append(rows, smallTitles(p)...)
	}
	do := 7
	if p.Face == panel.Boot {
		do = extra
	}
	rows = append(rows, smallMoney(p), smallText(smallLine(), p.ShortDo[0], do), smallText(smallLine(), p.ShortDo[1], do), smallText(smallFigure(), p.Left, must))
	rows = append(rows, smallCall(p)...)
	return append(rows, smallText(smallLine(), p.Version, 3), row{texts: []string{p.Notice[0]}, in: smallLine(), place: centre, weight: 1, wrap: 2, cut: true})
}
