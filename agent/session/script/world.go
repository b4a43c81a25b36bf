package script

import (
	"errors"
	"slices"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// world is everything around one EVSE, in virtual time: it does what the loop does (write
// down, then act), and what wires, meter, car and payment service do.
type world struct {
	rules  session.Rules
	state  session.State
	at     time.Duration // since the scenario began
	boot   time.Duration // when the program started
	off    bool          // no power
	polls  time.Duration // when the meter was last read
	told   hal.Plug      // the plug as last told
	closed bool          // the contactor has been ordered closed

	kept  session.Kept      // what is in the newest record
	disk  []byte            // the newest record
	older []byte            // the one before
	cards map[string][]byte // copies of the card
	full  bool              // the disk takes no more

	till    *till
	app     app
	flights []flight
	wires   wires
	diary   diary
	look    []func(r *session.Rules, before, after *session.State, now hal.Instant) // at each step
}

// flight is an asking under way.
type flight struct {
	order  payment.Order
	answer payment.Answer
	at     time.Duration
}

func newWorld() *world {
	w := &world{
		rules: session.Rules{
			Post: "A12", EVSE: 1, Code: "A12", Model: "test meter", MaxPower: 22_000, Grain: 1,
			Price: payment.Price{
				Currency: payment.NOK, VAT: 2500, KWh: 549,
				Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20_000},
			},
			Choices: []payment.Amount{20_000, 35_000, 50_000}, Default: 35_000, Limits: session.DefaultLimits(),
		},
		cards: map[string][]byte{}, till: newTill(), diary: newDiary(),
		wires: wires{register: 10_344_076, serial: "22110345", plug: hal.PlugOut, contactor: "ok", sense: "ok", meter: "ok"},
	}
	w.disk = (&session.Kept{}).Append(nil)
	w.older = w.disk
	return w
}

// epoch is when a scenario begins, s since 1970.
const epoch = 1_800_000_000

func (w *world) now() hal.Instant {
	return hal.Instant{Mono: w.at - w.boot, Wall: hal.Stamp{Unix: epoch + int64(w.at/time.Second), Clock: hal.ClockSynced}}
}

// start is what the program does first.
func (w *world) start(trust session.Trust) error {
	kept, err := session.Decode(w.disk)
	if err != nil {
		return err
	}
	w.boot, w.off, w.polls, w.told, w.closed = w.at-time.Second, false, -time.Hour, hal.PlugUnknown, false
	w.flights = nil
	w.kept = kept
	w.state = w.rules.Recover(kept, trust, w.now())
	w.keep()
	return w.act()
}

// cut takes the power away. A welded contact stays, a healthy one falls.
func (w *world) cut() {
	w.off = true
	w.drive(hal.Open)
}

// step is one turn of the loop: decide, write down, act.
func (w *world) step(e session.Event) error {
	if len(w.look) == 0 {
		w.decide(e)
	} else {
		before := w.state
		w.decide(e)
		for _, look := range w.look {
			look(&w.rules, &before, &w.state, w.now())
		}
	}
	err := w.act()
	w.diary.changes(w)
	return err
}

func (w *world) decide(e session.Event) {
	w.state = w.rules.Step(w.state, w.now(), e)
	w.keep()
}

// keep makes durable what must be. On a full disk the program is told.
func (w *world) keep() {
	if w.state.Kept.Same(&w.kept) {
		return
	}
	record := w.state.Kept.Append(nil)
	if w.full {
		if w.state.Passing&session.DiskFailed == 0 {
			w.state = w.rules.Step(w.state, w.now(), session.Unwritable{})
		}
		return
	}
	w.older, w.disk, w.kept = w.disk, record, w.state.Kept
}

// errEndless says that the core always wants something more, which it must not.
var errEndless = errors.New("the orders wanted never end: this is a fault of the core")

// act makes the world as it is wanted.
func (w *world) act() error {
	for range 100 {
		want := w.rules.Want(&w.state, w.now())
		w.drive(want.Contactor)
		if want.Contactor == hal.Open {
			w.closed = false
		} else if !w.closed {
			w.closed = true
			w.state = w.rules.Step(w.state, w.now(), session.Ordered{})
			w.keep()
			continue
		}
		if len(want.Orders) == 0 {
			return nil
		}
		o := want.Orders[0]
		w.state = w.rules.Step(w.state, w.now(), session.Asked{Order: o})
		w.keep()
		w.diary.asked(w, o)
		answer, after := w.till.ask(w.at, o)
		if o.Verb == payment.Inform {
			answer, after = w.app.ask(o)
		}
		w.flights = append(w.flights, flight{o, answer, w.at + after})
	}
	return errEndless
}

func (w *world) drive(p hal.Position) {
	switch {
	case w.wires.contactor == "welded":
		w.wires.contacts = hal.Closed
	case w.wires.contactor == "stuck", w.wires.dark:
		w.wires.contacts = hal.Open
	default:
		w.wires.contacts = p
	}
}

// until lets time pass.
func (w *world) until(t time.Duration) error {
	for w.at < min(t, longest+time.Second) {
		if err := w.pass(); err != nil {
			return err
		}
	}
	return nil
}

// pass lets one second go by and does what a loop does in it.
func (w *world) pass() error {
	w.at += time.Second
	w.wires.flow()
	w.till.age(w.at)
	if w.off {
		return nil
	}
	return errors.Join(w.deliver(), w.senses(), w.step(session.Ticked{}))
}

// deliver hands over the answers whose time has come.
func (w *world) deliver() error {
	for i := 0; i < len(w.flights); {
		f := w.flights[i]
		if f.at > w.at {
			i++
			continue
		}
		w.flights = slices.Delete(w.flights, i, i+1)
		if err := w.step(session.Answered{Order: f.order, Answer: f.answer}); err != nil {
			return err
		}
		i = 0
	}
	return nil
}

// senses reads the inputs, and the meter when its time has come.
func (w *world) senses() error {
	var all error
	if p, ok := w.wires.sensed(); ok {
		all = w.step(session.Sensed{Position: p, At: w.now().Mono})
	}
	if w.wires.plug != w.told {
		w.told = w.wires.plug
		all = errors.Join(all, w.step(session.Plugged{Plug: w.told}))
	}
	if w.at-w.polls < w.rules.Want(&w.state, w.now()).Poll {
		return all
	}
	w.polls = w.at
	if r, ok := w.wires.read(w.now().Mono); ok {
		all = errors.Join(all, w.step(session.Metered{Reading: r}))
	}
	return all
}

// request is a driver who has seen the present price.
func (w *world) request(name string, reserve payment.Amount) session.Requested {
	return session.Requested(display.Request{Reserve: reserve, Seen: w.rules.Price, Holder: holder(name), Return: "https://example.no/s"})
}
