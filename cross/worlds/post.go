package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
)

// pass is the program's once-a-second look around, made less often while
// nothing can happen: between two events the core does not change.
func (w *world) pass(n int) {
	if n != w.post.passes {
		return
	}
	p := &w.post
	if w.acts(); !p.up {
		return
	}
	waits := p.state.Phase == session.Approving || p.state.Phase == session.Waiting
	if !waits || w.now-p.sensed > 5*time.Second {
		w.sense()
	}
	if plug := w.bench.Plugged(); plug != p.plug {
		p.plug = plug
		w.core(session.Plugged{Plug: plug})
	}
	if waits && w.now-w.judge.lastHeard < 10*time.Second {
		w.step(session.Ticked{})
	} else {
		w.readMeter()
	}
	if w.post.up {
		w.schedule(w.pause())
	}
}

// schedule sets the next pass; one scheduled before is forgotten.
func (w *world) schedule(d time.Duration) {
	w.post.passes++
	w.post.nextAt = w.now + d
	w.in(d, evPass, w.post.passes)
}

// pause is how long nothing needs to be looked at.
func (w *world) pause() time.Duration {
	p := &w.post
	s := &p.state
	switch {
	case p.closed != (s.Phase == session.Charging), p.saving, p.mute && s.Phase == session.Charging:
		return time.Second
	case s.Phase == session.Charging:
		return w.chargingPause()
	}
	longest := time.Hour
	if s.Phase != session.Idle {
		longest = 15 * time.Second
	}
	p.idle = min(2*p.idle+time.Second, longest)
	pause := p.idle
	if at, ok := s.NextAsk(); ok {
		pause = min(pause, max(at-w.instant().Mono, 100*time.Millisecond))
	}
	return pause
}

// chargingPause grows with the distance to the reservation's end.
func (w *world) chargingPause() time.Duration {
	s := &w.post.state
	if w.now-w.judge.current().closedAt < 8*time.Second {
		return time.Second
	}
	c := &s.Charge
	u := w.judge.useNow(w)
	u.Energy = max(u.Energy, 1) // with the first of it comes the start fee
	used := c.Price.Total(u)
	left := c.Limit - used
	if left < 3*(c.Price.Minute+c.Price.Idle.Minute) {
		return time.Second // the next whole minute may be the last
	}
	each := c.Price.KWh*22 + (c.Price.Minute+c.Price.Idle.Minute)*60 + 1 // an hour at full power
	d := time.Duration(left) * time.Hour / time.Duration(each) / 2
	return min(max(d-5*time.Second, time.Second), 55*time.Second)
}

func (w *world) sense() {
	w.post.sensed = w.now
	w.core(session.Sensed{Position: w.senseLine(), At: w.instant().Mono})
}

func (w *world) senseLine() hal.Position {
	if w.plant == plantBlindWeld {
		if w.post.closed {
			return hal.Closed
		}
		return hal.Open
	}
	return w.bench.Sense(w.now)
}

// readMeter takes one reading, with whatever goes wrong on the way.
func (w *world) readMeter() {
	wrong := w.meterFaults()
	v, ok := w.bench.Read(w.now)
	if ok && w.hit(meterMute) {
		ok = false
	}
	w.post.mute = !ok
	if !ok {
		w.step(session.Ticked{})
		return
	}
	v.At = w.instant().Mono
	w.judge.heard(w, wrong)
	w.step(session.Metered{Reading: v})
	if w.plant == plantOneReading && w.post.up {
		v.At++
		w.step(session.Metered{Reading: v})
	}
}

// step takes one event through the core and does what follows from it.
func (w *world) step(e session.Event) {
	p := &w.post
	if !p.up {
		return
	}
	if w.now-p.sensed > 5*time.Second { // the loop looks every second; here it is done when it matters
		w.sense()
	}
	before := p.state.Phase
	w.core(e)
	if p.state.Phase != before {
		p.idle = 0
	}
	w.act()
	if p.up && p.state.Phase != before && p.nextAt > w.now+time.Second {
		w.schedule(time.Second)
	}
	if at, ok := p.state.NextAsk(); ok && p.up {
		w.judge.overdue(w, at)
		if d := max(at-w.instant().Mono, 100*time.Millisecond); w.now+d < p.nextAt {
			w.schedule(d)
		}
	}
}

// core takes one event through the core alone.
func (w *world) core(e session.Event) {
	p := &w.post
	before, series := p.state.Phase, p.state.Receipts
	p.rules.Advance(&p.state, w.instant(), e)
	w.plantedJump(series)
	if p.state.Phase != before {
		w.judge.stepped(w, before)
	}
}

// act makes the world as wanted, in the order of evse's loop: open at once, the
// rest when the card has what it rests on.
func (w *world) act() {
	p := &w.post
	want := p.rules.Want(&p.state, w.instant())
	if want.Contactor == hal.Open && !w.plantedLease() {
		w.order(hal.Open)
	}
	for _, o := range w.plantedOrders(want.Orders) {
		w.core(session.Asked{Order: o})
		p.outbox = append(p.outbox, o)
	}
	if w.plant == plantDeedFirst {
		w.deeds(want)
	}
	durable, up := w.save()
	if up && durable {
		w.deeds(want)
	}
}

func (w *world) deeds(want session.Want) {
	p := &w.post
	w.at(atDeed)
	closing := want.Contactor == hal.Closed && !p.closed
	if (closing || len(p.outbox) > 0) && w.cut(cutBeforeDeed) {
		return
	}
	if closing && p.rules.Want(&p.state, w.instant()).Contactor == hal.Closed {
		w.order(hal.Closed)
		w.core(session.Ordered{})
	}
	if len(p.outbox) == 0 {
		return
	}
	for _, o := range p.outbox {
		if p.state.Awaits(o) {
			w.ask(o)
		}
	}
	p.outbox = p.outbox[:0]
	w.at(atDone)
	w.cut(cutAfterDeed)
}

// order commands the contactor.
func (w *world) order(to hal.Position) {
	if closed := to == hal.Closed; closed != w.post.closed {
		w.post.closed = closed
		if closed {
			w.contactorFaults()
			w.judge.closing(w)
		} else {
			w.openingFaults()
		}
	}
	w.bench.Set(w.now, to)
}

func (w *world) durable() bool {
	return w.post.dead || w.post.state.Kept.Same(&w.post.saved)
}

// save writes down what is new. It says whether the card has everything, and
// whether the power has stayed.
func (w *world) save() (durable, up bool) {
	p := &w.post
	if durable = w.durable(); durable || p.saving {
		return durable, true
	}
	w.at(atSave)
	switch {
	case w.cut(cutBeforeSave):
		return false, false
	case w.hit(slowSave):
		p.saving = true
		w.in(w.span(200*time.Millisecond, 20*time.Second), evSaved, 0)
		return false, true
	}
	up = w.write()
	return up && w.durable(), up
}

func (w *world) saveDone() {
	w.post.saving = false
	w.at(atSave)
	if w.write() {
		w.act()
	}
}

// write appends the newest state to the journal.
func (w *world) write() bool {
	p := &w.post
	inSave := w.hit(cutInSave)
	if inSave {
		w.card.cutAt()
	}
	failing := !inSave && w.hit(syncFails)
	if failing {
		w.card.failSync()
	}
	kept := p.state.Kept
	err := w.card.append(&kept)
	switch {
	case inSave:
		w.powerCut(w.span(time.Second, 2*time.Hour))
		return false
	case err != nil:
		p.dead = true
		w.step(session.Unwritable{})
		return p.up
	}
	p.saved = kept
	w.tally.Records++
	w.judge.wrote(w, &kept)
	return true
}
