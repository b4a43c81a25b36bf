package draw

import (
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"stolpe/display/panel"
)

// TestEveryWidePicture looks at all that is drawn on the picture of every sample.
func TestEveryWidePicture(t *testing.T) {
	glyphs := &Glyphs{}
	for _, s := range shots(Wide) {
		picture, marks := render(Wide, s.page, Options{Glyphs: glyphs})
		apart(t, s, picture.Rect, marks)
		c := paint(s.page, glyphs)
		coloursApart(t, s, c)
		onTheirGround(t, s, c)
		largeEnough(t, s, c)
		nothingMissing(t, s, c)
		inTwoLanguages(t, s, c)
		fontKnows(t, s, c)
		if has := slices.ContainsFunc(marks, isCode); has != ShowsCode(Wide, s.page) {
			t.Errorf("%s: has a code: %v, ShowsCode says otherwise", s.file(), has)
		}
	}
}

// coloursApart holds every text to the contrast that WCAG 2.2, 1.4.3 asks for. In the sun
// less is left of it, so it asks for the larger of the two there.
func coloursApart(t *testing.T, s shot, c *canvas) {
	for _, at := range c.touched {
		if at.size == 0 {
			continue
		}
		with, over := solids[at.pen.with], solids[at.pen.over]
		if got := contrast(with, over); got < 4.5 {
			t.Errorf("%s: %q is %v on %v: a contrast of %.1f", s.file(), at.what, with, over, got)
		}
	}
}

// contrast is that of two colours as WCAG 2.2 defines it.
func contrast(a, b color.RGBA) float64 {
	light := func(c color.RGBA) float64 {
		value := func(v uint8) float64 {
			if part := float64(v) / 255; part > 0.04045 {
				return math.Pow((part+0.055)/1.055, 2.4)
			}
			return float64(v) / 255 / 12.92
		}
		return 0.2126*value(c.R) + 0.7152*value(c.G) + 0.0722*value(c.B)
	}
	one, two := light(a), light(b)
	return (max(one, two) + 0.05) / (min(one, two) + 0.05)
}

// onTheirGround: otherwise their contrast would be that of other colours. In the box of a
// text there is nothing but its ink, its ground, and the shades between.
func onTheirGround(t *testing.T, s shot, c *canvas) {
	for _, at := range c.touched {
		for y := at.box.Min.Y; y < at.box.Max.Y && at.size > 0; y++ {
			for x := at.box.Min.X; x < at.box.Max.X; x++ {
				i := c.picture.ColorIndexAt(x, y)
				if i != at.pen.with && i != at.pen.over && (i < at.pen.shades || i >= at.pen.shades+solid-1) {
					t.Fatalf("%s: in %q at %v there is colour %d", s.file(), at.what, at.box, i)
				}
			}
		}
	}
}

// largeEnough: what is read is read at an arm's length. Only codes of many characters, which
// most posts do not have, may be smaller.
func largeEnough(t *testing.T, s shot, c *canvas) {
	far := []string{s.page.Price, number(s.page.Energy), number(s.page.Cost), s.page.Left}
	for _, at := range c.touched {
		of := func(r panel.Row) bool { return r.Code == at.what }
		long := len(at.what) > 12 && (at.what == s.page.Post || slices.ContainsFunc(s.page.Rows, of))
		switch {
		case at.size > 0 && at.size < leastWide && !(long && at.size >= codeWide):
			t.Errorf("%s: %q has letters of %d dots", s.file(), at.what, at.size)
		case at.size < bigWide && at.what != "" && slices.Contains(far, at.what):
			t.Errorf("%s: %q has letters of %d dots, and should be seen from afar", s.file(), at.what, at.size)
		}
	}
}

// fontKnows: a letter that it lacks would be a box.
func fontKnows(t *testing.T, s shot, c *canvas) {
	for _, at := range c.touched {
		for _, r := range at.what {
			for _, bold := range []bool{false, true} {
				if found, err := c.letters.font(bold).GlyphIndex(nil, r); at.size > 0 && (err != nil || found == 0) {
					t.Errorf("%s: the font has no %q, as in %q", s.file(), r, at.what)
				}
			}
		}
	}
}

// number is the number of a text with a unit.
func number(text string) string {
	for _, p := range figure(text) {
		if !p.unit {
			return p.text
		}
	}
	return ""
}

// nothingMissing: whatever must give way, these do not.
func nothingMissing(t *testing.T, s shot, c *canvas) {
	all := c.words()
	p := s.page
	want := []string{p.Big[0], p.Big[1], p.Post, p.Price, number(p.Energy), number(p.Cost), p.Left, p.Fault}
	if p.Code != nil {
		want = append(want, "code "+p.Code.Text)
	}
	if p.Code != nil && len(p.Rows) == 0 {
		want = append(want, strings.Fields(p.Caption[0])...)
	}
	if !scanned(p) && len(p.Rows) == 0 && !holds(all, p.Do[0]) && !holds(all, p.ShortDo[0]) {
		want = append(want, p.Do[0])
	}
	for _, fee := range p.Fees {
		want = append(want, strings.Fields(fee[0])...)
	}
	for _, r := range p.Rows {
		want = append(want, r.Code, r.Word[0])
	}
	if p.Stale {
		want = append(want, strings.Fields(p.Updated[0])...)
	}
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("%s: %q is missing; there is %q", s.file(), w, all)
		}
	}
}

// inTwoLanguages holds for ordinary pages: only the longest values push the second one out, and on
// the page of a button, which says most, all parts of the price but what is reserved.
func inTwoLanguages(t *testing.T, s shot, c *canvas) {
	if strings.HasSuffix(s.name, "-long") {
		return
	}
	all := c.words()
	texts := append([]panel.Said{s.page.Big, s.page.VAT}, s.page.Fees...)
	if s.page.Face == panel.FreeButton {
		texts = []panel.Said{s.page.Big, s.page.Fees[0]}
	}
	if len(s.page.Rows) == 0 {
		texts = append(texts, s.page.Caption)
	}
	for _, said := range texts {
		if !holds(all, said[1]) {
			t.Errorf("%s: %q is missing; there is %q", s.file(), said[1], all)
		}
	}
	if !scanned(s.page) && !holds(all, s.page.ShortDo[1]) && !holds(all, s.page.Do[1]) {
		t.Errorf("%s: %q is missing; there is %q", s.file(), s.page.Do[1], all)
	}
}

// words are all texts of a picture.
func (c *canvas) words() string {
	var all []string
	for _, at := range c.touched {
		all = append(all, at.what)
	}
	return strings.Join(all, " ")
}

// holds says whether all words of a text are there; it may stand in several lines.
func holds(all, text string) bool {
	for _, word := range strings.Fields(text) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

func TestTheBandHasTheColourOfTheLight(t *testing.T) {
	for name, want := range map[string]struct {
		light panel.Light
		over  uint8
	}{
		"white":  {panel.Light{Red: 255, Green: 255, Blue: 255}, white},
		"blue":   {panel.Light{Blue: 255}, blue},
		"green":  {panel.Light{Green: 255}, green},
		"yellow": {panel.Light{Red: 255, Green: 255}, yellow},
		"red":    {panel.Light{Red: 255}, red},
		"none":   {panel.Light{}, red},
	} {
		c := paint(panel.Page{Big: panel.Said{"LEDIG", "FREE"}, Light: want.light}, nil)
		if got := c.picture.ColorIndexAt(2, 2); got != want.over || solids[got] != c.picture.Palette[got] {
			t.Errorf("a light that is %s has a band of colour %d, want %d", name, got, want.over)
		}
		if contrast(solids[bandPen(want.light).with], solids[want.over]) < 4.5 {
			t.Errorf("nobody can read what stands on a band that is %s", name)
		}
	}
}

// TestGlyphsChangeNothing: a picture with letters that were kept is the same, also when there
// were too many to keep.
func TestGlyphsChangeNothing(t *testing.T) {
	kept := &Glyphs{}
	for _, s := range shots(Wide)[:40] {
		kept.kept += keptMost / 40
		fresh, again := paint(s.page, nil), paint(s.page, kept)
		if !slices.Equal(fresh.picture.Pix, again.picture.Pix) {
			t.Fatalf("%s is another picture with letters that were kept", s.file())
		}
	}
	if kept.kept > keptMost+keptMost/40 {
		t.Errorf("%d bytes of letters are kept", kept.kept)
	}
}

func BenchmarkWide(b *testing.B) {
	var page panel.Page
	for _, s := range shots(Wide) {
		if s.name == "charging" {
			page = s.page
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			Draw(Wide, page, Options{})
		}
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		glyphs := &Glyphs{}
		for b.Loop() {
			Draw(Wide, page, Options{Glyphs: glyphs})
		}
	})
}
