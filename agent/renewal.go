package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config/trial"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/hal"
)

// renewal has the post start anew as soon as nobody charges, with the program that is on
// the disk then. There is at most one such order. It is written down nowhere: if the
// program starts for another reason, it has been done.
type renewal struct {
	*deeds
	note func(ledger.Entry) error // nil without a ledger
	news chan struct{}            // there is an order

	mu     sync.Mutex // guards what follows
	order  *ordered   // nil for none
	failed string     // why the last one came to nothing; empty if there is another
	orders int        // how many there were
}

// ordered is a start anew that waits.
type ordered struct {
	number int // counted since the start
	by     string
	at     hal.Instant
	to     string // version
	spares bool   // no EVSE takes a new driver any more
}

// spareAfter is how long a start anew waits for a moment in which nobody charges at any
// EVSE. After that none takes a new driver until it has come. Chosen by us: a post with one
// EVSE never waits so long after a charge, and one with several has mostly had a quiet
// moment by then.
const spareAfter = 4 * time.Hour

// lookBusy is how often it is looked whether somebody charges. Chosen by us: nobody begins
// and ends a charge in less.
const lookBusy = time.Second

func openRenewal(d *deeds, w world) *renewal {
	r := &renewal{deeds: d, news: make(chan struct{}, 1)}
	if w.book != nil {
		r.note = w.book.Append
	}
	return r
}

// put has a start anew wait. One that waits already keeps its time.
func (r *renewal) put(by, to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.orders++
	o := &ordered{number: r.orders, by: by, at: r.now(), to: to}
	if was := r.order; was != nil {
		o.at, o.spares = was.at, was.spares
	}
	r.order, r.failed = o, ""
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// waits is the order that waits, and why the last one came to nothing.
func (r *renewal) waits() (*ordered, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.order, r.failed
}

// drop forgets an order, unless a newer one has come since, and says why.
func (r *renewal) drop(o *ordered, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.order != nil && r.order.number == o.number {
		r.order, r.failed = nil, why
	}
}

// run starts the post anew when the time has come, until ctx ends.
func (r *renewal) run(ctx context.Context) {
	var tick <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.news:
		case <-tick:
		}
		tick = nil
		if !r.look(ctx) {
			tick = time.After(lookBusy)
		}
	}
}

// look looks once, and says whether nothing is left to be looked after: no order, and no
// EVSE that still keeps drivers away for one.
func (r *renewal) look(ctx context.Context) bool {
	if o, _ := r.waits(); o != nil {
		return r.try(ctx, o)
	}
	return r.spare(ctx, false)
}

// try starts the post anew if nobody charges, and says whether the order is over.
func (r *renewal) try(ctx context.Context, o *ordered) bool {
	if o.spares || r.now().Mono-o.at.Mono >= spareAfter {
		r.spare(ctx, true)
	}
	if len(r.waitsFor()) > 0 {
		return false
	}
	to, err := r.successor(ctx)
	switch {
	case ctx.Err() != nil:
		return true
	case err != nil:
		r.log.Error("the post does not start anew, and goes on as it is", "by", o.by, "err", err)
		r.drop(o, err.Error())
		r.tell(o, "does not start anew: "+err.Error())
		return r.spare(ctx, false)
	case len(r.waitsFor()) > 0: // somebody was faster
		return false
	}
	r.log.Warn("starts anew", "by", o.by, "from", version, "to", to)
	r.restart()
	return true
}

// waitsFor lists why the post does not start anew now.
func (r *renewal) waitsFor() []string {
	all := r.busy()
	if !r.mayStart() {
		all = append(all, "one more start so soon would be too many")
	}
	if t, _ := trial.Of(r.file); t.On() {
		all = append(all, "configuration "+t.ID+" is on trial")
	}
	return all
}

// spare has no EVSE take a new driver, or all take some again, and says whether all of them
// do as told. One that does not answer is told again with the next look.
func (r *renewal) spare(ctx context.Context, on bool) (all bool) {
	r.mu.Lock()
	if r.order != nil {
		o := *r.order
		o.spares = on
		r.order = &o
	}
	r.mu.Unlock()
	all = true
	for _, v := range r.units {
		does := func(s *session.State) bool { return (s.Passing&session.Renewing != 0) == on }
		if s, _, _ := v.Snapshot(); does(&s) {
			continue
		}
		heard, err := tell(ctx, v, session.Renewal{Near: on}, does)
		if err != nil {
			r.log.Warn("start anew", "err", err)
		}
		all = all && heard
	}
	return all
}

// tell writes down what has become of an order.
func (r *renewal) tell(o *ordered, text string) {
	if r.note == nil {
		return
	}
	at := r.now().Wall
	c := &ledger.Command{ID: commands.NewID(time.Now()), Name: "restart", Issuer: o.by, Code: string(commands.Failed), Text: text}
	if err := r.note(ledger.Entry{At: at.Unix, Clock: at.Clock.String(), Kind: ledger.CommandDone, Command: c}); err != nil {
		r.log.Warn("ledger: a start anew that came to nothing is not written down", "err", err)
	}
}

// successor is the version of the program that a start anew would run, or says why it would
// not run.
func (d *deeds) successor(ctx context.Context) (string, error) {
	switch is, err := d.program.replaced(); {
	case err != nil:
		return "", commands.Refuse(commands.Unsafe, "no start anew: "+err.Error())
	case !is:
		return version, d.loads()
	}
	to, err := d.program.tried(ctx, d.file, d.lacks)
	if err != nil {
		return "", commands.Refuse(commands.Unsafe, "no start anew: "+err.Error())
	}
	now, err := loadLacking(d.file, d.lacks)
	if err != nil {
		return to, nil // a file for the newer program alone
	}
	return to, d.leaves(now)
}

// renewed says what program starts, in a few words.
func renewed(to string) string {
	if to == version {
		return "starts anew, with version " + to + " as before"
	}
	return fmt.Sprintf("starts anew, from version %s to %s", version, to)
}

// begins says what becomes of an order.
func begins(to string, waitsFor []string) string {
	if len(waitsFor) == 0 {
		return renewed(to)
	}
	return renewed(to) + ", as soon as nobody charges: " + strings.Join(waitsFor, ", ")
}
