package paper

import (
	"io"
	"time"

	"stolpe/display"
)

// Report is a sheet that says how a post was found: titles, and rows of labels and
// values below them.
type Report struct {
	Lang     display.Lang
	Title    string
	At       time.Time
	Sections []Section
	Foot     string // by which the sheet is known
}

// Section is a part of a Report.
type Section struct {
	Title string
	Rows  []display.Row
}

// Where things stand on a report, in mm.
const (
	valueAt = margin + 55
	lowest  = pageHeight - 32 // of a row: what is below is the foot's
)

// PDF writes the report. What does not fit one page goes on on the next. An error is the
// writer's.
func (r Report) PDF(w io.Writer) error {
	s := newSheet(r.Title, r.Lang.Tag(), r.At)
	s.in(titlePt, true, black).left(margin, top, s.fold(r.Title, right-margin, 1)[0])
	r.foot(s)
	y := top + step*3
	turn := func(room float64) {
		if y+room > lowest {
			s.pdf.AddPage()
			r.foot(s)
			y = top
		}
	}
	for _, part := range r.Sections {
		turn(step * 4)
		s.in(textPt, true, black).left(margin, y, latin(part.Title))
		s.rule(margin, right, y+1.5, hairline)
		y += step + 1.7
		for _, row := range part.Rows {
			const most = 4 // lines of a value
			values := s.in(smallPt, false, black).fold(row.Value, right-valueAt, most)
			turn(step * float64(max(1, len(values))))
			for i, line := range values {
				s.left(valueAt, y+float64(i)*step, line)
			}
			s.in(smallPt, false, grey)
			for _, label := range s.fold(row.Label, valueAt-margin-keep, 1) {
				s.left(margin, y, label)
			}
			y += step * float64(max(1, len(values)))
		}
		y += step
	}
	return s.write(w)
}

// foot draws what stands at the foot of each page.
func (r Report) foot(s sheet) {
	s.in(smallPt, false, grey)
	for i, line := range s.fold(r.Foot, right-margin, 2) {
		s.left(margin, lowest+step*2+float64(i)*step, line)
	}
}
