package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Chosen by us: the first try after a second or two, so that a restarted broker
// is found soon; a minute at most, so that a post is never long unreachable; and
// all of it by chance, so that a fleet does not come back in the same instant.
const (
	leastWait = time.Second
	mostWait  = time.Minute // unless it was said otherwise
	settled   = time.Minute // a connection that held this long was a good one
)

// errRuns says that Run was called twice.
var errRuns = errors.New("the connection runs already")

// Run connects, and connects again whenever the connection breaks, until ctx
// ends. Then it says the last will itself, says goodbye, and returns nil. An error
// means that it was called twice.
func (c *Conn) Run(ctx context.Context) error {
	if !c.runs.CompareAndSwap(false, true) {
		return errRuns
	}
	defer c.runs.Store(false)
	var handing sync.WaitGroup
	defer handing.Wait()
	handing.Go(func() { c.queue.hand(ctx, c.came) })

	for broken := 0; ctx.Err() == nil; broken++ {
		held, err := c.connect(ctx)
		if ctx.Err() != nil {
			break
		}
		if held > settled {
			broken = 0
		}
		c.broken(err)
		wait := pause(broken, c.o.Retry)
		c.log.Warn("mqtt: no connection", "error", err, "again_in", wait.Round(time.Millisecond))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// pause is how long to wait after this many connections that came to nothing, and at
// most so long.
func pause(broken int, most time.Duration) time.Duration {
	if broken < 16 {
		most = min(most, leastWait<<(broken+1))
	}
	return leastWait + rand.N(most-leastWait)
}

// connect makes one connection and keeps it until it breaks or ctx ends. It tells
// how long the connection was ready, and why it broke.
func (c *Conn) connect(ctx context.Context) (time.Duration, error) {
	l, err := c.newLink(ctx)
	if err != nil {
		return 0, err
	}
	c.set(l)
	start := time.Now()
	c.log.Info("mqtt: connected")
	c.attend(ctx, l)
	if ctx.Err() != nil && l.ctx.Err() == nil {
		c.goodbye(l)
		return time.Since(start), nil
	}
	return time.Since(start), fmt.Errorf("connection broke: %w", context.Cause(l.ctx))
}

// attend lets Ready do its work, and returns when the connection has broken or
// ctx has ended, and Ready with it. From then on nobody can publish.
func (c *Conn) attend(ctx context.Context, l *link) {
	up, down := context.WithCancel(ctx)
	defer down()
	var ready sync.WaitGroup
	defer ready.Wait()
	if c.o.Ready != nil {
		ready.Go(func() { c.o.Ready(up) })
	}
	select {
	case <-ctx.Done():
	case <-l.ctx.Done():
	}
	c.set(nil)
	down()
}

// goodbye says the last will, as the broker does not for who leaves cleanly.
func (c *Conn) goodbye(l *link) {
	if c.o.Will != nil {
		if err := l.publish(l.ctx, Message{Topic: c.o.Will.Topic, Payload: c.o.Will.Payload, Retained: true}); err != nil {
			c.log.Warn("mqtt: no goodbye", "error", err)
			l.end(err) // not cleanly: the broker says the will
			return
		}
	}
	l.leave()
}
