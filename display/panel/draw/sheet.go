package draw

import (
	"image"

	"stolpe/display/panel"
	"stolpe/display/panel/draw/font"
)

// sheet is a mono picture being drawn.
type sheet struct {
	picture *image.Paletted
	ink     uint8 // index of the colour that is drawn with
	off     image.Point
	marks   []mark
}

// newSheet makes an empty picture: dark with lit ink, or white with black ink.
func newSheet(size Size, ink uint8) *sheet {
	s := &sheet{picture: image.NewPaletted(image.Rectangle{Max: size.Dots()}, blackWhite()), ink: ink}
	for i := range s.picture.Pix {
		s.picture.Pix[i] = 1 - ink
	}
	return s
}

// note keeps what lies where.
func (s *sheet) note(what string, box image.Rectangle, cut bool) {
	s.marks = append(s.marks, mark{what, box.Add(s.off), cut})
}

// dot sets a dot. What lies outside the picture is lost, and found by the test of marks.
func (s *sheet) dot(x, y int, ink uint8) {
	at := image.Pt(x, y).Add(s.off)
	if at.In(s.picture.Rect) {
		s.picture.SetColorIndex(at.X, at.Y, ink)
	}
}

func (s *sheet) fill(box image.Rectangle, ink uint8) {
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			s.dot(x, y, ink)
		}
	}
}

// text writes a line whose first letter stands at x, with its baseline at y.
func (s *sheet) text(f *font.Font, x, y int, text string) {
	s.write(f, x, y, text, s.ink)
	s.note(text, f.Ink(text).Add(image.Pt(x, y)), false)
}

func (s *sheet) write(f *font.Font, x, y int, text string, ink uint8) {
	for _, r := range text {
		l, _ := f.Letter(r)
		for dy := l.Box.Min.Y; dy < l.Box.Max.Y; dy++ {
			for dx := l.Box.Min.X; dx < l.Box.Max.X; dx++ {
				if l.Dot(dx, dy) {
					s.dot(x+dx, y+dy, ink)
				}
			}
		}
		x += f.Width
	}
}

// band writes a text in the colour of the ground, in the middle of a bar of ink.
func (s *sheet) band(f *font.Font, box image.Rectangle, y int, text string) {
	s.fill(box, s.ink)
	ink := f.Ink(text)
	s.write(f, box.Min.X+(box.Dx()-ink.Dx())/2-ink.Min.X, y, text, 1-s.ink)
	s.note(text, box, false)
}

// bar draws how much of the reservation is used, in thousandths.
func (s *sheet) bar(box image.Rectangle, used int) {
	s.fill(box, s.ink)
	s.fill(box.Inset(1), 1-s.ink)
	room := box.Inset(2)
	room.Max.X = room.Min.X + room.Dx()*min(max(used, 0), 1000)/1000
	s.fill(room, s.ink)
	s.note("bar", box, false)
}

// Quiet zones. ISO/IEC 18004 asks for 4 modules; readers of today manage with less, and a
// module of three dots instead of two gains more than the missing quarter of a module costs.
// Around an e-paper there is white as well; around an OLED there is dark.
const (
	quietPaper = 5 // least, half modules
	quietSmall = 3 // least, half modules
)

// least is the width of a module that a camera still reads, in dots: see the pictures that
// a test reads after scaling.
const least = 2

// scale gives how many dots a module of a code may be wide in a square of so many dots,
// with a quiet zone of at least so many half modules; 0 where the code is too dense, and
// for none.
func scale(c *panel.Code, square, quiet int) int {
	if c == nil || c.Size <= 0 {
		return 0
	}
	if dots := square / (c.Size + quiet); dots >= least {
		return dots
	}
	return 0
}

// code draws a code in the middle of a square, dark on light whatever the ground is. It is
// moved from there by up to one dot each way, where three modules of quiet zone remain.
func (s *sheet) code(c *panel.Code, square image.Rectangle, dots int, move image.Point) {
	s.fill(square, 1)
	margin := (square.Dx() - c.Size*dots) / 2
	at := square.Min.Add(image.Pt(margin, margin))
	if margin-1 >= 3*dots {
		at = at.Add(move)
	}
	for y := range c.Size {
		for x := range c.Size {
			if c.Dark(x, y) {
				s.fill(image.Rect(x*dots, y*dots, x*dots+dots, y*dots+dots).Add(at), 0)
			}
		}
	}
	s.note("code "+c.Text, square, false)
}
