package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/hal/sim"
)

// bay is a post with a real contactor's wires, and a technician in front of it.
type bay struct {
	*yard
	client *control.Client
	parts  *parts
	log    *paper
}

const bayEVSEs = `evses:
  - {id: 1, code: A12, meter: {model: eastron_sdm630, url: "URL", unit: 1}, contactor: {line: GPIO17, sense: GPIO27}, inputs: {plug: GPIO22, estop: GPIO24}, max_power_w: 22000}
limits: {rest: 1s}
`

// openBay starts the post and waits until its meter is believed.
func openBay(t *testing.T) *bay {
	t.Helper()
	b := &bay{yard: newYard(sim.Setup{Serial: "22110345", Register: 10_344_076}), log: new(paper)}
	dir, err := os.MkdirTemp("", "s") // a socket's name must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	url := b.serve(t, mapIn(t, "", "eastron_sdm630"), "tcp://127.0.0.1:0")
	file := configured(t, dir, simEVSEs, strings.Replace(bayEVSEs, "URL", url, 1))
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(b.log, nil))
	w := realWorld(setTime(), cfg, log)
	w.book = openBook(dir, cfg.Post.ID, log)
	b.into(&w)
	ctx, cancel := context.WithCancel(context.Background())
	jobs, stop := context.WithCancel(context.Background())
	pay, err := openPayments(jobs, cfg, w, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := open(cfg, w, pay)
	if err != nil {
		t.Fatal(err)
	}
	b.parts, p.board = p, openBoard(dir, w.now, log)
	p.close = append(p.close, func() error { return closeBook(w.book) })
	p.serveLocal(cfg, w, p.openDeeds(cfg, origin{file: file}, w, func() {}), nil)
	ended := make(chan error, 1)
	go func() {
		ended <- together(ctx, jobs, stop, p, func(ctx context.Context) error { <-ctx.Done(); return nil })
	}()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, p.Close(), pay.close()); err != nil {
			t.Error(err)
		}
	})
	b.client = control.Dial(cfg.Control.Dir)
	b.until(t, "the meter is believed", func(s *session.State) bool { return s.Faults() == 0 })
	return b
}

// until waits for something to be so at the EVSE.
func (b *bay) until(t *testing.T, what string, true func(*session.State) bool) {
	t.Helper()
	until(t, what, func() bool {
		s, _, _ := b.parts.units["A12"].Snapshot()
		return true(&s)
	})
}

func (b *bay) withdraw(t *testing.T) {
	t.Helper()
	if err := b.client.Do(t.Context(), "service/out", map[string]any{"now": true}, nil); err != nil {
		t.Fatal(err)
	}
}

func (b *bay) test(ctx context.Context) (tried, error) {
	var x tried
	err := b.client.Do(ctx, "contactor/test", map[string]any{"confirm": testWord}, &x)
	return x, err
}

func (b *bay) faults(f sim.Faults) {
	b.Do(func(b *sim.Bench, now time.Duration) { b.Fault(now, f) })
}

func (b *bay) contacts() (x sim.Truth) {
	b.Do(func(b *sim.Bench, now time.Duration) { x = b.Truth(now) })
	return x
}

// What is wrong with a contactor shows in a test, at the step where it is.
func TestAContactorIsTested(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults sim.Faults
		wrong  string // the first step that is; empty for none
		says   string
	}{
		"sound":          {sim.Faults{}, "", ""},
		"opens slowly":   {sim.Faults{SlowOpen: 700 * time.Millisecond}, "", ""},
		"does not close": {sim.Faults{NoClose: true}, "close", "coil without voltage"},
		"sense wire cut": {sim.Faults{SenseStuck: true}, "close", "sense wire"},
		"welds":          {sim.Faults{Welded: true}, "open", "welded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBay(t)
			b.withdraw(t)
			b.faults(c.faults)
			x, err := b.test(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if x.Passed != (c.wrong == "") {
				t.Errorf("passed %v: %v", x.Passed, x)
			}
			for _, s := range x.Steps {
				if !s.OK {
					if s.Name != c.wrong || !strings.Contains(s.Text, c.says) {
						t.Errorf("first wrong is %s: %s; want %s: %s", s.Name, s.Text, c.wrong, c.says)
					}
					break
				}
			}
			if c.wrong == "" && *x.OpenedMS < c.faults.SlowOpen.Milliseconds() {
				t.Errorf("opened in %d ms", *x.OpenedMS)
			}
			if c.faults.Welded {
				if _, err := b.test(t.Context()); err == nil || !strings.Contains(err.Error(), "contactor welded: put that right first (once somebody has put it right: stolpe service in --evse 1 --repaired") {
					t.Errorf("a welded contactor: %v", err)
				}
			}
			b.faults(sim.Faults{}) // mended, the contacts are where they are ordered
			until(t, "open", func() bool { return b.contacts().Contacts == hal.Open })
		})
	}
}

// A test is refused with the reason and what to do, and nothing closes.
func TestATestOfAContactorIsRefused(t *testing.T) {
	t.Parallel()
	b := openBay(t)
	refused := func(what, want string) {
		t.Helper()
		_, err := b.test(t.Context())
		var no control.Refusal
		if !errors.As(err, &no) || no.Code != control.Unsafe || !strings.Contains(no.Text, want) {
			t.Errorf("%s: %v; want %q", what, err, want)
		}
		if x := b.contacts(); x.Changed != 0 {
			t.Errorf("%s: the contacts have moved at %v", what, x.Changed)
		}
	}
	refused("in service", "stolpe service out --evse 1 --now")
	b.withdraw(t)
	b.Do(func(b *sim.Bench, now time.Duration) { b.PlugIn(now, demoCar) })
	b.until(t, "the car is seen", func(s *session.State) bool { return s.PlugSensed() == hal.PlugIn })
	if said := b.said(t); !strings.Contains(said, `"name":"plug","line":"GPIO22","says":"in"`) {
		t.Error(said)
	}
	refused("a car", "a cable is plugged in")
	b.Do(func(b *sim.Bench, now time.Duration) { b.Unplug(now) })
	b.until(t, "the car is gone", func(s *session.State) bool { return s.PlugSensed() == hal.PlugOut })
	b.Signal(hal.EmergencyStop)
	b.until(t, "the emergency stop is seen", func(s *session.State) bool { return s.Signals() != 0 })
	if said := b.said(t); !strings.Contains(said, `"name":"estop","line":"GPIO24","says":"pressed","fine":false`) {
		t.Error(said)
	}
	refused("emergency stop", "emergency stop pressed")
	err := b.client.Do(t.Context(), "contactor/test", nil, nil)
	if !strings.Contains(err.Error(), "confirm must be TEST") {
		t.Errorf("not confirmed: %v", err)
	}
	if err := b.client.Do(t.Context(), "contactor/test", map[string]any{"evse": 2, "confirm": testWord}, nil); err == nil || !strings.Contains(err.Error(), "no EVSE 2") {
		t.Errorf("another EVSE: %v", err)
	}
}

// said is what the wires say.
func (b *bay) said(t *testing.T) (text string) {
	t.Helper()
	err := b.client.Follow(t.Context(), "inputs", map[string]any{"once": true}, func(v json.RawMessage) error { text = string(v); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Whoever begins a test and goes away leaves an open contactor behind; so do a hand at the
// emergency stop and one at the terminal.
func TestATestOfAContactorEndsAtOnce(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(b *bay, leave func()){
		"the caller goes": func(_ *bay, leave func()) { leave() },
		"emergency stop":  func(b *bay, _ func()) { b.Signal(hal.EmergencyStop) },
		"opened by hand": func(b *bay, _ func()) {
			b.client.Do(context.Background(), "contactor/open", nil, nil) //nolint:errcheck // what counts is the contactor
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBay(t)
			b.withdraw(t)
			for tries := 5; !b.cutShort(t, happens); tries-- {
				if tries == 0 {
					t.Fatal("closed for as long as if nothing had happened, again and again")
				}
			}
		})
	}
}

// cutShort begins a test of the contactor and has something happen when that is closed. It
// says whether the contactor was open again long before the test would have been over; on a
// busy machine it may be over by the time that something happens.
func (b *bay) cutShort(t *testing.T, happens func(b *bay, leave func())) bool {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	before := b.contacts().Changed
	ended := make(chan tried, 1)
	go func() {
		x, _ := b.test(ctx) // what a caller who has gone is told nobody hears
		ended <- x
	}()
	until(t, "closed, or open again", func() bool { return b.contacts().Changed != before })
	at := b.contacts()
	happens(b, leave)
	until(t, "open", func() bool { return b.contacts().Contacts == hal.Open })
	closed, x := b.contacts().Changed-at.Changed, <-ended
	b.Signal(0)
	b.until(t, "the emergency stop is released", func(s *session.State) bool { return s.Signals() == 0 })
	if at.Contacts == hal.Open || closed > session.TestFor/2 {
		return false
	}
	if ctx.Err() == nil && (x.Passed || len(x.Steps) == 0) {
		t.Errorf("%+v", x)
	}
	return true
}

// The meter of a running post is read on its own bus, with what is said there.
func TestTheMeterIsReadThroughThePost(t *testing.T) {
	t.Parallel()
	b := openBay(t)
	var o readoutJSON
	if err := b.client.Get(t.Context(), "meter/read", map[string]any{"raw": true}, &o); err != nil {
		t.Fatal(err)
	}
	if !o.OK || o.Model != "eastron_sdm630" || len(o.Values) < 5 || len(o.Frames) < 4 || !o.Frames[0].Sent {
		t.Errorf("%+v", o)
	}
	back := o.readout()
	if len(back.values) != len(o.Values) || len(back.frames) != len(o.Frames) || back.err != nil {
		t.Errorf("read back as %d values, %d frames, %v", len(back.values), len(back.frames), back.err)
	}
	b.faults(sim.Faults{Silent: true})
	o = readoutJSON{}
	if err := b.client.Get(t.Context(), "meter/read", map[string]any{"within_ms": 1500}, &o); err != nil {
		t.Fatal(err)
	}
	if o.OK || o.Error == "" || o.Next == "" {
		t.Errorf("a silent meter: %+v", o)
	}
	for args, want := range map[string]string{`{"within_ms": 100000}`: "want 1 to", `{"evse": 4}`: "no EVSE 4", `{"what": 1}`: "arguments"} {
		if err := b.client.Get(t.Context(), "meter/read", json.RawMessage(args), &o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// Whoever follows the wires is told of every change.
func TestTheWiresAreFollowed(t *testing.T) {
	t.Parallel()
	b := openBay(t)
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var told []string
	err := b.client.Follow(ctx, "inputs", nil, func(v json.RawMessage) error {
		told = append(told, string(v))
		switch len(told) {
		case 1:
			b.Signal(hal.EmergencyStop)
		case 2:
			b.Signal(0)
		default:
			enough()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) && err != nil {
		t.Error(err)
	}
	if len(told) != 3 || !strings.Contains(told[1], `"says":"pressed"`) || strings.Contains(told[2], `"says":"pressed"`) {
		t.Errorf("%q", told)
	}
}

// Whoever wants a contactor open does not wait for a daemon that hangs.
func TestOpeningWaitsForNoDaemonThatHangs(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") // a socket's name must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "control.sock")) // it takes calls, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("STOLPE_CONTROL_DIR", dir)
	var own coded
	if err := (opening{}).run(t.Context(), io.Discard, io.Discard); !errors.As(err, &own) || own.code != exitTimeout || !strings.Contains(err.Error(), "at its breaker") {
		t.Errorf("%v", err)
	}
}
