//go:build gpiosim

package gpio

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"stolpe/hal"
)

// patience is how long a loaded machine may take for what takes some ms.
const patience = 5 * time.Second

func TestOnTheKernel(t *testing.T) {
	s := simulate(t)
	kill := s.role("Holder") // before this program looks: periph asks who holds what only once
	s.run("held by another", sim.heldByAnother)
	s.run("killed", func(s sim) { s.killed(kill) })
	s.run("names", sim.names)
	s.run("orders", sim.orders)
	s.run("pins", sim.pins)
	s.run("watched", sim.watched)
	s.run("twice", sim.twice)
	s.run("unplugged", sim.unplugged)
}

func (s sim) heldByAnother() {
	err := Failsafe(label+"/10", label+"/0")
	if !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), `HELD (`) || !strings.Contains(err.Error(), `is held by "`) || strings.Contains(err.Error(), "CONTACTOR") {
		s.Errorf("%v", err)
	}
	s.Log(err)
	if !s.high(10) || s.high(0) {
		s.Errorf("the line held is high: %v; the other: %v", s.high(10), s.high(0))
	}
}

// killed kills the program that holds a contactor closed.
func (s sim) killed(kill func(os.Signal)) {
	kill(syscall.SIGKILL)
	s.Logf("after SIGKILL the line is high: %v", s.high(10))
	if err := Failsafe(label + "/10"); err != nil {
		s.Error(err)
	}
	if s.high(10) {
		s.Error("high after Failsafe")
	}
}

func (s sim) names() {
	for spec, want := range map[string]string{label + "/8": "", label + "/9": "no name of its own", label + "/12": "has lines 0 to 11"} {
		if err := Failsafe(spec); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			s.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
}

func (s sim) orders() {
	for _, activeLow := range []bool{false, true} {
		c := onSim()
		c.EStop, c.RCD, c.ActiveLow = "", "", activeLow
		l, err := Open(c)
		if err != nil {
			s.Fatal(err)
		}
		if s.high(0) != activeLow || s.high(7) {
			s.Errorf("ActiveLow %v: the contactor is high: %v, the dead-man: %v", activeLow, s.high(0), s.high(7))
		}
		for i := range 10 {
			p := []hal.Position{hal.Closed, hal.Open}[i%2]
			if err := l.Set(p); err != nil || s.high(0) != ((p == hal.Closed) != activeLow) {
				s.Errorf("ActiveLow %v, %v: high %v, %v", activeLow, p, s.high(0), err)
			}
			if err := l.Beat(); err != nil || s.high(7) != (i%2 == 0) {
				s.Errorf("beat %d: high %v, %v", i, s.high(7), err)
			}
		}
		if err := l.Close(); err != nil {
			s.Error(err)
		}
	}
}

// signals are the signals last told.
type signals struct {
	mu sync.Mutex
	on hal.Signals
	at time.Time
}

func (s *signals) get() (hal.Signals, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on, s.at
}

// watch opens everything and watches it. The contactor opens at a trip.
func (s sim) watch() (l *Lines, now *signals, end func()) {
	l, err := Open(onSim())
	if err != nil {
		s.Fatal(err)
	}
	for line, to := range []string{1: "down", 2: "down", 3: "up", 4: "up", 5: "down", 6: "up"} {
		if to != "" {
			s.pull(line, to)
		}
	}
	now = &signals{on: all}
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Watch(ctx, func(on hal.Signals) {
			if on&hal.Trips != 0 {
				l.Set(hal.Open) // seen at the line
			}
			now.mu.Lock()
			defer now.mu.Unlock()
			now.on, now.at = on, time.Now()
		})
	}()
	s.within(patience, "no signals", func() bool { on, _ := now.get(); return on == 0 })
	return l, now, func() { cancel(); <-ended }
}

func (s sim) watched() {
	l, now, end := s.watch()
	senses := func(p hal.Position, plug hal.Plug) func() bool {
		return func() bool {
			gotP, errP := l.Sense()
			gotPlug, errPlug := l.Plugged()
			return gotP == p && gotPlug == plug && errP == nil && errPlug == nil
		}
	}
	s.within(patience, "open and out", senses(hal.Open, hal.PlugOut))
	s.pull(1, "up")
	s.within(patience, "closed and out", senses(hal.Closed, hal.PlugOut))
	s.pull(2, "up")
	s.within(patience, "closed and in", senses(hal.Closed, hal.PlugIn))
	for line, x := range map[int]struct {
		on   hal.Signals
		made string
	}{3: {hal.StopPressed, "up"}, 4: {hal.EmergencyStop, "up"}, 5: {hal.RCDTripped, "down"}, 6: {hal.TooHot, "up"}} {
		if err := l.Set(hal.Closed); err != nil || !s.high(0) {
			s.Errorf("not closed: %v", err)
		}
		broken := map[string]string{"up": "down", "down": "up"}[x.made]
		from := time.Now()
		s.pull(line, broken)
		s.within(patience, x.on.String(), func() bool { on, _ := now.get(); return on == x.on })
		_, at := now.get()
		s.Logf("%v told %v after the edge", x.on, at.Sub(from))
		if trip := x.on&hal.Trips != 0; s.high(0) == trip || (l.Set(hal.Closed) != nil) != trip {
			s.Errorf("%v: the contactor is closed: %v", x.on, s.high(0))
		}
		s.pull(line, x.made)
		s.within(patience, "no signals", func() bool { on, _ := now.get(); return on == 0 })
	}
	s.pull(4, "down")
	s.pull(4, "up") // at once
	s.within(patience, "a short press", func() bool { on, _ := now.get(); return on == hal.EmergencyStop })
	from := time.Now()
	end()
	s.Logf("the watch ended after %v", time.Since(from))
	if err := l.Close(); err != nil {
		s.Error(err)
	}
}

// twice shows the chip a second time, as a Raspberry Pi 5 does.
func (s sim) twice() {
	again := s.dev + "99"
	if err := os.Symlink(s.dev, again); err != nil {
		s.Fatal(err)
	}
	defer os.Remove(again)
	s.role("Twice")(nil)
}

func (s sim) unplugged() {
	l, now, end := s.watch()
	s.write(s.config+"/live", "0")
	s.within(patience, "all signals", func() bool { on, _ := now.get(); return on == all })
	if p, err := l.Sense(); p != hal.Open || err == nil {
		s.Errorf("sense: %v, %v", p, err)
	} else {
		s.Log(err)
	}
	if err := l.Set(hal.Open); err == nil {
		s.Error("a line that is gone took an order")
	} else {
		s.Log(err)
	}
	end()
	s.Log(l.Close())
}
