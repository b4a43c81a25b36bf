package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	bench "stolpe/hal/sim"
)

// cut loses power, or the program, if the site is hit.
func (w *world) cut(s site) bool {
	if !w.post.up {
		return true
	}
	if !w.hit(s) {
		return false
	}
	if w.killsOnly() {
		w.kill()
		return true
	}
	w.powerCut(w.span(time.Second, 2*time.Hour))
	return true
}

// killsOnly says whether a cut that was just hit ends the program alone.
func (w *world) killsOnly() bool {
	if w.search != nil {
		return w.search.how == 0
	}
	return w.hit(killed)
}

// kill ends the program alone: the stop hook opens the contactor, the kernel
// keeps what was written, and systemd starts it again.
func (w *world) kill() {
	w.at(atDown)
	w.card.rot(w)
	w.down()
	w.bench.Set(w.now, hal.Open)
	w.judge.stoppedAt(w)
	w.card.kill()
	w.bootIn(time.Second)
}

// powerCut takes the grid away from post, meter and car for d.
func (w *world) powerCut(d time.Duration) {
	w.at(atDown)
	w.down()
	w.judge.stoppedAt(w)
	f := w.bench.Faults()
	f.NoMains = true
	w.bench.Fault(w.now, f)
	w.bench.Set(w.now, hal.Open)
	w.card.crash(w)
	w.card.rot(w)
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
	w.step(session.Signalled{Signals: w.signals})
	if p.up {
		w.schedule(time.Second)
		if w.search == nil {
			w.may(cutAnytime, w.people.skewed(time.Second, 6*time.Hour), evCut, 0)
		}
	}
}

// heal mends everything for good: from here on the promises of liveness count.
func (w *world) heal() {
	w.healed = true
	w.draw.quiet = true
	w.netDown = 0
	w.wires(0)
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
