package session

import (
	"testing"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// What is told of the asking about a debt is what the rules do.
func TestAsking(t *testing.T) {
	s := State{Kept: Kept{Debts: []Debt{{Charge: Charge{Number: 1}}}}, asks: []ask{{next: time.Minute, calm: 20 * time.Second}}}
	next, retry, out := s.Asking(0)
	if next != time.Minute || retry != 20*time.Second+retryAfter-calmFor || out {
		t.Errorf("%v, %v, %v", next, retry, out)
	}
	r := &Rules{Post: "A12", EVSE: 1}
	s.asks[0].next = time.Hour
	for at, want := range map[time.Duration]time.Duration{retry - 1: time.Hour, retry: retry} {
		c := s
		c.retried(hal.Instant{Mono: at}, r.Ref(1))
		if next, _, _ := c.Asking(0); next != want {
			t.Errorf("retried at %v: asked at %v, want %v", at, next, want)
		}
	}
}

func TestStuck(t *testing.T) {
	ended := hal.Stamp{Unix: 1_800_000_000, Clock: hal.ClockSynced}
	later := func(d time.Duration) hal.Stamp {
		return hal.Stamp{Unix: ended.Unix + int64(d/time.Second), Clock: hal.ClockSynced}
	}
	for _, row := range []struct {
		debt Debt
		now  hal.Stamp
		want bool
	}{
		{Debt{Charge: Charge{Ended: ended}}, later(settledWithin), false},
		{Debt{Charge: Charge{Ended: ended}}, later(settledWithin + time.Second), true},
		{Debt{Charge: Charge{Ended: ended}, Trouble: payment.Rejected}, later(0), true},
		{Debt{Charge: Charge{Ended: ended}}, hal.Stamp{}, false},
	} {
		if got := row.debt.Stuck(row.now); got != row.want {
			t.Errorf("%+v at %v: %v", row.debt, row.now, got)
		}
	}
}
