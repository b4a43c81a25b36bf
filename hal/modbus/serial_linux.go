package modbus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// port is a serial port. Reads and writes obey its deadlines. It reads without the
// words that an *os.File wraps around each error: on a line a time-out is no news,
// as one ends every silence that is listened to.
type port struct {
	*os.File
	raw  syscall.RawConn
	look func(fd uintptr) (done bool) // reads into into; made once
	into []byte
	n    int   // bytes read
	err  error // of the read
}

// openSerial opens a serial port for this process alone, sets it, and throws away
// what it has received so far. It waits for no carrier, and the port does not
// become the terminal of this process.
func openSerial(path string, s setting) (wire, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err // names operation and path
	}
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, err
	}
	p := &port{File: f, raw: raw}
	p.look = p.receive
	if err := p.control(func(fd int) error { return configure(fd, s) }); err != nil {
		f.Close()
		return nil, fmt.Errorf("set %s to %v: %w", path, s, err)
	}
	return p, nil
}

// Read waits for bytes. The end of the file is what a port gives without its
// adapter.
func (p *port) Read(into []byte) (int, error) {
	p.into = into
	if err := p.raw.Read(p.look); err != nil {
		return 0, err
	}
	return p.n, p.err
}

// receive reads what is there, and says whether anything was or can be.
func (p *port) receive(fd uintptr) (done bool) {
	for {
		p.n, p.err = unix.Read(int(fd), p.into)
		switch {
		case p.err == unix.EINTR:
			continue
		case p.err == unix.EAGAIN:
			return false
		case p.err != nil:
			p.n = 0
		case p.n == 0:
			p.err = io.EOF
		}
		return true
	}
}

// Close closes the port. What has not been sent is thrown away: the kernel would
// wait up to half a minute for an adapter to take it.
func (p *port) Close() error {
	p.control(func(fd int) error { // both fail only on a port that is gone
		return errors.Join(unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH), unix.IoctlSetInt(fd, unix.TIOCNXCL, 0))
	})
	return p.File.Close()
}

// Drain waits until everything written has been sent.
func (p *port) Drain() error {
	const drain = 1 // as tcdrain does; 0 would send a break
	return p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TCSBRK, drain) })
}

// control does something with the port's descriptor, again where a signal has
// interrupted it: Go's runtime sends some, by which goroutines take turns.
func (p *port) control(do func(fd int) error) error {
	failed := error(unix.EINTR)
	for errors.Is(failed, unix.EINTR) {
		if err := p.raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
			return err
		}
	}
	return failed
}

// configure makes a port carry bytes as they are, in the setting.
func configure(fd int, s setting) error {
	// TIOCEXCL keeps out everybody but root, and technicians are root.
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err == unix.EWOULDBLOCK {
		return unix.EBUSY
	} else if err != nil {
		return fmt.Errorf("take it alone: %w", err)
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		if errors.Is(err, unix.ENOTTY) {
			return ErrNotSerial
		}
		return fmt.Errorf("take it alone: %w", err)
	}
	want := termios(s)
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &want); err != nil {
		return err
	}
	// A driver that cannot do what it is told does something else, and says so here.
	// Parity is not compared: pseudo terminals have none and work all the same.
	got, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	const compared = unix.CBAUD | unix.CSIZE | unix.CSTOPB
	if got.Cflag&compared != want.Cflag&compared {
		return fmt.Errorf("%w: it is at %#o, want %#o", errCannot, got.Cflag&compared, want.Cflag&compared)
	}
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
}

// termios gives the kernel's words for a setting: raw, 8 data bits, no flow
// control, modem lines ignored and left alone on closing. Characters whose parity
// is wrong arrive as zeros.
func termios(s setting) unix.Termios {
	speed := map[int]uint32{1200: unix.B1200, 2400: unix.B2400, 4800: unix.B4800, 9600: unix.B9600,
		19200: unix.B19200, 38400: unix.B38400, 57600: unix.B57600, 115200: unix.B115200}[s.baud]
	t := unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | speed}
	t.Cc[unix.VMIN] = 1
	if s.parity != "N" {
		t.Cflag |= unix.PARENB
		t.Iflag |= unix.INPCK
	}
	if s.parity == "O" {
		t.Cflag |= unix.PARODD
	}
	if s.stop == 2 {
		t.Cflag |= unix.CSTOPB
	}
	return t
}
