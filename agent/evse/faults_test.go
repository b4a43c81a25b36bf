package evse

import (
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
