package card

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// text gives a card whose first file holds so many bytes of a letter, flushed.
func text(t *testing.T, letter byte, n int) (*Card, *File) {
	t.Helper()
	c := New(n)
	a, _ := c.Files()
	set(t, a, letter, 0, n)
	if err := a.Sync(); err != nil {
		t.Fatal(err)
	}
	return c, a
}

// set writes n times the letter.
func set(t *testing.T, f *File, letter byte, off int64, n int) {
	t.Helper()
	if got, err := f.WriteAt(bytes.Repeat([]byte{letter}, n), off); err != nil || got != n {
		t.Fatalf("wrote %d, %v", got, err)
	}
}

// show gives the letter each sector of f is full of, ? if it is mixed.
func show(t *testing.T, f *File) string {
	t.Helper()
	s := ""
	for off := range int64(len(f.data) / Sector) {
		b := make([]byte, Sector)
		if _, err := f.ReadAt(b, off*Sector); err != nil {
			t.Fatal(err)
		}
		if bytes.Count(b, b[:1]) == Sector {
			s += string(b[:1])
		} else {
			s += "?"
		}
	}
	return s
}

// always gives the same fate to every write.
func always(f Fate) func(Op) Fate { return func(Op) Fate { return f } }

func TestCutDecidesAboutUnflushedSectors(t *testing.T) {
	for _, tt := range []struct {
		name string
		fate Fate
		want string
	}{
		{"lost", Fate{}, "oooo"},
		{"whole", Fate{Kept: Whole}, "onnn"},
		{"torn", Fate{Kept: 0b101}, "onon"},
		{"garbled", Fate{Kept: 0b011, Garbled: 0b010}, "on?o"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, a := text(t, 'o', 4*Sector)
			set(t, a, 'n', Sector, 3*Sector)
			if got := show(t, a); got != "onnn" || c.Pending() != 1 {
				t.Fatalf("before the cut: %s, %d pending", got, c.Pending())
			}
			c.Cut(always(tt.fate))
			if got := show(t, a); got != tt.want || c.Pending() != 0 {
				t.Errorf("after the cut: %s, %d pending, want %s", got, c.Pending(), tt.want)
			}
		})
	}
}

func TestFlushedIsSafe(t *testing.T) {
	c, a := text(t, 'o', 2*Sector)
	_, b := c.Files()
	set(t, a, 'n', 0, Sector)
	set(t, b, 'n', 0, Sector)
	if err := a.Sync(); err != nil {
		t.Fatal(err)
	}
	c.Cut(always(Fate{}))
	if got := show(t, a) + show(t, b); got != "no\x00\x00" {
		t.Errorf("got %q: a flush is for its own file", got)
	}
}

func TestWritesLandInAnyOrder(t *testing.T) {
	for _, tt := range []struct {
		ranks map[int64]int // by offset
		want  string
	}{
		{map[int64]int{0: 0, Sector: 0}, "122"},
		{map[int64]int{0: 1, Sector: 0}, "112"},
	} {
		c, a := text(t, 'o', 3*Sector)
		set(t, a, '1', 0, 2*Sector)
		set(t, a, '2', Sector, 2*Sector)
		c.Cut(func(op Op) Fate { return Fate{Kept: Whole, Rank: tt.ranks[op.Offset]} })
		if got := show(t, a); got != tt.want {
			t.Errorf("ranks %v: %s, want %s", tt.ranks, got, tt.want)
		}
	}
}

func TestFailedFlushSavesNothingEverAgain(t *testing.T) {
	c, a := text(t, 'o', 2*Sector)
	broken := errors.New("broken")
	set(t, a, 'n', 0, Sector)
	c.Fault = func(op Op) error {
		if op.Sync {
			return broken
		}
		return nil
	}
	if err := a.Sync(); err != broken {
		t.Fatalf("got %v", err)
	}
	c.Fault = nil
	set(t, a, 'm', Sector, Sector)
	if err := a.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := show(t, a); got != "nm" {
		t.Errorf("the cache shows %s", got)
	}
	copied := c.Clone()
	x, _ := copied.Files()
	if err := x.Sync(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Card{c, copied} {
		c.Cut(always(Fate{}))
		if a, _ := c.Files(); show(t, a) != "om" {
			t.Errorf("the medium has %s", show(t, a))
		}
	}
}

func TestFailedWriteMayHaveHappened(t *testing.T) {
	for fate, want := range map[Fate]string{{}: "o", {Kept: Whole}: "n"} {
		c, a := text(t, 'o', Sector)
		broken := errors.New("broken")
		c.Fault = func(Op) error { return broken }
		if n, err := a.WriteAt(bytes.Repeat([]byte{'n'}, Sector), 0); n != 0 || err != broken {
			t.Fatalf("wrote %d, %v", n, err)
		}
		c.Cut(always(fate))
		if got := show(t, a); got != want {
			t.Errorf("%+v leaves %s, want %s", fate, got, want)
		}
	}
}

func TestEverythingIsSeenAndCounted(t *testing.T) {
	c := New(2 * Sector)
	_, b := c.Files()
	var seen []Op
	c.Saw = func(op Op) { seen = append(seen, op) }
	set(t, b, 'x', Sector, Sector)
	if err := b.Sync(); err != nil {
		t.Fatal(err)
	}
	want := [2]Op{{File: 1, Offset: Sector, Length: Sector}, {File: 1, Sync: true}}
	if len(seen) != 2 || [2]Op(seen) != want || c.Writes != 1 || c.Syncs != 1 {
		t.Errorf("saw %v, %d writes, %d flushes", seen, c.Writes, c.Syncs)
	}
}

func TestCopiesAreTheirOwn(t *testing.T) {
	c, a := text(t, 'o', 2*Sector)
	set(t, a, 'n', 0, Sector)
	old := c.Clone()
	if err := a.Sync(); err != nil {
		t.Fatal(err)
	}
	set(t, a, 'm', Sector, Sector)

	x, _ := old.Files()
	if got := show(t, x); got != "no" {
		t.Errorf("the copy shows %s", got)
	}
	c.Restore(old)
	if got := show(t, a); got != "no" || c.Pending() != 1 {
		t.Errorf("put back: %s, %d pending", got, c.Pending())
	}
	c.Cut(always(Fate{}))
	old.Cut(always(Fate{Kept: Whole}))
	if got := show(t, a) + show(t, x); got != "oono" {
		t.Errorf("the writes pending in both: %s", got)
	}
	c.Erase()
	if got := show(t, a); got != "\x00\x00" {
		t.Errorf("erased: %q", got)
	}
}

func TestFlipTurnsOneBit(t *testing.T) {
	c, a := text(t, 0, Sector)
	c.Flip(0, 8*5+3)
	var b [Sector]byte
	if _, err := a.ReadAt(b[:], 0); err != nil {
		t.Fatal(err)
	}
	if b[5] != 1<<3 || bytes.Count(b[:], []byte{0}) != Sector-1 {
		t.Errorf("got % x", b[:8])
	}
}

func TestFilesEnd(t *testing.T) {
	c := New(MaxWrite + Sector)
	a, _ := c.Files()
	for _, tt := range []struct {
		off int64
		n   int
	}{{-1, 1}, {MaxWrite, Sector + 1}, {0, MaxWrite + 1}} {
		if _, err := a.WriteAt(make([]byte, tt.n), tt.off); !errors.Is(err, ErrRange) {
			t.Errorf("%d bytes at %d: %v", tt.n, tt.off, err)
		}
	}
	if c.Pending() != 0 {
		t.Error("something was written")
	}
	b := make([]byte, 2*Sector)
	if n, err := a.ReadAt(b, MaxWrite); n != Sector || err != io.EOF {
		t.Errorf("read %d, %v at the end", n, err)
	}
	if n, err := a.ReadAt(b, MaxWrite+Sector); n != 0 || err != io.EOF {
		t.Errorf("read %d, %v behind the end", n, err)
	}
}

func TestDrawIsVariedAndRepeats(t *testing.T) {
	lost, whole, torn, garbled := 0, 0, 0, 0
	fate, again := Draw(1), Draw(1)
	for range 1000 {
		f := fate(Op{})
		if f != again(Op{}) {
			t.Fatal("the same number gives another fate")
		}
		switch {
		case f.Garbled != 0:
			garbled++
		case f.Kept == 0:
			lost++
		case f.Kept == Whole:
			whole++
		default:
			torn++
		}
	}
	if min(lost, whole, torn, garbled) < 200 {
		t.Errorf("lost %d, whole %d, torn %d, garbled %d", lost, whole, torn, garbled)
	}
}
