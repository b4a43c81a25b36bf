package gotest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read feeds a recorded run and gives the packages that ended, then those that
// did not. The recordings are of Go 1.26 with -json.
func read(t *testing.T, text string) []Package {
	t.Helper()
	var s Stream
	var all []Package
	for line := range strings.Lines(text) {
		ended, other := s.Read(strings.TrimSuffix(line, "\n"))
		if other != "" {
			t.Errorf("not understood: %s", other)
		}
		if ended != nil {
			all = append(all, *ended)
		}
	}
	return append(all, s.Close()...)
}

func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRecordedRunsAreUnderstood(t *testing.T) {
	for _, c := range []struct {
		name    string
		tests   []Test
		trouble []string // must be printed
		silent  []string // must not be printed
	}{
		{"good", []Test{{"TestPlain", Passed, ""}, {"TestRows/one", Passed, ""}, {"TestRows/two", Passed, ""},
			{"TestBrowser", Skipped, "part chromium: no browser called chromium in PATH"},
			{"TestOutside", Skipped, "../shared/sessions is not here"}},
			nil, []string{"all is well", "PASS"}},
		{"bad", []Test{{"TestFine", Passed, ""}, {"TestRows/good", Passed, ""}, {"TestRows/bad", Failed, ""},
			{"TestAfterItsRows", Failed, ""}, {"TestAfterItsRows/good", Passed, ""}},
			[]string{"--- FAIL: TestRows/bad\n    bad_test.go:9: got 1, want 2\n", "the rows do not add up"},
			[]string{"TestFine", "=== RUN", "TestRows/good", "FAIL: TestRows\n", "(0.00s)"}},
		{"broken", []Test{{"", Failed, ""}}, []string{"broken/broken_test.go:5:33: undefined: undefined", "[build failed]"}, nil},
		{"vetted", []Test{{"", Failed, ""}}, []string{`fmt.Printf format %d has arg "x" of wrong type string`}, nil},
		{"panics", []Test{{"TestFirst", Passed, ""}, {"TestPanics/inside", Failed, ""}},
			[]string{"panic: assignment to entry in nil map", "panics_test.go:10"}, nil},
		{"exits", []Test{{"TestFine", Passed, ""}, {"", Failed, ""}}, []string{"goroutines were left behind"}, nil},
		{"empty", nil, nil, []string{"no test files"}},
		{"slow", []Test{{"TestStuck", Unfinished, ""}}, []string{"NEVER ENDED: TestStuck", "test timed out after 1s", "slow_test.go:8"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			packages := read(t, recorded(t, c.name))
			if len(packages) != 1 || packages[0].Path != "example/"+c.name {
				t.Fatalf("packages %+v, want example/%s", packages, c.name)
			}
			p := packages[0]
			if diff := cmp.Diff(c.tests, p.Tests); diff != "" {
				t.Error(diff)
			}
			for _, text := range c.trouble {
				if !strings.Contains(p.Trouble, text) {
					t.Errorf("%q is not in\n%s", text, p.Trouble)
				}
			}
			for _, text := range c.silent {
				if strings.Contains(p.Trouble, text) {
					t.Errorf("%q is in\n%s", text, p.Trouble)
				}
			}
		})
	}
}

func TestPackagesMayRunSideBySide(t *testing.T) {
	good, bad := strings.SplitAfter(recorded(t, "good"), "\n"), strings.SplitAfter(recorded(t, "bad"), "\n")
	var mixed strings.Builder
	for i := range max(len(good), len(bad)) {
		for _, lines := range [][]string{good, bad} {
			if i < len(lines) {
				mixed.WriteString(lines[i])
			}
		}
	}
	for _, p := range read(t, mixed.String()) {
		if diff := cmp.Diff(read(t, recorded(t, strings.TrimPrefix(p.Path, "example/")))[0], p); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPackageThatNeverEndedHasFailed(t *testing.T) {
	whole := recorded(t, "good")
	for _, c := range []struct {
		name string
		cut  string // the last line that comes
		want []Test
	}{
		{"before any test", `"Action":"start"`, []Test{{"", Failed, ""}}},
		{"in a test", `"Action":"run","Package":"example/good","Test":"TestPlain"`, []Test{{"TestPlain", Unfinished, ""}}},
		{"after a test", `"Action":"pass","Package":"example/good","Test":"TestPlain"`, []Test{{"TestPlain", Passed, ""}, {"", Failed, ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := strings.Index(whole, c.cut)
			end := at + strings.Index(whole[at:], "\n") + 1
			packages := read(t, whole[:end])
			if len(packages) != 1 {
				t.Fatalf("packages %+v, want one", packages)
			}
			if diff := cmp.Diff(c.want, packages[0].Tests); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOtherLinesComeBackAsText(t *testing.T) {
	var s Stream
	for _, line := range []string{"go: downloading example.org/m v1.0.0", "{not json", ""} {
		if ended, text := s.Read(line); ended != nil || text != line {
			t.Errorf("Read(%q) = %v, %q", line, ended, text)
		}
	}
}

func TestReasonIsTheLastThingSaid(t *testing.T) {
	for _, c := range []struct{ output, want string }{
		{"    a_test.go:1: looking\n    a_test.go:2: part x: not found\n        in PATH\n", "part x: not found in PATH"},
		{"=== RUN   TestX\n--- SKIP: TestX (0.00s)\n", "no reason given"},
		{"    a_test.go:1: \n--- SKIP: TestX (0.00s)\n", "no reason given"},
	} {
		if got := reason(&started{outcome: Skipped, output: c.output}); got != c.want {
			t.Errorf("reason of %q is %q, want %q", c.output, got, c.want)
		}
	}
}

func TestOutputIsLimited(t *testing.T) {
	text := ""
	for range 3 {
		text = limited(text, strings.Repeat("x", maxOutput-1))
	}
	if n := strings.Count(text, "x"); n != maxOutput {
		t.Errorf("%d bytes are kept, want %d", n, maxOutput)
	}
	if strings.Count(text, "left out") != 1 {
		t.Errorf("the cut is told %d times, want once", strings.Count(text, "left out"))
	}
}
