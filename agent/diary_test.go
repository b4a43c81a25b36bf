package main

import (
	"encoding/hex"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// TestLogOfACharge is the whole log of one charge: a line for each change, and
// nothing by the second.
func TestLogOfACharge(t *testing.T) {
	t.Parallel()
	p := perform(t, nil)
	o, err := p.charge(t)
	if err != nil {
		t.Fatal(err)
	}
	const told = `level=INFO msg="receipt is in the app" evse=1 ref=DEMO-1-000001 document=DEMO/1-000001
`
	until(t, "a receipt in the app", func() bool { return strings.Contains(p.log.String(), told) }) // it holds up nobody
	state, _, _ := p.parts.units["A12"].Snapshot()
	opening := state.Wear.Opening.String() // as exact as the demo's time
	want := `level=INFO msg="contactor open" evse=1
level=INFO msg="fault over" evse=1 what="contactor cannot be sensed"
level=INFO msg="fault over" evse=1 what="meter silent"
level=INFO msg="fault over" evse=1 what="reading payments back"
level=INFO msg=approving evse=1 ref=DEMO-1-000001
level=INFO msg=charging evse=1 ref=DEMO-1-000001
level=INFO msg=stopping evse=1 ref=DEMO-1-000001
level=INFO msg=ended evse=1 ref=DEMO-1-000001 why=driver_stop energy="` + hal.Energy(o.EnergyWh).String() + `" due=` + o.Captured.String() + `
level=INFO msg=contactor evse=1 closings=1 under_load=1 opened_in=` + opening + ` slowest=` + opening + `
level=INFO msg=settled evse=1 ref=DEMO-1-000001 captured=` + o.Captured.String() + ` released=` + o.Released.String() + ` document=DEMO/1-000001
` + told
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(p.log.String())), func(line string) bool { return !strings.Contains(line, "evse=1") })
	slices.Sort(lines[1:min(4, len(lines))]) // what is found out at the start comes in any order
	if got := strings.Join(lines, ""); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if n := strings.Count(p.log.String(), "\n"); n > 20 {
		t.Errorf("%d lines:\n%s", n, p.log)
	}
}

func TestLogTellsNoSecret(t *testing.T) {
	t.Parallel()
	p := perform(t, nil)
	session := begin(t, p.url+"/en/A12")
	until(t, "charging", func() bool {
		scene, _, _ := look(t, session)
		return scene == "charge"
	})
	driver := &phone{ctx: t.Context(), stage: p.stage}
	if _, err := driver.post(session, url.Values{"act": {"stop"}}); err != nil {
		t.Fatal(err)
	}
	var holder payment.Holder
	until(t, "settled", func() bool {
		state, _, _ := p.parts.units["A12"].Snapshot() // which is there when it is on disk
		if len(state.Done) > 0 {
			holder = state.Done[0].Holder
		}
		return len(state.Done) > 0
	})
	log := p.log.String()
	for what, secret := range map[string]string{
		"session": session[strings.LastIndex(session, "/")+1:], "holder": hex.EncodeToString(holder[:]),
		"client id": p.till.keys.ClientID, "client secret": p.till.keys.ClientSecret, "subscription key": p.till.keys.SubscriptionKey,
		"way to the app": "/app/", "token": "Bearer",
	} {
		if len(secret) < 5 || strings.Contains(log, secret) {
			t.Errorf("the log tells of the %s %q:\n%s", what, secret, log)
		}
	}
}

// diaried is what the diary writes about one step.
func diaried(before, after session.State) string {
	var log paper
	d := &diary{
		log:   slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: withoutTime})),
		rules: &session.Rules{Post: "A12", EVSE: 1},
	}
	d.Saw(evse.Moment{Before: before, After: after})
	return log.String()
}

func TestDiaryWritesOneLineForEachChange(t *testing.T) {
	charge := session.Charge{Number: 7, Start: 1000, End: 3500, Why: display.ByDriver}
	older := session.Debt{Charge: session.Charge{Number: 6}, Due: 100}
	owed := session.Debt{Charge: charge, Due: 1372}
	done := owed
	done.Captured, done.Released = 1372, 33628
	odd := done
	odd.Captured, odd.Trouble = 1000, payment.Meddled
	sold := done
	sold.Receipt, sold.Told = 4, session.ToldDue
	told, never := sold, sold
	told.Told, never.Told = session.ToldAll, session.ToldNever
	under := func(p session.Phase) session.State {
		return session.State{Kept: session.Kept{Phase: p, Charge: charge}}
	}
	idle := func(debts, settled []session.Debt) session.State {
		return session.State{Kept: session.Kept{Debts: debts, Done: settled}}
	}
	faulty := func(latched, passing session.Faults) session.State {
		return session.State{Kept: session.Kept{Latched: latched}, Passing: passing}
	}
	worn := idle([]session.Debt{older, owed}, nil)
	worn.Wear = session.Wear{Closings: 7, Hot: 5, Opening: 130 * time.Millisecond, Slowest: 140 * time.Millisecond}
	const info, warn, bad = "level=INFO msg=", "level=WARN msg=", "level=ERROR msg="
	for name, row := range map[string]struct {
		before, after session.State
		want          string
	}{
		"nothing":          {under(session.Charging), under(session.Charging), ""},
		"a charge begins":  {idle(nil, nil), under(session.Approving), info + "approving ref=A12-1-000007\n"},
		"a charge goes on": {under(session.Waiting), under(session.Charging), info + "charging ref=A12-1-000007\n"},
		"a charge ends": {
			under(session.Stopping), worn,
			info + "ended ref=A12-1-000007 why=driver_stop energy=\"2.500 kWh\" due=13.72\n" + info + "contactor closings=7 under_load=5 opened_in=130ms slowest=140ms\n",
		},
		"not the older one": {under(session.Approving), idle([]session.Debt{older}, nil), ""},
		"over at once": {
			under(session.Approving), idle([]session.Debt{older}, []session.Debt{done}),
			info + "ended ref=A12-1-000007 why=driver_stop energy=\"2.500 kWh\" due=13.72\n" + info + "settled ref=A12-1-000007 captured=13.72 released=336.28\n",
		},
		"the first settled": {idle([]session.Debt{owed}, nil), idle(nil, []session.Debt{done}), info + "settled ref=A12-1-000007 captured=13.72 released=336.28\n"},
		"one more settled":  {idle([]session.Debt{owed}, []session.Debt{older}), idle(nil, []session.Debt{older, done}), info + "settled ref=A12-1-000007 captured=13.72 released=336.28\n"},
		"settled before":    {idle(nil, []session.Debt{older, done}), idle(nil, []session.Debt{older, done}), ""},
		"not as it should": {
			idle([]session.Debt{owed}, nil), idle(nil, []session.Debt{odd}),
			info + "settled ref=A12-1-000007 captured=10.00 released=336.28\n" + bad + "\"a person should look at this payment\" ref=A12-1-000007 why=meddled due=13.72\n",
		},
		"a fault":      {faulty(0, 0), faulty(0, session.MeterSilent), warn + "fault what=\"meter silent\" code=MET-001\n"},
		"one more":     {faulty(0, session.MeterSilent), faulty(session.Welded, session.MeterSilent), warn + "fault what=\"contactor welded\" code=CON-001\n"},
		"a fault over": {faulty(0, session.MeterSilent|session.Seeking), faulty(0, session.Seeking), info + "\"fault over\" what=\"meter silent\"\n"},
		"one for one": {
			faulty(0, session.MeterSilent), faulty(session.MeterSwap, 0),
			warn + "fault what=\"meter exchanged\" code=MET-002\n" + info + "\"fault over\" what=\"meter silent\"\n",
		},
		"sold": {idle([]session.Debt{owed}, nil), idle(nil, []session.Debt{sold}),
			info + "settled ref=A12-1-000007 captured=13.72 released=336.28 document=A12/1-000004\n"},
		"told":        {idle(nil, []session.Debt{sold}), idle(nil, []session.Debt{told}), info + "\"receipt is in the app\" ref=A12-1-000007 document=A12/1-000004\n"},
		"never told":  {idle(nil, []session.Debt{sold}), idle(nil, []session.Debt{never}), warn + "\"receipt is not in the app; the driver's page has it\" ref=A12-1-000007 document=A12/1-000004\n"},
		"latched now": {faulty(0, session.Seeking), faulty(session.Seeking, 0), ""},
	} {
		if got := diaried(row.before, row.after); got != row.want {
			t.Errorf("%s:\n%swant\n%s", name, got, row.want)
		}
	}
}

// A settlement that does not come about is told of once a day, with how long its
// money is sure, and not at all by a clock that knows nothing.
func TestDiaryCountsDown(t *testing.T) {
	var log paper
	d := &diary{
		log:   slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: withoutTime})),
		rules: &session.Rules{Post: "A12", EVSE: 1},
	}
	const hour = 3600
	at := func(unix int64) hal.Stamp { return hal.Stamp{Unix: unix, Clock: hal.ClockSynced} }
	s := session.State{Kept: session.Kept{Debts: []session.Debt{{
		Charge: session.Charge{Number: 7, Started: at(0), Ended: at(hour)}, Due: 1372, Trouble: payment.FundsGone,
	}}}}
	for _, x := range []struct {
		now   hal.Stamp
		lines int
	}{
		{at(24 * hour), 0}, {at(25 * hour), 1}, {at(26 * hour), 1}, {at(48 * hour), 1}, {at(49 * hour), 2},
		{hal.Stamp{Unix: 99 * hour}, 2}, {at(7 * 24 * hour), 3}, {at(8*24*hour + hour), 4},
	} {
		d.Saw(evse.Moment{Before: s, After: s, Now: hal.Instant{Wall: x.now}})
		if n := strings.Count(log.String(), "\n"); n != x.lines {
			t.Errorf("at %d h: %d lines, want %d", x.now.Unix/hour, n, x.lines)
		}
	}
	want := `level=WARN msg="not settled yet" ref=A12-1-000007 due=13.72 age=24h0m0s why=funds_gone sure_for=143h0m0s
level=WARN msg="not settled yet" ref=A12-1-000007 due=13.72 age=48h0m0s why=funds_gone sure_for=119h0m0s
level=ERROR msg="not settled, and the bank may have let the reservation go" ref=A12-1-000007 due=13.72 age=167h0m0s why=funds_gone
level=ERROR msg="not settled, and the bank may have let the reservation go" ref=A12-1-000007 due=13.72 age=192h0m0s why=funds_gone
`
	if log.String() != want {
		t.Errorf("got\n%swant\n%s", log.String(), want)
	}
}
