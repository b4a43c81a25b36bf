package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fails makes a disk say no to some changes, until it is called.
func fails(l *Ledger, ops ...string) (heal func()) {
	l.before = func(op string) error {
		if slices.Contains(ops, op) {
			return syscall.EROFS
		}
		return nil
	}
	return func() { l.before = nil }
}

// A disk that cannot begin another file keeps nobody from reading what there is, and
// nothing from being sent.
func TestBookIsReadThatHasNoFile(t *testing.T) {
	for _, x := range []struct{ op, files string }{
		{"create ledger.jsonl", "ledger.jsonl"},
		{"rename ledger-000000000001.jsonl", "ledger.jsonl"},
		{"rename ledger.jsonl", "ledger-000000000001.jsonl"},
	} {
		path := filepath.Join(t.TempDir(), "ledger.jsonl")
		l, _ := open(t, path)
		add(t, l, sale(1).on(day(0)), talk(1).on(day(1)))
		heal := fails(l, x.op)
		for range 2 {
			if err := l.Append(sale(2).on(day(31))); !errors.Is(err, syscall.EROFS) {
				t.Errorf("%s: %v", x.op, err)
			}
			if a, b := numbers(l), sent(t, l.Outbox(), 9); a != "1r 2" || b != "1 2" {
				t.Errorf("%s: read %s, sent %s", x.op, a, b)
			}
		}
		if got := names(t, path); got != x.files && got != x.files+" ledger.jsonl.tmp" {
			t.Errorf("%s: files %s", x.op, got)
		}
		heal()
		add(t, l, sale(2).on(day(31)))
		if a, b := numbers(l), sent(t, l.Outbox(), 9); a != "1r 2 3r" || b != "1 2 3" || l.Health() != "" {
			t.Errorf("%s: read %s, sent %s, health %s", x.op, a, b, l.Health())
		}
	}
}

// A line that was not synced, and could not be taken back either, is not taken for a
// good one.
func TestLineThatCannotBeTakenBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1), talk(1))
	heal := fails(l, "sync", "take back")
	before := size(t, path)
	for range 2 {
		if err := l.Append(sale(2)); !errors.Is(err, syscall.EROFS) {
			t.Error(err)
		}
		if l.Has("A12-1-000002") || numbers(l) != "1r 2" {
			t.Errorf("read %s", numbers(l))
		}
	}
	if size(t, path) == before {
		t.Error("the line is not there")
	}
	heal()
	if got := sent(t, l.Outbox(), 9); got != "1 2" {
		t.Errorf("sent %s", got)
	}
	add(t, l, sale(1))
	if l.Health() == "" {
		t.Error("nothing was written, and all is well")
	}
	add(t, l, sale(2))
	if got := numbers(reopened(t, path)); got != "1r 2 3r" || l.Health() != "" {
		t.Errorf("read %s, health %s", got, l.Health())
	}
}

// Another process that has gone on after it has taken it for good: it stays.
func TestLineThatAnotherHasFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	other, _ := open(t, path)
	add(t, l, sale(1))
	heal := fails(l, "sync", "take back")
	if l.Append(sale(2)) == nil {
		t.Error("written")
	}
	add(t, other, sale(3))
	var ops []string
	heal()
	l.before = func(op string) error { ops = append(ops, op); return nil }
	add(t, l, sale(2))
	if got := numbers(l); got != "1r 2r 3r" || !slices.Equal(ops, []string{"write again", "sync"}) {
		t.Errorf("read %s, %s", got, ops)
	}
}

// The end of a charge that is there already is on disk when Append says so.
func TestWhatIsThereIsOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1))
	again := reopened(t, path)
	heal := fails(again, "sync")
	if err := again.Append(sale(1)); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	heal()
	add(t, again, sale(1))
	if got := numbers(again); got != "1r" {
		t.Error(got)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A book that cannot be opened is ill, and is opened when that can be done, by whoever
// writes, reads or sends first. What was acknowledged before is not sent again.
func TestBookIsOpenedLater(t *testing.T) {
	for name, first := range map[string]func(*Ledger){
		"append": func(l *Ledger) { add(t, l, sale(1)) },
		"read":   func(l *Ledger) { numbers(l) },
		"send":   func(l *Ledger) { sent(t, l.Outbox(), 9) },
	} {
		for _, what := range []string{"", "ledger.jsonl", "ledger-000000000001.jsonl"} { // the folder, or a file in it
			path := filepath.Join(t.TempDir(), "book", "ledger.jsonl")
			gone := filepath.Join(filepath.Dir(path), what)
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			l, _ := open(t, path)
			add(t, l, sale(1).on(day(0)), sale(2).on(day(31)))
			sent(t, l.Outbox(), 9)
			l.Outbox().Done(1)
			if err := errors.Join(l.Close(), os.Rename(gone, gone+"-away"), os.Mkdir(gone, 0o700)); err != nil {
				t.Fatal(err)
			}
			if what == "" {
				if err := os.Remove(gone); err != nil {
					t.Fatal(err)
				}
			}
			l, _ = OpenAnyway(path)
			t.Cleanup(func() { l.Close() })
			if err := l.Append(sale(3)); err == nil || !strings.Contains(l.Health(), "cannot be opened: ") {
				t.Errorf("%s without %q: %v, health %s", name, what, err, l.Health())
			}
			if _, err := l.Outbox().Next(9); err == nil || l.Read(func(Entry) error { return nil }) == nil {
				t.Errorf("%s without %q: a book that is not open is empty", name, what)
			}
			if n, _ := l.Outbox().Waiting(); n != 0 {
				t.Errorf("%s without %q: %d wait", name, what, n)
			}
			if what != "" {
				if err := os.Remove(gone); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Rename(gone+"-away", gone); err != nil {
				t.Fatal(err)
			}
			first(l)
			if n, _ := l.Outbox().Waiting(); n != 1 || l.Health() != "" {
				t.Errorf("%s with %q again: %d wait, health %s", name, what, n, l.Health())
			}
			add(t, l, sale(3).on(day(32)))
			if a, b := numbers(l), sent(t, l.Outbox(), 9); a != "1r 2r 3r" || b != "2 3" {
				t.Errorf("%s with %q again: read %s, sent %s", name, what, a, b)
			}
		}
	}
}
