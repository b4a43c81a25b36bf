package draw

import (
	"image"
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"stolpe/display/panel"
)

// style is how a letter of a Wide picture looks.
type style struct {
	size int // of the letters, from one line to the next without a gap, dots
	bold bool
}

// letter is one letter, ready to be put into a picture.
type letter struct {
	ink     image.Rectangle // seen from its place on the baseline
	dots    []uint8         // how much of each dot of it is ink, 0 to solid, row by row
	advance int             // dots
}

// keptMost is how much of letters is kept. Chosen by us: a page has about 60 different ones
// of 2 kB, and a display has some dozens of pages.
const (
	keptMost   = 1 << 20 // bytes
	codesMost  = 16      // codes; two for each of eight EVSEs
	shapesMost = 4000    // letters that have been measured; some 200 kB
)

// Glyphs keeps what the letters of Wide pictures look like from one picture to the next:
// making them anew takes most of the time of a drawing. The zero value keeps none yet. It is
// for one drawing at a time.
type Glyphs struct {
	fonts  map[bool]*opentype.Font // bold or not
	faces  map[style]font.Face
	shapes map[written]shape
	made   map[written]letter
	kept   int                    // bytes
	codes  map[string]*panel.Code // by what they say, with as much error correction as there is room for
}

// written is a letter in a style.
type written struct {
	style
	r rune
}

// face gives the font of a style.
func (l *Glyphs) face(s style) font.Face {
	if f, ok := l.faces[s]; ok {
		return f
	}
	f, err := opentype.NewFace(l.font(s.bold), &opentype.FaceOptions{Size: float64(s.size), DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(err) // likewise
	}
	if l.faces == nil {
		l.faces = map[style]font.Face{}
	}
	l.faces[s] = f
	return f
}

// font gives the letters of all sizes.
func (l *Glyphs) font(bold bool) *opentype.Font {
	if f, ok := l.fonts[bold]; ok {
		return f
	}
	data := gomedium.TTF
	if bold {
		data = gobold.TTF
	}
	f, err := opentype.Parse(data)
	if err != nil {
		panic(err) // part of this program: our bug
	}
	if l.fonts == nil {
		l.fonts = map[bool]*opentype.Font{}
	}
	l.fonts[bold] = f
	return f
}

// letter gives a letter of a style. What the font does not have is a box, as fonts do.
func (l *Glyphs) letter(s style, r rune) letter {
	key := written{s, r}
	if made, ok := l.made[key]; ok {
		return made
	}
	box, mask, from, advance, _ := l.face(s).Glyph(fixed.Point26_6{}, r)
	made := letter{ink: box, advance: advance.Round(), dots: make([]uint8, 0, box.Dx()*box.Dy())}
	for y := range box.Dy() {
		for x := range box.Dx() {
			made.dots = append(made.dots, coarse(color.AlphaModel.Convert(mask.At(from.X+x, from.Y+y)).(color.Alpha).A))
		}
	}
	if l.kept += len(made.dots); l.made == nil || l.kept > keptMost {
		l.made, l.kept = map[written]letter{}, len(made.dots)
	}
	l.made[key] = made
	return made
}

// solid is a dot that is all ink; there are three shades between that and none. Nobody sees
// more of them on letters as large as these, and a picture has 16 colours then.
const solid = 4

// coarse gives the shade of a dot of which so many 255ths are ink.
func coarse(a uint8) uint8 { return uint8((int(a)*solid + 127) / 255) }

// tough gives a code with as much error correction as there is room for.
func (l *Glyphs) tough(c *panel.Code) *panel.Code {
	if made, ok := l.codes[c.Text]; ok {
		return made
	}
	if l.codes == nil || len(l.codes) >= codesMost {
		l.codes = map[string]*panel.Code{}
	}
	made := c.Tough(toughMost)
	l.codes[c.Text] = made
	return made
}

// shape is the room a letter takes, without its dots.
type shape struct {
	box     image.Rectangle // of what is seen, at most
	advance int             // dots
}

// shape measures a letter.
func (l *Glyphs) shape(s style, r rune) shape {
	key := written{s, r}
	if known, ok := l.shapes[key]; ok {
		return known
	}
	b, advance, _ := l.face(s).GlyphBounds(r)
	if l.shapes == nil || len(l.shapes) >= shapesMost {
		l.shapes = map[written]shape{}
	}
	known := shape{image.Rect(b.Min.X.Floor(), b.Min.Y.Floor(), b.Max.X.Ceil(), b.Max.Y.Ceil()), advance.Round()}
	l.shapes[key] = known
	return known
}

// wide is how much room a text takes, in dots.
func (l *Glyphs) wide(s style, text string) int {
	sum := 0
	for _, r := range text {
		sum += l.shape(s, r).advance
	}
	return sum
}

// ink is the box of what is seen of a text that begins at the origin of the baseline.
func (l *Glyphs) ink(s style, text string) image.Rectangle {
	var box image.Rectangle
	x := 0
	for _, r := range text {
		known := l.shape(s, r)
		box = box.Union(known.box.Add(image.Pt(x, 0)))
		x += known.advance
	}
	return box
}
