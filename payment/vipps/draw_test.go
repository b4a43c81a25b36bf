package vipps

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

const goodSVG = `<?xml version="1.0" encoding="utf-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">` +
	`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h1v1z"/><use href="#a"/><image href="data:image/png;base64,AA=="/></svg>`

// sends answers with this content type and body.
func sends(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

// drawn draws a code whose picture is served like this, and gives the request.
func drawn(t *testing.T, p Picture, h http.HandlerFunc) (string, *http.Request, error) {
	t.Helper()
	var got atomic.Pointer[http.Request] // a connection that was hijacked is waited for by nobody
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.Store(r)
		h(w, r)
	}))
	defer s.Close()
	c := newOthers(t).client(t)
	defer c.http.CloseIdleConnections()
	body, err := c.Draw(t.Context(), Code{ID: "A12-1", URL: s.URL + "/generate/qr?x=1", Picture: p})
	return string(body), got.Load(), err
}

func TestDrawFetchesThePictureWithoutKeys(t *testing.T) {
	for p, row := range map[Picture][2]string{
		PNG: {"image/png", pngHead + "rest"}, SVG: {"image/svg+xml; charset=utf-8", goodSVG},
	} {
		body, r, err := drawn(t, p, sends(200, row[0], row[1]))
		if err != nil || body != row[1] {
			t.Fatalf("%q, %v", body, err)
		}
		for name, values := range r.Header {
			if name != "Accept" && name != "User-Agent" && name != "Accept-Encoding" {
				t.Errorf("sent %s: %v", name, values)
			}
		}
		if r.Method != "GET" || r.RequestURI != "/generate/qr?x=1" || r.Header.Get("Accept") != p.accept() {
			t.Errorf("%s %s, Accept %s", r.Method, r.RequestURI, r.Header.Get("Accept"))
		}
	}
}

func TestDrawTakesNothingButThePicture(t *testing.T) {
	const svg, png = "image/svg+xml", "image/png"
	open := func(s string) string { return `<svg xmlns="http://www.w3.org/2000/svg">` + s + `</svg>` }
	for name, row := range map[string]struct {
		p Picture
		h http.HandlerFunc
	}{
		"404":             {PNG, sends(404, png, pngHead)},
		"500":             {PNG, sends(500, png, pngHead)},
		"204":             {PNG, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
		"redirect":        {PNG, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }},
		"lost":            {PNG, hangUp},
		"page":            {PNG, sends(200, "text/html", pngHead)},
		"no type":         {PNG, sends(200, "", pngHead)},
		"SVG for PNG":     {PNG, sends(200, svg, goodSVG)},
		"PNG for SVG":     {SVG, sends(200, png, pngHead)},
		"named PNG":       {PNG, sends(200, png, "<html>")},
		"too big":         {PNG, sends(200, png, pngHead+strings.Repeat("x", maxPicture))},
		"named SVG":       {SVG, sends(200, svg, "<html></html>")},
		"empty SVG":       {SVG, sends(200, svg, "")},
		"cut SVG":         {SVG, sends(200, svg, "<svg><path>")},
		"text":            {SVG, sends(200, svg, "hello")},
		"script":          {SVG, sends(200, svg, open("<script>x</script>"))},
		"foreign object":  {SVG, sends(200, svg, open("<foreignObject/>"))},
		"on click":        {SVG, sends(200, svg, open(`<path onclick="x"/>`))},
		"outside picture": {SVG, sends(200, svg, open(`<image xlink:href="https://evil.example/x.png"/>`))},
		"script link":     {SVG, sends(200, svg, open(`<a href=" javascript:x"/>`))},
		"entities":        {SVG, sends(200, svg, `<!DOCTYPE svg [<!ENTITY a "b">]><svg/>`)},
		"another doctype": {SVG, sends(200, svg, `<!DOCTYPE html><svg/>`)},
	} {
		if body, _, err := drawn(t, row.p, row.h); err == nil || body != "" {
			t.Errorf("%s: %q", name, body)
		} else if !strings.HasPrefix(err.Error(), `vipps: picture of code "A12-1": `) || len(err.Error()) > 600 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDrawTakesTheLargestPictureThereMayBe(t *testing.T) {
	big := pngHead + strings.Repeat("x", maxPicture-len(pngHead))
	if body, _, err := drawn(t, PNG, sends(200, "image/png", big)); err != nil || len(body) != maxPicture {
		t.Error(len(body), err)
	}
}

// Addresses that no picture is fetched from.
func TestDrawGoesOnlyWhereItMay(t *testing.T) {
	w := newOthers(t)
	far, err := New(func() Config { c := w.config(); c.BaseURL = "https://api.vipps.no"; return c }())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		c   *Client
		url string
	}{
		{w.client(t), "http://qr.vipps.no/x.png"}, {w.client(t), "file:///etc/passwd"}, {w.client(t), "ftp://localhost/"}, {w.client(t), ""},
		{w.client(t), "https://"}, {w.client(t), "https://a:b@localhost/"}, {w.client(t), w.URL + "/" + strings.Repeat("x", maxReturn)}, {far, w.URL + "/x.png"},
	} {
		if _, err := row.c.Draw(t.Context(), Code{ID: "A", URL: row.url, Picture: PNG}); err == nil || !strings.Contains(err.Error(), "want an https address") {
			t.Errorf("%s: %v", row.url, err)
		}
	}
	for _, p := range []Picture{Text, pictures} {
		if _, err := w.client(t).Draw(t.Context(), Code{ID: "A", URL: w.URL, Picture: p}); err == nil {
			t.Errorf("picture %d is drawn", p)
		}
	}
	if w.asked() != "" {
		t.Errorf("asked %q", w.asked())
	}
}
