package vm

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"stolpe/cross/vm/image"
	"stolpe/cross/vm/machine"
)

// lab is one run: the image, the packages, the disks of the first scenario, and what has
// been found.
type lab struct {
	options
	out     io.Writer
	image   image.Files
	accel   string // what machines run with, as machine.Accel has it
	scratch string // folder of this run
	root    string // the disk with the package installed; empty before
	state   string // and the one of its state

	mu     sync.Mutex // of out, while posts are side by side
	timed  []figure
	sums   []string // what the power cuts came to, a sentence each
	failed []string // names of scenarios
}

// figure is something that was measured in a scenario.
type figure struct {
	what string
	took spread
}

// Chosen by us: far more than any scenario takes but the power cuts, each of which may
// take as long as it says.
const (
	sceneWithin = 25 * time.Minute
	cutWithin   = 3 * time.Minute
)

// newLab makes ready: the image is built once and kept.
func newLab(ctx context.Context, o options, out io.Writer) (*lab, error) {
	var err error
	if o.dir == "" {
		if o.dir, err = image.Folder(); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, err
	}
	l := &lab{options: o, out: out}
	if l.scratch, err = os.MkdirTemp(o.dir, "run-"); err != nil {
		return nil, err
	}
	began := time.Now()
	if l.image, err = image.Build(ctx, o.dir, out); err != nil {
		return nil, errors.Join(err, os.RemoveAll(l.scratch))
	}
	l.accel = machine.Accel(ctx, l.image)
	fmt.Fprintf(out, "image ready after %s; machines run under %s\n", short(time.Since(began)), l.accel)
	if o.from != "" {
		l.root, l.state = filepath.Join(o.from, "install", "root.img"), filepath.Join(o.from, "install", "state.img")
	}
	return l, nil
}

// runAll plays every scenario that is wanted and gives the exit code.
func (l *lab) runAll(ctx context.Context) int {
	began := time.Now()
	fmt.Fprintf(l.out, "seed %d; %s\n", l.seed, l.scratch)
	played := 0
	for _, s := range scenarios() {
		if !l.wanted(s) || ctx.Err() != nil {
			continue
		}
		played++
		if err := l.play(ctx, s); err != nil && s.name == "install" {
			break // nothing else can begin
		}
	}
	fmt.Fprintf(l.out, "\n%d scenarios in %s, seed %d", played, short(time.Since(began)), l.seed)
	for _, f := range l.timed {
		fmt.Fprintf(l.out, "\n  %-48s %v", f.what, f.took)
	}
	fmt.Fprintln(l.out)
	if len(l.failed) > 0 {
		fmt.Fprintf(l.out, "FAILED: %v; again: go run ./cross vm%s -keep\n", l.failed, l.again(l.failed[0]))
		return 1
	}
	if l.readme {
		if err := l.writeReadme("README.md"); err != nil {
			fmt.Fprintln(l.out, "cross vm:", err)
			return 1
		}
	}
	if err := l.clean(); err != nil {
		fmt.Fprintln(l.out, "cross vm:", err)
		return 1
	}
	return 0
}

// again are the flags with which a scenario draws the same once more.
func (l *lab) again(name string) string {
	flags := fmt.Sprintf(" -seed %d -cuts %d", l.seed, l.cuts)
	if l.quick {
		flags += " -quick"
	}
	return flags + " -only " + name
}

func (l *lab) clean() error {
	if l.keep {
		return nil
	}
	return os.RemoveAll(l.scratch)
}

// stage is where one scenario is played.
type stage struct {
	*lab
	scenario
	dir    string // for its disks and logs
	random *rand.Rand
	posts  []*post
}

// side is a stage beside others in the same scenario, with disks and a chance of its own.
func (s *stage) side(name string) (*stage, error) {
	side := *s
	side.dir, side.posts, side.random = filepath.Join(s.dir, name), nil, s.chance(s.name+"/"+name)
	return &side, os.MkdirAll(side.dir, 0o755)
}

// chance is what draws for a name.
func (l *lab) chance(name string) *rand.Rand {
	sum := fnv.New64()
	sum.Write([]byte(name))
	return rand.New(rand.NewPCG(l.seed, sum.Sum64()))
}

// play plays one scenario and prints how it went, with the console of its machine when
// it did not go well.
func (l *lab) play(ctx context.Context, sc scenario) error {
	began := time.Now()
	s := &stage{lab: l, scenario: sc, dir: filepath.Join(l.scratch, sc.name), random: l.chance(sc.name)}
	within, cancel := context.WithTimeout(ctx, l.within(sc))
	defer cancel()
	err := os.MkdirAll(s.dir, 0o755)
	if err == nil {
		err = sc.play(within, s)
	}
	word := "ok"
	if err != nil {
		word = "FAILED"
		l.failed = append(l.failed, sc.name)
		s.witness(ctx)
	}
	for _, p := range s.posts {
		p.end()
	}
	fmt.Fprintf(l.out, "%-6s %-10s %s\n", word, sc.name, short(time.Since(began)))
	if err != nil {
		fmt.Fprintf(l.out, "  %v\n  see %s\n", err, s.dir)
	} else if !l.keep {
		if e := s.discard(); e != nil {
			return e
		}
	}
	return err
}

// within is how long a scenario may take.
func (l *lab) within(sc scenario) time.Duration {
	if sc.name == "powercuts" {
		return sceneWithin + time.Duration(l.cuts)*cutWithin
	}
	return sceneWithin
}

// witness prints the end of what the posts have logged.
func (s *stage) witness(ctx context.Context) {
	for _, p := range s.posts {
		if p.m == nil {
			continue
		}
		fmt.Fprintf(s.out, "--- the console of the machine\n%s\n", p.m.Console(20))
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		if log, err := p.log(ctx, 60); err == nil {
			fmt.Fprintf(s.out, "--- the post's log\n%s---\n", log)
		}
		cancel()
	}
}

// discard removes the scenario's disks, unless others begin with them.
func (s *stage) discard() error {
	if s.name == "install" {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// say prints a line of what was seen.
func (s *stage) say(format string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "       %-10s %s\n", s.name, fmt.Sprintf(format, a...))
}

// measured prints a figure, and keeps it for the end.
func (s *stage) measured(what string, took spread) {
	s.say("%s: %v", what, took)
	s.timed = append(s.timed, figure{what, took})
}
