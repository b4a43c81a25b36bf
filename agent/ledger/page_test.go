package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// day is a day after 2027-01-01, s since 1970.
func day(n int) int64 { return time.Date(2027, 1, 1+n, 0, 0, 0, 0, time.UTC).Unix() }

// on gives the entry another time.
func (e Entry) on(at int64) Entry {
	e.At, e.Clock = at, hal.ClockSynced.String()
	return e
}

// talk is an entry that does not tell of money, and is not durable by itself.
func talk(n uint64) Entry {
	return Entry{Kind: SessionStarted, EVSE: 1, Ref: payment.NewRef("A12", 1, n), Session: &Session{Number: n, Currency: payment.NOK}}
}

// names are the files of a book.
func names(t *testing.T, path string) string {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, n := range all {
		words = append(words, n.Name())
	}
	return strings.Join(words, " ")
}

// numbers are those of all entries, with an r where they tell of money and t where
// some were dropped.
func numbers(l *Ledger) string {
	var words []string
	err := l.Read(func(e Entry) error {
		word := fmt.Sprint(e.Seq)
		if e.Kind.Money() {
			word += "r"
		}
		if e.Kind == Trimmed {
			word = fmt.Sprintf("%d-%dt", e.Gap.From, e.Gap.To)
		}
		words = append(words, word)
		return nil
	})
	if err != nil {
		words = append(words, err.Error())
	}
	return strings.Join(words, " ")
}

func TestEachMonthHasAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1).on(day(0)), talk(2).on(day(30)), talk(2).on(day(31)), sale(2).on(day(32)), sale(3).on(day(59)), talk(4))
	add(t, l, Entry{Kind: FaultRaised, EVSE: 2, Fault: &Fault{Code: "MET-001"}}.on(day(58))) // a clock that was put back is no new month
	if got, want := names(t, path), "ledger-000000000001.jsonl ledger-000000000003.jsonl ledger.jsonl"; got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	again, _ := open(t, path)
	for _, x := range []*Ledger{l, again} {
		if got := numbers(x); got != "1r 2 3 4r 5r 6 7" {
			t.Errorf("read %s", got)
		}
		for n := byte(1); n <= 3; n++ {
			if e, ok := x.Find(payment.Holder{n}); !ok || e.Sale.Number != uint64(n) {
				t.Errorf("charge %d: found %+v, %v", n, e, ok)
			}
		}
		if x.Receipts(1) != 3 || x.Newest() != 7 || x.Raised(2)["MET-001"] != day(58) || x.Health() != "" {
			t.Errorf("document %d, newest %d, faults %v, %s", x.Receipts(1), x.Newest(), x.Raised(2), x.Health())
		}
	}
}

// A file is turned when it is full; what a start does not read it still knows.
func TestFullFileIsTurned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1).on(day(0)), Entry{Kind: FaultRaised, EVSE: 1, Fault: &Fault{Code: "CON-001"}}.on(day(0)),
		Entry{Kind: FaultRaised, EVSE: 1, Fault: &Fault{Code: "MET-001"}}.on(day(0)), Entry{Kind: FaultCleared, EVSE: 1, Fault: &Fault{Code: "MET-001"}}.on(day(1)))
	long := talk(1).on(day(2))
	long.Session.Reason = strings.Repeat("x", maxLine/2)
	const most = (maxOpened + 3*maxPage) / (maxLine / 2)
	for range most {
		add(t, l, long)
	}
	all, err := l.olders()
	if err != nil || len(all) < 6 {
		t.Fatalf("%d files, %v", len(all), err)
	}
	for _, o := range all {
		if info, err := os.Stat(o.path); err != nil || info.Size() > maxPage+maxLine {
			t.Errorf("%s has %d bytes, %v", o.path, info.Size(), err)
		}
	}
	again, _ := open(t, path)
	if again.Receipts(1) != 1 || len(again.Raised(1)) != 1 || again.Raised(1)["CON-001"] != day(0) || again.Health() != "" {
		t.Errorf("document %d, faults %v, health %q", again.Receipts(1), again.Raised(1), again.Health())
	}
	if _, found := again.Find(payment.Holder{1}); found {
		t.Error("a start has read the oldest file")
	}
	if n := strings.Count(numbers(again), " "); n != most+4-1 {
		t.Errorf("%d entries", n+1)
	}
	a, err := again.Account("A12-1-000001")
	if err != nil || a.Sale == nil {
		t.Errorf("%+v, %v", a, err)
	}
}

// Two processes: one turns the files, the other follows.
func TestOtherProcessTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	a, _ := open(t, path)
	b, _ := open(t, path)
	add(t, a, sale(1).on(day(0)))
	add(t, b, sale(2).on(day(31)), sale(3).on(day(59)), sale(4).on(day(60)))
	add(t, a, sale(5).on(day(61)))
	add(t, b, sale(6).on(day(90)))
	for _, l := range []*Ledger{a, b} {
		if got := numbers(l); got != "1r 2r 3r 4r 5r 6r" {
			t.Errorf("read %s", got)
		}
	}
	if !a.Has("A12-1-000002") || !a.Has("A12-1-000003") || a.Receipts(1) != 6 || a.Health() != "" {
		t.Errorf("what the other has written is not known: health %q", a.Health())
	}
}

func TestRotInAnOlderFileIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1).on(day(0)), sale(2).on(day(1)), sale(3).on(day(31)), sale(4).on(day(32)), sale(5).on(day(60)))
	old := l.named(3)
	whole, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	head := strings.IndexByte(string(whole), '\n') + 1
	for n, want := range map[int]string{
		10:             "1r 2r 3r 4r 5r ledger: damaged, the rest was read: ledger-000000000003.jsonl line 1: not as it was written: checksum",
		head + 10:      "1r 2r 4r 5r ledger: damaged, the rest was read: ledger-000000000003.jsonl line 2: not as it was written: checksum",
		len(whole) - 1: "1r 2r 3r 5r ledger: damaged, the rest was read: ledger-000000000003.jsonl line 3: not as it was written: checksum",
	} {
		bad := append([]byte(nil), whole...)
		bad[n] ^= 1
		write(t, old, bad)
		if got := numbers(l); got != want {
			t.Errorf("byte %d: %s, want %s", n, got, want)
		}
		if l.Health() == "" {
			t.Error("what was found by reading is not told")
		}
		x, _ := open(t, path)
		if !strings.Contains(x.Health(), "damaged: ledger-000000000003.jsonl line") || x.Receipts(1) != 5 {
			t.Errorf("byte %d: health %q, document %d", n, x.Health(), x.Receipts(1))
		}
		if now, err := os.ReadFile(old); err != nil || string(now) != string(bad) {
			t.Error("a damaged file was changed")
		}
	}
	write(t, old, whole[:head]) // lines that are missing
	if got := numbers(l); got != "1r 2r 5r ledger: damaged, the rest was read: ledger.jsonl line 1: number 4 after 2" {
		t.Errorf("%s", got)
	}
	if err := os.Remove(old); err != nil {
		t.Fatal(err)
	}
	if got := numbers(l); got != "1r 2r 5r ledger: damaged, the rest was read: ledger.jsonl line 1: number 4 after 2" {
		t.Errorf("%s", got)
	}
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Zeros in lines that were not synced are what a power cut leaves of a page that was
// not written; in lines that were, they are rot.
func TestZerosAtTheEndAreCutBack(t *testing.T) {
	for _, x := range []struct {
		name  string
		after Entry
		sent  string // what stands there of what was acknowledged
		want  string
	}{
		{"nothing durable after", talk(3), "", "1r 2r"},
		{"nothing that has left the post", talk(3), `{"acknowledged":2}`, "1r 2r"},
		{"something after that has left the post", talk(3), `{"acknowledged":3}`, "1r 3 ledger: damaged, the rest was read: ledger.jsonl line 2: not as it was written: checksum"},
		{"something durable after", sale(3), "", "1r 3r ledger: damaged, the rest was read: ledger.jsonl line 2: not as it was written: checksum"},
	} {
		path := filepath.Join(t.TempDir(), "ledger.jsonl")
		l, _ := open(t, path)
		add(t, l, sale(1), talk(2), x.after)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := strings.IndexByte(string(text), '\n') + 20
		copy(text[at:], make([]byte, 30))
		write(t, path, text)
		write(t, l.Outbox().path(), []byte(x.sent))
		again, _ := open(t, path)
		if strings.HasPrefix(x.name, "nothing") {
			add(t, again, sale(9))
		}
		if got := numbers(again); got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

// The administrator's commands write too, and what they begin is the daemon's.
func TestFilesBelongToWhoHasTheFolder(t *testing.T) {
	const daemon = 12345
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1).on(day(0)))
	if err := os.Chown(filepath.Dir(path), daemon, daemon); err != nil {
		t.Skipf("only the administrator can: %v", err)
	}
	add(t, l, sale(2).on(day(31)), sale(3).on(day(70)))
	sent(t, l.Outbox(), 9)
	l.Outbox().Done(3)
	if err := l.Outbox().Save(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{path, l.named(1), l.Outbox().path()} { // begun, trimmed, saved
		if info, err := os.Stat(name); err != nil || info.Sys().(*syscall.Stat_t).Uid != daemon || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

// A name that is taken is not written over.
func TestNoFileIsWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1).on(day(0)))
	write(t, l.named(1), []byte("somebody's\n"))
	if err := l.Append(sale(2).on(day(31))); err == nil || !strings.Contains(err.Error(), "is there already") || !strings.Contains(l.Health(), "is there already") {
		t.Errorf("%v, %s", err, l.Health())
	}
}

// What could not be synced is taken back: it would be written twice.
func TestUnsyncedLineIsTakenBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1), talk(1))
	ill := true
	l.before = func(op string) error {
		if ill && op == "sync" {
			return syscall.EIO
		}
		return nil
	}
	refund := Entry{Kind: RefundIntent, Ref: "A12-1-000001", Refund: &Refund{Key: "k"}}
	if err := l.Append(refund); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	if got := numbers(reopened(t, path)); got != "1r 2" {
		t.Error(got)
	}
	ill = false
	add(t, l, refund)
	if got := numbers(l); got != "1r 2 3r" {
		t.Error(got)
	}
}

// What was written before the book had events is read.
func TestOldWordsAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	for i, k := range []Kind{"sold", "ended", "void", "informed", "refund_intent", "refunded", "refund_refused"} {
		e := sale(uint64(i + 1))
		e.Kind = k
		add(t, l, e)
	}
	if got := numbers(l); got != "1r 2r 3r 4r 5r 6r 7r" {
		t.Errorf("%s", got)
	}
}

// A full disk: nothing is half written, it is told of, and all is well when there is
// room again.
func TestFullDisk(t *testing.T) {
	for _, op := range []string{"write", "sync", "create ledger.jsonl", "rename ledger.jsonl", "rename ledger-000000000001.jsonl"} {
		path := filepath.Join(t.TempDir(), "ledger.jsonl")
		l, _ := open(t, path)
		add(t, l, sale(1).on(day(0)), talk(1).on(day(1)))
		l.before = func(now string) error {
			if now == op {
				return syscall.ENOSPC
			}
			return nil
		}
		e := sale(2).on(day(31)) // due for a new file
		for range 2 {
			if err := l.Append(e); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s: %v", op, err)
			}
		}
		if got := l.Health(); !strings.Contains(got, "cannot be written") || !strings.Contains(got, "no space left") {
			t.Errorf("%s: health %q", op, got)
		}
		if got := numbers(reopened(t, path)); got != "1r 2" {
			t.Errorf("%s: %s", op, got)
		}
		l.before = nil
		add(t, l, e)
		for _, x := range []*Ledger{l, reopened(t, path)} {
			if got := numbers(x); got != "1r 2 3r" || x.Health() != "" {
				t.Errorf("%s: %s, health %q", op, got, x.Health())
			}
		}
	}
}

func reopened(t *testing.T, path string) *Ledger {
	t.Helper()
	l, _ := open(t, path)
	return l
}

// Root writes here, too, when a post is set up. A link that the daemon has put there must not
// lead it to another file, which it would empty and give away.
func TestALinkIsNoBook(t *testing.T) {
	for _, name := range []string{"ledger.jsonl", "ledger.jsonl" + partial} {
		dir := t.TempDir()
		other := filepath.Join(dir, "other")
		if err := os.WriteFile(other, []byte("not a book"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(other, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		book, _, err := Open(filepath.Join(dir, "ledger.jsonl"))
		if err == nil {
			err = errors.Join(book.draft(book.path, func(io.Writer) error { return nil }), book.Close())
		}
		if !errors.Is(err, syscall.ELOOP) {
			t.Errorf("%s: %v", name, err)
		}
		if text, err := os.ReadFile(other); err != nil || string(text) != "not a book" {
			t.Errorf("%s: the other file is now %q, %v", name, text, err)
		}
	}
}
