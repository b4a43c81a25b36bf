package suite

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"

	"stolpe/cross/build"
	"stolpe/cross/gotest"
	"stolpe/cross/rules"
)

func (r *run) gofmt() error {
	found := rules.Formatted(r.tree)
	for _, f := range found {
		fmt.Fprintf(r.out, "   %s\n", f)
	}
	if len(found) > 0 {
		return errors.New("run gofmt -w on these files")
	}
	r.tally.add(result{name: "gofmt"})
	return nil
}

// rules runs the tests of the builder's own package, which hold the tree to the
// rules: they take a second and say what to do instead.
func (r *run) rules() error { return r.goTest(nil, "./cross") }

func (r *run) vet() error { return r.check("go vet", "go", "vet", "./...") }

// vetSmallest looks whether everything compiles for a processor of 32 bits, where
// constants overflow that nobody notices elsewhere.
func (r *run) vetSmallest() error {
	if err := r.command(r.show, append(build.ARMv6().Env, "CGO_ENABLED=0"), "go", "vet", "./..."); err != nil {
		return err
	}
	r.tally.add(result{name: "go vet for the smallest post"})
	return nil
}

func (r *run) staticcheck() error {
	return r.check("staticcheck", "go", "tool", "staticcheck", "./...")
}

// check runs a program whose exit code is its whole answer.
func (r *run) check(name, program string, args ...string) error {
	if err := r.command(r.show, nil, program, args...); err != nil {
		return err
	}
	r.tally.add(result{name: name})
	return nil
}

func (r *run) tests() error {
	packages, err := r.packages()
	if err != nil {
		return err
	}
	// The rules have run already.
	packages = slices.DeleteFunc(packages, func(p string) bool { return p == r.module+"/cross" })
	slices.SortStableFunc(packages, func(a, b string) int { return r.rank(a) - r.rank(b) })
	return r.goTest(nil, packages...)
}

// rank puts the packages whose tests take minutes before the others, so that none of
// them runs alone at the end.
func (r *run) rank(p string) int {
	long := []string{"payment/gateway", "agent", "cross/worlds", "cross/deb", "display/web", "agent/session", "agent/evse", "hal/modbus"}
	if i := slices.Index(long, strings.TrimPrefix(p, r.module+"/")); i >= 0 {
		return i
	}
	return len(long)
}

// packages lists the packages that can be built on this machine.
func (r *run) packages() ([]string, error) {
	var packages []string
	err := r.command(func(line string) bool {
		if !strings.HasPrefix(line, r.module+"/") {
			return r.show(line) // as of a download
		}
		packages = append(packages, line)
		return false
	}, nil, "go", "list", "./...")
	return packages, err
}

// goTest runs `go test` with some more arguments, prints each package as it
// ends, and adds its tests to the tally.
func (r *run) goTest(env []string, args ...string) error {
	fixed := []string{"test", "-json", "-vet=off", abreast()} // vet is a step of its own
	if r.short {
		fixed = append(fixed, "-short")
	} else {
		fixed = append(fixed, "-count=1")
	}
	var stream gotest.Stream
	bad, late := 0, false
	ended := func(p gotest.Package) bool {
		if r.searching && outOfTime(p) {
			late, p.Tests[0].Outcome, p.Trouble = true, gotest.Passed, ""
		}
		bad += p.Count(gotest.Failed, gotest.Unfinished)
		return r.packageEnded(p)
	}
	err := r.command(func(line string) bool {
		p, text := stream.Read(line)
		return text != "" && r.show(text) || p != nil && ended(*p)
	}, env, "go", append(fixed, args...)...)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range stream.Close() {
		ended(p)
	}
	switch {
	case bad > 0:
		return errCounted
	case late:
		return nil
	}
	return err
}

// abreast lets one package more be tested at a time than there are processors: some
// wait for programs, clocks and networks most of the time.
func abreast() string { return fmt.Sprintf("-p=%d", runtime.NumCPU()+1) }

// errCounted says that a step failed by tests that are in the tally already.
var errCounted = errors.New("tests failed")

// packageEnded prints and counts what came of a package. It says whether there
// was anything to print.
func (r *run) packageEnded(p gotest.Package) bool {
	short := path.Clean(strings.TrimPrefix(strings.TrimPrefix(p.Path, r.module), "/"))
	for _, t := range p.Tests {
		if r.again && t.Outcome == gotest.Skipped {
			continue
		}
		name := short
		if t.Name != "" {
			name += " " + t.Name
		}
		if r.on != "" {
			name += " on " + r.on
		}
		r.tally.add(result{name: name, failed: t.Outcome == gotest.Failed || t.Outcome == gotest.Unfinished, skip: t.Reason})
	}
	if len(p.Tests) == 0 {
		return false
	}
	verdict := "ok  "
	bad, skipped := p.Count(gotest.Failed, gotest.Unfinished), p.Count(gotest.Skipped)
	if bad > 0 {
		verdict = "FAIL"
	}
	fmt.Fprintf(r.out, "   %s %-28s %4d passed", verdict, short, p.Count(gotest.Passed))
	if bad > 0 {
		fmt.Fprintf(r.out, ", %d failed", bad)
	}
	if skipped > 0 {
		fmt.Fprintf(r.out, ", %d skipped", skipped)
	}
	fmt.Fprintf(r.out, ", %s\n", seconds(p.Took))
	if p.Trouble != "" {
		fmt.Fprintln(r.out, indent(indent(p.Trouble)))
	}
	return true
}

// show prints a line that a program printed.
func (r *run) show(line string) bool {
	fmt.Fprintf(r.out, "   %s\n", line)
	return true
}
