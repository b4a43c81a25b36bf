package font

import (
	"errors"
	"fmt"
	"image"
	"strconv"
	"strings"
)

// Limits of what is read. Chosen by us: the largest of our letters is 16 dots wide.
const (
	mostWide = 64  // dots
	mostHigh = 128 // dots
)

// Parse reads a font in the Glyph Bitmap Distribution Format 2.1 (Adobe), as far as a font
// of fixed width needs it: what stands in it beyond that is skipped.
func Parse(bdf string) (*Font, error) {
	p := parser{font: &Font{letters: map[rune]Letter{}}, lines: strings.Split(bdf, "\n")}
	if !strings.HasPrefix(bdf, "STARTFONT 2.1") {
		return nil, errors.New("does not begin with STARTFONT 2.1")
	}
	for p.at < len(p.lines) {
		if err := p.line(); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.at, err)
		}
	}
	switch {
	case p.font.Width == 0 || p.font.Ascent == 0:
		return nil, errors.New("no FONTBOUNDINGBOX or no FONT_ASCENT")
	case len(p.font.letters) == 0:
		return nil, errors.New("no letters")
	}
	return p.font, nil
}

type parser struct {
	font  *Font
	lines []string
	at    int             // next line
	code  rune            // of the letter being read
	box   image.Rectangle // of it
}

// next takes the next line apart: its word, and the numbers after it as far as they are some.
func (p *parser) next() (word string, n []int) {
	word, rest, _ := strings.Cut(strings.TrimSpace(p.lines[p.at]), " ")
	p.at++
	if needs(word) == 0 {
		return word, nil
	}
	for f := range strings.FieldsSeq(rest) {
		v, err := strconv.Atoi(f)
		if err != nil {
			break
		}
		n = append(n, v)
	}
	return word, n
}

// needs is how many numbers stand behind a word, at least.
func needs(word string) int {
	switch word {
	case "FONTBOUNDINGBOX", "BBX":
		return 4
	case "DWIDTH":
		return 2
	case "FONT_ASCENT", "FONT_DESCENT", "ENCODING":
		return 1
	}
	return 0
}

func (p *parser) line() error {
	word, n := p.next()
	if len(n) < needs(word) {
		return fmt.Errorf("%s has %d numbers, needs %d", word, len(n), needs(word))
	}
	switch word {
	case "FONTBOUNDINGBOX":
		p.font.Width = n[0]
	case "FONT_ASCENT":
		p.font.Ascent = n[0]
	case "FONT_DESCENT":
		p.font.Descent = n[0]
	case "ENCODING":
		p.code = rune(n[0])
	case "DWIDTH":
		if n[0] != p.font.Width {
			return fmt.Errorf("letter %q is %d dots wide, the font %d", p.code, n[0], p.font.Width)
		}
	case "BBX":
		w, h, x, y := n[0], n[1], n[2], n[3]
		if w < 0 || h < 0 || w > mostWide || h > mostHigh {
			return fmt.Errorf("letter %q of %d x %d dots, at most %d x %d", p.code, w, h, mostWide, mostHigh)
		}
		p.box = image.Rect(x, -y-h, x+w, -y)
	case "BITMAP":
		return p.bitmap()
	}
	return nil
}

func (p *parser) bitmap() error {
	l := Letter{Box: p.box, rows: make([]uint64, 0, p.box.Dy())}
	for range p.box.Dy() {
		if p.at == len(p.lines) {
			return fmt.Errorf("letter %q ends after %d of %d rows", p.code, len(l.rows), p.box.Dy())
		}
		hex := strings.TrimSpace(p.lines[p.at])
		p.at++
		row, err := strconv.ParseUint(hex, 16, 64)
		if err != nil || len(hex)*4 < p.box.Dx() {
			return fmt.Errorf("letter %q: %q is no row of %d dots", p.code, hex, p.box.Dx())
		}
		l.rows = append(l.rows, row<<(64-4*len(hex)))
	}
	p.font.letters[p.code] = l
	if p.code >= 0 && int(p.code) < len(p.font.known) {
		p.font.latin[p.code], p.font.known[p.code] = l, true
	}
	return nil
}
