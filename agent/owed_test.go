package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"stolpe/agent/control"
	"stolpe/agent/journal"
	"stolpe/agent/session"
	"stolpe/payment"
)

// owing4 is a state with a charge under way and one that is not settled.
func owing4() session.Kept {
	price := payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}
	return session.Kept{
		Phase: session.Waiting, Counter: 5,
		Charge: session.Charge{Number: 5, Price: price, Limit: 20_000, Held: true},
		Debts:  []session.Debt{{Charge: session.Charge{Number: 4, Price: price, Limit: 35_000, Held: true}, Due: 1313, Trouble: payment.Rejected}},
	}
}

func TestOwedIsToldFromDoubt(t *testing.T) {
	k := owing4()
	good := k.Append(nil)
	later := append([]byte{good[0] + 1}, good[1:]...)
	sound := journal.Recovered{Payload: good, Doubt: journal.Sound}
	for name, row := range map[string]struct {
		owner string
		found journal.Recovered
		owed  int    // how many
		doubt string // in it; empty for none
	}{
		"sound":                   {"A12/1", sound, 2, ""},
		"installed":               {"A12/1", journal.Recovered{Doubt: journal.New}, 0, ""},
		"cut short":               {"", journal.Recovered{Doubt: journal.New}, 0, ""},
		"torn by a power cut":     {"A12/1", journal.Recovered{Payload: good, Doubt: journal.Torn, Detail: "torn"}, 2, ""},
		"a hole":                  {"A12/1", journal.Recovered{Payload: good, Doubt: journal.Rotten, Detail: "slot 2 is damaged"}, 2, "slot 2 is damaged"},
		"nothing left":            {"", journal.Recovered{Doubt: journal.Rotten, Detail: "no slot holds a record"}, 0, "no slot holds a record"},
		"of two posts":            {"A12/1", journal.Recovered{Payload: good, Doubt: journal.Foreign, Detail: "belongs to B7"}, 0, "belongs to B7"},
		"of another EVSE":         {"A12/2", sound, 2, "it is that of A12/2"},
		"by a later version":      {"A12/1", journal.Recovered{Payload: later, Doubt: journal.Sound}, 0, "a later version of the program has written it"},
		"sound, but not a record": {"A12/1", journal.Recovered{Payload: []byte{1}, Doubt: journal.Sound}, 0, "cut short or too long"},
	} {
		owed, doubt := owedIn(1, row.owner, row.found)
		if len(owed) != row.owed || (doubt == "") != (row.doubt == "") || !strings.Contains(doubt, row.doubt) {
			t.Errorf("%s: %+v, doubt %q", name, owed, doubt)
		}
	}
	owed, _ := owedIn(1, "A12/1", sound)
	want := []unsettled{
		{"A12-1-000005", 1, "waiting", 0, 20_000, payment.NOK, ""},
		{"A12-1-000004", 1, "idle", 1313, 35_000, payment.NOK, "rejected"},
	}
	if len(owed) != 2 || owed[0] != want[0] || owed[1] != want[1] {
		t.Errorf("%+v, want %+v", owed, want)
	}
}

// What a daemon knows is from one look at each EVSE. A start that looks through the payment
// service is no doubt by itself.
func TestOwedByTheDaemon(t *testing.T) {
	c := newCounter(t)
	now := func() balance {
		t.Helper()
		a, err := c.local.owedNow(t.Context(), control.Caller{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return a.(balance)
	}
	if a := now(); !a.Clear || len(a.Owed) != 0 {
		t.Errorf("%+v", a)
	}
	ref := c.owe(c.a)
	c.b.charge(t, session.Charging)
	a := now()
	if a.Clear || len(a.Owed) != 2 || a.Owed[0].Ref != ref || a.Owed[0].Phase != "idle" || a.Owed[0].Trouble != "rejected" || a.Owed[1].Phase != "charging" {
		t.Errorf("%+v", a)
	}
	c = newCounter(t)
	for _, row := range []struct {
		trust session.Trust
		clear bool
	}{{session.Whole, true}, {session.Holed, false}, {session.Alien, false}} {
		c.a.state = c.a.rules.Recover(session.Kept{}, row.trust, c.a.at)
		if a := now(); a.Clear != row.clear || len(a.Owed) != 0 {
			t.Errorf("trust %d: %+v", row.trust, a)
		}
	}
	if _, err := c.local.owedNow(t.Context(), control.Caller{}, []byte(`{"sing":1}`)); err == nil {
		t.Error("an argument that is none is taken")
	}
	for _, r := range c.local.routes() {
		if r.Name == "owed" && r.Least != control.Technician || r.Name == "restart" && (r.Least != control.Technician || !r.Changes) {
			t.Errorf("%s is for a %v, and changes something: %v", r.Name, r.Least, r.Changes)
		}
	}
}

// Every EVSE of which there is anything counts, whatever the configuration says today.
func TestOwedLooksAtEveryJournal(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, "A12/1", 3)
	for _, name := range []string{"evse-2.b", "evse-07.a", "evse-x.a", "evse-3.c", "bench-1", "evse-11.a"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("?"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := contents(t, dir)
	a, err := owedOnDisk(dir)
	if err != nil || a.Clear || len(a.Owed) != 0 || len(a.Unknown) != 2 || !strings.Contains(a.Unknown[0], "EVSE 2: ") || !strings.Contains(a.Unknown[1], "EVSE 11: ") {
		t.Errorf("%+v, %v", a, err)
	}
	if after := contents(t, dir); len(after) != len(before) {
		t.Errorf("%d files where there were %d", len(after), len(before))
	}
}

// An empty folder below a partition that has not come is not that of a post that owes nothing.
func TestOwedWithoutItsPartition(t *testing.T) {
	const lines = "36 25 179:2 / / rw - ext4 /dev/root rw\n"
	for mounts, want := range map[string]bool{
		lines: false,
		lines + "37 36 179:3 /stolpe /var/lib/stolpe rw - ext4 /dev/x rw\n": true,
		"": true, // of a system in a folder nothing is mounted
	} {
		c := computer{files: fstest.MapFS{
			"etc/fstab":           {Data: []byte("LABEL=r / ext4 rw 0 1\nLABEL=d /data ext4 nofail 0 2\n/data/stolpe /var/lib/stolpe none bind,nofail 0 0\n")},
			"proc/self/mountinfo": {Data: []byte(mounts)},
		}}
		a, err := owedOnDisk(t.TempDir())
		if err != nil || !a.Clear {
			t.Fatalf("%+v %v", a, err)
		}
		if a = c.doubted(a, defaultState); a.Clear != want || want == (len(a.Unknown) > 0) {
			t.Errorf("%q: %+v", mounts, a)
		}
	}
}

// An EVSE that was taken out of the configuration by hand owes what it owed, and somebody is
// told.
func TestOwedByAnEVSEThatIsGone(t *testing.T) {
	c := newCounter(t)
	dir := c.local.cfg.StateDir
	for n, kept := range map[string]session.Kept{"1": owing4(), "7": owing4()} { // 1 is a unit of the daemon's, which knows better
		if err := journal.Install(dir, "evse-"+n, "DEMO/"+n); err != nil {
			t.Fatal(err)
		}
		j, _, err := journal.Open(dir, "evse-"+n, "DEMO/"+n)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(j.Append(kept.Append(nil)), j.Close()); err != nil {
			t.Fatal(err)
		}
	}
	a, err := c.local.owedNow(t.Context(), control.Caller{}, nil)
	if b := a.(balance); err != nil || b.Clear || len(b.Owed) != 2 || b.Owed[1].Ref != "DEMO-7-000004" {
		t.Errorf("%+v, %v", a, err)
	}
	var said strings.Builder
	noteLeft(c.local.cfg, slog.New(slog.NewTextHandler(&said, nil)))
	if !strings.Contains(said.String(), "ref=DEMO-7-000004") || strings.Contains(said.String(), "DEMO-1-") {
		t.Errorf("the log says %s", &said)
	}
}
