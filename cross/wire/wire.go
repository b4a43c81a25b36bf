// Package wire stands between a post and its broker and counts what goes over the line,
// as whoever sells mobile data counts it: with everything that TLS, TCP and IP add.
//
// # Why
//
// A reading of 150 bytes costs twice that on the line, so a budget of data cannot be
// kept by counting messages. The bytes that TLS makes are counted exactly, where they
// pass. What the kernel adds is not seen here and is worked out after its rules: each
// write of an end goes out at once as one segment (Go sets TCP_NODELAY), or as many as
// its size takes; a segment that nothing goes back for within the time of a delayed
// acknowledgement costs an empty one; and a connection begins with three empty segments
// and ends with four. A test holds the sum against what a network interface counts.
package wire

import (
	"io"
	"net"
	"sync"
	"time"
)

// What the kernel adds.
const (
	// header is of every segment: IPv4, TCP and, as Linux does unless it is told not
	// to, TCP's time stamps, in bytes.
	header = 20 + 20 + 12
	// handshake is how many bytes the segments have more that begin a connection: two
	// with options.
	handshake = 2 * 8
	// empty is how many segments begin and end a connection.
	empty = 3 + 4
	// largest is how much a segment carries, in bytes: an Ethernet frame less headers.
	largest = 1500 - header
	// delayed is how long an acknowledgement waits for something to go along with: Linux
	// takes 40 ms where nothing is known of the line.
	delayed = 40 * time.Millisecond
)

// Flow is what went over a line.
type Flow struct {
	Up, Down    Side
	Connections int64 // begun
}

// Side is what went one way.
type Side struct {
	Bytes    int64 // that TCP carried
	Segments int64 // with bytes in them
	Empty    int64 // segments that acknowledged and had nothing else
}

func (s Side) total() int64 { return s.Bytes + header*(s.Segments+s.Empty) }

// Total is everything both ways, in bytes.
func (f Flow) Total() int64 {
	return f.Up.total() + f.Down.total() + f.Connections*(empty*header+handshake)
}

// Since is what went over since an earlier look.
func (f Flow) Since(before Flow) Flow {
	less := func(a, b Side) Side { return Side{a.Bytes - b.Bytes, a.Segments - b.Segments, a.Empty - b.Empty} }
	return Flow{less(f.Up, before.Up), less(f.Down, before.Down), f.Connections - before.Connections}
}

// Line counts the connections of one post, also one after another.
type Line struct {
	mu   sync.Mutex
	flow Flow
	owed [2]owed // to what went up, and down
}

// owed is what one way has not acknowledged yet.
type owed struct {
	segments int64 // not acknowledged
	last     time.Time
}

// Flow is what has gone over so far. What has not been acknowledged yet is taken to be
// acknowledged by an empty segment.
func (l *Line) Flow() Flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.flow
	f.Down.Empty += acks(l.owed[0].segments)
	f.Up.Empty += acks(l.owed[1].segments)
	return f
}

// acks is how many empty segments acknowledge so many: every second at the latest.
func acks(segments int64) int64 { return (segments + 1) / 2 }

// Join passes on what the post and the broker say until one of them ends, and closes
// both.
func (l *Line) Join(post, broker net.Conn) {
	l.mu.Lock()
	l.flow.Connections++
	l.mu.Unlock()
	var both sync.WaitGroup
	for i, way := range [2]struct{ from, to net.Conn }{{post, broker}, {broker, post}} {
		passed := make(chan []byte, 1024)
		both.Go(func() { l.take(i, way.from, passed) })
		both.Go(func() {
			defer way.from.Close()
			give(way.to, passed)
		})
	}
	both.Wait()
}

// take reads what one end writes and counts it.
func (l *Line) take(way int, from net.Conn, passed chan<- []byte) {
	defer close(passed)
	for {
		buffer := make([]byte, 64<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			l.count(way, int64(n))
			passed <- buffer[:n]
		}
		if err != nil {
			return
		}
	}
}

// give writes it to the other end, and closes that when there is no more.
func give(to io.WriteCloser, passed <-chan []byte) {
	defer to.Close()
	for b := range passed {
		if _, err := to.Write(b); err != nil {
			break
		}
	}
	for range passed {
	}
}

func (l *Line) count(way int, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	side, back := &l.flow.Up, &l.flow.Down
	if way == 1 {
		side, back = back, side
	}
	segments := (n + largest - 1) / largest
	side.Bytes += n
	side.Segments += segments

	other := &l.owed[1-way] // what came from there goes along with this, if it is in time
	if other.segments > 0 && now.Sub(other.last) > delayed {
		side.Empty += acks(other.segments)
	}
	other.segments = 0

	mine := &l.owed[way]
	if mine.segments > 0 && now.Sub(mine.last) > delayed {
		back.Empty += acks(mine.segments)
		mine.segments = 0
	}
	mine.segments += segments
	mine.last = now
}
