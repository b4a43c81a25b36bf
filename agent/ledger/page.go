package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"stolpe/agent/plain"
)

// page is what the first line of a file says: what must be known of those before it.
type page struct {
	First    uint64         `json:"first"`              // number of the first line
	Trimmed  bool           `json:"trimmed,omitempty"`  // what does not tell of money is gone
	Receipts map[int]uint64 `json:"receipts,omitempty"` // newest number, by EVSE
	Faults   map[int]Raised `json:"faults,omitempty"`   // not over, by EVSE
	Newest   map[int][]mark `json:"newest,omitempty"`   // charges, by EVSE
}

// Raised are faults that are not over: by code, since when, s since 1970.
type Raised map[string]int64

// older is a file that is written to no more.
type older struct {
	path  string
	first uint64 // number of its first line
}

const (
	suffix  = ".jsonl"
	partial = ".tmp" // of what is not finished
)

// named is what a file is called that begins with that line.
func (l *Ledger) named(first uint64) string {
	return fmt.Sprintf("%s-%012d%s", strings.TrimSuffix(l.path, suffix), first, suffix)
}

// olders are the files that are written to no more, oldest first.
func (l *Ledger) olders() ([]older, error) {
	names, err := os.ReadDir(filepath.Dir(l.path))
	if err != nil {
		return nil, err
	}
	var all []older
	for _, n := range names {
		middle, is := strings.CutPrefix(strings.TrimSuffix(n.Name(), suffix), filepath.Base(strings.TrimSuffix(l.path, suffix))+"-")
		first, err := strconv.ParseUint(middle, 10, 64)
		if path := l.named(first); is && err == nil && filepath.Base(path) == n.Name() {
			all = append(all, older{path, first})
		}
	}
	slices.SortFunc(all, func(a, b older) int { return cmp.Compare(a.first, b.first) })
	return all, nil
}

// readOlder reads the newest of the older files, as far as a start does.
func (l *Ledger) readOlder() error {
	all, err := l.olders()
	if err != nil {
		return err
	}
	from := len(all)
	for size := int64(0); from > 0 && size < maxOpened; from-- {
		info, err := os.Stat(all[from-1].path)
		if err != nil {
			return err
		}
		size += info.Size()
	}
	if from > 0 {
		l.chain.seq = all[from].first - 1
	}
	for _, o := range all[from:] {
		if err := l.readPage(o); err != nil {
			return err
		}
	}
	return nil
}

// readPage takes in an older file.
func (l *Ledger) readPage(o older) error {
	f, err := plain.Open(o.path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	l.begin(o.first, filepath.Base(o.path))
	return l.readTo(f, math.MaxInt64)
}

// begin goes on to another file.
func (l *Ledger) begin(first uint64, name string) {
	l.page, l.month, l.end, l.sure, l.failed, l.doubt = page{First: first}, 0, 0, 0, 0, false
	l.chain.name, l.chain.lines = name, 0
}

// openFile opens the file that is written to. One that is not there is begun.
func (l *Ledger) openFile() error {
	info, missing := os.Stat(l.path)
	empty := errors.Is(missing, fs.ErrNotExist) || missing == nil && info.Size() == 0
	if empty && l.chain.seq > 0 {
		if err := l.replace(l.path, l.firstLine); err != nil {
			return unwritable{err}
		}
	}
	f, err := plain.Open(l.path, os.O_RDWR|os.O_CREATE)
	only := errors.Is(err, syscall.EROFS) && !errors.Is(missing, fs.ErrNotExist)
	if only {
		f, err = plain.Open(l.path, os.O_RDONLY)
	}
	if err == nil && empty {
		err = l.folder.Sync()
	}
	if err != nil {
		return err
	}
	if l.file != nil {
		l.file.Close() //nolint:errcheck // all of it is on disk
	}
	l.file, l.read = f, only
	l.begin(l.chain.seq+1, filepath.Base(l.path))
	return nil
}

// unwritable is an error of writing only: what has been read stands.
type unwritable struct{ error }

// Unwrap gives the error of the disk.
func (u unwritable) Unwrap() error { return u.error }

// readable leaves out an error of writing only.
func readable(err error) error {
	if errors.As(err, new(unwritable)) {
		return nil
	}
	return err
}

// firstLine writes that of the file that comes next, of the time of the newest.
func (l *Ledger) firstLine(w io.Writer) error {
	l.mu.Lock()
	p := page{First: l.chain.seq + 1, Receipts: l.recent.receipts, Faults: l.recent.faults, Newest: l.recent.own}
	line, err := Entry{Seq: l.chain.seq, At: l.chain.at, Clock: l.chain.clock, Kind: pageKind, Page: &p}.line()
	if err != nil { // too long: rather a charge twice than none any more
		p.Newest = nil
		line, err = Entry{Seq: l.chain.seq, At: l.chain.at, Clock: l.chain.clock, Kind: pageKind, Page: &p}.line()
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = w.Write(line)
	return err
}

// replace puts a file with that text into the place of another, or of none.
func (l *Ledger) replace(path string, text func(io.Writer) error) error {
	err := l.draft(path, text)
	if err == nil {
		err = l.rename(path+partial, path)
	}
	if err != nil {
		return errors.Join(err, gone(path+partial))
	}
	return nil
}

// gone removes what may be there.
func gone(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// draft writes a file with that text beside the place that it is for.
func (l *Ledger) draft(path string, text func(io.Writer) error) error {
	if err := l.may("create " + filepath.Base(path)); err != nil {
		return err
	}
	f, err := plain.Open(path+partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if err = l.giveAway(f); err == nil {
		err = text(f)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// giveAway gives a file to whoever has the folder: a command of the administrator must
// not close the book to the daemon.
func (l *Ledger) giveAway(f *os.File) error {
	info, err := l.folder.Stat()
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(owner.Uid) == os.Geteuid() {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

// rename renames for good.
func (l *Ledger) rename(from, to string) error {
	if err := l.may("rename " + filepath.Base(to)); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return l.folder.Sync()
}

// turn begins a new file if an entry is due for one. The folder is locked.
func (l *Ledger) turn(e Entry) error {
	if l.read { // it may be written again
		if err := l.reopen(); err != nil {
			return err
		}
	}
	full := l.end >= maxPage || l.month != 0 && monthOf(e.At, e.Clock) > l.month
	if !full {
		return nil
	}
	closed := l.named(l.page.First)
	if _, err := os.Stat(closed); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there already", closed), err)
	}
	if err := l.sync(l.end); err != nil {
		return err
	}
	err := l.draft(l.path, l.firstLine) // first: a disk that is full must not leave the book without a file
	if err == nil {
		err = l.rename(l.path, closed)
	}
	if err != nil {
		return errors.Join(err, gone(l.path+partial))
	}
	if err := l.rename(l.path+partial, l.path); err != nil {
		return err
	}
	if err := l.openFile(); err != nil {
		return err
	}
	_, err = l.readNew()
	return err
}

// reopen opens the file that was open for reading only.
func (l *Ledger) reopen() error {
	f, err := plain.Open(l.path, os.O_RDWR)
	if err != nil {
		return err
	}
	l.file.Close() //nolint:errcheck // it was only read
	l.file, l.read = f, false
	return nil
}

// monthOf numbers the months; 0 if the clock is not known.
func monthOf(at int64, clock string) int {
	if clock == "" || clock == "unknown" {
		return 0
	}
	t := time.Unix(at, 0).UTC()
	return t.Year()*12 + int(t.Month())
}
