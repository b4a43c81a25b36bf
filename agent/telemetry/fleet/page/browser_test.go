package page

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"stolpe/agent/telemetry"
	"stolpe/cross/chromium"
)

var updateScreens = flag.Bool("update-screens", false, "write the pictures of the pages into testdata/screens")

// tab is a tab of a browser that asks for the pages as somebody.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string
}

// open opens a tab; what it asks for is asked as everybody.
func open(t *testing.T, b chromium.Browser, s *stage) *tab {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set(SecretHeader, secret) // as a proxy does
		r.Header.Set("Remote-User", "everybody")
		s.pages.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(s.ends) })
	ctx, stop := chromedp.NewContext(b.Ctx)
	t.Cleanup(stop)
	return &tab{t, ctx, server.URL}
}

func run[T any](x *tab, what string, a chromedp.Action[T]) T {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		x.t.Fatalf("%s: %v", what, err)
	}
	return v
}

func eval[T any](x *tab, expression string) T {
	x.t.Helper()
	return run(x, expression[:min(len(expression), 40)], chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// look sets the width of the window, CSS px, and the colours.
func (x *tab) look(width int64, scheme string) {
	x.t.Helper()
	_, err := chromedp.Call(x.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 844, DeviceScaleFactor: 1, Mobile: width < 1000})
	if err != nil {
		x.t.Fatal(err)
	}
	_, err = chromedp.Call(x.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err != nil {
		x.t.Fatal(err)
	}
}

// text sets the size of the text as the reader has set it, CSS px.
func (x *tab) text(size int64) {
	x.t.Helper()
	if _, err := chromedp.Call(x.ctx, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: size, Fixed: size}}); err != nil {
		x.t.Fatal(err)
	}
}

// measure fails for what cannot be read or tapped, and what axe finds.
func (x *tab) measure(view, rules string) {
	x.t.Helper()
	for _, script := range []string{chromium.Measuring, chromium.Audit(rules)} {
		for _, bad := range eval[[]string](x, script) {
			x.t.Errorf("%s: %s", view, bad)
		}
	}
}

// picture writes a picture for people.
func (x *tab) picture(name string) {
	x.t.Helper()
	if !*updateScreens {
		return
	}
	beyond := true
	width, height := eval[float64](x, "document.documentElement.clientWidth"), eval[float64](x, "document.documentElement.scrollHeight")
	shot, err := chromedp.Call(x.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: width, Height: height, Scale: 1}})
	if err != nil {
		x.t.Fatal(err)
	}
	small, err := chromium.Picture(shot.Data)
	if err != nil {
		x.t.Fatal(err)
	}
	file := filepath.Join("..", "..", "..", "..", "testdata", "screens", "fleet", name+".png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(file, small, 0o644); err != nil {
		x.t.Fatal(err)
	}
}

func TestPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: the fleet's pages in a real browser")
	}
	b := chromium.Launch(t)
	s := newStage(t)
	x := open(t, b, s)
	for _, shown := range []struct{ name, path string }{{"list", "/"}, {"post", "/posts/acme/A2"}} {
		x.look(390, "light")
		run(x, "open "+shown.path, chromedp.Navigate(x.url+shown.path))
		eval[chromedp.Void](x, `for (const d of document.querySelectorAll("details")) d.open = true`)
		eval[chromedp.Void](x, b.Axe)
		x.measure(shown.name+" at 390 px", chromium.AA)
		x.picture(shown.name)
		x.look(320, "dark")
		x.measure(shown.name+" at 320 px, dark", chromium.Looks)
		x.text(32)
		x.look(390, "light")
		x.measure(shown.name+" with text of twice the size", chromium.Looks)
		x.text(16)
		x.look(1280, "light")
		x.measure(shown.name+" at 1280 px", chromium.Looks)
	}
	x.alive(s)
}

// alive holds that the page changes by itself, and that its policy lets it.
func (x *tab) alive(s *stage) {
	x.t.Helper()
	run(x, "open /", chromedp.Navigate(x.url+"/"))
	if err := s.fleet.Take(now(), "acme", "A1", telemetry.StateLeaf.Of(1), []byte(`{"v":1,"state":"paying"}`), false); err != nil {
		x.t.Fatal(err)
	}
	text := eval[string](x, `new Promise(done => { const look = () => {
		const e = document.querySelector("[data-n='acme/A1/1']");
		if (e.textContent === "paying") done(e.textContent + document.getElementById("live").textContent); else setTimeout(look, 20);
	}; look(); })`)
	if !strings.HasPrefix(text, "paying") || !strings.Contains(text, "Live.") {
		x.t.Errorf("the page says %q", text)
	}
	if eval[bool](x, `document.getElementById("again").checkVisibility()`) {
		x.t.Error("the list has not changed, and the page says so")
	}
	if err := s.fleet.Reach(now(), "acme", "A9", true); err != nil {
		x.t.Fatal(err)
	}
	eval[chromedp.Void](x, `new Promise(done => { const look = () => { if (document.getElementById("again").checkVisibility()) done(); else setTimeout(look, 20); }; look(); })`)
}
