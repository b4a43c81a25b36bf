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

// Whatever somebody writes into a scenario, it is played or refused, and what was played
// once is played the same again.
func FuzzPlay(f *testing.F) {
	for _, text := range []string{
		"post ready\nplug in\ncar 7200 W\ndriver A requests 350 kr\npayer approves\nafter 20m\ndriver A stops\nafter 1m\nshow A\n",
		"price kwh 549 minute 10 session 100 idle 15m 100 20000\noffer 35000\nmeter modulus 10000000\npost ready\nservice busy 30s\nfleet retries 1\nat 13:05\n",
		"record AwCAiXoAAAIQMjIxMTAzNDXW3noAAoCJer4Y0R8/EAh0AsQ1z05DEIMGTk9LiCfKCAAAgKDxwrE0yAHAuALwogQCgIl61t561t56gMDiheNoAIDIzrQNBKTkzrQNBAIAAACELwAMAAAAAAAAAAAAAAAA\npower on\nafter 5m\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "after") > 3 || strings.Contains(text, "at ") || len(text) > 2000 {
			t.Skip("days of virtual time take real time")
		}
		p, err := Play(text)
		if err != nil {
			return
		}
		if again, err := Play(p.Text); err != nil || strings.TrimSpace(again.Text) != strings.TrimSpace(p.Text) {
			t.Fatalf("played again: %v\n%s", err, again.Text)
		}
	})
}
