// Package page shows a fleet to whoever is responsible for it: a list of posts, what is
// known of each, and files for a spreadsheet.
//
// # Why
//
// Nothing can be done here, so nothing has to be defended but what can be seen: all
// requests are reads, there is no cookie, no script from elsewhere, and who somebody is
// comes with each request, from a certificate or from a proxy that has asked. Whoever
// is not in the list of logins sees nothing, and with tenants named there, nothing of
// others.
//
// A page is drawn whole on the server and works without script. With it, the texts that
// change are sent as they change: they are taken from the drawing of the same page, so
// that there is nothing that could say something else.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"stolpe/agent/telemetry/fleet"
)

//go:embed pages
var files embed.FS

// Options say what is shown, and to whom.
type Options struct {
	Fleet     *fleet.Fleet
	Logins    []Login
	Proxy     Proxy
	Listening func() bool // whether posts can be heard at the moment
	Zone      *time.Location
	Now       func() time.Time
	Ends      <-chan struct{} // closed when live pages shall end
	Log       *slog.Logger
}

// Pages are the pages of a fleet. Make them with New.
type Pages struct {
	o       Options
	mux     http.ServeMux
	draw    *template.Template
	style   template.CSS
	script  template.JS
	policy  string
	streams chan struct{}
	pace    time.Duration // of live pages

	lookEvery time.Duration // at most; 0 is always

	mu     sync.Mutex
	logins map[string]Login
	warned time.Time // when a stranger was told of last

	looking sync.Mutex // held while somebody looks, so that others wait for what is seen
	seen    []fleet.Post
	changed <-chan struct{} // of the fleet, since
	again   time.Time       // when it is worth to look again
}

// maxStreams live pages at a time. Chosen by us: more than a company has people who look.
const maxStreams = 100

// New makes the pages.
func New(o Options) (*Pages, error) {
	style, err := files.ReadFile("pages/style.css")
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	script, err := files.ReadFile("pages/live.js")
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	p := &Pages{o: o, style: template.CSS(style), script: template.JS(script), streams: make(chan struct{}, maxStreams), pace: pace, lookEvery: lookEvery}
	if p.draw, err = template.ParseFS(files, "pages/*.html"); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	p.policy = strings.Join([]string{
		"default-src 'none'", "style-src " + hashOf(style), "script-src " + hashOf(script), "connect-src 'self'", "img-src data:",
		"form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'",
	}, "; ")
	p.Admit(o.Logins)
	p.mux.HandleFunc("GET /{$}", p.signed(p.list))
	p.mux.HandleFunc("GET /live", p.signed(p.listLive))
	p.mux.HandleFunc("GET /posts/{tenant}/{post}", p.signed(p.post))
	p.mux.HandleFunc("GET /posts/{tenant}/{post}/live", p.signed(p.postLive))
	for _, t := range tables() {
		p.mux.HandleFunc("GET /"+t.name, p.signed(p.file(t)))
	}
	return p, nil
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// ServeHTTP answers a request.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for _, x := range [][2]string{
		{"Content-Security-Policy", p.policy}, {"X-Content-Type-Options", "nosniff"}, {"Referrer-Policy", "no-referrer"}, {"X-Robots-Tag", "noindex"},
		{"Cache-Control", "no-store"}, {"Cross-Origin-Resource-Policy", "same-origin"}, {"Cross-Origin-Opener-Policy", "same-origin"},
	} {
		h.Set(x[0], x[1])
	}
	defer p.catch(w, r)
	p.mux.ServeHTTP(w, r)
}

// catch turns a fault of ours into an answer.
func (p *Pages) catch(w http.ResponseWriter, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault)
	}
	p.o.Log.Error("page of the fleet failed", "path", r.URL.Path, "fault", fault, "stack", string(debug.Stack()))
	http.Error(w, "This is our fault; it has been written down.", http.StatusInternalServerError)
}

// render draws a page as a whole before any of it is sent.
func (p *Pages) render(s *sheet) []byte {
	var out bytes.Buffer
	if err := p.draw.ExecuteTemplate(&out, s.Name, s); err != nil {
		panic(err) // a template that does not fit its sheet: our bug, told by catch
	}
	return out.Bytes()
}

// show sends a page.
func (p *Pages) show(w http.ResponseWriter, s *sheet) {
	s.body(p.render(s))
	var page bytes.Buffer
	if err := p.draw.ExecuteTemplate(&page, "frame", s); err != nil {
		panic(err) // as in render
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page.Bytes()) //nolint:errcheck // whoever has gone needs no page
}

// Chosen by us: all who look at a fleet of thousands take a tenth of one processor at
// most, which others have better uses for.
const (
	lookEvery = time.Second
	lookShare = 10
)

// look gives the posts that a login may see, as they were a moment ago, and what is closed
// at the first change since.
func (p *Pages) look(l Login) (posts []fleet.Post, changed <-chan struct{}) {
	p.looking.Lock()
	defer p.looking.Unlock()
	if now := time.Now(); p.lookEvery == 0 || !now.Before(p.again) {
		p.changed = p.o.Fleet.Changed() // before looking, so that nothing is missed
		p.seen = p.o.Fleet.Look(p.o.Now(), func(string) bool { return true })
		done := time.Now()
		p.again = done.Add(max(p.lookEvery, lookShare*done.Sub(now)))
	}
	return slices.DeleteFunc(slices.Clone(p.seen), func(x fleet.Post) bool { return !l.sees(x.Tenant) }), p.changed
}

// list answers with the posts.
func (p *Pages) list(w http.ResponseWriter, r *http.Request, l Login) { p.show(w, p.listSheet(r, l)) }

func (p *Pages) listLive(w http.ResponseWriter, r *http.Request, _ Login) {
	p.stream(w, r, p.listSheet)
}

// post answers with what is known of one.
func (p *Pages) post(w http.ResponseWriter, r *http.Request, l Login) {
	if s := p.postSheet(r, l); s != nil {
		p.show(w, s)
		return
	}
	http.NotFound(w, r)
}

func (p *Pages) postLive(w http.ResponseWriter, r *http.Request, l Login) {
	if p.postSheet(r, l) == nil {
		http.NotFound(w, r)
		return
	}
	p.stream(w, r, p.postSheet)
}
