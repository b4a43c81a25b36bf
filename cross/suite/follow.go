package suite

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// quietFor is how long a step may print nothing before the run says that it is
// still there. Chosen by us.
const quietFor = 20 * time.Second

// command runs a program in the tree and calls line for every line it prints, as
// it comes; line says whether the reader of the run saw anything of it. Where programs run
// side by side, only one at a time has a line. The error is the program's.
func (r *run) command(line func(string) bool, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), env...)
	begun := time.Now()
	err := follow(func(w io.Writer) error {
		cmd.Stdout, cmd.Stderr = w, w
		return cmd.Run()
	}, func(text string) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return line(text)
	}, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		fmt.Fprintf(r.out, "   ... %.0f s\n", time.Since(begun).Seconds())
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := cmd.ProcessState; s != nil {
		r.busy += s.UserTime() + s.SystemTime()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// follow does work beside itself, calls line for each line that work writes, and
// quiet whenever line has shown none for a while. It ends when work does, with
// its error.
func follow(work func(io.Writer) error, line func(string) bool, quiet func()) error {
	lines := make(chan string)
	ended := make(chan error, 1)
	go func() {
		w := &lineWriter{to: lines}
		err := work(w)
		w.flush()
		close(lines)
		ended <- err
	}()
	timer := time.NewTimer(quietFor)
	defer timer.Stop()
	for {
		select {
		case text, more := <-lines:
			if !more {
				return <-ended
			}
			if !line(text) {
				continue
			}
		case <-timer.C:
			quiet()
		}
		timer.Reset(quietFor)
	}
}

// lineWriter cuts what is written into lines.
type lineWriter struct {
	to   chan<- string
	rest []byte // the beginning of a line
}

// Write sends every line that p completes. It never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		end := bytes.IndexByte(w.rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		w.to <- string(w.rest[:end])
		w.rest = w.rest[end+1:]
	}
}

// flush sends what is left when the last line has no end.
func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.to <- string(w.rest)
		w.rest = nil
	}
}
