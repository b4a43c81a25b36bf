// Package journal keeps what must survive a power cut: opaque records, of which
// the newest good one is the truth. It knows nothing of charges and of money.
//
// A journal is two files of equal, fixed size, divided into slots of 4 KiB. A
// record fills a slot of its own and is durable before Append returns. Slots are
// used in order; when one file is full, the next record goes to the first slot
// of the other, and the full file stays whole until the turn after.
//
//	evse-1.a   | 256 | 257 | 258 | 259 | 260 |  5  |  6  | ...      being filled
//	evse-1.b   | 128 | 129 | 130 | 131 | 132 | 133 | 134 | ... 255  the turn before
//	                                      ^     ^
//	                                 newest     next
//
// # Why
//
// The files are written full when they are installed. Nothing is created, grown,
// renamed or truncated in service, so the file system has no bookkeeping of its
// own to lose, and one record costs one write and one flush. A full disk cannot
// hit the journal.
//
// A record is the whole state and not a change to it, so that recovery has
// nothing to replay and cannot differ from what the program knew when it ran.
//
// Slots stand alone. Every slot of both files is looked at on opening: a chain
// that ends at its first bad link would turn one rotten bit into the silent loss
// of everything after it. The place of a record follows from its sequence
// number, so a record that is missing, misplaced or a turn too old gives itself
// away.
//
// A damaged slot is stepped over and never written again before its turn comes:
// it may hold a record that was acknowledged and can only not be read today. The
// next record says from which number on nothing is missing (since), so that what
// was reported once is not reported as a hole for ever after.
//
// A failed flush is never tried again. After one, Linux marks the pages clean: a
// second flush would succeed and the data would be gone (Rebello et al., "Can
// Applications Recover from fsync Failures?", USENIX ATC 2020).
//
// Opening flushes both files before it reads them, and on Linux reads past the
// page cache. Otherwise a program that was killed between write and flush, or
// whose flush failed, would after its restart believe a record that the next
// power cut takes away.
//
// Some harm cannot be seen from here, and the payment service has to show it: an
// older copy of both files put back, and a newest record of which the card has
// brought back what was there before. A damaged slot that was stepped over and is
// next again a turn later looks like a new torn write: that is one reconciliation
// too many.
package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Slots is how many slots Install gives each file: 512 KiB. Chosen by us. At 600
// records a day (20 charges of 30) a slot is written 860 times a year, which
// flash of 3,000 cycles bears for three years even on a card without any wear
// levelling, and at the 4 charges a day of a common post for seventeen. All 1 MiB
// of a journal is read at start-up; the slowest card reader we know of (a Pi
// Zero's, about 22 MB/s) takes 50 ms for that, and twice the size would take twice
// the time.
const Slots = 128

// Errors of Append. Which one it is decides what the caller does next.
var (
	// ErrFailed says that the journal takes no record any more: a write or a
	// flush failed, or it was opened in a state in which nothing may be written.
	// It never goes away.
	ErrFailed = errors.New("the journal takes no more records")
	// ErrTooLarge says that one payload is above MaxPayload. Nothing was
	// written, and the journal goes on.
	ErrTooLarge = fmt.Errorf("a record holds at most %d bytes", MaxPayload)
)

// File is what a journal needs of a file. An *os.File is one, if flushing more
// than needed is acceptable.
type File interface {
	io.ReaderAt
	io.WriterAt
	Sync() error // what was written is durable when it returns nil
	Close() error
}

// Journal takes records. It belongs to one goroutine.
type Journal struct {
	files [2]File
	names [2]string // for messages
	owner []byte
	slots uint32 // per file
	next  uint64 // sequence number of the next record
	since uint64 // from this number on nothing is missing
	// failed is why no record is taken any more. Set once.
	failed error
	buf    [SlotSize]byte
}

// Append makes payload the newest record. When it returns nil the record is
// durable; before that, a power cut may leave this record or the one before it,
// and nothing else.
//
// It returns ErrTooLarge for a payload above MaxPayload, and ErrFailed, with the
// cause, from the first failed write or flush on.
func (j *Journal) Append(payload []byte) error {
	if j.failed != nil {
		return j.failed
	}
	if len(payload) > MaxPayload {
		return fmt.Errorf("journal: append %d bytes: %w", len(payload), ErrTooLarge)
	}
	r := record{slots: j.slots, sequence: j.next, since: j.since, owner: j.owner, payload: payload}
	file, slot := r.place()
	if err := j.write(r, j.files[file], slot); err != nil {
		j.failed = fmt.Errorf("journal: append record %d to %s slot %d: %w (%w)",
			r.sequence, j.names[file], slot, err, ErrFailed)
		return j.failed
	}
	j.next++
	return nil
}

// errEncoding says that a record read back from memory differs from what was
// to be written.
var errEncoding = errors.New("encoded record does not read back")

// write puts r into a slot of f and waits until it is durable. The encoded slot
// is decoded and compared first: what a computer with bad memory has garbled must
// not replace the oldest record there is.
func (j *Journal) write(r record, f File, slot int) error {
	r.encode(&j.buf)
	back, err := decode(j.buf[:])
	if err != nil || back.sequence != r.sequence || back.since != r.since || !bytes.Equal(back.payload, r.payload) {
		return errEncoding
	}
	n, err := f.WriteAt(j.buf[:], int64(slot)*SlotSize)
	if err == nil && n != SlotSize {
		err = io.ErrShortWrite
	}
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// Close closes both files. There is nothing to flush.
func (j *Journal) Close() error {
	return errors.Join(j.files[0].Close(), j.files[1].Close())
}
