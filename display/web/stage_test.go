package web

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"stolpe/display"
)

// stage is a server on the loopback whose post can be exchanged, and another one
// that stands for the app people pay with.
type stage struct {
	address string // scheme and host, no slash at the end
	wallet  string

	mu    sync.Mutex
	pages http.Handler
	pay   http.HandlerFunc
	asked []string // method and path of every request
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{}
	s.address = listen(t, s.serve)
	s.wallet = listen(t, func(w http.ResponseWriter, r *http.Request) { s.played().pay(w, r) })
	return s
}

// listen serves on the loopback until the test has ended.
func listen(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// played is what is being served.
type played struct {
	pages http.Handler
	pay   http.HandlerFunc
}

func (s *stage) played() played {
	s.mu.Lock()
	defer s.mu.Unlock()
	return played{s.pages, s.pay}
}

// play puts the pages of another post in place.
func (s *stage) play(t *testing.T, posts Posts) {
	t.Helper()
	pages, err := New(posts, Options{PublicURL: s.address, PDF: func(w io.Writer, d display.Document) error {
		_, err := fmt.Fprintf(w, "%%PDF-1.4 of %s", d.Number)
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages, s.asked = pages, nil
}

// pays puts another app in place.
func (s *stage) pays(app http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pay = app
}

// sender is the path of a page with a form that sends what its own query says.
// It stands on the same server as our pages, so that browsers take it for theirs.
const sender = "/-/send"

func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == sender {
		s.send(w, r)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	pages := s.pages
	s.mu.Unlock()
	pages.ServeHTTP(w, r)
}

// send draws a form whose action is the value "to" and whose fields are the
// others.
func (s *stage) send(w http.ResponseWriter, r *http.Request) {
	form := r.URL.Query()
	to := form.Get("to")
	form.Del("to")
	fmt.Fprintf(w, `<!doctype html><link rel="icon" href="data:,"><form method="post" action="%s">`, to)
	for name, values := range form {
		fmt.Fprintf(w, `<input type="hidden" name="%s" value="%s">`, name, values[0])
	}
	fmt.Fprint(w, `<button>send</button></form>`)
}

// requests lists what was asked of our pages since the last play.
func (s *stage) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}
