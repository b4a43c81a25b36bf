package replay

import (
	"slices"
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	hardware "stolpe/hal/sim"
	"stolpe/payment"
	service "stolpe/payment/sim"
)

// world is one EVSE with its meter, contactor, card, payment service and drivers.
// Everything in it happens in one thread, in the order of virtual time.
type world struct {
	*plan
	*stand
	draw  draws
	judge judge

	now    time.Duration
	epoch  int64 // Unix time at 0, s
	events []event
	pass   time.Duration // when the post looks around next; never if nothing can happen

	bench hardware.Bench
	book  *service.Book
	app   app
	card  card
	rules session.Rules
	life  life
	lives int // starts of the program; answers to an older one are dropped

	serving *visit            // the newest that was accepted
	served  map[uint64]*visit // by charge number
	visitor time.Duration     // somebody is about to ask, until then
	mute    time.Duration     // the meter does not answer, until then
	torn    bool              // the power goes in the middle of the next save
	records int               // acknowledged by the journal
}

// life is the program between two starts.
type life struct {
	up     bool
	booted time.Duration
	state  session.State
	saved  session.Kept
	closed bool          // last order to the contactor
	sensed time.Duration // when the sense line was last read
	plug   hal.Plug      // as last told
	silent bool          // the last reading failed
	pause  time.Duration // grows while only debts remain
}

// event is something that will happen.
type event struct {
	at time.Duration
	do func()
}

// never is when nothing happens.
const never = time.Duration(1<<63 - 1)

const (
	// ahead of the first driver the post is installed and started.
	ahead = 5 * time.Minute
	// afterwards is how long the post has to settle after the last driver has gone.
	afterwards = 48 * time.Hour
	// register of every meter at first; it has been somewhere else before. Wh.
	register hal.Energy = 10_000_007
)

func newWorld(s *stand, p *plan) *world {
	first := s.visits[0].row.from
	w := &world{
		plan: p, stand: s, draw: draws{on: p.faults, seed: p.seed}, epoch: first.Add(-ahead).Unix(), pass: never,
		bench: hardware.NewBench(hardware.Setup{Serial: "22110345", Register: register}),
		book:  service.NewBook(), app: app{}, served: map[uint64]*visit{},
		rules: session.Rules{
			Post: s.post, EVSE: s.evse, Code: s.post, Price: p.price, Choices: []payment.Amount{p.reserve},
			Default: p.reserve, MaxPower: maxPower, Grain: 1, Limits: session.DefaultLimits(), Receipts: true,
		},
	}
	w.card = newCard(s.owner())
	w.boot()
	w.expect(0)
	return w
}

// instant is now as the post's own clocks tell it.
func (w *world) instant() hal.Instant {
	return hal.Instant{
		Mono: w.now - w.life.booted + time.Second,
		Wall: hal.Stamp{Unix: w.epoch + int64(w.now/time.Second), Clock: hal.ClockSynced},
	}
}

// since gives a time of the table in the world's time.
func (w *world) since(t time.Time) time.Duration {
	return time.Duration(t.Unix()-w.epoch) * time.Second
}

// at schedules an event; first in, first out among equals.
func (w *world) at(at time.Duration, do func()) {
	i := len(w.events)
	for i > 0 && w.events[i-1].at > at {
		i--
	}
	w.events = slices.Insert(w.events, i, event{at, do})
}

// in schedules an event after d.
func (w *world) in(d time.Duration, do func()) { w.at(w.now+d, do) }

// look has the post look around after d, unless it does so before.
func (w *world) look(d time.Duration) { w.pass = min(w.pass, w.now+d) }

// run lets the world happen until nothing is left to happen.
func (w *world) run() {
	end := w.since(w.visits[len(w.visits)-1].row.to) + afterwards
	for {
		at := w.pass
		if len(w.events) > 0 {
			at = min(at, w.events[0].at)
		}
		if at > end {
			break
		}
		w.now = at
		if w.pass < at || len(w.events) == 0 || w.events[0].at > at {
			w.lookAround()
			continue
		}
		do := w.events[0].do
		w.events[0] = event{}
		w.events = w.events[1:]
		do()
	}
	w.judge.atRest(w)
}

// release lets go of what is large and needed no more.
func (w *world) release() { w.card, w.events, w.book, w.app = card{}, nil, nil, nil }
