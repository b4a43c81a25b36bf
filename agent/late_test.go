package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/doctor"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/hal/gpio"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// While the lines are not there, nothing is believed and nothing commanded; from then on
// they are lines like others.
func TestLateLinesAreLinesWhenTheyAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(sim.Setup{})
		var why atomic.Uintptr // a syscall.Errno
		var tries atomic.Int32
		why.Store(uintptr(syscall.EBUSY))
		log := new(paper)
		l := newLateWires(func() (wires, error) {
			tries.Add(1)
			if n := syscall.Errno(why.Load()); n != 0 {
				return nil, n
			}
			return y, y.Set(hal.Open)
		}, syscall.EBUSY, slog.New(slog.NewTextHandler(log, nil)))
		ctx, end := context.WithCancel(t.Context())
		watched := make(chan struct{})
		go l.run(ctx)
		go func() { defer close(watched); l.Watch(ctx, func(hal.Signals) {}) }()
		time.Sleep(4 * lookAgain)
		_, sense := l.Sense()
		plug, plugged := l.Plugged()
		_, pressed := l.Pressed()
		for what, err := range map[string]error{"set": l.Set(hal.Closed), "open": l.Set(hal.Open), "sense": sense, "plug": plugged, "button": pressed, "beat": l.Beat(), "missing": l.missing()} {
			if !errors.Is(err, syscall.EBUSY) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n := tries.Load(); plug != hal.PlugUnknown || n < 4 || n > 6 {
			t.Errorf("plug %v, %d tries", plug, n)
		}
		why.Store(uintptr(syscall.EPERM))
		time.Sleep(2 * lookAgain)
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !errors.Is(l.missing(), syscall.EPERM) {
			t.Errorf("told %d times of another cause, missing: %v", n, l.missing())
		}
		why.Store(0)
		time.Sleep(2 * lookAgain)
		if _, err := l.Sense(); err != nil || l.missing() != nil || l.Set(hal.Closed) != nil || l.Beat() != nil || y.beats.Load() != 1 {
			t.Errorf("when they are there: %v, %v", err, l.missing())
		}
		y.press <- struct{}{}
		synctest.Wait()
		select {
		case <-l.Presses():
		default:
			t.Error("a press did not come through")
		}
		end()
		<-watched
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLinesThatAreNotWantedAnyMoreAreNotTaken(t *testing.T) {
	l := newLateWires(func() (wires, error) { t.Error("opened"); return nil, nil }, syscall.EBUSY, slog.New(slog.DiscardHandler))
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := l.try(); err != nil {
		t.Error(err)
	}
	if err := l.Set(hal.Open); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	l.run(t.Context()) // ends by itself
}

// A post whose chip is missing at the start serves nobody, says why, and charges when it
// has come.
func TestAPostChargesWhenItsChipHasCome(t *testing.T) {
	t.Parallel()
	y := newYard(sim.Setup{Serial: "22110345", Register: 1_000_000})
	y.Do(func(b *sim.Bench, now time.Duration) { b.PlugIn(now, demoCar) })
	m, err := meters.Find("eastron_sdm120")
	if err != nil {
		t.Fatal(err)
	}
	var there atomic.Bool
	var tries atomic.Int32
	p := perform(t, func(w *world) {
		y.into(w)
		given := w.wires
		w.wires = func(c gpio.Config) (wires, error) {
			if first := tries.Add(1) == 1; c.Again == first {
				t.Errorf("first try %v, told again %v", first, c.Again)
			}
			if !there.Load() {
				return nil, gpio.ErrNoChip
			}
			if err := y.Set(hal.Open); err != nil {
				return nil, err
			}
			return given(c)
		}
	}, "contactor: {sim: true}", `meter: {model: eastron_sdm120, url: "`+y.serve(t, m, "tcp://127.0.0.1:0")+`"}, contactor: {line: GPIO17, sense: GPIO27}, inputs: {estop: GPIO24}`)
	if err := y.Set(hal.Closed); err != nil { // whoever had the line before
		t.Fatal(err)
	}
	s, _, _ := p.parts.units["A12"].Snapshot()
	if f := s.Faults(); f&session.SenseSilent == 0 || f&session.Emergency == 0 {
		t.Errorf("faults %v: want what nobody has looked at to count as the worst", f)
	}
	if all := p.parts.lacking(false); len(all) != 1 || all[0] != (doctor.Lack{Kind: doctor.Wires, EVSE: 1, Name: "GPIO17", Why: gpio.ErrNoChip.Error()}) {
		t.Errorf("%+v", all)
	}
	if what, cause := p.parts.came(func() bool { return true }); !errors.Is(cause, errMoreChips) || what == "" {
		t.Errorf("with a chip that this program cannot use: %q, %v", what, cause)
	}
	if _, cause := p.parts.came(func() bool { return false }); cause != nil {
		t.Errorf("with none: %v", cause)
	}
	if scene, _, _ := look(t, p.url+"/en/A12"); scene == "offer" {
		t.Error("somebody is offered a charge")
	}
	there.Store(true)
	until(t, "the lines are there", func() bool { return len(p.parts.lacking(true)) == 0 })
	o, err := p.charge(t)
	if err != nil || o.Captured == 0 {
		t.Errorf("%+v, %v\n%s", o, err, p.log)
	}
	if _, cause := p.parts.came(func() bool { return true }); cause != nil {
		t.Errorf("a program that has its lines ends for more chips: %v", cause)
	}
}

// That a chip or a secret has come too late ends the program with a code after which systemd
// starts it.
func TestAProgramThatCannotUseWhatHasComeEndsToBeStartedAnew(t *testing.T) {
	for _, cause := range []error{errMoreChips, errMoreSecrets} {
		var stderr paper
		if code := explain(&stderr, "stolpe", failed(errors.Join(cause, nil))); code != exitDevice || !strings.Contains(stderr.String(), "started anew") {
			t.Errorf("%d, %s", code, &stderr)
		}
	}
}
