package sim

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Serial is how a simulated serial line behaves. The zero Serial is 9600 baud,
// 8N1, with meters that answer fast and an adapter without a name.
type Serial struct {
	Baud     int           // 0: 9600
	Parity   string        // N, E or O; "": N
	StopBits int           // 1 or 2; 0: 1
	Link     string        // a symbolic link to the adapter, as /dev/serial/by-id has them; "": none
	Delay    time.Duration // from a request to its answer; 0: 2 ms. Real meters take 10 to 60 ms
	Paced    bool          // bytes take their time on the wire
	Echo     bool          // the adapter hears what it sends
}

// Defaults of a Serial. Chosen by us: most meters come with 9600 8N1. The delay is
// longer than a master needs to begin to read, so that it does not find an answer
// before it looks, and short enough for thousands of requests in a test.
const (
	usualBaud  = 9600
	usualDelay = 2 * time.Millisecond
)

// terminals is where Linux has its pseudo terminals.
const terminals = "/dev/pts"

// settled gives the Serial with its defaults in place. It returns an error for
// what no line can be.
func (s Serial) settled() (Serial, error) {
	if s.Baud == 0 {
		s.Baud = usualBaud
	}
	if s.Parity == "" {
		s.Parity = "N"
	}
	if s.StopBits == 0 {
		s.StopBits = 1
	}
	if s.Delay == 0 {
		s.Delay = usualDelay
	}
	if s.Link != "" {
		link, err := filepath.Abs(s.Link)
		if err != nil {
			return s, fmt.Errorf("sim: serial line: link %s: %w", s.Link, err)
		}
		s.Link = link
	}
	switch {
	case s.Baud < 0:
		return s, fmt.Errorf("sim: serial line: %d baud: want more than 0", s.Baud)
	case s.Parity != "N" && s.Parity != "E" && s.Parity != "O":
		return s, fmt.Errorf("sim: serial line: parity %q: want N, E or O", s.Parity)
	case s.StopBits != 1 && s.StopBits != 2:
		return s, fmt.Errorf("sim: serial line: %d stop bits: want 1 or 2", s.StopBits)
	case s.Delay < 0:
		return s, fmt.Errorf("sim: serial line: delay %v: want 0 or more", s.Delay)
	}
	return s, nil
}

// character is how long one byte takes: a start bit, 8 bits, parity, stop bits.
func (s Serial) character() time.Duration {
	bits := 1 + 8 + s.StopBits
	if s.Parity != "N" {
		bits++
	}
	return time.Duration(bits) * time.Second / time.Duration(s.Baud)
}

// silence is what must lie between two frames: 3.5 characters, above 19,200 baud
// 1.75 ms (MODBUS over Serial Line 1.02, 2.5.1.1).
func (s Serial) silence() time.Duration {
	if s.Baud > 19_200 {
		return 1750 * time.Microsecond
	}
	return s.character() * 7 / 2
}

// Line is a serial line with meters on it, behind an adapter that can be pulled
// out and plugged in. The adapter is a pseudo terminal, so any program can open
// it as it opens a serial port.
//
// All units hear what the master sends as slaves do: with its own speed, parity
// and stop bits, or they hear nothing. A request that comes sooner after an
// answer than 3.5 characters is one frame with it to them, and lost.
type Line struct {
	meters
	serial  Serial
	running sync.WaitGroup

	mu     sync.Mutex
	port   *port // nil: the adapter is out
	gone   *port // it was this one; kept so that nobody else gets its number
	path   string
	closed bool
}

// ServeRTU begins to serve meters on a serial line of its own, plugged in. It
// returns an error when the system has no pseudo terminal or the link cannot be
// made. The caller must Close the line.
func ServeRTU(units Units, serial Serial) (*Line, error) {
	m, err := newMeters(RTU, units)
	if err != nil {
		return nil, err
	}
	if serial, err = serial.settled(); err != nil {
		return nil, err
	}
	l := &Line{meters: m, serial: serial}
	if err := l.Plug(); err != nil {
		return nil, err
	}
	return l, nil
}

// URL is where the meters can be read, as a post's configuration says it. Without
// a link it is another one after each Plug.
func (l *Line) URL() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	path := l.path
	if l.serial.Link != "" {
		path = l.serial.Link
	}
	return fmt.Sprintf("rtu://%s?baud=%d&parity=%s&stop=%d",
		(&url.URL{Path: path}).EscapedPath(), l.serial.Baud, l.serial.Parity, l.serial.StopBits)
}

// Unplug pulls the adapter out: the link is gone, and then whoever has the port
// open gets the end of the file or EIO. Nothing happens when it is out already.
func (l *Line) Unplug() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unplug() // a link that could not be removed leads nowhere
}

// unplug is Unplug for a holder of mu.
func (l *Line) unplug() error {
	if l.port == nil {
		return nil
	}
	err := l.unlink()
	err = errors.Join(err, l.port.master.Close())
	l.gone, l.port = l.port, nil
	return err
}

// Plug puts the adapter in again. It is a new port, as ttyUSB0 becomes ttyUSB1
// when somebody still holds the old one, and the link leads to it. Nothing
// happens when it is in already. It returns an error when the system has no port
// or the link cannot be made, and os.ErrClosed on a closed line.
func (l *Line) Plug() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return fmt.Errorf("sim: plug in: %w", os.ErrClosed)
	}
	if l.port != nil {
		return nil
	}
	p, err := openPort()
	if err != nil {
		return fmt.Errorf("sim: plug in: %w", err)
	}
	if err := l.link(p.path); err != nil {
		return errors.Join(fmt.Errorf("sim: plug in: %w", err), p.master.Close(), p.free())
	}
	if l.gone != nil {
		err, l.gone = l.gone.free(), nil
	}
	l.port, l.path = p, p.path
	l.running.Go(func() {
		t := &talk{meters: &l.meters, conn: p.master, line: l, port: p}
		t.run()
	})
	return err
}

// link makes the link, in place of one that an earlier run has left, but of
// nothing else: it could be that of a real adapter.
func (l *Line) link(path string) error {
	if l.serial.Link == "" {
		return nil
	}
	if target, err := os.Readlink(l.serial.Link); err == nil && filepath.Dir(target) == terminals {
		if err := os.Remove(l.serial.Link); err != nil {
			return err
		}
	}
	return os.Symlink(path, l.serial.Link)
}

// unlink removes the link, unless it is another's by now.
func (l *Line) unlink() error {
	if target, err := os.Readlink(l.serial.Link); err != nil || target != l.path {
		return nil
	}
	return os.Remove(l.serial.Link)
}

// Close pulls the adapter out for good.
func (l *Line) Close() error {
	l.mu.Lock()
	err := l.unplug()
	if l.gone != nil {
		err = errors.Join(err, l.gone.free())
		l.gone = nil
	}
	l.closed = true
	l.mu.Unlock()
	l.running.Wait()
	if err != nil {
		return fmt.Errorf("sim: close line: %w", err)
	}
	return nil
}
