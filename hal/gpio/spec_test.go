package gpio

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSpecs(t *testing.T) {
	header := newBoard(t, "gpiochip4", "pinctrl-rp1", "ID_SDA", "GPIO17", "", "twice", "twice", "a/b", "17")
	expander := newBoard(t, "gpiochip0", "mcp23017", "", "", "relay")
	second := newBoard(t, "gpiochip1", "mcp23017", "x")
	trap := newBoard(t, "mcp23017", "pinctrl-late", "y") // its name is another's label
	all := []chip{expander, header, second}
	for _, c := range []struct {
		chips []chip
		spec  string
		want  string // chip, number and whether low; or what the error says
	}{
		{all, "GPIO17", "gpiochip4 1 false"},
		{all, "!GPIO17", "gpiochip4 1 true"},
		{all, "a/b", "gpiochip4 5 false"},
		{all, "17", "gpiochip4 6 false"},
		{all, "gpiochip4/1", "gpiochip4 1 false"},
		{all, "!gpiochip4/2", "gpiochip4 2 true"},
		{all, "pinctrl-rp1/0", "gpiochip4 0 false"},
		{all, "gpiochip0/2", "gpiochip0 2 false"},
		{[]chip{expander}, "relay", "gpiochip0 2 false"},
		{[]chip{expander, trap}, "mcp23017/0", "mcp23017 0 false"},
		{all, "relay", `chip gpiochip4 "pinctrl-rp1" (7 lines) has no line of that name; the nearest are `},
		{all, "gpio18", "the nearest are GPIO17, "},
		{all, "twice", "more than one line has that name: gpiochip4/3, gpiochip4/4"},
		{all, "gpiochip4/7", `chip gpiochip4 "pinctrl-rp1" (7 lines) has lines 0 to 6`},
		{all, "gpiochip4/-1", "has lines 0 to 6"},
		{all, "mcp23017/0", `more than one chip is called "mcp23017": gpiochip0 "mcp23017" (3 lines), gpiochip1 "mcp23017" (1 lines)`},
		{all, "gpiochip9/0", `no chip "gpiochip9": there is gpiochip0 "mcp23017" (3 lines), gpiochip4`},
		{[]chip{expander, second}, "relay", `which chip? Write it before the line's number, as in "mcp23017/17": there is gpiochip0`},
		{[]chip{newBoard(t, "gpiochip0", "bare", "", "")}, "GPIO17", "the nearest are none: its lines have numbers only"},
		{all, "", "want a line such as"}, {all, "!", "want a line such as"}, {all, " GPIO17", "want a line such as"}, {all, "! GPIO17", "want a line such as"},
	} {
		p, low, err := find(c.chips, c.spec)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: %v, want %q", c.spec, err, c.want)
			}
			continue
		}
		if got := fmt.Sprint(p.chip.Name(), p.number, " ", low); got != strings.Replace(c.want, " ", "", 1) {
			t.Errorf("%q: %s, want %s", c.spec, got, c.want)
		}
	}
}

func TestCheckNamesEveryLineThatIsMissing(t *testing.T) {
	b := newBoard(t, "gpiochip0", "pinctrl-bcm2711", "GPIO0", "GPIO1")
	if err := check([]chip{b}, []string{"GPIO0", "!GPIO1", "gpiochip0/1"}); err != nil {
		t.Error(err)
	}
	err := check([]chip{b}, []string{"GPIO0", "GPIO7", "!gpiochip0/9"})
	if err == nil || !strings.Contains(err.Error(), `gpio: "GPIO7": chip gpiochip0`) || !strings.Contains(err.Error(), `gpio: "!gpiochip0/9": chip gpiochip0`) || strings.Contains(err.Error(), `"GPIO0":`) {
		t.Error(err)
	}
}

func TestLinesAreShownAsATechnicianFindsThem(t *testing.T) {
	b := newBoard(t, "gpiochip0", "x", "GPIO0", "")
	for number, want := range []string{"GPIO0 (gpiochip0/0)", "gpiochip0/1"} {
		if got := (place{b, number}).String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// periph gives errors of the kernel as text.
func TestATakenLineIsKnownByItsText(t *testing.T) {
	err := known(fmt.Errorf("LineSetFromConfig: %w", errors.New(syscall.EBUSY.Error())))
	if !errors.Is(err, syscall.EBUSY) || err.Error() != "LineSetFromConfig: device or resource busy" {
		t.Errorf("%v", err)
	}
	if err := known(errors.New("something else")); errors.Is(err, syscall.EBUSY) || err.Error() != "something else" {
		t.Errorf("%v", err)
	}
}

func TestNoChipsSaysWhy(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gpiochip0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "locked0")); err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string]string{
		"none*":     "the kernel has no GPIO chip",
		"gpiochip*": "gpiochip0 came too late or gives no lines",
		"locked*":   "locked0: no such file", // stands for any that cannot be opened
		"[":         "syntax error",
	} {
		if err := noChips(filepath.Join(dir, pattern)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pattern, err, want)
		}
	}
}

// periph closes file descriptor 0 of a program on a board that shows a chip twice.
func TestFileDescriptorZeroIsNeverALine(t *testing.T) {
	aside, err := syscall.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(aside)
	if err := syscall.Close(0); err != nil {
		t.Fatal(err)
	}
	defer syscall.Dup3(aside, 0, 0)
	for range 2 {
		if err := occupyZero(); err != nil {
			t.Error(err)
		}
		var is syscall.Stat_t
		if err := syscall.Fstat(0, &is); err != nil {
			t.Error(err)
		}
	}
}
