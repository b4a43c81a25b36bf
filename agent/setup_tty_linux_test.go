package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// seat is a pseudo terminal with a program on it, and a person before it.
type seat struct {
	*testing.T
	master *os.File
	screen *paper
	cmd    *exec.Cmd
	ended  chan error
	read   int // of the screen, bytes: what has been answered
}

// sit starts a command on a terminal of its own, which answers nothing by itself.
func sit(t *testing.T, dir string, args ...string) *seat {
	t.Helper()
	return sitAt(t, "xterm", dir, args...)
}

// sitAt is sit at a terminal of a kind.
func sitAt(t *testing.T, kind, dir string, args ...string) *seat {
	t.Helper()
	master, slave := openTerminal(t)
	s := &seat{T: t, master: master, screen: &paper{}, ended: make(chan error, 1)}
	s.cmd = exec.Command(program.path(t), args...)
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), "TERM="+kind, "LANG=C", "LC_ALL=C", "NO_COLOR=1")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			s.screen.Write(b[:n]) //nolint:errcheck // it takes everything
			if err != nil {
				return // the program has gone
			}
		}
	}()
	go func() { s.ended <- s.cmd.Wait() }()
	t.Cleanup(func() {
		s.cmd.Process.Kill() //nolint:errcheck // it has ended if all is well
		<-copied
		master.Close()
	})
	return s
}

// openTerminal makes a pseudo terminal.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this machine has no pseudo terminals: ", err)
	}
	var unlocked, number int32
	size := [4]uint16{50, 120} // rows and columns
	for _, c := range []struct {
		request uintptr
		at      unsafe.Pointer
	}{{syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked)}, {syscall.TIOCGPTN, unsafe.Pointer(&number)}, {syscall.TIOCSWINSZ, unsafe.Pointer(&size)}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), c.request, uintptr(c.at)); errno != 0 {
			t.Fatal(errno)
		}
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

var rendition = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\a]*\a|\x1b[=>]`)

// shown is what has come onto the screen since the last answer, without what moves the
// cursor.
func (s *seat) shown() string {
	return rendition.ReplaceAllString(s.screen.String()[s.read:], "")
}

// sees waits until something is on the screen.
func (s *seat) sees(words string) {
	s.Helper()
	defer func() {
		if s.Failed() {
			s.Logf("on the screen:\n%s", s.shown())
		}
	}()
	until(s.T, words, func() bool { return strings.Contains(s.shown(), words) })
}

// answer waits for a question and types.
func (s *seat) answer(question, keys string) {
	s.Helper()
	s.sees(question)
	s.read = len(s.screen.String())
	if _, err := s.master.WriteString(keys); err != nil {
		s.Fatal(err)
	}
}

// enter ends an answer.
const enter = "\r"

// empty takes out what stands in a field.
const empty = "\x15"

func TestSetupAsksOnATerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := sit(t, dir, "setup", "--config", "stolpe.yaml", "--simulated", "--first-charge", "--lang", "en", "--skip", "close")
	for _, a := range []struct{ question, keys string }{
		{"What is the post called", empty + "not good" + enter}, {"want letters, digits and hyphens", empty + "A12" + enter},
		{"Where does it stand", empty + "Torget 3" + enter}, {"In which country", enter}, {"Which number", enter}, {"How many cars", enter},
		{"Who sells", enter}, {"register of companies", empty + "12345678" + enter}, {"registered for VAT", enter}, {"Address of the seller", "Torget 4" + enter}, {"E-mail", enter},
		{"Which code", enter}, {"the most it can deliver", enter}, {"What kind of display", enter},
		{"What does a kWh cost", empty + "5,10" + enter}, {"a minute cost?", enter}, {"cost to begin", enter}, {"without charging", enter}, {"can be reserved", enter},
		{"How is the post paid", enter},
		{"want 9 digits", ""}, {"register of companies", empty + "999999999" + enter}, // which is found out late, and asked again
	} {
		s.answer(a.question, a.keys)
	}
	s.sees("is in service")
	if err := <-s.ended; err != nil {
		t.Errorf("%v\n%s", err, s.shown())
	}
	if !strings.Contains(s.screen.String(), edge) {
		t.Error("the wizard has not drawn")
	}
	text, err := os.ReadFile(filepath.Join(dir, "stolpe.yaml"))
	for _, want := range []string{`id: "A12"`, `name: "Torget 3"`, `address: "Torget 4"`, `kwh: 510`} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("no %s: %v\n%s", want, err, text)
		}
	}
	if !strings.Contains(s.shown(), "A12-1-000001") {
		t.Errorf("no first charge:\n%s", s.shown())
	}
}

// What draws the questions is no part of the program that has none: nothing is asked of
// the terminal when a command begins.
func TestNoCommandAsksTheTerminal(t *testing.T) {
	t.Parallel()
	s := sit(t, t.TempDir(), "version")
	if err := <-s.ended; err != nil || strings.ContainsRune(s.screen.String(), '\x1b') {
		t.Errorf("%v, %q: want no escape sequence", err, s.screen)
	}
}

// Ctrl-C leaves a setup, and the next one goes on where it was, also with plain lines.
func TestSetupIsLeftAndGoesOn(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"xterm", "dumb"} {
		dir, end := t.TempDir(), enter
		if kind == "dumb" {
			end = "\n"
		}
		flags := []string{"setup", "--config", "stolpe.yaml", "--simulated", "--lang", "en", "--skip", "close,pay,selftest"}
		s := sitAt(t, kind, dir, flags...)
		for _, a := range []string{"What is the post called", "Where does it stand", "In which country", "Which number", "How many cars"} {
			s.answer(a, end)
		}
		s.answer("Who sells", "\x03")
		var left *exec.ExitError
		if err := <-s.ended; !errors.As(err, &left) || left.ExitCode() != exitStopped {
			t.Errorf("%s: %v: want %d\n%s", kind, err, exitStopped, s.shown())
		}
		if _, err := os.Stat(filepath.Join(dir, "stolpe.yaml.setup")); err != nil {
			t.Error(err)
		}
		s = sitAt(t, kind, dir, flags...)
		s.answer("Go on where", "y"+end)
		for _, a := range []string{"Who sells", "register of companies", "registered for VAT", "Address of the seller", "E-mail", "Which code", "the most it can deliver",
			"What kind of display", "What does a kWh cost", "a minute cost?", "cost to begin", "without charging", "can be reserved", "How is the post paid"} {
			s.answer(a, end)
		}
		s.sees("is in service")
		if err := <-s.ended; err != nil {
			t.Errorf("%s: %v\n%s", kind, err, s.shown())
		}
		if got := strings.Contains(s.screen.String(), edge); got != (kind == "xterm") {
			t.Errorf("%s: the wizard has drawn: %t", kind, got)
		}
	}
}

// edge is what only the wizard puts on the screen.
const edge = "┃"

// A wizard of another version, or none at all, is not used, and said so.
func TestAWizardThatDoesNotFit(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"#!/bin/sh\necho '{\"version\":\"9.9\"}' >&4\ncat <&3 >/dev/null\n": `is of version "9.9"`, "#!/bin/sh\nexit 0\n": "ended by itself", "no program": "exec",
	} {
		file := filepath.Join(t.TempDir(), wizardName)
		if err := os.WriteFile(file, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		if w, err := startWizard(file, "en"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %s", script, w, err, want)
		}
	}
}
