package worlds

import (
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(gcPercent) // as the command does
	os.Exit(m.Run())
}

// worldsPerTest is enough for every fault site, and every phase and fault
// together, to come up.
const worldsPerTest = reachable

func TestNoPromiseIsBroken(t *testing.T) {
	n := worldsPerTest
	if testing.Short() {
		n = 5_000
	}
	sum := Play(1, n, Plan{Scale: 100})
	for _, c := range sum.complaints {
		t.Errorf("%v", c)
	}
	if testing.Short() {
		return
	}
	for _, m := range sum.unreached() {
		t.Errorf("never reached: %s", m)
	}
	t.Logf("%d worlds, %d charges, %d faults", sum.Worlds, sum.Charges, sum.Faults)
}

func TestNoPromiseIsBrokenAtTripleRates(t *testing.T) {
	n := 30_000
	if testing.Short() {
		n = 1_000
	}
	for _, c := range Play(2, n, Plan{Scale: 300}).complaints {
		t.Errorf("%v", c)
	}
}

func TestAChainOfTwentyDriversIsServed(t *testing.T) {
	n := 2_000
	if testing.Short() {
		n = 100
	}
	sum := Play(3, n, Plan{Scale: 100, Drivers: 20})
	for _, c := range sum.complaints {
		t.Errorf("%v", c)
	}
	if sum.Charges < uint64(n) {
		t.Errorf("%d charges in %d worlds: the post turns everybody away", sum.Charges, n)
	}
}

func TestTheSameSeedGivesTheSameSummary(t *testing.T) {
	var first, second strings.Builder
	Play(7, 3_000, Plan{Scale: 100}).Print(&first)
	Play(7, 3_000, Plan{Scale: 100}).Print(&second)
	if first.String() != second.String() {
		t.Errorf("first:\n%s\nsecond:\n%s", &first, &second)
	}
}

func TestAWorldDoesNotDependOnTheOneBefore(t *testing.T) {
	used := &maker{card: newCard()}
	for i := range 300 {
		seed := seedOf(11, i)
		var a, b Tally
		used.play(seed, Plan{Scale: 100}, &a)
		(&maker{card: newCard()}).play(seed, Plan{Scale: 100}, &b)
		if a.Events != b.Events || a.Charges != b.Charges || a.Minutes != b.Minutes {
			t.Fatalf("seed %d: %d events in used memory, %d in new", seed, a.Events, b.Events)
		}
	}
}

// The test of the tests: each mistake must be found, and found small.
func TestEveryPlantedMistakeIsFound(t *testing.T) {
	const most, batch, small = 100_000, 2_500, 12
	for p := plant(1); p < plants; p++ {
		t.Run(p.String(), func(t *testing.T) {
			for from := 0; from < most; from += batch {
				found := Play(uint64(1000+from), batch, Plan{Scale: 100, plant: p})
				if len(found.complaints) == 0 {
					continue
				}
				least := found.complaints[0]
				for _, c := range found.complaints {
					if len(c.Faults) < len(least.Faults) {
						least = c
					}
				}
				if len(least.Faults) > small {
					t.Errorf("shrunk to no less than %d faults: %v", len(least.Faults), least)
				}
				t.Logf("plant=%v %v", p, least)
				return
			}
			t.Errorf("not found in %d worlds", most)
		})
	}
}

func TestWhatBrokeOnceStaysMended(t *testing.T) {
	f, err := os.Open("../../testdata/worlds/regressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, err := ReadCases(f)
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{card: newCard()}
	for _, c := range cases {
		if got, broken := m.play(c.Seed, c.plan(plantNothing), &Tally{}); broken {
			t.Errorf("line %d: %v", c.Line, got)
		}
		if c.plant == plantNothing {
			continue
		}
		if got, broken := m.play(c.Seed, c.plan(c.plant), &Tally{}); !broken || got.Class != c.Class {
			t.Errorf("line %d: the planted mistake shows as %q, want %q", c.Line, got.Class, c.Class)
		}
	}
}

func TestACaseThatCannotBeReadNamesItsLine(t *testing.T) {
	for _, bad := range []string{"seed=x", "plant=none seed=1", "only=nowhere:1", "only=killed:x", "what=1"} {
		if _, err := ReadCases(strings.NewReader("# fine\n" + bad)); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestTheCommandSaysWhatIsWrongWithItsFlags(t *testing.T) {
	for _, args := range [][]string{{"-n", "many"}, {"-plant", "roses"}, {"left", "over"}} {
		var out, errs strings.Builder
		if code := Run(args, &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%v: code %d, said %q", args, code, &errs)
		}
	}
}

func BenchmarkCharges(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent)) // as the command does
	m := &maker{card: newCard()}
	var sum Tally
	began := cpu()
	for i := 0; b.Loop(); i++ {
		m.play(seedOf(1, i), Plan{Scale: 100}, &sum)
	}
	b.ReportMetric(float64(sum.Charges)/(cpu()-began).Seconds(), "charges/cpu-s")
}
