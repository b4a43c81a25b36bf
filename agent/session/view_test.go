package session

import (
	"reflect"
	"testing"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// What everybody sees in each phase with each fault, long after the start. A
// charge goes on looking like a charge unless something unsafe has ended it.
func TestEveryFaultHasItsState(t *testing.T) {
	for _, x := range []struct {
		fault Faults
		code  string
		idle  display.State
		busy  bool // seen while a charge is under way, too
	}{
		{0, "", display.Available, false},
		{Welded, "CON-001", display.Faulted, true},
		{WontClose, "CON-002", display.Faulted, true},
		{MeterSwap, "MET-002", display.Faulted, true},
		{MeterAstray, "MET-003", display.Faulted, true},
		{Withdrawn, "USR-001", display.Unavailable, true},
		{Rotten, "STO-002", display.Settling, false},
		{MeterSilent, "MET-001", display.Faulted, true},
		{SenseBroken, "CON-004", display.Faulted, true},
		{MeterBack, "MET-004", display.Faulted, true},
		{MeterFrozen, "MET-005", display.Faulted, true},
		{MeterUnit, "MET-006", display.Faulted, true},
		{SupplyGone, "SUP-001", display.Faulted, true},
		{Emergency, "SAF-002", display.Faulted, true},
		{RCDOut, "SAF-003", display.Faulted, true},
		{Overheated, "SAF-004", display.Faulted, true},
		{StopHeld, "SAF-005", display.Faulted, true},
		{Worn, "CON-005", display.Faulted, false},
		{SenseSilent, "CON-003", display.Faulted, true},
		{DiskFailed, "STO-001", display.Faulted, true},
		{Seeking, "PAY-002", display.Settling, false},
		{Rebooting, "SAF-001", display.Settling, false},
		{Unsellable, "PAY-001", display.Settling, false},
		{Leaving, "USR-002", display.Settling, false},
		{Recall, "USR-003", display.Unavailable, true},
		{Renewing, "USR-004", display.Unavailable, false},
		{Renewing | MeterSilent, "MET-001", display.Faulted, true},
		{Withdrawn | Welded, "CON-001", display.Unavailable, true},
	} {
		for phase, plain := range [Phases]display.State{display.Available, display.Paying, display.Authorised, display.Charging, display.Stopping} {
			r, s := believing(Phase(phase), hal.Open)
			s.meter.still = equalReadings
			s.Latched, s.Passing = x.fault&latching, x.fault&^latching
			want := plain
			if x.fault != 0 && (phase == int(Idle) || x.busy) {
				want = x.idle
			}
			v := r.Public(&s, hal.Instant{Mono: time.Minute})
			if v.State != want || v.Fault != x.code {
				t.Errorf("%v with %v: %v %q, want %v %q", Phase(phase), x.fault, v.State, v.Fault, want, x.code)
			}
			if v.Busy != (phase != int(Idle)) {
				t.Errorf("%v: busy %v", Phase(phase), v.Busy)
			}
		}
	}
}

// A post that has just started is not out of order; one that still knows nothing
// after a while is.
func TestStartingIsNotAFault(t *testing.T) {
	r := testRules()
	s := r.Recover(Kept{}, Whole, hal.Instant{Mono: time.Second})
	for _, x := range []struct {
		at    time.Duration
		state display.State
		code  string
	}{
		{2 * time.Second, display.Starting, ""},
		{startingFor, display.Faulted, "MET-001"},
	} {
		if v := r.Public(&s, hal.Instant{Mono: x.at}); v.State != x.state || v.Fault != x.code {
			t.Errorf("after %v: %v %q, want %v %q", x.at, v.State, v.Fault, x.state, x.code)
		}
	}
	s.Latched = Welded
	if v := r.Public(&s, hal.Instant{Mono: 2 * time.Second}); v.State != display.Faulted {
		t.Errorf("welded, and just started: %v", v.State)
	}
}

func TestSixteenDebtsAreSettling(t *testing.T) {
	r, s := believing(Idle, hal.Open)
	s.meter.still = equalReadings
	s.Debts = make([]Debt, MaxDebts-1)
	if v := r.Public(&s, hal.Instant{Mono: time.Minute}); v.State != display.Available {
		t.Errorf("with %d debts: %v", len(s.Debts), v.State)
	}
	s.Debts = make([]Debt, MaxDebts)
	if v := r.Public(&s, hal.Instant{Mono: time.Minute}); v.State != display.Settling {
		t.Errorf("with %d debts: %v", len(s.Debts), v.State)
	}
}

func TestChargingSaysWhatTheCarDoes(t *testing.T) {
	r, s := believing(Charging, hal.Closed)
	for _, x := range []struct {
		closed bool
		quiet  time.Duration
		want   display.State
	}{
		{false, 0, display.Closing}, {true, 0, display.Charging}, {true, suspendedAfter - 1, display.Charging}, {true, suspendedAfter, display.Suspended},
	} {
		s.flow.closed = x.closed
		if v := r.View(&s, hal.Instant{Mono: time.Minute + x.quiet}); v.State != x.want {
			t.Errorf("closed %v, quiet for %v: %v, want %v", x.closed, x.quiet, v.State, x.want)
		}
	}
}

// A page shows the charge of its holder and nothing of anybody else's.
func TestPageShowsItsHoldersChargeOnly(t *testing.T) {
	r, s := believing(Charging, hal.Closed)
	charge := func(n uint64, name string) Charge {
		return Charge{Number: n, Holder: holder(name), Limit: 20_000, Price: r.Price, Start: 900, End: 990, Why: display.ByDriver}
	}
	s.Charge.Number, s.Charge.Holder = 9, holder("now")
	s.Debts = []Debt{{Charge: charge(7, "due"), Due: 49}, {Charge: charge(8, "due twice")}}
	s.Done = []Debt{{Charge: charge(5, "done"), Captured: 49}, {Charge: charge(6, "due twice")}}
	now := hal.Instant{Mono: time.Minute}
	for name, want := range map[string]struct {
		number  uint64
		settled bool
	}{"now": {9, false}, "due": {7, false}, "due twice": {8, false}, "done": {5, true}, "nobody": {0, false}, "": {0, false}} {
		v, ok := r.Session(&s, now, holder(name))
		if ok != (want.number != 0) {
			t.Errorf("%q: shown %v", name, ok)
		}
		if !ok {
			if !reflect.DeepEqual(v.Charge, display.Charge{}) {
				t.Errorf("%q sees %+v", name, v.Charge)
			}
			continue
		}
		if v.Charge.Ref != r.Ref(want.number) || v.Charge.Settled != want.settled {
			t.Errorf("%q sees %s, settled %v; want number %d, settled %v", name, v.Charge.Ref, v.Charge.Settled, want.number, want.settled)
		}
	}
	if v := r.Public(&s, now); !reflect.DeepEqual(v.Charge, display.Charge{}) {
		t.Errorf("everybody sees %+v", v.Charge)
	}
	if !s.HeldBy(holder("now")) || s.HeldBy(holder("due")) || s.HeldBy(payment.Holder{}) {
		t.Error("the charge under way is held by somebody else")
	}
}

// What is shown never exceeds the reservation, and a bill too small to take is
// shown as nothing.
func TestShownCostIsWhatWillBeTaken(t *testing.T) {
	r, s := believing(Charging, hal.Closed)
	s.Charge.Limit = 1_000
	s.meter.last = s.Charge.Start + 5_000
	if c := r.View(&s, hal.Instant{Mono: time.Minute}).Charge; c.Cost != 1_000 {
		t.Errorf("27.45 used of 10.00 is shown as %v", c.Cost)
	}
	d := Debt{Charge: Charge{Number: 1, Holder: holder("A"), Price: r.Price, Limit: 20_000, Start: 0, End: 180}}
	if c := r.viewDebt(s.Serial, &d); c.Cost != 0 || c.Bill.Total != 98 {
		t.Errorf("98 øre are shown as %v with a bill of %v, want 0 and 0.98", c.Cost, c.Bill.Total)
	}
	d.End = 183
	if c := r.viewDebt(s.Serial, &d); c.Cost != 100 {
		t.Errorf("100 øre are shown as %v", c.Cost)
	}
}
