package worlds

import (
	"time"

	"stolpe/agent/session"
	bench "stolpe/hal/sim"

	"stolpe/hal"
)

// pass is the program's once-a-second look around, made less often while
// nothing can happen: between two events the core does not change.
func (w *world) pass(n int) {
	if n != w.post.passes {
		return
	}
	p := &w.post
	w.sense()
	if plug := w.bench.Plugged(); plug != p.plug {
		p.plug = plug
		w.core(session.Plugged{Plug: plug})
	}
	if waits := p.state.Phase == session.Approving || p.state.Phase == session.Waiting; waits && w.now-w.judge.lastHeard < 10*time.Second {
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
	case p.mute, p.closed != (s.Phase == session.Charging), p.saving:
		return time.Second
	case s.Phase == session.Charging:
		return w.chargingPause()
	case s.Phase == session.Stopping:
		return time.Second
	case s.Phase != session.Idle:
		return 2 * time.Second
	}
	longest := 10 * time.Minute
	if len(s.Debts) > 0 || s.Passing&session.Seeking != 0 {
		longest = 20 * time.Second
	}
	p.idle = min(p.idle*3/2+time.Second, longest)
	return p.idle
}

// chargingPause grows with the distance to the reservation's end.
func (w *world) chargingPause() time.Duration {
	s := &w.post.state
	if w.now-w.judge.current().closedAt < 8*time.Second {
		return time.Second
	}
	c := &s.Charge
	used := c.Price.Total(w.judge.useNow(w))
	left := c.Limit - used
	each := c.Price.KWh*22 + (c.Price.Minute+c.Price.Idle.Minute)*60 + 1 // an hour at full power
	d := time.Duration(left) * time.Hour / time.Duration(each) / 2
	return min(max(d-5*time.Second, time.Second), 45*time.Second)
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
	w.meterFaults()
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
	w.judge.heard(w, v)
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
	if p.state.Phase != before || len(p.state.Debts) > 0 {
		p.idle = 0
	}
	w.act()
	if p.up && p.state.Phase != before && p.nextAt > w.now+time.Second {
		w.schedule(time.Second)
	}
}

// core takes one event through the core alone.
func (w *world) core(e session.Event) {
	p := &w.post
	before := p.state.Phase
	p.state = p.rules.Step(p.state, w.instant(), e)
	if p.state.Phase != before {
		w.judge.stepped(w, before)
	}
}

// act makes the world as wanted, in the order of evse's loop: open at once, the
// rest when the card has what it rests on.
func (w *world) act() {
	p := &w.post
	want := p.rules.Want(&p.state, w.instant())
	if want.Contactor == hal.Open {
		w.order(hal.Open)
	}
	for _, o := range want.Orders {
		w.core(session.Asked{Order: o})
		p.outbox = append(p.outbox, o)
	}
	if w.plant == plantDeedFirst {
		w.deeds(want)
	}
	if !w.save() {
		return
	}
	if w.durable() {
		w.deeds(want)
	}
}

func (w *world) deeds(want session.Want) {
	p := &w.post
	closing := want.Contactor == hal.Closed && !p.closed
	if (closing || len(p.outbox) > 0) && w.cut(cutBeforeDeed) {
		return
	}
	if want.Contactor == hal.Closed && p.rules.Want(&p.state, w.instant()).Contactor == hal.Closed {
		if !p.closed {
			w.order(hal.Closed)
			w.core(session.Ordered{})
		}
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

// save writes down what is new. It says no when the power went meanwhile.
func (w *world) save() bool {
	p := &w.post
	if p.saving || w.durable() {
		return true
	}
	if w.cut(cutBeforeSave) {
		return false
	}
	if w.hit(slowSave) {
		p.saving = true
		w.in(w.span(200*time.Millisecond, 20*time.Second), evSaved, 0)
		return true
	}
	return w.write()
}

func (w *world) saveDone() {
	w.post.saving = false
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

// cut loses power, or the program, if the site is hit.
func (w *world) cut(s site) bool {
	if !w.post.up {
		return true
	}
	if s != cutAnytime && !w.hit(s) {
		return false
	}
	if w.hit(killed) {
		w.kill()
		return true
	}
	w.powerCut(w.span(time.Second, 2*time.Hour))
	return true
}

// kill ends the program alone: the stop hook opens the contactor, the kernel
// keeps what was written, and systemd starts it again.
func (w *world) kill() {
	w.down()
	w.bench.Set(w.now, hal.Open)
	w.judge.stoppedAt(w)
	w.card.kill()
	w.bootIn(time.Second)
}

// powerCut takes the grid away from post, meter and car for d.
func (w *world) powerCut(d time.Duration) {
	w.down()
	w.judge.stoppedAt(w)
	f := w.bench.Faults()
	f.NoMains = true
	w.bench.Fault(w.now, f)
	w.bench.Set(w.now, hal.Open)
	w.card.crash(w)
	w.bootIn(d)
}

func (w *world) down() {
	w.post.up = false
	w.post.life++
	w.post.outbox = nil
	w.post.closed = false
}

func (w *world) bootIn(d time.Duration) { w.in(d, evBoot, 0) }

// boot starts the program.
func (w *world) boot() {
	p := &w.post
	if p.up {
		return
	}
	f := w.bench.Faults()
	f.NoMains = false
	w.bench.Fault(w.now, f)
	rules := p.rules
	*p = post{up: true, life: p.life + 1, booted: w.now, rules: rules}
	kept, trust := w.card.open(w)
	w.judge.booted(w, &kept, trust)
	kept = w.plantedBoot(kept)
	p.state = p.rules.Recover(kept, trust, w.instant())
	p.dead = trust == session.Alien
	w.act()
	if p.up {
		w.schedule(time.Second)
		if w.hit(cutAnytime) {
			w.in(w.span(time.Second, 3*time.Hour), evCut, 0)
		}
	}
}

// contactorFaults and openingFaults draw what goes wrong when the contactor moves.
func (w *world) contactorFaults() {
	f := w.bench.Faults()
	switch {
	case w.hit(wontClose):
		f.NoClose = true
		w.in(w.span(time.Minute, 2*time.Hour), evMend, int(wontClose))
	case w.hit(welded):
		f.Welded = true
	case w.hit(senseStuck):
		f.SenseStuck, f.SenseAt = true, hal.Position(w.how(2))
		w.in(w.span(time.Minute, 3*time.Hour), evMend, int(senseStuck))
	default:
		return
	}
	w.bench.Fault(w.now, f)
}

func (w *world) openingFaults() {
	if !w.hit(slowOpen) {
		return
	}
	f := w.bench.Faults()
	f.SlowOpen = w.span(100*time.Millisecond, 30*time.Second)
	w.bench.Fault(w.now, f)
	w.in(f.SlowOpen+time.Minute, evMend, int(slowOpen))
}

// meterFaults draws what goes wrong at the meter.
func (w *world) meterFaults() {
	switch {
	case w.hit(meterSpike):
		w.bench.Glitch(hal.Energy(w.how(10_000_000)) + 1000)
	case w.hit(meterNudge):
		w.bench.Glitch(hal.Energy(w.how(60)) + 1)
	case w.hit(meterDip):
		w.bench.Glitch(-hal.Energy(w.how(5000)) - 1)
	case w.hit(meterSilent):
		w.standing(meterSilent, func(f *bench.Faults) { f.Silent = true })
	case w.hit(meterFrozen):
		w.standing(meterFrozen, func(f *bench.Faults) { f.Frozen = true })
	case w.hit(meterOffset):
		off := hal.Energy(w.how(2_000_000)) - 1_000_000
		w.standing(meterOffset, func(f *bench.Faults) { f.Offset = off })
	case w.hit(meterSwapped):
		w.bench.SwapMeter(w.now, "77", hal.Energy(w.how(50_000_000)))
	}
}

func (w *world) standing(s site, set func(*bench.Faults)) {
	f := w.bench.Faults()
	set(&f)
	w.bench.Fault(w.now, f)
	w.in(w.span(5*time.Second, time.Hour), evMend, int(s))
}

// mend ends a standing fault.
func (w *world) mend(s site) {
	f := w.bench.Faults()
	switch s {
	case meterSilent:
		f.Silent = false
	case meterFrozen:
		f.Frozen = false
	case meterOffset:
		f.Offset = 0
	case wontClose:
		f.NoClose = false
	case slowOpen:
		f.SlowOpen = 0
	case senseStuck:
		f.SenseStuck = false
	}
	w.bench.Fault(w.now, f)
}

// heal mends everything for good: from here on the promises of liveness count.
func (w *world) heal() {
	w.healed = true
	w.draw.quiet = true
	w.netDown = 0
	w.finishBy = w.now + 45*time.Minute
	mains := w.bench.Faults().NoMains
	w.bench.Fault(w.now, bench.Faults{NoMains: mains})
	w.bench.Unplug(w.now)
	for p := range w.book.Payments(w.now) {
		w.book.Funds(p.Ref, true)
	}
	w.card.heal()
	if !w.post.up {
		w.in(0, evBoot, 0)
	}
	for i := range w.drivers {
		w.drivers[i].gone = true
	}
	if w.post.up && w.post.dead {
		w.kill()
	}
	if w.post.up {
		w.in(0, evRestore, 0)
		w.schedule(time.Second)
	}
}
