package journal

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"stolpe/agent/journal/card"
)

// life is the model of a journal on a card that loses power again and again.
type life struct {
	t     *testing.T
	slots int
	card  *card.Card
	rand  *rand.Rand

	newest uint64       // the record that must be found
	since  uint64       // the first record after the last doubt
	bad    map[int]bool // damaged slots, 0 to 2*slots-1
	seen   [Sound + 1]int
}

// doubt is what the model says of the journal, and how many slots after the
// newest record are damaged.
func (l *life) doubt() (Doubt, uint64) {
	run, fresh, all := uint64(0), 0, uint64(2*l.slots)
	for next := l.newest + 1; l.bad[int(next%all)]; next++ {
		run++
		if l.since == 0 || next >= l.since+all {
			fresh++
		}
	}
	switch {
	case fresh > maxTorn:
		return Rotten, run
	case run > 0:
		return Torn, run
	case l.newest == 0:
		return New, run
	}
	return Sound, run
}

// live opens the journal, appends to it, and dies: at rest, killed, or without
// power in the middle of a write.
func (l *life) live() {
	doubt, run := l.doubt()
	j, r := reopen(l.t, l.card)
	expect(l.t, r, doubt, l.newest)
	l.seen[doubt]++
	if next := l.newest + run + 1; j.next != next {
		l.t.Fatalf("goes on with record %d, want %d", j.next, next)
	}
	since := l.since
	if run > 0 {
		since = l.newest + run + 1
	}
	for range l.rand.IntN(2 * l.slots) {
		l.newest, l.since = j.next, since
		delete(l.bad, int(l.newest)%(2*l.slots))
		add(l.t, j, l.newest)
	}
	switch l.rand.IntN(4) {
	case 0: // at rest
		l.card.Cut(card.Draw(l.rand.Uint64()))
	default:
		l.die(j, since)
	}
}

// die appends a record, with that since, and dies before it is acknowledged.
func (l *life) die(j *Journal, since uint64) {
	n := j.next
	before := bytesAt(l.t, l.card, l.slots, n)
	var moment *card.Card
	l.card.Saw = func(op card.Op) {
		if !op.Sync {
			moment = l.card.Clone()
		}
	}
	add(l.t, j, n)
	l.card.Saw = nil
	whole := bytesAt(l.t, l.card, l.slots, n)
	l.card.Restore(moment)
	if l.rand.IntN(8) > 0 { // else killed: the kernel keeps what was written
		l.card.Cut(card.Draw(l.rand.Uint64()))
	}
	place, after := int(n)%(2*l.slots), bytesAt(l.t, l.card, l.slots, n)
	_, broken := decode(after)
	switch {
	case bytes.Equal(after, whole):
		l.newest, l.since = n, since
		delete(l.bad, place)
	case bytes.Equal(after, before):
	case broken == nil: // what is left of two torn writes can be a whole older record
		delete(l.bad, place)
	default:
		l.bad[place] = true
	}
}

func TestManyLivesInARow(t *testing.T) {
	var seen [Sound + 1]int
	for seed := range uint64(150) {
		slots := 4 + int(seed%5)
		l := &life{t: t, slots: slots, card: installed(t, slots), rand: rand.New(rand.NewPCG(seed, 0)), bad: map[int]bool{}}
		for range 60 {
			l.live()
		}
		for d, n := range l.seen {
			seen[d] += n
		}
	}
	for _, d := range []Doubt{New, Torn, Sound} {
		if seen[d] < 100 {
			t.Errorf("%v came up only %d times", d, seen[d])
		}
	}
}

// Starts that all die in their first write damage one slot after the other.
func TestFailingSupplyIsToldFromRot(t *testing.T) {
	const slots = 4
	c := filled(t, slots, 9)
	for torn := uint64(1); torn < 2*slots; torn++ {
		j, _ := reopen(t, c)
		if want := 9 + torn; j.next != want {
			t.Fatalf("start %d writes record %d, want %d", torn, j.next, want)
		}
		c.Saw = func(op card.Op) {
			if !op.Sync {
				c.Cut(func(card.Op) card.Fate { return card.Fate{Garbled: 1} })
			}
		}
		add(t, j, j.next)
		c.Saw = nil
		_, r := reopen(t, c)
		want := Torn
		if torn > maxTorn {
			want = Rotten
		}
		expect(t, r, want, 9)
	}
	j, r := reopen(t, c)
	if want := "every slot but the one of record 9 is damaged"; r.Detail != want {
		t.Errorf("says %q, want %q", r.Detail, want)
	}
	if err := j.Append(state(1)); err == nil {
		t.Error("the only good record there is was written over")
	}
}
