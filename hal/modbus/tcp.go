package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	goburrow "github.com/goburrow/modbus"
)

// Chosen by us.
const (
	// maxForeign is how many answers to other requests may come before ours. One
	// late answer is usual; more than this is a peer out of its mind.
	maxForeign = 8

	// Pauses between attempts to connect. The longest stays well below the 30 s
	// after which a reading is stale.
	firstPause = 250 * time.Millisecond
	maxPause   = 5 * time.Second
)

// line is a connection to meters over TCP. Whoever holds it, by take and release,
// has it alone: one request is under way at a time.
type line struct {
	address string
	timeout time.Duration // for connecting, and for a whole answer
	dial    func(ctx context.Context, network, address string) (net.Conn, error)

	held chan struct{} // holds one token while somebody holds the line

	// For the holder only.
	id       uint16 // of the last transaction; goes on over reconnects
	buf      [2 * maxFrame]byte
	have     int       // bytes in buf
	used     int       // of which so many at the front are used up
	failures int       // attempts to connect, in a row
	failed   error     // the last of them
	retry    time.Time // not before this

	mu      sync.Mutex
	conn    net.Conn        // nil: not connected
	busy    <-chan struct{} // the Done channel of the exchange under way
	watched <-chan struct{} // the Done channel that interrupt waits for
	unwatch func() bool
	closed  bool
}

func newLine(address string, timeout time.Duration) *line {
	return &line{address: address, timeout: timeout, dial: new(net.Dialer).DialContext, held: make(chan struct{}, 1)}
}

// take waits for the line, at most until ctx is done.
func (l *line) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *line) release() { <-l.held }

// exchange sends the request and gives the registers of its answer, valid until
// the next exchange. It connects first where necessary. When ctx is done it ends
// at once, with ctx's error. A *goburrow.ModbusError is the meter's own refusal.
//
// A peer may close a connection that has been idle, and that shows only when it
// is used. Then, once, the request is sent again on a new connection: it is a
// read, so asking twice is asking once.
func (l *line) exchange(ctx context.Context, r *request) ([]byte, error) {
	conn, reused, err := l.connected(ctx)
	if err != nil {
		return nil, err
	}
	registers, err := l.attempt(ctx, conn, r)
	if reused && hungUp(err) {
		if conn, _, err = l.connected(ctx); err != nil {
			return nil, err
		}
		registers, err = l.attempt(ctx, conn, r)
	}
	return registers, err
}

// hungUp says whether the error is the peer's having closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// attempt is one transaction, and what must be done when it fails.
func (l *line) attempt(ctx context.Context, conn net.Conn, r *request) ([]byte, error) {
	registers, err := l.transact(ctx, conn, r)
	if err == nil {
		return registers, nil
	}
	if refused := (*goburrow.ModbusError)(nil); !errors.As(err, &refused) {
		l.drop()
	}
	if cause := ctx.Err(); cause != nil {
		return nil, cause
	}
	return nil, err
}

// transact sends the request and receives its answer, all before one deadline.
// Answers to other requests are dropped on the way: they are late, not ours.
func (l *line) transact(ctx context.Context, conn net.Conn, r *request) ([]byte, error) {
	if err := l.begin(ctx, conn); err != nil {
		return nil, err
	}
	defer l.end()
	l.id++
	r.stamp(l.id)
	if _, err := conn.Write(r.adu); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	for foreign := 0; foreign <= maxForeign; foreign++ {
		frame, err := l.receive(conn)
		if err != nil {
			return nil, fmt.Errorf("receive, after %d bytes and %d answers to other requests: %w", l.have, foreign, err)
		}
		if binary.BigEndian.Uint16(frame) == l.id {
			return r.registers(frame)
		}
	}
	return nil, fmt.Errorf("receive: more than %d answers to other requests", maxForeign)
}

// receive gives the next whole frame, valid until the next receive.
func (l *line) receive(conn net.Conn) ([]byte, error) {
	l.have = copy(l.buf[:], l.buf[l.used:l.have])
	l.used = 0
	if err := l.fill(conn, headerSize); err != nil {
		return nil, err
	}
	size, err := frameSize(l.buf[:headerSize])
	if err != nil {
		return nil, err
	}
	if err := l.fill(conn, size); err != nil {
		return nil, err
	}
	l.used = size
	return l.buf[:size], nil
}

// fill receives until there are at least so many bytes.
func (l *line) fill(conn net.Conn, bytes int) error {
	for l.have < bytes {
		n, err := conn.Read(l.buf[l.have:])
		l.have += n
		if n == 0 && err == nil {
			err = io.ErrNoProgress
		}
		if err != nil && l.have < bytes {
			return err
		}
	}
	return nil
}
