package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"stolpe/agent/telemetry"
)

func TestNobodyMakesItGrow(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	for i := range 3000 { // comes and goes all the time
		w.state([]string{"available", "faulted"}[i%2], 0, fmt.Sprintf("QQQ-%03d", i%1000))
		w.pass(time.Minute)
	}
	for n := range 200 {
		w.fleet.Take(w.now, "acme", "A1", telemetry.StateLeaf.Of(n), []byte(`{"v":1,"state":"available"}`), false) //nolint:errcheck // most are refused
	}
	for i := range 1000 { // every second event is missed
		w.seq = uint64(i) * 2
		w.event("session.created", `{}`)
	}
	p := w.fleet.posts["acme/A1"]
	e := p.EVSEs[1]
	if len(p.EVSEs) > maxEVSEs || len(e.Line) > maxChanges || len(e.Faults) > maxRepairs || len(p.Seqs) > maxSpans || len(e.Past) > maxPast || len(p.Marks) > maxMarks {
		t.Errorf("%d EVSEs, %d changes, %d faults, %d spans", len(p.EVSEs), len(e.Line), len(e.Faults), len(p.Seqs))
	}
	if spent := w.evse().Year; spent.Down < 25*time.Hour || spent.Down+spent.Working != 3000*time.Minute {
		t.Errorf("who flickers gains by it: %+v", spent)
	}
	text, err := json.Marshal(p)
	if err != nil || len(text) > MaxKept {
		t.Errorf("%d bytes to keep, %v", len(text), err)
	}
}

func TestTheFleetHasAnEnd(t *testing.T) {
	f := New(time.UTC)
	for n := range maxPosts + 10 {
		err := f.Reach(noon(), "acme", fmt.Sprint("A", n), true)
		if (n >= maxPosts) != errors.Is(err, ErrFull) {
			t.Fatalf("post %d: %v", n, err)
		}
		for evse := 1; evse <= 3; evse++ {
			f.Take(noon(), "acme", fmt.Sprint("A", n), telemetry.StateLeaf.Of(evse), []byte(`{"v":1,"state":"available"}`), false) //nolint:errcheck // the last ones are refused
		}
	}
	posts := f.Look(noon(), func(string) bool { return true })
	evses := 0
	for _, p := range posts {
		evses += len(p.EVSEs)
	}
	if len(posts) != maxPosts || evses != maxAll {
		t.Errorf("%d posts, %d EVSEs", len(posts), evses)
	}
}

func TestWhatCannotBeIsNotTaken(t *testing.T) {
	f := New(time.UTC)
	for _, name := range []string{"", "-a", "a b", "a/b", "ø", "..", "+", "#", `"`, "<b>", strings.Repeat("a", 33)} {
		if f.Reach(noon(), name, "A1", true) == nil || f.Reach(noon(), "acme", name, true) == nil {
			t.Errorf("%q is a name", name)
		}
	}
	for _, c := range []struct{ leaf, text string }{
		{"evse/1/state", `{"v":2,"state":"available"}`},
		{"evse/1/state", `{"v":1,"state":"superb"}`},
		{"evse/1/state", `{"v":1,"state":1}`},
		{"evse/1/state", `[`},
		{"evse/1/state", `{"v":1,"state":"available","faults":"` + strings.Repeat("x", maxPayload) + `"}`},
		{"evse/0/state", `{"v":1,"state":"available"}`},
		{"evse/100/state", `{"v":1,"state":"available"}`},
		{"evse/01/state", `{"v":1,"state":"available"}`},
		{"state", `{"v":1,"state":"available"}`},
		{"evse/1/info", `{"v":1}`},
		{"evse/1/evt/session", `{"v":1,"seq":1}`},
		{"evt/session/x", `{"v":1,"seq":1}`},
		{"evt", `{"v":1,"seq":1}`},
		{"evt/session", `{"v":1,"seq":0,"type":"session.created"}`},
		{"evt/session", `{"v":1,"seq":18446744073709551615,"type":"session.created"}`},
		{"evt/session", `{"v":1,"seq":-1,"type":"session.created"}`},
		{"evt/session", `{"v":1,"seq":1,"type":"session.created","evse":-1}`},
		{"cmd/stop", `{}`},
		{"availability", "online"},
		{"", "{}"},
	} {
		if err := f.Take(noon(), "acme", "A1", telemetry.Leaf(c.leaf), []byte(c.text), false); err == nil {
			t.Errorf("%s %.60s is taken", c.leaf, c.text)
		}
	}
	if err := f.Take(noon(), "acme", "A1", "evt/session", []byte(`{"v":1,"seq":1,"type":"session.created"}`), true); err == nil {
		t.Error("an event that the broker kept is taken")
	}
	if p, ok := f.Find(noon(), "acme", "A1"); ok && (p.Month.Asked != 0 || len(p.EVSEs) > 1) {
		t.Errorf("%+v", p)
	}
}

func TestTheTopicSaysWhoItIs(t *testing.T) {
	w := newWorld(t)
	w.say(telemetry.InfoLeaf, false, telemetry.Info{Head: w.head(), Tenant: "other", Post: "B1", Name: "mine"})
	posts := w.fleet.Look(w.now, func(string) bool { return true })
	if len(posts) != 1 || posts[0].ID != "A1" || posts[0].Tenant != "acme" || posts[0].Name != "mine" {
		t.Errorf("%+v", posts)
	}
}

func TestNumbersThatCannotBeAreLeftOut(t *testing.T) {
	w := newWorld(t)
	w.event("session.settled", `{"e_wh":-5,"captured":99999999999,"written_off":-1,"cur":"NOK"}`)
	w.event("session.settled", `{"e_wh":99999999999,"captured":5,"cur":"XXX","dur_s":-7}`)
	if m := w.post().Month; m.Energy != 0 || m.Fed != 0 || m.Revenue != nil || m.Lost != nil || m.Seconds != 0 {
		t.Errorf("%+v", m)
	}
	w.say(telemetry.HealthLeaf, false, json.RawMessage(`{"v":1,"up_s":-1,"cpu_c":1e300,"disk_pct":101,"rssi_dbm":5,"clk_off_ms":9223372036854775807,"outbox":{"events":-1,"oldest_s":-1},"unsettled":-4,"oldest_unsettled_s":-9,"modbus_err_ppm":-1,"restarts":-1}`))
	h := w.post().Health
	if h.Up != 0 || h.Heat != nil || h.Disk != nil || h.Radio != nil || h.Offset != nil || h.Wire != nil || h.Restarts != nil || h.Debts != 0 || h.Oldest != 0 || h.Outbox != (telemetry.Outbox{}) {
		t.Errorf("%+v", h)
	}
	w.say(telemetry.InfoLeaf, false, telemetry.Info{Head: w.head(), Name: " Storgata\u202e1\x00\n" + strings.Repeat("å", 200), Profile: "none"})
	if name := w.post().Name; len([]rune(name)) > maxText || strings.ContainsAny(name, "\u202e\x00\n") || !strings.HasPrefix(name, "Storgata 1") {
		t.Errorf("%q", name)
	}
}

// Displays have names of their own, or figures would be there twice, and there are not more
// than a post can have.
func TestDisplaysThatCannotBeAreLeftOut(t *testing.T) {
	w := newWorld(t)
	all := []telemetry.DisplayHealth{{Name: "oled", Fault: "DIS-\x00001"}, {Name: "oled"}, {}, {Name: strings.Repeat("x", 33)}, {Name: "kiosk", Text: strings.Repeat("å", 300)}}
	w.say(telemetry.HealthLeaf, false, telemetry.Health{Head: w.head(), Displays: all})
	h := w.post().Health
	if len(h.Displays) != 2 || h.Displays[0].Fault != "DIS- 001" || h.Displays[1].Name != "kiosk" || len([]rune(h.Displays[1].Text)) > maxText {
		t.Errorf("%+v", h.Displays)
	}
	all = nil
	for i := range 200 {
		all = append(all, telemetry.DisplayHealth{Name: fmt.Sprint("kiosk-", i)})
	}
	w.say(telemetry.HealthLeaf, false, telemetry.Health{Head: w.head(), Displays: all})
	if n := len(w.post().Health.Displays); n != 16 {
		t.Errorf("%d displays", n)
	}
}

func TestAPostIsForgottenWhenItIsRemoved(t *testing.T) {
	w := newWorld(t)
	info := telemetry.Info{Head: w.head(), EVSEs: []telemetry.EVSE{{ID: 1}, {ID: 2}}}
	w.say(telemetry.InfoLeaf, false, info)
	if len(w.post().EVSEs) != 2 {
		t.Fatalf("%+v", w.post())
	}
	info.EVSEs = info.EVSEs[:1]
	w.say(telemetry.InfoLeaf, false, info)
	if p := w.post(); len(p.EVSEs) != 1 {
		t.Errorf("an EVSE that is no more is shown: %+v", p)
	}
	for _, leaf := range []telemetry.Leaf{telemetry.HealthLeaf, telemetry.StateLeaf.Of(1), telemetry.InfoLeaf} {
		w.post() // it takes more than the others to end it
		if err := w.fleet.Take(w.now, "acme", "A1", leaf, nil, false); err != nil {
			t.Fatal(err)
		}
	}
	w.again()
	if _, ok := w.fleet.Find(w.now, "acme", "A1"); ok || len(w.fleet.Look(w.now, func(string) bool { return true })) > 0 {
		t.Error("it is still shown")
	}
	w.say(telemetry.InfoLeaf, false, info)
	w.post()
}

func TestWhatWasKeptIsNotTrusted(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	w.state("faulted", 0, "MET-001")
	w.event("session.settled", sold)
	var good string
	w.fleet.Keep(w.now, func(_, _ string, text []byte) error { good = string(text); return nil }) //nolint:errcheck // there is one
	if _, err := New(time.UTC).Restore(w.now, "acme", "A1", []byte(good)); err != nil {
		t.Fatalf("%v: %s", err, good)
	}
	if old, err := New(time.UTC).Restore(w.now.Add(2*keptFor*time.Second), "acme", "A1", []byte(good)); !old || err != nil {
		t.Errorf("of two years ago: %v, %v", old, err)
	}
	if _, err := New(time.UTC).Restore(w.now, "acme", "A2", []byte(good)); err == nil {
		t.Error("restored as another post")
	}
	for old, changed := range map[string]string{
		`"1":{`: `"0":{`, `"is":2`: `"is":9`, `"MET-001","from"`: `"made-up","from"`, `"NOK"`: `"XXX"`, `"begins":"2026-06-15"`: `"begins":"<b>"`,
		`"fed":1`: `"fed":-1`, `"from":1,"to":1`: `"from":2,"to":1`, `"state":"faulted"`: `"state":"<b>"`, `"until":`: `"until":9`, `{`: ``,
	} {
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in %s", old, good)
		}
		f := New(time.UTC)
		if _, err := f.Restore(w.now, "acme", "A1", []byte(strings.Replace(good, old, changed, 1))); err == nil || len(f.posts) > 0 {
			t.Errorf("%s is restored", changed)
		}
	}
}

// FuzzTake holds that nothing a post says makes the fleet fall over, or unfit to be kept.
func FuzzTake(f *testing.F) {
	f.Add("evse/1/state", []byte(`{"v":1,"ts":"2026-06-15T12:00:00Z","clk":"synced","state":"faulted","since":"2026-06-15T11:00:00Z","faults":[{"code":"MET-001","since":"2026-06-15T11:00:00Z"}]}`), true, int64(60))
	f.Add("evt/session", []byte(`{"v":1,"ts":"2026-06-15T12:00:00Z","clk":"synced","seq":7,"type":"session.settled","evse":1,"data":`+sold+`}`), false, int64(60))
	f.Add("health", []byte(`{"v":1,"cpu_c":1e9}`), false, int64(0))
	f.Add("info", []byte(`{"v":1,"evses":[{"evse":1}]}`), false, int64(-5))
	f.Fuzz(func(t *testing.T, leaf string, payload []byte, retained bool, ahead int64) {
		if len(payload) == 0 {
			return // it takes the post away
		}
		w := newWorld(t)
		w.reach(true)
		w.state("available", time.Hour)
		w.reach(false)
		w.pass(time.Duration(ahead%1000) * time.Minute)
		w.fleet.Take(w.now, "acme", "A1", telemetry.Leaf(leaf), payload, retained) //nolint:errcheck // most are refused
		w.reach(true)
		w.fleet.Take(w.now, "acme", "A1", telemetry.Leaf(leaf), payload, retained) //nolint:errcheck // as before
		w.pass(time.Hour)
		before := w.post()
		w.again()
		after := w.post()
		if len(before.EVSEs) != len(after.EVSEs) || before.Year.Asked != after.Year.Asked {
			t.Errorf("%+v\nafter\n%+v", before, after)
		}
	})
}
