package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"strings"
	"syscall"

	"stolpe/agent/plain"
	"stolpe/payment"
)

// maxDamage is how many damages are told one by one. Chosen by us: nobody reads more.
const maxDamage = 1000

// Damage is what is wrong with a book, by line.
type Damage []string

// Error lists it.
func (d Damage) Error() string {
	return "ledger: damaged, the rest was read: " + strings.Join(d, "; ")
}

func (d *Damage) add(wrong string) {
	if wrong != "" && len(*d) < maxDamage {
		*d = append(*d, wrong)
	}
}

// start reads the book for the first time. One that has only no room has been read.
func (l *Ledger) start() (torn int64, err error) {
	if l.file != nil { // it could not be read the last time
		l.file.Close() //nolint:errcheck // it was only read
		l.file = nil
	}
	l.mu.Lock()
	l.chain, l.recent = chain{}, newRecent()
	l.mu.Unlock()
	l.sent = l.outbox.read()
	if err = l.readOlder(); err != nil {
		return 0, err
	}
	if err = l.openFile(); err == nil {
		torn, err = l.readNew()
	}
	full := l.file == nil && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EDQUOT))
	if err != nil && !full {
		return torn, err
	}
	l.had = l.Newest()
	l.begun.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.HasPrefix(l.ill, notOpened) {
		l.ill = ""
	}
	return torn, err
}

// catchUp reads what has been added since, and cuts off a torn end. The folder is
// locked.
func (l *Ledger) catchUp() (torn int64, err error) {
	if !l.begun.Load() {
		return l.start()
	}
	if l.file != nil {
		if torn, err = l.readNew(); err != nil || l.current() {
			return torn, err
		}
		all, err := l.olders() // another process has begun a new file, or several
		if err != nil {
			return 0, err
		}
		for _, o := range all {
			if o.first > l.page.First {
				if err := l.readPage(o); err != nil {
					return 0, err
				}
			}
		}
	}
	if err := l.openFile(); err != nil {
		return 0, err
	}
	return l.readNew()
}

// current says whether the open file is the one that is written to.
func (l *Ledger) current() bool {
	ours, err := l.file.Stat()
	now, missing := os.Stat(l.path)
	return err == nil && missing == nil && os.SameFile(ours, now)
}

// readNew takes in what has been added to the file that is written to.
func (l *Ledger) readNew() (torn int64, err error) {
	if l.failed > 0 {
		if err := l.takeBack(); err != nil {
			return 0, err
		}
	}
	info, err := l.file.Stat()
	if err != nil || info.Size() == l.end {
		return 0, err
	}
	if info.Size() < l.end {
		return 0, fmt.Errorf("has %d bytes, and had %d: somebody has shortened it", info.Size(), l.end)
	}
	end, err := whole(l.file, l.end, info.Size(), l.sent.Done)
	if err != nil {
		return 0, err
	}
	if torn = info.Size() - end; torn > 0 {
		if err := errors.Join(l.file.Truncate(end), l.file.Sync()); err != nil && !l.read {
			return torn, err
		}
	}
	return torn, l.readTo(l.file, end)
}

// readTo takes in what a file has from l.end to another offset.
func (l *Ledger) readTo(f *os.File, to int64) error {
	return l.chain.read(f, l.end, to, func(e Entry, line []byte, _ int64, wrong string) error {
		l.note(e, int64(len(line)), wrong)
		return nil
	})
}

// note takes in a line that is in the book.
func (l *Ledger) note(e Entry, bytes int64, wrong string) {
	switch {
	case e.Page != nil:
		l.page = *e.Page
	case l.chain.lines == 1 && e.Kind != "":
		l.page.First = e.Seq
	}
	if l.month == 0 && e.Page == nil {
		l.month = monthOf(e.At, e.Clock)
	}
	l.mu.Lock()
	l.recent.note(e, place{l.page.First, l.end, e.Seq})
	l.mu.Unlock()
	l.rotten(wrong)
	l.end += bytes
	l.newest.Store(l.chain.seq)
}

// rotten keeps what is wrong with a line, if anything is, for Health.
func (l *Ledger) rotten(wrong string) {
	if wrong == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent.damaged = wrong
}

// Read gives every entry to fn, in order, until fn returns an error, which it
// returns. Damage keeps nothing else from being read: it comes back as Damage in
// the end.
func (l *Ledger) Read(fn func(Entry) error) error {
	var damage Damage
	err := l.walk(place{}, func(e Entry, _ []byte, _ place, wrong string) error {
		damage.add(wrong)
		if e.Kind == "" || e.Kind == pageKind {
			return nil
		}
		return fn(e)
	})
	if err == nil && len(damage) > 0 {
		return damage
	}
	return err
}

// From gives every entry from a number on to fn, in order, with the id of its event,
// until fn returns an error, which it returns. What is damaged is left out.
func (l *Ledger) From(seq uint64, fn func(e Entry, id string) error) error {
	return l.walk(place{seq: seq}, func(e Entry, line []byte, _ place, _ string) error {
		if e.Kind == "" || e.Kind == pageKind || e.Seq < seq {
			return nil
		}
		return fn(e, idOf(l.post, e.At, line))
	})
}

// Has says whether the end of a charge is among the newest in the book, or among the
// newest of its EVSE.
func (l *Ledger) Has(ref payment.Ref) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.recent.refs[ref]
	return ok || l.recent.mark(ref) != nil
}

// HasTold says whether the book knows what became of the receipt of a charge that
// it Has.
func (l *Ledger) HasTold(ref payment.Ref) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.recent.mark(ref)
	return l.recent.refs[ref].told || m != nil && m.Told
}

// Receipts is the newest number in the series of sales documents of an EVSE; 0
// before the first.
func (l *Ledger) Receipts(evse int) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recent.receipts[evse]
}

// Raised are the faults of an EVSE that are not over.
func (l *Ledger) Raised(evse int) Raised {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.recent.faults[evse])
}

// Find gives the end of a holder's charge if it is among the newest.
func (l *Ledger) Find(h payment.Holder) (found Entry, ok bool) {
	l.mu.Lock()
	p, known := l.recent.holders[h]
	l.mu.Unlock()
	if !known {
		return Entry{}, false
	}
	o := older{l.named(p.first), p.first}
	f, err := plain.Open(o.path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		o.path = l.path
		f, err = plain.Open(o.path, os.O_RDONLY)
	}
	if err != nil {
		return Entry{}, false
	}
	defer f.Close() //nolint:errcheck // it was only read
	var c chain
	err = c.walk(f, math.MaxInt64, o, p, func(e Entry, _ []byte, _ place, _ string) error {
		if e.Seq < p.seq {
			return nil
		}
		found = e
		return errEnough
	})
	return found, errors.Is(err, errEnough) && found.Seq == p.seq && found.Sale != nil
}
