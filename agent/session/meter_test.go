package session

import (
	"testing"
	"time"

	"stolpe/hal"
)

// said is one reading, so long after the one before.
type said struct {
	after    time.Duration
	register hal.Energy
	want     hal.Energy // believed afterwards
}

// metered is a post whose meter was believed at 1000 Wh, ten seconds ago, with a
// register that stood at 990 Wh when it last stood still.
func believing(phase Phase, position hal.Position) (Rules, State) {
	r := testRules()
	s := State{Kept: Kept{Phase: phase, Resting: 990, Serial: "1"}, plug: hal.PlugIn}
	if phase != Idle {
		s.Charge = Charge{Number: 1, Limit: 50_000_000, Price: r.Price, Held: true, Start: 990, Seen: 990}
		s.Counter = 1
	}
	s.flow = flow{from: time.Minute, closed: true, movedAt: time.Minute, markAt: time.Minute, mark: 1000}
	s.sense = sense{position: position, known: true, at: time.Minute, since: 30 * time.Second}
	s.meter = meter{last: 1000, sure: 1000, raw: 1000, known: true, at: time.Minute, heard: time.Minute}
	s.ask = ask{next: time.Hour, heard: time.Minute}
	return r, s
}

func (r *Rules) hear(s State, at time.Duration, register hal.Energy) State {
	if s.sense.known {
		s = r.Step(s, hal.Instant{Mono: at - 1}, Sensed{s.sense.position, at - 1})
	}
	return r.Step(s, hal.Instant{Mono: at}, Metered{hal.Reading{Register: register, Power: 300, Serial: "1", At: at}})
}

// With the contactor closed: 22 kW and a tenth more, a second more than has
// passed, and two steps: 16 Wh in a second.
func TestFlowingReadingMustFollow(t *testing.T) {
	for _, story := range []struct {
		name string
		said []said
		sure hal.Energy
	}{
		{"energy flows", []said{{time.Second, 1006, 1006}, {time.Second, 1012, 1012}}, 1006},
		{"nothing flows", []said{{time.Second, 1000, 1000}, {time.Second, 1000, 1000}}, 1000},
		{"the most there can be", []said{{time.Second, 1016, 1016}}, 1000},
		{"one more than that", []said{{time.Second, 1017, 1000}}, 1000},
		{"a lower one", []said{{time.Second, 999, 1000}}, 1000},
		{"one spike", []said{{time.Second, 6000, 1000}, {time.Second, 1012, 1012}, {time.Second, 1018, 1018}}, 1012},
		{"one hole", []said{{time.Second, 0, 1000}, {time.Second, 1012, 1012}, {time.Second, 1018, 1018}}, 1012},
		{"a small spike is believed until two agree against it",
			[]said{{time.Second, 1016, 1016}, {time.Second, 1003, 1016}, {time.Second, 1005, 1005}}, 1003},
		{"two spikes alike", []said{{time.Second, 6000, 1000}, {time.Second, 6000, 1000}, {time.Second, 1018, 1018}}, 1000},
		{"two below what was there at the start", []said{{time.Second, 989, 1000}, {time.Second, 989, 1000}, {time.Second, 989, 1000}}, 1000},
		{"after fifty seconds without a word", []said{{50 * time.Second, 1300, 1300}}, 1000},
		{"two that agree after a gap", []said{{50 * time.Second, 995, 1000}, {time.Second, 996, 996}}, 1000},
	} {
		r, s := believing(Charging, hal.Closed)
		now := time.Minute
		for i, x := range story.said {
			now += x.after
			s.Passing &^= SenseSilent
			s.sense.at = now - 2
			s = r.hear(s, now, x.register)
			if s.meter.last != x.want {
				t.Errorf("%s: after reading %d, %d Wh: believed %d, want %d", story.name, i+1, x.register, s.meter.last, x.want)
			}
		}
		if s.meter.sure != story.sure {
			t.Errorf("%s: sure of %d Wh, want %d", story.name, s.meter.sure, story.sure)
		}
	}
}

// With the contactor open two in a row must be equal.
func TestRestingReadingMustBeToldTwice(t *testing.T) {
	for _, story := range []struct {
		name   string
		said   []said
		faults Faults
	}{
		{"twice", []said{{time.Second, 1005, 1000}, {time.Second, 1005, 1005}}, 0},
		{"never the same twice in a row", []said{{time.Second, 1005, 1000}, {time.Second, 1004, 1000}, {time.Second, 1005, 1000}}, 0},
		{"lower than was known at rest", []said{{time.Second, 980, 1000}, {time.Second, 980, 1000}}, 0},
		{"far above what can have flowed", []said{{time.Second, 9000, 1000}, {time.Second, 9000, 1000}}, 0},
		{"a little lower than believed", []said{{time.Second, 995, 1000}, {time.Second, 995, 995}}, 0},
		{"one step after the first rest", []said{{time.Second, 1005, 1000}, {time.Second, 1005, 1005}, {time.Second, 1006, 1005}, {time.Second, 1006, 1006}}, 0},
		{"two steps after the first rest", []said{{time.Second, 1005, 1000}, {time.Second, 1005, 1005}, {time.Second, 1007, 1005}, {time.Second, 1007, 1007}}, Welded},
		{"rising twice", []said{{time.Second, 1005, 1000}, {time.Second, 1006, 1000}, {time.Second, 1007, 1000}}, 0},
		{"rising three times", []said{{time.Second, 1005, 1000}, {time.Second, 1006, 1000}, {time.Second, 1007, 1000}, {time.Second, 1008, 1000}}, Welded},
	} {
		r, s := believing(Idle, hal.Open)
		now := time.Minute
		for i, x := range story.said {
			now += x.after
			s = r.hear(s, now, x.register)
			if s.meter.last != x.want {
				t.Errorf("%s: after reading %d, %d Wh: believed %d, want %d", story.name, i+1, x.register, s.meter.last, x.want)
			}
		}
		if s.Latched != story.faults {
			t.Errorf("%s: latched %v, want %v", story.name, s.Latched, story.faults)
		}
	}
}

func TestReadingOutOfTurnIsDropped(t *testing.T) {
	r, s := believing(Idle, hal.Open)
	s.meter.heard, s.sense.since = 50*time.Second, 55*time.Second
	now := hal.Instant{Mono: time.Minute}
	for name, at := range map[string]time.Duration{
		"told twice": 50 * time.Second, "late": 40 * time.Second, "before the contacts opened": 55 * time.Second,
	} {
		got := r.Step(s, now, Metered{hal.Reading{Register: 1100, Serial: "1", At: at}})
		got.meter.loadAt, got.meter.calm = s.meter.loadAt, s.meter.calm // what flows now is noted all the same
		if got.meter != s.meter {
			t.Errorf("%s: the reading of %v was taken in", name, at)
		}
	}
	got := r.Step(s, now, Metered{hal.Reading{Register: 1100, Serial: "1", At: 56 * time.Second}})
	if got.meter == s.meter {
		t.Error("a reading in its turn was dropped")
	}
}

func TestSerialNumberIsPinned(t *testing.T) {
	for _, x := range []struct {
		name, config, kept, told string
		want                     string
		fault                    bool
	}{
		{"the first one", "", "", "7", "7", false},
		{"the one in the config", "7", "", "7", "7", false},
		{"not the one in the config", "7", "", "8", "", true},
		{"the same", "", "7", "7", "7", false},
		{"another", "", "7", "8", "7", true},
		{"one that cannot tell", "7", "7", "", "7", false},
	} {
		r, s := believing(Idle, hal.Open)
		r.Serial, s.Serial = x.config, x.kept
		s = r.Step(s, hal.Instant{Mono: 61 * time.Second}, Metered{hal.Reading{Register: 1000, Serial: x.told, At: 61 * time.Second}})
		if s.Serial != x.want || (s.Latched == MeterSwap) != x.fault {
			t.Errorf("%s: pinned %q with %v, want %q, fault %v", x.name, s.Serial, s.Latched, x.want, x.fault)
		}
	}
}

// The register is full and begins again: it counts on. From further away a lower
// one is just a lower one.
func TestAFullRegisterCountsOn(t *testing.T) {
	r := testRules()
	r.Modulus = 10_000_000
	for _, x := range []struct{ floor, shows, want hal.Energy }{
		{9_999_990, 9_999_995, 9_999_995},
		{9_999_990, 5, 10_000_005},
		{9_999_990, 500_000, 10_500_000},
		{9_999_990, 700_000, 700_000}, // more than the longest charge could take
		{5_000_000, 5, 5},
		{10_000_005, 5, 10_000_005}, // the next charge begins behind it
		{10_000_005, 9, 10_000_009},
		{10_000_005, 3, 3},                   // a step back is one, there too
		{29_999_990, 5, 30_000_005},          // and the third time
		{10_000_005, 9_999_999, 9_999_999},   // most of a turn back
		{10_000_005, 10_000_010, 10_000_010}, // a meter that shows more than it can hold
	} {
		s := State{Kept: Kept{Resting: x.floor}}
		if got := r.unrolled(&s, x.shows); got != x.want {
			t.Errorf("at rest at %d, shows %d: counts as %d, want %d", x.floor, x.shows, got, x.want)
		}
	}
	r.Modulus = 0
	if got := r.unrolled(&State{Kept: Kept{Resting: 9_999_990}}, 5); got != 5 {
		t.Errorf("a register that is never full counts on to %d", got)
	}
	r.Modulus = 10_000_000
	if a, b := r.onMeter(10_000_005), r.onMeter(5); a != 5 || b != 5 {
		t.Errorf("shown as %d and %d, want what the meter shows, 5", a, b)
	}
}

// What a meter shows may be as old as its refresh: two readings within one are one.
func TestOldReadingsDoNotCountAtRest(t *testing.T) {
	r, s := believing(Idle, hal.Open)
	r.Refresh = 5 * time.Second
	s.sense.since = 59 * time.Second
	now := time.Minute
	for _, x := range []struct {
		after    time.Duration
		register hal.Energy
		want     hal.Energy
	}{
		{2 * time.Second, 1000, 1000}, // measured before the contacts opened
		{2 * time.Second, 1004, 1000}, // the same, to be safe
		{time.Second, 1005, 1000},     // the first
		{4 * time.Second, 1005, 1000}, // still that
		{time.Second, 1005, 1005},     // the second
		{time.Second, 1005, 1005},
	} {
		now += x.after
		if s = r.hear(s, now, x.register); s.meter.last != x.want {
			t.Errorf("at %v %d: believed %d, want %d", now, x.register, s.meter.last, x.want)
		}
	}
	if s.Faults() != 0 {
		t.Errorf("faults %v", s.Faults())
	}
}

// Four signals must agree that nothing is live before the contactor may close.
func TestNothingClosesOntoALiveSocket(t *testing.T) {
	for name, spoil := range map[string]func(*State){
		"nothing is wrong":             func(*State) {},
		"sensed closed":                func(s *State) { s.sense.position = hal.Closed },
		"power flows":                  func(s *State) { s.meter.load = drawing },
		"the register has not settled": func(s *State) { s.meter.still = 1 },
		"it has opened just now":       func(s *State) { s.sense.since = time.Minute - r10 + 1 },
		"a wire says no":               func(s *State) { s.signal(hal.TooHot) },
	} {
		r, s := believing(Waiting, hal.Open)
		s.Charge.Start, s.meter.still, s.Since = 1000, equalReadings, time.Minute-r10
		s.sense.since = time.Minute - r10
		spoil(&s)
		s = r.Step(s, hal.Instant{Mono: time.Minute}, Ticked{})
		if closes := s.Phase == Charging; closes != (name == "nothing is wrong") {
			t.Errorf("%s: goes to %v", name, s.Phase)
		}
	}
}

const r10 = 10 * time.Second // the rest of DefaultLimits

// The contactor closes so often an hour and no more; an hour later it may again.
func TestClosingsAnHourAreCounted(t *testing.T) {
	r, s := believing(Idle, hal.Open)
	r.Limits.Closings = 3
	for i := range 3 {
		if s.Faults()&Worn != 0 {
			t.Errorf("worn after %d closings", i)
		}
		s.flow = flow{}
		for range 2 { // an order that fails is said again
			s = r.Step(s, hal.Instant{Mono: time.Minute + time.Duration(i)*time.Second}, Ordered{})
		}
	}
	if s.Faults()&Worn == 0 {
		t.Error("not worn after three")
	}
	s = r.Step(s, hal.Instant{Mono: time.Hour + time.Minute - 1}, Ticked{})
	if s.Faults()&Worn == 0 {
		t.Error("not worn a moment before the hour")
	}
	s = r.Step(s, hal.Instant{Mono: time.Hour + time.Minute}, Ticked{})
	if s.Faults()&Worn != 0 {
		t.Error("still worn after an hour")
	}
}
