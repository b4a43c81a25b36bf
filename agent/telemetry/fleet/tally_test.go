package fleet

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stolpe/agent/telemetry"
	"stolpe/payment"
)

const sold = `{"number":7,"cur":"NOK","reserved":35000,"start":"2026-06-15T10:00:00Z","end":"2026-06-15T11:00:00Z","dur_s":3500,"e_wh":11344,"reason":"driver_stop","captured":6228,"written_off":0}`

func TestEventsBecomeAFunnel(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	w.state("available", 0)
	for range 3 {
		w.event("session.created", `{}`)
	}
	w.event("session.authorised", `{}`)
	w.event("session.authorised", `{}`)
	w.event("session.started", `{}`)
	w.event("session.abandoned", `{"reason":"declined"}`)
	w.event("session.abandoned", `{"reason":"never_plugged"}`)
	w.event("payment.failed", `{"reason":"driver_stop","trouble":"capture refused"}`)
	w.event("session.settled", sold)
	w.event("payment.refunded", `{"amount":500,"currency":"NOK","reason":"a word"}`)
	w.event("session.abandoned", `{"reason":"<b>made up</b>"}`)
	w.event("session.abandoned", `{"reason":"no_energy","dur_s":600}`)
	w.event("session.settled", `{"cur":"NOK","e_wh":100,"reason":"power_loss"}`)
	w.event("receipt.told", `{"told":"all"}`)
	want := Tally{Asked: 3, Approved: 2, Closed: 1, Fed: 2, Cut: 1, Dry: 1, Troubled: 1, Energy: 11444, Seconds: 3500,
		Revenue: map[payment.Currency]int64{"NOK": 6228}, Refunded: map[payment.Currency]int64{"NOK": 500},
		Failed: map[string]int{"declined": 1, "never_plugged": 1, "no_energy": 1, "other": 1}}
	if diff := cmp.Diff(map[string]int{"ok": 1, "interrupted": 1, "no_energy": 1, "start_failed": 2, "not_approved": 1, "no_payment": 0}, want.Results()); diff != "" {
		t.Error(diff)
	}
	for _, again := range []bool{false, true} {
		p := w.post()
		if diff := cmp.Diff(want, p.Month); diff != "" {
			t.Errorf("again %v: the month: %s", again, diff)
		}
		if diff := cmp.Diff(want, p.Year) + cmp.Diff(want, p.Total); diff != "" {
			t.Errorf("again %v: the year, and in all: %s", again, diff)
		}
		w.again()
	}
}

func TestAnEventCountsOnce(t *testing.T) {
	w := newWorld(t)
	say := func(seq uint64, at time.Time) {
		w.seq = seq - 1
		now := w.now
		w.now = at
		w.event("session.created", `{}`)
		w.now = now
	}
	for _, seq := range []uint64{1, 2, 2, 1, 5, 6, 5, 9} {
		say(seq, w.now)
	}
	if p := w.post(); p.Month.Asked != 5 || p.Missed != 4 {
		t.Errorf("counted %d, missed %d", p.Month.Asked, p.Missed)
	}
	w.again()
	w.pass(24 * time.Hour)
	for seq := uint64(1); seq <= 10; seq++ { // a replay brings what was missed
		at := noon()
		if seq == 10 {
			at = w.now
		}
		say(seq, at)
	}
	if p := w.post(); p.Month.Asked != 10 || p.Missed != 0 {
		t.Errorf("after a replay: counted %d, missed %d", p.Month.Asked, p.Missed)
	}
	say(20, w.now)
	w.seq = 17
	w.event("book.trimmed", `{"from":11,"to":18,"why":"old"}`) // as a replay tells it, with the last of their numbers
	if p := w.post(); p.Missed != 1 {
		t.Errorf("of what is no more: missed %d", p.Missed)
	}
	w.card, w.seq = 1, 8
	w.event("book.trimmed", `{"from":8,"to":9,"why":"old"}`) // in the place of one that was heard
	w.card = 0
	say(5, w.now)
	if p := w.post(); p.Total.Asked != 11 {
		t.Errorf("after a trimmed line: counted %d", p.Total.Asked)
	}
}

func TestANewCardIsKnownByItsEvents(t *testing.T) {
	for name, c := range map[string]struct {
		first, last uint64 // that were heard
		clock       time.Duration
		card        int
		from        uint64 // that is heard then, up to 500
		want        int
	}{
		"a replay":                                   {1, 500, 0, 0, 1, 500},
		"a replay after a clock set back":            {1, 500, -3 * time.Hour, 0, 1, 500},
		"a new card":                                 {1, 500, 0, 1, 1, 1000},
		"a new card, and its clock is behind":        {1, 500, 3 * time.Hour, 1, 1, 1000},
		"its first events were missed":               {1, 500, 0, 1, 400, 601},
		"the first was never heard":                  {100, 500, 0, 1, 1, 901},
		"the first was never heard, and is replayed": {100, 500, -3 * time.Hour, 0, 1, 500},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.t = t
			for seq := c.first; seq <= c.last; seq++ {
				w.seq = seq - 1
				w.event("session.created", `{}`)
			}
			w.pass(c.clock)
			w.seq++
			w.event("session.stopped", `{}`)
			w.again()
			w.pass(-c.clock)
			if c.card > 0 {
				w.pass(time.Hour)
			}
			w.card = c.card
			for range 2 {
				for seq := c.from; seq <= 500; seq++ {
					w.seq = seq - 1
					w.event("session.created", `{}`)
				}
				if p := w.post(); p.Total.Asked != c.want {
					t.Errorf("counted %d, want %d", p.Total.Asked, c.want)
				}
			}
		})
	}
}

// An event that cannot be read is not counted as seen: a replay may bring it whole.
func TestAnOddEventIsNotTaken(t *testing.T) {
	w := newWorld(t)
	odd := `{"v":1,"ts":"2026-06-15T12:00:00Z","clk":"synced","seq":1,"type":"session.settled","evse":1,"data":[]}`
	if err := w.fleet.Take(w.now, "acme", "A1", "evt/session", []byte(odd), false); err == nil {
		t.Error("it is taken")
	}
	w.event("session.settled", sold)
	if p := w.post(); p.Total.Fed != 1 {
		t.Errorf("%+v", p.Total)
	}
}

func TestTalliesGoByTheEventsOwnTime(t *testing.T) {
	w := newWorld(t)
	at := func(ago time.Duration, clock string) {
		w.seq++
		h := telemetry.Head{V: 1, At: w.now.Add(-ago), Clock: clock}
		w.say("evt/session", false, telemetry.Event{Head: h, Seq: w.seq, Type: "session.created", Data: json.RawMessage(`{}`)})
	}
	const day = 24 * time.Hour
	at(45*day, "synced")
	at(5*day, "holdover")
	at(0, "unknown")
	at(500*day, "unknown") // of a clock that was never set: it counts now
	at(500*day, "synced")  // as old as cannot be: so does this
	at(-3*day, "synced")
	p := w.post()
	if p.Month.Asked != 5 || p.Year.Asked != 6 {
		t.Errorf("in the month %d, in the year %d", p.Month.Asked, p.Year.Asked)
	}
	for n := range 500 {
		w.pass(day)
		at(0, "synced")
		if p := w.post(); len(p.Days) > maxDays || len(p.Months) > maxMonths {
			t.Fatalf("after %d days: %d days and %d months are kept", n, len(p.Days), len(p.Months))
		}
	}
	if p := w.post(); p.Month.Asked != 30 || p.Year.Asked < 335 || p.Year.Asked > 366 {
		t.Errorf("one a day: in the month %d, in the year %d", p.Month.Asked, p.Year.Asked)
	}
}

// An EVSE that says it is available, and gives nobody anything, is down.
func TestThreeDriversWithoutEnergyAreAnOutage(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	w.state("available", 0)
	strike := func() {
		w.pass(time.Hour)
		w.event("session.abandoned", `{"reason":"no_energy"}`)
	}
	strike()
	strike()
	w.event("session.settled", sold) // somebody got some in between
	strike()
	strike()
	w.event("session.abandoned", `{"reason":"declined"}`) // says nothing of the post
	if e := w.evse(); e.Is != Working {
		t.Fatalf("%v after two in a row", e.Is)
	}
	strike()
	w.pass(time.Hour)
	w.state("available", 6*time.Hour) // what it says of itself does not help
	w.again()
	w.reach(true)
	w.state("available", 6*time.Hour)
	w.pass(time.Hour)
	if e := w.evse(); e.Is != Down || e.Trouble != "no-energy" || e.Year.Down != 2*time.Hour || e.Year.Working != 5*time.Hour {
		t.Errorf("after three: %v %q, %+v", e.Is, e.Trouble, e.Year)
	}
	w.event("session.settled", sold)
	if e := w.evse(); e.Is != Working {
		t.Errorf("%v after a charge", e.Is)
	}
}

func TestFaultsAreMended(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	for range 2 {
		w.state("faulted", 0, "MET-001", "PAY-001")
		w.pass(time.Hour)
		w.state("faulted", time.Hour, "PAY-001")
		w.pass(2 * time.Hour)
		w.state("available", 0)
		w.pass(time.Hour)
	}
	w.state("faulted", 30*time.Minute, "MET-001", "XYZ-999")
	if e := w.evse(); e.Trouble != "MET-001" {
		t.Errorf("%+v", e)
	}
	w.again()
	posts := w.fleet.Look(w.now, func(string) bool { return true })
	var said string
	for _, m := range Mendings(posts, noon()) {
		said += fmt.Sprint(m.Code, " ", m.Active, " of ", m.Count, " ", m.Mean(), "; ")
	}
	if want := "MET-001 1 of 3 1h0m0s; PAY-001 0 of 2 3h0m0s; other 1 of 1 0s; "; said != want {
		t.Errorf("%s\nwant\n%s", said, want)
	}
	if m := Mendings(posts, noon().Add(5*time.Hour)); len(m) != 3 || m[0].Count != 2 {
		t.Errorf("of the last hours: %+v", m)
	}
	if e := posts[0].EVSEs[0]; e.Faults[0].From != w.now.Add(-30*time.Minute).Unix() {
		t.Errorf("%+v", e)
	}
}

// A post at which nobody can pay is down, until somebody can.
func TestThreeDriversWhoCannotPayAreAnOutage(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	w.state("available", 0)
	for _, reason := range []string{"no_answer", "payment_gone", "no_answer"} {
		w.event("session.abandoned", `{"reason":"`+reason+`"}`)
	}
	w.again()
	w.reach(true)
	w.state("available", 0)
	if e := w.evse(); e.Is != Down || e.Trouble != "no-payment" {
		t.Errorf("%v %q", e.Is, e.Trouble)
	}
	if diff := cmp.Diff(map[string]int{"ok": 0, "interrupted": 0, "no_energy": 0, "start_failed": 0, "not_approved": 0, "no_payment": 3}, w.post().Total.Results()); diff != "" {
		t.Error(diff)
	}
	w.event("session.authorised", `{}`)
	if e := w.evse(); e.Is != Working {
		t.Errorf("%v after somebody could", e.Is)
	}
}

func TestAYearHasTwelveMonths(t *testing.T) {
	w := newWorld(t)
	w.now = time.Date(2026, 4, 10, 12, 0, 0, 0, time.UTC)
	w.event("session.created", `{}`)
	w.now = time.Date(2027, 3, 31, 12, 0, 0, 0, time.UTC)
	w.event("session.created", `{}`)
	if n := w.post().Year.Asked; n != 2 {
		t.Errorf("counted %d", n)
	}
}
