package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"stolpe/cross/vm/frame"
)

// Exit is the error of a command that ended with another code than 0.
type Exit struct {
	Argv  []string
	Code  int    // above 128 the signal that ended it, 127 a command that is not there
	Out   string // what it said
	Fault string // what it said on its error output
}

// Error tells the command, its code and the end of what it said.
func (e *Exit) Error() string {
	said := strings.TrimSpace(e.Fault + "\n" + e.Out)
	const most = 2000 // bytes: about thirty lines
	return fmt.Sprintf("%s: exit %d: %s", strings.Join(e.Argv, " "), e.Code, said[max(0, len(said)-most):])
}

// errReset is the answer to what a machine was asked before it was reset.
var errReset = errors.New("the machine was reset before it answered")

// asked is a request whose answers are still to come.
type asked struct {
	answers chan frame.Frame
	over    chan struct{} // closed when nobody reads answers any more
}

// listen hands on what the guest says until there is no guest any more.
func (m *Machine) listen(from *frame.Reader) {
	for {
		f, err := from.Next()
		if err != nil {
			return // qemu is ending, which closes gone
		}
		switch f.Do {
		case frame.Hello:
			m.hello(f)
		case frame.Edge:
			m.edge(Edge{f.Line, f.High, f.At})
		default:
			m.mu.Lock()
			a := m.asked[f.ID]
			m.mu.Unlock()
			if a != nil {
				select {
				case a.answers <- f:
				case <-a.over:
				}
			}
		}
	}
}

// hello notes that the guest is there. Whatever was asked before will not be answered.
func (m *Machine) hello(f frame.Frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.starts++
	if f.Error != "" {
		m.failed = errors.New(f.Error)
	}
	if m.starts > 1 {
		for _, a := range m.asked {
			select {
			case a.answers <- frame.Frame{Done: true, Error: errReset.Error()}:
			default:
			}
		}
	}
	close(m.started)
	m.started = make(chan struct{})
}

// ask sends a request and shows every answer but the last to each, which may be nil.
func (m *Machine) ask(ctx context.Context, f frame.Frame, each func(frame.Frame)) (frame.Frame, error) {
	const ahead = 64 // answers that wait for their reader, chosen by us
	a := &asked{make(chan frame.Frame, ahead), make(chan struct{})}
	m.mu.Lock()
	m.last++
	f.ID = m.last
	m.asked[f.ID] = a
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.asked, f.ID)
		m.mu.Unlock()
		close(a.over)
	}()
	if err := m.send(ctx, f); err != nil {
		return frame.Frame{}, err
	}
	for {
		select {
		case got := <-a.answers:
			if got.Done {
				return got, nil
			}
			if each != nil {
				each(got)
			}
		case <-m.gone:
			return frame.Frame{}, m.ended()
		case <-ctx.Done():
			m.send(context.WithoutCancel(ctx), frame.Frame{ID: f.ID, Do: frame.Kill})
			return frame.Frame{}, context.Cause(ctx)
		}
	}
}

// send hands a request over, with as many frames as its data needs.
func (m *Machine) send(ctx context.Context, f frame.Frame) error {
	rest := f.Data
	for {
		f.Data = rest[:min(len(rest), frame.Most)]
		rest = rest[len(f.Data):]
		f.More = len(rest) > 0
		b, err := frame.Append(nil, f)
		if err != nil {
			return err
		}
		if err := m.write(ctx, b); err != nil {
			return err
		}
		if !f.More {
			return nil
		}
	}
}

// write puts a frame on the line, as one whole.
func (m *Machine) write(ctx context.Context, b []byte) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	m.line.SetWriteDeadline(time.Now().Add(patience))
	if _, err := m.line.Write(b); err != nil {
		select {
		case <-m.gone:
			return m.ended()
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
			return fmt.Errorf("write to the guest: %w", err)
		}
	}
	return nil
}

// want asks for something that has one answer.
func (m *Machine) want(ctx context.Context, f frame.Frame) (frame.Frame, error) {
	got, err := m.ask(ctx, f, nil)
	if err == nil && got.Error != "" {
		err = errors.New(got.Error)
	}
	return got, err
}

// Run runs a command in the machine, as root, and gives its output. The error of one that
// ran and failed is an *Exit. The command is ended when ctx is.
func (m *Machine) Run(ctx context.Context, argv ...string) (string, error) {
	if len(argv) == 0 {
		return "", errors.New("run in the machine: no command")
	}
	var out, fault strings.Builder
	got, err := m.ask(ctx, frame.Frame{Do: frame.Run, Argv: argv}, func(f frame.Frame) {
		if f.Fault {
			fault.Write(f.Data)
		} else {
			out.Write(f.Data)
		}
	})
	switch {
	case err != nil:
		err = fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	case got.Error == errReset.Error():
		err = fmt.Errorf("%s: %w", strings.Join(argv, " "), errReset)
	case got.Code != 0:
		err = &Exit{argv, got.Code, out.String(), fault.String() + got.Error}
	}
	return out.String(), err
}

// Put writes a file in the machine; it is there whole or not at all.
func (m *Machine) Put(ctx context.Context, path string, mode fs.FileMode, content []byte) error {
	_, err := m.want(ctx, frame.Frame{Do: frame.Put, Path: path, Mode: uint32(mode.Perm()), Data: content})
	if err != nil {
		return fmt.Errorf("write %s in the machine: %w", path, err)
	}
	return nil
}
