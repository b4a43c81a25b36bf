package session_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stolpe/agent/session"
	"stolpe/agent/session/script"
	"stolpe/hal"
)

// A scenario is a text: lines at the margin are commands, indented lines are
// what must come of them, # begins a comment. The commands are in script/verbs.go.
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
			if session.Updating() {
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

// play runs a scenario, holds the laws against every step of it, and gives its text with
// the lines that came of it.
func play(t *testing.T, text string) string {
	steps := 0
	p, err := script.Play(text, func(r *session.Rules, before, after *session.State, now hal.Instant) {
		steps++
		for _, complaint := range session.Broken(r, before, after, now) {
			t.Errorf("%v after the start: %s", now.Mono, complaint)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if steps == 0 {
		t.Error("no step was looked at")
	}
	return p.Text
}

// The laws are asked at every step, and a state that cannot be is noticed.
func TestBrokenLawsAreNoticed(t *testing.T) {
	noticed := 0
	_, err := script.Play("post ready\nplug in\nafter 1m\n", func(r *session.Rules, before, after *session.State, now hal.Instant) {
		wrong := *after
		wrong.Phase = session.Charging
		noticed += min(1, len(session.Broken(r, before, &wrong, now)))
	})
	if err != nil || noticed < 90 { // a step a second at least
		t.Errorf("noticed %d times, %v", noticed, err)
	}
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
