package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"

	"stolpe/display"
)

// firstPage is the most that the first page may be, in bytes with its headers and
// all it needs.
const firstPage = 30_000

// firstVisit counts what a phone fetches that has just scanned the code.
func firstVisit(t *testing.T, b browser) {
	for _, l := range display.Langs() {
		x := b.tab(t)
		x.show(screen{path: atPost, set: func(w *twin) { w.public.Push = true }}, l)
		x.until("the browser to have read the page", "document.readyState === 'complete'")
		moved, asked := x.traffic()
		if asked != 1 || moved == 0 || moved > firstPage {
			t.Errorf("%s: %d requests of %d bytes in all, want one of at most %d", l.Tag(), asked, moved, firstPage)
		}
	}
}

// A slow 4G network, as browsers' own tools for developers have it: a round trip, and
// what it carries.
const (
	roundTrip = 150           // ms
	carries   = 1_600_000 / 8 // bytes a second
)

// slowVisit measures when a phone on a slow network shows the first page, and prints that
// in the form of a benchmark: a time is no failure. The browser slows requests down and
// not connections, so the round trips of a name, of TCP and of TLS are added.
func slowVisit(t *testing.T, b browser) {
	x := b.tab(t)
	do(x, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: roundTrip, DownloadThroughput: carries, UploadThroughput: carries}},
	})
	x.show(screen{path: atPost}, display.NB)
	drawn := eval[float64](x, `new Promise(tell => new PerformanceObserver(all => {
		for (const e of all.getEntriesByName('first-contentful-paint')) tell(e.startTime);
	}).observe({type: 'paint', buffered: true}))`)
	if drawn < roundTrip {
		t.Errorf("the page is there after %.0f ms: the network is not slow", drawn)
	}
	moved, _ := x.traffic()
	fmt.Printf("BenchmarkFirstPage 1 %.0f ms/readable %d bytes/page\n", drawn+3*roundTrip, moved)
}

// traffic gives the bytes that came and how many requests were made.
func (x *tab) traffic() (moved int64, asked int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.moved, len(x.asked)
}

// alone checks that the page that is open needed one request; the live stream
// of a charge is another one.
func (x *tab) alone() {
	x.t.Helper()
	asked := slices.DeleteFunc(x.stage.requests(), func(r string) bool { return strings.HasSuffix(r, "/live") })
	if len(asked) != 1 {
		x.t.Errorf("the page took %d requests: %v", len(asked), asked)
	}
}

// leavesNothing checks that nothing was left in the browser.
func (x *tab) leavesNothing() {
	x.t.Helper()
	if kept := do(x, storage.GetCookies, storage.GetCookiesParams{}); len(kept.Cookies) > 0 {
		x.t.Errorf("cookies were set: %v", kept.Cookies)
	}
	if kept := eval[int](x, "localStorage.length + sessionStorage.length"); kept > 0 {
		x.t.Errorf("%d things are stored in the browser", kept)
	}
}
