package main

import (
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
	master, slave := openTerminal(t)
	s := &seat{T: t, master: master, screen: &paper{}, ended: make(chan error, 1)}
	s.cmd = exec.Command(program.path(t), args...)
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), "TERM=xterm", "LANG=C", "LC_ALL=C", "NO_COLOR=1")
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
		{"Who sells", enter}, {"register of companies", enter}, {"registered for VAT", enter}, {"Address of the seller", "Torget 4" + enter}, {"E-mail", enter},
		{"Which code", enter}, {"the most it can deliver", enter},
		{"What does a kWh cost", empty + "5,10" + enter}, {"a minute cost?", enter}, {"cost to begin", enter}, {"without charging", enter}, {"can be reserved", enter},
		{"How is the post paid", enter},
	} {
		s.answer(a.question, a.keys)
	}
	s.sees("is in service")
	if err := <-s.ended; err != nil {
		t.Errorf("%v\n%s", err, s.shown())
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

// The library that draws the questions must not ask the terminal anything when a command
// begins that has no questions (package ahead).
func TestNoCommandAsksTheTerminal(t *testing.T) {
	t.Parallel()
	s := sit(t, t.TempDir(), "version")
	if err := <-s.ended; err != nil || strings.ContainsRune(s.screen.String(), '\x1b') {
		t.Errorf("%v, %q: want no escape sequence", err, s.screen)
	}
}
