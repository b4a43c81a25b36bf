package control

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"stolpe/agent/telemetry"
)

// Chosen by us.
const (
	maxLater   = 64               // records that wait for a slow disk
	noteWithin = 10 * time.Second // for the disk, before something is done: a person waits
	maxText    = 200              // bytes of what is written down: a line or two on a screen
)

// audit has what changes something written down.
type audit struct {
	note  func(Record) error
	log   *slog.Logger
	later chan Record
	many  tally
}

// errNoLedger says that nothing can be written down.
var errNoLedger = errors.New("there is no ledger")

// begin writes down what is about to be done. What cannot be written down is not done,
// unless it is urgent.
func (a *audit) begin(ctx context.Context, j job) error {
	r := j.record(Accepted)
	r.Text = fmt.Sprintf("uid %d, %v", j.who.UID, j.who.Role)
	if j.route.Urgent {
		a.leave(r)
		return nil
	}
	err := errNoLedger
	if a.note != nil {
		err = a.within(ctx, r)
	}
	if err != nil {
		return Refuse(Failed, "nothing was done, as it cannot be written down: %v", err)
	}
	return nil
}

// within writes a record down, and waits for so long.
func (a *audit) within(ctx context.Context, r Record) error {
	ctx, done := context.WithTimeout(ctx, noteWithin)
	defer done()
	wrote := make(chan error, 1)
	go func() { wrote <- a.note(r) }() // it ends when the disk answers
	select {
	case err := <-wrote:
		return err
	case <-ctx.Done():
		not := r // the other may still be read
		not.Kind, not.Code, not.Text = Refused, Failed, "nothing was done: the ledger did not answer, or who had asked went away"
		a.leave(not)
		return fmt.Errorf("the ledger does not answer: %w", ctx.Err())
	}
}

// end writes down what has come of it.
func (a *audit) end(j job, said any, err error) {
	r := j.ended(said, err)
	a.log.Info("somebody at the post", "did", r.Route, "evse", r.EVSE, "by", r.Caller.String(), "uid", r.Caller.UID, "kind", r.Kind, "code", r.Code, "text", r.Text)
	a.leave(r)
}

// ended is what has come of a job.
func (j job) ended(said any, err error) Record {
	r := j.record(Done)
	if more, is := said.(Reply); is {
		r.Text = more.Text
	}
	if err != nil {
		no := refusalOf(err)
		if r.Code, r.Text = no.Code, no.Text; no.Code != Failed && no.Code != Device && no.Code != Remote {
			r.Kind = Refused
		}
	}
	r.Text = cut(r.Text, maxText)
	return r
}

// leave has a record written without waiting for the disk.
func (a *audit) leave(r Record) {
	select {
	case a.later <- r:
	default:
		a.log.Error("what was done at the post cannot be written down as fast as it is done", "route", r.Route, "by", r.Caller.String(), "kind", r.Kind, "text", r.Text)
	}
}

// work writes down what was left, until later is closed. What was done more often than
// can be written down each time is written down in between, and at the end.
func (a *audit) work() {
	var soon <-chan time.Time
	for {
		select {
		case r, more := <-a.later:
			if !more {
				for r, waits := a.many.take(); waits; r, waits = a.many.take() {
					a.write(r)
				}
				return
			}
			a.write(r)
		case <-a.many.news:
			if soon == nil {
				soon = time.After(changedEach)
			}
		case <-soon:
			soon = nil
			if r, waits := a.many.take(); waits {
				a.write(r)
				soon = time.After(changedEach)
			}
		}
	}
}

func (a *audit) write(r Record) {
	err := errNoLedger
	if a.note != nil {
		err = a.note(r)
	}
	if err != nil {
		a.log.Error("what was done at the post cannot be written down", "route", r.Route, "by", r.Caller.String(), "kind", r.Kind, "text", r.Text, "err", err)
	}
}

// turnedAway writes down a change that was not even begun, though not each of many, and none
// that came through the socket for everybody: whoever tries all day must fill neither the
// ledger nor the log.
func (d door) turnedAway(j job, err error) {
	if !j.route.Changes || d.looking || !d.rates.refusal() {
		return
	}
	no := refusalOf(err)
	d.Log.Warn("somebody at the post is refused", "route", j.route.Name, "by", j.who.String(), "uid", j.who.UID, "code", no.Code, "text", no.Text)
	r := j.record(Refused)
	r.Code, r.Text = no.Code, cut(no.Text, maxText)
	d.audit.leave(r)
}

// record is what is written down of a job.
func (j job) record(k Kind) Record {
	var at struct {
		EVSE int `json:"evse"`
	}
	json.Unmarshal(j.args, &at) //nolint:errcheck // whoever does the job says what is wrong with its arguments
	if at.EVSE < 0 || at.EVSE > maxEVSE {
		at.EVSE = 0
	}
	return Record{Kind: k, ID: j.id, Route: j.route.Name, Caller: j.who, EVSE: at.EVSE}
}

const maxEVSE = 99 // as the configuration has it

func newID() string {
	var chance [10]byte
	rand.Read(chance[:]) // never fails
	return telemetry.ULID(uint64(time.Now().UnixMilli()), chance)
}

// cut shortens a text to so many bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
