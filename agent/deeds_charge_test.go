package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
)

func TestStopEndsTheChargeThatIsMeant(t *testing.T) {
	x := newBureau(t)
	if a, err := x.do(commands.Stop, 0, ``); err != nil || !strings.Contains(a.Text, "no such charge") {
		t.Errorf("with nobody there: %+v, %v", a, err)
	}
	x.a.charge(t, session.Charging)
	if _, err := x.do(commands.Stop, 0, `{"session":"DEMO-1-000006"}`); err != nil || x.a.state.Phase != session.Charging {
		t.Errorf("the charge before is not there to be stopped: %v, %v", x.a.state.Phase, err)
	}
	if _, err := x.do(commands.Stop, 2, ``); err != nil || x.a.state.Phase != session.Charging {
		t.Errorf("the charge beside is stopped: %v, %v", x.a.state.Phase, err)
	}
	x.b.charge(t, session.Approving)
	_, err := x.do(commands.Stop, 0, ``)
	refused(t, err, commands.Invalid, "more than one charge")
	a, err := x.do(commands.Stop, 0, `{"session":"DEMO-1-000007"}`)
	if err != nil || !strings.Contains(a.Text, "stopped at 0.000 kWh") || x.a.state.Phase != session.Stopping || x.b.state.Phase != session.Approving {
		t.Errorf("%+v, %v: %v and %v", a, err, x.a.state.Phase, x.b.state.Phase)
	}
	x.a.passes(10 * time.Second)
	if d := x.a.state.Debts; len(d) != 1 || d[0].Why != display.ByOwner {
		t.Errorf("%+v: want a charge that its owner has ended", d)
	}
	x.b.deaf = true
	if _, err := x.do(commands.Stop, 2, ``); err == nil || !strings.Contains(err.Error(), "EVSE 2 does not answer") {
		t.Errorf("by an EVSE that does not answer: %v", err)
	}
}

func TestOutOfServiceLetsADriverFinish(t *testing.T) {
	for _, row := range []struct {
		args  string
		phase session.Phase
		after time.Duration
	}{
		{``, session.Charging, 0},
		{`{"now":false}`, session.Charging, 0},
		{`{"now":true}`, session.Stopping, 0},
	} {
		x := newBureau(t)
		x.a.charge(t, session.Charging)
		a, err := x.do(commands.OutOfService, 0, row.args)
		if err != nil || x.a.state.Phase != row.phase {
			t.Errorf("%s: %+v, %v: %v, want %v", row.args, a, err, x.a.state.Phase, row.phase)
		}
		if x.b.state.Faults() != session.Recall || !strings.Contains(a.Text, "EVSE 2: out of service") {
			t.Errorf("%s: nobody charges at EVSE 2, and it has %v: %s", row.args, x.b.state.Faults(), a.Text)
		}
		x.a.passes(time.Minute)
		if row.phase == session.Charging {
			if x.a.state.Phase != session.Charging {
				t.Errorf("%s: a minute later %v", row.args, x.a.state.Phase)
			}
			x.a.step(session.Stopped{Why: display.ByDriver, Holder: kari})
			x.a.passes(time.Minute)
		}
		if x.a.state.Phase != session.Idle || x.a.state.Faults() != session.Recall {
			t.Errorf("%s: in the end %v with %v", row.args, x.a.state.Phase, x.a.state.Faults())
		}
	}
}

func TestInServiceLiftsTheRecallAlone(t *testing.T) {
	x := newBureau(t)
	x.a.step(session.Recalled{})
	x.a.step(session.Metered{Reading: hal.Reading{Register: 1000, Serial: "another", At: x.a.at.Mono + 1}})
	wrong := x.a.state.Faults() &^ session.Recall
	if wrong&session.MeterSwap == 0 {
		t.Fatalf("faults %v", wrong)
	}
	a, err := x.do(commands.InService, 1, `{}`)
	if err != nil || x.a.state.Faults() != wrong || !strings.Contains(a.Text, "not kept out by the fleet any more, but: meter exchanged") {
		t.Errorf("%+v, %v: %v", a, err, x.a.state.Faults())
	}
	if text, _ := json.Marshal(a.Data); !strings.Contains(string(text), `"faults":["MET-002"`) {
		t.Errorf("%s", text)
	}
	if a, err := x.do(commands.InService, 2, ``); err != nil || a.Text != "EVSE 2: in service" {
		t.Errorf("%+v, %v", a, err)
	}
}

// Somebody may have his hands in there.
func TestAFleetCannotLiftWhatATechnicianHasLocked(t *testing.T) {
	x := newBureau(t)
	x.a.step(session.Recalled{})
	x.a.step(session.TakenOut{})
	a, err := x.do(commands.InService, 1, ``)
	if err != nil || x.a.state.Faults() != session.Withdrawn || !strings.Contains(a.Text, "but: withdrawn by a technician") {
		t.Errorf("%+v, %v: %v", a, err, x.a.state.Faults())
	}
	x.a.step(session.Restored{})
	if f := x.a.state.Faults(); f&(session.Withdrawn|session.Recall|session.Leaving) != 0 {
		t.Errorf("after the technician: %v", f)
	}
}

func TestRetryTellsWhatIsOwed(t *testing.T) {
	x := newBureau(t)
	x.a.charge(t, session.Charging)
	x.a.step(session.Stopped{Why: display.ByDriver})
	x.a.passes(10 * time.Second)
	x.a.told = nil
	for args, want := range map[string]int{`{}`: 1, `{"session":"DEMO-1-000007"}`: 1, `{"session":"DEMO-1-000008"}`: 0} {
		a, err := x.do(commands.SettleRetry, 0, args)
		text, _ := json.Marshal(a.Data)
		if err != nil || strings.Count(string(text), "DEMO-1-000007") != want || len(x.a.told) != want || len(x.b.told) != 0 {
			t.Errorf("%s: %s, %v; told %v and %v", args, text, err, x.a.told, x.b.told)
		}
		x.a.told = nil
	}
}

func TestIdentifyEndsByItself(t *testing.T) {
	x := newBureau(t)
	here := func(evse int) bool {
		v := display.View{}
		x.board.dress(&v, evse)
		return v.Here
	}
	if _, err := x.do(commands.Identify, 2, ``); err != nil || here(1) || !here(2) {
		t.Errorf("%v: %v and %v", err, here(1), here(2))
	}
	x.a.passes(callFor)
	if here(2) {
		t.Error("it goes on")
	}
	if _, err := x.do(commands.Identify, 0, `{"for_s":600}`); err != nil || !here(1) || !here(2) {
		t.Errorf("%v: %v and %v", err, here(1), here(2))
	}
	if _, err := x.do(commands.Identify, 0, `{"for_s":0}`); err != nil || here(1) || here(2) {
		t.Errorf("%v: %v and %v", err, here(1), here(2))
	}
	for _, args := range []string{`{"for_s":-1}`, `{"for_s":901}`} {
		_, err := x.do(commands.Identify, 0, args)
		refused(t, err, commands.Invalid, "want 0 to 900 seconds")
	}
}

func TestReplay(t *testing.T) {
	x := newBureau(t)
	for args, want := range map[string][2]uint64{`{"from":42}`: {42, 100}, `{"from":42,"to":42}`: {42, 42}} {
		x.replayed = [2]uint64{}
		if a, err := x.do(commands.Replay, 0, args); err != nil || x.replayed != want || !strings.Contains(a.Text, fmt.Sprintf("from %d to %d", want[0], want[1])) {
			t.Errorf("%s: %v, %q, %v", args, x.replayed, a.Text, err)
		}
	}
	_, err := x.do(commands.Replay, 0, `{"from":1}`)
	refused(t, err, commands.Busy, "still sent")
	for args, want := range map[string]string{`{}`: "want 1 to 100", `{"from":101}`: "want 1 to 100", `{"from":42,"to":41}`: "want 42 to 100", `{"from":42,"to":101}`: "want 42 to 100", `{"from":42,"to":0}`: "want 42 to 100"} {
		_, err := x.do(commands.Replay, 0, args)
		refused(t, err, commands.Invalid, want)
	}
	x.again = nil
	_, err = x.do(commands.Replay, 0, `{"from":1}`)
	refused(t, err, commands.Failed, "no ledger")
}

func TestSelftestTellsWhatIsWrong(t *testing.T) {
	x := newBureau(t)
	if a, err := x.do(commands.Selftest, 0, ``); err != nil || !strings.HasPrefix(a.Text, "all 12 are well") {
		t.Errorf("%+v, %v", a, err)
	}
	x.b.step(session.Signalled{Signals: hal.EmergencyStop})
	x.b.at.Mono += time.Hour
	x.dir = "/nowhere"
	x.ledger = func() string { return "no space left" }
	a, err := x.do(commands.Selftest, 0, ``)
	if err != nil || a.Text != "5 of 12 are not well: EVSE 2: faults, EVSE 2: meter, EVSE 2: contactor, state folder, ledger" {
		t.Errorf("%+v, %v", a, err)
	}
	if x.a.told != nil || x.b.told != nil {
		t.Errorf("a look has changed something: %v, %v", x.a.told, x.b.told)
	}
}

// Whoever commands is not kept waiting by an EVSE that hangs, or by a disk that does.
func TestADeedEnds(t *testing.T) {
	x := newBureau(t)
	x.a.charge(t, session.Charging)
	x.a.deaf = true
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	for _, name := range []commands.Name{commands.Stop, commands.OutOfService, commands.InService, commands.PriceSet} {
		if _, err := x.table()[name].Do(ctx, commands.Command{Name: name, Args: map[bool]json.RawMessage{true: json.RawMessage(`{"kwh":1}`)}[name == commands.PriceSet]}); err == nil {
			t.Errorf("%s is done at an EVSE that does not answer", name)
		}
	}
}
