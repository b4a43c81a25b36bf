package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"stolpe/display"
	"stolpe/payment"
)

// Limits of a request. Chosen by us: our own forms are 200 bytes, and a post
// that does not answer within the patience of a person is not reached.
const (
	maxForm  = 4 << 10          // bytes
	maxReach = 15 * time.Second // for Posts.Request and Posts.Act
)

// ServeHTTP answers every request with a page, whatever came.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, ok := parse(r.URL.Path)
	if !at.named {
		at.lang = prefer(r.Header.Get("Accept-Language"))
	}
	p.headers(w.Header(), at)
	defer p.catch(w, r, at)
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.show(w, r, http.StatusMethodNotAllowed, p.front(at, ok))
	case !ok:
		p.show(w, r, http.StatusNotFound, p.front(at, false))
	case at.code == "":
		p.home(w, r, at)
	case r.Method != http.MethodPost && at.path() != r.URL.Path:
		p.move(w, r, at) // a slash too many
	case r.Method != http.MethodPost && strings.ToUpper(at.code) != at.code:
		at.code = strings.ToUpper(at.code)
		p.move(w, r, at)
	default:
		at.code = strings.ToUpper(at.code)
		p.post(w, r, at)
	}
}

// home is the page of no post. Its form asks for a code and leads to it.
func (p *pages) home(w http.ResponseWriter, r *http.Request, at place) {
	if r.Method == http.MethodPost {
		w.Header().Set("Allow", "GET, HEAD")
		p.show(w, r, http.StatusMethodNotAllowed, p.front(at, true))
		return
	}
	code := strings.ToUpper(strings.TrimSpace(r.URL.Query().Get("code")))
	if !wellFormed(code) {
		p.show(w, r, http.StatusOK, p.front(at, code == ""))
		return
	}
	to := place{code: code}.in(at.lang)
	http.Redirect(w, r, to.path(), http.StatusSeeOther)
}

// move leads to the one address of a page.
func (p *pages) move(w http.ResponseWriter, r *http.Request, to place) {
	path := to.path()
	if r.URL.RawQuery == "stop" {
		path += "?stop"
	}
	http.Redirect(w, r, path, http.StatusPermanentRedirect)
}

// post answers for one post.
func (p *pages) post(w http.ResponseWriter, r *http.Request, at place) {
	post, ok := p.posts.Post(at.code)
	if !ok {
		p.show(w, r, http.StatusNotFound, p.front(at, false))
		return
	}
	w.Header().Set("Content-Security-Policy", p.policyFor(post.Brand))
	if r.Method == http.MethodPost {
		p.take(w, r, at, post)
		return
	}
	switch {
	case at.leaf == terms:
		p.show(w, r, http.StatusOK, p.terms(at, post))
	case at.secret == "":
		s := p.land(at, post)
		p.show(w, r, statusOf(s), s)
	default:
		p.session(w, r, at, post)
	}
}

// statusOf is 503 for a post that cannot be reached: whoever watches the pages
// shall see it, and no cache shall keep it.
func statusOf(s sheet) int {
	if s.Alert != nil && (s.Alert.Trouble == display.Unreachable || s.Alert.Trouble == display.StopUnheard) {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// session answers for one holder's charge.
func (p *pages) session(w http.ResponseWriter, r *http.Request, at place, post display.Post) {
	v, holder, ok := p.held(r.Context(), at)
	switch {
	case !ok:
		p.missing(w, r, at, post, v.Silent > 0)
	case at.leaf == live:
		p.stream(w, r, at, post, holder)
	case at.leaf == document || at.leaf == file:
		p.document(w, r, at, post, v)
	case r.URL.RawQuery == "stop" && v.Charge.End == display.NotEnded:
		s := p.drive(at, post, v)
		s.Scene, s.Head, s.Tone, s.Moving, s.Wait = confirm, string(s.W.StopAsk), pause, false, 0
		p.show(w, r, http.StatusOK, s)
	default:
		p.show(w, r, http.StatusOK, p.drive(at, post, v))
	}
}

// held finds the charge of the holder in the address. A secret that we cannot
// have written is not even hashed.
func (p *pages) held(ctx context.Context, at place) (display.View, payment.Holder, bool) {
	holder, ok := holderOf(at.secret)
	if !ok {
		return display.View{}, holder, false
	}
	v, ok := p.posts.Session(ctx, at.code, holder)
	return v, holder, ok
}

// missing answers for a session that nothing is known of.
func (p *pages) missing(w http.ResponseWriter, r *http.Request, at place, post display.Post, silent bool) {
	v, reached := p.posts.Public(at.code)
	reached = reached && !silent
	s, status := p.lost(at, post, reached), http.StatusNotFound
	if !reached {
		status = http.StatusServiceUnavailable
	}
	s.Push = v.Push
	p.show(w, r, status, s)
}

// headers are the same for every answer. Nothing may be kept by a cache: public
// pages carry the price of the moment and the start of a session, session pages
// are somebody's own.
func (p *pages) headers(h http.Header, at place) {
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Language", at.lang.Tag())
	if !at.named {
		h.Set("Vary", "Accept-Language")
	}
}

// sheet begins a page.
func (p *pages) sheet(at place, post display.Post, known bool) sheet {
	at = at.in(at.lang)
	return sheet{W: at.lang.Words(), Lang: at.lang, Place: at, Post: post, Known: known, Files: p.pdf != nil, Style: p.style, Script: p.script}
}

// show draws a page as a whole before any of it is sent, so that a page is never
// cut off in the middle by a fault of ours.
func (p *pages) show(w http.ResponseWriter, r *http.Request, status int, s sheet) {
	page, err := p.render(s)
	if err != nil {
		panic(err) // a template that does not fit its sheet: our bug, told by catch
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(page) // a phone that has gone needs no page
	}
}

func (p *pages) render(s sheet) ([]byte, error) {
	var body, page bytes.Buffer
	if s.Doc != nil {
		if err := p.draw().ExecuteTemplate(&page, "document", s); err != nil {
			return nil, fmt.Errorf("web: draw the document %s: %w", s.Doc.Number, err)
		}
		return page.Bytes(), nil
	}
	if err := p.draw().ExecuteTemplate(&body, string(s.Scene), s); err != nil {
		return nil, fmt.Errorf("web: draw %s: %w", s.Scene, err)
	}
	s.Body = template.HTML(body.String())
	if err := p.draw().ExecuteTemplate(&page, "frame", s); err != nil {
		return nil, fmt.Errorf("web: draw the frame of %s: %w", s.Scene, err)
	}
	return page.Bytes(), nil
}

// catch turns a panic into a page. The log gets the code of the post and never
// the path, which may hold a secret.
func (p *pages) catch(w http.ResponseWriter, r *http.Request, at place) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault)
	}
	p.log.Error("page failed", "post", at.code, "method", r.Method, "fault", fault, "stack", string(debug.Stack()))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintln(w, at.lang.Words().OurFault)
}
