package ledger

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"stolpe/payment"
)

// After its time, what tells of money stays, word for word, and the rest gives way to
// lines that say so.
func TestMoneyStaysForEver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, talk(1).on(day(0)), talk(1).on(day(0)), sale(1).on(day(1)), talk(2).on(day(2)), sale(2).on(day(3)), sale(3).on(day(4)), talk(3).on(day(30)))
	ids := idsOf(t, l)
	add(t, l, talk(4).on(day(31)), sale(4).on(day(60)))
	if got := numbers(l); got != "1 2 3r 4 5r 6r 7 8 9r" {
		t.Errorf("a day too early: %s", got)
	}
	add(t, l, talk(5).on(day(61)))
	const want = "1-2t 3r 4-4t 5r 6r 7-7t 8 9r 10"
	for _, x := range []*Ledger{l, reopened(t, path)} {
		if got := numbers(x); got != want || x.Health() != "" {
			t.Errorf("%s, health %q, want %s", got, x.Health(), want)
		}
		for n := byte(1); n <= 4; n++ {
			if e, ok := x.Find(payment.Holder{n}); !ok || e.Sale.Number != uint64(n) {
				t.Errorf("charge %d: found %+v, %v", n, e, ok)
			}
		}
	}
	for seq, id := range idsOf(t, l) {
		if was := ids[seq]; was != "" && (was == id) != (seq == 3 || seq == 5 || seq == 6) {
			t.Errorf("event %d had id %s, and has %s", seq, was, id)
		}
	}
	before, err := os.Stat(l.named(1))
	if err != nil {
		t.Fatal(err)
	}
	add(t, l, talk(6).on(day(65))) // another day, and nothing to do
	if after, err := os.Stat(l.named(1)); err != nil || !os.SameFile(before, after) {
		t.Errorf("written again: %v", err)
	}
}

func idsOf(t *testing.T, l *Ledger) map[uint64]string {
	t.Helper()
	ids := map[uint64]string{}
	if err := l.From(0, func(e Entry, id string) error { ids[e.Seq] = id; return nil }); err != nil {
		t.Error(err)
	}
	return ids
}

// Only good clocks make anything old.
func TestBadClockTrimsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, talk(1).on(day(20)), talk(2).on(day(31)))
	for i, clock := range []string{"holdover", "unknown", ""} {
		e := talk(3).on(day(5000 + 40*i))
		e.Clock = clock
		add(t, l, e)
	}
	if got := numbers(l); got != "1 2 3 4 5" {
		t.Errorf("%s", got)
	}
}

// Too much is trimmed from the oldest on, whatever the clock says.
func TestTooMuchIsTrimmed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1).on(day(0)))
	long := talk(1).on(day(0))
	long.Session.Reason = strings.Repeat("x", maxLine-1000)
	for i := range (maxKept + 3*maxPage) / (maxLine - 1000) {
		long.At = day(i)
		long.Clock = "holdover"
		add(t, l, long)
	}
	var size int64
	all, err := l.olders()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		info, err := os.Stat(o.path)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > maxKept || size < maxKept-3*maxPage {
		t.Errorf("%d bytes are left", size)
	}
	if got := numbers(l); !strings.HasPrefix(got, "1r 2-") || strings.Contains(got, "damaged") {
		t.Errorf("%.200s", got)
	}
}

// What has rotted stays as it is, and what was missing is still seen to be.
func TestRotIsNotTrimmed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, talk(1).on(day(0)), talk(2).on(day(0)), talk(3).on(day(0)), talk(4).on(day(0)), talk(5).on(day(1)), talk(6).on(day(31)))
	text, err := os.ReadFile(l.named(1))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	rotten := strings.Replace(lines[1], "started", "startex", 1)
	write(t, l.named(1), []byte(lines[0]+rotten+lines[2]+lines[4]+lines[4][:50]))
	add(t, l, talk(7).on(day(70)), talk(8).on(day(71)))
	text, err = os.ReadFile(l.named(1))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n"+rotten) || !strings.HasSuffix(string(text), "\n"+lines[4][:50]) {
		t.Errorf("%s", text)
	}
	want := "1-1t 3-3t 5-5t 6-6t 7 8 ledger: damaged, the rest was read: ledger-000000000001.jsonl line 3: not as it was written: checksum; " +
		"ledger-000000000001.jsonl line 5: number 5 after 3; ledger-000000000001.jsonl line 6: not as it was written: checksum; ledger-000000000006.jsonl line 1: number 5 after 6"
	if got := numbers(l); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// A disk that does not take the trimmed file takes the entry all the same.
func TestNoRoomToTrim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, talk(1).on(day(20)), talk(2).on(day(31)))
	tries := 0
	l.before = func(op string) error {
		if op == "rename ledger-000000000001.jsonl" {
			tries++
			return syscall.ENOSPC
		}
		return nil
	}
	add(t, l, sale(3).on(day(58)))
	if got := numbers(l); got != "1 2 3r" || !strings.Contains(l.Health(), "cannot be trimmed") {
		t.Errorf("%s, health %q", got, l.Health())
	}
	if add(t, l, talk(3).on(day(58)), talk(3).on(day(58))); tries != 1 {
		t.Errorf("tried %d times in a day", tries)
	}
	l.before = nil
	add(t, l, sale(4).on(day(59)))
	if got := numbers(l); got != "1-1t 2 3r 4 5 6r" || l.Health() != "" || strings.Contains(names(t, path), partial) {
		t.Errorf("%s, health %q, %s", got, l.Health(), names(t, path))
	}
}
