package draw

import (
	"errors"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stolpe/display"
	"stolpe/display/panel"
)

var updateScreens = flag.Bool("update-screens", false, "write the pictures of all pages into testdata/screens")

// screens is where the pictures stand: size, languages, sample. They are compared dot by
// dot, and looked at by people whenever one changes.
const screens = "../../../testdata/screens"

// pair is the two languages of a display, as a folder is named after them.
type pair [2]display.Lang

func (p pair) String() string { return p[0].Tag() + "-" + p[1].Tag() }

// pairs are those that posts have: the language of the country, and the one that strangers
// read; in Finland its two.
func pairs() []pair {
	return []pair{{display.NB, display.EN}, {display.SV, display.EN}, {display.DA, display.EN}, {display.FI, display.SV}, {display.DE, display.EN}}
}

// everyPair is each language with each, also with itself: an owner may choose any.
func everyPair() []pair {
	var all []pair
	for _, a := range display.Langs() {
		for _, b := range display.Langs() {
			all = append(all, pair{a, b})
		}
	}
	return all
}

// shot is one picture of the table of samples.
type shot struct {
	size  Size
	langs pair
	name  string
	page  panel.Page
}

// shots are all pictures that are kept; without the long tests those of one pair of
// languages.
func shots(sizes ...Size) []shot {
	if testing.Short() && !*updateScreens {
		return taken(pairs()[:1], sizes)
	}
	return taken(pairs(), sizes)
}

func taken(pairs []pair, sizes []Size) []shot {
	var all []shot
	for i, langs := range pairs {
		for _, s := range panel.Samples(langs[0], langs[1]) {
			page := s.Scene.Page()
			for _, size := range sizes {
				if size != Wide || i == 0 { // its layout leaves more room than any of the languages takes
					all = append(all, shot{size, langs, s.Name, page})
				}
			}
		}
	}
	return all
}

func (s shot) file() string {
	return filepath.Join(s.size.String(), s.langs.String(), s.name+".png")
}

func TestPicturesAreAsKept(t *testing.T) {
	for _, s := range shots(Sizes()...) {
		t.Run(strings.TrimSuffix(s.file(), ".png"), func(t *testing.T) {
			picture := Draw(s.size, s.page, Options{})
			if *updateScreens {
				write(t, filepath.Join(screens, s.file()), picture)
				return
			}
			kept := read(t, filepath.Join(screens, s.file()))
			if n, first := different(kept, picture); n > 0 {
				beside := filepath.Join(os.TempDir(), "stolpe-screens", s.file())
				write(t, beside, compared(kept, picture))
				t.Errorf("%d dots differ, the first at %v. Look at %s: as kept, as drawn, what differs. If it is meant: go test ./display/panel/draw -update-screens", n, first, beside)
			}
		})
	}
}

func TestEveryKeptPictureIsOfASample(t *testing.T) {
	var want []string
	for _, s := range taken(pairs(), Sizes()) {
		want = append(want, s.file())
	}
	for _, size := range Sizes() {
		err := filepath.WalkDir(filepath.Join(screens, size.String()), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(screens, path)
			if err == nil && !slices.Contains(want, name) {
				t.Errorf("no sample belongs to the picture %s: remove it", name)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, file string) image.Image {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatalf("%v: go test ./display/panel/draw -update-screens, and look at it", err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return picture
}

func write(t *testing.T, file string, picture image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	pack := png.Encoder{CompressionLevel: png.BestCompression}
	if small, ok := fewColours(picture); ok {
		picture = small
	}
	if err := errors.Join(pack.Encode(f, picture), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// fewColours is the same picture with a table of its colours, where they are so few: a file
// of a third of the size.
func fewColours(picture image.Image) (image.Image, bool) {
	colours, ok := picture.(*image.RGBA)
	if !ok {
		return nil, false
	}
	few := image.NewPaletted(picture.Bounds(), nil)
	index := map[color.RGBA]uint8{}
	for i := 0; i < len(colours.Pix); i += 4 {
		c := color.RGBA{colours.Pix[i], colours.Pix[i+1], colours.Pix[i+2], colours.Pix[i+3]}
		n, known := index[c]
		if !known {
			if len(few.Palette) == 256 {
				return nil, false
			}
			n = uint8(len(few.Palette))
			index[c], few.Palette = n, append(few.Palette, c)
		}
		few.Pix[i/4] = n
	}
	return few, true
}

// different counts the dots that are not alike; pictures of different sizes are so all over.
func different(a, b image.Image) (n int, first image.Point) {
	if a.Bounds() != b.Bounds() {
		return a.Bounds().Dx() * a.Bounds().Dy(), a.Bounds().Min
	}
	one, two := coloured(a), coloured(b)
	for i := 0; i < len(one.Pix); i += 4 {
		if [4]uint8(one.Pix[i:]) == [4]uint8(two.Pix[i:]) {
			continue
		}
		if n++; n == 1 {
			first = image.Pt(i%one.Stride/4, i/one.Stride)
		}
	}
	return n, first
}

// coloured is the same picture, with its colours at each dot.
func coloured(picture image.Image) *image.RGBA {
	all := image.NewRGBA(image.Rectangle{Max: picture.Bounds().Size()})
	draw.Draw(all, all.Rect, picture, picture.Bounds().Min, draw.Src)
	return all
}

func alike(a, b color.Color) bool {
	return color.RGBAModel.Convert(a) == color.RGBAModel.Convert(b)
}

// compared puts two pictures and what differs below each other, each dot three dots large
// where they are small.
func compared(kept, drawn image.Image) image.Image {
	zoom := 1
	if drawn.Bounds().Dx() < 400 {
		zoom = 3
	}
	size := kept.Bounds().Union(drawn.Bounds()).Size().Mul(zoom)
	const gap = 8 // dots
	all := image.NewRGBA(image.Rect(0, 0, size.X+2*gap, 3*size.Y+4*gap))
	draw.Draw(all, all.Rect, image.NewUniform(color.RGBA{0, 60, 120, 255}), image.Point{}, draw.Src)
	for i := range 3 {
		for y := range size.Y {
			for x := range size.X {
				at := image.Pt(x/zoom, y/zoom)
				c := []color.Color{kept.At(at.X, at.Y), drawn.At(at.X, at.Y), color.Gray{40}}[i]
				if i == 2 && !alike(kept.At(at.X, at.Y), drawn.At(at.X, at.Y)) {
					c = color.RGBA{255, 80, 80, 255}
				}
				all.Set(gap+x, gap+i*(size.Y+gap)+y, c)
			}
		}
	}
	return all
}
