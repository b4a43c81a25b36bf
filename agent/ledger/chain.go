package ledger

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// chain is how far lines have been read that should follow each other.
type chain struct {
	seq   uint64 // of the last one
	at    int64  // its time, s since 1970
	clock string // how good the clock was
	name  string // of the file
	lines int    // of the file
}

// take takes in a line. Of one that has rotted the entry has no kind.
func (c *chain) take(line []byte) (e Entry, wrong string) {
	c.lines++
	e, err := parse(line)
	if err != nil {
		if c.lines > 1 || c.seq == 0 { // else it was a page's, which have no number of their own
			c.seq++
		}
		return Entry{Seq: c.seq}, fmt.Sprintf("%s line %d: %v", c.name, c.lines, err)
	}
	after := c.seq + 1
	switch e.Kind {
	case pageKind:
		after = c.seq
	case Trimmed:
		after += e.Gap.To - e.Gap.From
	}
	if e.Seq != after {
		wrong = fmt.Sprintf("%s line %d: number %d after %d", c.name, c.lines, e.Seq, c.seq)
	}
	c.seq, c.at, c.clock = e.Seq, e.At, e.Clock
	return e, wrong
}

// read takes in the lines from one offset to another, and gives each to fn with where
// it begins. One without an end has rotted.
func (c *chain) read(r io.ReaderAt, from, to int64, fn func(e Entry, line []byte, at int64, wrong string) error) error {
	lines := bufio.NewReaderSize(io.NewSectionReader(r, from, to-from), maxLine)
	for {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		e, wrong := c.take(line)
		if err := fn(e, line, from, wrong); err != nil {
			return err
		}
		from += int64(len(line))
	}
}

// whole is where the lines between two offsets end that a power cut has left whole.
// Zeros are what a file system may leave where nothing was written: nothing that
// comes after them was on disk either, unless something does that certainly was: what
// is durable, and what has left the post, up to the number sent.
func whole(r io.ReaderAt, from, to int64, sent uint64) (int64, error) {
	lines := bufio.NewReaderSize(io.NewSectionReader(r, from, to-from), maxLine)
	torn := int64(-1)
	for {
		line, err := readLine(lines)
		switch {
		case errors.Is(err, io.EOF) && torn >= 0:
			return torn, nil
		case errors.Is(err, io.EOF):
			return from, nil
		case err != nil:
			return from, err
		case torn < 0 && bytes.IndexByte(line, 0) >= 0:
			torn = from
		case torn >= 0:
			if e, err := parse(line); err == nil && (e.Kind.durable() || e.Seq <= sent) {
				torn = -1
			}
		}
		from += int64(len(line))
	}
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
