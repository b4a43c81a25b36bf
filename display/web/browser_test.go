package web

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"stolpe/cross/chromium"
	"stolpe/display"
)

// TestInABrowser is everything that only a browser can tell. One Chromium serves
// all of it; every test has a tab and a post of its own.
func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: every page in every language in a real browser")
	}
	b := browser(chromium.Launch(t))
	t.Run("all", func(t *testing.T) {
		t.Run("first visit", func(t *testing.T) { t.Parallel(); firstVisit(t, b) })
		t.Run("slow visit", func(t *testing.T) { t.Parallel(); slowVisit(t, b) })
		t.Run("a charge with script", func(t *testing.T) { t.Parallel(); wholeCharge(t, b, display.NB, true, false) })
		t.Run("a charge without script", func(t *testing.T) { t.Parallel(); wholeCharge(t, b, display.EN, false, false) })
		t.Run("a new price", func(t *testing.T) { t.Parallel(); newPrice(t, b, display.EN) })
		t.Run("a lost page", func(t *testing.T) { t.Parallel(); lostPage(t, b, display.NB, true) })
		t.Run("a lost page without script", func(t *testing.T) { t.Parallel(); lostPage(t, b, display.EN, false) })
		t.Run("a charge by keyboard", func(t *testing.T) { t.Parallel(); wholeCharge(t, b, display.EN, true, true) })
		for _, l := range display.Langs() {
			t.Run("pages/"+l.Tag(), func(t *testing.T) { t.Parallel(); everyPage(t, b, l) })
		}
	})
}

// browser is a Chromium under way.
type browser chromium.Browser

// patienceOfTests is how long a browser may take for one page. A test that hangs
// ends; nothing is measured by it.
const patienceOfTests = time.Minute

// tab is a tab with a server of its own behind it.
type tab struct {
	t     *testing.T // of the page that is open
	ctx   context.Context
	stage *stage
	axe   string

	mu    sync.Mutex
	asked []string // addresses that were requested
	moved int64    // bytes that came
	wrong []string // what the browser complained of, and requests that left the server
}

// tab opens a tab.
func (b browser) tab(t *testing.T) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(b.Ctx)
	t.Cleanup(stop)
	x := &tab{t: t, ctx: ctx, stage: newStage(t), axe: b.Axe}
	if err := chromedp.Listen(ctx, x.hear); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	do(x, network.Enable, network.EnableParams{})
	do(x, audits.Enable, cdp.Empty{})
	do(x, log.Enable, cdp.Empty{})
	phone, _, _, _ := views()
	x.look(phone)
	t.Cleanup(x.quiet)
	return x
}

// quiet fails the test for what has gone wrong since it was last asked.
func (x *tab) quiet() {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, w := range x.wrong {
		x.t.Error(w)
	}
	x.wrong = nil
}

// hearAxe runs the rules on the page that is open, in one view, and fails for all
// they find and for what they cannot decide.
func (x *tab) hearAxe(view, rules string) {
	x.t.Helper()
	for _, f := range eval[[]string](x, chromium.Audit(rules)) {
		x.t.Errorf("axe, %s: %s", view, f)
	}
}

// hear is told everything the browser tells of the tab.
func (x *tab) hear(event any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	wrong := func(format string, args ...any) { x.wrong = append(x.wrong, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if strings.HasPrefix(e.Request.URL, "data:") {
			return // stands in the page
		}
		x.asked = append(x.asked, e.Request.URL)
		if !strings.HasPrefix(e.Request.URL, x.stage.address) && !strings.HasPrefix(e.Request.URL, x.stage.wallet) {
			wrong("a request leaves for %s", e.Request.URL)
		}
	case *network.EventLoadingFinished:
		x.moved += int64(e.EncodedDataLength)
	case *audits.EventIssueAdded:
		if e.Issue.Details.ContentSecurityPolicyIssueDetails != nil {
			wrong("the policy was broken: %+v", *e.Issue.Details.ContentSecurityPolicyIssueDetails)
		}
	case *runtime.EventExceptionThrown:
		wrong("the script fails: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		wrong("the script has something to say: %s", e.Type)
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // which tells that a page of ours is a 404
			wrong("the browser says: %s: %s", e.Entry.Source, e.Entry.Text)
		}
	}
}

// do sends a command to the browser.
func do[P, R any](x *tab, command cdp.Command[P, R], params P) R {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patienceOfTests)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		x.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// run does one thing in the tab.
func run[T any](x *tab, what string, a chromedp.Action[T]) T {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patienceOfTests)
	defer cancel()
	result, err := chromedp.Run(ctx, a)
	if err != nil {
		x.t.Fatalf("%s: %v", what, err)
	}
	return result
}

// eval evaluates an expression in the page and waits for what it promises.
func eval[T any](x *tab, expression string) T {
	x.t.Helper()
	return run(x, fmt.Sprintf("evaluate %.60s", expression), chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// open goes to a path of the tab's server.
func (x *tab) open(path string) {
	x.t.Helper()
	run(x, "open "+path, chromedp.Navigate(x.stage.address+path))
}

// view is how the browser shows a page.
type view struct {
	width int64 // CSS px
	dark  bool
	text  int64 // size of the text as the reader has set it, CSS px; 16 is what browsers come with
}

// The views. 390 by 844 is a common phone; 320 is the width WCAG 1.4.10 asks for,
// and twice the size of the text what 1.4.4 does.
func views() (phone, dark, narrow, large view) {
	return view{390, false, 16}, view{390, true, 16}, view{320, false, 16}, view{390, false, 32}
}

const viewHeight = 844 // CSS px

// look sets the view.
func (x *tab) look(v view) {
	x.t.Helper()
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	do(x, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: v.width, Height: viewHeight, DeviceScaleFactor: 1, Mobile: true})
	do(x, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	do(x, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: v.text, Fixed: v.text}})
}
