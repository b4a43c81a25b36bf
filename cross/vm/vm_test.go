package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	var s spread
	for i := 100; i > 0; i-- {
		s = append(s, time.Duration(i)*time.Millisecond)
	}
	if got := []time.Duration{s.at(50), s.at(99), s.at(100)}; got[0] != 50*time.Millisecond || got[1] != 99*time.Millisecond || got[2] != 100*time.Millisecond {
		t.Errorf("p50, p99, max of 1 to 100 ms: %v", got)
	}
	if s[0] != 100*time.Millisecond {
		t.Error("measurements are not in their order any more")
	}
	few := spread{3 * time.Second, time.Second}
	if got := few.String(); got != "p50 1s, p99 3s, max 3s of 2" {
		t.Error(got)
	}
	if got := (spread{}).String(); got != "p50 0s, p99 0s, max 0s of 0" {
		t.Error(got)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		123456 * time.Nanosecond: "123µs", 1234567 * time.Nanosecond: "1.23ms", 12345678 * time.Nanosecond: "12.3ms",
		2345 * time.Millisecond: "2.35s", 123456 * time.Millisecond: "2m3s",
	} {
		if got := short(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-only charge,nothing": `no scenario "nothing"`,
		"charge":               `does not understand`,
		"-cuts x":              "invalid value",
		"-readme -quick":       "of a whole run",
		"-readme -cuts 3":      "of a whole run",
	} {
		var said bytes.Buffer
		if code := Run(strings.Fields(args), &said, &said); code != 2 || !strings.Contains(said.String(), want) {
			t.Errorf("%s: exit code %d, %s", args, code, said.String())
		}
	}
	var list bytes.Buffer
	if code := Run([]string{"-list"}, &list, &list); code != 0 || strings.Count(list.String(), "\n") != len(scenarios()) {
		t.Errorf("-list: exit code %d, %s", code, list.String())
	}
	o, _, err := parse(strings.Fields("-quick -cuts 7 -seed 3 -only charge"), &list)
	if err != nil || o.cuts != 7 || o.kills != quickRun().kills || o.seed != 3 {
		t.Errorf("%+v, %v", o, err)
	}
	for name, want := range map[string]bool{"install": true, "charge": true, "estop": false} {
		if o.wanted(scenario{name: name, quick: true}) != want {
			t.Errorf("-only charge plays %s: %v", name, !want)
		}
	}
	if all, _, _ := parse([]string{"-quick"}, &list); !all.wanted(scenario{name: "a", quick: true}) || all.wanted(scenario{name: "b"}) || all.seed == 0 {
		t.Errorf("-quick: %+v", all)
	}
}

// Whoever is told how to see a failure again gets the same draws.
func TestAgain(t *testing.T) {
	o, _, err := parse(strings.Fields("-quick -cuts 7 -seed 3 -only charge"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := parse(strings.Fields((&lab{options: o}).again("charge")), io.Discard)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(o) {
		t.Errorf("%+v, was %+v, %v", again, o, err)
	}
}

// TestEveryMomentIsDrawn: no moment of a charge is spared by a hundred cuts, and the
// same seed draws the same.
func TestEveryMomentIsDrawn(t *testing.T) {
	draws := func() (all []int) {
		s := &stage{random: rand.New(rand.NewPCG(1, 2))}
		for range 100 {
			at, after := s.draw()
			if after < 0 || after >= moments()[at].most {
				t.Errorf("%v after %s", after, moments()[at].name)
			}
			all = append(all, at)
		}
		return all
	}
	first, hit := draws(), map[int]int{}
	for i, at := range draws() {
		hit[at]++
		if first[i] != at {
			t.Fatal("the same seed draws something else")
		}
	}
	for i, m := range moments() {
		if hit[i] == 0 {
			t.Errorf("no cut at %s", m.name)
		}
	}
}

func TestCopyKeepsHoles(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	content := make([]byte, 3<<20+512)
	content[0], content[2<<20] = 1, 2
	if err := os.WriteFile(from, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := copyFile(from, to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the copy is different, %v", err)
	}
	if err := copyFile(from+"x", to); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestUntil(t *testing.T) {
	n := 0
	if err := until(t.Context(), time.Minute, "the third", func(context.Context) error {
		if n++; n < 3 {
			return errors.New("not yet")
		}
		return nil
	}); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
	err := until(t.Context(), time.Millisecond, "a wonder", func(context.Context) error { return errors.New("nothing") })
	if err == nil || !strings.Contains(err.Error(), "a wonder") || !strings.Contains(err.Error(), "nothing") {
		t.Error(err)
	}
}

func TestReadme(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	l := &lab{timed: []figure{{"kill to low", spread{time.Second, 2 * time.Second}}}, sums: []string{"5 power cuts, 0 øre wrong"}}
	for text, want := range map[string]string{
		"above\n" + tableBegin + "old\n" + tableEnd + "below\n": "",
		"above\n" + tableBegin + "no end\n":                     "no place for figures",
		"nothing\n":                                             "no place for figures",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := l.writeReadme(file)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		got, _ := os.ReadFile(file)
		for _, part := range []string{"above\n" + tableBegin, "| kill to low | 1s | 2s | 2s | 2 |\n", "5 power cuts, 0 øre wrong.\n", tableEnd + "below\n"} {
			if err != nil || strings.Count(string(got), part) != 1 || strings.Contains(string(got), "old") {
				t.Errorf("%q is not once in %s, %v", part, got, err)
			}
		}
	}
}

// TestSides: posts side by side draw by themselves, and the same with the same seed.
func TestSides(t *testing.T) {
	drawn := map[string]uint64{}
	for range 2 {
		s := &stage{lab: &lab{options: options{seed: 4}}, scenario: scenario{name: "powercuts"}, dir: t.TempDir()}
		for _, name := range []string{"post-1", "post-2"} {
			side, err := s.side(name)
			if err != nil {
				t.Fatal(err)
			}
			n := side.random.Uint64()
			if was, again := drawn[name]; again && was != n {
				t.Errorf("%s draws %d, and %d with the same seed", name, was, n)
			}
			drawn[name] = n
			if info, err := os.Stat(side.dir); err != nil || !info.IsDir() || side.dir == s.dir {
				t.Errorf("%s: %v", side.dir, err)
			}
		}
	}
	if drawn["post-1"] == drawn["post-2"] {
		t.Error("both draw the same")
	}
}
