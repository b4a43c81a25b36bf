package light

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"

	"stolpe/display/panel"
)

// lead is a line that remembers.
type lead struct {
	gpio.PinOut
	level gpio.Level
	fails error
}

func (l *lead) Out(v gpio.Level) error {
	l.level = v
	return l.fails
}

func frame(red, green, blue uint8, period time.Duration) panel.Frame {
	return panel.Frame{Page: panel.Page{Light: panel.Light{Red: red, Green: green, Blue: blue, Period: period}}}
}

func mustPulse(t *testing.T, d *Device, since time.Duration) time.Duration {
	t.Helper()
	next, err := d.Pulse(since)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestLinesMakeTheNearestColourAndBlink(t *testing.T) {
	r, g, b := &lead{}, &lead{}, &lead{}
	d, err := OpenLines(Lines{Red: r, Green: g, Blue: b})
	if err != nil {
		t.Fatal(err)
	}
	is := func() string {
		on := ""
		for i, l := range []*lead{r, g, b} {
			if l.level == gpio.High {
				on += "rgb"[i : i+1]
			}
		}
		return on
	}
	if is() != "" {
		t.Errorf("%q is on when opened", is())
	}
	for _, c := range []struct {
		f    panel.Frame
		want string
	}{
		{frame(255, 255, 255, 0), "rgb"}, {frame(0, 0, 255, 0), "b"}, {frame(255, 160, 0, 0), "rg"},
		{frame(255, 20, 0, 0), "r"}, {frame(0, 64, 63, 0), "g"}, {frame(0, 0, 0, time.Second), ""},
	} {
		c.f.Night = true // lines cannot be dimmed, and must not go out
		if err := d.Show(c.f); err != nil || is() != c.want {
			t.Errorf("%q is on, want %q (%v)", is(), c.want, err)
		}
	}
	if err := d.Show(frame(0, 255, 0, 2*time.Second)); err != nil {
		t.Fatal(err)
	}
	for ms, want := range map[int]struct {
		on   string
		next int
	}{0: {"g", 1000}, 999: {"g", 1}, 1000: {"", 1000}, 1999: {"", 1}, 2000: {"g", 1000}, 9_001_500: {"", 500}} {
		if next := mustPulse(t, d, time.Duration(ms)*time.Millisecond); is() != want.on || next != time.Duration(want.next)*time.Millisecond {
			t.Errorf("after %d ms: %q is on for %v", ms, is(), next)
		}
	}
	mustPulse(t, d, time.Second)
	if err := d.Close(); err != nil || is() != "g" {
		t.Errorf("closed with %q on (%v)", is(), err)
	}
}

func TestALineThatIsMissingOrBrokenIsSaid(t *testing.T) {
	if _, err := OpenLines(Lines{Red: &lead{}, Green: &lead{}}); err == nil || !strings.Contains(err.Error(), "blue") {
		t.Error(err)
	}
	broken := errors.New("input/output error")
	g := &lead{}
	d, err := OpenLines(Lines{Red: &lead{}, Green: g, Blue: &lead{}})
	if err != nil {
		t.Fatal(err)
	}
	g.fails = broken
	if err := d.Show(frame(1, 2, 3, 0)); !errors.Is(err, broken) || !strings.Contains(err.Error(), "green line") {
		t.Error(err)
	}
	if err := d.Close(); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := OpenLines(Lines{Red: &lead{}, Green: g, Blue: &lead{}}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// chip makes a folder as the kernel shows a chip, with some channels exported.
func chip(t *testing.T, exported ...int) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "export"), "")
	for _, n := range exported {
		export(t, dir, n)
	}
	return dir
}

func export(t *testing.T, dir string, n int) {
	t.Helper()
	folder := filepath.Join(dir, fmt.Sprintf("pwm%d", n))
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"period", "duty_cycle", "enable"} {
		put(t, filepath.Join(folder, name), "0\n")
	}
	put(t, filepath.Join(folder, "polarity"), "normal\n")
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, dir string, n int, name string) string {
	t.Helper()
	s, err := read(filepath.Join(dir, fmt.Sprintf("pwm%d", n), name))
	if err != nil {
		t.Error(err)
	}
	return s
}

// shares gives the widths of three channels in thousandths.
func shares(t *testing.T, dir string, channels ...int) string {
	t.Helper()
	var all []string
	for _, n := range channels {
		ns, err := strconv.Atoi(get(t, dir, n, "duty_cycle"))
		if err != nil {
			t.Error(err)
		}
		all = append(all, strconv.Itoa(ns/1000))
	}
	return strings.Join(all, " ")
}

func TestPulseWidthMakesEveryColour(t *testing.T) {
	dir := chip(t, 4, 0, 2)
	put(t, filepath.Join(dir, "pwm0", "period"), "500\n") // of whoever had it before
	d, err := OpenPWM(PWM{Chip: dir, Red: 4, Green: 0, Blue: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{4, 0, 2} {
		if p, e, pol := get(t, dir, n, "period"), get(t, dir, n, "enable"), get(t, dir, n, "polarity"); p != "1000000" || e != "1" || pol != "normal" {
			t.Errorf("channel %d: period %s, enable %s, polarity %s", n, p, e, pol)
		}
	}
	night := frame(255, 255, 255, 0)
	night.Night = true
	for _, c := range []struct {
		f    panel.Frame
		want string
	}{{frame(255, 255, 255, 0), "1000 1000 1000"}, {frame(128, 0, 255, 0), "251 0 1000"}, {night, "61 61 61"}} {
		if err := d.Show(c.f); err != nil || shares(t, dir, 4, 0, 2) != c.want {
			t.Errorf("%s, want %s (%v)", shares(t, dir, 4, 0, 2), c.want, err)
		}
	}
	if err := d.Show(frame(0, 255, 0, 3200*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ms   int
		want string
		next int // ms
	}{{0, "0 1000 0", 100}, {800, "0 248 0", 100}, {1600, "0 0 0", 100}, {1650, "0 0 0", 50}, {2400, "0 248 0", 100}, {32_000, "0 1000 0", 100}} {
		next := mustPulse(t, d, time.Duration(c.ms)*time.Millisecond)
		if got := shares(t, dir, 4, 0, 2); got != c.want || next != time.Duration(c.next)*time.Millisecond {
			t.Errorf("after %d ms: %s for %v", c.ms, got, next)
		}
	}
	if err := d.Show(frame(255, 0, 0, time.Second)); err != nil {
		t.Fatal(err)
	}
	if next := mustPulse(t, d, 10*time.Millisecond); next != 30*time.Millisecond {
		t.Errorf("a quick pulse is called again after %v", next)
	}
	if err := d.Close(); err != nil || shares(t, dir, 4, 0, 2) != "1000 0 0" {
		t.Errorf("closed with %s (%v)", shares(t, dir, 4, 0, 2), err)
	}
}

// Whoever had the chip before has turned a channel round, and another one has no polarity.
func TestAChannelIsTurnedAsTheLightIsWired(t *testing.T) {
	dir := chip(t, 0, 1, 2)
	put(t, filepath.Join(dir, "pwm1", "polarity"), "inversed\n")
	put(t, filepath.Join(dir, "pwm1", "enable"), "1\n")
	if err := os.Remove(filepath.Join(dir, "pwm2", "polarity")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPWM(PWM{Chip: dir, Red: 0, Green: 1, Blue: 2}); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if n < 2 && get(t, dir, n, "polarity") != "normal" || get(t, dir, n, "enable") != "1" {
			t.Errorf("channel %d is not turned, or not on", n)
		}
	}
}

// The folder of a channel appears when it is asked for, and udev gives it to a group
// somewhat later.
func TestAChannelMayTakeAMomentToAppear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := chip(t, 0, 1)
		go func() {
			time.Sleep(300 * time.Millisecond)
			if asked, err := read(filepath.Join(dir, "export")); err != nil || asked != "7" {
				t.Errorf("%q was asked for (%v)", asked, err)
			}
			export(t, dir, 7)
		}()
		if _, err := OpenPWM(PWM{Chip: dir, Red: 0, Green: 1, Blue: 7}); err != nil {
			t.Error(err)
		}
		synctest.Wait() // for the rest of the channel's files
	})
}

func TestFaultsOfAChipAreSaidInBoundedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, began := chip(t, 0, 1), time.Now()
		for name, c := range map[string]struct {
			p    PWM
			want string
		}{
			"never appears": {PWM{Chip: dir, Red: 0, Green: 1, Blue: 2}, "channel 2"},
			"no chip":       {PWM{Chip: dir + "/none", Red: 0, Green: 1, Blue: 2}, "channel 0"},
			"twice":         {PWM{Chip: dir, Red: 0, Green: 1, Blue: 1}, "each colour"},
		} {
			if _, err := OpenPWM(c.p); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("said after %v", took)
		}
		full := chip(t, 0, 1, 2)
		duty := filepath.Join(full, "pwm2", "duty_cycle")
		if err := os.Remove(duty); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/dev/full", duty); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenPWM(PWM{Chip: full, Red: 0, Green: 1, Blue: 2}); err == nil || !strings.Contains(err.Error(), "a width of 0 ns") {
			t.Error(err)
		}
	})
}

// A page is new each second, and the pulse takes two.
func TestTheSameLightPulsesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &lead{}
		d, err := OpenLines(Lines{Red: &lead{}, Green: g, Blue: &lead{}})
		if err != nil {
			t.Fatal(err)
		}
		show := func(f panel.Frame) time.Duration {
			t.Helper()
			if err := d.Show(f); err != nil {
				t.Fatal(err)
			}
			return mustPulse(t, d, 0)
		}
		f := frame(0, 255, 0, 2*time.Second)
		for i, want := range []gpio.Level{true, true, false, false, true, true, false} {
			f.Page.Cost = fmt.Sprint(i)
			if next := show(f); g.level != want || next != time.Second-time.Duration(i%2)*500*time.Millisecond {
				t.Errorf("page %d: %v for %v", i, g.level, next)
			}
			time.Sleep(500 * time.Millisecond)
		}
		f.Page.Light.Red = 255
		if next := show(f); !g.level || next != time.Second {
			t.Errorf("another light: %v for %v", g.level, next)
		}
	})
}

func TestASteadyLightIsNotCalledAgain(t *testing.T) {
	d, err := OpenLines(Lines{Red: &lead{}, Green: &lead{}, Blue: &lead{}})
	if err != nil {
		t.Fatal(err)
	}
	var p panel.Pulsing = d // as the loop finds it
	if err := d.Show(frame(1, 2, 3, 0)); err != nil {
		t.Fatal(err)
	}
	if next, err := p.Pulse(time.Hour); next != 0 || err != nil {
		t.Errorf("called again after %v (%v)", next, err)
	}
}
