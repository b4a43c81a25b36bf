package main

import (
	"log/slog"
	"maps"
	"slices"
	"sync"

	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// scribe writes into the ledger what happens at one EVSE before a charge is settled,
// and what goes wrong; the rest is the clerk's, who writes both. The loop leaves it
// and goes on; nothing waits for the scribe.
type scribe struct {
	book  *ledger.Ledger
	rules *session.Rules
	log   *slog.Logger
	wake  func() // the clerk

	charge  uint64                    // number of the charge that the next three are about
	started bool                      // the contactor has closed
	paused  bool                      // the car draws nothing
	pauses  int                       // how often that was told
	trouble map[uint64]payment.Reason // that was told, by charge
	faults  complaints

	mu   sync.Mutex // for moments; the loop takes it too
	tray []ledger.Entry
	lost int // entries for which there was no room
}

// maxEntries is how many entries may wait for a book that cannot be written. Chosen by
// us: a day of a busy EVSE, in a few hundred kilobytes.
const maxEntries = 512

// maxPauses is how many pauses of one charge are told. Chosen by us: more than a car
// makes that is in order.
const maxPauses = 20

// newScribe makes the scribe of an EVSE that has started so.
func newScribe(book *ledger.Ledger, rules *session.Rules, start *evse.Moment, log *slog.Logger, wake func()) *scribe {
	s := &scribe{book: book, rules: rules, log: log, wake: wake, trouble: map[uint64]payment.Reason{}}
	for _, d := range slices.Concat(start.After.Debts, start.After.Done) {
		s.trouble[d.Number] = d.Trouble
	}
	s.faults = complained(book.Raised(rules.EVSE), &start.After)
	return s
}

// Saw leaves what has happened in a step.
func (s *scribe) Saw(m evse.Moment) {
	before, after := &m.Before, &m.After
	if after.Phase != session.Idle {
		s.underWay(before, after, m.Now)
	}
	s.ended(&m)
	s.troubles(after, m.Now.Wall)
	s.faults.judge(after.Faults(), m.Now, func(kind ledger.Kind, f ledger.Fault, at hal.Stamp) {
		s.leave(ledger.Entry{Kind: kind, Fault: &f}, at)
	})
}

// underWay tells how far a charge has come.
func (s *scribe) underWay(before, after *session.State, now hal.Instant) {
	c := &after.Charge
	if c.Number != s.charge {
		s.charge, s.started, s.paused, s.pauses = c.Number, false, false, 0
	}
	is := before.Charge.Number == c.Number
	if !is {
		s.about(ledger.SessionCreated, c.Number, ledger.Created(c), now.Wall)
	}
	if c.Held && (!is || !before.Charge.Held) {
		s.about(ledger.SessionAuthorised, c.Number, ledger.Under(c), now.Wall)
	}
	if after.Phase != session.Charging {
		return
	}
	word := s.rules.Public(after, now).State
	draws := word == display.Charging
	if (draws || word == display.Suspended) && !s.started {
		s.started = true
		s.about(ledger.SessionStarted, c.Number, ledger.Under(c), now.Wall)
	}
	s.rest(word, c, now)
}

// rest tells that the car draws nothing, and that it draws again.
func (s *scribe) rest(word display.State, c *session.Charge, now hal.Instant) {
	switch {
	case word == display.Suspended && !s.paused && s.pauses < maxPauses:
		s.paused = true
		s.pauses++
		s.about(ledger.SessionSuspended, c.Number, ledger.Under(c), now.Wall)
	case word == display.Charging && s.paused:
		s.paused = false
		s.about(ledger.SessionResumed, c.Number, ledger.Under(c), now.Wall)
	}
}

// ended tells of the bill, if a charge has ended.
func (s *scribe) ended(m *evse.Moment) {
	if m.Before.Phase == session.Idle || m.After.Phase != session.Idle {
		return
	}
	for _, list := range [][]session.Debt{m.After.Debts, m.After.Done} {
		if n := len(list) - 1; n >= 0 && list[n].Number == m.Before.Charge.Number {
			s.about(ledger.SessionEnded, list[n].Number, ledger.Owed(&list[n]), m.Now.Wall)
		}
	}
}

// troubles tells, once for each reason, that a settlement needs a person.
func (s *scribe) troubles(after *session.State, at hal.Stamp) {
	for _, list := range [][]session.Debt{after.Debts, after.Done} {
		for i := range list {
			d := &list[i]
			if d.Trouble != payment.NoReason && d.Trouble != s.trouble[d.Number] {
				s.trouble[d.Number] = d.Trouble
				s.about(ledger.PaymentFailed, d.Number, ledger.Owed(d), at)
			}
		}
	}
	if len(s.trouble) > 2*(session.MaxDebts+session.MaxDone) {
		maps.DeleteFunc(s.trouble, func(n uint64, _ payment.Reason) bool { return !onList(after.Debts, n) && !onList(after.Done, n) })
	}
}

func onList(list []session.Debt, number uint64) bool {
	return slices.ContainsFunc(list, func(d session.Debt) bool { return d.Number == number })
}

func (s *scribe) about(kind ledger.Kind, number uint64, told *ledger.Session, at hal.Stamp) {
	s.leave(ledger.Entry{Kind: kind, Ref: s.rules.Ref(number), Session: told}, at)
}

// leave puts an entry about the EVSE into the tray.
func (s *scribe) leave(e ledger.Entry, at hal.Stamp) {
	e.EVSE = s.rules.EVSE
	s.put(e, at)
}

// put puts an entry into the tray.
func (s *scribe) put(e ledger.Entry, at hal.Stamp) {
	e.At, e.Clock = at.Unix, at.Clock.String()
	s.mu.Lock()
	if len(s.tray) == maxEntries {
		s.tray = slices.Delete(s.tray, 0, 1)
		s.lost++
	}
	s.tray = append(s.tray, e)
	s.mu.Unlock()
	s.wake()
}

// write brings the book up to what is in the tray, as far as that can be done.
func (s *scribe) write() error {
	s.mu.Lock()
	todo, lost := s.tray, s.lost
	s.tray, s.lost = nil, 0
	s.mu.Unlock()
	if lost > 0 {
		s.log.Error("ledger: there was no room to keep what could not be written", "events", lost)
	}
	for i, e := range todo {
		if err := s.book.Append(e); err != nil {
			s.putBack(todo[i:])
			return err
		}
	}
	return nil
}

// putBack keeps what could not be written, before what has come since.
func (s *scribe) putBack(old []ledger.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Concat(old, s.tray)
	if more := len(all) - maxEntries; more > 0 {
		all = all[more:]
		s.lost += more
	}
	s.tray = all
}
