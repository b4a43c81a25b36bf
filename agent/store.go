package main

import (
	"errors"
	"fmt"
	"io/fs"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/journal"
	"stolpe/agent/session"
)

// store keeps the state of one EVSE in a journal.
type store struct {
	journal *journal.Journal
	buf     []byte
}

// Save makes k durable.
func (s *store) Save(k session.Kept) error {
	s.buf = k.Append(s.buf[:0])
	return s.journal.Append(s.buf)
}

// unwritable stands for a journal that could not be opened.
type unwritable struct{ err error }

func (u unwritable) Save(session.Kept) error { return u.err }

// kept is what a start-up found on disk.
type kept struct {
	state  session.Kept
	trust  session.Trust
	detail string // for the technician; empty when nothing is wrong
	later  bool   // a later version of the program has written it
}

// openStore opens the journal of an EVSE, and makes it on the first start. What
// cannot be opened, or was written by a later version of the program, is not an error
// here: the post then settles what the payment service knows of and takes no new
// drivers. Only a journal in another process's
// hands is (journal.ErrInUse), because two posts in one are worse than none.
func openStore(dir, name, owner string) (evse.Journal, kept, func() error, error) {
	j, found, err := journal.Open(dir, name, owner)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		j, found, err = install(dir, name, owner)
	case err == nil && found.Doubt == journal.Rotten && len(found.Payload) == 0:
		// Perhaps the very first start was cut short.
		if err = j.Close(); err == nil {
			j, found, err = install(dir, name, owner)
		}
	}
	switch {
	case errors.Is(err, journal.ErrInUse):
		return nil, kept{}, nil, fmt.Errorf("%w; %s", err, perhapsDaemon)
	case err != nil:
		return unwritable{err}, kept{trust: session.Alien, detail: err.Error()}, func() error { return nil }, nil
	}
	k := read(found)
	if k.later { // what it says of debts must be there when a program comes back that can read it
		return unwritable{errors.New(k.detail)}, k, j.Close, nil
	}
	return &store{journal: j}, k, j.Close, nil
}

// install makes a journal where nothing was ever written, and opens it, or what is
// there.
func install(dir, name, owner string) (*journal.Journal, journal.Recovered, error) {
	if err := journal.Install(dir, name, owner); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, journal.Recovered{}, err
	}
	return journal.Open(dir, name, owner)
}

// readable says why this program cannot read what a later version has left of an EVSE. What
// is not there, or is for others, is no matter here.
func readable(cfg config.Config, i int) error {
	e := cfg.EVSEs[i]
	_, found, err := journal.Peek(cfg.StateDir, journalOf(e.ID))
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	if k := read(found); k.trust == session.Alien {
		return fmt.Errorf("the journal of EVSE %d in %s is not for this program: %s", e.ID, cfg.StateDir, k.detail)
	}
	return nil
}

// read makes sense of what a journal held.
func read(found journal.Recovered) kept {
	k := kept{trust: trustIn(found.Doubt), detail: found.Detail}
	if found.Doubt == journal.Sound || found.Doubt == journal.New {
		k.detail = ""
	}
	if found.Doubt == journal.Foreign || len(found.Payload) == 0 {
		return k
	}
	state, err := session.Decode(found.Payload)
	if errors.Is(err, session.ErrLater) {
		return kept{trust: session.Alien, later: true, detail: fmt.Sprintf("newest record: %v; nothing is written over it: install that version again, which settles what it knows of", err)}
	}
	if err != nil {
		return kept{trust: session.Holed, detail: fmt.Sprintf("newest record: %v", err)}
	}
	k.state = state
	return k
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
