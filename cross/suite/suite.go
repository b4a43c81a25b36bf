// Package suite is `go run ./cross test`: every check this repository has, in
// one run, with one closing line.
//
// # Why
//
// A fresh machine with Go and a way to its modules is all it needs. What tests
// of a single part need besides (a browser, a compiler for the race detector)
// is installed where that may be done, and is otherwise skipped in the open: a
// test says which part it misses, and the run says so again at its end. In a
// strict run a part that was not tested is a failure, because nobody reads a
// skip in a log that is green.
//
// There is no step for generated documents. Each is compared by a test of the
// package that it is made from, and written by that test when told to.
//
// Order is by price: what fails in a second comes before what takes minutes. A
// step that fails does not end the run, so that one run tells everything.
//
// Results of earlier runs are not believed but in a short run: the go command
// does not see when a program that a test needs has come or gone.
package suite

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"stolpe/cross/rules"
)

// Exit codes: all was well, something failed, the command was not understood.
const (
	exitWell  = 0
	exitBad   = 1
	exitUsage = 2
)

// Run tests the module in the current folder and gives the exit code: 0 when
// nothing failed, 1 when something did, 2 when the arguments are wrong.
func Run(args []string, stdout, stderr io.Writer) int {
	r := run{out: stdout, dir: ".", module: "stolpe", root: os.Geteuid() == 0}
	flags := flag.NewFlagSet("cross test", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&r.allowSkips, "allow-skips", os.Getenv("CI") == "" || os.Getenv("CI") == "false",
		"let tests be skipped whose part is missing on this machine; the default is false where CI is set")
	flags.BoolVar(&r.short, "short", false, "a quick run: short tests, earlier results believed, no race detector")
	only := flags.String("only", "", "only the steps whose names match this regular expression")
	flags.DurationVar(&r.longSearch, "fuzz", 0, "only let every fuzzer there is search for so long, as in 5m")
	flags.BoolVar(&r.machine, "vm", false, "also boot a post in a virtual machine (go run ./cross vm -quick), as a last step, machine: some eight minutes more")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return exitWell
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "cross test: does not understand %q\n", flags.Args())
		return exitUsage
	case r.longSearch < 0 || r.longSearch > 0 && (r.short || r.longSearch < time.Second):
		fmt.Fprintln(stderr, "cross test: -fuzz takes a time of at least 1s, and not with -short")
		return exitUsage
	case r.short && !r.allowSkips:
		fmt.Fprintln(stderr, "cross test: a short run skips by its nature: say -short or -allow-skips=false, not both")
		return exitUsage
	}
	var err error
	if r.only, err = regexp.Compile(*only); err != nil {
		fmt.Fprintln(stderr, "cross test: -only:", err)
		return exitUsage
	}
	return r.all()
}

// run is one run of the suite.
type run struct {
	out        io.Writer
	dir        string // folder of go.mod
	module     string
	root       bool // may install packages
	allowSkips bool
	short      bool
	only       *regexp.Regexp // the names of steps to do; nil for all
	machine    bool           // boot a post in a virtual machine as well
	longSearch time.Duration  // for each fuzzer, and nothing but these; 0 for a usual run
	mu         sync.Mutex     // held by whoever prints, or counts
	again      bool           // the tests have run before: only failures are news
	on         string         // the processor that tests run on; empty for this machine's
	searching  bool           // fuzzers search, until their time is up
	busy       time.Duration  // of all processors together, for the step under way
	tree       *rules.Tree
	tally      tally
}

// step is one part of a run. It prints what it finds, and gives an error when it
// failed: errCounted when the tally knows already by what.
type step struct {
	name string
	long bool // left out of a short run
	do   func(*run) error
}

func steps() []step {
	return []step{
		{"gofmt", false, (*run).gofmt},
		{"rules of the house", false, (*run).rules},
		{"go vet", false, (*run).vet},
		{"staticcheck", true, (*run).staticcheck},
		{"go vet for the smallest post", true, (*run).vetSmallest},
		{"parts", true, (*run).parts},
		{"tests", false, (*run).tests},
		{"tests under the race detector", true, (*run).race},
		{"tests on the processors of posts", true, (*run).emulate},
		{"fuzzers", true, (*run).fuzz},
	}
}

// all does the steps and sums them up.
func (r *run) all() int {
	tree, err := rules.Load(r.dir, r.module)
	if err != nil {
		fmt.Fprintln(r.out, err)
		r.tally.add(result{name: "the tree", failed: true})
		return r.sum()
	}
	r.tree = tree
	begun := time.Now()
	all := steps()
	if r.machine {
		all = append(all, step{"machine", true, (*run).boot})
	}
	if r.longSearch > 0 {
		all = []step{{"fuzzers", true, (*run).fuzz}}
	}
	for _, s := range all {
		if (!s.long || !r.short) && (r.only == nil || r.only.MatchString(s.name)) {
			r.step(s)
		}
	}
	fmt.Fprintf(r.out, "\n== in all %s\n", seconds(time.Since(begun)))
	return r.sum()
}

// step does one step under its heading.
func (r *run) step(s step) {
	fmt.Fprintf(r.out, "\n== %s\n", s.name)
	begun, verdict := time.Now(), "ok"
	r.busy = 0
	if err := s.do(r); err != nil {
		verdict = "FAILED"
		if err != errCounted {
			fmt.Fprintln(r.out, indent(err.Error()))
			r.tally.add(result{name: s.name, failed: true})
		}
	}
	fmt.Fprintf(r.out, "   %s, %s", verdict, seconds(time.Since(begun)))
	if r.busy > time.Second { // more than what is done in this process
		fmt.Fprintf(r.out, ", %s of processors", seconds(r.busy))
	}
	fmt.Fprintln(r.out)
}

// sum prints what was skipped, what failed, and the closing line.
func (r *run) sum() int {
	return r.tally.sum(r.out, r.allowSkips)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// indent moves text to the right of the headings.
func indent(text string) string {
	return "   " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n   ")
}
