package sim

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// port is a pseudo terminal: what a master opens as its serial port is the slave
// side, and the meters are at the master side.
type port struct {
	path   string
	master *os.File
	slave  int // kept open, or the meters would be hung up on whenever no master is there
}

// openPort makes a pseudo terminal that passes all bytes on as they are. Its speed
// is 38,400 baud, as Linux makes them: a master that sets none is wrong.
func openPort() (*port, error) {
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
	fd, err := unix.Open("/dev/ptmx", flags|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	p := &port{master: os.NewFile(uintptr(fd), "/dev/ptmx"), slave: -1}
	if err := p.prepare(fd, flags); err != nil {
		p.master.Close()
		if p.slave >= 0 {
			unix.Close(p.slave)
		}
		return nil, err
	}
	return p, nil
}

func (p *port) prepare(fd, flags int) error {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return fmt.Errorf("unlock pseudo terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return fmt.Errorf("number of pseudo terminal: %w", err)
	}
	p.path = fmt.Sprintf("%s/%d", terminals, number)
	if p.slave, err = unix.Open(p.path, flags, 0); err != nil {
		return fmt.Errorf("open %s: %w", p.path, err)
	}
	settings, err := unix.IoctlGetTermios(p.slave, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("settings of %s: %w", p.path, err)
	}
	settings.Iflag, settings.Oflag, settings.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(p.slave, unix.TCSETS2, settings); err != nil {
		return fmt.Errorf("settings of %s: %w", p.path, err)
	}
	return nil
}

// free gives the port's number back to the system.
func (p *port) free() error { return unix.Close(p.slave) }

// agrees says whether the port is set as the slaves are.
//
// Linux clears PARENB on every pseudo terminal, since no bit of parity can go
// through one. PARODD and CSTOPB stay. So whether there is a parity shows only in
// INPCK, which a master that wants to be told of wrong parity must set as well.
func (p *port) agrees(s Serial) bool {
	raw, err := p.master.SyscallConn()
	if err != nil {
		return false
	}
	var settings *unix.Termios
	control := raw.Control(func(fd uintptr) { settings, err = unix.IoctlGetTermios(int(fd), unix.TCGETS2) })
	if control != nil || err != nil {
		return false // the adapter is just being pulled
	}
	parity := "N"
	switch {
	case settings.Iflag&unix.INPCK == 0:
	case settings.Cflag&unix.PARODD != 0:
		parity = "O"
	default:
		parity = "E"
	}
	stop := 1
	if settings.Cflag&unix.CSTOPB != 0 {
		stop = 2
	}
	return int(settings.Ospeed) == s.Baud && parity == s.Parity && stop == s.StopBits
}
