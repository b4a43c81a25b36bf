package session

import (
	cli "flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = cli.Bool("update", false, "rewrite the expected lines of testdata/scenarios")

// A scenario is a text: lines at the margin are commands, indented lines are
// what must come of them, # begins a comment. The commands are in verbs_test.go.
// Run with -update to rewrite the indented lines, and read the difference.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("../../testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(text) {
				t.Errorf("%s", firstDifference(string(text), got))
			}
		})
	}
}

// play runs a scenario and gives its text with the lines that came of it.
func play(t *testing.T, text string) string {
	w := newWorld()
	w.laws = func(w *world, before State) {
		for _, complaint := range broken(&w.rules, &before, &w.state, w.now()) {
			t.Errorf("%s: %s", clock(w.at), complaint)
		}
	}
	var out []string
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, " "):
			continue
		case line == "", strings.HasPrefix(line, "#"):
			out = append(out, line)
			continue
		}
		out = append(out, line)
		if err := w.obey(strings.Fields(line)); err != nil {
			t.Fatalf("line %d: %q: %v", n+1, line, err)
		}
		w.diary.money(w)
		out = append(out, w.diary.lines...)
		w.diary.lines = nil
	}
	return strings.Join(out, "\n") + "\n"
}

// firstDifference shows where two texts part.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return "from line " + line(a, i-3) + "\nwant:\n" + excerpt(a, i) + "\ngot:\n" + excerpt(b, i) +
				"\n(go test ./agent/session -run Scenarios -update rewrites it)"
		}
	}
	return "no difference"
}

func line(lines []string, i int) string {
	if i < 0 || i >= len(lines) {
		return "the beginning"
	}
	return lines[i]
}

func excerpt(lines []string, i int) string {
	return strings.Join(lines[min(i, len(lines)):min(i+6, len(lines))], "\n")
}
