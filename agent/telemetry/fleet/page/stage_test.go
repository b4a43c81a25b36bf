package page

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stolpe/agent/telemetry"
	"stolpe/agent/telemetry/fleet"
)

// now is when tests look.
func now() time.Time { return time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC) }

const secret = "0123456789abcdef0123456789abcdef"

// stage is the pages of a small fleet.
type stage struct {
	t     *testing.T
	fleet *fleet.Fleet
	pages *Pages
	seq   uint64
	ends  chan struct{}
}

// newStage makes a fleet of two tenants in which there is a bit of everything.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, fleet: fleet.New(time.UTC), ends: make(chan struct{})}
	then := now().AddDate(0, 0, -20)
	s.post(then, "acme", "A1", "Storgata 1, Oslo", "available", "charging")
	s.post(then, "acme", "A2", "Kaia 4", "faulted", "MET-001")
	s.post(then, "acme", "A3", `<script>alert("x")</script>&=1+1`, "available")
	s.post(then, "other", "B1", "=HYPERLINK(1);=HYPERLINK(2)", "unavailable", "USR-001")
	if err := s.fleet.Reach(now().Add(-3*time.Hour), "acme", "A3", false); err != nil {
		t.Fatal(err)
	}
	p, err := New(Options{Fleet: s.fleet, Logins: []Login{{Name: "everybody"}, {Name: "Åse", Tenants: []string{"acme"}}, {Name: "nobody", Tenants: []string{}}},
		Proxy: Proxy{Secret: secret, User: "Remote-User"}, Listening: func() bool { return true }, Zone: time.UTC, Now: now, Ends: s.ends, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p.pace, p.lookEvery = time.Millisecond, 0
	s.pages = p
	return s
}

// post has a post say something; what follows the name are states and codes of faults.
func (s *stage) post(then time.Time, tenant, id, name string, words ...string) {
	s.t.Helper()
	head := telemetry.Head{V: telemetry.Version, At: then, Clock: "synced"}
	say := func(leaf telemetry.Leaf, what any) {
		s.t.Helper()
		text, err := json.Marshal(what)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := s.fleet.Take(then, tenant, id, leaf, text, false); err != nil {
			s.t.Fatal(err)
		}
	}
	info := telemetry.Info{Head: head, Post: id, Name: name, Version: "0.1.0", System: "linux/arm64", Profile: telemetry.Frugal}
	state := telemetry.State{Head: head, Since: then}
	number := 0
	for _, w := range words {
		if strings.Contains(w, "-") {
			state.Faults = append(state.Faults, telemetry.Fault{Code: w, Since: then})
			say(telemetry.StateLeaf.Of(number), state)
			continue
		}
		number++
		info.EVSEs = append(info.EVSEs, telemetry.EVSE{ID: number, Code: fmt.Sprint(id, string(rune('a'+number-1)))})
		state.State = w
		say(telemetry.StateLeaf.Of(number), state)
	}
	if err := s.fleet.Reach(then, tenant, id, true); err != nil {
		s.t.Fatal(err)
	}
	say(telemetry.InfoLeaf, info)
	heat, debts := 41.5, len(words)-1
	say(telemetry.HealthLeaf, telemetry.Health{Head: head, Up: 90_000, Heat: &heat, Debts: debts, Oldest: int64(debts) * 7200})
	for _, e := range [][2]string{
		{"session.created", `{}`}, {"session.created", `{}`}, {"session.authorised", `{}`}, {"session.authorised", `{}`}, {"session.started", `{}`},
		{"session.abandoned", `{"reason":"never_plugged"}`}, {"session.settled", `{"e_wh":11344,"captured":6228,"cur":"NOK"}`},
	} {
		s.seq++
		say("evt/session", telemetry.Event{Head: head, Seq: s.seq, Type: e[0], EVSE: 1, Data: json.RawMessage(e[1])})
	}
}

// ask asks for a path as somebody; nobody is "".
func (s *stage) ask(who, path string) *http.Response {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if who != "" {
		r.Header.Set(SecretHeader, secret)
		r.Header.Set("Remote-User", who)
	}
	w := httptest.NewRecorder()
	s.pages.ServeHTTP(w, r)
	return w.Result()
}

// read asks for a path as somebody and gives what came.
func (s *stage) read(who, path string) string {
	s.t.Helper()
	a := s.ask(who, path)
	text, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != http.StatusOK {
		s.t.Fatalf("%s asks for %s: %d, %v: %s", who, path, a.StatusCode, err, text)
	}
	return string(text)
}
