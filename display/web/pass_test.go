package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"stolpe/display"
)

// pass is that of the display in these tests.
const pass = "7F3K9Q"

// guarded is a post whose display shows a code with a pass.
func guarded() *twin {
	twin := newTwin()
	twin.public.Pass = true
	return twin
}

// The sticker's address of such a post shows price and where to scan, in every language,
// and begins nothing.
func TestTheStickerShowsThePriceAndTheDisplayBegins(t *testing.T) {
	for _, l := range display.Langs() {
		site, at := newSite(t, guarded()), "/"+l.Tag()+"/A12"
		page := site.get(at)
		sound(t, page.Body.String())
		w := l.Words()
		contains(t, text(page), string(w.ScanDisplay), string(w.ScanWhy), l.MoneyParts(price.KWh, price.Currency).Number, `href="`+at+`/terms"`)
		lacks(t, page.Body.String(), "<form", `name="amount"`)

		page = site.get(at + "/" + pass)
		sound(t, page.Body.String())
		contains(t, page.Body.String(), `<form method="post" action="`+at+"/"+pass+`"`, `href="`+at+"/"+pass+`/terms"`, `href="/fi/A12/`+pass+`"`)
		lacks(t, page.Body.String(), string(w.ScanDisplay))
		contains(t, site.get(at+"/"+pass+"/terms").Body.String(), `href="`+at+"/"+pass+`"`)
	}
}

// The pass goes with the request to the post, and into nothing else.
func TestThePassGoesWithTheRequestAndNoFurther(t *testing.T) {
	twin := guarded()
	site := newSite(t, twin)
	w := site.post("/nb/A12/"+pass, wishForm())
	if at := w.Header().Get("Location"); w.Code != http.StatusSeeOther || at != "/nb/A12/"+secret {
		t.Fatalf("answers %d to %q", w.Code, at)
	}
	if len(twin.requests) != 1 || twin.requests[0].Pass != pass || twin.requests[0].Return != "https://lad.example.no/nb/A12/"+secret {
		t.Errorf("asked %+v", twin.requests)
	}
	lacks(t, site.get("/nb/A12/"+secret).Body.String(), pass)
	if strings.Contains(site.log.String(), pass) {
		t.Errorf("the log has the pass:\n%s", site.log)
	}
}

// Without a pass the post is not even asked; with an old one the page says so, and shows
// the way on. Neither is a request.
func TestARequestWithoutAPassThatHoldsIsRefused(t *testing.T) {
	for path, refusal := range map[string]error{"/en/A12": nil, "/en/A12/" + pass: display.ErrPass} {
		twin := guarded()
		twin.refusal = refusal
		site := newSite(t, twin)
		w := site.post(path, wishForm())
		sound(t, w.Body.String())
		if w.Code != http.StatusForbidden || (len(twin.requests) > 0) != (refusal != nil) || len(twin.sessions) > 0 {
			t.Errorf("%s answers %d after %+v", path, w.Code, twin.requests)
		}
		advice := display.EN.Words().Troubles[display.OldPass]
		contains(t, text(w), string(advice.What), string(advice.Do), "E27", "5.49")
		lacks(t, w.Body.String(), "<form", pass)
	}
}

// A pass has one address, and is read as people copy it; what is none is no page.
func TestThePassIsReadAsPeopleCopyIt(t *testing.T) {
	site := newSite(t, guarded())
	for path, want := range map[string]string{
		"/a12/7f3k9q": "/A12/" + pass, "/A12/7f3k9q": "/A12/" + pass, "/A12/7F3K9Q/": "/A12/" + pass,
		"/nb/A12/7F3K9QQ": "", "/A12/7F3K9U": "", "/A12/7F3K9Q/live": "", "/A12/7F3K9Q/receipt": "", "/A12/7F3K9Q/7F3K9Q": "",
		"/A12/" + secret + "/" + pass: "", "/A12/" + pass + "/" + secret: "",
	} {
		w := site.get(path)
		if want == "" && w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d: want 404", path, w.Code)
		}
		for w.Code == http.StatusPermanentRedirect && path != want {
			path = w.Header().Get("Location")
			w = site.get(path)
		}
		if want != "" && (path != want || w.Code != http.StatusOK) {
			t.Errorf("leads to %s, which answers %d: want %s", path, w.Code, want)
		}
	}
}

// Where no pass is needed, one does no harm: the address may have come from a display
// that was set otherwise since. What can be done without a pass can be done with any.
func TestWithoutNeedAPassDoesNothing(t *testing.T) {
	twin := newTwin()
	site := newSite(t, twin)
	contains(t, site.get("/en/A12/"+pass).Body.String(), `name="amount"`)
	if w := site.post("/en/A12/"+pass, wishForm()); w.Code != http.StatusSeeOther {
		t.Errorf("answers %d", w.Code)
	}
	busy := rescanned()
	busy.public.Pass = true
	claimed := func(path string) *httptest.ResponseRecorder {
		return newSite(t, busy).post(path, url.Values{"key": {secret2}, "digits": {rightCode}})
	}
	for _, path := range []string{"/en/A12", "/en/A12/ZZZZZZ"} {
		if w := claimed(path); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/en/A12/"+secret2 {
			t.Errorf("%s: whoever knows the stop code is answered %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
}

// The page of a charge that was requested at the post is a page like any other, and
// nobody else's.
func TestAChargeFromThePostHasItsOwnPage(t *testing.T) {
	twin := newTwin()
	site := newSite(t, twin)
	address, h := Session("https://lad.example.no", "A12")
	path, ok := strings.CutPrefix(address, "https://lad.example.no/A12/")
	if own, known := holderOf(path); !ok || !known || own != h {
		t.Fatalf("%q is not the page of its holder", address)
	}
	twin.set(path, running())
	if w := site.get("/A12/" + path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), rightCode) {
		t.Errorf("its page answers %d", w.Code)
	}
	if other, _ := Session("https://lad.example.no", "A12"); other == address {
		t.Error("two charges have the same page")
	}
}
