package draw

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"stolpe/display/panel"
)

// lcd is a size of a display of letters.
type lcd struct{ cols, rows int }

func (l lcd) String() string { return fmt.Sprintf("%dx%d", l.cols, l.rows) }

func lcds() []lcd { return []lcd{{20, 4}, {16, 2}} }

// TestLettersAreAsKept compares all pages of a display of letters with the file that has
// them, one below the other.
func TestLettersAreAsKept(t *testing.T) {
	for _, size := range lcds() {
		for _, langs := range pairs() {
			var all strings.Builder
			for _, s := range panel.Samples(langs[0], langs[1]) {
				fmt.Fprintf(&all, "%s\n+%s+\n", s.Name, strings.Repeat("-", size.cols))
				for _, line := range Letters(size.cols, size.rows, s.Scene.Page()) {
					fmt.Fprintf(&all, "|%-*s|\n", size.cols, line)
				}
				fmt.Fprintf(&all, "+%s+\n\n", strings.Repeat("-", size.cols))
			}
			file := filepath.Join(screens, size.String(), langs.String()+".txt")
			if *updateScreens {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(all.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			kept, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v: go test ./display/panel/draw -update-screens, and read it", err)
			}
			if diff := cmp.Diff(strings.Split(string(kept), "\n"), strings.Split(all.String(), "\n")); diff != "" {
				t.Errorf("%s differs (- as kept, + as drawn). If it is meant: go test ./display/panel/draw -update-screens\n%s", file, diff)
			}
		}
	}
}

// lettersFit: there are as many lines as there should be, none too long and none cut. A
// display of letters has room for eight letters that it does not know by itself.
func lettersFit(t *testing.T, size lcd, s shot) {
	t.Helper()
	lines := Letters(size.cols, size.rows, s.page)
	if len(lines) != size.rows || lines[0] == "" {
		t.Errorf("%v %v %s: %q are %d lines", size, s.langs, s.name, lines, len(lines))
	}
	special := map[rune]bool{}
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n > size.cols {
			t.Errorf("%v %v %s: %q has %d letters", size, s.langs, s.name, l, n)
		}
		for _, r := range l {
			switch {
			case r == '…':
				t.Errorf("%v %v %s: %q is cut", size, s.langs, s.name, l)
			case r > '~':
				special[r] = true
			}
		}
	}
	if len(special) > 8 {
		t.Errorf("%v %v %s: %d letters beyond ASCII, a display has room for 8", size, s.langs, s.name, len(special))
	}
}

// lettersMatter: fewer lines are no reason to leave out a figure or an order.
func lettersMatter(t *testing.T, size lcd, s shot) {
	t.Helper()
	p, all := s.page, strings.Join(Letters(size.cols, size.rows, s.page), " ")
	want := map[panel.Face][]string{
		panel.Free: {p.Price, p.Unit}, panel.FreeButton: {p.Price, p.Unit},
		panel.Charging: {p.Energy, p.Cost}, panel.NearLimit: {p.Cost}, panel.Suspended: {p.Big[0], p.Cost},
		panel.Finished: {p.Big[0], p.Cost}, panel.Interrupted: {p.Big[0], p.Cost},
		panel.Paying: {p.Big[0], p.Left}, panel.Authorised: {p.Big[0], p.Left}, panel.PayCode: {p.Big[0], p.Left},
		panel.Faulted: {p.Big[0], p.Fault}, panel.Emergency: {p.Big[0], p.Fault}, panel.OutOfOrder: {p.Big[0]},
	}[p.Face]
	if p.Face == panel.Emergency && size.rows < 4 {
		want = want[:1]
	}
	if size.rows >= 4 && p.Energy != "" && p.Face != panel.NearLimit {
		want = append(want, p.Energy)
	}
	if p.Stale {
		want = append(want, p.At)
	}
	for _, text := range want {
		if !strings.Contains(all, text) {
			t.Errorf("%v %v %s: %q is not on it; there is %q", size, s.langs, s.name, text, all)
		}
	}
}
