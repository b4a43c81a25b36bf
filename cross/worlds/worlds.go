// Package worlds breaks charges by the million. A world is one post with its
// meter, contactor, card, network and payment service, some drivers, and faults
// drawn from a seed; the product's own session, journal and order logic run in
// it in virtual time, and a judge who sees the truth checks the promises after
// every event.
//
// # Why
//
// Everything is one thread and one queue of events, so a world is replayed from
// its seed alone. Faults are drawn by hash of seed, site and how often the site
// was passed, not from one stream: switching one fault off leaves the others
// where they were, which is what makes shrinking work. The drivers' doings come
// from a stream of their own.
//
// The bench and the book are the same code that the demo runs, so the model of
// the meter and of the payment service is one and not two.
package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	bench "stolpe/hal/sim"
	"stolpe/payment"
	book "stolpe/payment/sim"
)

// world is one of them.
type world struct {
	seed   uint64
	now    time.Duration
	events queue
	draw   draws
	search *search // not nil: faults come from a set and not from the draws
	people stream
	plant  plant

	bench bench.Bench
	book  *book.Book
	card  card
	post  post
	judge judge

	drivers  []driver
	papers   []paper       // what the payers' app has
	hooks    bool          // the service tells the post when something happens
	signals  hal.Signals   // what the wires of the post say
	wall     time.Duration // wall clock less virtual time
	netDown  time.Duration // no network before this
	healed   bool
	finishBy time.Duration
	errands  int                      // what technicians have still to do
	late     int                      // calls still on their way that nobody waits for
	stuck    map[string]*book.Problem // keys that the service has refused without a cause
	tally    *Tally
}

// post is the program's life between two starts.
type post struct {
	up     bool
	life   int // counts starts; what belongs to an older life is dropped
	booted time.Duration
	rules  session.Rules
	state  session.State
	saved  session.Kept
	saving bool
	dead   bool
	outbox []payment.Order
	passes int           // only the newest pass scheduled counts
	nextAt time.Duration // when that is
	idle   time.Duration // growing pause between passes while only debts remain
	mute   bool          // the last reading failed
	closed bool          // last order to the contactor
	sensed time.Duration // when the sense line was last read
	plug   hal.Plug      // as last told
}

// instant is now as the post's own clocks tell it.
func (w *world) instant() hal.Instant {
	clock := hal.ClockSynced
	if w.judge.noticed&(1<<wallJump) != 0 {
		clock = hal.ClockHoldover
	}
	return hal.Instant{
		Mono: w.now - w.post.booted + time.Second,
		Wall: hal.Stamp{Unix: int64((w.now + w.wall) / time.Second), Clock: clock},
	}
}

// kind is what an event is about.
type kind uint8

const (
	evPass kind = iota
	evDriver
	evRead   // an order's reading back reaches the service
	evWrite  // an order's call reaches the service
	evLate   // a call that nobody waits for reaches the service
	evAnswer // an order's answer reaches the post
	evPayer
	evSaved
	evCut
	evBoot
	evMend
	evWithdraw
	evRestore
	evSupply
	evWires // the wires of the post say something; n is what
	evKill
	evHint // somebody says that something has happened to payment n
	evForge
	evPortal
	evTest  // a technician tests the contactor; n is what comes next
	evFunds // the bank has the money of payment n again
)

// event is something that will happen.
type event struct {
	at   time.Duration
	seq  uint32 // first in, first out among equals
	kind kind
	life int // see post.life
	n    int // driver, pass or order, by kind
}

// queue is a binary heap of events.
type queue struct {
	heap []event
	seq  uint32
}

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

func (q *queue) push(e event) {
	q.seq++
	e.seq = q.seq
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !e.before(&q.heap[up]) {
			break
		}
		q.heap[i] = q.heap[up]
		i = up
	}
	q.heap[i] = e
}

func (q *queue) pop() event {
	first := q.heap[0]
	last := len(q.heap) - 1
	e := q.heap[last]
	q.heap = q.heap[:last]
	if last == 0 {
		return first
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && q.heap[down+1].before(&q.heap[down]) {
			down++
		}
		if !q.heap[down].before(&e) {
			break
		}
		q.heap[i] = q.heap[down]
		i = down
	}
	q.heap[i] = e
	return first
}

// in schedules an event of the present life after d.
func (w *world) in(d time.Duration, k kind, n int) {
	w.events.push(event{at: w.now + d, kind: k, life: w.post.life, n: n})
}

// run lets the world happen until everything is settled, or its time is over.
func (w *world) run() {
	for len(w.events.heap) > 0 && w.judge.complaint == "" {
		e := w.events.pop()
		if e.at > w.finishBy {
			if w.healed {
				break
			}
			w.heal()
		}
		w.now = max(w.now, e.at)
		w.tally.Events++
		w.handle(e)
		if w.post.up {
			w.judge.always(w)
		}
		if w.done() {
			break
		}
	}
	if w.judge.complaint == "" {
		w.judge.atRest(w)
	}
}

// done says whether nothing is left that could still change anything. The world
// is healed first, so that the last word is spoken without faults.
func (w *world) done() bool {
	for i := range w.drivers {
		if !w.drivers[i].gone {
			return false
		}
	}
	p := &w.post
	if p.up && w.errands == 0 && p.state.Phase == session.Idle && len(p.state.Debts) == 0 && !w.telling() && w.late == 0 && p.state.Passing&session.Seeking == 0 {
		return true
	}
	if !w.healed && w.now > w.judge.lastCharge+6*time.Hour {
		w.heal()
	}
	return false
}

func (w *world) handle(e event) {
	if e.life != w.post.life && (e.kind == evPass || e.kind == evAnswer || e.kind == evSaved || e.kind == evCut) {
		return // belongs to a life that is over
	}
	switch e.kind {
	case evPass:
		w.pass(e.n)
	case evDriver:
		w.drive(e.n)
	case evRead, evWrite, evLate, evAnswer:
		w.traffic(e)
	case evPayer:
		w.pay(e.n)
	case evSaved:
		w.saveDone()
	case evCut:
		w.cut(cutAnytime)
	case evBoot:
		w.boot()
	case evMend:
		w.mend(site(e.n))
	case evWithdraw:
		w.withdraw()
	case evRestore:
		w.step(session.Restored{})
	case evWires:
		w.wires(hal.Signals(e.n))
	case evSupply:
		w.loseSupply()
	case evKill:
		w.killPayment()
	case evHint:
		w.hint(e.n)
	case evForge:
		w.forge()
	case evPortal:
		w.portal()
	case evTest:
		w.technician(e.n)
	case evFunds:
		w.book.Funds(w.post.rules.Ref(uint64(e.n)), true)
	}
}
