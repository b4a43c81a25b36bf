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

	mu    sync.Mutex
	known bool      // what had been acknowledged at the start
	done  uint64    // everything up to here has been acknowledged
	given uint64    // up to here was given by Next since the last Rewind
	saved uint64    // what stands on the disk of done
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

// Next gives the oldest events that have not been acknowledged, at most so many.
// They are on disk: nothing leaves the post that a power cut could take back.
func (o *Outbox) Next(most int) ([]Sending, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.book.refresh()
	if o.begin(); err != nil || o.book.Newest() <= o.done {
		return nil, err
	}
	var all []Sending
	err = o.walk(func(e Entry, line []byte, p place) error {
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
	o.given = max(o.given, all[len(all)-1].Entry.Seq)
	return all, nil
}

// walk gives every event that has not been acknowledged to fn, until that says enough.
func (o *Outbox) walk(fn func(e Entry, line []byte, p place) error) error {
	from := o.next
	if from.first == 0 {
		from = place{seq: o.done + 1}
	}
	begun := false
	err := o.book.walk(from, func(e Entry, line []byte, p place, _ string) error {
		if e.Kind == "" || e.Kind == pageKind || e.Seq <= o.done {
			return nil
		}
		if !begun {
			begun, o.next, o.first = true, p, stampOf(e)
		}
		return fn(e, line, p)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// Done says that everything up to a number has been acknowledged. What was said of an
// event that was sent before a Rewind does not count.
func (o *Outbox) Done(seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if seq <= o.given && seq > o.done {
		o.done = seq
	}
}

// Rewind makes everything from a number on be sent again.
func (o *Outbox) Rewind(from uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begin()
	o.done = min(o.done, max(from, 1)-1)
	o.given, o.next = o.done, place{}
}

// Waiting says how many events have not been acknowledged, and of when the oldest is.
func (o *Outbox) Waiting() (n int, oldest hal.Stamp) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begin()
	newest := o.book.Newest()
	if !o.known || newest <= o.done {
		return 0, hal.Stamp{}
	}
	if o.next.seq <= o.done {
		err := o.walk(func(Entry, []byte, place) error { return errEnough })
		if err != nil || o.next.seq <= o.done {
			return int(newest - o.done), hal.Stamp{}
		}
	}
	return int(newest - o.done), o.first
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
	o.done, o.saved = min(o.book.sent.Done, o.book.had), o.book.sent.Done
	o.given = o.done
	if o.done < o.saved {
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
	if o.done == o.saved {
		return nil
	}
	text, err := json.Marshal(cursor{o.done})
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
	o.saved = o.done
	return nil
}
