package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"stolpe/hal"
)

// Outbox is what the fleet has not been told yet. Any number of goroutines may use it
// at the same time.
type Outbox struct {
	book *Ledger

	mu     sync.Mutex
	known  bool // what had been acknowledged at the start
	live   stretch
	again  stretch  // what somebody wants again; it is sent when nothing else waits
	served *stretch // that Next gave from
	saved  uint64   // what stands on the disk of live.done
}

// stretch is a part of the book that is sent.
type stretch struct {
	done  uint64    // everything up to here has been acknowledged
	given uint64    // up to here was given by Next
	last  uint64    // of again: where it ends
	next  place     // where the line after done stands, as far as that is known
	first hal.Stamp // of that line
}

// Sending is an event to be sent.
type Sending struct {
	ID    string // the same, however often it is sent
	Entry Entry
}

// Outbox is the book's outbox.
func (l *Ledger) Outbox() *Outbox { return &l.outbox }

// Next gives the oldest events that have not been acknowledged, at most so many; if
// there are none, those that are wanted again. They are on disk: nothing leaves the post
// that a power cut could take back.
func (o *Outbox) Next(most int) ([]Sending, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.book.refresh()
	if o.begin(); err != nil {
		return nil, err
	}
	o.served = &o.live
	all, err := o.given(o.served, o.book.Newest(), most)
	if err == nil && len(all) == 0 {
		o.served = &o.again
		if all, err = o.given(o.served, o.again.last, most); err == nil && len(all) == 0 {
			o.again.done = o.again.last // what is left of it cannot be read
		}
	}
	return all, err
}

// given gives the oldest events of a stretch up to a number.
func (o *Outbox) given(s *stretch, last uint64, most int) ([]Sending, error) {
	if last <= s.done {
		return nil, nil
	}
	var all []Sending
	err := o.walk(s, func(e Entry, line []byte, p place) error {
		if e.Seq > last {
			return errEnough
		}
		all = append(all, Sending{idOf(o.book.post, e.At, line), e})
		if len(all) == most {
			return errEnough
		}
		return nil
	})
	if err == nil && len(all) > 0 {
		err = o.book.durable()
	}
	if err != nil || len(all) == 0 {
		return nil, err
	}
	s.given = max(s.given, all[len(all)-1].Entry.Seq)
	return all, nil
}

// walk gives every event of a stretch that has not been acknowledged to fn, until that
// says enough.
func (o *Outbox) walk(s *stretch, fn func(e Entry, line []byte, p place) error) error {
	from := s.next
	if from.first == 0 {
		from = place{seq: s.done + 1}
	}
	begun := false
	err := o.book.walk(from, func(e Entry, line []byte, p place, _ string) error {
		if e.Kind == "" || e.Kind == pageKind || e.Seq <= s.done {
			return nil
		}
		if !begun {
			begun, s.next, s.first = true, p, stampOf(e)
		}
		return fn(e, line, p)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// Done says that everything up to a number has been acknowledged, of what Next gave last.
func (o *Outbox) Done(seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.served; s != nil && seq <= s.given && seq > s.done {
		s.done = seq
	}
}

// Replay has events sent again, from a number up to another, whenever no others wait. It
// says no while some still are: else whoever asks could have them sent for ever. A
// restart forgets it.
func (o *Outbox) Replay(from, to uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.again.done < o.again.last {
		return false
	}
	before := max(from, 1) - 1
	o.again = stretch{done: before, given: before, last: to}
	return true
}

// Waiting says how many events have not been acknowledged, and of when the oldest is.
// Those that are wanted again do not count.
func (o *Outbox) Waiting() (n int, oldest hal.Stamp) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begin()
	s, newest := &o.live, o.book.Newest()
	if !o.known || newest <= s.done {
		return 0, hal.Stamp{}
	}
	if s.next.seq <= s.done {
		err := o.walk(s, func(Entry, []byte, place) error { return errEnough })
		if err != nil || s.next.seq <= s.done {
			return int(newest - s.done), hal.Stamp{}
		}
	}
	return int(newest - s.done), s.first
}

// stampOf is when an entry was written.
func stampOf(e Entry) hal.Stamp {
	s := hal.Stamp{Unix: e.At}
	for _, c := range []hal.Clock{hal.ClockHoldover, hal.ClockSynced} {
		if e.Clock == c.String() {
			s.Clock = c
		}
	}
	return s
}

// cursor is what stands on the disk.
type cursor struct {
	Done uint64 `json:"acknowledged"` // number of a line
}

func (o *Outbox) path() string { return strings.TrimSuffix(o.book.path, suffix) + "-sent.json" }

// read reads what has been acknowledged. If that is not known, everything is sent
// again.
func (o *Outbox) read() (c cursor) {
	text, err := os.ReadFile(o.path())
	if err != nil || json.Unmarshal(text, &c) != nil {
		return cursor{}
	}
	return c
}

// begin goes on where the last run of the program has ended, once the book is open. What
// was acknowledged of lines that the book had not is no longer so: their numbers are
// given anew.
func (o *Outbox) begin() {
	if o.known || !o.book.begun.Load() {
		return
	}
	o.known = true
	o.live.done, o.saved = min(o.book.sent.Done, o.book.had), o.book.sent.Done
	o.live.given = o.live.done
	if o.live.done < o.saved {
		o.save() //nolint:errcheck // the next Save tries again
	}
}

// Save writes down what has been acknowledged, if that is news. What a kill makes
// forget is sent again, with the same ids.
func (o *Outbox) Save() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.save()
}

func (o *Outbox) save() error {
	if o.live.done == o.saved {
		return nil
	}
	text, err := json.Marshal(cursor{o.live.done})
	if err != nil {
		return err
	}
	err = o.book.replace(o.path(), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("ledger: outbox: %w", err)
	}
	o.saved = o.live.done
	return nil
}
