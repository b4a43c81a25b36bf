package kiosk

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"stolpe/cross/chromium"
)

// patience is how long a browser may take for one thing. A test that hangs ends; nothing is
// measured by it.
const patience = time.Minute

// tab is an open page.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T, b chromium.Browser, script bool) tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(b.Ctx)
	t.Cleanup(stop)
	x := tab{t, ctx}
	err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok && e.Entry.Source != log.EntrySourceNetwork { // that the server is gone
			t.Errorf("the browser says: %s: %s", e.Entry.Source, e.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	call(x, log.Enable, cdp.Empty{})
	call(x, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !script})
	return x
}

func call[P, R any](x tab, command cdp.Command[P, R], params P) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		x.t.Fatalf("%s: %v", command.Method, err)
	}
}

func eval[T any](x tab, expression string) T {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		x.t.Fatalf("%.80s: %v", expression, err)
	}
	return value
}

func (x tab) open(address string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Navigate(address)); err != nil {
		x.t.Fatalf("open %s: %v", address, err)
	}
}

// seen is an expression that gives the shade of the picture that is seen, and its words.
const seen = `(() => {
	const shown = [...document.querySelectorAll("img")].filter(i => getComputedStyle(i).visibility === "visible");
	if (shown.length !== 1 || !shown[0].complete) return shown.length + " pictures";
	const dots = document.createElement("canvas").getContext("2d");
	dots.drawImage(shown[0], 0, 0);
	return dots.getImageData(3, 3, 1, 1).data[0] + " " + shown[0].alt;
})()`

// waits waits in the page until an expression has a value.
func (x tab) waits(expression, want string) {
	x.t.Helper()
	got := eval[string](x, fmt.Sprintf(`new Promise(done => {
		const end = Date.now() + 30000, look = () => { const is = String(%s); is === %q || Date.now() > end ? done(is) : setTimeout(look, 50) };
		look();
	})`, expression, want))
	if got != want {
		x.t.Errorf("%.60s is %q, want %q", expression, got, want)
	}
}

// reloads waits until the page is another one, where the expression has that value. While it
// is loaded nothing can be evaluated.
func (x tab) reloads(expression, want string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	for {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
		if err == nil && got == want {
			return
		}
		if ctx.Err() != nil {
			x.t.Fatalf("%s is %q (%v), want %q", expression, got, err, want)
		}
	}
}

func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: the kiosk's page in a real browser")
	}
	b := chromium.Launch(t)
	t.Run("both", func(t *testing.T) {
		t.Run("with script", func(t *testing.T) { t.Parallel(); withScript(t, b) })
		t.Run("without script", func(t *testing.T) { t.Parallel(); withoutScript(t, b) })
	})
}

func withScript(t *testing.T, b chromium.Browser) {
	d := serving(t, "127.0.0.1:0")
	x := newTab(t, b, true)
	x.open("http://" + d.names[0])
	x.waits(seen, "1 STENGT")
	show(t, d, frame(90, "LEDIG"))
	x.waits(seen, "90 LEDIG")
	x.waits(`document.getElementById("also").textContent`, "LEDIG in English")
	dark := frame(90, "LEDIG")
	dark.Night = true
	show(t, d, dark)
	x.waits(`document.querySelector("main").className`, "night")
	eval[string](x, b.Axe+`;""`)
	for _, f := range eval[[]string](x, chromium.Audit(chromium.AA)) {
		t.Errorf("axe: %s", f)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	x.waits(seen, "1 STENGT")
	again := serving(t, d.names[0])
	show(t, again, frame(120, "LADER"))
	x.waits(seen, "120 LADER")
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	x.waits(seen, "1 STENGT")
	other, err := Open(d.names[0], d.langs, frame(7, "UTE AV DRIFT")) // another program: another page
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	show(t, other, frame(60, "FERDIG"))
	x.reloads(`document.documentElement.dataset.page`, other.page)
	x.waits(seen, "60 FERDIG")
}

// withoutScript looks at the page by what the browser draws of it, as nothing can be
// evaluated there but by the browser itself.
func withoutScript(t *testing.T, b chromium.Browser) {
	d := serving(t, "127.0.0.1:0")
	show(t, d, frame(90, "LEDIG"))
	x := newTab(t, b, false)
	x.open("http://" + d.names[0])
	if got := eval[string](x, `document.getElementById("now").alt`); got != "LEDIG" {
		t.Errorf("without script it says %q", got)
	}
	show(t, d, frame(120, "LADER"))
	x.reloads(`document.getElementById("now").alt`, "LADER")
	x.reloads(`document.getAnimations().map(a => a.animationName + " " + a.effect.getTiming().delay).sort().join(", ")`, "end 15000, over 15000")
	eval[string](x, `document.getAnimations().forEach(a => a.finish()), ""`)
	if got := eval[string](x, `getComputedStyle(document.getElementById("now")).visibility + " " + getComputedStyle(document.getElementById("end")).visibility`); got != "hidden visible" {
		t.Errorf("after the time: %q", got)
	}
}
