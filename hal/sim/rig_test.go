package sim

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"stolpe/hal"
)

func TestTimePassesOnlyWhenStepped(t *testing.T) {
	var c Clock
	if c.Now() != 0 {
		t.Fatalf("a new clock stands at %v", c.Now())
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 1000 {
				c.Step(time.Millisecond)
			}
		})
	}
	all.Wait()
	if c.Now() != 4*time.Second {
		t.Errorf("after 4000 steps of 1 ms: %v", c.Now())
	}
}

func TestARigIsContactorPlugAndMeter(t *testing.T) {
	var c Clock
	r := NewRig(Setup{Serial: "22110345", Register: 500}, c.Now)
	if p, err := r.Plugged(); p != hal.PlugOut || err != nil {
		t.Errorf("no car: %v, %v", p, err)
	}
	r.Do(func(b *Bench, now time.Duration) { b.PlugIn(now, family) })
	if p, err := r.Plugged(); p != hal.PlugIn || err != nil {
		t.Errorf("a car: %v, %v", p, err)
	}
	if err := r.Set(hal.Closed); err != nil {
		t.Fatal(err)
	}
	c.Step(time.Hour)
	if p, err := r.Sense(); p != hal.Closed || err != nil {
		t.Errorf("sense: %v, %v", p, err)
	}
	reading, err := r.Read(t.Context())
	if err != nil || reading.Serial != "22110345" || reading.Register <= 11_000 || reading.At != time.Hour {
		t.Errorf("reading %+v, %v", reading, err)
	}
}

func TestASilentMeterOnARigIsAnError(t *testing.T) {
	var c Clock
	r := NewRig(Setup{}, c.Now)
	r.Do(func(b *Bench, now time.Duration) { b.Fault(now, Faults{Silent: true}) })
	if got, err := r.Read(t.Context()); !errors.Is(err, ErrSilent) || got != (hal.Reading{}) {
		t.Errorf("%+v, %v", got, err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Read(done); !errors.Is(err, context.Canceled) {
		t.Errorf("under a done context: %v", err)
	}
}

// For the race detector: everything at once.
func TestARigBearsManyUsers(t *testing.T) {
	var c Clock
	r := NewRig(Setup{}, c.Now)
	var all sync.WaitGroup
	for _, use := range []func(i int){
		func(i int) { r.Set(hal.Position(i % 2)) },
		func(int) { r.Sense() },
		func(int) { r.Read(context.Background()) },
		func(int) { r.Plugged() },
		func(int) { c.Step(time.Second) },
		func(int) { r.Do(func(b *Bench, now time.Duration) { b.PlugIn(now, family) }) },
	} {
		all.Go(func() {
			for i := range 200 {
				use(i)
			}
		})
	}
	all.Wait()
	r.Do(func(b *Bench, now time.Duration) {
		if now != 200*time.Second || b.Truth(now).Energy > 11_000*200/3600 {
			t.Errorf("at %v: %+v", now, b.Truth(now))
		}
	})
}
