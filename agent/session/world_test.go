package session

import (
	"fmt"
	"slices"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// world is everything around one EVSE, in virtual time: it does what the loop
// does (write down, then act), and what wires, meter, car, payment service and
// the people in front of the post do.
type world struct {
	rules Rules
	state State
	at    time.Duration // since the scenario began
	boot  time.Duration // when the program started
	off   bool          // no power
	polls time.Duration // when the meter was last read
	told  hal.Plug      // the plug as last told

	kept  Kept              // what is in the newest record
	disk  []byte            // the newest record
	older []byte            // the one before
	cards map[string][]byte // copies of the card
	full  bool              // the disk takes no more

	till    *till
	app     app
	flights []flight
	wires   wires
	laws    func(*world, State) // looks at every step
	diary   diary
}

// flight is an asking under way.
type flight struct {
	order  payment.Order
	answer payment.Answer
	at     time.Duration
}

// wires is the hardware. Energy flows when the contacts are closed and a car
// draws.
type wires struct {
	register hal.Energy // true value, Wh
	part     int64      // of the next Wh, in W·s
	serial   string
	car      hal.Power // the car would draw, W
	plug     hal.Plug
	contacts hal.Position
	leak     hal.Power // flows whatever the contactor does, W

	contactor string        // ok, stuck, welded
	sense     string        // ok, dead, open, closed
	dark      bool          // there is no mains
	meter     string        // ok, silent, frozen, garbage
	refresh   time.Duration // the meter measures anew so often; 0: always
	shown     hal.Reading   // what it measured last
	modulus   hal.Energy    // its register begins again after so much, Wh; 0: never
	slower    int64         // its register counts so many times too slowly; 0: as it should
	grain     hal.Energy    // the register's step, Wh; 0 is 1
	glitch    hal.Energy
	glitches  int // readings that the glitch spoils
}

func newWorld() *world {
	w := &world{
		rules: Rules{
			Post: "A12", EVSE: 1, Code: "A12", Model: "test meter", MaxPower: 22_000, Grain: 1,
			Price: payment.Price{
				Currency: payment.NOK, VAT: 2500, KWh: 549,
				Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20_000},
			},
			Choices: []payment.Amount{20_000, 35_000, 50_000}, Default: 35_000, Limits: DefaultLimits(),
		},
		cards: map[string][]byte{}, till: newTill(), diary: newDiary(),
		wires: wires{register: 10_344_076, serial: "22110345", plug: hal.PlugOut, contactor: "ok", sense: "ok", meter: "ok"},
	}
	w.disk = (&Kept{}).Append(nil)
	w.older = w.disk
	return w
}

func (w *world) now() hal.Instant {
	return hal.Instant{Mono: w.at - w.boot, Wall: hal.Stamp{Unix: 1_800_000_000 + int64(w.at/time.Second), Clock: hal.ClockSynced}}
}

// start is what the program does first.
func (w *world) start(trust Trust) {
	kept, err := Decode(w.disk)
	if err != nil {
		panic(err)
	}
	w.boot, w.off, w.polls, w.told = w.at-time.Second, false, -time.Hour, hal.PlugUnknown
	w.flights = nil
	w.kept = kept
	w.state = w.rules.Recover(kept, trust, w.now())
	w.keep()
	w.act()
}

// cut takes the power away. A welded contact stays, a healthy one falls.
func (w *world) cut() {
	w.off = true
	w.drive(hal.Open)
}

// step is one turn of the loop: decide, write down, act.
func (w *world) step(e Event) {
	before := w.state
	w.state = w.rules.Step(w.state, w.now(), e)
	w.keep()
	if w.laws != nil {
		w.laws(w, before)
	}
	w.act()
	w.diary.changes(w)
}

// keep makes durable what must be. On a full disk the program is told.
func (w *world) keep() {
	if w.state.Kept.Same(&w.kept) {
		return
	}
	record := w.state.Kept.Append(nil)
	if w.full {
		if w.state.Passing&DiskFailed == 0 {
			w.state = w.rules.Step(w.state, w.now(), Unwritable{})
		}
		return
	}
	w.older, w.disk, w.kept = w.disk, record, w.state.Kept
}

// act makes the world as it is wanted.
func (w *world) act() {
	for range 100 {
		want := w.rules.Want(&w.state, w.now())
		w.drive(want.Contactor)
		if want.Contactor == hal.Closed && !w.state.given() {
			w.state = w.rules.Step(w.state, w.now(), Ordered{})
			w.keep()
			continue
		}
		if len(want.Orders) == 0 {
			return
		}
		o := want.Orders[0]
		w.state = w.rules.Step(w.state, w.now(), Asked{o})
		w.keep()
		w.diary.asked(w, o)
		answer, after := w.till.ask(w.at, o)
		if o.Verb == payment.Inform {
			answer, after = w.app.ask(o)
		}
		w.flights = append(w.flights, flight{o, answer, w.at + after})
	}
	panic("the orders wanted never end")
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

// pass lets one second go by and does what a loop does in it.
func (w *world) pass() {
	w.at += time.Second
	w.wires.flow()
	w.till.age(w.at)
	if w.off {
		return
	}
	w.deliver()
	w.senses()
	w.step(Ticked{})
}

// deliver hands over the answers whose time has come.
func (w *world) deliver() {
	for i := 0; i < len(w.flights); {
		f := w.flights[i]
		if f.at > w.at {
			i++
			continue
		}
		w.flights = slices.Delete(w.flights, i, i+1)
		w.step(Answered{f.order, f.answer})
		i = 0
	}
}

// senses reads the inputs, and the meter when its time has come.
func (w *world) senses() {
	if p, ok := w.wires.sensed(); ok {
		w.step(Sensed{p, w.now().Mono})
	}
	if w.wires.plug != w.told {
		w.told = w.wires.plug
		w.step(Plugged{w.told})
	}
	if w.at-w.polls < w.rules.Want(&w.state, w.now()).Poll {
		return
	}
	w.polls = w.at
	if r, ok := w.wires.read(w.now().Mono); ok {
		w.step(Metered{r})
	}
}

func (x *wires) power() hal.Power {
	if x.contacts == hal.Closed && x.plug == hal.PlugIn && !x.dark {
		return x.car + x.leak
	}
	return x.leak
}

func (x *wires) flow() {
	const perWh = int64(time.Hour / time.Second)
	x.part += int64(x.power()) / max(x.slower, 1)
	x.register += hal.Energy(x.part / perWh)
	x.part %= perWh
}

func (x *wires) sensed() (hal.Position, bool) {
	switch x.sense {
	case "dead":
		return hal.Open, false
	case "open":
		return hal.Open, true
	case "closed":
		return hal.Closed, true
	}
	return x.contacts, true
}

// read is what the meter says. A frozen one repeats the register it froze at.
func (x *wires) read(mono time.Duration) (hal.Reading, bool) {
	r := x.measured(mono)
	switch x.meter {
	case "silent":
		return hal.Reading{}, false
	case "garbage":
		r.Register = hal.Energy(int64(mono/time.Second)*7_919%100_003) * 1_000
	case "frozen":
		r.Register = x.glitch
	case "ok":
		if x.glitches > 0 {
			x.glitches--
			r.Register += x.glitch
		}
	default:
		panic(fmt.Sprintf("meter %q", x.meter))
	}
	return r, true
}

// measured is what a sound meter shows, as of its last refresh.
func (x *wires) measured(mono time.Duration) hal.Reading {
	if x.shown.At == 0 || mono < x.shown.At || mono-x.shown.At >= x.refresh {
		x.shown = hal.Reading{Register: x.register - x.register%max(x.grain, 1), Power: x.power(), Supply: hal.SupplyPresent, Serial: x.serial, At: mono}
		if x.dark {
			x.shown.Supply = hal.SupplyMissing
		}
		if x.modulus > 0 {
			x.shown.Register %= x.modulus
		}
	}
	r := x.shown
	r.Serial, r.At = x.serial, mono
	return r
}

// holder is the secret of a driver's page, from the driver's name.
func holder(name string) payment.Holder {
	var h payment.Holder
	copy(h[:], "driver "+name)
	return h
}

// request is a driver who has seen the present price.
func (w *world) request(name string, reserve payment.Amount) Requested {
	return Requested(display.Request{Reserve: reserve, Seen: w.rules.Price, Holder: holder(name), Return: "https://example.no/s"})
}
