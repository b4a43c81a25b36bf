package ledger

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"stolpe/hal"
)

// sent is what the outbox gives next, in short.
func sent(t *testing.T, o *Outbox, most int) string {
	t.Helper()
	all, err := o.Next(most)
	if err != nil {
		t.Error(err)
	}
	var words []string
	for _, s := range all {
		words = append(words, fmt.Sprint(s.Entry.Seq))
	}
	return strings.Join(words, " ")
}

func TestOutboxGivesWhatIsNotAcknowledged(t *testing.T) {
	l, _ := open(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	o := l.Outbox()
	again := func(n int, want bool, from, to uint64) {
		if got := o.Replay(from, to); got != want {
			t.Errorf("replay %d, from %d to %d: %v", n, from, to, got)
		}
	}
	for _, x := range []struct {
		name string
		do   func()
		want string
	}{
		{"nothing", func() {}, ""},
		{"two", func() { add(t, l, talk(1).on(day(0)), sale(1).on(day(1))) }, "1 2"},
		{"not acknowledged", func() {}, "1 2"},
		{"more, in another file", func() { add(t, l, talk(2).on(day(31)), talk(2).on(day(31))) }, "1 2 3"},
		{"one is done", func() { o.Done(1) }, "2 3 4"},
		{"said twice", func() { o.Done(1) }, "2 3 4"},
		{"all", func() { o.Done(4) }, ""},
		{"one that was never given", func() { add(t, l, talk(3)); o.Done(5) }, "5"},
		{"done", func() { o.Done(5) }, ""},
		{"again from the third on", func() { again(1, true, 3, 5) }, "3 4 5"},
		{"not acknowledged again", func() {}, "3 4 5"},
		{"another while that is under way", func() { o.Done(3); again(2, false, 1, 5) }, "4 5"},
		{"a new one goes before", func() { o.Done(4); add(t, l, talk(3)) }, "6"},
		{"which is done", func() { o.Done(6) }, "5"},
		{"and then the rest", func() { o.Done(5) }, ""},
		{"a part, of which one was given before", func() { again(3, true, 2, 3) }, "2 3"},
		{"done", func() { o.Done(3) }, ""},
		{"to a number that is not yet", func() { again(4, true, 6, 99) }, "6"},
		{"comes to an end", func() { o.Done(6) }, ""},
		{"all of it", func() { again(5, true, 0, 9) }, "1 2 3"},
	} {
		x.do()
		if got := sent(t, o, 3); got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

func TestWaiting(t *testing.T) {
	l, _ := open(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	o := l.Outbox()
	check := func(n int, at int64) {
		t.Helper()
		want := hal.Stamp{}
		if at != 0 {
			want = hal.Stamp{Unix: at, Clock: hal.ClockSynced}
		}
		if got, oldest := o.Waiting(); got != n || oldest != want {
			t.Errorf("%d wait, the oldest of %+v; want %d, %+v", got, oldest, n, want)
		}
	}
	check(0, 0)
	add(t, l, talk(1).on(day(0)), talk(2).on(day(1)), talk(3).on(day(2)))
	check(3, day(0))
	sent(t, o, 9)
	o.Done(2)
	check(1, day(2))
	o.Done(3)
	check(0, 0)
	o.Replay(2, 3)
	check(0, 0)
}

// Killed at any time, with or without what was saved: everything that was not
// acknowledged comes again, with the same ids, and nothing that another process wrote
// is left out.
func TestOutboxAfterAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	l.Named("A12")
	for n := range uint64(6) {
		add(t, l, talk(n+1).on(day(int(6*n))))
	}
	first, err := l.Outbox().Next(6)
	if err != nil || len(first) != 6 {
		t.Fatalf("%d, %v", len(first), err)
	}
	l.Outbox().Done(3)
	if err := l.Outbox().Save(); err != nil {
		t.Fatal(err)
	}
	l.Outbox().Done(5) // and killed
	again := reopened(t, path).Named("A12")
	add(t, l, sale(7).on(day(32)))
	next, err := again.Outbox().Next(9)
	if err != nil || len(next) != 4 {
		t.Fatalf("%d, %v", len(next), err)
	}
	for i, s := range next[:3] {
		if s.ID != first[3+i].ID || s.Entry.Seq != uint64(4+i) {
			t.Errorf("%d: %s %d, was %s", i, s.ID, s.Entry.Seq, first[3+i].ID)
		}
	}
	for junk, want := range map[string]int{"": 7, "{": 7, "null": 7, `{"acknowledged":99}`: 0} {
		write(t, l.Outbox().path(), []byte(junk))
		x := reopened(t, path)
		if n, _ := x.Outbox().Waiting(); n != want {
			t.Errorf("%q: %d wait", junk, n)
		}
	}
}

// What another book has left, which was longer, keeps nothing of this one back.
func TestOutboxOfAnotherBook(t *testing.T) {
	l, _ := open(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	write(t, l.Outbox().path(), []byte(`{"acknowledged":99}`))
	again := reopened(t, l.path)
	add(t, again, sale(1))
	if got := sent(t, again.Outbox(), 9); got != "1" {
		t.Errorf("%q is sent", got)
	}
	third := reopened(t, l.path) // nothing more was acknowledged, and that was written down
	if got := sent(t, third.Outbox(), 9); got != "1" {
		t.Errorf("%q is sent after another start", got)
	}
}

func TestIDsAreULIDs(t *testing.T) {
	l, _ := open(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	add(t, l, talk(1).on(day(0)), talk(1).on(day(0)), talk(1).on(-5), talk(1).on(1<<62))
	seen := map[string]bool{}
	for _, post := range []string{"A12", "A13"} {
		for _, id := range idsOf(t, l.Named(post)) {
			if !regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`).MatchString(id) || seen[id] {
				t.Errorf("%s, seen %v", id, seen[id])
			}
			seen[id] = true
		}
	}
}

// What leaves the post is on disk before, and so is a file that gets its number. A disk
// that once said no is given again what it may have forgotten.
func TestNothingUnsyncedIsGiven(t *testing.T) {
	l, _ := open(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	var ops []string
	ill := false
	l.before = func(op string) error {
		if ops = append(ops, op); ill && op == "sync" {
			return syscall.EIO
		}
		return nil
	}
	for _, x := range []struct {
		name string
		do   func()
		want string
	}{
		{"not worth a sync", func() { add(t, l, talk(1).on(day(0)), talk(2).on(day(0))) }, "write, write"},
		{"a disk that says no", func() {
			ill = true
			if all, err := l.Outbox().Next(9); err == nil {
				t.Errorf("%d are given that are not on disk", len(all))
			}
			ill = false
		}, "sync"},
		{"before they are given", func() { sent(t, l.Outbox(), 9) }, "write again, sync"},
		{"nothing new", func() { sent(t, l.Outbox(), 9) }, ""},
		{"money", func() { add(t, l, sale(3).on(day(1))) }, "write, sync"},
		{"durable already", func() { sent(t, l.Outbox(), 9) }, ""},
		{"a fault", func() { add(t, l, Entry{Kind: FaultRaised, Fault: &Fault{}}) }, "write, sync"},
		{"a command", func() { add(t, l, Entry{Kind: CommandRefused, Command: &Command{}}) }, "write, sync"},
		{"another month", func() { add(t, l, talk(4).on(day(30)), talk(5).on(day(31))) },
			"write, sync, create ledger.jsonl, rename ledger-000000000001.jsonl, rename ledger.jsonl, write"},
	} {
		ops = nil
		x.do()
		if got := strings.Join(ops, ", "); got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

// What was acknowledged is kept at an orderly end.
func TestOutboxIsSavedAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, talk(1), talk(2), talk(3))
	sent(t, l.Outbox(), 9)
	l.Outbox().Done(2)
	saves := 0
	l.before = func(string) error { saves++; return nil }
	for range 3 {
		if err := l.Outbox().Save(); err != nil {
			t.Error(err)
		}
	}
	if saves != 2 { // created and renamed
		t.Errorf("%d changes of the disk", saves)
	}
	l.Outbox().Done(3)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if n, _ := reopened(t, path).Outbox().Waiting(); n != 0 {
		t.Errorf("%d wait", n)
	}
}

// A thousand events are given in batches without reading each file for each batch.
func TestLongOutboxIsGivenFromWhereItWas(t *testing.T) {
	l, _ := open(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	for n := range uint64(1000) {
		add(t, l, talk(n).on(day(0)))
	}
	o := l.Outbox()
	for seq := uint64(0); seq < 1000; seq += 20 {
		all, err := o.Next(20)
		if err != nil || len(all) != 20 || all[0].Entry.Seq != seq+1 {
			t.Fatalf("after %d: %d, %v", seq, len(all), err)
		}
		if o.live.next.seq != seq+1 || seq > 0 && o.live.next.at == 0 {
			t.Fatalf("after %d: begins at %+v", seq, o.live.next)
		}
		o.Done(seq + 20)
	}
}
