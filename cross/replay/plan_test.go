package replay

import (
	"fmt"
	"testing"
	"time"

	"stolpe/hal"

	"pgregory.net/rapid"
)

// TestEveryCarGetsItsEnergyInTime plays drawn rows: what is planned at all comes
// out to the Wh, on an EVSE of its own.
func TestEveryCarGetsItsEnergyInTime(t *testing.T) {
	p := soundPlan(t)
	p.reserve = 65_000_00
	rapid.Check(t, func(t *rapid.T) {
		from := time.Date(2019, 1, 7, 12, 0, 0, 0, time.UTC)
		r := row{
			line:   rapid.IntRange(2, 1000).Draw(t, "line"),
			from:   from,
			to:     from.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "minutes")) * time.Minute),
			energy: hal.Energy(rapid.IntRange(1, 60_000).Draw(t, "Wh")),
		}
		report := playAll([]row{r}, p)
		if len(report.Broken) > 0 {
			t.Fatal(report.Broken)
		}
		full := maxPower.Over(r.to.Sub(r.from))
		switch {
		case report.Played == 1 && (report.EnergyBilled != r.energy || r.energy > full):
			t.Fatalf("%v of %v billed, %v at full power", report.EnergyBilled, r.energy, full)
		case report.Played == 0 && maxPower.Over(r.to.Sub(r.from)-time.Minute) > r.energy:
			t.Fatalf("%v does not fit into %v", r.energy, r.to.Sub(r.from))
		}
	})
}

func TestCarsChargeAsSlowlyAsTheyCan(t *testing.T) {
	for _, c := range []struct {
		energy hal.Energy
		within time.Duration
		power  hal.Power
		fits   bool
	}{
		{10, 10 * time.Minute, leastPower, true},
		{7_000, 5 * time.Hour, 1500, true}, // 5 h, less 7 min for the taper
		{22_000, time.Hour + 7*time.Minute + 10*time.Second, 22_000, true},
		{22_000, time.Hour, 22_000, false},
	} {
		p, fits := leastFor(c.energy, 0, c.within)
		if p != c.power || fits != c.fits {
			t.Errorf("%v in %v takes %v, %v; want %v, %v", c.energy, c.within, p, fits, c.power, c.fits)
		}
	}
}

func TestACarTakesTheFirstFreeEVSEOfItsGarage(t *testing.T) {
	p := soundPlan(t)
	text := head +
		"a;North;07.01.2019 10:00;07.01.2019 12:00;1\n" +
		"b;South;07.01.2019 10:30;07.01.2019 11:00;1\n" +
		"c;North;07.01.2019 11:00;07.01.2019 15:00;1\n" +
		"d;North;07.01.2019 13:00;07.01.2019 14:00;1\n" +
		"e;North;07.01.2019 12:00;07.01.2019 13:00;1\n" + // in the minute in which a goes, d comes
		"f;North;07.01.2019 14:59;07.01.2019 16:00;1\n"
	rows, err := readTable([]byte(text), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, s := range assign(rows) {
		got += fmt.Sprintf("%s-%d", s.post, s.evse)
		for _, v := range s.visits {
			got += " " + v.row.id
		}
		got += "\n"
	}
	if want := "G1-1 a e d f\nG2-1 b\nG1-2 c\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
