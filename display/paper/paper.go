// Package paper draws what is printed: the sales document of a charge as a PDF,
// and the sticker of a post as an SVG or a PDF.
//
// # Why
//
// The letters are those every reader of PDF has (Helvetica, in Windows-1252), so
// no font travels along: a receipt is 4 kB, and the program stays small. Nordic
// and Sámi names are written with them; of a letter that is not among them the
// nearest is drawn, never an empty box.
//
// Everything that comes from a file of the owner is bounded here in lines, so a
// document has one page, whatever stands in it. The same document gives the same
// bytes, today and after an update of the clock: its date is the document's own.
package paper

import (
	"fmt"
	"io"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// The page, in mm: A4.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	margin     = 20.0
	right      = pageWidth - margin
)

// Sizes of type, in points.
const (
	titlePt = 22.0
	totalPt = 14.0
	textPt  = 10.0
	smallPt = 9.0
)

// ink is how dark something is drawn: 0 is black, 255 is white.
type ink int

const (
	black ink = 0
	grey  ink = 85 // still 7 times as dark as the paper
)

// sheet is a page being drawn. Places are in mm from its upper left corner, and
// those of a text are of its baseline.
type sheet struct {
	pdf *fpdf.Fpdf
}

// newSheet begins a document of one page.
func newSheet(title, lang string, at time.Time) sheet {
	f := fpdf.New("P", "mm", "A4", "")
	f.SetCompression(true)
	f.SetCatalogSort(true)
	f.SetCreationDate(at)
	f.SetModificationDate(at)
	f.SetProducer("stolpe", true)
	f.SetTitle(title, true)
	f.SetLang(lang)
	f.SetAutoPageBreak(false, 0)
	f.SetCellMargin(0)
	f.AddPage()
	return sheet{f}
}

// write sends the document.
func (s sheet) write(w io.Writer) error {
	if err := s.pdf.Output(w); err != nil {
		return fmt.Errorf("paper: write: %w", err)
	}
	return nil
}

// in picks the type that follows.
func (s sheet) in(pt float64, bold bool, i ink) sheet {
	style := ""
	if bold {
		style = "B"
	}
	s.pdf.SetFont("Helvetica", style, pt)
	s.pdf.SetTextColor(int(i), int(i), int(i))
	return s
}

// left draws a line of text that begins at x.
func (s sheet) left(x, y float64, line string) { s.pdf.Text(x, y, line) }

// right draws one that ends at x.
func (s sheet) right(x, y float64, line string) { s.pdf.Text(x-s.pdf.GetStringWidth(line), y, line) }

// centre draws one around x.
func (s sheet) centre(x, y float64, line string) { s.pdf.Text(x-s.pdf.GetStringWidth(line)/2, y, line) }

// rule draws a line from x1 to x2, so many mm thick.
func (s sheet) rule(x1, x2, y, thick float64) {
	s.pdf.SetLineWidth(thick)
	s.pdf.Line(x1, y, x2, y)
}

// fold breaks a text into at most so many lines of at most that width, in mm. What
// is too long ends in dots. The lines are in the encoding of the font.
func (s sheet) fold(text string, width float64, most int) []string {
	var lines []string
	for _, line := range s.pdf.SplitLines([]byte(latin(text)), width) {
		if len(lines) == most {
			lines[most-1] = s.dotted(lines[most-1], width)
			break
		}
		lines = append(lines, string(line))
	}
	return lines
}

// dotted ends a line in dots, within a width in mm.
func (s sheet) dotted(line string, width float64) string {
	for line != "" && s.pdf.GetStringWidth(line+dots) > width {
		line = line[:len(line)-1]
	}
	return line + dots
}

// dots are three, in the encoding of the font.
const dots = "\x85"
