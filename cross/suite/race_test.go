package suite

import (
	"slices"
	"strings"
	"testing"

	"stolpe/cross/rules"
)

// A row for a test that has gone would hide one that comes with its name; and the
// pattern leaves tests out by name alone.
func TestPlainTestsAreThereOnce(t *testing.T) {
	tree, err := rules.Load("../..", "stolpe")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plains() {
		if p.test == "" && slices.Contains(tree.Concurrent(), p.dir) && p.why != "" {
			continue
		}
		if got := homes(tree, p.test); !slices.Equal(got, []string{p.dir}) || p.why == "" {
			t.Errorf("%s is in %v, because %q: want it in %s alone, and why", p.test, got, p.why, p.dir)
		}
	}
}

func TestPlainTestsAreNotRaced(t *testing.T) {
	if missing := raceDetector().missing(); missing != "" {
		t.Skip(missing)
	}
	left, kept := plains()[0].test, plains()[0].test+"Again"
	r, out := module(t, map[string]string{"a/a_test.go": `package a

import (
	"sync"
	"testing"
)

var mu sync.Mutex

func ` + left + `(t *testing.T) { t.Error("run") }

func ` + kept + `(t *testing.T) {}
`})
	if err := r.race(); err != nil {
		t.Error(err)
	}
	has(t, out.String(), "ok   a ", " 1 passed, ")
	if strings.Contains(out.String(), "FAIL") {
		t.Errorf("%s was run:\n%s", left, out)
	}
}
