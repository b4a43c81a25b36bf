package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/hal/sim"
	"stolpe/payment"
)

func TestAppSpeaksTheLanguageOfTheCountry(t *testing.T) {
	cfg := config.Config{Price: payment.Price{Currency: payment.DKK}, Post: display.Post{Name: "Storgata 1"}}
	if got := description(cfg)(payment.Terms{EVSE: "A12/1"}); got != display.DA.Reservation("A12/1", "Storgata 1") {
		t.Errorf("in Denmark the app says %q", got)
	}
}

// A simulated meter remembers what it has shown, as a real one does.
func TestSimulatedMeterRemembers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bench-1")
	var clock sim.Clock
	clock.Step(time.Second)
	car := sim.Car{Power: 11_000, Need: 40_000}
	last := hal.Energy(10_344_076)
	for n := range 3 {
		b, err := newBench(clock.Now, car, file)
		if err != nil {
			t.Fatal(err)
		}
		meter := b.remembering(b.rig)
		r, err := meter.Read(t.Context())
		if err != nil || r.Register != last {
			t.Errorf("start %d: %v, %v, want %v", n, r.Register, err, last)
		}
		if err := b.rig.Set(hal.Closed); err != nil {
			t.Fatal(err)
		}
		clock.Step(10 * time.Minute)
		r, err = meter.Read(t.Context())
		if err != nil || r.Register <= last {
			t.Errorf("start %d: %v, %v, want more than %v", n, r.Register, err, last)
		}
		last = r.Register
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReadingThatIsNotRememberedIsNotShown(t *testing.T) {
	b, err := newBench((&sim.Clock{}).Now, sim.Car{}, filepath.Join(t.TempDir(), "bench-1"))
	if err != nil {
		t.Fatal(err)
	}
	meter := b.remembering(b.rig)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := meter.Read(t.Context()); err == nil || r != (hal.Reading{}) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestMeterThatIsSilentIsNotRemembered(t *testing.T) {
	file := write(t, "bench-1", "10500000            \n")
	b, err := newBench((&sim.Clock{}).Now, sim.Car{}, file)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	b.rig.Do(func(b *sim.Bench, now time.Duration) { b.Fault(now, sim.Faults{Silent: true}) })
	if _, err := b.remembering(b.rig).Read(t.Context()); !errors.Is(err, sim.ErrSilent) {
		t.Error(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "10500000            \n" {
		t.Errorf("%q, %v", text, err)
	}
}

// Nothing stays open when a post cannot be opened as a whole: TestMain would find
// its goroutines.
func TestPostThatCannotBeOpenedIsClosed(t *testing.T) {
	two := strings.Replace(demoConfig, "evses: [", "evses: [{id: 7, code: B7, contactor: {sim: true}, max_power_w: 22000}, ", 1)
	cfg, err := config.Parse("test", strings.NewReader(two), config.System)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no room")
	for name, row := range map[string]struct {
		change func(*world)
		want   string
	}{
		"no store": {func(w *world) { failStore(w, broken, nil) }, "evse 1: no room"},
		"no bench": {func(w *world) { failBench(w, broken) }, "evse 1: no room"},
		"no store, and a card that does not close": {func(w *world) { failStore(w, broken, errors.New("card gone")) }, "no room\ncard gone"},
	} {
		s := &stage{demoOptions: demoOptions{speed: 1}}
		var log paper
		w := s.world(slog.New(slog.NewTextHandler(&log, nil)), &showcase{quiet: true})
		row.change(&w)
		if _, err := open(cfg, w, dull{}); !errors.Is(err, broken) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
		if !strings.Contains(log.String(), `msg="contactor open" evse=7`) {
			t.Errorf("%s: %s", name, &log)
		}
	}
}

// failStore lets the store of EVSE 1 fail, and the closing of all others.
func failStore(w *world, err, closing error) {
	store := w.store
	w.store = func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
		if e.ID == 1 {
			return nil, kept{}, nil, err
		}
		j, k, done, err := store(e, owner)
		return j, k, func() error { return errors.Join(done(), closing) }, err
	}
}

// failBench lets the bench of EVSE 1 fail.
func failBench(w *world, err error) {
	build := w.bench
	w.bench = func(e config.EVSE) (*bench, error) {
		if e.ID == 1 {
			return nil, err
		}
		return build(e)
	}
}

// All contactors are ordered open before any journal is opened.
func TestContactorsComeFirst(t *testing.T) {
	p := perform(t, func(w *world) {
		log, store := w.log, w.store
		w.store = func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
			log.Info("journal", "owner", owner)
			return store(e, owner)
		}
	}, "evses: [", "evses: [{id: 7, code: B7, contactor: {sim: true}, max_power_w: 22000}, ")
	var order []string
	for line := range strings.Lines(p.log.String()) {
		for _, word := range []string{"contactor open", "journal"} {
			if strings.Contains(line, word) {
				order = append(order, word)
			}
		}
	}
	if got := strings.Join(order, ", "); got != "contactor open, contactor open, journal, journal" {
		t.Errorf("%s", got)
	}
}
