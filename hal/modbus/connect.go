package modbus

import (
	"context"
	"fmt"
	"net"
	"time"
)

// connected gives the connection, making one within the time where there is none,
// and says whether it has been used before. After an attempt that failed it waits
// longer and longer until the next: meanwhile it fails at once, with the cause.
func (b *Bus) connected(ctx context.Context, within time.Duration) (conn wire, reused bool, err error) {
	b.mu.Lock()
	conn, closed := b.conn, b.closed
	b.mu.Unlock()
	if closed {
		return nil, false, net.ErrClosed
	}
	if conn != nil {
		return conn, true, nil
	}
	if wait := time.Until(b.retry); b.failures > 0 && wait > 0 {
		return nil, false, fmt.Errorf("next attempt in %v: %w", wait.Round(time.Millisecond), b.failed)
	}
	if err := b.pause(ctx, time.Until(b.quiet)); err != nil {
		return nil, false, err
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err = b.dial(limited)
	if cause := ctx.Err(); err != nil && cause != nil {
		return nil, false, cause
	}
	if err != nil {
		b.postpone(err)
		return nil, false, err
	}
	b.failures, b.have, b.used = 0, 0, 0
	return conn, false, b.adopt(conn)
}

// postpone puts off the next attempt to connect.
func (b *Bus) postpone(err error) {
	b.failed = err
	b.retry = time.Now().Add(min(firstPause<<min(b.failures, 10), maxPause))
	b.failures++
}

// adopt makes conn the bus's connection, unless the bus has been closed.
func (b *Bus) adopt(conn wire) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		conn.Close()
		return net.ErrClosed
	}
	b.conn = conn
	return nil
}

// drop closes the connection: what is still to come on it can answer nothing.
func (b *Bus) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil {
		b.conn.Close() // a failure to close loses nothing
		b.conn = nil
	}
}

// begin makes the end of ctx interrupt the transaction that begins.
func (b *Bus) begin(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watch(ctx)
	b.busy = ctx.Done()
}

// arm sets a deadline within the transaction.
func (b *Bus) arm(ctx context.Context, conn wire, deadline time.Time) error {
	b.mu.Lock()
	err := conn.SetDeadline(deadline)
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return ctx.Err() // ctx may have been done before this deadline took the place of interrupt's
}

// end says that no transaction is under way.
func (b *Bus) end() {
	b.mu.Lock()
	b.busy = nil
	b.mu.Unlock()
}

// watch arranges for the end of ctx to interrupt its transaction. A caller reads
// again and again under one ctx, so the arrangement stays until another ctx
// comes: making it anew for every read would allocate. The caller holds mu.
func (b *Bus) watch(ctx context.Context) {
	done := ctx.Done()
	if done == b.watched {
		return
	}
	if b.unwatch != nil {
		b.unwatch()
	}
	b.watched, b.unwatch = done, nil
	if done != nil {
		b.unwatch = context.AfterFunc(ctx, func() { b.interrupt(done) })
	}
}

// interrupt ends the transaction under way, if it is the one of this Done
// channel.
func (b *Bus) interrupt(done <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil && b.busy == done {
		b.conn.SetDeadline(time.Unix(1, 0)) // fails only on a closed connection, which ends it too
	}
}
