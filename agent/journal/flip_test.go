package journal

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"stolpe/agent/journal/card"
)

// flipped demands that one flipped bit is noticed, blamed on its slot, and costs
// at most the newest record, openly. Nothing was reported of the journal for two
// turns.
func flipped(t *testing.T, c *card.Card, slots int, last uint64, file int, bit int64) {
	t.Helper()
	c.Flip(file, bit)
	defer c.Flip(file, bit)
	slot, all := int(bit/8/SlotSize), 2*uint64(slots)
	want, newest := Rotten, last
	switch uint64(file*slots + slot) {
	case last % all:
		want, newest = Torn, last-1
	case (last + 1) % all:
		want = Torn
	}
	_, r := reopen(t, c)
	expect(t, r, want, newest)
	if where := fmt.Sprintf("file %c slot %d ", "ab"[file], slot); !strings.HasPrefix(r.Detail, where) {
		t.Fatalf("bit %d of %s flipped: %s", bit, where, r.Detail)
	}
}

func TestFlippedBitInAnyByteIsNoticed(t *testing.T) {
	const slots, last = 4, 13
	c := filled(t, slots, last)
	for file := range 2 {
		for i := range int64(slots * SlotSize) {
			flipped(t, c, slots, last, file, i*8+i%8)
		}
	}
}

func TestFlippedBitAnywhereIsNoticed(t *testing.T) {
	const slots = 8
	random := rand.New(rand.NewPCG(8, 8))
	for last := uint64(1); last < 5*slots; last++ {
		c := filled(t, slots, last)
		for range 200 {
			flipped(t, c, slots, last, random.IntN(2), random.Int64N(slots*SlotSize*8))
		}
	}
}

// What was reported is excused where it was. From the first record after it on,
// everything is watched again.
func TestReportedDamageExcusesOnlyWhatIsOlder(t *testing.T) {
	const slots = 8
	c := filled(t, slots, 21)
	put(c, 0, 6, noise())
	j, _ := reopen(t, c)
	for last := uint64(24); last < 60; last++ {
		add(t, j, last)
		for bad := max(22, last-12); bad < last; bad++ {
			want := Rotten
			if bad == 22 {
				want = Sound // the damage of which Torn was said
			}
			file, slot := record{slots: slots, sequence: bad}.place()
			bit := int64(slot)*SlotSize*8 + 4000
			c.Flip(file, bit)
			_, r := reopen(t, c)
			c.Flip(file, bit)
			expect(t, r, want, last)
		}
		if last >= 22+2*slots {
			flipped(t, c, slots, last, int(last%2), int64(last*911%(slots*SlotSize*8)))
		}
	}
}

// After a flip the journal goes on, and the next opening finds what was appended
// and nothing to complain of, whatever the flip had hit.
func TestJournalGoesOnAfterAFlippedBit(t *testing.T) {
	const slots = 4
	whole := filled(t, slots, 13)
	c := whole.Clone()
	random := rand.New(rand.NewPCG(9, 9))
	for range 3000 {
		c.Restore(whole)
		c.Flip(random.IntN(2), random.Int64N(slots*SlotSize*8))
		j, r := reopen(t, c)
		next := j.next
		add(t, j, next)
		_, r2 := reopen(t, c)
		if damaged(t, c, slots, next+1) {
			expect(t, r2, Torn, next)
			continue
		}
		if r2.Doubt != Sound {
			t.Fatalf("first: %s", r.Detail)
		}
		expect(t, r2, Sound, next)
	}
}
