package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"stolpe/systemd"
)

// executable is the program that runs, and the one that stands where it was started from. The
// zero value never sees another.
type executable struct {
	runs string // the file of the one that runs, also when it has no name any more
	path string
}

func thisProgram() executable {
	path, err := os.Executable()
	if err != nil {
		return executable{}
	}
	return executable{"/proc/self/exe", path}
}

// errGone says that no program stands there any more.
var errGone = errors.New("the program is not on the disk any more")

// replaced says whether another program stands there.
func (p executable) replaced() (bool, error) {
	if p.path == "" {
		return false, nil
	}
	now, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%w: %s", errGone, p.path)
	}
	if err != nil {
		return false, err
	}
	runs, err := os.Stat(p.runs)
	if errors.Is(err, fs.ErrNotExist) { // a system without /proc, on which no post runs
		return false, nil
	}
	return err == nil && !os.SameFile(now, runs), err
}

// tryWithin is how long another program may take to show that it is one. Chosen by us:
// many times what it takes from the slowest card, and less than a watchdog waits.
const tryWithin = 5 * time.Second

// tried runs the program that stands there, which only looks at the configuration, and
// gives its version. What the post lacks anyway it may lack as well.
func (p executable) tried(ctx context.Context, file string, lacks []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	said, err := p.look(ctx, "version", "--json")
	var v versionJSON
	if err == nil && (json.Unmarshal(said, &v) != nil || v.Version == "") {
		err = errors.New("it does not tell its version, so it is none")
	}
	if err == nil {
		args := []string{"run", "--check", "--config", file}
		for _, secret := range lacks {
			args = append(args, "--without", secret)
		}
		_, err = p.look(ctx, args...)
	}
	if err != nil {
		return "", fmt.Errorf("%s cannot go on in the place of this program: %w", p.path, err)
	}
	return v.Version, nil
}

// look runs it with some arguments, and gives what it prints.
func (p executable) look(ctx context.Context, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, p.path, args...)
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NOTIFY_SOCKET=") }) // it is not the service
	c.WaitDelay = time.Second
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: does not end within %v", args[0], tryWithin)
	case err != nil && said.Len() > 0:
		return nil, fmt.Errorf("%s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	case err != nil:
		return nil, fmt.Errorf("%s: %w", args[0], err)
	}
	return out, nil
}

// giveWay has the process go on with the program that stands there, if that is another and
// can be run. It comes back if not, or if ctx ends: whoever ends this program means that
// one, too.
func (p executable) giveWay(ctx context.Context, file string, lacks []string, stderr io.Writer) {
	is, err := p.replaced()
	if err == nil && !is {
		return
	}
	var to string
	if err == nil {
		to, err = p.tried(ctx, file, lacks)
	}
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		fmt.Fprintf(stderr, "stolpe: version %s goes on in the place of %s\n", to, version)
		_ = systemd.Alive() // the contactors are open, and the next program has all the time of the watchdog for its start
		err = syscall.Exec(p.path, os.Args, os.Environ())
	}
	fmt.Fprintf(stderr, "stolpe: %v\nstolpe: version %s goes on\n", err, version)
}
