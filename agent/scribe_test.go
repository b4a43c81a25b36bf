package main

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/agent/telemetry"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/hal/sim"
	"stolpe/payment"
)

// newBook is a book in a folder of its own.
func newBook(t *testing.T) (*ledger.Ledger, string) {
	t.Helper()
	path := ledgerPath(t.TempDir())
	book, _, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	return book.Named("A12"), path
}

// kindsOf are the kinds of all entries in a book about a reference, "" for the rest.
func kindsOf(t *testing.T, book *ledger.Ledger, ref payment.Ref) string {
	t.Helper()
	var kinds []string
	if err := book.Read(func(e ledger.Entry) error {
		if e.Ref == ref {
			kinds = append(kinds, string(e.Kind))
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	return strings.Join(kinds, " ")
}

const wholeCharge = "session.created session.authorised session.started session.ended session.settled receipt.told"

// The book has the whole story of a charge, in its order.
func TestBookOfACharge(t *testing.T) {
	t.Parallel()
	book, _ := newBook(t)
	p := perform(t, func(w *world) { w.book = book })
	if _, err := p.charge(t); err != nil {
		t.Fatal(err)
	}
	until(t, "a receipt in the app", func() bool { return book.HasTold("DEMO-1-000001") })
	if got := kindsOf(t, book, "DEMO-1-000001"); got != wholeCharge {
		t.Errorf("%s, want %s", got, wholeCharge)
	}
	if got := kindsOf(t, book, ""); got != "post.booted" && !strings.HasPrefix(got, "post.booted fault.raised fault.cleared") { // on a busy machine a start takes long
		t.Errorf("beside the charge: %s", got)
	}
	if err := book.Read(func(e ledger.Entry) error {
		told, ok := e.Data().(*ledger.Session)
		switch {
		case e.Kind == ledger.PostBooted && (e.EVSE != 0 || telemetry.KindOf(string(e.Kind)) != "audit"):
			t.Errorf("%+v", e)
		case e.Kind == ledger.Sold && (!ok || told.Reason != "driver_stop" || *told.Captured != *told.Gross || *told.Energy <= 0 || told.End.IsZero()):
			t.Errorf("%+v", told)
		case e.Kind == ledger.SessionEnded && (!ok || told.Captured != nil || *told.Gross <= 0 || told.Reason != "driver_stop"):
			t.Errorf("%+v", told)
		case ok && (told.Number != 1 || told.Reserved != 35_000 || told.Currency != payment.NOK):
			t.Errorf("%s: %+v", e.Kind, told)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// With a book that takes nothing, charging and settling go on, and it is told; when it
// takes something again, nothing that tells of money is missing, or written twice.
func TestChargesWithoutABookComeInLater(t *testing.T) {
	t.Parallel()
	book, path := newBook(t)
	if err := book.Append(ledger.Entry{Kind: ledger.PostConfig, Post: &ledger.Post{}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 0); err != nil { // as ill as a disk can be
		t.Fatal(err)
	}
	p := perform(t, func(w *world) { w.book = book })
	if o, err := p.charge(t); err != nil || o.Captured == 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	until(t, "ill", func() bool { return strings.Contains(book.Health(), "cannot be written") })
	if got := strings.Count(p.log.String(), "ledger cannot be written"); got != 1 {
		t.Errorf("told %d times", got)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.charge(t); err != nil {
		t.Fatal(err)
	}
	until(t, "all charges in the book", func() bool { return book.HasTold("DEMO-1-000001") && book.HasTold("DEMO-1-000002") })
	for n := range uint64(2) {
		ref := payment.NewRef("DEMO", 1, n+1)
		if got := kindsOf(t, book, ref); got != wholeCharge {
			t.Errorf("%s: %s", ref, got)
		}
	}
	if got := book.Health(); got != "" {
		t.Error(got)
	}
}

// A car that pauses is told of, and that it goes on.
func TestPauseIsToldOf(t *testing.T) {
	t.Parallel()
	book, _ := newBook(t)
	var rig *sim.Rig
	p := perform(t, func(w *world) {
		w.book = book
		made := w.bench
		w.bench = func(e config.EVSE) (*bench, error) {
			b, err := made(e)
			rig = b.rig
			return b, err
		}
	})
	session := begin(t, p.url+"/en/A12")
	is := func(want display.State) func() bool {
		return func() bool {
			v, _ := p.parts.Public("A12")
			return v.State == want
		}
	}
	until(t, "charging", is(display.Charging))
	rig.Do(func(b *sim.Bench, now time.Duration) { b.Pause(now, true) })
	until(t, "suspended", is(display.Suspended))
	rig.Do(func(b *sim.Bench, now time.Duration) { b.Pause(now, false) })
	until(t, "charging again", is(display.Charging))
	driver := &phone{ctx: t.Context(), stage: p.stage}
	if _, err := driver.post(session, url.Values{"act": {"stop"}}); err != nil {
		t.Fatal(err)
	}
	until(t, "settled", func() bool { return book.Has("DEMO-1-000001") })
	want := "session.created session.authorised session.started session.suspended session.resumed session.ended"
	if got := kindsOf(t, book, "DEMO-1-000001"); !strings.HasPrefix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// newStudy is a scribe with a book, whose clerk is the test.
func newStudy(t *testing.T, found session.State) (*scribe, *ledger.Ledger, *paper) {
	t.Helper()
	book, _ := newBook(t)
	log := new(paper)
	return newScribe(book, &session.Rules{Post: "A12", EVSE: 1}, &evse.Moment{After: found}, slog.New(slog.NewTextHandler(log, nil)), func() {}), book, log
}

// secondsIn is an instant after the start, with a clock that is right.
func secondsIn(n int) hal.Instant {
	return hal.Instant{Mono: time.Duration(n) * time.Second, Wall: hal.Stamp{Unix: epoch + int64(n), Clock: hal.ClockSynced}}
}

// storied is what the book says of faults, in short.
func storied(t *testing.T, book *ledger.Ledger) string {
	t.Helper()
	var words []string
	if err := book.Read(func(e ledger.Entry) error {
		word := string(e.Kind)
		if e.Fault != nil {
			word += fmt.Sprintf(" %s %s at %d", e.Fault.Code, e.Fault.Class, e.At-epoch)
			if e.Fault.Seconds != 0 {
				word += fmt.Sprintf(" after %d", e.Fault.Seconds)
			}
		}
		if p := e.Post; p != nil {
			word += fmt.Sprintf(" jump %d was %s at %d", p.Jump, p.Was, e.At-epoch)
		}
		words = append(words, word)
		return nil
	}); err != nil {
		t.Error(err)
	}
	return strings.Join(words, "; ")
}

func TestFaultsAreToldOnce(t *testing.T) {
	const silent, swap, emergency = session.MeterSilent, session.MeterSwap, session.Emergency
	type at struct {
		second int
		faults session.Faults
	}
	for _, x := range []struct {
		name   string
		before string // raised before the start
		found  session.Faults
		steps  []at
		want   string
	}{
		{"none", "", 0, []at{{1, 0}, {100, 0}}, ""},
		{"one, and over", "", 0, []at{{1, 0}, {2, silent}, {5, silent}, {9, 0}, {18, 0}, {19, 0}, {20, 0}},
			"fault.raised MET-001 meter at 2; fault.cleared MET-001 meter at 9 after 7"},
		{"that comes and goes", "", 0, []at{{1, silent}, {2, 0}, {3, 0}, {11, 0}, {12, silent}, {13, 0}, {22, 0}, {23, 0}},
			"fault.raised MET-001 meter at 1; fault.cleared MET-001 meter at 13 after 12"},
		{"known no more at a start, and it comes back", "", silent, []at{{1, silent}, {3, 0}, {5, silent}}, "fault.raised MET-001 meter at 5"},
		{"pressed for a moment", "", 0, []at{{50, emergency}, {51, 0}, {61, 0}}, "fault.raised SAF-002 safety at 50; fault.cleared SAF-002 safety at 51 after 1"},
		{"two", "", 0, []at{{1, silent | swap}, {2, swap}, {12, swap}},
			"fault.raised MET-002 meter at 1; fault.raised MET-001 meter at 1; fault.cleared MET-001 meter at 2 after 1"},
		{"known no more at a start", "", silent, []at{{1, silent}, {3, 0}, {40, 0}}, ""},
		{"at a start, and it stays", "", silent, []at{{1, silent}, {29, silent}, {31, silent}}, "fault.raised MET-001 meter at 31"},
		{"at a start, and another", "", silent, []at{{1, silent}, {2, silent | swap}}, "fault.raised MET-002 meter at 2"},
		{"told before a start, and still there", "MET-002", 0, []at{{1, swap}, {2, swap}}, ""},
		{"told before a start, and over", "MET-002", 0, []at{{1, 0}, {11, 0}}, "fault.cleared MET-002 meter at 1 after 1"},
	} {
		s, book, _ := newStudy(t, session.State{})
		if x.before != "" {
			if err := book.Append(ledger.Entry{Kind: ledger.FaultRaised, EVSE: 1, At: epoch, Clock: "synced", Fault: &ledger.Fault{Code: x.before, Class: "meter"}}); err != nil {
				t.Fatal(err)
			}
			x.want = strings.TrimSuffix("fault.raised "+x.before+" meter at 0; "+x.want, "; ")
		}
		s.faults = complained(book.Raised(1), &session.State{Passing: x.found})
		for _, step := range x.steps {
			state := session.State{Kept: session.Kept{Latched: step.faults & swap}, Passing: step.faults &^ swap}
			s.Saw(evse.Moment{Before: state, After: state, Now: secondsIn(step.second)})
			if err := s.write(); err != nil {
				t.Fatal(err)
			}
		}
		if got := storied(t, book); got != x.want {
			t.Errorf("%s:\n%s\nwant\n%s", x.name, got, x.want)
		}
	}
}

func TestClockIsToldOf(t *testing.T) {
	s, book, _ := newStudy(t, session.State{})
	d := &dial{scribe: s}
	for _, x := range []struct {
		mono  int
		wall  int64 // after epoch, s
		clock hal.Clock
	}{
		{1, 1, hal.ClockHoldover}, {2, 3, hal.ClockHoldover}, {3, 3, hal.ClockHoldover}, // counted in whole seconds
		{4, 6, hal.ClockHoldover}, {5, 5, hal.ClockHoldover}, // nor is that a jump
		{6, 6, hal.ClockSynced}, {7, 3607, hal.ClockSynced}, {100, 3700, hal.ClockSynced}, {101, 101, hal.ClockHoldover}, {102, 102, hal.ClockHoldover},
	} {
		now := secondsIn(x.mono)
		now.Wall = hal.Stamp{Unix: epoch + x.wall, Clock: x.clock}
		d.Saw(evse.Moment{Now: now})
	}
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
	want := "post.clock jump 0 was holdover at 6; post.clock jump 3600 was  at 3607; post.clock jump -3600 was synced at 101"
	if got := storied(t, book); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// A settlement that needs a person is told of once for each reason, and once more by
// nobody who starts later.
func TestFailedPaymentIsToldOnce(t *testing.T) {
	owed := func(why payment.Reason) session.State {
		return session.State{Kept: session.Kept{Counter: 7, Debts: []session.Debt{
			{Charge: session.Charge{Number: 6, Price: payment.Price{Currency: payment.NOK}}},
			{Charge: session.Charge{Number: 7, Price: payment.Price{Currency: payment.NOK}}, Due: 100, Trouble: why},
		}}}
	}
	s, book, _ := newStudy(t, session.State{})
	for _, why := range []payment.Reason{payment.NoReason, payment.FundsGone, payment.FundsGone, payment.NoReason, payment.FundsGone, payment.TooLate} {
		s.Saw(evse.Moment{After: owed(why), Now: secondsIn(1)})
	}
	done := owed(payment.TooLate)
	done.Debts, done.Done = done.Debts[:1], done.Debts[1:]
	s.Saw(evse.Moment{After: done, Now: secondsIn(2)})
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
	var told []string
	if err := book.Read(func(e ledger.Entry) error {
		told = append(told, string(e.Kind)+" "+string(e.Ref)+" "+e.Session.Trouble)
		return nil
	}); err != nil {
		t.Error(err)
	}
	if got := strings.Join(told, "; "); got != "payment.failed A12-1-000007 funds_gone; payment.failed A12-1-000007 too_late" {
		t.Error(got)
	}
	later, book, _ := newStudy(t, owed(payment.TooLate))
	later.Saw(evse.Moment{After: owed(payment.TooLate), Now: secondsIn(1)})
	if err := later.write(); err != nil || book.Newest() != 0 {
		t.Errorf("told again: %v", err)
	}
}

// A charge that was under way when the post lost power ends at the next start.
func TestStartEndsACharge(t *testing.T) {
	s, book, _ := newStudy(t, session.State{})
	charge := session.Charge{Number: 7, Price: payment.Price{Currency: payment.NOK}}
	waiting := session.State{Kept: session.Kept{Phase: session.Waiting, Charge: charge}}
	owed := session.State{Kept: session.Kept{Debts: []session.Debt{{Charge: charge}}}}
	for _, m := range []evse.Moment{{Before: waiting, After: owed}, {Before: owed, After: owed}, {Before: waiting, After: waiting}} {
		s.ended(&m)
	}
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
	if got := kindsOf(t, book, "A12-1-000007"); got != "session.ended" {
		t.Error(got)
	}
}

// The whole program does the same, and what is settled comes after what has ended.
func TestBookOfAPostThatLostPower(t *testing.T) {
	t.Parallel()
	book, _ := newBook(t)
	perform(t, func(w *world) {
		w.book = book
		made := w.store
		w.store = func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
			j, found, end, err := made(e, owner)
			found.state = session.Kept{Phase: session.Waiting, Counter: 7, Charge: session.Charge{Number: 7, Price: payment.Price{Currency: payment.NOK}, Limit: 35_000}}
			return j, found, end, err
		}
	})
	until(t, "settled", func() bool { return book.Has("DEMO-1-000007") })
	if got := kindsOf(t, book, "DEMO-1-000007"); got != "session.ended session.abandoned" {
		t.Error(got)
	}
}

// The clerk writes what the scribe has first.
func TestWhatEndedComesBeforeWhatIsSettled(t *testing.T) {
	o := newOffice(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	o.scribe = newScribe(o.book, o.rules, &evse.Moment{}, o.clerk.log, o.call)
	d := debt(7, 1, 549)
	o.leave(session.Kept{Done: []session.Debt{d}}, hal.Stamp{})
	o.scribe.ended(&evse.Moment{
		Before: session.State{Kept: session.Kept{Phase: session.Stopping, Charge: d.Charge}},
		After:  session.State{Kept: session.Kept{Done: []session.Debt{d}}},
	})
	o.clerk.write()
	if got := kindsOf(t, o.book, "A12-1-000007"); got != "session.ended session.settled" {
		t.Error(got)
	}
}

// There is an end to what is kept for a book that cannot be written, and it is told.
func TestScribeKeepsNotMoreThanItCan(t *testing.T) {
	s, book, log := newStudy(t, session.State{})
	book.Close()
	for n := range maxEntries + 5 {
		s.put(ledger.Entry{Kind: ledger.PostClock, Post: &ledger.Post{Jump: int64(n)}}, hal.Stamp{})
	}
	if err := s.write(); err == nil {
		t.Error("written to a book that is gone")
	}
	s.put(ledger.Entry{Kind: ledger.PostClock, Post: &ledger.Post{Jump: 1000}}, hal.Stamp{})
	if len(s.tray) != maxEntries || s.tray[0].Post.Jump != 6 || s.tray[maxEntries-1].Post.Jump != 1000 || !strings.Contains(log.String(), "events=5") {
		t.Errorf("%d are kept from %d on\n%s", len(s.tray), s.tray[0].Post.Jump, log)
	}
	s.putBack([]ledger.Entry{{Kind: ledger.PostConfig}}) // older than all of them
	if len(s.tray) != maxEntries || s.tray[0].Post.Jump != 6 || s.lost != 2 {
		t.Errorf("%d are kept from %+v on, %d lost", len(s.tray), s.tray[0], s.lost)
	}
	var err error
	if s.book, _, err = ledger.Open(filepath.Join(t.TempDir(), "ledger.jsonl")); err != nil {
		t.Fatal(err)
	}
	if err := s.write(); err != nil || s.book.Newest() != maxEntries || !strings.Contains(log.String(), "events=2\n") {
		t.Errorf("%d are written, %v\n%s", s.book.Newest(), err, log)
	}
	s.book.Close()
}
