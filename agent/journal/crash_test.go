package journal

import (
	"bytes"
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"stolpe/agent/journal/card"
)

// inspect demands of a card after a power cut everything that was acknowledged:
// the newest record up to acked, or the one being written then, and untouched the
// whole turn before it. Then it demands that the journal goes on.
func inspect(t *testing.T, c *card.Card, slots int, acked uint64) {
	t.Helper()
	for n := acked; n > 0 && n+uint64(slots) > acked; n-- {
		r, err := decode(bytesAt(t, c, slots, n))
		if err != nil || r.sequence != n || !bytes.Equal(r.payload, state(n)) {
			t.Fatalf("record %d of %d acknowledged: %v", n, acked, err)
		}
	}
	j, r := reopen(t, c)
	newest, want := acked, Sound
	if bytes.Equal(r.Payload, state(acked+1)) {
		newest++
	}
	switch {
	case damaged(t, c, slots, newest+1):
		want = Torn
	case newest == 0:
		want = New
	}
	expect(t, r, want, newest)
	next := j.next
	add(t, j, next)
	_, r = reopen(t, c)
	expect(t, r, Sound, next)
}

// images cuts copies of c in every way in which its one unflushed write can end,
// and gives each copy to check.
func images(c *card.Card, check func(*card.Card)) {
	image := c.Clone()
	for mask := range uint64(1) << (SlotSize / card.Sector) {
		for _, garbled := range []uint64{0, mask*0x9d | 1<<(mask%8)} {
			image.Restore(c)
			image.Cut(func(card.Op) card.Fate { return card.Fate{Kept: mask, Garbled: garbled, Noise: mask} })
			check(image)
		}
	}
}

func TestEveryCrashImageHoldsEveryAcknowledgedRecord(t *testing.T) {
	const slots, records = 4, 17 // four files full
	c := installed(t, slots)
	j, _ := reopen(t, c)
	acked, tried := uint64(0), 0
	c.Saw = func(op card.Op) {
		if op.Sync {
			acked++
		}
		images(c, func(image *card.Card) { inspect(t, image, slots, acked); tried++ })
	}
	add(t, j, records)
	if acked != records || tried != 2*records*256*2 {
		t.Errorf("%d records acknowledged, %d images tried", acked, tried)
	}
}

func TestInstallationMayBeCutAnywhere(t *testing.T) {
	const slots = 4
	c := card.New(slots * SlotSize)
	a, b := c.Files()
	finished := 0
	c.Saw = func(card.Op) {
		for seed := range uint64(64) {
			image := c.Clone()
			fate := card.Draw(seed)
			image.Cut(func(op card.Op) card.Fate { f := fate(op); f.Garbled = 0; return f })
			x, y := image.Files()
			if err := InstallFiles(x, y, slots, owner); errors.Is(err, fs.ErrExist) {
				finished++
			} else if err != nil {
				t.Fatal(err)
			}
			_, r := reopen(t, image)
			expect(t, r, New, 0)
		}
	}
	if err := InstallFiles(a, b, slots, owner); err != nil {
		t.Fatal(err)
	}
	if finished <= 64 { // all of them after the last flush, some after the last write
		t.Errorf("only %d images were found complete", finished)
	}
}

func TestInstallationReportsEveryFailure(t *testing.T) {
	const slots = 4
	whole := card.New(slots * SlotSize)
	a, b := whole.Files()
	ops := 0
	whole.Saw = func(card.Op) {
		if ops++; whole.Writes > 2*slots && whole.Pending() > 1 {
			t.Error("record 0 is written while the rest of the files is not durable")
		}
	}
	if err := InstallFiles(a, b, slots, owner); err != nil {
		t.Fatal(err)
	}
	for n := range ops {
		c, left := card.New(slots*SlotSize), n
		c.Fault = func(card.Op) error {
			if left--; left == -1 {
				return syscall.EIO
			}
			return nil
		}
		a, b := c.Files()
		if err := InstallFiles(a, b, slots, owner); !errors.Is(err, syscall.EIO) {
			t.Errorf("operation %d of %d failed: %v", n, ops, err)
		}
	}
	a, b = card.New(slots * SlotSize).Files()
	if err := InstallFiles(worn{a, map[int64]bool{2: true}}, b, slots, owner); !errors.Is(err, syscall.EIO) {
		t.Errorf("a slot cannot be read: %v", err)
	}
	for _, bad := range []int{minSlots - 1, maxSlots + 1} {
		if err := InstallFiles(a, b, bad, owner); err == nil {
			t.Errorf("installed %d slots a file", bad)
		}
	}
}

// liar is a card that says it has flushed and has not.
type liar struct{ *card.File }

func (liar) Sync() error { return nil }

func TestLyingCardLosesRecordsButInventsNone(t *testing.T) {
	const slots = 4
	lost := 0
	for seed := range uint64(3000) {
		c := installed(t, slots)
		a, b := c.Files()
		j, _, _ := OpenFiles(liar{a}, liar{b}, owner)
		last := seed%11 + 2
		add(t, j, last)
		c.Cut(card.Draw(seed))
		_, r := reopen(t, c)
		n := uint64(0)
		for n <= last && !bytes.Equal(r.Payload, state(n)) {
			n++
		}
		if n > last {
			t.Fatalf("seed %d: invented %.12q", seed, r.Payload)
		}
		if n < last {
			lost++
		}
	}
	if lost < 1000 {
		t.Errorf("only %d of 3000 lost anything: the card does not lie", lost)
	}
}

func TestKilledProgramsLastWriteIsFlushedBeforeItIsBelieved(t *testing.T) {
	c := filled(t, 4, 5)
	j, _ := reopen(t, c)
	var killed *card.Card
	c.Saw = func(op card.Op) {
		if !op.Sync {
			killed = c.Clone()
		}
	}
	add(t, j, 6)
	_, r := reopen(t, killed) // the kernel lives on and has the write
	expect(t, r, Sound, 6)
	killed.Cut(func(card.Op) card.Fate { return card.Fate{} })
	_, r = reopen(t, killed)
	expect(t, r, Sound, 6)
}
