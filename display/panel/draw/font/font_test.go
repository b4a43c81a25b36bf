package font

import (
	"image"
	"strings"
	"testing"
)

// needed are the letters of the six languages, and what prices, times and owners' notices
// are written with.
const needed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !\"#$%&'()*+,-./:;<=>?@[]_" +
	"ÆØÅæøåÄÖäöÜüßÉé–’…€°·\u00a0"

func TestEveryFontHasTheLettersOfAllLanguages(t *testing.T) {
	for _, name := range Names() {
		f := Named(name)
		if lacks := f.Lacks(needed); len(lacks) > 0 {
			t.Errorf("%s lacks %q", name, string(lacks))
		}
		if f.Name != name || f.Width <= 0 || f.Ascent <= 0 || f.Descent <= 0 {
			t.Errorf("%s is %+v", name, f)
		}
	}
}

// TestLettersStayInTheirCells: otherwise the ink of one could cover the next.
func TestLettersStayInTheirCells(t *testing.T) {
	for _, name := range Names() {
		f := Named(name)
		cell := image.Rect(0, -f.Ascent, f.Width, f.Descent)
		for r, l := range f.letters {
			if !l.Box.In(cell) {
				t.Errorf("%s: %q lies at %v, its cell is %v", name, r, l.Box, cell)
			}
			if len(l.rows) != l.Box.Dy() {
				t.Errorf("%s: %q has %d rows, its box %d", name, r, len(l.rows), l.Box.Dy())
			}
		}
	}
}

// TestLettersDiffer finds a letter that was copied to another's place: no two may look
// alike, also not a capital O and a zero. A long dash may be as wide as a letter is.
func TestLettersDiffer(t *testing.T) {
	for _, name := range Names() {
		seen := map[string]rune{}
		for _, r := range strings.NewReplacer(" ", "", "\u00a0", "", "–", "").Replace(needed) {
			shape := picture(Named(name), string(r))
			if other, ok := seen[shape]; ok {
				t.Errorf("%s: %q and %q look alike:\n%s", name, r, other, shape)
			}
			seen[shape] = r
		}
	}
}

// picture writes a text with a sign for each dot.
func picture(f *Font, text string) string {
	var out strings.Builder
	for y := -f.Ascent; y < f.Descent; y++ {
		for _, r := range text {
			l, _ := f.Letter(r)
			for x := range f.Width {
				if l.Dot(x, y) {
					out.WriteByte('#')
				} else {
					out.WriteByte('.')
				}
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func TestALetterIsWhatItsFileSays(t *testing.T) {
	const want = `
.........
.........
...#.....
..#......
...##....
..#..#...
..####...
..#......
...##....
.........
`
	got := picture(Named("8x16"), "é")
	if !strings.Contains(got, "#") {
		t.Fatalf("nothing is drawn:\n%s", got)
	}
	got = "\n" + picture(must(t, tiny), "é")
	if got != want {
		t.Errorf("é is\n%s\nwant\n%s", got, want)
	}
}

// tiny is a font of one letter, and of the sign for those that it lacks.
const tiny = `STARTFONT 2.1
FONTBOUNDINGBOX 9 10 0 -2
FONT_ASCENT 8
FONT_DESCENT 2
STARTCHAR U+00E9
ENCODING 233
DWIDTH 9 0
BBX 4 7 2 -1
BITMAP
40
80
60
90
F0
80
60
ENDCHAR
STARTCHAR U+FFFD
ENCODING 65533
DWIDTH 9 0
BBX 1 1 0 0
BITMAP
80
ENDCHAR
ENDFONT
`

func must(t *testing.T, bdf string) *Font {
	t.Helper()
	f, err := Parse(bdf)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWideAndInk(t *testing.T) {
	f := must(t, tiny)
	if got, want := f.Ink("éé"), image.Rect(2, -6, 15, 1); got != want {
		t.Errorf("ink of two letters: %v, want %v", got, want)
	}
	if got := f.Wide("éé"); got != 15 {
		t.Errorf("two letters are %d dots wide, want 15", got)
	}
	if got := f.Wide(""); got != 0 {
		t.Errorf("nothing is %d dots wide", got)
	}
	if l, ok := f.Letter('ж'); ok || !l.Dot(0, -1) {
		t.Errorf("a letter that the font lacks is not the sign for that")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, bdf := range map[string]string{
		"no font":                  "hello",
		"no letters":               "STARTFONT 2.1\nFONTBOUNDINGBOX 5 8 0 -1\nFONT_ASCENT 7\n",
		"no box":                   strings.Replace(tiny, "FONTBOUNDINGBOX 9 10 0 -2\n", "", 1),
		"a box of three numbers":   strings.Replace(tiny, "BBX 4 7 2 -1", "BBX 4 7 2", 1),
		"letters of two widths":    strings.Replace(tiny, "DWIDTH 9 0", "DWIDTH 8 0", 1),
		"a row that is no number":  strings.Replace(tiny, "\n90\n", "\nX0\n", 1),
		"a row that is too short":  strings.Replace(tiny, "BBX 4 7 2 -1", "BBX 9 7 0 -1", 1),
		"a letter that is too big": strings.Replace(tiny, "BBX 4 7 2 -1", "BBX 4 7000 2 -1", 1),
		"a letter without its end": tiny[:strings.Index(tiny, "F0\n")],
	} {
		if _, err := Parse(bdf); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(tiny)
	f.Fuzz(func(t *testing.T, bdf string) {
		font, err := Parse(bdf)
		if err != nil {
			return
		}
		for r, l := range font.letters {
			if l.Box.Dx() > mostWide || l.Box.Dy() > mostHigh {
				t.Errorf("%q is %v", r, l.Box)
			}
		}
	})
}

// BenchmarkParse is what the first picture of a program costs more than the others.
func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range Names() {
			data, err := files.ReadFile(name + ".bdf")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := Parse(string(data)); err != nil {
				b.Fatal(err)
			}
		}
	}
}
