package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"stolpe/cross/vm/frame"
)

// tight is the memory that a unit is left with to run out of it, in bytes. Chosen by us:
// less than any program has in use, so that the kernel finds nothing to take back and ends
// the unit's process at once.
const tight = "65536"

// measure does to a unit, or to a line, what must open the contactor, and answers how long
// after it the contactor's line was low.
func (s *server) measure(f frame.Frame) {
	took, err := s.shoot(*f.Shot)
	a := frame.Frame{ID: f.ID, Done: true, At: took}
	if err != nil {
		a.Error = err.Error()
	}
	s.send(a)
}

func (s *server) shoot(shot frame.Shot) (time.Duration, error) {
	p, err := openProbe(shot.Line)
	if err != nil {
		return 0, err
	}
	defer p.close()
	deed, err := prepare(shot)
	if err != nil {
		return 0, err
	}
	if high, err := p.high(); err != nil || !high {
		return 0, errors.Join(err, fmt.Errorf("%s is low already: nothing to measure", shot.Line))
	}
	before()
	began := monotonic()
	if err := deed(); err != nil {
		return 0, fmt.Errorf("%s: %w", shot.What, err)
	}
	for {
		at := monotonic()
		high, err := p.high()
		if err != nil {
			return 0, err
		}
		if !high {
			return at - began, nil
		}
		left := shot.Most - (at - began)
		if left <= 0 {
			return 0, fmt.Errorf("%s: %s is still high %v later", shot.What, shot.Line, shot.Most)
		}
		if err := p.wait(left); err != nil {
			return 0, err
		}
	}
}

// prepare does everything that need not be measured.
func prepare(shot frame.Shot) (func() error, error) {
	signal := map[string]syscall.Signal{"kill": syscall.SIGKILL, "stop": syscall.SIGSTOP, "segv": syscall.SIGSEGV}
	switch shot.What {
	case "pull":
		if _, err := attribute(shot.Input, "pull"); err != nil {
			return nil, err
		}
		return func() error { return pull(shot.Input, shot.High) }, nil
	case "kill", "stop", "segv":
		pid, err := mainProcess(shot.Unit)
		if err != nil {
			return nil, err
		}
		return func() error { return syscall.Kill(pid, signal[shot.What]) }, nil
	case "oom":
		group, err := property(shot.Unit, "ControlGroup")
		if err != nil {
			return nil, err
		}
		return func() error { return runOut("/sys/fs/cgroup" + group + "/memory.max") }, nil
	}
	return nil, fmt.Errorf("cannot %q: kill, stop, segv, oom and pull are known", shot.What)
}

// runOut makes a unit run out of memory. The kernel ends a process within the first write.
// What it may use is put back at once, as what runs after a unit's end is under it too.
func runOut(limit string) error {
	was, err := os.ReadFile(limit)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(limit, []byte(tight), 0), os.WriteFile(limit, was, 0))
}

func mainProcess(unit string) (int, error) {
	text, err := property(unit, "MainPID")
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid < 2 {
		return 0, fmt.Errorf("%s has no main process", unit)
	}
	return pid, nil
}

// property asks systemd for something about a unit.
func property(unit, name string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/systemctl", "show", "--property", name, "--value", unit).Output()
	if err != nil {
		return "", fmt.Errorf("ask systemd for %s of %s: %w", name, unit, err)
	}
	text := strings.TrimSpace(string(out))
	if text == "" {
		return "", fmt.Errorf("%s of %s is empty: it does not run", name, unit)
	}
	return text, nil
}
