package modbus

import (
	"context"
	"fmt"
	"net"
	"time"
)

// connected gives the connection, making one where there is none, and says
// whether it has been used before. After an attempt that failed it waits longer
// and longer until the next: meanwhile it fails at once, with the cause.
func (l *line) connected(ctx context.Context) (conn net.Conn, reused bool, err error) {
	l.mu.Lock()
	conn, closed := l.conn, l.closed
	l.mu.Unlock()
	if closed {
		return nil, false, net.ErrClosed
	}
	if conn != nil {
		return conn, true, nil
	}
	if wait := time.Until(l.retry); l.failures > 0 && wait > 0 {
		return nil, false, fmt.Errorf("next attempt in %v: %w", wait.Round(time.Millisecond), l.failed)
	}
	limited, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	conn, err = l.dial(limited, "tcp", l.address)
	if cause := ctx.Err(); err != nil && cause != nil {
		return nil, false, cause
	}
	if err != nil {
		l.failed = err
		l.retry = time.Now().Add(min(firstPause<<min(l.failures, 10), maxPause))
		l.failures++
		return nil, false, err
	}
	l.failures, l.have, l.used = 0, 0, 0
	return conn, false, l.adopt(conn)
}

// adopt makes conn the line's connection, unless the line has been closed.
func (l *line) adopt(conn net.Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		conn.Close()
		return net.ErrClosed
	}
	l.conn = conn
	return nil
}

// drop closes the connection: what is still to come on it can answer nothing.
func (l *line) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.Close() // a failure to close loses nothing
		l.conn = nil
	}
}

// close ends the exchange under way, if any, and makes all later ones fail with
// net.ErrClosed.
func (l *line) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.unwatch != nil {
		l.unwatch()
	}
	if l.conn == nil {
		return nil
	}
	err := l.conn.Close()
	l.conn = nil
	return err
}

// begin sets the deadline of a transaction and makes the end of ctx interrupt
// it.
func (l *line) begin(ctx context.Context, conn net.Conn) error {
	l.mu.Lock()
	l.watch(ctx)
	l.busy = ctx.Done()
	err := conn.SetDeadline(time.Now().Add(l.timeout))
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return ctx.Err() // it may have been done before busy was set
}

// end says that no transaction is under way.
func (l *line) end() {
	l.mu.Lock()
	l.busy = nil
	l.mu.Unlock()
}

// watch arranges for the end of ctx to interrupt its transaction. A caller reads
// again and again under one ctx, so the arrangement stays until another ctx
// comes: making it anew for every read would allocate. The caller holds mu.
func (l *line) watch(ctx context.Context) {
	done := ctx.Done()
	if done == l.watched {
		return
	}
	if l.unwatch != nil {
		l.unwatch()
	}
	l.watched, l.unwatch = done, nil
	if done != nil {
		l.unwatch = context.AfterFunc(ctx, func() { l.interrupt(done) })
	}
}

// interrupt ends the transaction under way, if it is the one of this Done
// channel.
func (l *line) interrupt(done <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil && l.busy == done {
		l.conn.SetDeadline(time.Unix(1, 0)) // fails only on a closed connection, which ends it too
	}
}
