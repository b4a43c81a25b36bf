// Package ledger is the book of a post: one line for everything that has happened,
// in the order in which it was learned. It is history, audit trail, and the outbox of
// what the fleet has not been told yet. It is read by people, by the commands, and by
// the driver's pages once the journal has forgotten a charge.
//
// # Why
//
// The journal decides, this only tells: no charge waits for it, and nothing is
// settled because of what stands here. So it may be ordinary files that ordinary
// tools can read, one JSON object a line.
//
// Lines are numbered and carry a checksum (CRC-32C of everything before the member
// "crc"), since a book with a hole in it must say so. What is torn off at the end by
// a power cut is cut back to the last whole line. What has rotted in the middle is
// told with its line and never mended: a book that mends itself proves nothing.
//
// ledger.jsonl is written to. When it is full, or the month is over, it gets the
// number of its first line into its name and is never written again, but for one
// thing: after some time, lines that do not tell of money give way to one that says
// so (trim.go). Money stays for ever. What must be known of older files to go on
// stands in the first line of each (page), so that a start reads only the newest.
//
// What tells of money, faults and commands is on disk when Append returns. The rest
// is not worth the wear of a flash card: it is synced with the next that is, or
// before anybody outside is told of it.
//
// The daemon and the commands may write at the same time, so each append locks the
// folder, which is never replaced as files are, and first reads what others have added.
package ledger

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// Chosen by us: a sale has some 900 bytes, a charge some 3000 with all that is told of
// it, and a busy EVSE some thousand charges a month.
const (
	maxLine   = 16 << 10 // bytes
	maxRecent = 4096     // charges that are found without reading the whole book
	maxPage   = 1 << 20  // of one file, bytes: what is rewritten at once when it is trimmed
	maxOpened = 4 << 20  // of older files, bytes: what a start reads
)

// Ledger is an open book. Any number of goroutines may use it at the same time.
type Ledger struct {
	path   string   // of the file that is written to
	folder *os.File // locked while something is written
	post   string   // whose it is; for the ids of events

	// before is called before each change of the disk, and may say that it fails;
	// nil but in tests.
	before func(op string) error

	writing sync.Mutex  // guards the files and what follows; a card that is ill keeps it for long
	file    *os.File    // that is written to; nil while there is none
	read    bool        // only: the disk takes nothing
	page    page        // it began with
	month   int         // of its first line whose clock was known, see monthOf
	end     int64       // of the last whole line that has been read, bytes
	sure    int64       // of what is on disk, bytes
	doubt   bool        // whether what comes after that is still in memory to be written
	failed  int64       // where a line after end would end that failed and is still there, bytes; 0 for none
	chain   chain       // of the lines read
	begun   atomic.Bool // once the book has been read for the first time
	sent    cursor      // what stood there then of what was acknowledged
	had     uint64      // number of the newest line then
	day     int64       // on which it was looked for what is to be trimmed, days since 1970

	mu     sync.Mutex // guards what follows, for moments: a driver's page must not wait for the card
	recent recent
	ill    string // what went wrong with the last append

	newest atomic.Uint64
	outbox Outbox
}

// Open opens a book, or begins one. Repaired says how many bytes of a torn last
// line were cut off. Errors are those of the file system; damage in the middle is
// none of them (see Read), and neither is a disk that cannot be written (see Health).
func Open(path string) (l *Ledger, repaired int64, err error) {
	l, repaired, err = attempt(path)
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("ledger: %w", err), l.Close())
	}
	return l, repaired, nil
}

// OpenAnyway is Open of a book that must be there: one that cannot be opened is ill, and
// is opened as soon as that can be done.
func OpenAnyway(path string) (l *Ledger, repaired int64) {
	l, repaired, err := attempt(path)
	if err != nil {
		l.ill = l.cannot(err)
	}
	return l, repaired
}

func attempt(path string) (l *Ledger, repaired int64, err error) {
	l = &Ledger{path: path, recent: newRecent()}
	l.outbox.book = l
	err = l.locked(func() error {
		repaired, err = l.catchUp()
		if l.begun.Load() && l.file == nil {
			l.ill, err = l.cannot(err), nil
		}
		return err
	})
	return l, repaired, err
}

// cannot says what cannot be done with the book.
func (l *Ledger) cannot(err error) string {
	if !l.begun.Load() {
		return notOpened + err.Error()
	}
	return "cannot be written: " + err.Error()
}

const notOpened = "cannot be opened: "

// Named says whose book it is, which is part of the ids of events. It comes before
// anything else.
func (l *Ledger) Named(post string) *Ledger {
	l.post = post
	return l
}

// Close closes the book, and saves what its outbox knows.
func (l *Ledger) Close() error {
	err := l.outbox.Save()
	if l.folder != nil {
		err = errors.Join(err, l.folder.Close())
	}
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	return err
}

// Newest is the number of the newest line that has been read; 0 before the first.
func (l *Ledger) Newest() uint64 { return l.newest.Load() }

// Health says what is wrong with the book; "" if nothing is.
func (l *Ledger) Health() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ill == "" && l.recent.damaged != "" {
		return "damaged: " + l.recent.damaged
	}
	return l.ill
}

// Append writes an entry as the next line. Of what tells of money, of faults and of
// commands it returns when it is durable. The number is given here. What was written
// before an error is taken back. The end of a charge is written once, however often it
// is appended.
func (l *Ledger) Append(e Entry) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	var ill string
	var wrote bool
	err := l.locked(func() (err error) {
		if wrote, err = l.append(e); err != nil {
			ill = l.cannot(err)
			return fmt.Errorf("ledger: %w", err)
		}
		if err := l.trim(e); err != nil { // what is too much hurts nobody yet
			ill = "cannot be trimmed: " + err.Error()
		}
		return nil
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if wrote || ill != "" {
		l.ill = ill
	}
	return err
}

func (l *Ledger) append(e Entry) (wrote bool, err error) {
	if _, err := l.catchUp(); err != nil {
		return false, err
	}
	if e.Sale != nil && l.Has(e.Ref) {
		return false, l.secure()
	}
	if err := l.turn(e); err != nil {
		return false, fmt.Errorf("new file: %w", err)
	}
	if err := l.write(e); err != nil {
		return false, fmt.Errorf("entry %d: %w", l.chain.seq+1, err)
	}
	return true, nil
}

// write writes an entry at the end.
func (l *Ledger) write(e Entry) error {
	e.Seq = l.chain.seq + 1
	line, err := e.line()
	if err != nil {
		return err
	}
	if err = l.may("write"); err == nil {
		_, err = l.file.WriteAt(line, l.end)
	}
	if err == nil && e.Kind.durable() {
		err = l.sync(l.end + int64(len(line)))
	}
	if err != nil {
		l.failed = l.end + int64(len(line))
		return errors.Join(err, l.takeBack())
	}
	l.chain.take(line)
	l.note(e, int64(len(line)), "")
	return nil
}
