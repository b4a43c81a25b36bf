package sim

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"stolpe/payment"
)

// servePicture draws a code. As in the API, its address needs no key.
func (t *Till) servePicture(w http.ResponseWriter, r *http.Request) {
	name, kind, _ := strings.Cut(r.PathValue("name"), ".")
	size, err := strconv.Atoi(r.FormValue("size"))
	if err != nil || size < minSize || size > maxSize {
		size = defaultSize
	}
	t.mu.Lock()
	id := t.pictured(t.catchUp(t.clock()), name)
	t.mu.Unlock()
	lines := []string{"SIMULATED", id}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	// An error below means that the client is gone, which is its own affair.
	switch {
	case id != "" && kind == "svg":
		h.Set("Content-Type", acceptSVG)
		_, _ = w.Write(drawSVG(size, lines))
	case id != "" && kind == "png":
		h.Set("Content-Type", acceptPNG)
		_, _ = w.Write(drawPNG(size, lines))
	default:
		http.NotFound(w, r)
	}
}

// pictured is what a code is of: a place, or a payment that still waits. Empty
// for none.
func (t *Till) pictured(now time.Duration, name string) string {
	if c := t.named(now, name); c != nil {
		return c.id
	}
	if ref, e := t.behind(now, name); e != nil && e.found.State == payment.Created {
		return string(ref)
	}
	return ""
}

// serveScan is where the camera of a phone is led by a code.
func (t *Till) serveScan(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	c := t.named(t.catchUp(t.clock()), r.PathValue("name"))
	var target string
	if c != nil {
		target = c.target
	}
	t.mu.Unlock()
	if c == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store") // the code may lead elsewhere tomorrow
	http.Redirect(w, r, target, http.StatusFound)
}
