package session

import (
	"testing"
	"time"

	"stolpe/hal"
)

// The one line that closes the contactor, asked directly: no step leads to the
// states it refuses, and it must refuse them all the same.
func TestContactorIsWantedClosedForOneReasonOnly(t *testing.T) {
	now := hal.Instant{Mono: time.Minute}
	for phase := Idle; phase < phases; phase++ {
		for _, held := range []bool{false, true} {
			EachFault(func(f Faults) {
				for _, fault := range []Faults{0, f} {
					r, s := believing(phase, hal.Closed)
					s.Charge.Held, s.Latched, s.Passing = held, fault&latching, fault&^latching
					want := hal.Open
					if phase == Charging && held && fault&unsafe == 0 {
						want = hal.Closed
					}
					if got := r.Want(&s, now).Contactor; got != want {
						t.Errorf("%v, held %v, %v: wanted %v, want %v", phase, held, fault, got, want)
					}
				}
			})
		}
	}
}

// The faults that open the contactor, by name: a fault that is added must be
// thought about here.
func TestUnsafeFaultsAreThese(t *testing.T) {
	open := Welded | WontClose | SenseBroken | MeterSwap | MeterAstray | MeterBack | MeterFrozen | MeterUnit | Withdrawn | Recall | MeterSilent |
		SenseSilent | DiskFailed | SupplyGone | Emergency | RCDOut | Overheated | StopHeld
	all := Faults(0)
	EachFault(func(f Faults) {
		all |= f
		if (f&unsafe != 0) != (f&open != 0) {
			t.Errorf("%v: opens the contactor: %v", f, f&unsafe != 0)
		}
		if f.Code() == "" || f.String() == "" {
			t.Errorf("fault %b has no code or no words", f)
		}
	})
	if all != faultEnd-1 {
		t.Errorf("faults %b are in no list of codes", (faultEnd-1)&^all)
	}
}
