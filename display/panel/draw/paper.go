package draw

import (
	"image"
	"strings"

	"stolpe/display/panel"
)

// The letters of a Paper picture, the best first. Its lines are of 31 letters; beside a
// code they are of 15, and of 21 where they must be.
var (
	paperBig   = []string{"16x32bold", "12x24bold", "10x20bold", "8x16bold"}
	paperHead  = []string{"12x24bold", "10x20bold", "8x16bold", "6x12bold"}
	paperLine  = []string{"8x16", "8x16", "6x12", "5x8"}
	paperStout = []string{"8x16bold", "8x16bold", "6x12bold", "6x12bold"}
)

// paper draws a page for an e-paper.
func paper(p panel.Page) (image.Image, []mark) {
	s := newSheet(Paper, 0)
	size := Paper.Dots()
	c := column{box: image.Rect(1, 1, size.X-1, size.Y-1), gap: 3, loose: 9}
	if dots := scale(p.Code, size.Y, quietPaper); dots > 0 {
		side := min((p.Code.Size+8)*dots, size.Y)
		s.code(p.Code, image.Rect(0, 0, side, side).Add(image.Pt(0, (size.Y-side)/2)), dots, image.Point{})
		c.box.Min.X = side + 1
	}
	s.stack(c, paperRows(p, c.box.Dx() < size.X/2+20))
	return s.picture, s.marks
}

// paperRows are the rows of a page; narrow is beside a code.
func paperRows(p panel.Page, narrow bool) []row {
	line := func(text string, weight int) row {
		return row{texts: []string{text}, sizes: paperLine, place: centre, weight: weight, wrap: narrow}
	}
	rows := []row{{texts: []string{both(p.Big)}, sizes: paperHead, place: centre, weight: must, band: true}}
	if p.Price != "" {
		rows = append(rows, row{texts: []string{p.Price + " " + p.Unit}, sizes: paperBig, place: centre, weight: must})
	}
	for i, fee := range p.Fees {
		rows = append(rows, line(fee[0], 8-min(i, 2)), line(fee[1], 6-min(i, 2)))
	}
	for i, long := range p.Long {
		if long != "" && !strings.EqualFold(long, p.Big[i]) && p.Price == "" {
			rows = append(rows, line(long, 6-i))
		}
	}
	switch {
	case p.Energy == "" || p.Cost == "":
		rows = append(rows, row{texts: []string{p.Energy + p.Cost}, sizes: paperBig[1:], place: centre, weight: must})
	case narrow:
		rows = append(rows, row{texts: []string{p.Energy}, sizes: paperBig, place: centre, weight: must},
			row{texts: []string{p.Cost}, sizes: paperBig, place: centre, weight: must})
	default:
		rows = append(rows, row{texts: []string{p.Energy, p.Cost}, sizes: paperBig, place: spread, weight: must})
	}
	if p.Face == panel.Charging || p.Face == panel.NearLimit {
		rows = append(rows, row{bar: true, share: p.Used, weight: 4})
	}
	for i, do := range p.Do {
		if p.Price == "" {
			rows = append(rows, line(do, 7-i))
		}
	}
	if p.Code != nil {
		rows = append(rows, line(p.Caption[0], 4), line(p.Caption[1], 3))
	}
	for _, r := range p.Rows {
		rows = append(rows, row{texts: []string{r.Code + " " + r.Word[0], r.Figure}, sizes: paperStout, place: spread, weight: must})
	}
	rows = append(rows, line(p.Fault, 8), line(p.Help, 8), line(p.At, 5), line(p.Version, 2))
	return append(rows, row{texts: []string{p.Notice[0]}, sizes: paperLine, place: centre, weight: 1, cut: true})
}
