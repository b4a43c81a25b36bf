package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/agent/telemetry/publisher"
	"stolpe/display"
	"stolpe/display/screen"
	"stolpe/hal"
	"stolpe/hal/gpio"
	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
)

// world is what differs between a post that lives and one that is shown.
type world struct {
	now  func() hal.Instant
	mono func() time.Duration
	// timeSet says whether the wall clock has been set from outside since the program
	// began. Nil where it is only if now says so.
	timeSet func() bool
	every   time.Duration       // between passes, real time
	grace   time.Duration       // for settling after the end, real time
	alive   func(id int) func() // gives the watchdog hook of an EVSE; nil for none
	left    func()              // called when the loop of an EVSE has ended; nil as alive is
	log     *slog.Logger

	// store opens the journal of an EVSE.
	store func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error)
	// wires opens the lines of a real contactor.
	wires func(gpio.Config) (wires, error)
	// bench makes the simulated meter, contactor and car of an EVSE that has no
	// real ones.
	bench func(e config.EVSE) (*bench, error)
	// around is put around each meter as its post reads it; nil for nothing.
	around func(evse.Meter) evse.Meter
	// watch adds watchers.
	watch []evse.Watcher
	// figures are what is counted; nil where nobody asks.
	figures *figures
	// book is what has happened, for people; nil where nothing is written.
	book *ledger.Ledger
	// born is what it says of this start of the program.
	born ledger.Post
}

// parts are the running parts of a post.
type parts struct {
	posts
	wires map[int]wires          // of the EVSEs with a real contactor, by id
	meter map[int]*modbus.Meter  // of the EVSEs, by id
	maps  *meters.Library        // all register maps
	buses map[string]*modbus.Bus // by URL
	close []func() error
	jobs  []func(context.Context) // run beside the loops, until these have ended

	purse   purse  // the way to the money
	lacks   []lack // what the post has started without
	serving []any  // where drivers find their pages, for the log; nil where there are none

	left  func()               // as that of the world
	feed  func()               // tells the service manager that the program lives, while no loop does; nil where nobody listens
	fleet *publisher.Publisher // tells it how the post is doing; nil without a broker
	money *heard               // how it went with the payment service; nil where nobody asks

	seen  *witness       // how meters last answered
	found map[int]string // what the journals held at the start, by EVSE
	hooks *hooks         // nil without webhooks

	ends    <-chan struct{}  // closed when the loops are to end, for whatever reason; nil until they run
	screens []*screen.Screen // of the configuration's displays, in their order
	look    *lookout         // for them; nil for none
	windows map[int]*window  // of EVSEs with a button that accepts, by id
	away    func() bool      // says that whoever asks for money cannot be reached; nil where nobody knows

	readings, misread atomic.Int64 // of meters: all, and those that failed
	told              [2]int64     // of these, when somebody last asked for their share
}

// Close closes everything that was opened, last first.
func (p *parts) Close() error {
	var all error
	for i := len(p.close) - 1; i >= 0; i-- {
		all = errors.Join(all, p.close[i]())
	}
	return all
}

// open makes the EVSEs of a configuration. The contactors come first: they are
// ordered open before anything is read, asked or waited for.
func open(c config.Config, w world, payments evse.Payments) (*parts, error) {
	p := openContactors(c, w)
	if err := p.openEVSEs(c, w, payments); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// openEVSEs opens all that is not a real contactor. Simulated ones are ordered
// open before any journal is opened.
func (p *parts) openEVSEs(c config.Config, w world, payments evse.Payments) (err error) {
	if err := p.loadMaps(c); err != nil {
		return err
	}
	p.left = w.left
	payments = p.hear(payments, w)
	hardware := make([]evse.Parts, len(c.EVSEs))
	var wrong config.Errors // told all at once
	for i, e := range c.EVSEs {
		var one config.Error
		if hardware[i], err = p.openHardware(c, i, w); errors.As(err, &one) {
			wrong = append(wrong, one)
		} else if err != nil {
			return fmt.Errorf("evse %d: %w", e.ID, err)
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	for i, e := range c.EVSEs {
		v, err := p.openEVSE(c, e, w, hardware[i], payments)
		if err != nil {
			return fmt.Errorf("evse %d: %w", e.ID, err)
		}
		p.units[e.Code] = v
	}
	return nil
}

// openHardware opens the meter of an EVSE, and its bench if the contactor is
// simulated. A meter that has an address is read there all the same.
func (p *parts) openHardware(c config.Config, i int, w world) (evse.Parts, error) {
	e := c.EVSEs[i]
	rules := &session.Rules{NoPlug: true} // without a plug input a car counts as present
	m, err := p.mapOf(c, i)
	if err != nil {
		return evse.Parts{}, err
	}
	if l := p.wires[e.ID]; l != nil {
		meter, err := p.openMeter(c, i, m, e.Meter.URL, e.Meter.Unit, w, rules)
		if err != nil {
			return evse.Parts{}, err
		}
		made := evse.Parts{Meter: meter, Contactor: l, Inputs: l, Rules: rules}
		rules.Wired = wired(e.Inputs)
		if e.Inputs.Plug != "" {
			made.Plug, rules.NoPlug = l, false
		}
		return made, nil
	}
	b, err := w.bench(e)
	if err != nil {
		return evse.Parts{}, err
	}
	p.close = append(p.close, b.Close)
	if err := b.rig.Set(hal.Open); err != nil {
		return evse.Parts{}, fmt.Errorf("open the contactor: %w", err)
	}
	w.log.Info("contactor open", "evse", e.ID)
	made := evse.Parts{Contactor: b.rig, Rules: rules}
	if e.Meter.URL != "" {
		made.Meter, err = p.openMeter(c, i, m, e.Meter.URL, e.Meter.Unit, w, rules)
		return made, err
	}
	url, err := b.serve(m)
	if err != nil {
		return evse.Parts{}, err
	}
	meter, err := p.openMeter(c, i, m, url, 1, w, rules)
	made.Meter = b.remembering(meter)
	return made, err
}

// openEVSE reads the journal of an EVSE and makes it of its parts.
func (p *parts) openEVSE(c config.Config, e config.EVSE, w world, made evse.Parts, payments evse.Payments) (*evse.EVSE, error) {
	rules := made.Rules
	rules.Post, rules.EVSE, rules.Code = c.Post.ID, e.ID, e.Code
	rules.Price, rules.Choices, rules.Default = c.Price, c.Reserve.Choices, c.Reserve.Default
	rules.MaxPower, rules.Serial = e.MaxPower, e.Meter.Serial
	rules.Limits = session.Limits(c.Limits)
	rules.Push, rules.Receipts = c.Payment.Push, c.Payment.Receipts
	rules.Capture, rules.Lang = captureWithin(c.Country), display.LangOf(c.Price.Currency)

	journal, found, closeJournal, err := w.store(e, ownerOf(c.Post.ID, e.ID))
	if err != nil {
		return nil, err
	}
	p.close = append(p.close, closeJournal)
	p.found[e.ID] = found.detail
	log := w.log.With("evse", e.ID)
	if found.detail != "" {
		log.Warn("journal", "found", found.detail)
	}
	if found.trust != session.Whole {
		log.Warn("settle-only: open payments are read back and settled, no new driver is served")
	}
	now := w.now()
	made.State = rules.Recover(found.state, found.trust, now)
	if p.purse.mute {
		made.State.Passing |= session.Unsellable // until the start anew that follows when the keys are there
	}
	made.Payments, made.Journal = payments, journal
	if w.around != nil {
		made.Meter = w.around(made.Meter)
	}
	made.Meter = p.seen.read(e.ID, counted{made.Meter, &p.readings, &p.misread})
	made.Watchers = append([]evse.Watcher{&diary{log: log, rules: rules}}, w.watch...)
	if c.Rotating(e.ID) {
		d := newDoor()
		p.doors[e.Code] = d
		made.Watchers = append(made.Watchers, d)
	}
	if p.look != nil {
		made.Watchers = append(made.Watchers, p.look.at(e.ID))
	}
	if w.figures != nil {
		made.Watchers = append(made.Watchers, w.figures.of(rules, &made.State))
	}
	if w.book != nil {
		// A journal that failed may have given numbers that it does not know of any more.
		made.State.Receipts = max(made.State.Receipts, w.book.Receipts(e.ID))
		made.Watchers = append(made.Watchers, p.writers(w, rules, evse.Moment{Before: session.State{Kept: found.state}, After: made.State, Now: now}, log)...)
	}
	made.Now, made.Every, made.Grace, made.Log = w.now, w.every, w.grace, log
	made.Alive = p.aliveHook(e, log)
	if w.alive != nil {
		made.Lives = w.alive(e.ID)
	}
	return evse.New(made), nil
}

// writers write into the book what happens at an EVSE after that start, and the first of
// them what happens to the post.
func (p *parts) writers(w world, rules *session.Rules, start evse.Moment, log *slog.Logger) []evse.Watcher {
	c := newClerk(w.book, rules, rules.EVSE, log)
	c.scribe = newScribe(w.book, rules, &start, log, c.call)
	all := []evse.Watcher{c.scribe, c}
	if p.book == nil {
		p.book = w.book
		c.scribe.put(ledger.Entry{Kind: ledger.PostBooted, Post: &w.born}, start.Now.Wall)
		all = append(all, &dial{scribe: c.scribe})
	}
	c.scribe.ended(&start)
	c.leave(start.After.Kept, start.Now.Wall)
	p.jobs = append(p.jobs, c.run)
	return all
}

// captureWithin is for how long a reservation can be captured, by the published
// rules of the payment service (capture guide): 180 days in Norway, 14 in Denmark
// and Finland.
func captureWithin(country string) time.Duration {
	const day = 24 * time.Hour
	if country == "NO" {
		return 180 * day
	}
	return 14 * day
}
