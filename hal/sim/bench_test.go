package sim

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/hal"
)

// family is a car that no test below fills by accident.
var family = Car{Power: 11_000, Need: 60_000}

// charging gives a bench on which a car has been charging since the instant 0,
// less the travel of the contacts.
func charging(c Car) *Bench {
	b := NewBench(Setup{Serial: "22110345", Register: 1_000_000})
	b.PlugIn(0, c)
	b.Set(0, hal.Closed)
	return &b
}

func TestEnergyFlowsOnlyWhileClosedAndPluggedAndWanted(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(b *Bench, now time.Duration)
		mend func(b *Bench, now time.Duration)
	}{
		{"contactor opens", func(b *Bench, now time.Duration) { b.Set(now, hal.Open) }, func(b *Bench, now time.Duration) { b.Set(now, hal.Closed) }},
		{"car leaves", func(b *Bench, now time.Duration) { b.Unplug(now) }, func(b *Bench, now time.Duration) { b.PlugIn(now, family) }},
		{"car pauses", func(b *Bench, now time.Duration) { b.Pause(now, true) }, func(b *Bench, now time.Duration) { b.Pause(now, false) }},
		{"grid is gone", func(b *Bench, now time.Duration) { b.Fault(now, Faults{NoMains: true}) }, func(b *Bench, now time.Duration) { b.Fault(now, Faults{}) }},
		{"car is empty-handed", func(b *Bench, now time.Duration) { b.PlugIn(now, Car{}) }, func(b *Bench, now time.Duration) { b.PlugIn(now, family) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := charging(family)
			if p := b.Truth(time.Minute).Power; p != family.Power {
				t.Fatalf("before: %v flows, want %v", p, family.Power)
			}
			c.harm(b, 2*time.Minute)
			still := b.Truth(2*time.Minute + time.Second) // contacts have moved by now
			if after := b.Truth(time.Hour); after.Power != 0 || after.Energy != still.Energy || after.Rest != still.Rest {
				t.Errorf("while it lasts: %+v, want no power and the energy of %+v", after, still)
			}
			c.mend(b, time.Hour)
			if again := b.Truth(time.Hour + time.Minute); again.Power != family.Power || again.Energy <= still.Energy {
				t.Errorf("afterwards: %+v, want %v and more energy than %v", again, family.Power, still.Energy)
			}
		})
	}
}

func TestAChargeIsMeasuredToTheNanojoule(t *testing.T) {
	// Contacts after 40 ms, current after 3 s, then five seconds at 1/6 to 5/6 of
	// 11 kW, each rounded down to whole watts.
	const ramp = 1833 + 3666 + 5500 + 7333 + 9166 // W·s
	constant := time.Hour - closeTravel - 8*time.Second
	want := ramp*int64(time.Second) + 11_000*int64(constant)

	b := charging(family)
	got := b.Truth(time.Hour)
	if sum := int64(got.Energy)*nJPerWh + got.Rest; sum != want {
		t.Errorf("delivered %d nJ, want %d", sum, want)
	}
	reading, _ := b.Read(time.Hour)
	if wh := hal.Energy(want / nJPerWh); reading.Register != 1_000_000+wh || reading.Power != 11_000 || reading.At != time.Hour {
		t.Errorf("reading %+v, want register %v at 11 kW", reading, 1_000_000+wh)
	}
}

func TestACarTapersAndStopsWhenFull(t *testing.T) {
	b := charging(Car{Power: 11_000, Need: 5_000})
	var powers []hal.Power
	for now := 10 * time.Second; now < 2*time.Hour; now += time.Second {
		if p := b.Truth(now).Power; len(powers) == 0 || powers[len(powers)-1] != p {
			powers = append(powers, p)
		}
	}
	want := []hal.Power{11_000, 8_250, 5_500, 2_750, 0}
	if len(powers) != len(want) {
		t.Fatalf("powers %v, want %v", powers, want)
	}
	for i := range want {
		if powers[i] != want[i] {
			t.Fatalf("powers %v, want %v", powers, want)
		}
	}
	// The last step ends at the first whole nanosecond with nothing left to take.
	if got := b.Truth(2 * time.Hour); got.Energy != 5_000 || got.Rest >= 2_750 || got.Left != 0 {
		t.Errorf("in the end %+v, want 5 kWh and a car that lacks nothing", got)
	}
}

func TestContactsFollowAfterTheirTravel(t *testing.T) {
	var b Bench
	b.Set(0, hal.Closed)
	if p := b.Sense(closeTravel - 1); p != hal.Open {
		t.Errorf("just before the travel time: %v", p)
	}
	if p := b.Sense(closeTravel); p != hal.Closed {
		t.Errorf("after the travel time: %v", p)
	}
	b.Set(time.Second, hal.Open)
	b.Set(time.Second+openTravel/2, hal.Open) // asserted again: does not start again
	got := b.Truth(time.Second + openTravel)
	if got.Contacts != hal.Open || got.Changed != time.Second+openTravel {
		t.Errorf("after opening: %+v", got)
	}
	b.Set(2*time.Second, hal.Closed)
	b.Set(2*time.Second+closeTravel/2, hal.Open) // thinks better of it
	if got := b.Truth(time.Minute); got.Contacts != hal.Open || got.Changed != time.Second+openTravel {
		t.Errorf("a command taken back in time still moved the contacts: %+v", got)
	}
}

func TestAnEarlierInstantCountsAsTheLatest(t *testing.T) {
	b := charging(family)
	want := b.Truth(time.Minute)
	if got := b.Truth(time.Second); got != want {
		t.Errorf("told an earlier instant: %+v, want %+v", got, want)
	}
}

// deed is one thing done to a bench in the property test.
type deed struct {
	at   time.Duration
	what int
	num  int64
}

func (d deed) do(b *Bench) {
	switch d.what {
	case 0:
		b.Set(d.at, hal.Closed)
	case 1:
		b.Set(d.at, hal.Open)
	case 2:
		b.PlugIn(d.at, Car{Power: hal.Power(d.num % 50_000), Need: hal.Energy(d.num % 7_000)})
	case 3:
		b.Unplug(d.at)
	case 4:
		b.Pause(d.at, d.num%2 == 0)
	case 5:
		b.Fault(d.at, Faults{Welded: d.num%2 == 0, NoClose: d.num%3 == 0, SlowOpen: time.Duration(d.num) * time.Millisecond})
	case 6:
		b.Fault(d.at, Faults{NoMains: d.num%2 == 0})
	}
}

// However often somebody looks, and whenever, the world goes the same way.
func TestLookingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		watched, alone := NewBench(Setup{Register: 7}), NewBench(Setup{Register: 7})
		var now time.Duration
		for range rapid.IntRange(1, 30).Draw(t, "deeds") {
			next := now + time.Duration(rapid.Int64Range(0, int64(20*time.Minute)).Draw(t, "pause"))
			for range rapid.IntRange(0, 5).Draw(t, "looks") {
				now += time.Duration(rapid.Int64Range(0, int64(next-now)).Draw(t, "until"))
				watched.Advance(now)
			}
			now = next
			d := deed{now, rapid.IntRange(0, 6).Draw(t, "what"), rapid.Int64Range(0, 100_000).Draw(t, "num")}
			d.do(&watched)
			d.do(&alone)
			if a, b := watched.Truth(now), alone.Truth(now); a != b {
				t.Fatalf("after %+v: watched %+v, alone %+v", d, a, b)
			}
			if watched != alone {
				t.Fatalf("after %+v: the benches differ inside", d)
			}
		}
	})
}

// The energy between two looks never exceeds what the car's power allows, never
// shrinks, and is none at all while the contacts stay open.
func TestEnergyIsBoundedByPowerAndTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBench(Setup{})
		b.PlugIn(0, Car{Power: 22_000, Need: 3_000})
		var now time.Duration
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			before := b.Truth(now)
			step := time.Duration(rapid.Int64Range(0, int64(3*time.Minute)).Draw(t, "step"))
			b.Set(now, hal.Position(rapid.IntRange(0, 1).Draw(t, "position")))
			now += step
			after := b.Truth(now)
			flowed := int64(after.Energy-before.Energy)*nJPerWh + after.Rest - before.Rest
			if flowed < 0 || flowed > 22_000*int64(step) {
				t.Fatalf("%d nJ in %v", flowed, step)
			}
			stayedOpen := before.Contacts == hal.Open && after.Contacts == hal.Open && after.Changed == before.Changed
			if stayedOpen && flowed != 0 {
				t.Fatalf("%d nJ through open contacts", flowed)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	bench := charging(Car{Power: 22_000, Need: maxNeed})
	now := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		now += time.Second
		bench.Read(now)
	}
}

// BenchmarkCharge is a whole charge with a reading every ten seconds.
func BenchmarkCharge(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		wholeCharge()
	}
}

func wholeCharge() Truth {
	b := NewBench(Setup{Serial: "22110345"})
	b.PlugIn(0, Car{Power: 11_000, Need: 20_000})
	b.Set(0, hal.Closed)
	for now := time.Duration(0); now < 50*time.Minute; now += 10 * time.Second {
		b.Read(now)
	}
	b.Set(51*time.Minute, hal.Open)
	b.Sense(52 * time.Minute)
	b.Unplug(53 * time.Minute)
	return b.Truth(54 * time.Minute)
}

func TestAChargeAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(10, func() { wholeCharge() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
