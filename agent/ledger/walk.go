package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"stolpe/agent/plain"
)

// place is where a line stands.
type place struct {
	first uint64 // number of the first line of its file
	at    int64  // where it begins in it, bytes
	seq   uint64 // its number
}

// walk gives every line from a place on to fn. Where nothing of the kind stands, as
// after a file has been trimmed, it begins with the file that has the place's number.
func (l *Ledger) walk(from place, fn each) error {
	all, open, end, err := l.files()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if open != nil {
		defer open.Close() //nolint:errcheck // it was only read
	}
	first := 0
	for i := range all {
		if all[i].first <= from.seq {
			first = i
		}
	}
	told := func(e Entry, line []byte, p place, wrong string) error {
		if e.Kind == "" {
			l.rotten(wrong)
		}
		return fn(e, line, p, wrong)
	}
	var c chain
	for i, o := range all[first:] {
		if first+i == len(all)-1 && open != nil {
			err = c.walk(open, end, o, from, told)
		} else {
			err = c.walkOlder(o, from, told)
		}
		if err != nil {
			return err
		}
		from = place{}
	}
	return nil
}

// each is what is done with a line.
type each func(e Entry, line []byte, p place, wrong string) error

func (c *chain) walk(f io.ReaderAt, size int64, o older, from place, fn each) error {
	return c.read(f, c.begin(f, o, from), size, func(e Entry, line []byte, at int64, wrong string) error {
		return fn(e, line, place{o.first, at, e.Seq}, wrong)
	})
}

func (c *chain) walkOlder(o older, from place, fn each) error {
	f, err := plain.Open(o.path, os.O_RDONLY)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	return c.walk(f, math.MaxInt64, o, from, fn)
}

// begin goes on to another file, at a place if it stands there.
func (c *chain) begin(f io.ReaderAt, o older, from place) (at int64) {
	c.name, c.lines = filepath.Base(o.path), 0
	if from.first != o.first || from.at == 0 {
		return 0
	}
	line, err := readLine(bufio.NewReaderSize(io.NewSectionReader(f, from.at, maxLine), maxLine))
	if e, bad := parse(line); err != nil || bad != nil || e.Seq != from.seq {
		return 0
	}
	c.seq, c.lines = from.seq-1, 1
	return from.at
}

// files are all files, oldest first. The last one is open up to an offset, if it is
// the one that is written to and there is one.
func (l *Ledger) files() (all []older, open *os.File, end int64, err error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	err = l.locked(func() error {
		if _, err := l.catchUp(); readable(err) != nil && (l.file != nil || !l.begun.Load()) {
			return err
		}
		if all, err = l.olders(); err != nil || l.file == nil || !l.current() {
			return err
		}
		all = append(all, older{l.path, l.page.First})
		end = l.end
		open, err = plain.Open(l.path, os.O_RDONLY)
		return err
	})
	return all, open, end, err
}

// errEnough ends a walk.
var errEnough = errors.New("enough")
