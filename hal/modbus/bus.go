package modbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Chosen by us.
const (
	// Pauses between attempts to connect. The longest stays well below the 30 s
	// after which a reading is stale.
	firstPause = 250 * time.Millisecond
	maxPause   = 5 * time.Second

	// slice is how long a silence is waited for before the clock is looked at
	// again: the clock of the readings may run faster than life. A fifth of the
	// gap that most meters need.
	slice = 20 * time.Millisecond
	// glimpse is the first look at the clock while a silence is waited for: at 600
	// times as fast as life it is half a second.
	glimpse = time.Millisecond
)

// ErrNotSerial says that the path of a serial line leads to something else.
var ErrNotSerial = errors.New("it is not a serial port")

// wire is what a bus talks through: a TCP connection or a serial port.
type wire interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

// Bus is a wire with one or more meters on it: a serial line, or a connection to
// a gateway or a meter. It belongs to whoever holds it, one at a time, so that one
// request is under way at a time. It connects when it is first used.
type Bus struct {
	place  place
	now    func() time.Duration // the clock of the readings
	dial   func(context.Context) (wire, error)
	encode framing

	held     chan struct{} // holds one token while somebody holds the bus
	doubtful chan struct{} // holds one token while a meter that failed holds or awaits it
	gone     chan struct{} // closed by Close

	// For the holder only.
	id       uint16 // of the last transaction; goes on over reconnects
	buf      [2 * maxFrame]byte
	have     int           // bytes in buf
	used     int           // of which so many at the front are used up
	failures int           // attempts to connect, in a row
	failed   error         // the last of them
	retry    time.Time     // not before this
	quiet    time.Time     // nothing is asked before this
	asked    bool          // the request under way has been sent, or a part of it
	spoken   bool          // lastWord has been heard
	lastWord time.Duration // by now, the end of the last exchange or of noise
	tap      func(Frame)   // is told of what is said, for a person who wants to see it; nil for nobody

	mu      sync.Mutex
	line    setting         // of a serial line, as far as URL and maps have said
	conn    wire            // nil: not connected
	busy    <-chan struct{} // the Done channel of the exchange under way
	watched <-chan struct{} // the Done channel that interrupt waits for
	unwatch func() bool
	closed  bool
}

// OpenBus prepares a bus. It does not connect: the first read does, so that a
// post starts without its meters. The URL is one of
//
//	tcp://host:port          Modbus TCP: a meter, or a gateway that translates
//	rtuovertcp://host:port   Modbus RTU through a gateway that passes bytes on
//	rtu:///dev/serial/by-id/NAME?baud=9600&parity=N&stop=1
//
// What the last leaves out of baud (1200 to 115200), parity (N, E or O) and stop
// (1 or 2) is as the maps of the meters on it say, or else 9600, N and 1. The
// clock stamps the readings; it never goes backwards. A URL that cannot be is an
// error that says what could.
func OpenBus(url string, now func() time.Duration) (*Bus, error) {
	p, err := parseURL(url)
	if err != nil {
		return nil, fmt.Errorf("modbus: open bus: %w", err)
	}
	if now == nil {
		return nil, errors.New("modbus: open bus: no clock: want a function now")
	}
	return newBus(p, now), nil
}

func newBus(p place, now func() time.Duration) *Bus {
	b := &Bus{place: p, now: now, encode: encodeTCP, line: p.line,
		held: make(chan struct{}, 1), doubtful: make(chan struct{}, 1), gone: make(chan struct{})}
	if p.rtu() {
		b.encode = encodeRTU
	}
	b.dial = func(ctx context.Context) (wire, error) { return new(net.Dialer).DialContext(ctx, "tcp", p.address) }
	if p.scheme == schemeRTU {
		b.dial = b.openPort
	}
	return b
}

// openPort opens the serial port by its name, which may stand for another device
// than the last time.
func (b *Bus) openPort(ctx context.Context) (wire, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return openSerial(b.place.address, b.setting())
}

// setting is how the serial line is set. The zero setting stands for a line at
// the far end of a gateway, of which nothing is known.
func (b *Bus) setting() setting {
	if b.place.scheme != schemeRTU {
		return setting{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.line.or(factory)
}

// Close ends a read under way at once, and makes all later ones fail with
// net.ErrClosed.
func (b *Bus) Close() error {
	if err := b.close(); err != nil {
		return fmt.Errorf("modbus: close %s: %w", b.place.address, err)
	}
	return nil
}

func (b *Bus) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.gone)
	}
	if b.unwatch != nil {
		b.unwatch()
	}
	if b.conn == nil {
		return nil
	}
	err := b.conn.Close()
	b.conn = nil
	return err
}

// take waits for the bus, at most until ctx is done.
//
// A meter that does not answer holds the bus for its whole time-out and for the
// quiet after it, many times as long as one that does. If all who failed could
// stand in line, a few dead meters would keep the living ones from being read in
// time. So of those in doubt one at a time stands there, and the others wait for
// its place.
func (b *Bus) take(ctx context.Context, doubt bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if doubt {
		if err := put(ctx, b.doubtful); err != nil {
			return err
		}
	}
	err := put(ctx, b.held)
	if err != nil && doubt {
		<-b.doubtful
	}
	return err
}

// put puts a token into a channel.
func put(ctx context.Context, into chan<- struct{}) error {
	select {
	case into <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// release gives the bus to the next who waits for it.
func (b *Bus) release(doubt bool) {
	<-b.held
	if doubt {
		<-b.doubtful
	}
}

// rest waits until the line has been silent for the gap that a meter needs. It looks
// at the clock of the readings again after a moment, and then ever more seldom: a
// clock that is much faster than life shows at the first looks, and in life few are
// needed.
func (b *Bus) rest(ctx context.Context, gap time.Duration) error {
	since := time.Now()
	for step := glimpse; ; step *= 2 {
		wait := b.lacking(gap, since)
		if wait <= 0 {
			return nil
		}
		if err := b.pause(ctx, min(wait, step)); err != nil {
			return err
		}
	}
}

// lacking is what the line still lacks of a silence since the last word: by the
// clock of the readings, which may run faster than life, but never more than by
// our own, on which it has been silent since the given instant at least.
func (b *Bus) lacking(gap time.Duration, since time.Time) time.Duration {
	if !b.spoken {
		return 0
	}
	return min(b.lastWord+gap-b.now(), gap-time.Since(since))
}

// pause lets real time pass.
func (b *Bus) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-b.gone:
		return net.ErrClosed
	}
}
