package web

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/page"

	"stolpe/cross/chromium"
	"stolpe/display"
)

var updateScreens = flag.Bool("update-screens", false, "write the pictures of all pages into testdata/screens")

// pictures is where they stand. They are for people: to look at what a change did
// to a page, and at a language one does not speak.
const pictures = "../../testdata/screens/web"

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
	small, err := chromium.Picture(shot.Data)
	if err != nil {
		x.t.Fatal(err)
	}
	file := filepath.Join(pictures, l.Tag(), s.name+".png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(file, small, 0o644); err != nil {
		x.t.Fatal(err)
	}
}
