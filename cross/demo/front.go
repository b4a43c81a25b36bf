package demo

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
)

// front is the one address of the pages: what a load balancer is elsewhere.
type front struct {
	url    string
	server *http.Server
	done   chan error
	idle   func() // closes connections to gateways
}

// maxForm is the longest form the pages take, with room to spare: it is kept, to be
// sent to another gateway when the first is not there. Chosen by us.
const maxForm = 64 << 10 // bytes

// openFront serves requests from one of the doors that is open.
func openFront(doors []string) (*front, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	inner := &http.Transport{}
	quiet := log.New(io.Discard, "", 0) // gateways are killed all the time
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: doors[0]})
			r.Out.Host = r.In.Host
		},
		Transport: &anyDoor{doors: doors, inner: inner},
		ErrorLog:  quiet,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "No gateway is there at the moment. Load the page again.", http.StatusBadGateway)
		},
	}
	f := &front{url: "http://" + l.Addr().String(), done: make(chan error, 1), idle: inner.CloseIdleConnections}
	f.server = &http.Server{Handler: proxy, ErrorLog: quiet}
	go func() { f.done <- f.server.Serve(l) }()
	return f, nil
}

func (f *front) close() error {
	err := f.server.Close()
	if served := <-f.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	f.idle()
	return err
}

// anyDoor sends a request to the door that was open last, and to the next one when
// that is shut.
type anyDoor struct {
	doors []string
	inner http.RoundTripper
	last  atomic.Int64
}

// RoundTrip tries each door once. A form that may have arrived is not sent again.
func (a *anyDoor) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := kept(r)
	if err != nil {
		return nil, err
	}
	first := int(a.last.Load())
	for n := range a.doors {
		at := (first + n) % len(a.doors)
		try := r.Clone(r.Context())
		try.URL.Host = a.doors[at]
		if body != nil {
			try.Body = io.NopCloser(bytes.NewReader(body))
		}
		var answer *http.Response
		answer, err = a.inner.RoundTrip(try)
		switch {
		case err != nil && (shut(err) || r.Method == http.MethodGet) && r.Context().Err() == nil:
			continue
		case err != nil:
			return nil, err
		case answer.StatusCode == http.StatusServiceUnavailable && n < len(a.doors)-1: // it has just been started
			answer.Body.Close()
			continue
		}
		a.last.Store(int64(at))
		return answer, nil
	}
	return nil, err
}

// kept reads the body of a request; nil when it has none.
func kept(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err == nil && len(body) > maxForm {
		return nil, errors.New("too long a form")
	}
	return body, err
}

// shut says whether nothing of a request was sent.
func shut(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
