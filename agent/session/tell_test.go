package session

import (
	"testing"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

func TestCountdown(t *testing.T) {
	const day = 24 * 3600
	at := func(unix int64) hal.Stamp { return hal.Stamp{Unix: unix, Clock: hal.ClockSynced} }
	for name, x := range map[string]struct {
		started, ended, now hal.Stamp
		guaranteed          int64
		age, left           time.Duration
		ok                  bool
	}{
		"as told":            {at(0), at(3600), at(day), 5 * day, 23 * time.Hour, 4 * 24 * time.Hour, true},
		"not told":           {at(0), at(3600), at(day), 0, 23 * time.Hour, 6 * 24 * time.Hour, true},
		"over":               {at(0), at(3600), at(8 * day), 7 * day, 191 * time.Hour, -24 * time.Hour, true},
		"no clock now":       {at(0), at(3600), hal.Stamp{Unix: day}, 0, 0, 0, false},
		"no clock back then": {at(0), hal.Stamp{Unix: 3600}, at(day), 0, 0, 0, false},
	} {
		d := Debt{Charge: Charge{Started: x.started, Ended: x.ended, Guaranteed: x.guaranteed}}
		if age, left, ok := d.Countdown(x.now); age != x.age || left != x.left || ok != x.ok {
			t.Errorf("%s: %v old, %v left, %v", name, age, left, ok)
		}
	}
}

// A wrong clock gives no money away: it takes two good ones to say that it is too
// late.
func TestTooOldTakesTwoGoodClocks(t *testing.T) {
	r := Rules{Capture: 14 * 24 * time.Hour}
	old := int64(r.Capture / time.Second)
	for _, x := range []struct {
		started, now hal.Clock
		after        int64 // s
		want         bool
	}{
		{hal.ClockSynced, hal.ClockSynced, old, true}, {hal.ClockSynced, hal.ClockSynced, old - 1, false},
		{hal.ClockHoldover, hal.ClockSynced, old, false}, {hal.ClockSynced, hal.ClockHoldover, old, false},
		{hal.ClockUnknown, hal.ClockUnknown, old, false},
	} {
		d := Debt{Charge: Charge{Started: hal.Stamp{Clock: x.started}}}
		if got := r.tooOld(&d, hal.Stamp{Unix: x.after, Clock: x.now}); got != x.want {
			t.Errorf("%v and %v, %d s: %v", x.started, x.now, x.after, got)
		}
	}
	if (&Rules{}).tooOld(&Debt{Charge: Charge{Started: hal.Stamp{Clock: hal.ClockSynced}}}, hal.Stamp{Unix: 1 << 40, Clock: hal.ClockSynced}) {
		t.Error("too old where there is no end")
	}
}

// An app that is always away gets its receipt offered for a day or so, at the pace
// of the ladder, and then no more.
func TestReceiptIsGivenUp(t *testing.T) {
	for name, status := range map[string]payment.Status{"away": payment.Unknown, "never complete": payment.Pending} {
		r := testRules()
		r.Receipts = true
		s := State{Kept: Kept{Done: []Debt{{Charge: Charge{Number: 1, Price: r.Price}, Captured: 100, Receipt: 1, Told: ToldDue}}, Receipts: 1}, links: []string{""}}
		offers, now := 0, hal.Instant{Mono: time.Second}
		for ; s.Done[0].Told == ToldDue && offers < 1000; now.Mono += time.Second {
			orders := r.Want(&s, now).Orders
			if len(orders) == 0 {
				continue
			}
			offers++
			s = r.Step(s, now, Asked{orders[0]})
			s = r.Step(s, now, Answered{orders[0], payment.Answer{Status: status}})
		}
		if s.Done[0].Told != ToldNever || offers != maxTells {
			t.Errorf("%s: offered %d times, then told: %v", name, offers, s.Done[0].Told)
		}
		if status == payment.Unknown && (now.Mono < 20*time.Hour || now.Mono > 30*time.Hour) {
			t.Errorf("%s: given up after %v", name, now.Mono)
		}
	}
}
