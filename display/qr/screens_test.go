package qr_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/display/qr"
)

// The codes of all kept pictures of a post's display are read by the independent reader:
// as they are, as a phone sees them on a display of that size, and with a tenth spoilt.

// glass is a display: how large its dots are, and from how far away its code is read.
type glass struct {
	name     string
	size     string  // folder of its pictures
	pitch    float64 // of dots, mm
	distance float64 // of the phone, mm
	most     int     // modules of a code that it must have room for
	quiet    int     // dots around a code that are light, at least
	without  []panel.Face
}

// glasses are the displays that there are drivers for. Sizes are those of the data sheets;
// distances are chosen by us: as far away as one holds a phone in front of something so large.
func glasses() []glass {
	// Beside figures and what a button accepts there is no room for a code on an OLED; the sticker leads to the same page.
	figures := []panel.Face{panel.Charging, panel.Suspended, panel.NearLimit, panel.FreeButton}
	return []glass{
		{"OLED 0.96 inch", "128x64", 21.74 / 128, 80, 29, 3, figures},
		{"OLED 2.42 inch", "128x64", 55.01 / 128, 200, 29, 3, figures},
		{"e-paper 2.13 inch", "250x122", 48.55 / 250, 200, 33, 8, nil},
		{"screen of 7 inch", "800x480", 154.08 / 800, 450, 33, 24, nil},
	}
}

// The camera that looks at a display: a preview picture of 1920 dots across 65 degrees, as
// phones read codes from. Chosen by us: what a phone of 2018 does.
const (
	cameraDots = 1920
	cameraWide = 1.274 // of what is seen to the distance: 2 tan(65°/2)
)

// seen is how many dots of the camera one dot of the display has, in each direction.
func (g glass) seen() float64 { return cameraDots / (cameraWide * g.distance) * g.pitch }

// shown is one code in one picture.
type shown struct {
	file string // of the picture, without folder
	text string
	as   []grid // how it may be drawn: with few modules, or with more where there is room
	grid grid   // how it is
}

// shownOn lists the codes that pictures of a size must have: of the page, and where each
// EVSE has its row and its own code, of these. A row's code is shown where there is room.
func shownOn(t *testing.T, g glass, folder string, grids map[string][]grid) (all []shown, may map[string][]string) {
	t.Helper()
	first, second, _ := strings.Cut(folder, "-")
	a, known := display.ParseLang(first)
	b, alsoKnown := display.ParseLang(second)
	if !known || !alsoKnown {
		t.Fatalf("%s: no two languages", folder)
	}
	may = map[string][]string{}
	for _, s := range panel.Samples(a, b) {
		p := s.Scene.Page()
		for _, r := range p.Rows {
			if r.Scan != nil {
				may[s.Name+".png"] = append(may[s.Name+".png"], r.Scan.Text)
			}
		}
		if p.Code == nil || p.Code.Size > g.most || slices.Contains(g.without, p.Face) {
			continue
		}
		all = append(all, shown{file: s.Name + ".png", text: p.Code.Text, as: grids[p.Code.Text]})
	}
	return all, may
}

func TestCodesOfAllPicturesAreRead(t *testing.T) {
	grids := map[string][]grid{}
	for _, text := range addresses() {
		for _, most := range []int{0, 25, 29, 33, 37} { // modules
			c, err := qr.Tough(text, most)
			if err != nil {
				t.Fatal(err)
			}
			grids[text] = append(grids[text], gridOf(c))
		}
	}
	for _, g := range glasses() {
		t.Run(strings.ReplaceAll(g.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			root := filepath.Join("../../testdata/screens", g.size)
			folders, err := os.ReadDir(root)
			if errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("no pictures of %s: go test ./display/panel/draw -update-screens", g.size)
			} else if err != nil {
				t.Fatal(err)
			}
			for i, f := range folders {
				if i > 0 && testing.Short() {
					break
				}
				readFolder(t, g, filepath.Join(root, f.Name()), grids, i == 0)
			}
		})
	}
}

// readFolder reads the pictures in two languages. Codes are the same in all of them, so it
// is enough to look at those of one closely: as the camera does, and spoilt.
func readFolder(t *testing.T, g glass, folder string, grids map[string][]grid, closely bool) {
	codes, may := shownOn(t, g, filepath.Base(folder), grids)
	dir := t.TempDir()
	of := map[string]shown{}
	var files []string
	for i, c := range codes {
		picture := load(t, filepath.Join(folder, c.file))
		at, dots, ok := find(picture, &c)
		if !ok {
			t.Errorf("%s/%s: no code of %s", folder, c.file, c.text)
			continue
		}
		if n := quietAround(picture, at, c.grid.n*dots); n < g.quiet {
			t.Errorf("%s/%s: %d light dots around the code, want %d", folder, c.file, n, g.quiet)
		}
		kept := filepath.Join(folder, c.file)
		files, of[kept] = append(files, kept), c
		if !closely {
			continue
		}
		spoilt := spoil(picture, c.grid, at, dots, uint64(i))
		for name, variant := range map[string]*image.Gray{"seen": g.photo(picture), "spoilt": spoilt, "spoilt-seen": g.photo(spoilt)} {
			file := filepath.Join(dir, fmt.Sprintf("%d-%s-%s", i, name, c.file))
			save(t, file, variant)
			files, of[file] = append(files, file), c
		}
	}
	if len(files) == 0 {
		t.Errorf("%s: no picture has a code", folder)
	}
	found := read(t, files)
	for _, file := range files {
		c := of[file]
		ok := slices.Contains(found[file], c.text)
		for _, text := range found[file] {
			ok = ok && (text == c.text || slices.Contains(may[c.file], text))
		}
		if !ok {
			t.Errorf("%s: %s: read %q, want %q", folder, filepath.Base(file), found[file], c.text)
		}
	}
}

// light says whether a dot is light.
func light(p *image.Gray, x, y int) bool {
	const half = 128
	return p.GrayAt(x, y).Y >= half
}

// find says where the modules of a code lie in a picture, and how many dots wide each is.
func find(p *image.Gray, c *shown) (at image.Point, dots int, ok bool) {
	b := p.Rect
	shade := make([]bool, len(p.Pix))
	for i := range shade {
		shade[i] = light(p, i%p.Stride, i/p.Stride)
	}
	for _, c.grid = range c.as {
		for dots = 16; dots > 0; dots-- {
			for y := range max(0, b.Dy()-c.grid.n*dots+1) {
				for x := range max(0, b.Dx()-c.grid.n*dots+1) {
					if c.grid.liesAt(shade, b.Dx(), x, y, dots) {
						return image.Pt(x, y), dots, true
					}
				}
			}
		}
	}
	return image.Point{}, 0, false
}

// liesAt says whether all modules are there.
func (g grid) liesAt(shade []bool, stride, x, y, dots int) bool {
	for i, dark := range g.dark {
		left, top := x+i%g.n*dots, y+i/g.n*dots
		for _, at := range [][2]int{{0, 0}, {dots - 1, dots - 1}} {
			if shade[(top+at[1])*stride+left+at[0]] == dark {
				return false
			}
		}
	}
	return true
}

// quietAround counts how many dots around a code are light on all sides.
func quietAround(p *image.Gray, at image.Point, width int) int {
	box := image.Rectangle{at, at.Add(image.Pt(width, width))}
	for n := 0; ; n++ {
		ring := box.Inset(-n - 1)
		if !ring.In(p.Rect) {
			return n
		}
		for x := ring.Min.X; x < ring.Max.X; x++ {
			if !light(p, x, ring.Min.Y) || !light(p, x, ring.Max.Y-1) {
				return n
			}
		}
		for y := ring.Min.Y; y < ring.Max.Y; y++ {
			if !light(p, ring.Min.X, y) || !light(p, ring.Max.X-1, y) {
				return n
			}
		}
	}
}

// spoil turns over a tenth of the codewords of a code in a picture, where its level of
// correction allows that.
func spoil(p *image.Gray, g grid, at image.Point, dots int, seed uint64) *image.Gray {
	spoilt := image.NewGray(p.Rect)
	copy(spoilt.Pix, p.Pix)
	if g.level() < 10 { // of a hundred
		return spoilt
	}
	words := g.codewords()
	for _, i := range rand.New(rand.NewPCG(seed, 2)).Perm(len(words))[:(len(words)+9)/10] {
		for _, m := range words[i] {
			box := image.Rect(0, 0, dots, dots).Add(at.Add(image.Pt(m%g.n, m/g.n).Mul(dots)))
			for y := box.Min.Y; y < box.Max.Y; y++ {
				for x := box.Min.X; x < box.Max.X; x++ {
					spoilt.SetGray(x, y, color.Gray{255 - spoilt.GrayAt(x, y).Y})
				}
			}
		}
	}
	return spoilt
}

// photo is what the camera sees: each of its dots is the mean of what lies under it, and
// the display has a frame.
func (g glass) photo(p *image.Gray) *image.Gray {
	const frame = 12 // dots of the display
	const parts = 4  // by which a dot of the camera is measured, in each direction
	zoom := g.seen()
	side := func(n int) int { return int(float64(n+2*frame) * zoom) }
	photo := image.NewGray(image.Rect(0, 0, side(p.Rect.Dx()), side(p.Rect.Dy())))
	for y := range photo.Rect.Max.Y {
		for x := range photo.Rect.Max.X {
			sum := 0
			for i := range parts * parts {
				at := image.Pt(int((float64(x)+float64(i%parts)/parts)/zoom)-frame, int((float64(y)+float64(i/parts)/parts)/zoom)-frame)
				shade := 60 // of the frame
				if at.In(p.Rect) {
					shade = int(p.GrayAt(at.X, at.Y).Y)
				}
				sum += shade
			}
			photo.SetGray(x, y, color.Gray{uint8(sum / (parts * parts))})
		}
	}
	return photo
}

// load gives a picture in shades of grey.
func load(t *testing.T, file string) *image.Gray {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	grey := image.NewGray(p.Bounds())
	draw.Draw(grey, grey.Rect, p, p.Bounds().Min, draw.Src)
	return grey
}

func save(t *testing.T, file string, p image.Image) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	quick := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := errors.Join(quick.Encode(f, p), f.Close()); err != nil {
		t.Fatal(err)
	}
}
