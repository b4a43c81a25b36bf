package journal

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"

	"stolpe/agent/journal/card"
)

// put writes b into a slot behind the journal's back.
func put(c *card.Card, file, slot int, b []byte) {
	x, y := c.Files()
	f := []*card.File{x, y}[file]
	_, err := f.WriteAt(b, int64(slot)*SlotSize)
	if err := errors.Join(err, f.Sync()); err != nil {
		panic(err)
	}
}

// slotOf encodes the record of that sequence as owner would have it.
func slotOf(slots uint32, sequence uint64, owner string) []byte {
	var b [SlotSize]byte
	record{slots: slots, sequence: sequence, owner: []byte(owner), payload: state(sequence)}.encode(&b)
	return b[:]
}

// noise is what no journal has in a slot.
func noise() []byte { return bytes.Repeat([]byte{0xa5}, SlotSize) }

// zeros is what a slot holds that was never reached.
func zeros() []byte { return make([]byte, SlotSize) }

// doubtful is a journal of eight slots a file to which records up to last were
// appended, so that 21 is in slot 5 of a and 13 in slot 5 of b, and which then
// came to harm.
type doubtful struct {
	name   string
	last   uint64
	harm   func(c *card.Card)
	doubt  Doubt
	newest uint64 // the record that is found
	detail string
}

// opened opens the journal and demands what is said of it.
func (d doubtful) opened(t *testing.T) (*card.Card, *Journal) {
	t.Helper()
	c := filled(t, 8, d.last)
	d.harm(c)
	j, r := reopen(t, c)
	expect(t, r, d.doubt, d.newest)
	if r.Detail != d.detail {
		t.Errorf("says %q\nwant %q", r.Detail, d.detail)
	}
	return c, j
}

// stops demands that nothing is appended.
func (d doubtful) stops(t *testing.T) {
	t.Helper()
	c, j := d.opened(t)
	refuses(t, c, j)
}

// survives demands that the journal goes on.
func (d doubtful) survives(t *testing.T) {
	t.Helper()
	c, j := d.opened(t)
	goesOn(t, c, j, d.newest)
}

func TestWhatAPowerCutLeavesIsTorn(t *testing.T) {
	for _, tt := range []doubtful{
		{"just installed", 0, func(*card.Card) {}, New, 0,
			"nothing was ever appended"},
		{"nothing wrong", 21, func(*card.Card) {}, Sound, 21, ""},
		{"first write torn", 0, func(c *card.Card) { put(c, 0, 1, noise()) }, Torn, 0,
			"file a slot 1 is damaged (does not begin like a record), as after a power cut in a write; the newest good record is 0"},
		{"write torn", 21, func(c *card.Card) { c.Flip(0, 6*SlotSize*8+4000) }, Torn, 21,
			"file a slot 6 is damaged (checksum does not match), as after a power cut in a write; the newest good record is 21"},
		{"write left zeros", 21, func(c *card.Card) { put(c, 0, 6, zeros()) }, Torn, 21,
			"file a slot 6 is empty, record 6 must be there, as after a power cut in a write; the newest good record is 21"},
		{"newest record rotten", 21, func(c *card.Card) { c.Flip(0, 5*SlotSize*8+4000) }, Torn, 20,
			"file a slot 5 is damaged (checksum does not match), as after a power cut in a write; the newest good record is 20"},
		{"newest record of a full file rotten", 15, func(c *card.Card) { put(c, 1, 7, noise()) }, Torn, 14,
			"file b slot 7 is damaged (does not begin like a record), as after a power cut in a write; the newest good record is 14"},
		{"four starts died writing", 21, func(c *card.Card) {
			for n := range 4 {
				put(c, (6+n)/8, (6+n)%8, noise())
			}
		}, Torn, 21,
			"file a slot 6 is damaged (does not begin like a record), as after a power cut in a write; the newest good record is 21"},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.survives(t) })
	}
}

func TestWhatNoPowerCutLeavesIsRotten(t *testing.T) {
	for _, tt := range []doubtful{
		{"five slots damaged", 21, func(c *card.Card) {
			for n := range 5 {
				put(c, (6+n)/8, (6+n)%8, noise())
			}
		}, Rotten, 21,
			"file a slot 6 is damaged (does not begin like a record), and so are the 4 slots after it; the newest good record is 21"},
		{"rot in the middle", 21, func(c *card.Card) { put(c, 0, 3, noise()) }, Rotten, 21,
			"file a slot 3 is damaged (does not begin like a record); the newest good record is 21"},
		{"rot in the turn before", 21, func(c *card.Card) { put(c, 1, 3, noise()) }, Rotten, 21,
			"file b slot 3 is damaged (does not begin like a record); the newest good record is 21"},
		{"rot in a slot never used", 3, func(c *card.Card) { c.Flip(1, 9) }, Rotten, 3,
			"file b slot 0 is damaged (does not begin like a record); the newest good record is 3"},
		{"torn and rot", 21, func(c *card.Card) { put(c, 0, 6, noise()); put(c, 0, 2, noise()) }, Rotten, 21,
			"file a slot 2 is damaged (does not begin like a record); the newest good record is 21"},
		{"records gone", 21, func(c *card.Card) { put(c, 0, 1, zeros()); put(c, 0, 2, zeros()) }, Rotten, 21,
			"file a slot 1 is empty, record 17 must be there (one of 2 bad slots); the newest good record is 21"},
		{"a write went astray", 21, func(c *card.Card) { put(c, 0, 2, slotOf(8, 2, owner)) }, Rotten, 21,
			"file a slot 2 holds record 2, record 18 must be there; the newest good record is 21"},
		{"a write went to another slot", 21, func(c *card.Card) { put(c, 0, 2, slotOf(8, 22, owner)) }, Rotten, 21,
			"file a slot 2 is damaged (holds a record that belongs elsewhere); the newest good record is 21"},
		{"a write went to the other file", 21, func(c *card.Card) { put(c, 1, 6, slotOf(8, 22, owner)) }, Rotten, 21,
			"file b slot 6 is damaged (holds a record that belongs elsewhere); the newest good record is 21"},
		{"good record after a hole", 21, func(c *card.Card) { put(c, 0, 7, slotOf(8, 23, owner)) }, Rotten, 23,
			"file a slot 6 holds record 6, record 22 must be there; the newest good record is 23"},
		{"older copy of one file", 37, func(c *card.Card) {
			for n := range uint64(8) {
				put(c, 0, int(n), slotOf(8, n, owner))
			}
		}, Rotten, 31,
			"file a slot 0 holds record 0, record 16 must be there (one of 8 bad slots); the newest good record is 31"},
		{"newer file damaged throughout", 21, func(c *card.Card) {
			for n := range 8 {
				put(c, 0, n, noise())
			}
		}, Rotten, 15,
			"file a slot 0 is damaged (does not begin like a record), and so are the 7 slots after it; the newest good record is 15"},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.survives(t) })
	}
}

func TestWhatIsNotOursIsNotWritten(t *testing.T) {
	for _, tt := range []doubtful{
		{"all zero", 21, func(c *card.Card) { c.Erase() }, Rotten, 0,
			"no slot of file a and file b holds a record"},
		{"other post's journal", 0, func(c *card.Card) { put(c, 0, 0, slotOf(8, 0, "B7/2")) }, Foreign, 0,
			`file a slot 0 belongs to "B7/2", this is "A12/1"`},
		{"other post's record in ours", 21, func(c *card.Card) { put(c, 1, 3, slotOf(8, 11, "B7/2")) }, Foreign, 21,
			`file b slot 3 belongs to "B7/2", this is "A12/1"`},
		{"later program's record", 21, func(c *card.Card) {
			put(c, 0, 6, sealedSlot(func(b []byte) { b[atVersion] = 2 }))
		}, Foreign, 21,
			"file a slot 6 was written by another version of the program (format 2, this is 1)"},
		{"records of larger files", 5, func(c *card.Card) { put(c, 0, 6, slotOf(128, 6, owner)) }, Rotten, 6,
			"the files have 8 slots each, their records speak of 128"},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.stops(t) })
	}
}

// refuses demands that nothing is written any more.
func refuses(t *testing.T, c *card.Card, j *Journal) {
	t.Helper()
	writes := c.Writes
	if err := j.Append(state(1)); !errors.Is(err, ErrFailed) || c.Writes != writes {
		t.Errorf("append: %v, %d writes", err, c.Writes-writes)
	}
}

// goesOn demands that the next record touches neither the newest one nor a
// damaged slot, and that what was reported once is not reported again, however
// many records follow.
func goesOn(t *testing.T, c *card.Card, j *Journal, newest uint64) {
	t.Helper()
	kept := bytesAt(t, c, 8, newest)
	if damaged(t, c, 8, j.next) {
		t.Errorf("record %d is to be written over a damaged slot", j.next)
	}
	first := j.next
	add(t, j, first)
	if !bytes.Equal(kept, bytesAt(t, c, 8, newest)) {
		t.Error("the newest good record was written over")
	}
	for n := first; n < first+40; n++ {
		c.Cut(func(card.Op) card.Fate { return card.Fate{} })
		want := Sound
		if damaged(t, c, 8, n+1) {
			want = Torn // still there from a turn ago: nobody can know that it is not newer
		}
		_, r := reopen(t, c)
		expect(t, r, want, n)
		add(t, j, n+1)
	}
}

func TestDoubtsHaveNames(t *testing.T) {
	for d, want := range []string{"rotten", "foreign", "torn", "new", "sound"} {
		if got := Doubt(d).String(); got != want {
			t.Errorf("%d is %q, want %q", d, got, want)
		}
	}
	if zero := (Recovered{}).Doubt; zero != Rotten {
		t.Errorf("nothing known is taken for %v", zero)
	}
}

// worn is a file of which some slots cannot be read.
type worn struct {
	*card.File
	bad map[int64]bool
}

func (w worn) ReadAt(p []byte, off int64) (int, error) {
	if w.bad[off/SlotSize] {
		return 0, syscall.EIO
	}
	return w.File.ReadAt(p, off)
}

func TestUnreadableSlotIsDamage(t *testing.T) {
	c := filled(t, 8, 21)
	a, b := c.Files()
	j, r, _ := OpenFiles(worn{a, map[int64]bool{5: true}}, b, owner)
	expect(t, r, Torn, 20)
	if want := "file a slot 5 is damaged (input/output error), as after a power cut in a write; the newest good record is 20"; r.Detail != want {
		t.Errorf("says %q, want %q", r.Detail, want)
	}
	// Records written behind it are newer than it, should it be read again.
	add(t, j, j.next)
	_, r = reopen(t, c)
	expect(t, r, Sound, 22)
	if _, err := decode(bytesAt(t, c, 8, 21)); err != nil {
		t.Errorf("the slot that could not be read was written over: %v", err)
	}
}

func TestDyingCardIsGivenUp(t *testing.T) {
	c := filled(t, 16, 5)
	a, b := c.Files()
	bad := map[int64]bool{}
	for n := range int64(9) {
		bad[n+6] = true
	}
	w := &counted{worn: worn{a, bad}}
	j, r, _ := OpenFiles(w, b, owner)
	expect(t, r, Rotten, 5)
	if want := "file a cannot be read: input/output error"; r.Detail != want {
		t.Errorf("says %q, want %q", r.Detail, want)
	}
	if w.reads != 6+9 {
		t.Errorf("%d reads", w.reads)
	}
	refuses(t, c, j)
}

// counted counts reads.
type counted struct {
	worn
	reads int
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) { c.reads++; return c.worn.ReadAt(p, off) }

func TestFilesThatDoNotFitAreReadButNotWritten(t *testing.T) {
	whole := filled(t, 8, 13)
	a, b := whole.Files()
	for _, tt := range []struct {
		name   string
		a, b   File
		newest uint64
		detail string
	}{
		{"one missing", a, absent{}, 7, "file b is missing or empty"},
		{"other missing", absent{}, b, 13, "file a is missing or empty"},
		{"both empty", absent{}, absent{}, 0, "file a is missing or empty"},
		{"one shorter", a, cropped{b, 6 * SlotSize}, 13, "file a has 8 slots and file b has 6"},
		{"both shorter", cropped{a, 6 * SlotSize}, cropped{b, 6 * SlotSize}, 13, "the files have 6 slots each, their records speak of 8"},
		{"one ends in a slot", a, cropped{b, 6*SlotSize + 100}, 13, "file b ends in the middle of slot 6"},
		{"one without end", endless{a}, b, 13, "file a is longer than 4096 slots"},
		{"one that cannot be flushed", a, dead{b}, 13, "file b cannot be flushed: input/output error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, r, err := OpenFiles(tt.a, tt.b, owner)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, r, Rotten, tt.newest)
			if r.Detail != tt.detail {
				t.Errorf("says %q, want %q", r.Detail, tt.detail)
			}
			refuses(t, whole, j)
		})
	}
}

// cropped is the beginning of a file.
type cropped struct {
	*card.File
	size int64
}

func (c cropped) ReadAt(p []byte, off int64) (int, error) {
	return io.NewSectionReader(c.File, 0, c.size).ReadAt(p, off)
}

// endless is a file that goes on and on.
type endless struct{ *card.File }

func (e endless) ReadAt(p []byte, off int64) (int, error) {
	if n, err := e.File.ReadAt(p, off); err != io.EOF {
		return n, err
	}
	clear(p)
	return len(p), nil
}

// dead is a file that takes nothing more.
type dead struct{ *card.File }

func (dead) Sync() error { return syscall.EIO }
