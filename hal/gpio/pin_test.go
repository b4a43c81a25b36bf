package gpio

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
)

func TestALineIsDrivenAsPeriphDrivesIt(t *testing.T) {
	b := pi(t)
	p, err := openOut([]chip{b}, "GPIO25")
	if err != nil {
		t.Fatal(err)
	}
	if p.Name() != "GPIO25" || p.Number() != 25 || p.String() != "GPIO25 (gpiochip0/25)" || p.Function() != "Out" || p.Halt() != nil {
		t.Errorf("is %q, %d, %v, %q", p.Name(), p.Number(), p, p.Function())
	}
	if err := p.PWM(gpio.DutyHalf, 0); !errors.Is(err, errNoPWM) {
		t.Errorf("PWM: %v", err)
	}
	for _, l := range []gpio.Level{gpio.High, gpio.Low, gpio.High} {
		if err := p.Out(l); err != nil || b.level("GPIO25") != bool(l) {
			t.Errorf("%v: level %v, %v", l, b.level("GPIO25"), err)
		}
	}
	for range 2 { // closed twice
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := p.Out(gpio.Low); !errors.Is(err, os.ErrClosed) {
		t.Errorf("driven when closed: %v", err)
	}
	// A panel that shall keep its picture must not be reset by the last call.
	mustHear(t, b, "GPIO25 output low", "GPIO25 high", "GPIO25 low", "GPIO25 high", "GPIO25 high", "GPIO25 released")
}

func TestALineIsDrivenTheOtherWayRound(t *testing.T) {
	b := pi(t)
	p, err := openOut([]chip{b}, "!pinctrl-bcm2711/5")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Out(gpio.Low), p.Out(gpio.High), p.Close()); err != nil {
		t.Fatal(err)
	}
	mustHear(t, b, "GPIO5 output low", "GPIO5 high", "GPIO5 low", "GPIO5 low", "GPIO5 released")
}

func TestALineThatDoesNotMoveIsAnError(t *testing.T) {
	b := pi(t)
	p, err := openOut([]chip{b}, "GPIO25")
	if err != nil {
		t.Fatal(err)
	}
	b.do(func(b *board) { b.stuck = syscall.EIO })
	if err := p.Out(gpio.High); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "set GPIO25 (gpiochip0/25) High") {
		t.Errorf("got %v", err)
	}
	if err := p.Close(); !errors.Is(err, syscall.EIO) || b.at("GPIO25").held {
		t.Errorf("closed: %v, held %v", err, b.at("GPIO25").held)
	}
}

// mustLookAt gives a line that is looked at.
func mustLookAt(t *testing.T, b *board, spec string, pullUp bool) *InPin {
	t.Helper()
	p, err := openIn([]chip{b}, spec, pullUp)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestALineIsLookedAt(t *testing.T) {
	for _, c := range []struct {
		spec   string
		pullUp bool
		wire   wire
		want   gpio.Level
	}{
		{"GPIO24", true, up, gpio.High},
		{"GPIO24", true, down, gpio.Low},
		{"GPIO24", true, cut, gpio.High},
		{"GPIO24", false, cut, gpio.Low},
		{"!GPIO24", true, cut, gpio.Low},
		{"!GPIO24", false, down, gpio.High},
	} {
		b := pi(t)
		p := mustLookAt(t, b, c.spec, c.pullUp)
		b.move("GPIO24", c.wire)
		if got, err := p.Look(); got != c.want || err != nil || p.Read() != c.want {
			t.Errorf("%s, pull-up %v, wire %v: %v, %v, read %v", c.spec, c.pullUp, c.wire, got, err, p.Read())
		}
		if p.Function() != "In" || p.DefaultPull() != gpio.PullNoChange {
			t.Errorf("is %q with %v", p.Function(), p.DefaultPull())
		}
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A line that cannot be looked at is no level that somebody made.
func TestALineThatIsNotKnownReadsAsABrokenWire(t *testing.T) {
	for spec, pullUp := range map[string]bool{"GPIO24": true, "!GPIO24": false} {
		b := pi(t)
		p := mustLookAt(t, b, spec, pullUp)
		b.move("GPIO24", map[bool]wire{true: down, false: up}[pullUp]) // not as the pull has it
		b.do(func(b *board) { b.broken = syscall.EIO })
		if _, err := p.Look(); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", spec, err)
		}
		if p.Read() != gpio.High {
			t.Errorf("%s reads %v", spec, p.Read())
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.Look(); !errors.Is(err, os.ErrClosed) || p.Read() != gpio.High || p.WaitForEdge(time.Second) {
			t.Errorf("%s, closed: %v, reads %v", spec, err, p.Read())
		}
		if err := p.In(gpio.PullUp, gpio.NoEdge); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s, closed: another pull: %v", spec, err)
		}
	}
}

func TestAnotherPullIsAnotherRequest(t *testing.T) {
	b := pi(t)
	p := mustLookAt(t, b, "GPIO24", false)
	for _, pull := range []gpio.Pull{gpio.PullDown, gpio.PullNoChange, gpio.PullUp} {
		if err := p.In(pull, gpio.BothEdges); err != nil {
			t.Errorf("%v: %v", pull, err)
		}
	}
	if err := p.In(gpio.Float, gpio.NoEdge); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("without a pull: %v", err)
	}
	if p.Pull() != gpio.PullUp || p.Read() != gpio.High {
		t.Errorf("%v, reads %v", p.Pull(), p.Read())
	}
	b.do(func(b *board) { b.refused = syscall.EPERM })
	if err := p.In(gpio.PullDown, gpio.NoEdge); !errors.Is(err, syscall.EPERM) || p.Pull() != gpio.PullDown {
		t.Errorf("refused: %v, %v", err, p.Pull())
	}
	if err := p.Close(); err != nil { // it has gone already
		t.Error(err)
	}
	mustHear(t, b, "inputs GPIO24 pull-down", "inputs released", "inputs GPIO24 pull-up", "inputs released", "inputs GPIO24 pull-down")
}

func TestALineIsWaitedForButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pi(t)
		p := mustLookAt(t, b, "GPIO24", true)
		from := time.Now()
		if p.WaitForEdge(-1) || p.WaitForEdge(0) || time.Since(from) != 0 {
			t.Errorf("no edge after %v", time.Since(from))
		}
		if p.WaitForEdge(time.Second) || time.Since(from) != time.Second {
			t.Errorf("no edge after %v", time.Since(from))
		}
		b.move("GPIO24", down)
		if !p.WaitForEdge(time.Second) {
			t.Error("an edge was not seen")
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestALineThatIsHeldCannotBeHad(t *testing.T) {
	b := pi(t)
	mustOpen(t, b, full())
	for name, open := range map[string]func(spec string) error{
		"driven":    func(spec string) error { _, err := openOut([]chip{b}, spec); return err },
		"looked at": func(spec string) error { _, err := openIn([]chip{b}, spec, true); return err },
	} {
		for _, spec := range []string{"GPIO17", "!GPIO17", "GPIO24"} { // the contactor, the emergency stop
			if err := open(spec); !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), spec) {
				t.Errorf("%s %s: %v", spec, name, err)
			}
		}
		if err := open("GPIO72"); err == nil || !strings.Contains(err.Error(), `"GPIO72": chip gpiochip0`) {
			t.Errorf("GPIO72 %s: %v", name, err)
		}
	}
}
