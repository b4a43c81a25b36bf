package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"stolpe/cross/vm/frame"
)

// port is the serial line to the host, used with calls that block: the kernel's driver
// reads nothing, without an error, while nobody is at the other end.
type port int

func (p port) Read(b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(p), b)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			time.Sleep(10 * time.Millisecond)
		case !errors.Is(err, syscall.EINTR) && !errors.Is(err, syscall.EAGAIN):
			return 0, fmt.Errorf("read from the host: %w", err)
		}
	}
}

func (p port) Write(b []byte) (int, error) {
	written := 0
	for written < len(b) {
		n, err := syscall.Write(int(p), b[written:])
		if err != nil && !errors.Is(err, syscall.EINTR) && !errors.Is(err, syscall.EAGAIN) {
			return written, fmt.Errorf("write to the host: %w", err)
		}
		written += max(n, 0)
	}
	return written, nil
}

// openPort finds the serial line by its name.
func openPort() (port, error) {
	names, err := filepath.Glob("/sys/class/virtio-ports/*/name")
	if err != nil {
		return 0, err
	}
	for _, path := range names {
		name, err := os.ReadFile(path)
		if err != nil || strings.TrimSpace(string(name)) != frame.PortName {
			continue
		}
		device := "/dev/" + filepath.Base(filepath.Dir(path))
		fd, err := syscall.Open(device, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
		if err != nil {
			return 0, fmt.Errorf("open %s: %w", device, err)
		}
		return port(fd), nil
	}
	return 0, fmt.Errorf("no serial line to the host named %s", frame.PortName)
}

// server does what the host asks for.
type server struct {
	mu      sync.Mutex
	to      port                // written under mu
	running map[uint32]int      // process groups by the ID of their request, under mu
	files   map[uint32]*os.File // that are being written; only the reading loop touches it
}

// send hands a frame to the host. A line that is broken ends the program.
func (s *server) send(f frame.Frame) {
	b, err := frame.Append(nil, f)
	if err != nil {
		b, _ = frame.Append(nil, frame.Frame{ID: f.ID, Done: true, Error: err.Error()})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.to.Write(b); err != nil {
		say("guest: %v", err)
		os.Exit(1)
	}
}

// done answers a request that has nothing else to say.
func (s *server) done(id uint32, err error) {
	f := frame.Frame{ID: id, Done: true}
	if err != nil {
		f.Error = err.Error()
	}
	s.send(f)
}

// most is how many threads may run Go at once. Chosen by us: more than there are lines to be
// watched, so that none that wakes up waits for another's turn.
const most = 16

func serve() error {
	runtime.GOMAXPROCS(most)
	board, err := readBoard()
	if err != nil {
		return err
	}
	if err := spare(os.Getpid(), true); err != nil {
		return err
	}
	p, err := openPort()
	if err != nil {
		return err
	}
	s := &server{to: p, running: map[uint32]int{}, files: map[uint32]*os.File{}}
	if _, err := p.Write(frame.Flush()); err != nil {
		return err
	}
	if err := s.begin(board); err != nil {
		s.send(frame.Frame{Do: frame.Hello, Error: err.Error()})
		return err
	}
	s.send(frame.Frame{Do: frame.Hello})
	from := frame.NewReader(p)
	for {
		f, err := from.Next()
		if err != nil {
			return err
		}
		s.do(f)
	}
}

// begin starts what the board has from the beginning.
func (s *server) begin(board frame.Board) error {
	for _, c := range board.Follow {
		if err := s.follow(c); err != nil {
			return err
		}
	}
	for _, line := range board.Watch {
		if err := s.watch(line); err != nil {
			return err
		}
	}
	for in, out := range board.Forward {
		if err := forward(in, out); err != nil {
			return err
		}
	}
	return nil
}

// do begins what a frame asks for. What takes its time runs beside the reading.
func (s *server) do(f frame.Frame) {
	switch f.Do {
	case frame.Run:
		go s.run(f)
	case frame.Kill:
		s.kill(f.ID)
	case frame.Put:
		s.put(f)
	case frame.Pull:
		s.done(f.ID, pull(f.Line, f.High))
	case frame.Persist:
		s.done(f.ID, os.WriteFile("/sys/module/gpio_sim/parameters/persist", []byte(map[bool]string{true: "Y", false: "N"}[f.High]), 0))
	case frame.Measure:
		go s.measure(f)
	default:
		s.done(f.ID, fmt.Errorf("cannot do %q", f.Do))
	}
}
