package draw

import (
	"image"
	"strings"
	"testing"

	"stolpe/display/panel/draw/font"
)

// TestEveryPicture looks at the boxes of all that is drawn, in every pair of languages.
func TestEveryPicture(t *testing.T) {
	langs := everyPair()
	if testing.Short() {
		langs = pairs()[:1]
	}
	all := taken(langs, []Size{Small, Paper})
	for _, s := range all {
		picture, marks := render(s.size, s.page, Options{})
		apart(t, s, picture.Bounds(), marks)
		complete(t, s, marks)
		if s.size == Small {
			for _, size := range lcds() {
				lettersFit(t, size, s)
				lettersMatter(t, size, s)
			}
		}
	}
}

// TestMovedPicturesHaveRoom: wherever the picture of an OLED is moved to, all of it is there.
func TestMovedPicturesHaveRoom(t *testing.T) {
	for _, s := range shots(Small) {
		picture, marks := render(s.size, s.page, Options{Shift: image.Pt(ShiftMost, ShiftMost)})
		apart(t, s, picture.Bounds(), marks)
	}
}

// apart finds what is cut off, what is not in the picture, and what covers another thing.
func apart(t *testing.T, s shot, picture image.Rectangle, marks []mark) {
	t.Helper()
	for i, m := range marks {
		switch {
		case m.cut && !owners(s, m.what):
			t.Errorf("%s: %q has no room", s.file(), m.what)
		case !m.box.In(picture):
			t.Errorf("%s: %q at %v is not in the picture of %v", s.file(), m.what, m.box, picture.Max)
		}
		for _, other := range marks[:i] {
			if m.box.Overlaps(other.box) {
				t.Errorf("%s: %q at %v and %q at %v cover each other", s.file(), m.what, m.box, other.what, other.box)
			}
		}
	}
}

// owners says whether a text is the owner's, which may be cut at a word.
func owners(s shot, text string) bool {
	return strings.HasPrefix(strings.Join(s.page.Notice[:], " "), strings.TrimSuffix(text, "…"))
}

// TestOnlyMarksHaveInk: otherwise the test above would not see all that is drawn.
func TestOnlyMarksHaveInk(t *testing.T) {
	for _, s := range shots(Small, Paper) {
		picture, marks := render(s.size, s.page, Options{})
		ink := uint8(1)
		if s.size == Paper {
			ink = 0
		}
		for i, index := range picture.Pix {
			at := image.Pt(i%picture.Stride, i/picture.Stride)
			if index == ink && !covered(marks, at) {
				t.Errorf("%s: the dot at %v belongs to nothing", s.file(), at)
				break
			}
		}
	}
}

func covered(marks []mark, at image.Point) bool {
	for _, m := range marks {
		if at.In(m.box) {
			return true
		}
	}
	return false
}

// TestEveryLetterIsThere: a letter that a font lacks is drawn as the sign for that.
func TestEveryLetterIsThere(t *testing.T) {
	for _, s := range shots(Small, Paper) {
		_, marks := render(s.size, s.page, Options{})
		for _, m := range marks {
			if strings.HasPrefix(m.what, "code ") {
				continue
			}
			for _, name := range font.Names() {
				if lacks := font.Named(name).Lacks(m.what); len(lacks) > 0 {
					t.Errorf("%s: %q: font %s has no %q", s.file(), m.what, name, string(lacks))
				}
			}
		}
	}
}

func TestTurned(t *testing.T) {
	for _, s := range shots(Sizes()...)[:3] {
		straight, turned := Draw(s.size, s.page, Options{}), Draw(s.size, s.page, Options{Turned: true})
		end := straight.Bounds().Max
		for y := range end.Y {
			for x := range end.X {
				if !alike(straight.At(x, y), turned.At(end.X-1-x, end.Y-1-y)) {
					t.Fatalf("%s: the dot at %d,%d is not turned by 180 degrees", s.file(), x, y)
				}
			}
		}
	}
}
