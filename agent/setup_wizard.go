package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/setup"
)

// wizardName is the program that draws the questions. It stands beside this one.
const wizardName = "stolpe-wizard"

// Chosen by us.
const (
	helloWithin = 10 * time.Second // a small board reads the program from its card
	byeWithin   = 2 * time.Second
)

// askerOf is who asks the person at the terminal of a command: the wizard, or plain lines
// where that is not there or not wanted.
func askerOf(c *cobra.Command) asker {
	lang, out := langOf(c), c.ErrOrStderr()
	plain := newTeletype(c.InOrStdin(), out, lang)
	if os.Getenv("TERM") == "dumb" || os.Getenv("ACCESSIBLE") != "" {
		return plain
	}
	self, err := os.Executable()
	if err != nil {
		return plain
	}
	path := filepath.Join(filepath.Dir(self), wizardName)
	if _, err := os.Stat(path); err != nil {
		return plain
	}
	var env []string
	if !paintOf(c, out).on {
		env = append(env, "NO_COLOR=1")
	}
	w, err := startWizard(path, pick(lang, "nb", "en"), env...)
	if err != nil {
		fmt.Fprintf(out, "%s: %v\n", path, err)
		return plain
	}
	return w
}

// wizard asks by way of a program that draws.
type wizard struct {
	cmd     *exec.Cmd
	to      io.Closer
	in      *json.Encoder
	out     *json.Decoder
	answers *os.File
}

// startWizard starts it, and makes sure that it is of this version.
func startWizard(path, lang string, env ...string) (*wizard, error) {
	theirs, requests, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answers, out, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirs.Close(), requests.Close())
	}
	w := &wizard{cmd: exec.Command(path, lang), to: requests, in: json.NewEncoder(requests), out: json.NewDecoder(answers), answers: answers}
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	w.cmd.Env = append(os.Environ(), env...)
	w.cmd.ExtraFiles = []*os.File{theirs, out}
	err = w.cmd.Start()
	err = errors.Join(err, theirs.Close(), out.Close())
	if err != nil {
		return nil, errors.Join(err, requests.Close(), answers.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), helloWithin)
	defer cancel()
	hello, err := w.hear(ctx)
	if err == nil && hello.Version != version {
		err = fmt.Errorf("is of version %q, and this is %s: the questions come as lines", hello.Version, version)
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// hear reads what the wizard says, unless ctx ends first.
func (w *wizard) hear(ctx context.Context) (said setup.Said, err error) {
	_, err = unless(ctx, func() (string, error) { return "", w.out.Decode(&said) })
	if errors.Is(err, io.EOF) {
		err = errors.New("it has ended by itself")
	}
	return said, err
}

func (w *wizard) ask(ctx context.Context, r setup.Request, check func(key, answer string) error) (setup.Said, error) {
	if err := w.in.Encode(r); err != nil {
		return setup.Said{}, fmt.Errorf("%s: %w", wizardName, err)
	}
	for {
		said, err := w.hear(ctx)
		switch {
		case err != nil:
			return setup.Said{}, fmt.Errorf("%s: %w", wizardName, err)
		case said.Left:
			return said, errLeft
		case said.Error != "":
			return said, fmt.Errorf("%s: %s", wizardName, said.Error)
		case said.Check == nil:
			return said, nil
		}
		var v setup.Verdict
		if err := check(said.Check.Key, said.Check.Value); err != nil {
			v.Wrong = err.Error()
		}
		if err := w.in.Encode(v); err != nil {
			return setup.Said{}, fmt.Errorf("%s: %w", wizardName, err)
		}
	}
}

// close ends the wizard: it leaves when there is nobody to ask for. One that is in the
// middle of a page puts the terminal back first.
func (w *wizard) close() error {
	err := w.to.Close()
	ended := make(chan error, 1)
	go func() { ended <- w.cmd.Wait() }()
	for _, sig := range []os.Signal{nil, syscall.SIGTERM, os.Kill} {
		if sig != nil {
			err = errors.Join(err, w.cmd.Process.Signal(sig))
		}
		select {
		case wrong := <-ended:
			if sig == nil {
				err = errors.Join(err, wrong)
			}
			return errors.Join(err, w.answers.Close())
		case <-time.After(byeWithin):
		}
	}
	return errors.Join(err, w.answers.Close())
}
