package suite

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// result is what came of one test, or of one check that is no Go test.
type result struct {
	name   string // "agent/session TestX/row", "go vet"
	failed bool
	skip   string // the reason, when it was skipped
}

// tally holds the results of a run by name. A test that ran twice, plainly and
// under the race detector, is counted once: as failed if it ever failed, and as
// skipped only if it never ran.
type tally struct {
	results map[string]result
}

func (t *tally) add(r result) {
	if t.results == nil {
		t.results = make(map[string]result)
	}
	if old, ok := t.results[r.name]; ok {
		r.failed = r.failed || old.failed
		if old.skip == "" {
			r.skip = ""
		}
	}
	t.results[r.name] = r
}

// sum prints the end of a run and gives its exit code. When skips are not
// allowed, each is a failure, but for those whose material lies outside the
// repository and cannot be had by installing anything.
func (t *tally) sum(out io.Writer, allowSkips bool) int {
	var passed, failed, skipped int
	var names []string
	reasons := make(map[string][]string) // tests by the reason for which they were skipped
	for _, name := range slices.Sorted(maps.Keys(t.results)) {
		r := t.results[name]
		if r.skip != "" {
			reasons[r.skip] = append(reasons[r.skip], name)
		}
		switch {
		case r.failed:
			names = append(names, name)
			failed++
		case r.skip == "":
			passed++
		case allowSkips || outside(r.skip):
			skipped++
		default:
			names = append(names, name+" (skipped, which this run does not allow)")
			failed++
		}
	}
	printSkipped(out, reasons)
	if len(names) > 0 {
		fmt.Fprintf(out, "\n== failed\n   %s\n", strings.Join(names, "\n   "))
	}
	fmt.Fprintf(out, "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 {
		return exitBad
	}
	return exitWell
}

// printSkipped prints one line for each reason.
func printSkipped(out io.Writer, reasons map[string][]string) {
	if len(reasons) == 0 {
		return
	}
	fmt.Fprintf(out, "\n== skipped\n")
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		tests := reasons[reason]
		more := ""
		if len(tests) > 1 {
			more = fmt.Sprintf(" and %d more", len(tests)-1)
		}
		what := ""
		if outside(reason) {
			what = "outside the repository: "
		}
		fmt.Fprintf(out, "   %s%s (%s%s)\n", what, reason, tests[0], more)
	}
}

var outsidePattern = regexp.MustCompile(`\.\./shared/`)

// outside says whether a test was skipped for want of material that lies beside
// the repository, by the path in its reason.
func outside(reason string) bool { return outsidePattern.MatchString(reason) }
