package suite

import (
	"testing"

	"stolpe/cross/gotest"
)

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
