package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stolpe/agent/telemetry"
)

// source is who may be behind a command that is refused. Each has a limit of its own,
// so that none hides what the others do.
type source uint8

const (
	stranger source = iota // it is not signed, so anybody
	echo                   // somebody has signed it once, and anybody may have sent it again
	holder                 // of a key
	sources  = iota        // how many there are
)

// while is how long so many refusals are enough for. Chosen by us: each is a write to the
// memory card and an event, and strangers have time.
func (s source) while() time.Duration {
	if s == holder {
		return time.Minute
	}
	return 10 * time.Minute
}

// mayRefuse says whether one more refusal is told, and how many have not been before it.
func (d *Desk) mayRefuse(from source) (say bool, unsaid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.refused[from].take(d.Now().Mono) {
		d.unsaid++
		return false, 0
	}
	unsaid, d.unsaid = d.unsaid, 0
	return true, unsaid
}

// refuse writes down a command that is not done, and answers if it can be told whom.
func (d *Desk) refuse(ctx context.Context, m message, c Command, err error, from source) {
	said := refusalOf(err)
	if from == holder && (said.Code == Expired || said.Code == Replayed) {
		from = echo
	}
	say, unsaid := d.mayRefuse(from)
	if !say {
		return
	}
	r := d.record(RefusedKind, c, said.Code, said.Text)
	if from == stranger { // whose words are not repeated
		r.Issuer, r.EVSE, r.Expires = "", 0, time.Time{}
		if said.Code == Invalid {
			r.Text = "not a command"
		}
	}
	if r.Name = m.name; !m.name.Known() {
		r.Name = ""
	}
	if !telemetry.IsULID(c.ID) {
		r.ID = ""
	}
	if unsaid > 0 {
		r.Text = cut(fmt.Sprintf("%s; and %d more before it", cut(r.Text, maxText-30), unsaid), maxText)
	}
	d.Log.Warn("a command is refused", "name", r.Name, "by", r.Issuer, "id", r.ID, "code", said.Code, "text", r.Text)
	d.leave(r)
	if r.Name != "" && r.ID != "" {
		c.Name = r.Name
		d.reply(ctx, c, Answer{}, said)
	}
}

var errNoLedger = errors.New("there is no ledger")

// write writes a record down so that it lasts.
func (d *Desk) write(r Record) error {
	if d.Note == nil {
		return errNoLedger
	}
	return d.Note(r)
}

// limiter lets so much happen in a while.
type limiter struct {
	most   int // times
	within time.Duration
	times  []time.Duration // of what has happened, since the program began
}

func (l *limiter) take(now time.Duration) bool {
	l.times = slices.DeleteFunc(l.times, func(t time.Duration) bool { return now-t >= l.within })
	if len(l.times) >= l.most {
		return false
	}
	l.times = append(l.times, now)
	return true
}

// memory is the newest ids.
type memory struct {
	ids   map[string]bool
	order []string // the oldest first
}

func (m *memory) has(id string) bool { return m.ids[id] }

func (m *memory) add(id string) {
	if m.ids == nil {
		m.ids = map[string]bool{}
	}
	if m.ids[id] {
		return
	}
	if len(m.order) == remembered {
		delete(m.ids, m.order[0])
		m.order = m.order[1:]
	}
	m.ids[id] = true
	m.order = append(m.order, id)
}
