package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"stolpe/cross/vm/frame"

	"golang.org/x/sys/unix"
)

// A Raspberry Pi's own chip has 58 lines; those on its 40-pin header are GPIO2 to GPIO27,
// and so named by the kernel.
const (
	chipLines       = 58
	first, last int = 2, 27
)

const simulated = "/sys/kernel/config/gpio-sim"

// makeLines makes the board's GPIO chip through the kernel's configuration file system.
func makeLines(board frame.Board) error {
	const config = "/sys/kernel/config"
	if err := unix.Mount("configfs", config, "configfs", 0, ""); err != nil {
		return fmt.Errorf("mount %s: %w", config, err)
	}
	bank := simulated + "/post/header"
	type setting struct{ path, value string }
	settings := []setting{{bank + "/label", board.Label}, {bank + "/num_lines", fmt.Sprint(chipLines)}}
	if err := os.MkdirAll(bank, 0o755); err != nil {
		return fmt.Errorf("make a simulated GPIO chip: %w", err)
	}
	for n := first; n <= last; n++ {
		line := fmt.Sprintf("%s/line%d", bank, n)
		if err := os.Mkdir(line, 0o755); err != nil {
			return fmt.Errorf("make a simulated GPIO line: %w", err)
		}
		settings = append(settings, setting{line + "/name", fmt.Sprintf("GPIO%d", n)})
	}
	for _, s := range append(settings, setting{simulated + "/post/live", "1"}) {
		if err := os.WriteFile(s.path, []byte(s.value), 0); err != nil {
			return fmt.Errorf("set up the simulated GPIO chip: %w", err)
		}
	}
	return nil
}

// attribute is the path of a line's file: its value, or its pull.
func attribute(line, what string) (string, error) {
	number, ok := strings.CutPrefix(line, "GPIO")
	if !ok {
		return "", fmt.Errorf("no line %q: lines are GPIO%d to GPIO%d", line, first, last)
	}
	found, err := filepath.Glob("/sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio" + number + "/" + what)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("no line %q: lines are GPIO%d to GPIO%d", line, first, last)
	}
	return found[0], nil
}

// pull sets the level that a line has where no program drives it.
func pull(line string, high bool) error {
	path, err := attribute(line, "pull")
	if err != nil {
		return err
	}
	value := "pull-down"
	if high {
		value = "pull-up"
	}
	return os.WriteFile(path, []byte(value), 0)
}

// probe reads the level of a line and waits for its changes.
type probe struct {
	line string
	fd   int // the open file
}

func openProbe(line string) (*probe, error) {
	path, err := attribute(line, "value")
	if err != nil {
		return nil, err
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &probe{line, fd}, nil
}

func (p *probe) close() { unix.Close(p.fd) }

func (p *probe) high() (bool, error) {
	var b [2]byte
	if n, err := unix.Pread(p.fd, b[:], 0); err != nil || n == 0 {
		return false, fmt.Errorf("read the level of %s: %w", p.line, err)
	}
	return b[0] == '1', nil
}

// wait returns when the level may have changed since it was read, or after most.
func (p *probe) wait(most time.Duration) error {
	// Rounded up, so that what is left of the time is never waited for in a circle.
	ms := int((most + time.Millisecond - 1) / time.Millisecond)
	_, err := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLPRI | unix.POLLERR}}, ms)
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("wait for a change of %s: %w", p.line, err)
	}
	return nil
}

// changes calls deed with the level of a line, at once and after each change, for as long
// as the machine runs.
func changes(line string, deed func(high bool, at time.Duration)) error {
	p, err := openProbe(line)
	if err != nil {
		return err
	}
	was, err := p.high()
	if err != nil {
		p.close()
		return err
	}
	deed(was, monotonic())
	go func() {
		defer p.close()
		before()
		for {
			err := p.wait(time.Hour)
			at := monotonic()
			is := was
			if err == nil {
				is, err = p.high()
			}
			if err != nil {
				say("guest: %v", err)
				return
			}
			if is != was {
				was = is
				deed(is, at)
			}
		}
	}()
	return nil
}

// watch reports the changes of a line to the host.
func (s *server) watch(line string) error {
	return changes(line, func(high bool, at time.Duration) {
		s.send(frame.Frame{Do: frame.Edge, Line: line, High: high, At: at})
	})
}

// follow plays an auxiliary contact, which does what the contactor does, later.
func (s *server) follow(c frame.Contact) error {
	if _, err := attribute(c.Line, "pull"); err != nil {
		return err
	}
	return changes(c.Of, func(high bool, _ time.Duration) {
		rest(c.After)
		if err := pull(c.Line, high); err != nil {
			say("guest: follow %s with %s: %v", c.Of, c.Line, err)
		}
	})
}

// rest sleeps on the thread it is called on: time.Sleep would be woken up by one that goes
// before nobody.
func rest(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}

// before lets the calling goroutine go before all other programs of the machine.
func before() {
	runtime.LockOSThread()
	priority := int32(50) // of 1 to 99 (sched(7)); the kernel's own interrupt threads have 50
	if _, _, errno := unix.RawSyscall(unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_FIFO, uintptr(unsafe.Pointer(&priority))); errno != 0 {
		say("guest: go before other programs: %v", errno)
	}
}

// monotonic is CLOCK_MONOTONIC.
func monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
