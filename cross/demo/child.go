package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a program that is started again whenever it ends, until it is told to.
type child struct {
	name  string
	fresh func() *exec.Cmd
	show  func(line string) // gets what it prints
	tell  func(line string) // gets what happens to it

	mu     sync.Mutex
	cmd    *exec.Cmd // nil while it does not run
	ending bool
	killed bool          // by us
	last   []string      // lines it printed
	over   chan struct{} // closed when it has ended for good
	stop   chan struct{} // closed when it is to end
}

// Chosen by us.
const (
	restAfterFall = time.Second // before a program that ended by itself is started again
	lastLines     = 20          // that are shown when a program ends by itself
)

// start starts it for the first time.
func (c *child) start() error {
	c.over, c.stop = make(chan struct{}), make(chan struct{})
	wait, err := c.launch()
	if err != nil {
		close(c.over)
		return err
	}
	go c.keep(wait)
	return nil
}

// launch starts the program once, and gives what waits for its end.
func (c *child) launch() (wait func() error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return nil, errors.New("told to end")
	}
	cmd := c.fresh()
	own(cmd)
	out, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	c.cmd, c.killed = cmd, false
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.read(out)
	}()
	return func() error {
		err := cmd.Wait()
		w.Close()
		<-read
		return err
	}, nil
}

// read passes on what the program prints.
func (c *child) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		c.mu.Lock()
		c.last = append(c.last, lines.Text())
		c.last = c.last[max(0, len(c.last)-lastLines):]
		c.mu.Unlock()
		c.show(lines.Text())
	}
	io.Copy(io.Discard, out) //nolint:errcheck // after a line that is too long
}

// keep starts it again and again.
func (c *child) keep(wait func() error) {
	defer close(c.over)
	for {
		err := wait()
		c.mu.Lock()
		ending, killed, last := c.ending, c.killed, strings.Join(c.last, "\n")
		c.cmd = nil
		c.mu.Unlock()
		if ending {
			return
		}
		if !killed {
			c.tell(fmt.Sprintf("%s ended by itself: %v\n%s", c.name, err, last))
			select {
			case <-time.After(restAfterFall):
			case <-c.stop:
				return
			}
		}
		if wait, err = c.launch(); err != nil {
			return // told to end meanwhile, or the program's file is gone
		}
		if killed {
			c.tell(c.name + " is started again")
		}
	}
}

// kill kills it as a power cut would, and says whether it was running.
func (c *child) kill() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil || c.ending {
		return false
	}
	c.killed = true
	return c.cmd.Process.Kill() == nil
}

// end tells it to end, and waits until it has; after grace, or when hurry ends, it is
// killed.
func (c *child) end(hurry context.Context, grace time.Duration) {
	c.mu.Lock()
	if !c.ending {
		c.ending = true
		close(c.stop)
	}
	c.signal(syscall.SIGTERM)
	c.mu.Unlock()
	select {
	case <-c.over:
		return
	case <-time.After(grace):
	case <-hurry.Done():
	}
	c.mu.Lock()
	c.signal(os.Kill)
	c.mu.Unlock()
	<-c.over
}

// signal is for whoever holds the lock.
func (c *child) signal(s os.Signal) {
	if c.cmd == nil {
		return
	}
	if err := c.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		c.tell(fmt.Sprintf("%s: %v", c.name, err))
	}
}

// endAll ends some at once, and waits for all.
func endAll(hurry context.Context, all []*child, grace time.Duration) {
	var group sync.WaitGroup
	for _, c := range all {
		if c != nil && c.over != nil {
			group.Go(func() { c.end(hurry, grace) })
		}
	}
	group.Wait()
}
