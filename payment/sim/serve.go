package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Time-outs of the server, all chosen by us for clients that are near.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 2 * MaxSlow
	idleTimeout   = time.Minute
	stopTimeout   = 7 * time.Second // net/http waits 5 s for a connection on which nothing was ever asked, and looks every half
	maxHeader     = 16 << 10        // bytes

	// glance is how often, in real time, somebody looks whether a webhook is due,
	// while there are registrations. The Till's own clock may run at any speed.
	glance = 100 * time.Millisecond
)

// Serve serves the Till on l until ctx ends, and then lets running requests
// finish for a moment. Meanwhile it delivers webhooks. It closes l. The error is nil after an orderly stop.
func (t *Till) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: t, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx }, // so that slow answers end with it
	}
	posts, endPosts := context.WithCancel(ctx)
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		t.deliverAll(posts)
	}()
	defer func() {
		endPosts()
		<-posted
	}()
	stopped := make(chan error, 1)
	cancel := context.AfterFunc(ctx, func() {
		grace, done := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer done()
		err := server.Shutdown(grace)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		stopped <- err
	})
	err := server.Serve(l)
	if cancel() {
		return fmt.Errorf("till: serve %v: %w", l.Addr(), err) // not asked to stop
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("till: stop serving %v: %w", l.Addr(), err)
	}
	return nil
}

// deliverAll delivers webhooks until ctx ends.
func (t *Till) deliverAll(ctx context.Context) {
	for {
		var again <-chan time.Time
		if t.hooked() {
			again = time.After(glance)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-again:
		}
		t.Deliver(ctx)
	}
}

// hooked says whether anybody wants webhooks.
func (t *Till) hooked() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.hooks) > 0
}
