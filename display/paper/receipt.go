package paper

import (
	"io"

	"stolpe/display"
)

// Receipt writes the document as a PDF of one page. An error is the writer's.
func Receipt(w io.Writer, d display.Document) error {
	return receipt(d).write(w)
}

// Where things stand on a receipt, in mm.
const (
	top      = 29.0 // baseline of the title
	half     = 80.0 // width of a column; the two have gutter between them
	second   = right - half
	step     = 4.8 // from line to line
	keep     = 4.0 // between a label and its value
	hairline = 0.15
	stroke   = 0.5
)

// receipt draws a document.
func receipt(d display.Document) sheet {
	s := newSheet(d.Title+" "+d.Number, d.Lang.Tag(), d.Issued.Time())
	w := d.Lang.Words()
	s.in(titlePt, true, black).left(margin, top, latin(d.Title))
	y := s.facts(second, top-3.2, d.Head)
	y = max(y, s.seller(d.Seller, top+step*2.2))
	y = s.sold(d, y+step)
	left := s.group(margin, y, string(w.ChargeTitle), d.Charge)
	y = s.group(second, y, string(w.PaidTitle), d.Paid)
	y = s.group(second, y+step, string(w.PriceList), d.Prices)
	y = max(left, y) + step
	s.in(smallPt, false, grey)
	for _, note := range d.Notes {
		for _, line := range s.fold(note, right-margin, 2) {
			s.left(margin, y, line)
			y += step
		}
	}
	return s
}

// seller draws who sold, from y on, and gives where the next line would stand.
func (s sheet) seller(lines []string, y float64) float64 {
	for i, text := range lines {
		s.in(textPt, i == 0, black)
		for _, line := range s.fold(text, half, 2) {
			s.left(margin, y, line)
			y += step
		}
	}
	return y
}

// sold draws the lines of the bill and their sums.
func (s sheet) sold(d display.Document, y float64) float64 {
	s.rule(margin, right, y, stroke)
	y += step + 1.4
	for _, row := range d.Lines {
		s.in(textPt, false, black).left(margin, y, latin(row.Label))
		s.right(right, y, latin(row.Value))
		if row.Note != "" {
			y += step
			s.in(smallPt, false, grey)
			for _, line := range s.fold(row.Note, right-margin-half/2, 1) {
				s.left(margin, y, line)
			}
		}
		y += step + 1.6
	}
	y -= 1.6
	s.rule(margin, right, y-1.4, hairline)
	y += step
	for _, row := range d.Sums {
		pt := textPt
		if row.Strong {
			pt = totalPt
			s.rule(second, right, y-2.6, stroke)
			y += 4
		}
		s.in(pt, row.Strong, black).left(second, y, latin(row.Label))
		s.right(right, y, latin(row.Value))
		y += step + .6
	}
	return y + step*1.6
}

// group draws facts below a title, in a column that begins at x.
func (s sheet) group(x, y float64, title string, rows []display.Row) float64 {
	s.in(textPt, true, black).left(x, y, latin(title))
	s.rule(x, x+half, y+1.5, hairline)
	return s.facts(x, y+step+1.7, rows)
}

// facts draws labels and values in a column that begins at x, and gives where the
// next line would stand. A value may take more lines than its label, or fewer.
func (s sheet) facts(x, y float64, rows []display.Row) float64 {
	for _, row := range rows {
		s.in(smallPt, false, black)
		values := s.fold(row.Value, half*.62, 2)
		widest := 0.0
		for i, line := range values {
			s.right(x+half, y+float64(i)*step, line)
			widest = max(widest, s.pdf.GetStringWidth(line))
		}
		s.in(smallPt, false, grey)
		labels := s.fold(row.Label, half-widest-keep, 4)
		for i, line := range labels {
			s.left(x, y+float64(i)*step, line)
		}
		y += step * float64(max(1, len(values), len(labels)))
	}
	return y
}
