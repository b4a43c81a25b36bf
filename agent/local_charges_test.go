package main

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/agent/doctor"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// counter is what people at the post reach, with puppets for EVSEs and a ledger.
type counter struct {
	*bureau
	local *local
	t     *testing.T
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	x := newBureau(t)
	cfg, err := config.Load(x.file)
	if err != nil {
		t.Fatal(err)
	}
	cfg.StateDir = t.TempDir()
	book, _, err := ledger.Open(filepath.Join(cfg.StateDir, "ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	w := world{now: x.now, mono: func() time.Duration { return x.now().Mono }, book: book, log: x.log}
	p := &parts{}
	p.hear(deafWay{}, w)
	return &counter{x, &local{deeds: x.deeds, cfg: cfg, w: w, parts: p}, t}
}

// deafWay answers nothing.
type deafWay struct{}

func (deafWay) Ask(context.Context, payment.Order) (payment.Answer, error) {
	return payment.Answer{}, errors.New("no route to host A12-1-000042")
}

// do does what a route does, for somebody with a role, as JSON.
func (c *counter) do(name string, role control.Role, args string) (string, error) {
	c.t.Helper()
	routes := c.local.chargeRoutes()
	i := slices.IndexFunc(routes, func(r control.Route) bool { return r.Name == name })
	v, err := routes[i].Do(c.t.Context(), control.Caller{Role: role}, json.RawMessage(args))
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(v)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text), nil
}

// into reads what a route gives.
func (c *counter) into(name, args string, v any) {
	c.t.Helper()
	text, err := c.do(name, control.Admin, args)
	if err == nil {
		err = json.Unmarshal([]byte(text), v)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// A viewer sees what everybody at the post can see, and nothing that leads to a driver or
// to money.
func TestViewersSeeNoReferencesAndNoMoney(t *testing.T) {
	c := newCounter(t)
	c.a.charge(t, session.Charging)
	c.a.passes(time.Minute)
	c.b.charge(t, session.Charging)
	c.b.step(session.Stopped{Why: display.ByDriver})
	c.b.passes(time.Minute)
	if _, err := c.local.parts.money.Ask(t.Context(), payment.Order{}); err == nil {
		t.Fatal("answered")
	}
	for _, name := range []string{"status", "sessions"} {
		worker, err := c.do(name, control.Technician, ``)
		if err != nil {
			t.Fatal(err)
		}
		viewer, err := c.do(name, control.Viewer, `{}`)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"-000007", "35000", "NOK", "cost", "gross", "captured"} {
			if strings.Contains(viewer, secret) {
				t.Errorf("%s shows a viewer %q: %s", name, secret, viewer)
			}
		}
		for _, secret := range []string{"DEMO-1-000007", "35000"} {
			if !strings.Contains(worker, secret) {
				t.Errorf("%s shows a technician nothing of %q: %s", name, secret, worker)
			}
		}
		for _, both := range []string{`"evse":1`, `"energy_wh":0`} {
			if !strings.Contains(viewer, both) || !strings.Contains(worker, both) {
				t.Errorf("%s: want %s in\n%s\n%s", name, both, viewer, worker)
			}
		}
	}
	for _, name := range []string{"sessions/show", "sessions/receipt", "sessions/owed", "sessions/settle", "sessions/export"} {
		routes := c.local.chargeRoutes()
		if i := slices.IndexFunc(routes, func(r control.Route) bool { return r.Name == name }); routes[i].Least < control.Technician {
			t.Errorf("%s is for a %v", name, routes[i].Least)
		}
	}
	if guest, worker := c.local.payFacts(false, true), c.local.payFacts(false, false); guest.Wrong != string(doctor.Unreached) || guest.Kind != worker.Kind || !strings.Contains(worker.Wrong, "A12-1-000042") {
		t.Errorf("facts for a viewer: %+v, for a technician: %+v", guest, worker)
	}
	if worker, _ := c.do("status", control.Technician, ``); !strings.Contains(worker, `"state":"trouble","ago_s":0,"trouble":"no route to host A12-1-000042"`) {
		t.Errorf("%s", worker)
	}
}

func TestStatusTellsWhatIsWrong(t *testing.T) {
	c := newCounter(t)
	c.b.step(session.Signalled{Signals: hal.EmergencyStop})
	e := ledger.Entry{At: 1_800_000_000, Clock: "synced", Kind: ledger.FaultRaised, EVSE: 2, Fault: &ledger.Fault{Code: "SAF-002"}}
	if err := c.local.w.book.Append(e); err != nil {
		t.Fatal(err)
	}
	var p postStatus
	c.into("status", ``, &p)
	if len(p.EVSEs) != 2 || len(p.EVSEs[0].Faults) != 0 || p.EVSEs[0].State != "available" || p.EVSEs[0].Charge != nil {
		t.Fatalf("%+v", p)
	}
	want := faultStatus{"SAF-002", "emergency stop pressed", true, "2027-01-15T08:00:00Z"}
	if b := p.EVSEs[1]; b.State != "faulted" || len(b.Faults) != 1 || b.Faults[0] != want || b.Contactor != "open" || b.Meter.Quality != "ok" {
		t.Errorf("%+v", p.EVSEs[1])
	}
	if p.MQTT != nil || p.Payment.State != "not_asked" || p.Zone != "Europe/Oslo" {
		t.Errorf("%+v", p)
	}
	if _, err := c.do("status", control.Viewer, `{"sing":1}`); err == nil {
		t.Error("an argument that is none is taken")
	}
}

// Whoever watches is told at once, at each change, and now and then.
func TestWatch(t *testing.T) {
	c := newCounter(t)
	routes := c.local.chargeRoutes()
	i := slices.IndexFunc(routes, func(r control.Route) bool { return r.Name == "watch" })
	ctx, end := context.WithCancel(t.Context())
	defer end()
	told := make(chan postStatus)
	ended := make(chan error, 1)
	go func() {
		ended <- routes[i].Follow(ctx, control.Caller{Role: control.Technician}, json.RawMessage(`{"every_s":3600}`), func(v any) error {
			select {
			case told <- v.(postStatus):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	if p := <-told; p.EVSEs[0].State != "available" {
		t.Errorf("%+v", p)
	}
	if err := c.a.Tell(ctx, session.Signalled{Signals: hal.EmergencyStop}); err != nil {
		t.Fatal(err)
	}
	if p := <-told; p.EVSEs[0].State != "faulted" {
		t.Errorf("%+v", p)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, args := range []string{`{"every_s":-1}`, `{"every_s":3601}`, `{"every":1}`} {
		var no control.Refusal
		if err := routes[i].Follow(t.Context(), control.Caller{}, json.RawMessage(args), nil); !errors.As(err, &no) || no.Code != control.Invalid {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// owe leaves a settlement that is refused.
func (c *counter) owe(p *puppet) payment.Ref {
	c.t.Helper()
	ref := p.rules.Ref(p.state.Counter + 1)
	p.charge(c.t, session.Charging)
	p.step(session.Stopped{Why: display.ByDriver})
	p.passes(30 * time.Second)
	for _, o := range p.asked {
		p.step(session.Answered{Order: o, Answer: payment.Answer{
			Status: payment.Refused, Reason: payment.Rejected,
			Found: payment.Found{State: payment.Authorised, Amount: 35_000, Held: 35_000},
		}})
	}
	p.asked = nil
	if len(p.state.Debts) != 1 || p.state.Debts[0].Trouble != payment.Rejected {
		c.t.Fatalf("%+v", p.state.Debts)
	}
	return ref
}

// A person may have a settlement asked about, though not again and again.
func TestSettle(t *testing.T) {
	c := newCounter(t)
	ref := c.owe(c.a)
	settle := func() (l owedList) {
		t.Helper()
		c.into("sessions/settle", `{"sessions":["`+string(ref)+`"]}`, &l)
		return l
	}
	c.a.told = nil
	if l := settle(); len(l.Owed) != 1 || l.Owed[0].Retry < 240 || l.Owed[0].Retry > 300 || !l.Owed[0].Stuck || l.Owed[0].Trouble != "rejected" || c.a.told != nil {
		t.Errorf("asked about a moment ago: %+v, %v", l, c.a.told)
	}
	c.a.passes(5 * time.Minute)
	if l := settle(); len(l.Owed) != 1 || l.Owed[0].Retry != 0 || l.Owed[0].Next != 0 || len(c.a.told) != 1 || c.a.told[0] != (session.Retried{Ref: ref}) {
		t.Errorf("%+v, %v", l, c.a.told)
	}
	c.a.passes(time.Second)
	if len(c.a.asked) != 1 {
		t.Errorf("the service is not asked: %v", c.a.asked)
	}
	var l owedList
	if c.into("sessions/owed", ``, &l); len(l.Owed) != 1 || !l.Owed[0].Out {
		t.Errorf("%+v", l)
	}
	for args, want := range map[string]control.Code{`{"sessions":["DEMO-1-000099"]}`: control.NotFound, `{"sessions":[]}`: control.Invalid, `{}`: control.Invalid, `{"all":true}`: control.Invalid} {
		var no control.Refusal
		if _, err := c.do("sessions/settle", control.Technician, args); !errors.As(err, &no) || no.Code != want {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// What the post knows of itself counts for more than the ledger, which may be behind.
func TestSessionsUnderWay(t *testing.T) {
	c := newCounter(t)
	ref := c.owe(c.a)
	c.b.charge(t, session.Approving)
	lost := ledger.Entry{At: 1_799_000_000, Clock: "synced", Kind: ledger.SessionCreated, EVSE: 1, Ref: "DEMO-1-000003", Session: &ledger.Session{Number: 3, Currency: "NOK", Reserved: 1000}}
	if err := c.local.w.book.Append(lost); err != nil {
		t.Fatal(err)
	}
	states := func(args string) (words []string) {
		var l chargeList
		c.into("sessions", args, &l)
		for _, r := range l.Sessions {
			words = append(words, string(r.Ref)+" "+string(r.State))
		}
		return words
	}
	want := []string{string(ref) + " stuck", "DEMO-2-000007 asked", "DEMO-1-000003 lost"}
	if got := states(`{}`); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := states(`{"state":"open","evse":2}`); !slices.Equal(got, want[1:2]) {
		t.Errorf("%v", got)
	}
	if got := states(`{"limit":1}`); !slices.Equal(got, want[:1]) {
		t.Errorf("%v", got)
	}
	if got := states(`{"until":1799000001}`); !slices.Equal(got, want[2:]) {
		t.Errorf("%v", got)
	}
	var s chargeShown
	if c.into("sessions/show", `{"id":"`+string(ref)+`"}`, &s); s.Session.State != recordStuck || s.Owed == nil || s.Owed.Trouble != "rejected" {
		t.Errorf("%+v", s)
	}
	for name, args := range map[string]string{"sessions/show": `{"id":"DEMO-1-000099"}`, "sessions/receipt": `{"id":"DEMO-1-000099","lang":"nb"}`} {
		var no control.Refusal
		if _, err := c.do(name, control.Technician, args); !errors.As(err, &no) || no.Code != control.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, args := range map[string]string{"sessions": `{"limit":0}`, "sessions/show": `{"id":"x"}`, "sessions/receipt": `{"id":"DEMO-1-000003","lang":"xx"}`} {
		var no control.Refusal
		if _, err := c.do(name, control.Technician, args); !errors.As(err, &no) || no.Code != control.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What leads to drivers and payments goes to admins only.
func TestExportWithReferencesIsForAdmins(t *testing.T) {
	c := newCounter(t)
	ref := c.owe(c.a)
	routes := c.local.chargeRoutes()
	i := slices.IndexFunc(routes, func(r control.Route) bool { return r.Name == "sessions/export" })
	export := func(role control.Role, args string) (lines []exported, err error) {
		err = routes[i].Follow(t.Context(), control.Caller{Role: role}, json.RawMessage(args), func(v any) error {
			lines = append(lines, v.(exported))
			return nil
		})
		return lines, err
	}
	var no control.Refusal
	if lines, err := export(control.Technician, `{}`); !errors.As(err, &no) || no.Code != control.NotPermitted || lines != nil {
		t.Errorf("%+v, %v", lines, err)
	}
	lines, err := export(control.Technician, `{"redact":true}`)
	if err != nil || len(lines) != 2 || *lines[1].Count != 1 || lines[0].Session.Ref != "" || lines[0].Session.StartWh != nil || strings.Contains(lines[0].Session.Start, ":") || *lines[0].Session.Reserved != 35_000 {
		t.Errorf("%+v, %v", lines, err)
	}
	if lines, err = export(control.Admin, `{"state":"stuck"}`); err != nil || len(lines) != 2 || lines[0].Session.Ref != ref || !strings.Contains(lines[0].Session.Start, ":") {
		t.Errorf("%+v, %v", lines, err)
	}
	for _, args := range []string{`{"state":"x"}`, `{"sing":1}`} {
		if _, err := export(control.Admin, args); !errors.As(err, &no) || no.Code != control.Invalid {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// A list for somebody who may not see references has none, and says why.
func TestRedactedList(t *testing.T) {
	t.Parallel()
	var out, notes paper
	a := &archive{lang: display.EN, out: &out, notes: &notes, errs: &notes, zone: time.UTC}
	l := chargeList{Redacted: true, Sessions: []record{{EVSE: 1, State: recordCaptured, Start: "2026-11-20T10:02:00Z", End: "2026-11-20T11:40:00Z", Energy: 11_340, Why: "driver_stop"}}}
	if err := a.printList(l); err != nil {
		t.Fatal(err)
	}
	const want = "EVSE  START             END    kWh    STATE     WHY\n1     2026-11-20 10:02  11:40  11.34  captured  driver_stop\n"
	if out.String() != want || !strings.Contains(notes.String(), "are for technicians") {
		t.Errorf("%s%s", out.String(), notes.String())
	}
}
