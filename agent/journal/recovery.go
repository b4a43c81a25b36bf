package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// Doubt says what may be missing from a journal.
type Doubt uint8

// The doubts. The zero value is the worst that can happen to a journal of ours.
const (
	// Rotten: records are gone or damaged that no power cut can have touched, or
	// the files do not fit together.
	Rotten Doubt = iota
	// Foreign: another owner or a later program wrote it. Nothing is appended.
	Foreign
	// Torn: where the next record belongs there is a damaged one, as after a
	// power cut during a write. Rot in the newest record looks the same, so an
	// acknowledged record may be missing.
	Torn
	// New: installed, and nothing was ever appended.
	New
	// Sound: nothing is missing.
	Sound
)

// String gives the doubt as a word.
func (d Doubt) String() string {
	switch d {
	case Foreign:
		return "foreign"
	case Torn:
		return "torn"
	case New:
		return "new"
	case Sound:
		return "sound"
	}
	return "rotten"
}

// Recovered is what a journal held when it was opened.
type Recovered struct {
	Payload []byte // of the newest good record of ours; empty if there is none
	Doubt   Doubt
	Detail  string // for people: what is wrong and where; empty if Sound
}

// Chosen by us.
const (
	// maxTorn damaged slots after the newest record are believed to come from
	// power cuts, one each: so many starts in a row may die in their first write
	// when the supply is failing. More is rot.
	maxTorn = 4
	// maxUnreadable slots in a file are passed over before the rest of it is
	// given up: a dying card can take seconds to refuse a single read.
	maxUnreadable = 8
)

// finding is what one slot turned out to hold.
type finding struct {
	sequence uint64 // of a good record
	blank    bool   // nothing, as installed
	bad      error  // why it is neither good nor blank
}

// good reports whether a record of ours is here.
func (f finding) good() bool { return !f.blank && f.bad == nil }

// survey is what all slots of both files turned out to hold.
type survey struct {
	owner []byte // nil for that of the first record
	names [2]string
	slots [2][]finding

	found    bool   // a good record of ours
	newest   record // the newest of them, with a payload of its own
	stranger string // what shows that it is not ours; empty if nothing does
	misfit   string // what shows that these files cannot go on; empty if nothing does
}

// look reads all of one file through buf, a slot long.
func (s *survey) look(file int, from io.ReaderAt, buf []byte) {
	unreadable := 0
	for slot := 0; ; slot++ {
		n, err := from.ReadAt(buf, int64(slot)*SlotSize)
		switch {
		case n == SlotSize:
			s.slots[file] = append(s.slots[file], s.judge(file, slot, buf))
		case err == io.EOF && n == 0:
			return
		case err == io.EOF:
			s.misfits("%s ends in the middle of slot %d", s.names[file], slot)
			return
		default:
			if unreadable++; unreadable > maxUnreadable {
				s.misfits("%s cannot be read: %v", s.names[file], err)
				return
			}
			s.slots[file] = append(s.slots[file], finding{bad: err})
		}
		if slot >= maxSlots {
			s.misfits("%s is longer than %d slots", s.names[file], maxSlots)
			return
		}
	}
}

// judge says what the slot b holds, and remembers the newest record.
func (s *survey) judge(file, slot int, b []byte) finding {
	if blank(b) {
		return finding{blank: true}
	}
	r, err := decode(b)
	if err == errVersion {
		s.estrange("%s slot %d was written by another version of the program (format %d, this is %d)",
			s.names[file], slot, binary.LittleEndian.Uint16(b[atVersion:]), version)
	}
	if err != nil {
		return finding{bad: err}
	}
	s.adopt(r)
	if !bytes.Equal(r.owner, s.owner) {
		s.estrange("%s slot %d belongs to %q, this is %q", s.names[file], slot, r.owner, s.owner)
		return finding{bad: errPlace}
	}
	if f, n := r.place(); f != file || n != slot {
		return finding{bad: errPlace}
	}
	if !s.found || r.sequence > s.newest.sequence {
		r.owner, r.payload = nil, append(s.newest.payload[:0], r.payload...)
		s.newest, s.found = r, true
	}
	return finding{sequence: r.sequence}
}

// misfits notes why the files cannot go on, if it is the first reason.
func (s *survey) misfits(format string, a ...any) {
	if s.misfit == "" {
		s.misfit = fmt.Sprintf(format, a...)
	}
}

// estrange notes why the journal is not ours, if it is the first reason.
func (s *survey) estrange(format string, a ...any) {
	if s.stranger == "" {
		s.stranger = fmt.Sprintf(format, a...)
	}
}

// fit checks that the files belong together and hold a record.
func (s *survey) fit() {
	a, b := len(s.slots[0]), len(s.slots[1])
	for file, n := range []int{a, b} {
		if n == 0 {
			s.misfits("%s is missing or empty", s.names[file])
		}
	}
	switch {
	case a != b:
		s.misfits("%s has %d slots and %s has %d", s.names[0], a, s.names[1], b)
	case s.found && int(s.newest.slots) != a:
		s.misfits("the files have %d slots each, their records speak of %d", a, s.newest.slots)
	case !s.found:
		s.misfits("no slot of %s and %s holds a record", s.names[0], s.names[1])
	}
}

// verdict is what follows from a survey.
type verdict struct {
	doubt  Doubt
	detail string
	stop   bool   // nothing may be written
	damage uint64 // damaged slots in a row after the newest record
}

// verdict says what may be missing, and whether and where the journal goes on.
func (s *survey) verdict() verdict {
	s.fit()
	switch {
	case s.stranger != "":
		return verdict{doubt: Foreign, detail: s.stranger, stop: true}
	case s.misfit != "":
		return verdict{doubt: Rotten, detail: s.misfit, stop: true}
	}
	t := s.walk()
	v := verdict{damage: t.damage}
	newest := s.newest.sequence
	switch {
	case t.damage == t.all-1:
		v.stop = true
		v.detail = fmt.Sprintf("every slot but the one of record %d is damaged", newest)
	case t.holes > 1:
		v.detail = fmt.Sprintf("%s (one of %d bad slots); the newest good record is %d", s.wrong(t.hole), t.holes, newest)
	case t.holes > 0:
		v.detail = fmt.Sprintf("%s; the newest good record is %d", s.wrong(t.hole), newest)
	case t.fresh > maxTorn:
		v.detail = fmt.Sprintf("%s, and so are the %d slots after it; the newest good record is %d", s.wrong(newest+1), t.damage-1, newest)
	case t.damage > 0:
		v.doubt = Torn
		v.detail = fmt.Sprintf("%s, as after a power cut in a write; the newest good record is %d", s.wrong(newest+1), newest)
	case newest == 0:
		v.doubt, v.detail = New, "nothing was ever appended"
	default:
		v.doubt = Sound
	}
	return v
}

// at is what is in the slot in which a record of that sequence belongs.
func (s *survey) at(sequence uint64) finding {
	file, slot := record{slots: s.newest.slots, sequence: sequence}.place()
	return s.slots[file][slot]
}

// tally counts what is wrong with the slots, in the order in which they are
// written next.
type tally struct {
	all    uint64 // slots in both files
	damage uint64 // damaged slots in a row after the newest record
	fresh  uint64 // of these, the ones that nothing was reported of
	holes  uint64 // further slots that do not hold what they must
	hole   uint64 // sequence number due next in the first of them
}

// walk goes around all slots from the one after the newest record. Each must
// hold the record of the turn before, or zeros if it was never reached. Whatever
// is older than since has been reported before and may be anything, except in the
// slots where a newer record may have been.
func (s *survey) walk() tally {
	t := tally{all: 2 * uint64(s.newest.slots)}
	since := s.newest.since
	for d := uint64(1); d < t.all; d++ {
		next := s.newest.sequence + d
		f, reached := s.at(next), next >= t.all
		reported := since > 0 && next < since+t.all
		switch {
		case d == t.damage+1 && !f.good() && (reached || !f.blank):
			t.damage++
			if !reported {
				t.fresh++
			}
		case reported, !reached && f.blank, reached && f.good() && f.sequence == next-t.all:
		default:
			if t.holes++; t.holes == 1 {
				t.hole = next
			}
		}
	}
	return t
}

// wrong says what is wrong with the slot in which next belongs.
func (s *survey) wrong(next uint64) string {
	file, slot := record{slots: s.newest.slots, sequence: next}.place()
	f, where := s.slots[file][slot], fmt.Sprintf("%s slot %d", s.names[file], slot)
	due := next - 2*uint64(s.newest.slots)
	switch {
	case f.bad != nil:
		return fmt.Sprintf("%s is damaged (%v)", where, f.bad)
	case f.blank:
		return fmt.Sprintf("%s is empty, record %d must be there", where, due)
	}
	return fmt.Sprintf("%s holds record %d, record %d must be there", where, f.sequence, due)
}
