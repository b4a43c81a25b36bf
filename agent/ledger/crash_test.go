package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"stolpe/payment"
)

// image is the disk as a crash would have left it before a change.
type image struct {
	op   string
	path string
	sure []payment.Ref // charges that were in the book for sure
}

// Killed before each single change of the disk: whatever was in the book for sure is
// there, nothing is damaged, and it goes on with the next number.
func TestKilledAtEveryChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	var images []image
	var sure []payment.Ref
	l.before = func(op string) error {
		to := t.TempDir()
		if err := os.CopyFS(to, os.DirFS(filepath.Dir(path))); err != nil {
			t.Error(err)
		}
		images = append(images, image{op, filepath.Join(to, "ledger.jsonl"), sure})
		return nil
	}
	for n := range uint64(8) { // files are begun in each second, and trimmed from the fourth on
		add(t, l, talk(n+1).on(day(int(16*n))), sale(n+1).on(day(int(16*n+1))))
		sure = append(sure[:len(sure):len(sure)], payment.NewRef("A12", 1, n+1))
		if sent(t, l.Outbox(), 99) == "" {
			t.Error("nothing is to be sent")
		}
		l.Outbox().Done(l.Newest())
		if err := l.Outbox().Save(); err != nil {
			t.Error(err)
		}
	}
	ops := map[string]bool{}
	for _, i := range images {
		ops[i.op] = true
		x, torn := open(t, i.path)
		at := fmt.Sprintf("before %s, with %d charges", i.op, len(i.sure))
		if torn != 0 {
			t.Errorf("%s: %d bytes torn", at, torn)
		}
		have := map[payment.Ref]bool{}
		if err := x.Read(func(e Entry) error { have[e.Ref] = have[e.Ref] || e.Sale != nil; return nil }); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		for _, ref := range i.sure {
			if a, err := x.Account(ref); err != nil || a.Sale == nil || !have[ref] || !x.Has(ref) {
				t.Errorf("%s: %s is not there, %v", at, ref, err)
			}
		}
		newest := x.Newest()
		add(t, x, sale(99).on(day(200)))
		if x.Newest() != newest+1 || x.Receipts(1) != 99 || x.Health() != "" || strings.Contains(names(t, i.path), suffix+partial) {
			t.Errorf("%s: number %d after %d, health %q, files %s", at, x.Newest(), newest, x.Health(), names(t, i.path))
		}
	}
	for _, op := range []string{"write", "sync", "create ledger.jsonl", "rename ledger.jsonl", "rename ledger-000000000001.jsonl", "create ledger-000000000001.jsonl", "rename ledger-sent.json"} {
		if !ops[op] {
			t.Errorf("never stopped before %s", op)
		}
	}
}

// Two processes write, turn and trim, while one of them sends: each line has a number
// of its own, and each is sent once, in order.
func TestManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	a, _ := open(t, path)
	b, _ := open(t, path)
	const each = 60
	var writers, readers sync.WaitGroup
	for i, l := range []*Ledger{a, b} {
		writers.Go(func() {
			for n := range each {
				add(t, l, talk(1).on(day(n)), sale(uint64(i*each+n+1)).on(day(n)))
			}
		})
	}
	over := make(chan struct{})
	var seen []Sending
	readers.Go(func() {
		for last := false; ; {
			all, err := a.Outbox().Next(7)
			if err != nil {
				t.Error(err)
			}
			for _, s := range all {
				seen = append(seen, s)
				a.Outbox().Done(s.Entry.Seq)
			}
			a.Find(payment.Holder{1})
			a.Outbox().Waiting()
			if last && len(all) == 0 {
				return
			}
			select {
			case <-over:
				last = true
			default:
			}
		}
	})
	writers.Wait()
	close(over)
	readers.Wait()
	money, last := 0, uint64(0)
	for _, s := range seen {
		if s.Entry.Seq <= last {
			t.Errorf("%d is sent after %d", s.Entry.Seq, last)
		}
		last = s.Entry.Seq
		if s.Entry.Sale != nil {
			money++
		}
	}
	if money != 2*each || last != 4*each {
		t.Errorf("%d sales are sent, up to %d", money, last)
	}
	for _, l := range []*Ledger{a, b} {
		if got := numbers(l); strings.Count(got, "r") != 2*each || strings.Contains(got, "damaged") {
			t.Errorf("%s", got)
		}
	}
}

// A process that is killed while it writes: what it knew to be in the book is there.
func TestKilledProcess(t *testing.T) {
	if path := os.Getenv("LEDGER_WRITES"); path != "" {
		writeUntilKilled(path)
	}
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	written := uint64(0)
	for round := range 4 {
		c := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
		c.Env = append(os.Environ(), "LEDGER_WRITES="+path)
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 20 + 7*round {
			if !lines.Scan() {
				t.Fatalf("it ended by itself: %v", c.Wait())
			}
			if written, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it has said before
			if n, err := strconv.ParseUint(lines.Text(), 10, 64); err == nil {
				written = n
			}
		}
		c.Wait() //nolint:errcheck // it was killed
		l, _ := open(t, path)
		count := uint64(0)
		if err := l.Read(func(e Entry) error {
			if e.Sale != nil {
				count++
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if count < written || count > written+1 || l.Receipts(1) != count {
			t.Errorf("%d charges are in the book, and %d were for sure", count, written)
		}
	}
}

// writeUntilKilled goes on where the book ends.
func writeUntilKilled(path string) {
	l, _, err := Open(path)
	for n := uint64(0); err == nil; {
		if n == 0 {
			n = l.Receipts(1)
		}
		n++
		at := day(int(5 * n))
		if err = errors.Join(l.Append(talk(n).on(at)), l.Append(sale(n).on(at))); err == nil {
			fmt.Println(n)
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

// On a real file system that is full, and then cannot be written at all.
func TestRealDiskFullAndReadOnly(t *testing.T) {
	const inside = "LEDGER_MOUNTS"
	if os.Getenv(inside) == "" {
		c := exec.Command(os.Args[0], "-test.run=^TestRealDiskFullAndReadOnly$", "-test.v")
		c.Env = append(os.Environ(), inside+"=1")
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
		if id := os.Getuid(); id != 0 {
			c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}}
		}
		out, err := c.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "--- FAIL") {
			t.Skipf("this machine lets no test mount a disk of its own: %v %s", err, out)
		}
		if err != nil || !strings.Contains(string(out), "--- PASS: TestRealDisk") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	disk := t.TempDir()
	if err := errors.Join(syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""), syscall.Mount("none", disk, "tmpfs", 0, "size=64k")); err != nil {
		fmt.Println("cannot mount:", err)
		os.Exit(1)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH) //nolint:errcheck // it goes with this process
	path := filepath.Join(disk, "ledger.jsonl")
	l, _ := open(t, path)
	n, err := uint64(0), error(nil)
	for err == nil {
		n++
		err = l.Append(sale(n).on(day(int(n))))
	}
	whole := func(n uint64) bool {
		x := reopened(t, path)
		a, b := numbers(l), numbers(x)
		x.Close()
		return a == b && strings.HasSuffix(a, fmt.Sprintf("%dr", n)) && !strings.Contains(a, "damaged")
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(l.Health(), "no space left") || !whole(n-1) {
		t.Errorf("%v, %s, %s", err, l.Health(), numbers(l))
	}
	remount := func(flags uintptr, size string) {
		t.Helper()
		if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT|flags, "size="+size); err != nil {
			t.Fatal(err)
		}
	}
	remount(0, "1m")
	add(t, l, sale(n).on(day(int(n))))
	if !whole(n) || l.Health() != "" {
		t.Errorf("%s, %s", l.Health(), numbers(l))
	}
	l.Close()
	remount(syscall.MS_RDONLY, "1m")
	l, _ = open(t, path) // a start with a disk that takes nothing
	if err := l.Append(sale(n + 1).on(day(int(n)))); !errors.Is(err, syscall.EROFS) || !strings.Contains(l.Health(), "read-only") || !whole(n) {
		t.Errorf("%v, %s, %s", err, l.Health(), numbers(l))
	}
	if a, err := l.Account("A12-1-000001"); err != nil || a.Sale == nil {
		t.Errorf("%+v, %v", a, err)
	}
	remount(0, "1m")
	add(t, l, sale(n+1).on(day(int(n))))
	if !whole(n+1) || l.Health() != "" {
		t.Errorf("%s, %s", l.Health(), numbers(l))
	}
	l.Close()
	startsWithoutRoom(t, remount, disk)
}

// startsWithoutRoom begins a book on a disk that takes nothing yet.
func startsWithoutRoom(t *testing.T, remount func(uintptr, string), disk string) {
	path := filepath.Join(disk, "new", "ledger.jsonl")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	remount(syscall.MS_RDONLY, "1m")
	l, _ := open(t, path)
	if l.Health() == "" || l.Append(sale(1)) == nil || numbers(l) != "" {
		t.Errorf("%s, %s", l.Health(), numbers(l))
	}
	if n, _ := l.Outbox().Waiting(); n != 0 {
		t.Errorf("%d wait", n)
	}
	remount(0, "1m")
	add(t, l, sale(1))
	if l.Health() != "" || numbers(l) != "1r" {
		t.Errorf("%s, %s", l.Health(), numbers(l))
	}
}
