package replay

import (
	"errors"
	"strconv"

	"stolpe/agent/journal"
	medium "stolpe/agent/journal/card"
	"stolpe/agent/session"
)

// card is the post's memory card and the journal on it, as large as a real one.
type card struct {
	medium  *medium.Card
	journal *journal.Journal
	owner   string
	buf     []byte
}

// owner is how the journal names this EVSE.
func (s *stand) owner() string { return s.post + "/" + strconv.Itoa(s.evse) }

func newCard(owner string) card {
	c := card{medium: medium.New(journal.Slots * journal.SlotSize), owner: owner}
	a, b := c.medium.Files()
	if err := journal.InstallFiles(a, b, journal.Slots, owner); err != nil {
		panic(err) // the files were made for it two lines above
	}
	return c
}

var errCut = errors.New("the power is gone")

// cutInSave lets the next flush never come back.
func (c *card) cutInSave() {
	c.medium.Fault = func(op medium.Op) error {
		if op.Sync {
			return errCut
		}
		return nil
	}
}

func (c *card) append(k *session.Kept) error {
	c.buf = k.Append(c.buf[:0])
	return c.journal.Append(c.buf)
}

// crash is a power cut: what was not flushed is lost, kept or torn, as drawn from
// seed.
func (c *card) crash(seed uint64) {
	c.medium.Fault = nil
	c.medium.Cut(medium.Draw(seed))
}

// open reads the journal as a start-up does. An error is a promise broken.
func (c *card) open() (session.Kept, session.Trust, error) {
	a, b := c.medium.Files()
	j, found, err := journal.OpenFiles(a, b, c.owner)
	if err != nil {
		return session.Kept{}, session.Alien, err
	}
	c.journal = j
	if len(found.Payload) == 0 {
		return session.Kept{}, trustIn(found.Doubt), nil
	}
	kept, err := session.Decode(found.Payload)
	return kept, trustIn(found.Doubt), err
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
