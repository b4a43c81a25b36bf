// Package ledger is the book of a post: one line for everything that has happened
// to money, in the order in which it was learned. It is read by people, by the
// commands, and by the driver's pages once the journal has forgotten a charge.
//
// # Why
//
// The journal decides, this only tells: no charge waits for it, and nothing is
// settled because of what stands here. So it may be an ordinary file that ordinary
// tools can read, one JSON object a line.
//
// Lines are numbered and carry a checksum (CRC-32C of everything before the member
// "crc"), since a book with a hole in it must say so. What is torn off at the end by
// a power cut is cut back to the last whole line. What has rotted in the middle is
// told with its line and never mended: a book that mends itself proves nothing.
//
// The daemon and the commands may write at the same time, so each append locks the
// file and first reads what others have added.
package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"stolpe/payment"
)

// Chosen by us: a sale has some 900 bytes, and a busy EVSE some thousand sales a
// month.
const (
	maxLine   = 16 << 10 // bytes
	maxRecent = 4096     // charges that are found without reading the whole book
)

// Ledger is an open book. Any number of goroutines may use it at the same time.
type Ledger struct {
	file *os.File

	writing sync.Mutex // guards the file and what follows; a card that is ill keeps it for long
	end     int64      // of the last whole line that has been read, bytes
	seq     uint64     // of that line
	lines   int        // up to there
	damage  []string   // found so far

	mu     sync.Mutex // guards recent, for moments: a driver's page must not wait for the card
	recent recent
}

// Open opens a book, or begins one. Repaired says how many bytes of a torn last
// line were cut off. Errors are those of the file system; damage in the middle is
// none of them: see Read.
func Open(path string) (l *Ledger, repaired int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("ledger: %w", err)
	}
	l = &Ledger{file: f, recent: newRecent()}
	err = l.locked(func() error {
		repaired, err = l.catchUp()
		return err
	})
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("ledger: %w", err), f.Close())
	}
	return l, repaired, nil
}

// Close closes the book.
func (l *Ledger) Close() error { return l.file.Close() }

// Append writes an entry as the next line and returns when it is durable. The
// number is given here. After an error nothing has been written.
func (l *Ledger) Append(e Entry) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.locked(func() error {
		if _, err := l.catchUp(); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
		e.Seq = l.seq + 1
		line, err := e.line()
		if err != nil {
			return fmt.Errorf("ledger: entry %d: %w", e.Seq, err)
		}
		_, err = l.file.WriteAt(line, l.end)
		if err == nil {
			err = l.file.Sync()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("ledger: entry %d: %w", e.Seq, err), l.file.Truncate(l.end))
		}
		l.take(e, int64(len(line)))
		return nil
	})
}

// locked does something while no other process writes.
func (l *Ledger) locked(do func() error) error {
	fd := int(l.file.Fd())
	if err := syscall.Flock(fd, syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return errors.Join(do(), syscall.Flock(fd, syscall.LOCK_UN))
}

// catchUp reads what has been added since, and cuts off a torn end. The file is
// locked.
func (l *Ledger) catchUp() (torn int64, err error) {
	info, err := l.file.Stat()
	if err != nil || info.Size() == l.end {
		return 0, err
	}
	if info.Size() < l.end {
		return 0, fmt.Errorf("has %d bytes, and had %d: somebody has shortened it", info.Size(), l.end)
	}
	r := bufio.NewReaderSize(io.NewSectionReader(l.file, l.end, info.Size()-l.end), maxLine)
	for {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			break // and without a line's end: torn
		}
		if err != nil {
			return 0, err
		}
		e, bad := parse(line)
		if bad == nil && e.Seq != l.seq+1 && l.lines > 0 {
			l.damage = append(l.damage, fmt.Sprintf("line %d: number %d after %d", l.lines+1, e.Seq, l.seq))
		}
		if bad != nil {
			l.damage = append(l.damage, fmt.Sprintf("line %d: %v", l.lines+1, bad))
			e = Entry{Seq: l.seq + 1} // it had a number, most likely
		}
		l.take(e, int64(len(line)))
	}
	if torn = info.Size() - l.end; torn > 0 {
		return torn, errors.Join(l.file.Truncate(l.end), l.file.Sync())
	}
	return 0, nil
}

// take notes a line that is in the book.
func (l *Ledger) take(e Entry, bytes int64) {
	l.mu.Lock()
	l.recent.note(e, l.end)
	l.mu.Unlock()
	l.end += bytes
	l.seq = e.Seq
	l.lines++
}

// readLine reads one line with its end. A line that is too long is read whole, and
// what is too much of it is dropped: it will not be one of ours.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	whole := append([]byte(nil), line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.ReadSlice('\n')
		whole = append(whole, make([]byte, len(line))...)
		if len(whole) > 64*maxLine {
			return nil, fmt.Errorf("a line of more than %d bytes: this is no ledger", 64*maxLine)
		}
	}
	return whole, err
}

// Read gives every entry to fn, in order, until fn returns an error, which it
// returns. Damage keeps nothing else from being read: it comes back as Damage in
// the end.
func (l *Ledger) Read(fn func(Entry) error) error {
	l.writing.Lock()
	err := l.locked(func() error { _, err := l.catchUp(); return err })
	end, damage := l.end, Damage(append([]string(nil), l.damage...))
	l.writing.Unlock()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	r := bufio.NewReaderSize(io.NewSectionReader(l.file, 0, end), maxLine)
	for {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
		e, bad := parse(line)
		if bad != nil {
			continue // stands in damage
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	if len(damage) > 0 {
		return damage
	}
	return nil
}

// Has says whether the end of a charge is among the newest in the book.
func (l *Ledger) Has(ref payment.Ref) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.recent.refs[ref]
	return ok
}

// HasTold says whether the book knows what became of the receipt of a charge that
// is among the newest.
func (l *Ledger) HasTold(ref payment.Ref) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recent.refs[ref].told
}

// Receipts is the newest number in the series of sales documents of an EVSE; 0
// before the first.
func (l *Ledger) Receipts(evse int) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recent.receipts[evse]
}

// Find gives the end of a holder's charge if it is among the newest.
func (l *Ledger) Find(h payment.Holder) (Entry, bool) {
	l.mu.Lock()
	at, ok := l.recent.holders[h]
	l.mu.Unlock()
	if !ok {
		return Entry{}, false
	}
	line, err := readLine(bufio.NewReaderSize(io.NewSectionReader(l.file, at, maxLine), maxLine))
	if err != nil {
		return Entry{}, false
	}
	e, err := parse(line)
	return e, err == nil && e.Sale != nil
}
