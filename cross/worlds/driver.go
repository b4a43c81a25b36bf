package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	bench "stolpe/hal/sim"
	"stolpe/payment"
)

// answer is what a payer does in the app.
type answer uint8

const (
	approves answer = iota
	declines
	vanishes
)

// leaving is how a driver ends a charge.
type leaving uint8

const (
	stops    leaving = iota // on the page
	unplugs                 // without a word
	waitsOut                // stays until the post ends it
)

// driver is one driver's visit, all decided beforehand.
type driver struct {
	arrives  time.Duration
	car      bench.Car
	plugs    time.Duration // after the request; negative: before it
	never    bool          // does not plug in at all
	choice   int           // which of the amounts
	answer   answer
	decides  time.Duration // after the app shows the payment
	regrets  time.Duration // stops so long after the request; 0: does not
	stays    time.Duration // after the request
	leaving  leaving
	pauseAt  time.Duration // the car pauses so long after the request; 0: never
	pauseFor time.Duration

	stage   stage
	ref     payment.Ref
	offered bool
	gone    bool
}

// stage is what a driver does next.
type stage uint8

const (
	comes stage = iota
	asks
	acts // several things, each at its time
)

// The acts of a driver, told apart in the event's number.
const (
	actPlug = iota + 1
	actRegret
	actPause
	actResume
	actLeave
	actGone
	actCount
)

// newDriver decides a visit.
func newDriver(p *stream, arrives time.Duration) driver {
	d := driver{
		arrives: arrives,
		car:     bench.Car{Power: hal.Power(1400 + p.below(20_600)), Need: hal.Energy(200 + p.below(60_000))},
		plugs:   p.skewed(-30*time.Second, 6*time.Minute),
		choice:  int(p.below(3)),
		decides: p.skewed(3*time.Second, 45*time.Second),
		stays:   p.skewed(90*time.Second, 150*time.Minute),
		leaving: leaving(p.below(3)),
	}
	switch p.below(40) {
	case 0:
		d.answer = declines
	case 1:
		d.answer = vanishes
	case 2:
		d.decides = p.between(8*time.Minute, 12*time.Minute)
	case 3:
		d.never = true
	case 4, 5, 6, 7:
		d.regrets = p.skewed(time.Second, 3*time.Minute)
	}
	if p.below(5) == 0 {
		d.pauseAt = p.between(time.Minute, time.Hour)
		d.pauseFor = p.between(time.Minute, time.Hour)
	}
	return d
}

// drive lets driver n%100 do what comes next; n/100 is the act.
func (w *world) drive(n int) {
	d := &w.drivers[n%100]
	if d.gone {
		return
	}
	switch d.stage {
	case comes:
		w.post.idle = 0
		w.schedule(time.Second) // the post looks around again
		d.stage = asks
		w.in(12*time.Second, evDriver, n)
	case asks:
		w.request(n, d)
	case acts:
		w.driverActs(n%100, n/100, d)
	}
}

// request is the driver asking for a charge on the page.
func (w *world) request(n int, d *driver) {
	if d.plugs < 0 && !d.never {
		w.bench.PlugIn(w.now, d.car)
		w.step(session.Plugged{Plug: hal.PlugIn})
	}
	p := &w.post
	before := p.state.Counter
	q := display.Request{Reserve: p.rules.Choices[d.choice], Seen: p.rules.Price, Holder: payment.Holder{byte(n + 1)}, Return: "https://x"}
	if p.rules.Push && w.seed>>n&1 == 0 {
		q.Way, q.Phone = payment.ByPush, "4791234567"
	}
	w.step(session.Requested(q))
	if !p.up || p.state.Counter == before {
		w.turnedAway(n, d)
		return
	}
	d.stage, d.ref = acts, p.rules.Ref(p.state.Counter)
	at := func(after time.Duration, act int) { w.in(after, evDriver, act*100+n) }
	if d.plugs >= 0 && !d.never {
		at(d.plugs, actPlug)
	}
	if d.regrets > 0 {
		at(d.regrets, actRegret)
	}
	if d.pauseAt > 0 {
		at(d.pauseAt, actPause)
		at(d.pauseAt+d.pauseFor, actResume)
	}
	at(d.stays, actLeave)
	if w.search == nil {
		w.tempt(d)
	}
}

// tempt schedules what may happen in the course of a visit.
func (w *world) tempt(d *driver) {
	w.may(withdrawn, w.people.between(time.Second, d.stays), evWithdraw, 0)
	w.may(paymentDies, w.people.between(time.Second, d.stays), evKill, 0)
	w.may(supplyGone, w.people.between(time.Second, d.stays), evSupply, 0)
	at := w.people.between(time.Second, d.stays)
	w.in(at, evWires, 1<<w.people.below(3)) // stop button, emergency stop or RCD
	w.may(cutAnytime, w.people.between(time.Second, 4*time.Minute), evCut, 0)
	other := stream(w.people) // what follows draws from a copy, so that older worlds stay what they were
	w.may(hintForged, other.between(time.Second, d.stays), evForge, 0)
	w.may(portalAct, other.between(time.Second, d.stays+10*time.Minute), evPortal, 0)
	if w.may(tested, other.between(time.Second, d.stays+10*time.Minute), evTest, testComes) {
		w.errands++
	}
}

// may schedules what a site decides about, unless the site never goes wrong: then it
// says no.
func (w *world) may(s site, d time.Duration, k kind, n int) bool {
	if w.draw.rate[s] == 0 && w.draw.only == nil {
		return false
	}
	w.in(d, k, n)
	return true
}

func (w *world) driverActs(n, act int, d *driver) {
	switch act {
	case actPlug:
		w.bench.PlugIn(w.now, d.car)
	case actRegret:
		w.stop(d)
	case actPause:
		w.bench.Pause(w.now, true)
	case actResume:
		w.bench.Pause(w.now, false)
	case actLeave:
		if d.leaving == stops {
			w.stop(d)
		}
		if d.leaving == unplugs {
			w.bench.Unplug(w.now)
		}
		wait := time.Minute
		if d.leaving == waitsOut && w.post.state.Phase != session.Idle {
			wait = 6 * time.Hour
		}
		w.in(wait, evDriver, actGone*100+n)
	case actGone:
		w.bench.Unplug(w.now)
		d.gone = true
	}
}

// stop is the driver ending the charge on the page, if it is still theirs.
func (w *world) stop(d *driver) {
	s := &w.post.state
	if !w.post.up || s.Phase == session.Idle || w.post.rules.Ref(s.Charge.Number) != d.ref {
		return
	}
	if w.plant == plantDeafStop && s.Phase == session.Approving {
		w.judge.stopped(w)
		return
	}
	w.judge.stopped(w)
	w.step(session.Stopped{Why: display.ByDriver})
}

// turnedAway: the driver goes; if something is broken, a technician comes.
func (w *world) turnedAway(n int, d *driver) {
	w.tally.Away++
	w.bench.Unplug(w.now)
	d.gone = true
	if w.post.up && w.post.state.Latched != 0 {
		w.in(time.Hour, evRestore, 0)
		w.bench.Fault(w.now, bench.Faults{NoMains: w.bench.Faults().NoMains})
	}
}

// offer shows the payer the payment, once.
func (w *world) offer(ref payment.Ref) {
	for i := range w.drivers {
		if d := &w.drivers[i]; d.ref == ref && !d.offered {
			d.offered = true
			w.in(d.decides, evPayer, i)
		}
	}
}

// pay is the payer deciding in the app.
func (w *world) pay(i int) {
	d := &w.drivers[i]
	switch d.answer {
	case approves:
		if w.book.Approve(w.now, d.ref) {
			w.judge.approved(w, d.ref)
			if w.at(atApprove); w.hit(fundsGone) {
				w.book.Funds(d.ref, false)
				if w.hit(fundsBack) {
					w.in(w.span(20*time.Minute, 20*time.Hour), evFunds, int(d.ref.Number()))
				}
			}
			w.notify(d.ref)
		}
	case declines:
		w.book.Decline(w.now, d.ref)
		w.notify(d.ref)
	}
}
