package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/hal"
	"stolpe/payment"
	"stolpe/payment/sim"
)

// reach opens the sockets of a post in the demo's world, for the commands, in a folder
// that they find. It gives what opens and what closes them.
func (p *performance) reach(t *testing.T, book *ledger.Ledger) (open, closed func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "s") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("STOLPE_CONTROL_DIR", dir)
	d := &deeds{}
	for _, v := range p.parts.units {
		d.units = append(d.units, v)
	}
	l := &local{deeds: d, cfg: p.cfg, w: world{now: func() hal.Instant { return hal.Instant{Mono: p.clock.Now()} }, mono: p.clock.Now, book: book}, parts: p.parts}
	end := func() {}
	open = func() {
		t.Helper()
		s, err := control.Listen(control.Options{Dir: dir, Routes: l.chargeRoutes(), Note: func(control.Record) error { return nil }, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		end = func() { cancel(); <-ended }
	}
	open()
	closed = func() { end() }
	t.Cleanup(closed)
	return open, closed
}

// A capture that the service refuses gets stuck. Once somebody has put right what was
// wrong, one command has it settled, and says so with its exit code.
func TestStuckSettlementIsSettled(t *testing.T) {
	book, _, err := ledger.Open(filepath.Join(t.TempDir(), "ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	p := perform(t, func(w *world) { w.book = book })
	p.reach(t, book)
	fault := func(script string) {
		t.Helper()
		f, err := sim.ParseFaults(script)
		if err != nil {
			t.Fatal(err)
		}
		p.till.SetFaults(f)
	}
	fault("capture: code 6220 x99")
	if _, err := p.charge(t); err == nil {
		t.Fatal("the charge was settled")
	}
	mayAsk := func() bool {
		o := owings(p.parts.units["A12"])
		return len(o) == 1 && o[0].Retry == 0 && !o[0].Out
	}
	until(t, "it may be asked about", mayAsk)
	dry := command("sessions", "settle", "--all-stuck", "--dry-run")
	if dry.code != 0 || !strings.Contains(dry.stdout, "DEMO-1-000001") || !strings.Contains(dry.stdout, "-> stolpe payment show DEMO-1-000001") {
		t.Errorf("%+v", dry)
	}
	got := command("sessions", "settle", "DEMO-1-000001")
	if got.code != exitRemote || !strings.Contains(got.stdout, "not settled; the post tries again in") || !strings.Contains(got.stderr, "none is settled") {
		t.Errorf("%+v", got)
	}
	if got := command("sessions", "list", "--state", "stuck"); !strings.Contains(got.stdout, "STUCK") {
		t.Errorf("%+v", got)
	}
	fault("")
	until(t, "it may be asked about again", mayAsk)
	got = command("sessions", "settle", "--all-stuck")
	if got.code != 0 || !strings.Contains(got.stdout, "DEMO-1-000001  settled: ") || got.stderr != "" {
		t.Errorf("%+v", got)
	}
	got = command("sessions", "show", "DEMO-1-000001")
	for _, want := range []string{"captured", "payment.failed", "session.settled", "session.ended"} {
		if got.code != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("%+v, want %q", got, want)
		}
	}
	if got := command("sessions", "settle", "DEMO-1-000001"); got.code != exitRefused || !strings.Contains(got.stderr, "it is captured") {
		t.Errorf("%+v", got)
	}
}

// pastOf plays lines to a past.
func pastOf(w wanted, entries ...ledger.Entry) *past {
	p := newPast(w)
	for i, e := range entries {
		e.Seq = uint64(i + 1)
		p.take(e)
	}
	return p
}

// one is a line about charge n, which was requested on a day.
func one(kind ledger.Kind, n uint64, day int64) ledger.Entry {
	return ledger.Entry{At: 1_800_000_000 + day*86_400, Clock: "synced", Kind: kind, EVSE: 1, Ref: refOf(n), Session: &ledger.Session{Number: n, Currency: "NOK", Reserved: 35_000}}
}

func settledOne(n uint64, day int64, captured payment.Amount) ledger.Entry {
	e := one(ledger.Ended, n, day)
	e.Session = nil
	e.Sale = &ledger.Sale{Number: n, Reserved: 35_000, Captured: captured, Released: 35_000 - captured}
	if captured > 0 {
		e.Kind = ledger.Sold
	}
	return e
}

func refundOf(n uint64, kind ledger.Kind, amount payment.Amount) ledger.Entry {
	return ledger.Entry{Kind: kind, EVSE: 1, Ref: refOf(n), Refund: &ledger.Refund{Amount: amount}}
}

func TestPast(t *testing.T) {
	t.Parallel()
	book := []ledger.Entry{
		one(ledger.SessionCreated, 1, 0), settledOne(1, 0, 100), one(ledger.PaymentFailed, 1, 0),
		settledOne(2, 1, 5000), // what came before it has been trimmed
		one(ledger.SessionCreated, 3, 2), one(ledger.SessionAuthorised, 3, 2), one(ledger.SessionEnded, 3, 2),
		refundOf(2, ledger.RefundIntent, 1000), refundOf(2, ledger.Refunded, 1000), refundOf(2, ledger.RefundRefused, 9), refundOf(2, ledger.Refunded, 500),
		one(ledger.SessionCreated, 4, 3), one(ledger.SessionStarted, 4, 3),
		settledOne(5, 4, 0),
		{Kind: ledger.FaultRaised, EVSE: 1, Fault: &ledger.Fault{Code: "MET-001"}},
	}
	for _, row := range []struct {
		name string
		want wanted
		sure bool
		live []record
		got  string
	}{
		{"all", wanted{}, false, nil, "5 released, 4 under_way, 3 due, 2 refunded, 1 captured"},
		{"by a post that knows of 4 only", wanted{}, true, []record{{Ref: refOf(4), State: recordUnderWay, seq: liveSeq}}, "4 under_way, 5 released, 3 lost, 2 refunded, 1 captured"},
		{"live ones that the ledger has settled", wanted{}, false, []record{{Ref: refOf(5), State: recordStuck, seq: liveSeq}}, "5 released, 4 under_way, 3 due, 2 refunded, 1 captured"},
		{"refunded", wanted{State: "refunded"}, false, nil, "2 refunded"},
		{"open", wanted{State: openState}, false, nil, "4 under_way, 3 due"},
		{"the newest two", wanted{Limit: 2}, false, nil, "5 released, 4 under_way"},
		{"of a day", wanted{Since: 1_800_086_400, Until: 1_800_172_800}, false, nil, "2 refunded"},
		{"of another EVSE", wanted{EVSE: 2}, false, nil, ""},
	} {
		var words []string
		for _, r := range pastOf(row.want, book...).records(row.live, row.sure) {
			words = append(words, fmt.Sprint(r.Ref.Number(), " ", r.State))
		}
		if got := strings.Join(words, ", "); got != row.got {
			t.Errorf("%s: %s, want %s", row.name, got, row.got)
		}
	}
	all := pastOf(wanted{}, book...).records(nil, false)
	if i := slices.IndexFunc(all, func(r record) bool { return r.Ref == refOf(2) }); *all[i].Refunded != 1500 || *all[i].Captured != 5000 {
		t.Errorf("%+v", all[i])
	}
}

// A list reads no more of a long ledger than it must, and all of it where it must.
func TestListOfALongLedger(t *testing.T) {
	t.Parallel()
	book, _, err := ledger.Open(filepath.Join(t.TempDir(), "ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	add := func(e ledger.Entry) {
		t.Helper()
		if err := book.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	add(settledOne(1, 0, 100))
	for range firstSpan + 10 {
		add(one(ledger.SessionSuspended, 2, 1))
	}
	add(settledOne(2, 1, 0))
	l := &local{deeds: &deeds{}, w: world{book: book}}
	for want, w := range map[string]wanted{"2": {Limit: 1}, "2 1": {Limit: 2}, "1": {Limit: 1, State: "captured"}, "2 ": {Since: 1_800_086_400, Limit: 9}} {
		all, err := l.records(t.Context(), w, false)
		var words []string
		for _, r := range all {
			words = append(words, fmt.Sprint(r.Ref.Number()))
		}
		if got := strings.Join(words, " "); err != nil || got != strings.TrimSpace(want) {
			t.Errorf("%+v: %s, %v; want %s", w, got, err, want)
		}
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if _, err := l.records(ctx, wanted{}, true); err == nil {
		t.Error("read on, though nobody waits")
	}
}

func TestParseState(t *testing.T) {
	t.Parallel()
	for _, s := range append(recordStates(), openState, "") {
		if err := parseState(string(s)); err != nil {
			t.Error(err)
		}
	}
	if err := parseState("Captured"); err == nil {
		t.Error("Captured is taken")
	}
}

// Whoever looks at charges needs none of the keys of the post, and may not have them.
func TestChargesNeedNoKeys(t *testing.T) {
	b := newBank(t)
	b.write(1, 1, 5000, time.Unix(1_800_000_000, 0))
	b.write(2, 0, 0, time.Unix(1_800_000_100, 0))
	b.rot(1)
	for _, key := range []string{"TEST_CLIENT_ID", "TEST_CLIENT_SECRET", "TEST_SUBSCRIPTION_KEY"} {
		t.Setenv(key, "")
	}
	got := b.stolpe("sessions list --quiet")
	if got.code != 0 || !strings.Contains(got.stdout, "A12-1-000002") || strings.Contains(got.stdout, "A12-1-000001") {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(got.stderr, "The ledger; the rest was read: damaged: ") || !strings.Contains(got.stderr, "line 1") {
		t.Errorf("%+v: want the damage", got)
	}
	if got := b.stolpe("payment show A12-1-000002"); got.code != exitConfig {
		t.Errorf("%+v: the keys were to be missing", got)
	}
}

// What a daemon breaks off is not taken for all.
func TestExportThatIsBrokenOff(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("STOLPE_CONTROL_DIR", dir)
	three := 3
	routes := []control.Route{
		{Name: "status", Do: func(context.Context, control.Caller, json.RawMessage) (any, error) { return postStatus{}, nil }},
		{Name: "sessions/export", Follow: func(_ context.Context, _ control.Caller, args json.RawMessage, send func(any) error) error {
			all := []exported{{Session: &record{Ref: refOf(1)}}, {Session: &record{Ref: refOf(2)}}, {Count: &three}}
			if strings.Contains(string(args), "released") {
				all = all[:2]
			}
			for _, e := range all {
				if err := send(e); err != nil {
					return err
				}
			}
			return nil
		}},
	}
	s, err := control.Listen(control.Options{Dir: dir, Routes: routes, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	defer func() { end(); <-ended }()
	for _, state := range []string{"captured", "released"} { // one too few, and no end
		got := command("sessions", "export", "json", "--state", state)
		if got.code != exitPartly || strings.Count(got.stdout, "A12-1-") != 2 || !strings.Contains(got.stderr, "broke off after 2 charges") {
			t.Errorf("%s: %+v", state, got)
		}
	}
}
