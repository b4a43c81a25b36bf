package kiosk

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"slices"
	"time"
)

// The pace of the page. Chosen by us: page.js and page.css know three beats.
const (
	beat        = 5 * time.Second // the longest silence
	again       = 3               // seconds until a page without script is fetched again
	streamsMost = 8               // browsers at a time
)

// policy lets the page load nothing but what is served here.
const policy = "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP answers the browser.
func (d *Device) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	switch {
	case !slices.Contains(d.names, r.Host): // a page elsewhere whose name leads here
		http.Error(w, "not served under this name", http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "only to be looked at", http.StatusMethodNotAllowed)
	case r.URL.Path == "/":
		d.document(w)
	case r.URL.Path == "/picture.png":
		d.picture(w, r.URL.Query().Get("n"))
	case r.URL.Path == "/events":
		d.events(w, r)
	case r.URL.Path == "/page.css" || r.URL.Path == "/page.js":
		http.ServeFileFS(w, r, files, path.Base(r.URL.Path))
	default:
		http.NotFound(w, r)
	}
}

// newest is what is shown now, and what tells of the next.
func (d *Device) newest() (now picture, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now, d.changed
}

// picture answers with the picture of a name, and without a name with the newest. A browser
// that asks for one that is long over must not keep another under its name.
func (d *Device) picture(w http.ResponseWriter, name string) {
	d.mu.Lock()
	now, before := d.now, d.before
	d.mu.Unlock()
	switch name {
	case "", now.name:
	case before.name:
		now = before
	default:
		http.Error(w, "not shown any more", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Write(now.png)
}

// document answers with the page.
func (d *Device) document(w http.ResponseWriter) {
	t, err := template.ParseFS(files, "page.html")
	if err != nil {
		panic(err) // part of this program: our bug
	}
	now, _ := d.newest()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	t.Execute(w, map[string]any{ // a browser that has gone needs no page
		"First": d.langs[0].Tag(), "Second": d.langs[1].Tag(), "Page": d.page, "Title": d.langs[0].Words().Post,
		"Again": again, "Name": now.name, "Night": now.night, "Said": now.said, "Also": now.also,
		"End": template.URL(d.end.address()), "EndSaid": d.end.said,
	})
}

// told is one event.
type told struct {
	Page  string `json:"page"`
	Name  string `json:"name"`
	Night bool   `json:"night"`
	Said  string `json:"said"`
	Also  string `json:"also"`
}

// events tells of each new picture, until the browser goes away or the page is closed.
func (d *Device) events(w http.ResponseWriter, r *http.Request) {
	if !d.enter() {
		http.Error(w, "too many browsers", http.StatusServiceUnavailable)
		return
	}
	defer d.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	fmt.Fprint(w, "retry: 2000\n\n") // ms until the browser connects again
	for {
		now, changed := d.newest()
		text, err := json.Marshal(told{d.page, now.name, now.night, now.said, now.also})
		if err != nil {
			return // texts and numbers can always be encoded
		}
		out.SetWriteDeadline(time.Now().Add(writeTime)) // a recorder in a test has none
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil || out.Flush() != nil {
			return
		}
		rest := time.NewTimer(beat)
		select {
		case <-changed:
		case <-rest.C:
		case <-r.Context().Done():
			rest.Stop()
			return
		}
		rest.Stop()
	}
}

// enter counts a stream, if there is room for one more.
func (d *Device) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.streams >= streamsMost {
		return false
	}
	d.streams++
	return true
}

func (d *Device) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.streams--
}
