package worlds

import (
	"errors"

	"stolpe/agent/journal"
	medium "stolpe/agent/journal/card"
	"stolpe/agent/session"
)

// Chosen for the simulation: small enough to open often, large enough to go
// round a few times in a charge.
const (
	slots = 4
	owner = "W1/1"
)

// card is the post's memory card and the journal on it.
type card struct {
	medium   *medium.Card
	spare    *medium.Card // an older copy, for putting back
	fresh    *medium.Card // as installed
	journal  *journal.Journal
	buf      []byte
	records  int // acknowledged so far
	copied   bool
	inFlight bool   // a record was being written when the power went
	doomed   bool   // a flush has failed
	old      bool   // an older copy was put back
	sound    bool   // as the journal said of itself at the last opening
	last     string // what the journal said of itself at the last opening

	ambiguous bool // the newest record need not be the newest acknowledged
}

// newCard makes the memory for a card; install makes it a new one.
func newCard() card {
	c := card{medium: medium.New(slots * journal.SlotSize), spare: medium.New(slots * journal.SlotSize), fresh: medium.New(slots * journal.SlotSize)}
	a, b := c.fresh.Files()
	if err := journal.InstallFiles(a, b, slots, owner); err != nil {
		panic(err) // the files were made for it a line above
	}
	return c
}

func (c *card) install() {
	c.medium.Restore(c.fresh)
	c.medium.Fault = nil
	*c = card{medium: c.medium, spare: c.spare, fresh: c.fresh, buf: c.buf}
}

var errCard = errors.New("input/output error")

func (c *card) failSync() {
	c.doomed = true
	c.medium.Fault = func(op medium.Op) error {
		if op.Sync {
			return errCard
		}
		return nil
	}
}

// cutAt lets the next flush never come back: the power goes in the middle of it.
func (c *card) cutAt() {
	c.inFlight = true
	c.failSync()
}

func (c *card) append(k *session.Kept) error {
	c.buf = k.Append(c.buf[:0])
	return c.journal.Append(c.buf)
}

// crash is a power cut: what was not flushed is lost, kept or torn, and now and
// then it is another card that is in the slot afterwards.
func (c *card) crash(w *world) {
	c.medium.Fault = nil
	c.medium.Cut(w.fates())
	switch {
	case w.hit(cardLost):
		c.medium.Restore(c.fresh)
	case c.copied && w.hit(oldCard):
		c.medium.Restore(c.spare)
		c.old = true
	}
}

// fates says what becomes of what was being written when the power goes.
func (w *world) fates() func(medium.Op) medium.Fate {
	if w.search == nil {
		return medium.Draw(mix(w.seed, 0xcafe, uint64(w.post.life)))
	}
	how := w.search.how
	return func(medium.Op) medium.Fate {
		return [...]medium.Fate{{}, {Kept: medium.Whole}, {Kept: 0x0f}, {Kept: 0x03, Garbled: 0x04}}[how]
	}
}

// rot turns bits over while nobody looks.
func (c *card) rot(w *world) {
	if !w.hit(bitRot) {
		return
	}
	for i := range 1 + w.how(3) {
		bit := mix(w.seed, i, w.how(1<<40)) % (2 * slots * journal.SlotSize * 8)
		c.medium.Flip(int(bit&1), int64(bit>>1))
	}
}

// kill is the end of the program alone: the kernel has what was written.
func (c *card) kill() { c.medium.Fault = nil }

func (c *card) heal() { c.medium.Fault = nil }

// open reads the journal as a start-up does.
func (c *card) open(w *world) (session.Kept, session.Trust) {
	a, b := c.medium.Files()
	j, found, err := journal.OpenFiles(a, b, owner)
	if err != nil {
		panic(err) // only a bad owner, and that is a constant
	}
	c.sound = found.Doubt == journal.Sound
	c.journal, c.last = j, found.Doubt.String()+" "+found.Detail
	c.ambiguous = c.inFlight || c.doomed || c.old
	c.inFlight, c.old = false, false
	kept, trust := session.Kept{}, trustIn(found.Doubt)
	if len(found.Payload) > 0 {
		if kept, err = session.Decode(found.Payload); err != nil {
			w.judge.complain("J2", err.Error())
		}
	}
	if w.plant == plantBlindRot && found.Doubt != journal.Foreign {
		trust, c.sound = session.Whole, true
	}
	return kept, trust
}

// trustIn is what a journal's doubt means to the session.
func trustIn(d journal.Doubt) session.Trust {
	switch d {
	case journal.Sound, journal.Torn, journal.New:
		return session.Whole
	case journal.Foreign:
		return session.Alien
	}
	return session.Holed
}

// snapshot keeps a copy of the card as it is, once a world.
func (c *card) snapshot(w *world) {
	if c.copied || c.records != 5 || w.draw.rate[oldCard] == 0 && w.draw.only == nil && w.search == nil {
		return
	}
	c.copied = true
	c.spare.Restore(c.medium)
}
