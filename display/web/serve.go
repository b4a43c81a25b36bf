package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Time-outs of the server. Chosen by us: a phone on a bad network gets its
// request through in seconds or not at all, and an idle connection costs memory
// that a small board does not have.
const (
	maxHeaderTime = 5 * time.Second
	maxReadTime   = 10 * time.Second
	maxWriteTime  = 30 * time.Second // longer than maxReach; streams move their own deadline
	maxIdleTime   = 60 * time.Second
	maxFarewell   = 5 * time.Second // for answers under way when the server closes
	maxHeaders    = 8 << 10         // bytes
)

// closingKey finds the channel that is closed when the server begins to close.
type closingKey struct{}

// closing is closed when the server begins to close; nil, which never is, when
// the request did not come through Serve.
func closing(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(closingKey{}).(<-chan struct{})
	return done
}

// Serve serves h on l until ctx is done. Answers under way are then finished,
// live streams end at once. It returns nil after such an end, and an error when
// the listener failed or an answer could not be finished in time.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	var mute mute
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: maxHeaderTime,
		ReadTimeout:       maxReadTime,
		WriteTimeout:      maxWriteTime,
		IdleTimeout:       maxIdleTime,
		MaxHeaderBytes:    maxHeaders,
		ConnState:         mute.heard,
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), closingKey{}, ctx.Done())
		},
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("web: serve on %v: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxFarewell)
	defer cancel()
	mute.close()
	err := srv.Shutdown(last)
	if err != nil {
		err = fmt.Errorf("web: close the server: %w", errors.Join(err, srv.Close()))
	}
	<-failed
	return err
}

// mute are the connections on which nothing has been asked yet. Browsers open
// some ahead of their need, and a server that closes would wait for a question.
type mute struct {
	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
}

// heard is told of every change of a connection.
func (m *mute) heard(c net.Conn, s http.ConnState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case s != http.StateNew:
		delete(m.conns, c)
	case m.closed:
		c.Close()
	case m.conns == nil:
		m.conns = map[net.Conn]bool{c: true}
	default:
		m.conns[c] = true
	}
}

// close closes them, and all that are still to come.
func (m *mute) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for c := range m.conns {
		c.Close()
	}
}
