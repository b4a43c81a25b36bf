package web

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"stolpe/display"
)

// branded is a post of an owner with everything an owner may have.
func branded() *twin {
	twin := newTwin()
	twin.post.TermsURL = "https://eksempel.example.no/vilkar"
	twin.post.Brand = display.Brand{Name: "Eksempel & Co", Colour: "#7A1F5C",
		Logo: "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(`<svg xmlns="http://www.w3.org/2000/svg"/>`, 200)))}
	twin.set(secret, running())
	return twin
}

var styles = regexp.MustCompile(`(?s)<style>(.*?)</style>`)

func TestAnOwnersPagesLookLikeTheOwner(t *testing.T) {
	twin := branded()
	site := newSite(t, twin)
	for _, path := range []string{"/en/A12", "/en/A12/terms", "/en/A12/" + secret, "/en/A12/" + secret + "?stop", "/en/A12/" + secret2} {
		w := site.get(path)
		page := text(w)
		sound(t, page)
		contains(t, page, `<img src="`+twin.post.Brand.Logo+`" alt="Eksempel & Co"`, "--key: #7a1f5c",
			`href="https://eksempel.example.no/vilkar" rel="noreferrer">Terms of Eksempel & Co<`)
		allowed(t, w, 2)
		if size := w.Body.Len(); size > 30_000 {
			t.Errorf("%s is %d bytes", path, size)
		}
	}
	twin.post.Brand.Logo = ""
	page := text(site.get("/en/A12"))
	contains(t, page, `<p class="brand">Eksempel & Co</p>`)
	lacks(t, page, "<img")
	twin.post.Brand, twin.post.TermsURL = display.Brand{}, ""
	w := site.get("/en/A12")
	allowed(t, w, 1)
	lacks(t, text(w), `class="brand"`, "https://")
}

// allowed checks that a page has so many styles and that the policy allows each by
// its hash, and nothing else.
func allowed(t *testing.T, w *httptest.ResponseRecorder, many int) {
	t.Helper()
	found := styles.FindAllStringSubmatch(w.Body.String(), -1)
	if len(found) != many {
		t.Errorf("the page has %d styles, want %d", len(found), many)
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, m := range found {
		if !strings.Contains(policy, hashOf([]byte(m[1]))) {
			t.Errorf("the policy lacks the style %.60q: %s", m[1], policy)
		}
	}
	if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("the policy is %s", policy)
	}
}

func TestABrandThatIsNoneIsNotDrawn(t *testing.T) {
	for _, b := range []display.Brand{
		{Colour: "red", Logo: "https://evil.example/logo.png"},
		{Colour: "#fff;} body { display: none", Logo: "data:text/html,<script>alert(1)</script>"},
		{Colour: "#12345", Logo: `data:image/svg+xml,"><script>alert(1)</script>`},
		{Colour: "#1234567", Logo: "javascript:alert(1)"},
	} {
		twin := branded()
		twin.post.Brand, twin.post.TermsURL = b, "javascript:alert(1)"
		w := newSite(t, twin).get("/en/A12")
		allowed(t, w, 1)
		lacks(t, w.Body.String(), "<img", "evil.example", "alert(1)", "display: none }", "Terms of")
	}
}

// Whoever needs help looks for it at the same place: first below the page.
func TestTheHelpDeskIsAtTheSamePlaceOnEveryPage(t *testing.T) {
	twin := branded()
	site := newSite(t, twin)
	help := regexp.MustCompile(`(?s)<footer>\s*<p><a class="tel" href="tel:\+4722000000">`)
	pages := []*httptest.ResponseRecorder{site.post("/en/A12", url.Values{"amount": {"x"}})}
	for _, path := range []string{"/en/A12", "/en/A12/terms", "/en/A12/" + secret, "/en/A12/" + secret + "?stop", "/en/A12/" + secret + "/receipt", "/en/A12/" + secret2} {
		pages = append(pages, site.get(path))
	}
	sold := settled(display.CarFull)
	sold.Charge.Receipt, sold.Charge.Issued = "A12-1-000042", sold.Charge.Ended
	twin.set(secret, sold)
	if page := text(site.get("/en/A12/" + secret + "/receipt")); !regexp.MustCompile(`<footer>\s*<p>Help: call`).MatchString(page) {
		t.Errorf("no help first below a receipt:\n%s", body(page))
	}
	twin.silent = true
	pages = append(pages, site.get("/en/A12"), site.get("/en/A12/"+secret))
	for _, w := range pages {
		if !help.MatchString(text(w)) {
			t.Errorf("no help first below a page that answers %d:\n%s", w.Code, body(w.Body.String()))
		}
	}
}
