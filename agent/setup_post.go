package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/agent/setup"
)

// onPost is a post that runs while it is set up.
type onPost struct {
	*control.Client
	end func() error // nil if it is the daemon's
}

// wakeWithin is how long a post may take until it listens. Chosen by us: many times what
// the slowest board takes.
const wakeWithin = 30 * time.Second

// running gives the post as it runs by the configuration that was written: the daemon if
// there is one, and else one of our own, until leave.
func (f *fitting) running(ctx context.Context) (*control.Client, error) {
	if f.post != nil {
		return f.post.Client, nil
	}
	c, err := f.cfg()
	if err != nil {
		return nil, err
	}
	client := control.Dial(c.Control.Dir)
	switch err := client.Get(ctx, "status", nil, nil); {
	case err == nil:
		if err := f.taken(ctx, client, c.Sum); err != nil {
			return nil, err
		}
		f.post = &onPost{Client: client}
		return client, f.awake(ctx)
	case !errors.Is(err, control.ErrNoDaemon):
		return nil, answered(err)
	}
	if err := f.mayRun(c); err != nil {
		return nil, err
	}
	fmt.Fprintln(f.stderr, "  "+setup.Words{NB: "Posten kjører for prøvenes skyld.", EN: "The post runs for the sake of the tests."}.In(f.lang))
	return client, f.start(ctx, client)
}

// taken has the daemon go by what was written, and waits until it does: it answers a
// little longer as it was before it starts anew. One that has another file would have that
// tested instead.
func (f *fitting) taken(ctx context.Context, daemon *control.Client, sum string) error {
	within, cancel := context.WithTimeout(ctx, wakeWithin)
	defer cancel()
	for told := false; ; {
		var now struct {
			File    string `json:"file"`
			Sum     string `json:"cfg"`
			Running string `json:"running"`
		}
		err := daemon.Get(ctx, "config", nil, &now)
		switch {
		case err == nil && now.Sum != sum:
			return coded{fmt.Errorf("the daemon that runs goes by %s, and not by %s: set that up with --config %s, or stop the daemon first", now.File, f.file, now.File), exitRefused}
		case err == nil && now.Running == sum:
			return nil
		case err == nil && !told:
			if err := daemon.Do(ctx, "reload", nil, nil); err != nil {
				return coded{fmt.Errorf("the daemon does not take the new configuration: %w; systemctl restart stolpe", answered(err)), exitRefused}
			}
			told = true
		case err != nil && !errors.Is(err, control.ErrNoDaemon): // gone for a moment, to start anew
			return answered(err)
		}
		if pause(within, lookEach) != nil {
			return cmp.Or(ctx.Err(), error(coded{fmt.Errorf("the daemon does not go by the new configuration within %v; systemctl restart stolpe", wakeWithin), exitTimeout}))
		}
	}
}

// startDaemon is for a post that only its daemon can run.
const startDaemon = "systemctl start stolpe"

// mayRun says whether the post may be run from here: not where its files would belong to
// somebody else than its daemon, or where only the daemon has its keys.
func (f *fitting) mayRun(c config.Config) error {
	var wrong config.Errors
	if _, err := config.Load(f.file); errors.As(err, &wrong) {
		return coded{fmt.Errorf("only the daemon can run the post, as the keys are its own: %w; %s", wrong, startDaemon), exitNoDaemon}
	}
	if err := makeFolder(c.StateDir, filepath.Dir(f.file)); err != nil {
		return failed(fmt.Errorf("state_dir: %w", err))
	}
	info, err := os.Stat(c.StateDir)
	if err != nil {
		return failed(err)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() {
		return coded{fmt.Errorf("%s belongs to another user, as whom the daemon runs; %s", c.StateDir, startDaemon), exitNoDaemon}
	}
	return nil
}

// start runs the post in this program.
func (f *fitting) start(ctx context.Context, client *control.Client) error {
	jobs, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it settles after Ctrl-C, too
	said := &tail{}
	done := make(chan error, 1)
	r := &runner{source: machineTime(), stderr: said, from: origin{file: f.file}}
	go func() { done <- r.once(jobs) }()
	f.post = &onPost{Client: client, end: func() error {
		cancel()
		return <-done
	}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(wakeWithin)
	defer late.Stop()
	for {
		select {
		case err := <-done:
			done <- nil // for the end
			return coded{fmt.Errorf("the post does not run: %w\n%s", err, said), exitFailed}
		case <-late.C:
			return coded{fmt.Errorf("the post does not listen in control.dir within %v\n%s", wakeWithin, said), exitTimeout}
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := client.Get(ctx, "status", nil, nil); !errors.Is(err, control.ErrNoDaemon) {
				return errors.Join(answered(err), f.awake(ctx))
			}
		}
	}
}

// awake waits until the post knows its meters, its contactors and its payments, or it is
// clear that it will not for a while. What is wrong then, the tests will say.
func (f *fitting) awake(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, wakeWithin)
	defer cancel()
	for {
		var all struct {
			EVSEs []contactorNow `json:"evses"`
		}
		err := f.post.Get(ctx, "contactor", nil, &all)
		if err != nil && !errors.Is(err, control.ErrNoDaemon) {
			return answered(err)
		}
		waking := func(c contactorNow) bool {
			return slices.ContainsFunc(c.Faults, func(code string) bool { return slices.Contains([]string{"MET-001", "CON-003", "PAY-002"}, code) })
		}
		if err == nil && !slices.ContainsFunc(all.EVSEs, waking) { // it may be gone for a moment, to start anew
			return nil
		}
		if pause(within, lookEach) != nil {
			return cmp.Or(ctx.Err(), answered(err))
		}
	}
}

// leave ends the post if it runs in this program.
func (f *fitting) leave() error {
	if f.post == nil || f.post.end == nil {
		f.post = nil
		return nil
	}
	err := f.post.end()
	f.post = nil
	return failed(err)
}

// tail keeps the end of what was written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// mostTail is how much of a log is shown when something went wrong, bytes. Chosen by us:
// half a screen.
const mostTail = 2 << 10

// Write takes everything.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if more := len(t.text) - mostTail; more > 0 {
		t.text = bytes.Clone(t.text[more:])
	}
	return len(b), nil
}

// String gives it.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
