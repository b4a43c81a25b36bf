package evse

import (
	"context"
	"slices"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	bench "stolpe/hal/sim"
)

// What goes wrong with contactor, supply and meter in the middle of a charge ends
// it, is named to the technician, and leaves the contacts open wherever contacts
// can be.
func TestEveryHardwareFaultEndsTheChargeAndIsNamed(t *testing.T) {
	fault := func(f bench.Faults) func(*bench.Bench, time.Duration) {
		return func(b *bench.Bench, now time.Duration) { b.Fault(now, f) }
	}
	for _, c := range []struct {
		name   string
		wrong  func(*bench.Bench, time.Duration)
		within time.Duration // until the contactor is ordered open
		code   string
		ends   []display.End
	}{
		{"no mains", fault(bench.Faults{NoSupply: true}), 3 * time.Second, "SUP-001", []display.End{display.PowerLost, display.ContactorBad}},
		{"the coil burns out", fault(bench.Faults{NoClose: true}), 2 * time.Second, "", []display.End{display.ContactorBad}},
		{"the sense line says open", fault(bench.Faults{SenseStuck: true}), 2 * time.Second, "", []display.End{display.ContactorBad}},
		{"the meter is silent", fault(bench.Faults{Silent: true}), session.MeterWithin + 2*time.Second, "MET-001", []display.End{display.MeterLost}},
		{"the register stands still", fault(bench.Faults{Frozen: true}), 6 * time.Minute, "MET-005", []display.End{display.MeterLost}},
		{"the register counts in another unit", fault(bench.Faults{Slower: 100}), 11 * time.Minute, "MET-006", []display.End{display.MeterLost}},
		{"the register jumps ahead", fault(bench.Faults{Offset: 100_000}), session.MeterWithin + 2*time.Second, "MET-003", []display.End{display.MeterLost}},
		{"the register is set back", func(b *bench.Bench, now time.Duration) { b.SwapMeter(now, "22110345", 0) },
			session.MeterWithin + 2*time.Second, "MET-004", []display.End{display.MeterLost}},
		{"the meter is another", func(b *bench.Bench, now time.Duration) { b.SwapMeter(now, "7", register) },
			2 * time.Second, "MET-002", []display.End{display.MeterLost}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				w.charging()
				w.sleep(2 * time.Minute)
				at := w.now().Mono
				w.rig.Do(c.wrong)
				w.sleep(c.within)
				if opened := w.coil.since(at, hal.Open); len(opened) == 0 {
					t.Fatalf("not ordered open within %v", c.within)
				}
				w.sleep(session.FinalWithin + time.Minute)
				s, _, _ := w.evse.Snapshot()
				if s.Faults().Code() != c.code {
					t.Errorf("named %q (%v), want %q", s.Faults().Code(), s.Faults(), c.code)
				}
				if n := len(s.Done); n != 1 || !slices.Contains(c.ends, s.Done[0].Why) {
					t.Errorf("settled %+v, want an end among %v", s.Done, c.ends)
				}
				w.rig.Do(func(b *bench.Bench, now time.Duration) {
					if truth := b.Truth(now); truth.Contacts != hal.Open {
						t.Errorf("contacts %v", truth.Contacts)
					}
				})
			})
		})
	}
}

// slow is a meter whose readings take as long as they do on a serial line.
type slow struct {
	Meter
	takes time.Duration
}

func (s slow) Read(ctx context.Context) (hal.Reading, error) {
	r, err := s.Meter.Read(ctx)
	if err == nil {
		err = pause(ctx, s.takes)
	}
	return r, err
}

// A sense contact that sticks at closed is told from a weld however the readings of
// a real meter fall: every two seconds a new one, a tenth of a second on the wire.
func TestAStickingSenseContactIsNotTakenForAWeld(t *testing.T) {
	for delay := range 6 {
		bubble(t, func(w *world) {
			w.rules.Refresh, w.rules.Grain = 2*time.Second, 10
			w.rig = bench.NewRig(bench.Setup{Serial: "22110345", Register: register, Refresh: 2 * time.Second},
				func() time.Duration { return time.Since(w.began) })
			w.plugIn()
			w.renew()
		}, func(t *testing.T, w *world) {
			w.again(t.Context(), func(p *Parts) { p.Meter = slow{p.Meter, 100 * time.Millisecond} })
			w.charging()
			w.sleep(2*time.Minute + time.Duration(delay)*150*time.Millisecond)
			w.rig.Do(func(b *bench.Bench, now time.Duration) {
				b.Fault(now, bench.Faults{SenseStuck: true, SenseAt: hal.Closed})
			})
			w.driverStops()
			w.sleep(time.Minute)
			if s, _, _ := w.evse.Snapshot(); s.Faults() != session.SenseBroken {
				t.Errorf("named %v", s.Faults())
			}
		})
	}
}

// A line that takes no order to close has closed nothing, however often it is told.
func TestAnOrderInVainWearsNothing(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.ready()
		w.coil.set(func(c *coil) { c.refuses[hal.Closed] = 1_000_000 })
		if err := w.request("kari", time.Minute); err != nil {
			t.Fatal(err)
		}
		w.sleep(5 * time.Second)
		w.till.approve(w.ref(1))
		w.sleep(time.Minute)
		s, _, _ := w.evse.Snapshot()
		if s.Faults() != 0 || s.Misses != 1 || s.Wear.Closings != 1 {
			t.Errorf("faults %v, misses %d, wear %+v: want one miss and one closing", s.Faults(), s.Misses, s.Wear)
		}
	})
}
