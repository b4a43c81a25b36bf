// Package evse is the loop that runs one EVSE: one goroutine that owns its state
// and its contactor, writes to disk before it acts, and keeps the world as
// session.Rules wants it.
//
// # Why
//
// Every device answers when it likes, so each has a worker of its own that posts
// what happened back to the loop; the loop itself never waits for anything. In
// particular it does not wait for the disk: a save runs beside it, and only the
// deeds that must not come first (closing the contactor, calling the payment
// service, saying yes to a driver) are held back until the disk has what they
// rest on. Opening the contactor is held back by nothing.
//
// One thing does not go through the loop: an emergency stop or a tripped residual
// current device orders the contactor open from the goroutine that saw it (guard).
// A loop that hangs must not stand between a hand and the contactor.
//
// Results that can be overtaken say which asking they belong to: orders by
// Order.Seq, readings and senses by the instant they were taken. What is too
// late is dropped by session, in one place.
package evse

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// Meter reads the energy meter. An error means that there is no reading; a
// reading is never made up. Read returns when ctx ends at the latest.
type Meter interface {
	Read(ctx context.Context) (hal.Reading, error)
}

// Contactor switches the power and senses it on another line. Set is called from
// the loop and must not wait for anything; the commanded line is never read back.
type Contactor interface {
	Set(hal.Position) error
	Sense() (hal.Position, error)
}

// Plug senses whether a cable is in.
type Plug interface {
	Plugged() (hal.Plug, error)
}

// Inputs watches the wires of the post. Watch calls changed at once with what they
// say, and then at every change, until ctx ends. A wire that is broken or cannot be
// read says what it is there to say.
type Inputs interface {
	Watch(ctx context.Context, changed func(hal.Signals))
}

// Payments asks the payment service. One asking makes at most one call that
// changes anything. The answer counts even beside an error, which is for the log.
type Payments interface {
	Ask(context.Context, payment.Order) (payment.Answer, error)
}

// Journal makes a state durable. When Save returns nil the state survives a power
// cut. After an error it will not be called again.
type Journal interface {
	Save(session.Kept) error
}

// Watcher sees every step that was taken, after the deed. It must not block.
type Watcher interface {
	Saw(Moment)
}

// Moment is one step taken.
type Moment struct {
	Event         session.Event
	Before, After session.State
	Now           hal.Instant
	Kept          bool // After is on disk; never again once that has failed
}

// Parts are what an EVSE is made of.
type Parts struct {
	Rules     *session.Rules
	State     session.State // from Rules.Recover
	Meter     Meter
	Contactor Contactor
	Plug      Plug   // nil where there is no such input
	Inputs    Inputs // nil where there are none; Rules.Wired says which there are
	Payments  Payments
	Journal   Journal
	Watchers  []Watcher
	Alive     func() // called after a pass in which all is as wanted; nil for none
	Lives     func() // called after each pass of a loop that a start anew would not help; nil for none
	Now       func() hal.Instant
	Every     time.Duration // between passes, one second of Now's time
	Grace     time.Duration // how long Run may go on to settle after it was told to end
	Log       *slog.Logger
}

// EVSE is a running EVSE as the rest of the program sees it.
type EVSE struct {
	parts Parts
	rules atomic.Pointer[session.Rules] // those in force; each is never changed
	facts chan fact
	guard *guard // the contactor

	mu      sync.Mutex // guards the two below, for moments
	newest  session.State
	changed chan struct{}
}

// fact is an event from outside, with where to say what became of it.
type fact struct {
	event session.Event
	price *payment.Price // instead of an event
	reply chan<- error   // with a request, a claim, a test or a price; takes one value without waiting
}

// maxFacts is how many events may wait for the loop. Chosen by us: more than all
// workers can post at once; whoever finds it full waits.
const maxFacts = 64

// New makes an EVSE of its parts. Run makes it run.
func New(p Parts) *EVSE {
	v := &EVSE{parts: p, facts: make(chan fact, maxFacts), newest: p.State, changed: make(chan struct{})}
	v.guard = newGuard(p.Contactor, p.Rules.Wired)
	v.rules.Store(p.Rules)
	return v
}

// Tell tells the EVSE that something has happened. It returns ctx's error if the
// loop does not take it in time.
func (v *EVSE) Tell(ctx context.Context, e session.Event) error {
	select {
	case v.facts <- fact{event: e}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Request asks for a charge. It returns nil when the EVSE has agreed and written
// it down; display.ErrBusy, ErrOut, ErrPrice or ErrAmount when it has not;
// ctx's error when nobody knows.
func (v *EVSE) Request(ctx context.Context, q session.Requested) error {
	return v.ask(ctx, fact{event: q})
}

// Claim gives whoever knows the stop code of the charge under way the rights of its
// holder. It returns what Rules.Claims says; ctx's error when nobody knows.
func (v *EVSE) Claim(ctx context.Context, c session.Claimed) error {
	return v.ask(ctx, fact{event: c})
}

// Reprice has another price for the charges to come. One that is under way keeps what
// its driver was promised. When it returns nil, whoever has seen the old price is told
// so before anything is agreed.
func (v *EVSE) Reprice(ctx context.Context, p payment.Price) error {
	return v.ask(ctx, fact{price: &p})
}

// ask tells the loop something and waits for what it says to it.
func (v *EVSE) ask(ctx context.Context, f fact) error {
	reply := make(chan error, 1)
	f.reply = reply
	select {
	case v.facts <- f:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Snapshot gives the newest state that is on disk, the present instant, and a
// channel that is closed when there is a newer one.
func (v *EVSE) Snapshot() (session.State, hal.Instant, <-chan struct{}) {
	now := v.parts.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.newest, now, v.changed
}

// Rules are the rules the EVSE goes by now. All but the price stays as it is.
func (v *EVSE) Rules() *session.Rules { return v.rules.Load() }

func (v *EVSE) publish(s session.State) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.newest = s
	close(v.changed)
	v.changed = make(chan struct{})
}
