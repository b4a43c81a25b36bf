// Package card is a memory card without a computer: two files of fixed size in
// memory that can lose power. It does to what was not flushed whatever a real
// card may do, and to what was flushed what a dying one does.
//
// # Why
//
// Killing a process or a machine is a weak test of a journal: it takes thousands
// of tries to hit one bad moment. Here every moment can be hit, and every outcome
// of it. The simulator keeps its journal on the same card, so what it shows of
// charges has been through the same power cuts.
//
// Nothing here is drawn at random. What becomes of each write is a Fate that the
// caller gives; Draw makes one from a number.
package card

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Sector is what a card writes whole or not at all, in bytes, unless it dies in
// the middle of it.
const Sector = 512

// MaxWrite is the longest write, in bytes: as many sectors as a Fate has bits.
const MaxWrite = 64 * Sector

// ErrRange says that a write reaches beyond the end of the file or is above MaxWrite.
var ErrRange = errors.New("card: write out of range")

// Op is a write to a file, or a flush of it.
type Op struct {
	Sync   bool
	File   int   // 0 or 1
	Offset int64 // bytes; 0 for a flush
	Length int   // bytes; 0 for a flush
}

// Card holds two files. It is not safe for concurrent use.
type Card struct {
	// Fault, if set, is asked before every write and flush; an error makes it
	// fail. A write that fails may have reached the card nevertheless. What a
	// failed flush should have flushed can still be read but no later flush
	// helps it, as on Linux.
	Fault func(Op) error
	// Saw, if set, is told of every write and flush when it has been done.
	Saw func(Op)

	// Writes and Syncs count what was asked of the card.
	Writes, Syncs int

	files   [2]File
	pending []write // not flushed, in the order written; buffers are reused
}

// write is a write that is not known to be on the medium.
type write struct {
	Op
	before []byte // what the file held there
	doomed bool   // a flush of it failed
}

// File is a file of a Card, an io.ReaderAt and io.WriterAt.
type File struct {
	card  *Card
	index int
	data  []byte // as read; the medium is this with pending taken back
}

// New gives a card with two files of so many bytes, all zero.
func New(size int) *Card {
	c := &Card{}
	for i := range c.files {
		c.files[i] = File{card: c, index: i, data: make([]byte, size)}
	}
	return c
}

// Files gives the two files.
func (c *Card) Files() (a, b *File) { return &c.files[0], &c.files[1] }

// ReadAt reads what was last written, flushed or not.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes p, which a power cut before the next Sync may undo, in part or
// whole. It returns ErrRange, or what Fault says.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > int64(len(f.data)) || len(p) > MaxWrite {
		return 0, fmt.Errorf("%w: %d bytes at %d of %d", ErrRange, len(p), off, len(f.data))
	}
	c, op := f.card, Op{File: f.index, Offset: off, Length: len(p)}
	c.Writes++
	err := c.ask(op)
	at := f.data[off:][:len(p)]
	c.await(op, at)
	copy(at, p)
	if err != nil {
		return 0, err
	}
	c.tell(op)
	return len(p), nil
}

// Sync makes what was written to the file survive. It returns what Fault says.
func (f *File) Sync() error {
	c, op := f.card, Op{Sync: true, File: f.index}
	c.Syncs++
	err := c.ask(op)
	kept := 0
	for i := range c.pending {
		w := &c.pending[i]
		if w.File == f.index {
			w.doomed = w.doomed || err != nil
			if !w.doomed {
				continue
			}
		}
		c.pending[kept], c.pending[i] = c.pending[i], c.pending[kept]
		kept++
	}
	c.pending = c.pending[:kept]
	if err != nil {
		return err
	}
	c.tell(op)
	return nil
}

// Close does nothing: a file does not end with the program that used it.
func (f *File) Close() error { return nil }

// ask asks Fault.
func (c *Card) ask(op Op) error {
	if c.Fault == nil {
		return nil
	}
	return c.Fault(op)
}

// tell tells Saw.
func (c *Card) tell(op Op) {
	if c.Saw != nil {
		c.Saw(op)
	}
}

// await notes that op overwrites what the file holds at before.
func (c *Card) await(op Op, before []byte) {
	n := len(c.pending)
	if n == cap(c.pending) {
		c.pending = append(c.pending, write{})
	}
	c.pending = c.pending[:n+1]
	w := &c.pending[n]
	w.Op, w.doomed, w.before = op, false, append(w.before[:0], before...)
}

// Pending is how many writes a power cut would now decide about.
func (c *Card) Pending() int { return len(c.pending) }

// Cut takes the power away and gives it back. Of every write that was not
// flushed, in the order they were written, fate says what became of it.
func (c *Card) Cut(fate func(Op) Fate) {
	type landing struct {
		Fate
		write
		after []byte
	}
	landings := make([]landing, len(c.pending))
	for i, w := range slices.Backward(c.pending) {
		at := c.files[w.File].data[w.Offset:][:w.Length]
		landings[i] = landing{write: w, after: slices.Clone(at)}
		copy(at, w.before)
	}
	for i := range landings {
		landings[i].Fate = fate(landings[i].Op)
	}
	slices.SortStableFunc(landings, func(a, b landing) int { return a.Rank - b.Rank })
	for _, l := range landings {
		l.land(c.files[l.File].data[l.Offset:], l.after)
	}
	c.pending = c.pending[:0]
}

// Clone gives a copy of the card as it is, without Fault, Saw and counts.
func (c *Card) Clone() *Card {
	d := New(len(c.files[0].data))
	d.Restore(c)
	return d
}

// Restore makes the card hold what other holds, another one of the same size: an
// older copy put back.
func (c *Card) Restore(other *Card) {
	for i := range c.files {
		copy(c.files[i].data, other.files[i].data)
	}
	c.pending = c.pending[:0]
	for _, w := range other.pending {
		c.await(w.Op, w.before)
		c.pending[len(c.pending)-1].doomed = w.doomed
	}
}

// Erase makes the card one that was never used: all zero.
func (c *Card) Erase() {
	for i := range c.files {
		clear(c.files[i].data)
	}
	c.pending = c.pending[:0]
}

// Flip turns one bit over, of one file, on the medium.
func (c *Card) Flip(file int, bit int64) { c.files[file].data[bit/8] ^= 1 << (bit % 8) }
