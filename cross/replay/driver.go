package replay

import (
	"encoding/binary"
	"sort"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// What a driver does besides. Chosen by us.
const (
	// awake is how long before a driver an idle post begins to look around again:
	// enough for two equal readings.
	awake = 5 * time.Second
	// again is how often a driver tries who was turned away.
	again = 5 * time.Second
)

// expect schedules visit i, and with its arrival the next.
func (w *world) expect(i int) {
	if i == len(w.visits) {
		return
	}
	v := w.visits[i]
	v.leaves = w.since(v.row.to) - gap
	arrives := w.since(v.row.from)
	w.at(arrives-awake, func() {
		w.visitor = arrives + time.Second
		w.look(0)
	})
	w.at(arrives, func() {
		w.draw.begin(v.row.line)
		w.bench.PlugIn(w.now, v.car)
		w.request(v)
		w.expect(i + 1)
	})
	if v.stops {
		w.at(v.leaves-goneAfter, func() { w.stop(v) })
	}
	w.at(v.leaves, func() { w.leave(v) })
}

// holder is what a driver's page is known by.
func (v *visit) holder() (h payment.Holder) {
	binary.BigEndian.PutUint64(h[:], uint64(v.row.line))
	return h
}

// request is the driver asking for a charge on the page, again and again while the
// post is busy or out of order.
func (w *world) request(v *visit) {
	q := session.Requested(display.Request{
		Reserve: w.reserve, Seen: w.rules.Price, Holder: v.holder(), Return: "https://lad.example.no/",
	})
	switch {
	case v.left:
	case w.life.up && w.rules.Accepts(&w.life.state, w.instant(), q) == nil:
		w.judge.begin(w, v)
		w.step(q)
		v.number = w.life.state.Counter
		w.serving, w.served[v.number] = v, v
	default:
		w.visitor = w.now + again + time.Second
		w.look(often)
		w.in(again, func() { w.request(v) })
	}
}

// charges says whether the charge under way is this driver's.
func (w *world) charges(v *visit) bool {
	return w.life.up && w.life.state.HeldBy(v.holder())
}

// stop is the driver ending the charge on the page, if there is one.
func (w *world) stop(v *visit) {
	if w.charges(v) {
		w.step(session.Stopped{Why: display.ByDriver, Holder: v.holder()})
	}
}

// leave is the driver unplugging and going away. Whoever goes before a charge has
// begun cancels it: the next car must not find an approval waiting.
func (w *world) leave(v *visit) {
	if v.left {
		return
	}
	v.left = true
	if v.number == 0 {
		v.row.skip = turnedAway
	}
	if w.life.state.Phase != session.Charging {
		w.stop(v)
	}
	w.bench.Unplug(w.now)
	w.look(often)
}

// hasten has a hasty driver unplug at the instant at which the car has the row's
// energy. That is foretold by a copy of the bench.
func (w *world) hasten(v *visit) {
	if !v.hasty {
		return
	}
	most := int(max(0, v.leaves-w.now) / time.Millisecond)
	ms := sort.Search(most, func(i int) bool {
		future := w.bench
		return future.Truth(w.now+time.Duration(i)*time.Millisecond).Energy-v.start >= v.row.energy
	})
	w.in(time.Duration(ms)*time.Millisecond, func() { w.leave(v) })
}

// offer shows the payer the payment, once.
func (w *world) offer(ref payment.Ref) {
	v := w.served[ref.Number()]
	if v == nil || v.offered {
		return
	}
	v.offered = true
	w.in(v.approves, func() { w.book.Approve(w.now, ref) })
}

// outcome is what came of a visit.
type outcome struct {
	number   uint64        // of the charge; 0 if the driver was turned away
	start    hal.Energy    // delivered by the bench before, Wh
	metered  hal.Energy    // delivered to this car, Wh
	closedAt time.Duration // the last time
	closed   time.Duration // with the contactor ordered closed, in all
	debt     session.Debt  // as the post saw it last
	ended    time.Duration // when it became a debt; 0 if it has not
	settled  time.Duration // 0 if it is not
	found    payment.Found // as the service saw it last
}

// opened ends a time with the contactor ordered closed.
func (o *outcome) opened(now time.Duration) { o.closed += now - o.closedAt }
