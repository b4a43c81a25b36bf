package evse

import (
	"context"
	"fmt"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// stuckAfter is how long a save may take before the disk counts as failed.
// Chosen by us: flash cards pause for seconds when they clear blocks.
const stuckAfter = 30 * time.Second

// halfPass is how much too early a pass may come and still do what is due in it.
// Chosen by us: passes are not exact, and a reading put off by a millisecond would
// come a whole second late.
const halfPass = time.Second / 2

// loop is what the one goroutine owns.
type loop struct {
	*EVSE
	state     session.State
	commanded hal.Position // last ordered
	sure      bool         // that the order was taken
	power     bool         // it was ordered closed, and no order to open has been taken since
	orders    news         // of the contactor
	ending    bool         // told to end: no new drivers

	saved    session.Kept // what the disk is known to have
	saving   bool
	since    time.Duration // when the save under way began, Instant.Mono
	dead     bool          // the disk has failed: finish from memory
	outbox   []payment.Order
	awaiting []chan<- error // drivers who are told yes once it is written down

	polled   time.Duration    // when the meter was last told to be read, Instant.Mono
	lease    <-chan time.Time // ends the test under way; nil without one
	saves    chan session.Kept
	results  chan fact
	verdicts chan verdict
	sense    chan struct{}
	moving   chan hal.Position // the contactor has just been ordered there
	meter    chan struct{}
	asks     asks
}

// verdict is how a save ended.
type verdict struct {
	kept session.Kept
	err  error
}

// Run runs the EVSE until ctx ends. Then it ends a charge that is under way and
// goes on for Parts.Grace to settle what is owed. The contactor is open when Run
// returns, whatever the reason. It is ordered open before Run waits for its
// workers, and what they do ends with their context; only a save or a look at an
// input that never returns keeps Run from returning.
func (v *EVSE) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	l := &loop{EVSE: v, state: v.parts.State, polled: -time.Hour}
	l.orders = news{log: l, what: "contactor"}
	wait := l.startWorkers(work)
	l.turn(ctx)
	cancel()
	wait() // not when the loop panics: then nothing may hold up the end
	return nil
}

// turn takes in what happens until ctx has ended and what is owed is settled, or
// the grace is over.
func (l *loop) turn(ctx context.Context) {
	defer func() { // before anything is waited for, and when the loop panics too
		if err := l.guard.Set(hal.Open); err != nil {
			l.parts.Log.Error("contactor does not take its last order", "order", hal.Open, "err", err)
		}
	}()
	l.step(l.parts.Now(), session.Ticked{}, true)

	tick := time.NewTicker(l.parts.Every)
	defer tick.Stop()
	end, over := ctx.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case <-tick.C:
			l.pass()
			l.live()
		case f := <-l.facts:
			l.take(f)
		case f := <-l.results:
			l.take(f)
		case <-l.lease:
			l.lease = nil
			l.step(l.parts.Now(), session.Ticked{}, false)
		case <-l.guard.news:
			l.signalled()
		case done := <-l.verdicts:
			l.wrote(done)
		case <-end:
			end, l.ending = nil, true
			timer := time.NewTimer(l.parts.Grace)
			defer timer.Stop()
			over = timer.C
			l.take(fact{event: session.Stopped{Why: display.ShutDown}})
		case <-over:
			return
		}
		if l.ending && l.atEase() {
			return
		}
	}
}

// atEase says whether nothing is left to be done for anybody.
func (l *loop) atEase() bool {
	return l.state.Phase == session.Idle && len(l.state.Debts) == 0 && l.durable()
}

// pass is what happens once a second.
func (l *loop) pass() {
	now := l.parts.Now()
	poke(l.sense)
	if now.Mono+halfPass >= l.polled+l.Rules().Want(&l.state, now).Poll {
		poke(l.meter)
		l.polled = now.Mono
	}
	if l.saving && !l.dead && now.Mono-l.since > stuckAfter {
		l.failDisk(fmt.Errorf("a save has not returned for %v", stuckAfter))
		return
	}
	l.step(now, session.Ticked{}, true)
}

// take takes in one event from outside the loop.
func (l *loop) take(f fact) {
	now := l.parts.Now()
	if f.price != nil {
		l.reprice(*f.price)
		f.reply <- nil
		return
	}
	if q, ok := f.event.(session.Requested); ok && f.reply != nil {
		l.step(now, session.Ticked{}, false) // the answer is about the present
		if err := l.accepts(now, q); err != nil {
			f.reply <- err
			return
		}
		l.awaiting = append(l.awaiting, f.reply)
	}
	if _, ok := f.event.(session.TestBegun); ok {
		if f.reply != nil { // there is no other way to have one
			f.reply <- l.beginTest(now)
		}
		return
	}
	if c, ok := f.event.(session.Claimed); ok && f.reply != nil {
		said := l.Rules().Claims(&l.state, now, c)
		defer func() { f.reply <- said }() // after the step: the page that is looked at next must know of it
	}
	l.step(now, f.event, false)
}

// reprice changes the price, between two steps: what a driver agrees to in one is what
// is charged. It is in no record on disk, so nothing waits for that.
func (l *loop) reprice(p payment.Price) {
	rules := *l.Rules()
	rules.Price = p
	l.rules.Store(&rules)
	l.mu.Lock()
	shown := l.newest
	l.mu.Unlock()
	l.publish(shown) // pages look again
}

// accepts says whether a driver can be served: nil, display.ErrOut at the end, or
// what the rules say.
func (l *loop) accepts(now hal.Instant, q session.Requested) error {
	if l.ending {
		return display.ErrOut
	}
	return l.Rules().Accepts(&l.state, now, q)
}

func (l *loop) step(now hal.Instant, e session.Event, assert bool) {
	before := l.state
	l.state = l.Rules().Step(before, now, e)
	l.act(now, assert)
	m := Moment{Event: e, Before: before, After: l.state, Now: now, Kept: !l.dead && l.durable()}
	for _, w := range l.parts.Watchers {
		w.Saw(m)
	}
}

// act makes the world as wanted: open at once; everything else once the disk has
// what it rests on.
func (l *loop) act(now hal.Instant, assert bool) {
	rules := l.Rules()
	want := rules.Want(&l.state, now)
	if want.Contactor == hal.Open {
		l.set(hal.Open, assert)
	}
	for _, o := range want.Orders {
		l.state = rules.Step(l.state, now, session.Asked{Order: o})
		l.outbox = append(l.outbox, o)
	}
	l.save(now)
	if !l.durable() {
		return
	}
	if want.Contactor == hal.Closed && rules.Want(&l.state, now).Contactor == hal.Closed {
		if l.set(hal.Closed, assert) {
			l.state = rules.Step(l.state, now, session.Ordered{})
		}
	}
	for _, o := range l.outbox {
		if l.state.Awaits(o) {
			l.asks.start(o)
		}
	}
	l.outbox = l.outbox[:0]
	l.publish(l.state) // before a driver is told: the page that is looked at next must know of the charge
	l.tellDrivers()
	if assert && l.parts.Alive != nil && !l.dead && l.state.SensedAs(want.Contactor, now.Mono) {
		l.parts.Alive()
	}
}

// set orders the contactor, again when asserting, and again after an error. It
// says whether this is news.
func (l *loop) set(p hal.Position, assert bool) bool {
	changes := !l.sure || l.commanded != p
	if !changes && !assert {
		return false
	}
	moves := l.commanded != p
	l.commanded, l.sure = p, l.orders.ok(l.guard.Set(p))
	l.power = p == hal.Closed || l.power && !l.sure
	if moves { // an order that is only said again, or again in vain, moves nothing
		select {
		case l.moving <- p:
		default: // still looking for where the last order went
		}
	}
	return changes
}

// durable says whether what was decided may be acted on.
func (l *loop) durable() bool { return l.dead || l.state.Kept.Same(&l.saved) }

// save starts a save if there is something new and none is under way.
func (l *loop) save(now hal.Instant) {
	if l.saving || l.durable() {
		return
	}
	l.saving, l.since = true, now.Mono
	l.saves <- l.state.Kept
}

// wrote takes in how a save ended. A failed one is never tried again.
func (l *loop) wrote(v verdict) {
	l.saving = false
	switch {
	case l.dead:
	case v.err != nil:
		l.failDisk(v.err)
	default:
		l.saved = v.kept
		l.step(l.parts.Now(), session.Ticked{}, false) // deeds go by the present, not by when the save began
	}
}

// failDisk goes on from memory. The log comes last: where a card dies, it may hang.
func (l *loop) failDisk(err error) {
	l.dead = true
	l.step(l.parts.Now(), session.Unwritable{}, true)
	l.parts.Log.Error("journal cannot be written; no new drivers until restart", "err", err)
}

// tellDrivers says to those who asked for a charge that it is agreed and on disk.
func (l *loop) tellDrivers() {
	var err error
	if l.dead {
		err = display.ErrOut
	}
	for _, reply := range l.awaiting {
		reply <- err
	}
	l.awaiting = nil
}
