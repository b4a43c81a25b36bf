package ledger

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"stolpe/agent/plain"
	"stolpe/hal"
)

// Chosen by us: what a fleet that was cut off for a long holiday still gets, and what
// never hurts on a card.
const (
	maxAge  = 30 * 24 * time.Hour
	maxKept = 16 << 20 // of files that are not trimmed, bytes
)

// trim drops what does not tell of money from the oldest file that has become too old
// or too much. It is looked for once a day, by the time of the newest entry, and for
// as long as there is one: each append does a little. The folder is locked.
func (l *Ledger) trim(now Entry) error {
	const day = 24 * 60 * 60 // s
	if now.At/day == l.day {
		return nil
	}
	all, err := l.olders()
	if err != nil {
		return err
	}
	next, kept, err := headOf(older{path: l.path})
	if err != nil {
		return err
	}
	due := -1
	for i := len(all) - 1; i >= 0; i-- {
		head, size, err := headOf(all[i])
		if err != nil {
			return err
		}
		if head.Page == nil || !head.Page.Trimmed {
			if kept += size; kept > maxKept || old(next, now) {
				due = i
			}
		}
		next = head
	}
	if due < 0 {
		l.day = now.At / day
		return nil
	}
	err = l.trimFile(all[due])
	if err != nil {
		l.day = now.At / day // not with every line
	}
	return err
}

// old says whether a file has had its time whose next one begins with that line. It
// goes by good clocks only: one that is wrong by years must not empty the book.
func old(next, now Entry) bool {
	synced := hal.ClockSynced.String()
	return next.Clock == synced && now.Clock == synced && now.At-next.At > int64(maxAge/time.Second)
}

// headOf reads the first line of a file, and its size in bytes. One that has rotted
// has no time.
func headOf(o older) (Entry, int64, error) {
	f, err := plain.Open(o.path, os.O_RDONLY)
	if err != nil {
		return Entry{}, 0, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	if err != nil {
		return Entry{}, 0, err
	}
	line, err := readLine(bufio.NewReaderSize(f, maxLine))
	if err != nil && err != io.EOF {
		return Entry{}, 0, err
	}
	e, err := parse(line)
	if err != nil {
		e = Entry{}
	}
	return e, info.Size(), nil
}

// trimFile writes a file anew, without what does not tell of money. What has rotted
// stays as it is: it may have told of money.
func (l *Ledger) trimFile(o older) error {
	f, err := plain.Open(o.path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	err = l.replace(o.path, func(w io.Writer) error {
		t := trimmer{to: bufio.NewWriter(w), first: o.first}
		c := chain{name: filepath.Base(o.path), seq: o.first - 1}
		err := c.read(f, 0, math.MaxInt64, func(e Entry, line []byte, _ int64, wrong string) error {
			l.rotten(wrong)
			return t.take(e, line)
		})
		if err == nil {
			err = t.tell()
		}
		if err != nil {
			return err
		}
		return t.to.Flush()
	})
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(o.path), err)
	}
	return nil
}

// trimmer writes a file without what does not tell of money.
type trimmer struct {
	to    *bufio.Writer
	first uint64 // number of the first line
	begun bool
	gap   *Gap  // lines that were dropped just now
	last  Entry // of those
}

func (t *trimmer) take(e Entry, line []byte) error {
	if !t.begun {
		t.begun = true
		head := Entry{Seq: t.first - 1, At: e.At, Clock: e.Clock, Kind: pageKind, Page: &page{First: t.first}}
		own := e.Kind == pageKind
		if own {
			head = e
		}
		head.Page.Trimmed = true
		if err := t.write(head); err != nil || own {
			return err
		}
	}
	drop := e.Kind != "" && e.Kind != Trimmed && !e.Kind.stays()
	if !drop || t.gap != nil && e.Seq != t.gap.To+1 { // what was missing before is still seen to be
		if err := t.tell(); err != nil {
			return err
		}
	}
	if !drop {
		_, err := t.to.Write(line)
		return err
	}
	if t.gap == nil {
		t.gap = &Gap{From: e.Seq, Why: "kept for a while only"}
	}
	t.gap.To, t.last = e.Seq, e
	return nil
}

// tell writes that lines have been dropped.
func (t *trimmer) tell() error {
	if t.gap == nil {
		return nil
	}
	e := Entry{Seq: t.gap.To, At: t.last.At, Clock: t.last.Clock, Kind: Trimmed, Gap: t.gap}
	t.gap = nil
	return t.write(e)
}

func (t *trimmer) write(e Entry) error {
	line, err := e.line()
	if err == nil {
		_, err = t.to.Write(line)
	}
	return err
}
