package suite

import (
	"strings"
	"testing"
	"time"

	"stolpe/cross/gotest"
	"stolpe/cross/rules"
)

// A row for a fuzzer that has gone would search nowhere; and a long search leaves none
// out.
func TestSearchesAreThere(t *testing.T) {
	tree, err := rules.Load("../..", "stolpe")
	if err != nil {
		t.Fatal(err)
	}
	usual := fuzzers(tree, 0)
	for _, s := range searches() {
		n := 0
		for _, f := range usual {
			if (f.dir == s.dir || strings.HasPrefix(f.dir, s.dir+"/")) && (s.fuzz == "" || s.fuzz == f.name) {
				n++
			}
		}
		if n == 0 || s.lasts < time.Second {
			t.Errorf("%s %s: %d fuzzers search for %v", s.dir, s.fuzz, n, s.lasts)
		}
	}
	const long = 5 * time.Minute
	all := fuzzers(tree, long)
	if len(all) <= len(usual) {
		t.Errorf("%d fuzzers in a long search, %d in a usual one", len(all), len(usual))
	}
	for _, f := range all {
		if f.lasts != long {
			t.Errorf("%s %s searches for %v, want %v", f.dir, f.name, f.lasts, long)
		}
	}
}

func TestALongSearchDoesNothingElse(t *testing.T) {
	r, out := module(t, map[string]string{"elsewhere/a_test.go": `package elsewhere

import "testing"

func TestBad(t *testing.T) { t.Error("run") }

func FuzzIt(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) { t.Fatal("searched") })
}
`})
	r.longSearch = time.Minute
	if code := r.all(); code != exitBad {
		t.Errorf("exit code %d, want %d", code, exitBad)
	}
	has(t, out.String(), "== fuzzers\n", "searched", "== failed\n   elsewhere FuzzIt\n", "\n0 passed, 1 failed, 0 skipped\n")
}

func TestASearchWhoseTimeIsUpHasNotFailed(t *testing.T) {
	const (
		late  = "--- FAIL: FuzzX\nfuzz: elapsed: 30s, execs: 600018 (0/sec), new interesting: 0 (total: 10)\n    context deadline exceeded\n"
		found = "--- FAIL: FuzzX\n    --- FAIL: FuzzX (0.00s)\n        a_test.go:9: context deadline exceeded\n    \n    Failing input written to testdata/fuzz/FuzzX/58\n    context deadline exceeded\n"
		dead  = "--- FAIL: FuzzX\n    fuzzing process hung or terminated unexpectedly: exit status 2\n"
	)
	for _, x := range []struct {
		trouble string
		outcome gotest.Outcome
		want    bool
	}{{late, gotest.Failed, true}, {late, gotest.Unfinished, false}, {found, gotest.Failed, false}, {dead, gotest.Failed, false}, {"", gotest.Failed, false}} {
		p := gotest.Package{Tests: []gotest.Test{{Name: "FuzzX", Outcome: x.outcome}}, Trouble: x.trouble}
		if got := outOfTime(p); got != x.want {
			t.Errorf("%v: %q: %v", x.outcome, x.trouble, got)
		}
	}
	if outOfTime(gotest.Package{Trouble: late}) {
		t.Error("a package without a test")
	}
}
