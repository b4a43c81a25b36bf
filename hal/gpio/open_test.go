package gpio

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"syscall"
	"testing"

	"stolpe/hal"
)

// full is a configuration with everything.
func full() Config {
	return Config{
		Line: "GPIO17", Sense: "GPIO27", DeadMan: "GPIO16",
		Plug: "GPIO22", Stop: "GPIO23", EStop: "GPIO24", RCD: "!GPIO25", Hot: "GPIO5",
	}
}

func mustOpen(t testing.TB, b *board, c Config) *Lines {
	t.Helper()
	l, err := open([]chip{b}, c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustHear(t *testing.T, b *board, want ...string) {
	t.Helper()
	if got := b.heard(); got != strings.Join(want, "\n") {
		t.Errorf("the board was asked for\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestTheContactorIsOpenBeforeAnythingElse(t *testing.T) {
	b := pi(t)
	l := mustOpen(t, b, full())
	want := []string{
		"GPIO17 output low", "GPIO17 low",
		"inputs GPIO27 pull-down, GPIO22 pull-down, GPIO23 pull-down, GPIO24 pull-down, GPIO25 pull-up, GPIO5 pull-down",
		"GPIO16 output low",
	}
	mustHear(t, b, want...)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	want = append(want, "GPIO17 low", "GPIO17 released", "GPIO16 low", "GPIO16 released", "inputs released")
	mustHear(t, b, want...)
	if err := l.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	mustHear(t, b, want...)
}

// Whatever is wrong with the rest.
func TestTheContactorIsOpenEvenIfNothingElseCanBeHad(t *testing.T) {
	for _, c := range []struct {
		wrong  func(*board, *Config)
		err    string
		inputs bool // have been asked for
	}{
		{func(_ *board, c *Config) { c.Sense = "" }, "no sense line", false},
		{func(_ *board, c *Config) { c.Sense = "GPIO72" }, `sense "GPIO72": chip gpiochip0 "pinctrl-bcm2711" (28 lines) has no line of that name; the nearest are GPIO2, GPIO7, GPIO12`, false},
		{func(_ *board, c *Config) { c.Hot = "GPIO" }, `hot "GPIO"`, false},
		{func(_ *board, c *Config) { c.Stop = "!GPIO24" }, "GPIO24 (gpiochip0/24) cannot be both stop and estop", false},
		{func(_ *board, c *Config) { c.Plug = "gpiochip0/17" }, "GPIO17 (gpiochip0/17) cannot be both contactor line and plug", false},
		{func(_ *board, c *Config) { c.RCD = "other/0" }, `rcd is on x (gpiochip1/0) and sense on GPIO27 (gpiochip0/27): all inputs`, false},
		{func(b *board, _ *Config) { b.at("GPIO24").consumer = "gpiomon@77" }, `GPIO24 (gpiochip0/24) is held by "gpiomon@77"; end that first`, true},
		{func(b *board, _ *Config) { b.at("GPIO24").held = true }, "GPIO5 (gpiochip0/5): held by a program that the kernel does not name, or by another EVSE of this one", true},
		{func(b *board, _ *Config) { b.refused = errors.New("operation not supported") }, "operation not supported", true},
	} {
		b, config := pi(t), full()
		c.wrong(b, &config)
		l, err := open([]chip{newBoard(t, "gpiochip1", "other", "x"), b}, config)
		if l != nil || err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v, %v: want an error with %q", l, err, c.err)
		}
		calls := b.heard()
		if !strings.HasPrefix(calls, "GPIO17 output low\nGPIO17 low\n") || !strings.HasSuffix(calls, "GPIO17 low\nGPIO17 released") {
			t.Errorf("%v: the board was asked for\n%s", err, calls)
		}
		if strings.Contains(calls, "inputs") != c.inputs {
			t.Errorf("%v: the board was asked for\n%s", err, calls)
		}
	}
}

// Whoever tries again and again must not tell a relay that closes on low to close each time.
// One that closes on high is ordered open first each time.
func TestTryingAgainClosesNothing(t *testing.T) {
	for _, low := range []bool{true, false} {
		b, c := pi(t), full()
		c.ActiveLow, c.Again = low, true
		b.at("GPIO24").consumer = "gpiomon@77"
		for range 3 {
			if l, err := open([]chip{b}, c); l != nil || err == nil {
				t.Fatalf("%v, %v", l, err)
			}
		}
		if n := strings.Count(b.heard(), "GPIO17 output low"); low && n != 0 || !low && n != 3 {
			t.Errorf("active low %v: the contactor's line was requested %d times:\n%s", low, n, b.heard())
		}
		b.do(func(b *board) { b.at("GPIO24").consumer = "" })
		b.do(func(b *board) { b.at("GPIO17").consumer = "gpioset@78"; b.calls = nil })
		if l, err := open([]chip{b}, c); l != nil || err == nil || !strings.Contains(err.Error(), "contactor line") {
			t.Errorf("a contactor's line that is held: %v, %v", l, err)
		}
		b.do(func(b *board) { b.at("GPIO17").consumer = ""; b.stuck = errors.New("no") })
		if l, err := open([]chip{b}, c); l != nil || err == nil {
			t.Errorf("a contactor that takes no order: %v, %v", l, err)
		}
		b.do(func(b *board) { b.stuck = nil })
		l := mustOpen(t, b, c)
		if b.level("GPIO17") != low {
			t.Errorf("active low %v: not open", low)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADeadManThatCannotBeHadIsAnError(t *testing.T) {
	for spec, want := range map[string]string{
		"GPIO99": "no line of that name", "!GPIO16": `"!" is for inputs`, "GPIO27": "cannot be both sense and dead-man", "GPIO6": "held by",
	} {
		b, config := pi(t), full()
		config.DeadMan = spec
		b.at("GPIO6").held = true
		if l, err := open([]chip{b}, config); l != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v: want an error with %q", spec, l, err, want)
		}
		if calls := b.heard(); !strings.HasSuffix(calls, "GPIO17 low\nGPIO17 released\ninputs released") {
			t.Errorf("%s: the board was asked for\n%s", spec, calls)
		}
	}
}

func TestAContactorLineThatCannotBeHadIsAnError(t *testing.T) {
	for spec, want := range map[string]string{
		"":        `contactor line "": want a line`,
		"!GPIO17": "ActiveLow is for",
		"GPIO71":  "GPIO1, GPIO7",
		"GPIO4":   `GPIO4 (gpiochip0/4) is held by "w1"; end that first: LineSetFromConfig: device or resource busy`,
	} {
		b, config := pi(t), full()
		config.Line = spec
		b.at("GPIO4").consumer = "w1"
		if l, err := open([]chip{b}, config); l != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v: want an error with %q", spec, l, err, want)
		}
	}
}

func TestAContactorThatDoesNotTakeItsFirstOrderIsGivenBack(t *testing.T) {
	b := pi(t)
	b.stuck = syscall.EIO
	if l, err := open([]chip{b}, full()); l != nil || !errors.Is(err, syscall.EIO) {
		t.Errorf("%v, %v", l, err)
	}
	mustHear(t, b, "GPIO17 output low", "GPIO17 low", "GPIO17 released")
}

func TestOrdersReachTheLine(t *testing.T) {
	for _, activeLow := range []bool{false, true} {
		b := pi(t)
		l := mustOpen(t, b, Config{Line: "GPIO17", Sense: "GPIO27", ActiveLow: activeLow})
		for _, p := range []hal.Position{hal.Open, hal.Closed, hal.Closed, hal.Open, hal.Closed, 7} {
			if err := l.Set(p); err != nil {
				t.Fatal(err)
			}
			if high := b.level("GPIO17"); high != ((p == hal.Closed) != activeLow) {
				t.Errorf("ActiveLow %v, ordered %v: high %v", activeLow, p, high)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		last := map[bool]string{false: "GPIO17 low\nGPIO17 released\ninputs released", true: "GPIO17 high\nGPIO17 released\ninputs released"}
		if calls := b.heard(); !strings.HasSuffix(calls, last[activeLow]) {
			t.Errorf("ActiveLow %v: the board was asked for\n%s", activeLow, calls)
		}
		if err := l.Set(hal.Open); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v, want %v", err, os.ErrClosed)
		}
	}
}

func TestARelayThatClosesOnLowIsOrderedOpenAtOnce(t *testing.T) {
	b := pi(t)
	defer mustOpen(t, b, Config{Line: "GPIO17", Sense: "GPIO27", ActiveLow: true}).Close()
	mustHear(t, b, "GPIO17 output low", "GPIO17 high", "inputs GPIO27 pull-down")
}

func TestAnOrderThatIsNotTakenIsAnError(t *testing.T) {
	b := pi(t)
	l := mustOpen(t, b, Config{Line: "GPIO17", Sense: "GPIO27", DeadMan: "GPIO16"})
	b.do(func(b *board) { b.stuck = syscall.EIO })
	for want, err := range map[string]error{
		"order the contactor closed": l.Set(hal.Closed), "order the contactor open": l.Set(hal.Open),
		"dead-man": l.Beat(), "a last time": l.Close(),
	} {
		if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %v with %q", err, syscall.EIO, want)
		}
	}
	if calls := b.heard(); !strings.Contains(calls, "GPIO17 released") || !strings.Contains(calls, "inputs released") {
		t.Errorf("not all was given back:\n%s", calls)
	}
}

func TestEachBeatTogglesTheDeadMan(t *testing.T) {
	b := pi(t)
	l := mustOpen(t, b, Config{Line: "GPIO17", Sense: "GPIO27", DeadMan: "GPIO16"})
	for i := range 5 {
		if b.level("GPIO16") != (i%2 == 1) {
			t.Errorf("high %v after %d beats", b.level("GPIO16"), i)
		}
		if err := l.Beat(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if calls := b.heard(); !strings.HasSuffix(calls, "GPIO16 high\nGPIO17 low\nGPIO17 released\nGPIO16 low\nGPIO16 released\ninputs released") {
		t.Errorf("the board was asked for\n%s", calls)
	}
	if err := l.Beat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v, want %v", err, os.ErrClosed)
	}
}

func TestWithoutADeadManABeatIsNothing(t *testing.T) {
	b := pi(t)
	l := mustOpen(t, b, Config{Line: "GPIO17", Sense: "GPIO27"})
	defer l.Close()
	before := b.heard()
	if err := l.Beat(); err != nil || b.heard() != before {
		t.Errorf("%v, and the board was asked for\n%s", err, b.heard())
	}
}

func TestFailsafeOpensAllItCan(t *testing.T) {
	b := pi(t)
	b.at("GPIO6").consumer = "stolpe@412"
	err := failsafe([]chip{b}, []string{"GPIO17", "GPIO6", "nowhere/3", "!GPIO5", "gpiochip0/19"})
	mustHear(t, b,
		"GPIO17 output low", "GPIO17 low", "GPIO17 low", "GPIO17 released",
		"GPIO6 output low",
		"GPIO5 output low", "GPIO5 high", "GPIO5 high", "GPIO5 released",
		"GPIO19 output low", "GPIO19 low", "GPIO19 low", "GPIO19 released")
	for _, want := range []string{
		`contactor line "GPIO6" was not opened: GPIO6 (gpiochip0/6) is held by "stolpe@412"; end that first`,
		`contactor line "nowhere/3" was not opened: no chip "nowhere"`,
	} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v\nwant %q in it", err, want)
		}
	}
	if n := strings.Count(fmt.Sprint(err), "\n"); n != 1 {
		t.Errorf("%d errors, want 2:\n%v", n+1, err)
	}
	if err := failsafe([]chip{b}, []string{"GPIO17"}); err != nil {
		t.Error(err)
	}
	if err := failsafe([]chip{b}, nil); err != nil {
		t.Error(err)
	}
}

// With the kernel's own chips, whichever there are.
func TestAChipThatIsNotThereIsAnErrorAndNoNoise(t *testing.T) {
	var noise bytes.Buffer
	log.SetOutput(&noise)
	defer log.SetOutput(os.Stderr)
	for range 2 {
		if l, err := Open(Config{Line: "no such chip/0", Sense: "no such chip/1"}); l != nil || err == nil || !strings.Contains(err.Error(), "no") {
			t.Errorf("%v, %v", l, err)
		}
		if err := Failsafe("no such chip/0"); err == nil || !strings.Contains(err.Error(), "opened") {
			t.Error(err)
		}
	}
	if noise.Len() > 0 || log.Writer() != &noise {
		t.Errorf("the log says %q", noise.String())
	}
}
