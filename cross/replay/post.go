package replay

import (
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// How often the post looks around. Chosen by us: session allows a minute without
// a reading and ten seconds without the sense line, and a loop looks every second.
const (
	often    = time.Second
	seldom   = 45 * time.Second
	indebted = 20 * time.Second
	fresh    = 5 * time.Second // a sense line read so long ago is read again before an event
)

// lookAround is the program's pass: sense line, plug, meter.
func (w *world) lookAround() {
	w.pass = never
	if !w.life.up {
		return
	}
	w.sense()
	w.readMeter()
	if w.life.up {
		w.look(w.pauseNow())
	}
}

// pauseNow is how long nothing needs to be looked at; never in a post at rest.
func (w *world) pauseNow() time.Duration {
	l := &w.life
	s := &l.state
	switch {
	case l.silent, l.closed != (s.Phase == session.Charging), w.visitor > w.now:
		return often
	case s.Phase == session.Charging:
		return w.pauseCharging()
	case s.Phase != session.Idle:
		return often
	case len(s.Debts) > 0 || s.Passing != 0 || w.telling():
		l.pause = min(l.pause*3/2+often, indebted)
		return l.pause
	}
	return never - w.now
}

// pauseCharging grows with the distance to the end of the reservation: half of
// the time in which full power could use up the rest.
func (w *world) pauseCharging() time.Duration {
	c, v := &w.life.state.Charge, w.serving
	if w.now-v.closedAt < 8*time.Second {
		return often
	}
	left := c.Limit - w.judge.owed(w, v)
	hour := c.Price.KWh*maxKWh + c.Price.Minute*60 + 1
	if left > hour {
		return seldom
	}
	rest := time.Duration(int64(left)*3600/int64(hour)) * time.Second
	return min(max(rest/2-5*time.Second, often), seldom)
}

// maxKWh is what flows in an hour at full power, kWh.
const maxKWh = 22

func (w *world) sense() {
	l := &w.life
	l.sensed = w.now
	w.core(session.Sensed{Position: w.bench.Sense(w.now), At: w.instant().Mono})
	if plug := w.bench.Plugged(); plug != l.plug {
		l.plug = plug
		w.core(session.Plugged{Plug: plug})
	}
}

func (w *world) readMeter() {
	v, ok := w.read(&w.bench, w.now)
	ok = ok && w.now >= w.mute
	w.life.silent = !ok
	if !ok {
		w.step(session.Ticked{})
		return
	}
	v.At = w.instant().Mono
	w.step(session.Metered{Reading: v})
}

// step takes one event through the core and does what follows from it.
func (w *world) step(e session.Event) {
	if !w.life.up {
		return
	}
	if w.now-w.life.sensed > fresh {
		w.sense()
	}
	before := w.life.state.Phase
	w.core(e)
	w.act()
	if w.life.up && w.life.state.Phase != before {
		w.life.pause = 0
		w.look(often)
	}
}

// core takes one event through the core alone.
func (w *world) core(e session.Event) {
	s := &w.life.state
	phase, debts := s.Phase, len(s.Debts)
	*s = w.rules.Step(*s, w.instant(), e)
	if a, ok := e.(session.Answered); s.Phase != phase || len(s.Debts) != debts || ok && a.Order.Verb == payment.Inform {
		w.judge.stepped(w)
	}
}

// act makes the world as wanted, in the order of the post's own loop: open at
// once, the rest when the card has what it rests on.
func (w *world) act() {
	l := &w.life
	want := w.rules.Want(&l.state, w.instant())
	if want.Contactor == hal.Open {
		w.order(hal.Open)
	}
	for _, o := range want.Orders {
		w.core(session.Asked{Order: o})
	}
	if !w.save() {
		return
	}
	if want.Contactor == hal.Closed && !l.closed && w.rules.Want(&l.state, w.instant()).Contactor == hal.Closed {
		w.order(hal.Closed)
		w.core(session.Ordered{})
	}
	for _, o := range want.Orders {
		w.ask(o)
	}
}

// save writes down what is new. It says no when nothing may follow from it.
func (w *world) save() bool {
	l := &w.life
	if l.state.Kept.Same(&l.saved) {
		return true
	}
	if w.torn {
		w.card.cutInSave()
	}
	kept := l.state.Kept
	err := w.card.append(&kept)
	switch {
	case w.torn:
		w.powerCut()
		return false
	case err != nil:
		w.judge.complain(w.serving, "the journal is not written: %v", err)
		w.life.up = false
		return false
	}
	l.saved = kept
	w.records++
	return true
}

// order commands the contactor.
func (w *world) order(to hal.Position) {
	closed := to == hal.Closed
	news := closed != w.life.closed
	w.life.closed = closed
	w.bench.Set(w.now, to)
	switch {
	case !news:
	case closed:
		w.serving.closedAt = w.now
		w.hasten(w.serving)
		w.drawFaults(w.serving.leaves - w.now)
	default:
		w.serving.opened(w.now)
	}
}

// drawFaults draws what will happen to a charge that begins, in the time until its
// driver leaves.
func (w *world) drawFaults(within time.Duration) {
	if w.draw.hit(powerCut) {
		w.in(w.draw.span(powerCut, time.Second, within), w.powerCut)
	}
	if w.draw.hit(cutInSave) {
		w.in(w.draw.span(cutInSave, time.Second, within), func() {
			if w.torn = w.life.state.Phase == session.Charging; !w.torn {
				w.powerCut() // there may be no save any more
			}
		})
	}
	if w.draw.hit(meterMute) {
		lasts := time.Second + time.Duration(w.draw.detail(meterMute, uint64(longestMute)))
		w.in(w.draw.span(meterMute, time.Second, within), func() { w.mute = w.now + lasts })
	}
}

// Chosen by us: some mute moments pass unnoticed and some end the charge, and some
// drivers come to a post that is down.
const (
	longestMute = 3 * time.Minute
	longestCut  = 2 * time.Hour
)

// powerCut takes the grid away from post, meter and car, for a while; more often
// for a short one.
func (w *world) powerCut() {
	if !w.life.up {
		return
	}
	if w.life.closed {
		w.serving.opened(w.now)
	}
	w.life = life{}
	w.lives++
	w.torn = false
	f := w.bench.Faults()
	f.NoMains = true
	w.bench.Fault(w.now, f)
	w.bench.Set(w.now, hal.Open)
	chance := mix(w.draw.seed, w.draw.line, uint64(w.lives))
	w.card.crash(chance)
	share := time.Duration(chance % 1000)
	w.in(time.Second+longestCut/1_000_000*share*share, w.boot)
}

// boot starts the program.
func (w *world) boot() {
	f := w.bench.Faults()
	f.NoMains = false
	w.bench.Fault(w.now, f)
	w.life = life{up: true, booted: w.now}
	w.lives++
	kept, trust, err := w.card.open()
	if err != nil || trust != session.Whole {
		w.judge.complain(w.serving, "the journal is read back as %d with %v", trust, err)
	}
	w.life.state = w.rules.Recover(kept, trust, w.instant())
	w.judge.stepped(w)
	w.act()
	w.look(often)
}
