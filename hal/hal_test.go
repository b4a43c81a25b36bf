package hal

import (
	"strings"
	"testing"
	"time"
)

func TestEnergyOverATimeIsRoundedUp(t *testing.T) {
	for _, x := range []struct {
		power Power
		d     time.Duration
		want  Energy
	}{
		{0, time.Hour, 0}, {-1000, time.Hour, 0}, {1000, 0, 0}, {1000, -time.Hour, 0},
		{1000, time.Hour, 1000}, {1000, time.Hour + time.Millisecond, 1001}, {1, time.Hour, 1}, {1, time.Millisecond, 1},
		{22_000, time.Second, 7}, {22_000, 3 * time.Second, 19}, {3600, time.Second, 1}, {3600, 1001 * time.Millisecond, 2},
		{1_000_000, 365 * 24 * time.Hour, 8_760_000_000},
		{22_000, time.Microsecond, 1},
	} {
		if got := x.power.Over(x.d); got != x.want {
			t.Errorf("%v over %v is %d Wh, want %d", x.power, x.d, got, x.want)
		}
	}
}

func TestEnergyIsWrittenToTheWattHour(t *testing.T) {
	for e, want := range map[Energy]string{0: "0.000 kWh", 1: "0.001 kWh", 7_200: "7.200 kWh", 10_344_076: "10344.076 kWh", -1: "-0.001 kWh"} {
		if got := e.String(); got != want {
			t.Errorf("%d Wh is written %q, want %q", int64(e), got, want)
		}
	}
}

func TestOldReadingSaysSo(t *testing.T) {
	r := Reading{Register: 7_200, At: time.Minute}
	for _, x := range []struct {
		reading Reading
		age     time.Duration
		quality Quality
		text    string
	}{
		{Reading{}, 0, Missing, "no reading"},
		{r, 0, Fresh, "7.200 kWh"},
		{r, StaleAfter, Fresh, "7.200 kWh"},
		{r, StaleAfter + 1, Stale, "7.200 kWh (stale, 30s old)"},
		{r, 10 * time.Minute, Stale, "7.200 kWh (stale, 10m0s old)"},
	} {
		now := x.reading.At + x.age
		if q, text := x.reading.Quality(now), x.reading.Format(now); q != x.quality || text != x.text {
			t.Errorf("%v old: quality %d %q, want %d %q", x.age, q, text, x.quality, x.text)
		}
	}
}

// What is not known is the safe thing.
func TestZeroValuesAreSafe(t *testing.T) {
	var p Position
	var plug Plug
	var c Clock
	if words := strings.Join([]string{p.String(), plug.String(), c.String()}, " "); words != "open unknown unknown" {
		t.Errorf("zero values say %q", words)
	}
}
