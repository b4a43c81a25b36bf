// Package gotest reads what `go test -json` prints, and says of each package
// what passed, what failed and what was skipped for which reason.
//
// # Why
//
// The stream is read line by line while it comes, because a run takes minutes
// and whoever waits wants to see each package as it ends.
//
// A test with subtests is not counted beside them: a table of ten rows is ten
// tests. It is counted when it fails though all its rows are well.
//
// Nothing passes by default. A test that began and never ended has failed, and
// so has a package that ends badly without a test to blame (a build that broke,
// goroutines left behind, a call of os.Exit).
package gotest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Outcome says how a test ended.
type Outcome uint8

// The outcomes.
const (
	Unfinished Outcome = iota // it never ended; counts as failed
	Failed
	Skipped
	Passed
)

// Test is one test that is counted.
type Test struct {
	Name    string // empty when the package itself failed
	Outcome Outcome
	Reason  string // what a skipped test said
}

// Package is what came of testing one package.
type Package struct {
	Path    string
	Took    time.Duration
	Tests   []Test // in the order they began
	Trouble string // what failed tests, the package or the compiler printed
}

// Count is how many of the package's tests ended with one of the outcomes.
func (p Package) Count(outcomes ...Outcome) int {
	n := 0
	for _, t := range p.Tests {
		if slices.Contains(outcomes, t.Outcome) {
			n++
		}
	}
	return n
}

// maxOutput is how much is kept of what one test prints, in bytes. Chosen by us:
// several screens, and the dump of a few goroutines.
const maxOutput = 32 << 10

// Stream collects events. Its zero value is ready.
type Stream struct {
	open   []*running
	builds map[string]string // compiler output by import path of the build
}

// running is a package under way.
type running struct {
	path   string
	output string
	tests  []*started
}

// started is a test that has begun.
type started struct {
	name    string
	outcome Outcome
	output  string
}

// event is a line of `go test -json`; see `go doc test2json` and `go help buildjson`.
type event struct {
	Action      string
	Package     string
	Test        string
	Output      string
	Elapsed     float64 // seconds
	ImportPath  string  // of a build
	FailedBuild string  // the ImportPath that kept the package from being tested
}

// Read takes one line. It gives the package that ended with it, if one did.
// Lines that are no events, as of a download, come back as text.
func (s *Stream) Read(line string) (ended *Package, text string) {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
		return nil, line
	}
	if e.Action == "build-output" {
		if s.builds == nil {
			s.builds = make(map[string]string)
		}
		s.builds[e.ImportPath] = limited(s.builds[e.ImportPath], e.Output)
		return nil, ""
	}
	if e.Package == "" {
		return nil, ""
	}
	p := s.find(e.Package)
	if e.Test == "" {
		return s.packageEvent(p, e), ""
	}
	p.testEvent(e)
	return nil, ""
}

// Close gives the packages that never ended, as when `go test` itself died.
func (s *Stream) Close() []Package {
	var left []Package
	for _, p := range s.open {
		left = append(left, p.end(false, ""))
	}
	s.open = nil
	return left
}

func (s *Stream) find(path string) *running {
	for _, p := range s.open {
		if p.path == path {
			return p
		}
	}
	p := &running{path: path}
	s.open = append(s.open, p)
	return p
}

func (s *Stream) packageEvent(p *running, e event) *Package {
	switch e.Action {
	case "output":
		p.output = limited(p.output, e.Output)
		return nil
	case "pass", "skip", "fail":
		s.open = slices.DeleteFunc(s.open, func(q *running) bool { return q == p })
		ended := p.end(e.Action != "fail", s.builds[e.FailedBuild])
		ended.Took = time.Duration(e.Elapsed * float64(time.Second))
		return &ended
	}
	return nil
}

func (p *running) testEvent(e event) {
	i := slices.IndexFunc(p.tests, func(t *started) bool { return t.name == e.Test })
	if i < 0 {
		i = len(p.tests)
		p.tests = append(p.tests, &started{name: e.Test})
	}
	t := p.tests[i]
	switch e.Action {
	case "output":
		t.output = limited(t.output, e.Output)
	case "pass":
		t.outcome = Passed
	case "fail":
		t.outcome = Failed
	case "skip":
		t.outcome = Skipped
	}
}

// end sums the package up.
func (p *running) end(well bool, build string) Package {
	result := Package{Path: p.path}
	var trouble strings.Builder
	for i, t := range p.tests {
		counted, text := p.counts(i), said(t.output)
		if counted {
			result.Tests = append(result.Tests, Test{t.name, t.outcome, reason(t)})
		}
		if t.bad() && (counted || text != "") {
			trouble.WriteString(heading(t) + text)
		}
	}
	if !well && result.Count(Failed, Unfinished) == 0 {
		result.Tests = append(result.Tests, Test{Outcome: Failed})
		trouble.WriteString(build + p.output)
	}
	result.Trouble = trouble.String()
	return result
}

func (t *started) bad() bool { return t.outcome == Failed || t.outcome == Unfinished }

// counts says whether a test is counted: it has no subtests, or it went wrong
// and none of them did.
func (p *running) counts(i int) bool {
	t, parent := p.tests[i], false
	for _, other := range p.tests {
		if strings.HasPrefix(other.name, t.name+"/") {
			parent = true
			if other.bad() {
				return false
			}
		}
	}
	return !parent || t.bad()
}

func heading(t *started) string {
	if t.outcome == Unfinished {
		return "--- NEVER ENDED: " + t.name + "\n"
	}
	return "--- FAIL: " + t.name + "\n"
}

// said is the output without the lines with which the testing package marks
// beginnings and ends.
func said(output string) string {
	var kept strings.Builder
	for line := range strings.Lines(output) {
		marks := strings.TrimLeft(line, " ")
		if !strings.HasPrefix(marks, "=== ") && !strings.HasPrefix(marks, "--- ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

var placePattern = regexp.MustCompile(`^\S+\.go:\d+:\s*`)

// reason is what a skipped test said last, without the place in the source.
func reason(t *started) string {
	if t.outcome != Skipped {
		return ""
	}
	var parts []string
	for line := range strings.Lines(said(t.output)) {
		line = strings.TrimSpace(line)
		if placePattern.MatchString(line) {
			parts = nil // something logged before
		}
		parts = append(parts, placePattern.ReplaceAllString(line, ""))
	}
	if text := strings.TrimSpace(strings.Join(parts, " ")); text != "" {
		return text
	}
	return "no reason given"
}

// limited appends more to text until the text is full.
func limited(text, more string) string {
	if room := maxOutput - len(text); len(more) > room {
		if room <= 0 {
			return text
		}
		return text + more[:room] + "\n(the rest is left out)\n"
	}
	return text + more
}
