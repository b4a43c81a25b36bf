package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"stolpe/cross/vm/frame"
)

// What a shell gives for a command that is not there, and adds to a signal.
const (
	notFound = 127
	signals  = 128
)

// environment is what root's own shell would have.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
}

// run runs a command, in a session of its own so that it can be ended with all its children.
func (s *server) run(f frame.Frame) {
	c := exec.Command(f.Argv[0], f.Argv[1:]...)
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err1 := c.StdoutPipe()
	fault, err2 := c.StderrPipe()
	if err := errors.Join(err1, err2, c.Start()); err != nil {
		s.send(frame.Frame{ID: f.ID, Done: true, Code: notFound, Error: err.Error()})
		return
	}
	spare(c.Process.Pid, false)
	s.mu.Lock()
	s.running[f.ID] = c.Process.Pid
	s.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { s.pass(f.ID, out, false) })
	both.Go(func() { s.pass(f.ID, fault, true) })
	both.Wait()
	c.Wait()
	s.mu.Lock()
	delete(s.running, f.ID)
	s.mu.Unlock()
	code := c.ProcessState.ExitCode()
	if w, ok := c.ProcessState.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		code = signals + int(w.Signal())
	}
	s.send(frame.Frame{ID: f.ID, Done: true, Code: code})
}

// pass sends what comes out of a command as it comes.
func (s *server) pass(id uint32, from io.Reader, fault bool) {
	b := make([]byte, frame.Most)
	for {
		n, err := from.Read(b)
		if n > 0 {
			s.send(frame.Frame{ID: id, Fault: fault, Data: b[:n]})
		}
		if err != nil {
			return
		}
	}
}

func (s *server) kill(id uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if group, ok := s.running[id]; ok {
		syscall.Kill(-group, syscall.SIGKILL)
	}
}

// spare keeps a process from being chosen when memory runs out, or undoes it for the
// commands, which inherit it.
func spare(pid int, yes bool) error {
	score := "0"
	if yes {
		score = "-1000"
	}
	return os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(score), 0)
}

// put writes a file, piece by piece. It is renamed into place when it is whole.
func (s *server) put(f frame.Frame) {
	file, err := s.files[f.ID], error(nil)
	if file == nil {
		file, err = os.OpenFile(f.Path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, os.FileMode(f.Mode))
	}
	if err == nil {
		s.files[f.ID] = file
		_, err = file.Write(f.Data)
	}
	if err == nil && f.More {
		return
	}
	if file != nil {
		err = errors.Join(err, file.Chmod(os.FileMode(f.Mode)), file.Close())
	}
	delete(s.files, f.ID)
	if err == nil {
		err = os.Rename(f.Path+".part", f.Path)
	}
	s.done(f.ID, err)
}
