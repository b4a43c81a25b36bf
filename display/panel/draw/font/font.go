// Package font has the letters of displays of few dots: fonts of fixed width, each dot of
// them set by hand, with the letters of all Nordic languages and of German.
//
// # Why
//
// At eight or sixteen dots of height an outline font is grey mush, so these are bitmaps,
// drawn for such sizes and known from consoles and terminals. They are kept as BDF, which a
// person can read and correct; LICENCES.txt says where they come from. A font is read at
// its first use: a post without a display pays for none.
package font

import (
	"embed"
	"fmt"
	"image"
	"sync"
)

//go:embed *.bdf
var files embed.FS

// Font is one size of letters, all of the same width.
type Font struct {
	Name    string
	Width   int // of each letter with the space after it, dots
	Ascent  int // from the top of the line to the baseline, dots
	Descent int // from the baseline to the end of the line, dots
	letters map[rune]Letter
	latin   [256]Letter // of them those of Latin-1, which nearly all are, to be found at once
	known   [256]bool
}

// Letter is the ink of one letter.
type Letter struct {
	Box  image.Rectangle // around its ink, from the baseline at the letter's left edge; y grows downwards
	rows []uint64        // one for each row of Box, the leftmost dot in the highest bit
}

// Names are those of all fonts: width and height in dots.
func Names() []string {
	return []string{"5x8", "6x12", "6x12bold", "8x16", "8x16bold", "10x20bold", "12x24bold", "16x32bold"}
}

// table reads each font, once and only when it is asked for.
var table = sync.OnceValue(func() map[string]func() *Font {
	fonts := map[string]func() *Font{}
	for _, name := range Names() {
		fonts[name] = sync.OnceValue(func() *Font { return load(name) })
	}
	return fonts
})

func load(name string) *Font {
	data, err := files.ReadFile(name + ".bdf")
	if err != nil {
		panic(err)
	}
	f, err := Parse(string(data))
	if err != nil {
		panic(fmt.Errorf("font %s: %w", name, err))
	}
	f.Name = name
	return f
}

// Named gives one of the fonts. It panics at a name that none has: names and fonts are part
// of the program, as its code is.
func Named(name string) *Font {
	if font, ok := table()[name]; ok {
		return font()
	}
	panic("no font is named " + name)
}

// Letter gives the ink of a letter. One that the font does not have is the sign for that,
// so a gap in a text is never silent; ok says whether it has it.
func (f *Font) Letter(r rune) (l Letter, ok bool) {
	if r >= 0 && int(r) < len(f.known) && f.known[r] {
		return f.latin[r], true
	}
	if l, ok = f.letters[r]; ok {
		return l, true
	}
	if l, known := f.letters['\uFFFD']; known {
		return l, false
	}
	return f.letters['?'], false
}

// Dot says whether there is ink at a place inside the letter's Box.
func (l Letter) Dot(x, y int) bool {
	x, y = x-l.Box.Min.X, y-l.Box.Min.Y
	if y < 0 || y >= len(l.rows) || x < 0 || x >= l.Box.Dx() {
		return false
	}
	return l.rows[y]>>(63-x)&1 == 1
}

// Wide gives the width of a text, in dots. The space after the last letter is none of it.
func (f *Font) Wide(text string) int {
	return f.Ink(text).Max.X
}

// Ink gives the box around the ink of a text whose first letter stands at x = 0 with its
// baseline at y = 0. It is empty where nothing would be drawn.
func (f *Font) Ink(text string) image.Rectangle {
	var all image.Rectangle
	x := 0
	for _, r := range text {
		l, _ := f.Letter(r)
		all = all.Union(l.Box.Add(image.Pt(x, 0)))
		x += f.Width
	}
	return all
}

// Lacks gives the letters of a text that the font does not have.
func (f *Font) Lacks(text string) []rune {
	var missing []rune
	for _, r := range text {
		if _, ok := f.Letter(r); !ok {
			missing = append(missing, r)
		}
	}
	return missing
}
