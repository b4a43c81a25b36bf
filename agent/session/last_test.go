package session

import (
	"testing"
	"time"

	"stolpe/display"
	"stolpe/hal"
)

func TestLastCharge(t *testing.T) {
	r := testRules()
	stamp := func(s int64, c hal.Clock) hal.Stamp { return hal.Stamp{Unix: s, Clock: c} }
	at := func(mono time.Duration, wall hal.Stamp) hal.Instant { return hal.Instant{Mono: mono, Wall: wall} }
	debt := func(n uint64, ended hal.Stamp) Debt {
		d := Debt{Charge: Charge{Number: n, Start: 1000, End: 3000, Held: true, Limit: 35_000, Price: r.Price, Why: display.ByDriver, Ended: ended}}
		return d
	}
	known, unknown := hal.ClockSynced, hal.ClockUnknown
	for name, x := range map[string]struct {
		state   Kept
		now     hal.Instant
		ok      bool
		settled bool
		ago     time.Duration
	}{
		"none yet":                   {state: Kept{}, now: at(time.Minute, stamp(100, known))},
		"another is under way":       {state: Kept{Phase: Charging, Counter: 8, Debts: []Debt{debt(7, stamp(100, known))}}, now: at(time.Minute, stamp(100, known))},
		"not settled":                {state: Kept{Counter: 7, Debts: []Debt{debt(6, stamp(1, known)), debt(7, stamp(100, known))}}, now: at(31*time.Second, stamp(130, known)), ok: true, ago: 30 * time.Second},
		"settled":                    {state: Kept{Counter: 7, Done: []Debt{debt(7, stamp(100, known))}}, now: at(31*time.Second, stamp(130, known)), ok: true, settled: true, ago: 30 * time.Second},
		"long before this start":     {state: Kept{Counter: 7, Done: []Debt{debt(7, stamp(100, known))}}, now: at(2*time.Second, stamp(7300, known)), ok: true, settled: true, ago: 2 * time.Hour},
		"by a clock that was wrong":  {state: Kept{Counter: 7, Done: []Debt{debt(7, stamp(0, unknown))}}, now: at(6*time.Second, stamp(7300, known)), ok: true, settled: true, ago: 5 * time.Second},
		"and by one that is":         {state: Kept{Counter: 7, Done: []Debt{debt(7, stamp(100, known))}}, now: at(6*time.Second, stamp(0, unknown)), ok: true, settled: true, ago: 5 * time.Second},
		"by a clock that was put on": {state: Kept{Counter: 7, Done: []Debt{debt(7, stamp(9000, known))}}, now: at(6*time.Second, stamp(100, known)), ok: true, settled: true, ago: 5 * time.Second},
		"forgotten":                  {state: Kept{Counter: 9, Done: []Debt{debt(7, stamp(100, known))}}, now: at(time.Minute, stamp(130, known))},
	} {
		s := State{Kept: x.state, Since: time.Second}
		c, ago, ok := r.Last(&s, x.now)
		if ok != x.ok || ago != x.ago || c.Settled != x.settled || ok && (c.End != display.ByDriver || c.Energy != 2000) {
			t.Errorf("%s: %v ago, %v, settled %v, %v, %d Wh", name, ago, ok, c.Settled, c.End, c.Energy)
		}
		if c.StopCode != "" || c.PayURL != "" {
			t.Errorf("%s: has a secret: %+v", name, c)
		}
	}
}
