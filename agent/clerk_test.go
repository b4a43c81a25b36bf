package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// office is a clerk with a book, and what is asked of them.
type office struct {
	*clerk
	t    *testing.T
	path string
	log  *paper
}

func newOffice(t *testing.T, path string) *office {
	t.Helper()
	o := &office{t: t, path: path, log: new(paper)}
	book, _, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	o.clerk = newClerk(book, &session.Rules{Post: "A12", EVSE: 1, Model: "meter"}, 1, slog.New(slog.NewTextHandler(o.log, nil)))
	return o
}

// sees shows the clerk a step that ends with this list, and lets it write.
func (o *office) sees(done ...session.Debt) {
	o.Saw(evse.Moment{After: session.State{Kept: session.Kept{Done: done, Serial: "7"}}, Kept: true, Now: hal.Instant{Wall: hal.Stamp{Unix: 1000, Clock: hal.ClockSynced}}})
	ctx, cancel := context.WithCancel(o.t.Context())
	cancel()
	o.run(ctx)
}

// told is what stands in the book, in short.
func (o *office) told() string {
	var words []string
	err := o.book.Read(func(e ledger.Entry) error {
		word := string(e.Kind)
		switch {
		case e.Sale != nil:
			word += fmt.Sprintf(" %s %s %v", e.Ref, e.Sale.Receipt, e.Sale.Captured)
		case e.Gap != nil:
			word += fmt.Sprintf(" %d-%d", e.Gap.From, e.Gap.To)
		case e.Told != "":
			word += fmt.Sprintf(" %s %s", e.Ref, e.Told)
		}
		words = append(words, word)
		return nil
	})
	if err != nil {
		o.t.Error(err)
	}
	return strings.Join(words, "; ")
}

func debt(n uint64, document uint64, captured payment.Amount) session.Debt {
	return session.Debt{
		Charge:   session.Charge{Number: n, Holder: payment.Holder{byte(n)}, Limit: 35_000, End: 1000, Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}},
		Captured: captured, Receipt: document,
	}
}

func TestClerkWritesEachChargeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	o := newOffice(t, path)
	first, nothing, second := debt(1, 1, 549), debt(2, 0, 0), debt(3, 2, 549)
	nothing.End = 0
	o.sees(first)
	o.sees(first, nothing, second)
	told := second
	told.Told = session.ToldAll
	o.sees(first, nothing, told)
	o.sees(first, nothing, told)
	want := "session.settled A12-1-000001 A12/1-000001 5.49; session.abandoned A12-1-000002  0.00; session.settled A12-1-000003 A12/1-000002 5.49; receipt.told A12-1-000003 all"
	if got := o.told(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again := newOffice(t, path) // a restart: what is on the list already stands in the book
	again.leave(session.Kept{Done: []session.Debt{first, nothing, told}}, hal.Stamp{})
	again.sees(first, nothing, told, debt(4, 0, 0))
	if got := again.told(); got != want+"; session.settled A12-1-000004  0.00" { // written off: a bill, and nothing captured
		t.Errorf("after a restart %s", got)
	}
}

// Until a settlement is on disk, a power cut can give its number to another one.
func TestClerkWritesWhatIsOnDisk(t *testing.T) {
	o := newOffice(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	write := func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		o.run(ctx)
	}
	moment := func(kept bool, before, after []session.Debt) evse.Moment {
		state := func(done []session.Debt) session.State {
			return session.State{Kept: session.Kept{Done: done, Serial: "7"}}
		}
		return evse.Moment{Before: state(before), After: state(after), Kept: kept, Now: hal.Instant{Wall: hal.Stamp{Unix: 1000, Clock: hal.ClockSynced}}}
	}
	const many = session.MaxDone + 3 // more than the state remembers
	var list []session.Debt
	for n := uint64(1); n <= many; n++ {
		next := append(slices.Clone(list[max(0, len(list)-session.MaxDone+1):]), debt(n, n, 549))
		o.Saw(moment(false, list, next))
		list = next
	}
	if write(); o.told() != "" {
		t.Errorf("before it is on disk: %s", o.told())
	}
	o.Saw(moment(true, list, list))
	write()
	if n := strings.Count(o.told(), "session.settled"); n != many {
		t.Errorf("%d charges, want %d: %s", n, many, o.told())
	}
}

func TestClerkTellsOfNumbersThatAreMissing(t *testing.T) {
	o := newOffice(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	o.sees(debt(1, 1, 549))
	o.sees(debt(1, 1, 549), debt(9, 19, 549), debt(10, 20, 549))
	want := "session.settled A12-1-000001 A12/1-000001 5.49; receipt.void 2-18; session.settled A12-1-000009 A12/1-000019 5.49; session.settled A12-1-000010 A12/1-000020 5.49"
	if got := o.told(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A book that cannot be written is told of once, and written when it can be.
func TestClerkWithoutABook(t *testing.T) {
	o := newOffice(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	o.book.Close()
	o.sees(debt(1, 1, 549))
	o.sees(debt(1, 1, 549), debt(2, 2, 549))
	if n := strings.Count(o.log.String(), "ledger cannot be written"); n != 1 {
		t.Errorf("told %d times:\n%s", n, o.log)
	}
}

// While the card is full, charges are kept that the loop has long forgotten: none is
// missing in the book in the end, and no number of a document is called void.
func TestClerkKeepsWhatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	o := newOffice(t, path)
	full := o.book
	full.Close()
	var done []session.Debt
	for n := range uint64(30) {
		done = append(done, debt(n+1, n+1, 549))
		done = done[max(0, len(done)-session.MaxDone):]
		o.sees(slices.Clone(done)...)
	}
	told := slices.Clone(done)
	told[0].Told = session.ToldAll // the newest of what is known of a charge counts
	o.sees(told...)
	o.book = newOffice(t, path).book
	o.sees(append(told[1:], debt(31, 31, 549))...)
	words := o.told()
	if strings.Count(words, "session.settled") != 31 || strings.Contains(words, "receipt.void") || strings.Count(words, "receipt.told A12-1-000023 all") != 1 {
		t.Errorf("%s", words)
	}
	if len(o.tray) != 0 {
		t.Errorf("%d are kept though they are written", len(o.tray))
	}
}

// There is an end to what is kept, and it is told.
func TestClerkKeepsNotMoreThanItCan(t *testing.T) {
	o := newOffice(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	o.book.Close()
	for n := range uint64(maxTray + 5) {
		o.leave(session.Kept{Done: []session.Debt{debt(n+1, n+1, 549)}}, hal.Stamp{})
	}
	o.sees(debt(maxTray+6, 0, 549))
	if len(o.tray) != maxTray || o.tray[0].debt.Number != 7 || !strings.Contains(o.log.String(), "charges=6") {
		t.Errorf("%d are kept from %d on\n%s", len(o.tray), o.tray[0].debt.Number, o.log)
	}
}

func TestDriverFindsAReceiptThatTheJournalHasForgotten(t *testing.T) {
	p, v := shop(session.Kept{})
	o := newOffice(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	d := debt(7, 3, 549)
	d.Holder, d.Why, d.Released = driver, display.ByDriver, 34_451
	o.sees(d)
	if _, ok := p.Session(t.Context(), "A12", driver); ok {
		t.Error("found without a book")
	}
	p.book = o.book
	view, ok := p.Session(t.Context(), "A12", driver)
	if c := view.Charge; !ok || c.Ref != "A12-1-000007" || c.Receipt != "A12/1-000003" || c.Captured != 549 || !c.Settled || c.Meter.Serial != "7" {
		t.Errorf("%v: %+v", ok, c)
	}
	if _, ok := p.Session(t.Context(), "A12", payment.Holder{9}); ok {
		t.Error("a stranger finds something")
	}
	if err := p.Act(t.Context(), "A12", driver, display.StopCharge); !errors.Is(err, display.ErrOver) {
		t.Errorf("%v", err)
	}
	v.Rules().EVSE = 2
	if _, ok := p.Session(t.Context(), "A12", driver); ok {
		t.Error("found at another EVSE")
	}
}

func TestBookIsNotNeeded(t *testing.T) {
	var log paper
	none := openBook(filepath.Join(t.TempDir(), "none"), "A12", slog.New(slog.NewTextHandler(&log, nil)))
	if !strings.Contains(none.Health(), "cannot be opened") || !strings.Contains(log.String(), "cannot be opened") {
		t.Errorf("%s\n%s", none.Health(), &log)
	}
	if _, err := commandsIn(none); err == nil { // else each of them could be done again
		t.Error("commands are read in a book that is not open")
	}
	none.Close()
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "ledger.jsonl"), []byte(`{"seq":1`), 0o600); err != nil {
		t.Fatal(err)
	}
	book := openBook(path, "A12", slog.New(slog.NewTextHandler(&log, nil)))
	if book == nil || !strings.Contains(log.String(), "bytes=8") {
		t.Errorf("%v\n%s", book, &log)
	}
	book.Close()
}

// What hangs while it writes keeps no clerk from ending.
func TestClerkEndsThoughTheCardHangs(t *testing.T) {
	for _, hangs := range []bool{false, true} { // before the end, or at it
		synctest.Test(t, func(t *testing.T) {
			o := newOffice(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
			o.wake = make(chan struct{}, 1)
			card := &stuck{free: make(chan struct{})}
			o.scribe = newScribe(o.book, o.rules, &evse.Moment{}, slog.New(slog.NewTextHandler(card, nil)), o.call)
			o.scribe.lost = 1
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { o.run(ctx); close(ended) }()
			if hangs {
				o.call()
				synctest.Wait()
			}
			began := time.Now()
			cancel()
			<-ended
			if took := time.Since(began); took != lastWithin || !strings.Contains(o.log.String(), "does not answer") {
				t.Errorf("it took %v\n%s", took, o.log)
			}
			close(card.free)
			synctest.Wait()
		})
	}
}

// A book that was ill at the start and comes back: no number is called void that it knows.
func TestClerkWithABookThatIsOpenedLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	o := newOffice(t, path)
	o.sees(debt(1, 1, 549), debt(2, 2, 549))
	if err := errors.Join(o.book.Close(), os.Rename(path, path+"-away"), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	o.book = openBook(filepath.Dir(path), "A12", slog.New(slog.NewTextHandler(o.log, nil)))
	defer o.book.Close()
	o.sees(debt(2, 2, 549), debt(3, 3, 549))
	if err := errors.Join(os.Remove(path), os.Rename(path+"-away", path)); err != nil {
		t.Fatal(err)
	}
	o.sees(debt(2, 2, 549), debt(3, 3, 549))
	want := "session.settled A12-1-000001 A12/1-000001 5.49; session.settled A12-1-000002 A12/1-000002 5.49; session.settled A12-1-000003 A12/1-000003 5.49"
	if got := o.told(); got != want || o.book.Health() != "" {
		t.Errorf("got  %s\nwant %s\nhealth %s", got, want, o.book.Health())
	}
}
