// Package bench is `go run ./cross bench`: what the product costs, each number
// beside its floor, measured in the same run.
//
// # Why
//
// A number alone says as much about the machine as about the program. So every
// row has a floor: the least that anything doing this job must cost on the same
// machine in the same minute (one bare fdatasync, a bare TLS client, another
// library's round trip), and the ratio is what may be compared between machines.
//
// Numbers are medians of several runs, ours and the floor in turns. None of them
// passes or fails anything: a test that depends on how busy a machine is gets
// ignored sooner or later. The budgets stand beside them for the reader.
package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
)

// Row is one thing that was measured.
type Row struct {
	What    string
	Unit    string
	Budget  string    // as the design has it; empty without one
	FloorIs string    // what the floor is; empty without one
	Ours    []float64 // samples, in Unit
	Floor   []float64 // samples, in Unit
}

// probe measures one or more rows that share their runs.
type probe struct {
	name    string // for -only
	measure func(*lab) ([]Row, error)
}

// lab is where probes work.
type lab struct {
	dir  string            // of go.mod
	tmp  string            // thrown away at the end
	runs int               // samples of each row
	say  func(string)      // tells the reader that something is going on
	made map[string]string // programs already built here, by processor and package
}

// Run measures everything from the current folder, or gateways under load or the data
// use of telemetry if that is the first argument, and gives the exit code: 0 when all
// could be measured, 1 when something could not, 2 when the arguments are wrong.
func Run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "gateway" {
		return runGateway(args[1:], stdout, stderr)
	}
	if len(args) > 0 && args[0] == "data" {
		return runData(args[1:], stdout, stderr)
	}
	flags := flag.NewFlagSet("cross bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: go run ./cross bench [flags], bench gateway [flags] for gateways under load, or bench data for what telemetry costs")
		flags.PrintDefaults()
	}
	asJSON := flags.Bool("json", false, "print one JSON document instead of a table")
	runs := flags.Int("runs", 5, "samples of each row")
	readme := flags.Bool("readme", false, "also put the table into README.md, where it has a place for it")
	only := flags.String("only", "", "measure only probes whose names match this regular expression")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0 || *runs < 1:
		fmt.Fprintln(stderr, "cross bench: takes flags only, and at least one run")
		return 2
	}
	if *readme && *only != "" {
		fmt.Fprintln(stderr, "cross bench: -readme takes every row: leave -only out")
		return 2
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(stderr, "cross bench: -only:", err)
		return 2
	}
	rows, err := measure(pattern, *runs, stderr)
	print := table
	if *asJSON {
		print = document
	}
	err = errors.Join(err, print(stdout, rows))
	if *readme && err == nil {
		err = intoReadme("README.md", rows)
	}
	if err != nil {
		fmt.Fprintln(stderr, "cross bench:", err)
		return 1
	}
	return 0
}

// measure runs the probes that match, tells on stderr which one is under way, and
// gives the rows that could be measured. The error is of the first that could not.
func measure(pattern *regexp.Regexp, runs int, stderr io.Writer) ([]Row, error) {
	tmp, err := os.MkdirTemp("", "cross-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	l := &lab{dir: ".", tmp: tmp, runs: runs, made: make(map[string]string),
		say: func(text string) { fmt.Fprintln(stderr, "...", text) }}
	var rows []Row
	var first error
	for _, p := range probes() {
		if !pattern.MatchString(p.name) {
			continue
		}
		l.say(p.name)
		more, err := p.measure(l)
		if err != nil && first == nil {
			first = fmt.Errorf("%s: %w", p.name, err)
		}
		rows = append(rows, more...)
	}
	return rows, first
}

// median is the middle of the samples; 0 without any.
func median(samples []float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ratio is how many floors ours takes; 0 without a floor.
func (r Row) ratio() float64 {
	if floor := median(r.Floor); floor > 0 {
		return median(r.Ours) / floor
	}
	return 0
}
