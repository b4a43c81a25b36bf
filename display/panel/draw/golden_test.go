package draw

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
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
	for _, langs := range pairs {
		for _, s := range panel.Samples(langs[0], langs[1]) {
			page := s.Scene.Page()
			for _, size := range sizes {
				all = append(all, shot{size, langs, s.Name, page})
			}
		}
	}
	return all
}

func (s shot) file() string {
	return filepath.Join(s.size.String(), s.langs.String(), s.name+".png")
}

// kept says whether the picture stands in a file. Of Wide pictures those of one pair of
// languages do: all of them would be as large as the rest of the project.
func (s shot) kept() bool { return s.size != Wide || s.langs == pairs()[0] }

func TestPicturesAreAsKept(t *testing.T) {
	glyphs := &Glyphs{}
	for _, s := range shots(Sizes()...) {
		if !s.kept() {
			continue
		}
		t.Run(strings.TrimSuffix(s.file(), ".png"), func(t *testing.T) {
			picture := Draw(s.size, s.page, Options{Glyphs: glyphs})
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
		if s.kept() {
			want = append(want, s.file())
		}
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

// TestTheOtherPicturesAreAsKept holds the Wide pictures of all other languages to their sums.
func TestTheOtherPicturesAreAsKept(t *testing.T) {
	if testing.Short() && !*updateScreens {
		t.Skip("left out: pictures of 800x480 in four other pairs of languages")
	}
	glyphs := &Glyphs{}
	var sums strings.Builder
	for _, s := range shots(Wide) {
		if !s.kept() {
			picture, _ := render(Wide, s.page, Options{Glyphs: glyphs})
			sum := sha256.New()
			fmt.Fprintln(sum, picture.Rect, picture.Palette)
			sum.Write(picture.Pix)
			fmt.Fprintf(&sums, "%x  %s\n", sum.Sum(nil)[:8], s.file())
		}
	}
	file := filepath.Join(screens, Wide.String()+".sums")
	if *updateScreens {
		if err := os.WriteFile(file, []byte(sums.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(kept), "\n"), strings.Split(sums.String(), "\n")
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("not as kept: %s. Look at it (stolpe display preview); if it is meant: go test ./display/panel/draw -update-screens", line)
		}
	}
	if len(was) != len(is) {
		t.Errorf("%d sums are kept, of %d pictures", len(was)-1, len(is)-1)
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
	if err := errors.Join(pack.Encode(f, picture), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// sameDots compares two pictures with the same table of colours: that is fast, and how
// pictures are alike as a rule.
func sameDots(a, b image.Image) bool {
	one, ok := a.(*image.Paletted)
	other, also := b.(*image.Paletted)
	if !ok || !also || len(one.Palette) != len(other.Palette) {
		return false
	}
	for i := range one.Palette {
		if !alike(one.Palette[i], other.Palette[i]) {
			return false
		}
	}
	return slices.Equal(one.Pix, other.Pix)
}

// different counts the dots that are not alike; pictures of different sizes are so all over.
func different(a, b image.Image) (n int, first image.Point) {
	if a.Bounds() != b.Bounds() {
		return a.Bounds().Dx() * a.Bounds().Dy(), a.Bounds().Min
	}
	if sameDots(a, b) {
		return 0, first
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
