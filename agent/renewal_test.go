package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config/trial"
	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
)

// lobby is a bureau with a start anew that waits.
type lobby struct {
	*bureau
	*renewal
	wrote []ledger.Entry
}

func newLobby(t *testing.T) *lobby {
	t.Helper()
	x := &lobby{bureau: newBureau(t)}
	x.renewal = openRenewal(x.bureau.deeds, world{})
	x.renewal.note = func(e ledger.Entry) error { x.wrote = append(x.wrote, e); return nil }
	return x
}

// tries looks once, and says whether the order is over, and how often the post has started
// anew by then.
func (x *lobby) tries(t *testing.T) (over bool, starts int32) {
	t.Helper()
	o, _ := x.waits()
	if o == nil {
		t.Fatal("no order waits")
	}
	return x.try(t.Context(), o), x.restarts.Load()
}

// older has the order wait for so much longer already.
func (x *lobby) older(d time.Duration) { x.order.at.Mono -= d }

// both lets time pass at both EVSEs.
func (x *lobby) both(d time.Duration) {
	x.a.passes(d)
	x.b.passes(d)
}

// another puts a program there that answers so.
func (x *lobby) another(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"old": "", "new": "#!/bin/sh\n" + script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	x.bureau.program = executable{filepath.Join(dir, "old"), filepath.Join(dir, "new")}
}

const soundProgram = `case "$1" in version) echo '{"version": "9.9.9"}';; run) [ "$2 $3" = "--check --config" ] && [ -f "$4" ];; esac`

// The charges under way go on. Whoever comes meanwhile is served, for a few hours; then no
// EVSE takes a new driver, and the post starts anew when the last charge is over.
func TestStartAnewWaitsForItsMoment(t *testing.T) {
	x := newLobby(t)
	x.another(t, soundProgram)
	x.a.charge(t, session.Charging)
	x.put("local:kari", "9.9.9")
	first, _ := x.waits()
	x.put("local:ola", "9.9.9")
	x.drop(first, "came to nothing")
	if o, failed := x.waits(); o == nil || o.by != "local:ola" || failed != "" {
		t.Errorf("%+v, %q: the newer order went with the older", o, failed)
	}
	x.put("local:kari", "9.9.9")
	x.b.charge(t, session.Charging)
	if over, n := x.tries(t); over || n != 0 || x.a.state.Faults()|x.b.state.Faults() != 0 {
		t.Fatalf("over %v, %d starts, faults %v and %v", over, n, x.a.state.Faults(), x.b.state.Faults())
	}
	x.a.step(session.Stopped{Why: display.ByDriver})
	x.both(time.Minute)
	x.a.charge(t, session.Charging)
	x.older(spareAfter - 2*time.Minute)
	if over, n := x.tries(t); over || n != 0 || x.a.state.Faults() != 0 {
		t.Errorf("a little before its time: over %v, %d starts, faults %v", over, n, x.a.state.Faults())
	}
	x.older(2 * time.Minute)
	over, n := x.tries(t)
	if over || n != 0 || x.a.state.Phase != session.Charging || x.b.state.Phase != session.Charging {
		t.Errorf("over %v, %d starts, %v and %v", over, n, x.a.state.Phase, x.b.state.Phase)
	}
	for _, p := range []*puppet{x.a, x.b} {
		if after := p.rules.Recover(p.state.Kept, session.Whole, p.at); p.state.Faults() != session.Renewing || after.Faults()&session.Renewing != 0 {
			t.Errorf("EVSE %d has %v, want a fault that no crash leaves behind", p.rules.EVSE, p.state.Faults())
		}
	}
	if o, _ := x.waits(); !o.spares {
		t.Error("nobody is told that no driver is taken")
	}
	x.b.step(session.Stopped{Why: display.ByDriver})
	x.a.step(session.Stopped{Why: display.ByDriver})
	if over, n := x.tries(t); over || n != 0 {
		t.Errorf("while both stop: over %v, %d starts", over, n)
	}
	x.both(time.Minute)
	if over, n := x.tries(t); !over || n != 1 || len(x.wrote) != 0 {
		t.Errorf("when nobody charges: over %v, %d starts, wrote %+v", over, n, x.wrote)
	}
}

// A program that is not fit to run ends nothing, and drivers are taken again.
func TestStartAnewWithABadProgramComesToNothing(t *testing.T) {
	x := newLobby(t)
	x.another(t, "echo I am no Stolpe")
	x.a.charge(t, session.Charging)
	x.put("local:kari", "9.9.9")
	x.older(spareAfter)
	x.tries(t)
	if x.b.state.Faults() != session.Renewing {
		t.Fatalf("%v", x.b.state.Faults())
	}
	x.a.step(session.Stopped{Why: display.ByDriver})
	x.both(time.Minute)
	if over, n := x.tries(t); !over || n != 0 || x.a.state.Faults()|x.b.state.Faults() != 0 {
		t.Errorf("over %v, %d starts, faults %v and %v", over, n, x.a.state.Faults(), x.b.state.Faults())
	}
	o, failed := x.waits()
	if o != nil || !strings.Contains(failed, "it does not tell its version") {
		t.Errorf("%+v, %q", o, failed)
	}
	if len(x.wrote) != 1 || x.wrote[0].Kind != ledger.CommandDone || x.wrote[0].Command.Issuer != "local:kari" || x.wrote[0].Command.Code != "failed" {
		t.Errorf("%+v", x.wrote)
	}
	l := &local{deeds: x.bureau.deeds, renewal: x.renewal}
	if s := l.restartStatus(control.Viewer); s == nil || s.Waits || s.Failed == "" {
		t.Errorf("%+v", s)
	}
	x.failed = ""
	if s := l.restartStatus(control.Viewer); s == nil || s.Waits || !s.Due {
		t.Errorf("%+v, with another program on the disk", s)
	}
	x.bureau.program = executable{}
	if s := l.restartStatus(control.Viewer); s != nil {
		t.Errorf("%+v, with nothing to tell", s)
	}
	x.put("local:kari", "9.9.9")
	if s := l.restartStatus(control.Viewer); s == nil || !s.Waits || s.By != "" || s.Failed != "" {
		t.Errorf("%+v", s)
	}
}

// An EVSE that does not answer just when an order comes to nothing is told later that it may
// take drivers: it is not left out of service until somebody finds it.
func TestNoEVSEStaysAwayForAnOrderThatIsOver(t *testing.T) {
	x := newLobby(t)
	x.another(t, "echo I am no Stolpe")
	x.a.charge(t, session.Charging)
	x.put("local:kari", "9.9.9")
	x.older(spareAfter)
	x.tries(t)
	x.a.step(session.Stopped{Why: display.ByDriver})
	x.both(time.Minute)
	x.b.deaf = true
	if x.look(t.Context()) || x.b.state.Faults() != session.Renewing {
		t.Errorf("nothing is left to do, and EVSE 2 has %v", x.b.state.Faults())
	}
	x.b.deaf = false
	if !x.look(t.Context()) || x.a.state.Faults()|x.b.state.Faults() != 0 {
		t.Errorf("faults %v and %v", x.a.state.Faults(), x.b.state.Faults())
	}
	if len(x.wrote) != 1 {
		t.Errorf("written down %d times", len(x.wrote))
	}
}

// What would take a configuration on trial back, or keep drivers away for ten minutes,
// waits too.
func TestStartAnewWaitsForMoreThanDrivers(t *testing.T) {
	x := newLobby(t)
	x.put("local:kari", version)
	text, err := os.ReadFile(x.bureau.file)
	if err == nil {
		err = trial.Try(x.bureau.file, text, append(text, '\n'), time.Minute)
	}
	if err != nil {
		t.Fatal(err)
	}
	if over, n := x.tries(t); over || n != 0 {
		t.Errorf("with a configuration on trial: over %v, %d starts", over, n)
	}
	on, err := trial.Of(x.bureau.file)
	if err == nil {
		err = on.Confirm()
	}
	if err != nil {
		t.Fatal(err)
	}
	x.b.state.Boots = 4
	if over, n := x.tries(t); over || n != 0 {
		t.Errorf("after four starts in a row: over %v, %d starts", over, n)
	}
	x.b.state.Boots = 1
	if over, n := x.tries(t); !over || n != 1 {
		t.Errorf("over %v, %d starts", over, n)
	}
}

// An order that comes while one waits does not put it off.
func TestStartAnewKeepsItsTime(t *testing.T) {
	x := newLobby(t)
	x.put("local:kari", "1")
	x.a.at.Mono += time.Hour
	x.put("local:ola", "2")
	if o, _ := x.waits(); o.by != "local:ola" || o.to != "2" || x.a.at.Mono-o.at.Mono != time.Hour {
		t.Errorf("%+v", o)
	}
}

func TestOtherProgramsAreTriedFirst(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if is, err := thisProgram().replaced(); is || err != nil {
		t.Errorf("the program that runs is another: %v, %v", is, err)
	}
	if is, err := (executable{}).replaced(); is || err != nil {
		t.Errorf("no program: %v, %v", is, err)
	}
	file := configured(t, t.TempDir())
	for name, row := range map[string]struct {
		script string
		want   string // in the error; empty for none
		lacks  []string
	}{
		"sound":             {soundProgram, "", nil},
		"lacks secrets":     {`[ "$1" = version ] && echo '{"version": "9.9.9"}' && exit; [ "$*" = "run --check --config $4 --without env:A --without file:/b" ]`, "", []string{"env:A", "file:/b"}},
		"no version":        {"true", "it does not tell its version", nil},
		"fails":             {"echo gone wrong >&2; exit 1", "version: exit status 1: gone wrong", nil},
		"no configuration":  {`[ "$1" = version ] && echo '{"version": "9.9.9"}' && exit; echo bad key >&2; exit 6`, "run: exit status 6: bad key", nil},
		"knows the service": {`[ -z "$NOTIFY_SOCKET" ] || exit 3; ` + soundProgram, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NOTIFY_SOCKET", "/nowhere")
			x := newLobby(t)
			x.another(t, row.script)
			if is, err := x.bureau.program.replaced(); !is || err != nil {
				t.Errorf("not seen as another: %v, %v", is, err)
			}
			to, err := x.bureau.program.tried(t.Context(), file, row.lacks)
			if row.want == "" && (to != "9.9.9" || err != nil) || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%q, %v: want %q", to, err, row.want)
			}
			if row.want == "" {
				return
			}
			if _, err := x.do(commands.Restart, 0, `{}`); err == nil || x.restarts.Load() != 0 {
				t.Errorf("the fleet: %v, %d starts", err, x.restarts.Load())
			}
			var said paper
			x.bureau.program.giveWay(t.Context(), file, nil, &said)
			if !strings.Contains(said.String(), row.want) || !strings.Contains(said.String(), "version "+version+" goes on") {
				t.Errorf("%s", &said)
			}
		})
	}
	gone := executable{self, filepath.Join(t.TempDir(), "stolpe")}
	if _, err := gone.replaced(); err == nil {
		t.Error("a program that is gone is no other")
	}
	half := gone
	text, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(half.path, text[:len(text)/3], 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.tried(t.Context(), file, nil); err == nil {
		t.Error("half a program is tried with success")
	}
	x := newLobby(t)
	x.another(t, "sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := x.bureau.program.tried(ctx, file, nil); err == nil || !strings.Contains(err.Error(), "does not end") {
		t.Errorf("a program that hangs: %v", err)
	}
}
