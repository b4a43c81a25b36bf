// Package publisher tells a post's fleet how the post is doing: what stands for the
// present, at its pace, and what has happened, in order and until it has arrived.
//
// # Why
//
// Nothing waits for it: it looks at each EVSE's newest state once a second, as a page
// does, and what cannot be told now is told by the next look. So a change that has
// passed before anybody looked is not told as a state; it is an event, and events
// come from the ledger.
//
// A broker that has lost its memory, or another one behind the same address, knows
// nothing. So everything is told anew on each connection: first who the post is and
// how it stands, and only then what has piled up, slowly, since a whole fleet comes
// back at the same time.
//
// Events have a goroutine of their own: a card that is ill keeps the ledger for as long
// as it likes, and that the fleet must hear.
//
// An event counts as sent when the broker has acknowledged it. Which ones that are is
// written down now and then and not each time, so that after a power cut some are sent
// again; their ids do not change. Whoever wants events again tells the outbox: it is
// asked anew each second.
package publisher

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"stolpe/agent/session"
	"stolpe/agent/telemetry"
	"stolpe/hal"
)

// EVSE is an EVSE as far as it is told of.
type EVSE interface {
	Snapshot() (session.State, hal.Instant, <-chan struct{})
	Rules() *session.Rules
}

// Outbox holds what has happened and is not known to have arrived.
type Outbox interface {
	// Next gives the oldest events, at most so many, without taking them out, or else
	// such as are wanted again. What it gives survives a power cut.
	Next(most int) ([]telemetry.Event, error)
	// Done takes out all events up to a number, of those that Next gave last.
	Done(seq uint64)
	// Waiting tells how many there are, and since when the oldest waits.
	Waiting() (events int, oldest hal.Stamp)
	// Save writes down what is out, if that is news.
	Save() error
}

// Options say what is told, of whom, and how. The outbox is asked by one goroutine,
// everything else but Publish and Connected by another.
type Options struct {
	Profile telemetry.Profile
	Info    telemetry.Info // its head is put in
	EVSEs   []EVSE
	Health  func() telemetry.Health // its head and outbox are put in
	Outbox  Outbox                  // nil for none
	Newest  func() uint64           // number of the newest event; nil where there are none
	Ill     func() string           // what is wrong with the ledger, in words; nil where there is none

	// Publish hands a payload to the broker under a leaf of the post, retained and
	// acknowledged as the leaf says. It returns nil once that is done.
	Publish   func(ctx context.Context, leaf telemetry.Leaf, payload []byte) error
	Connected func() bool

	// Discovery tells others than the fleet what there is, on each connection after
	// the states. Nil for none.
	Discovery func(ctx context.Context) error

	Now func() hal.Instant
	Log *slog.Logger
}

// Publisher tells. Make one with New; Run makes it tell.
type Publisher struct {
	Options
	pace telemetry.Pace
	seek atomic.Bool // discovery is to be told again

	connection atomic.Int64 // which one there is, or was last
	presented  atomic.Int64 // on which the post has told who it is and how it stands
	waiting    atomic.Int64 // events in the outbox
	oldest     atomic.Int64 // of when the oldest of them is, s since 1970; 0 if that is not known

	// Of Run's goroutine.
	sights []*sight
	told   map[telemetry.Leaf]telling
	seen   int64 // connection that told is about
	swept  bool  // what this profile does not tell is gone from the broker

	// Of the goroutine that sends events.
	saved time.Time       // when the outbox was written down last
	ill   map[string]bool // what went wrong the last time
}

// telling is what has been told under a leaf on this connection.
type telling struct {
	key any           // two payloads whose keys are equal are told once
	at  time.Duration // Instant.Mono
}

// New makes one.
func New(o Options) *Publisher {
	p := &Publisher{Options: o, pace: o.Profile.Pace(), told: map[telemetry.Leaf]telling{}, ill: map[string]bool{}}
	p.presented.Store(-1)
	for _, v := range o.EVSEs {
		p.sights = append(p.sights, &sight{evse: v, faults: map[session.Faults]time.Duration{}})
	}
	return p
}

// Anew says that there is a new connection, to a broker that knows nothing. It is called
// before Connected says so, from any goroutine, and does not wait.
func (p *Publisher) Anew() { p.connection.Add(1) }

// Rediscover has Discovery called again. It may be called from any goroutine.
func (p *Publisher) Rediscover() { p.seek.Store(true) }

// Waiting is how many events wait, as it was counted last, and of when the oldest is, in
// seconds since 1970; 0 if that is not known. It waits for nothing, and may be called
// from any goroutine.
func (p *Publisher) Waiting() (events int, oldest int64) {
	return int(p.waiting.Load()), p.oldest.Load()
}
