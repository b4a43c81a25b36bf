package script

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every scenario that has no other commands makes the same lines here as in the tests of
// the core, which hold the laws against it.
func TestSameLinesAsTheCore(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/scenarios/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Play(string(b))
		switch {
		case errors.Is(err, errCommand):
			continue
		case err != nil:
			t.Errorf("%s: %v", file, err)
		case p.Text != string(b):
			t.Errorf("%s: %s", file, difference(string(b), p.Text))
		}
		played++
	}
	const four, fifths = 4, 5 // fewer would not be the same language
	if played < len(files)*four/fifths {
		t.Errorf("%d of %d scenarios are played", played, len(files))
	}
}

func difference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "want " + a[i] + "\n got " + b[i]
		}
	}
	return "one ends before the other"
}
