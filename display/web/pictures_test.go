package web

import (
	"bytes"
	"cmp"
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
	"testing"

	"github.com/chromedp/cdproto/page"

	"stolpe/display"
)

var updateScreens = flag.Bool("update-screens", false, "write the pictures of all pages into testdata/screens")

// pictures is where they stand. They are for people: to look at what a change did
// to a page, and at a language one does not speak.
const pictures = "../../testdata/screens/web"

// colours is how many a picture has at most. Chosen by us: text stays smooth, and
// the picture of a page takes 10 to 30 kB.
const colours = 12

// TestThereIsAPictureOfEveryPage compares names only: what pixels a page is made
// of differs from one browser to the next.
func TestThereIsAPictureOfEveryPage(t *testing.T) {
	var want, have []string
	for _, l := range display.Langs() {
		for _, s := range pictured() {
			want = append(want, filepath.Join(l.Tag(), s.name+".png"))
		}
	}
	err := filepath.WalkDir(pictures, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(pictures, path)
		have = append(have, name)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	const remedy = "go test ./display/web -run TestInABrowser -update-screens"
	for _, name := range want {
		if !slices.Contains(have, name) {
			t.Errorf("there is no picture %s: %s, and look at it", name, remedy)
		}
	}
	for _, name := range have {
		if !slices.Contains(want, name) {
			t.Errorf("no page belongs to the picture %s: remove it", name)
		}
	}
}

// pictured are the screens that have pictures: all but those that look like
// another one to whoever looks.
func pictured() []screen {
	alike := []string{"terms-phone", "free-one-amount", "settling", "refused-unreachable", "charging-at-limit", "paused-fee-starts", "restarting", "code-unheard",
		"free-brand-name", "charging-brand", "out-of-order-near", "end-limit", "end-power-lost", "end-aborted", "end-no-answer", "end-never-plugged", "end-contactor"}
	return slices.DeleteFunc(screens(), func(s screen) bool { return slices.Contains(alike, s.name) })
}

func TestAPictureKeepsItsColours(t *testing.T) {
	from := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		from.Set(i%64, i/64, color.RGBA{uint8(i % 64 * 4), 40, 90, 255}) // 64 shades
	}
	ground := color.RGBA{10, 107, 78, 255}
	draw.Draw(from, image.Rect(0, 0, 64, 48), image.NewUniform(ground), image.Point{}, draw.Src)
	to := fewColours(from)
	if len(to.Palette) != colours {
		t.Errorf("%d colours, want %d", len(to.Palette), colours)
	}
	if got := color.RGBAModel.Convert(to.At(3, 3)); got != ground {
		t.Errorf("the ground is %v, want %v", got, ground)
	}
}

// picture writes the page that is open, from top to end.
func (x *tab) picture(s screen, l display.Lang) {
	x.t.Helper()
	if !slices.ContainsFunc(pictured(), func(p screen) bool { return p.name == s.name }) {
		return
	}
	height := eval[float64](x, "Math.max(document.documentElement.scrollHeight, innerHeight)")
	phone, _, _, _ := views()
	beyond := true
	shot := do(x, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &beyond,
		Clip: &page.Viewport{Width: float64(phone.width), Height: height, Scale: 1}})
	full, err := png.Decode(bytes.NewReader(shot.Data))
	if err != nil {
		x.t.Fatalf("read the picture: %v", err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, fewColours(full)); err != nil {
		x.t.Fatalf("write the picture: %v", err)
	}
	file := filepath.Join(pictures, l.Tag(), s.name+".png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(file, small.Bytes(), 0o644); err != nil {
		x.t.Fatal(err)
	}
}

// fewColours draws a picture with the colours it has most of.
func fewColours(from image.Image) *image.Paletted {
	count := map[color.RGBA]int{}
	b := from.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)]++
		}
	}
	var all []color.RGBA
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(p, q color.RGBA) int {
		return cmp.Or(cmp.Compare(count[q], count[p]), cmp.Compare(p.R, q.R), cmp.Compare(p.G, q.G), cmp.Compare(p.B, q.B))
	})
	var palette color.Palette
	add := func(least, apart int) {
		for _, c := range all {
			if len(palette) < colours && count[c] >= least && far(c, palette) >= apart {
				palette = append(palette, c)
			}
		}
	}
	add(b.Dx()*b.Dy()/500, 1) // grounds
	for apart := 96; apart > 0; apart /= 2 {
		add(1, apart) // then those that differ most
	}
	to := image.NewPaletted(b, palette)
	draw.Draw(to, b, from, b.Min, draw.Src)
	return to
}

// far says how far a colour is from the nearest in the palette: the sum of its
// differences in red, green and blue.
func far(c color.RGBA, palette color.Palette) int {
	nearest := 3 * 256
	for _, p := range palette {
		p, sum := p.(color.RGBA), 0
		for _, d := range []int{int(c.R) - int(p.R), int(c.G) - int(p.G), int(c.B) - int(p.B)} {
			sum += max(d, -d)
		}
		nearest = min(nearest, sum)
	}
	return nearest
}
