package main

import (
	"context"
	"strconv"
	"sync"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// figures are what is counted of a post, for Prometheus. Nil counts nothing.
type figures struct {
	*counts
	born time.Time

	mu    sync.Mutex
	lived map[int]time.Time // when each EVSE last had all as wanted
}

func newFigures() *figures {
	return &figures{counts: newCounts(), born: time.Now(), lived: map[int]time.Time{}}
}

// Bounds of the buckets, in seconds. Chosen by us, around what is usual and what is
// promised: a payment service answers within a second or two, a contactor within tens
// of milliseconds, and a driver who has approved has a cable in within minutes.
func askBounds() []float64  { return []float64{.1, .25, .5, 1, 2, 5, 10, 30} }
func stopBounds() []float64 { return []float64{.02, .05, .1, .25, .5, 1, 2, 5} }
func waitBounds() []float64 { return []float64{1, 2, 5, 10, 30, 60, 120, 300, 600} }

// hooks notes when EVSEs live, around the hooks that are called then.
func (f *figures) hooks(alive func(id int) func()) func(id int) func() {
	if f == nil || alive == nil {
		return alive
	}
	return func(id int) func() {
		then := alive(id)
		f.lives(id)
		return func() { f.lives(id); then() }
	}
}

func (f *figures) lives(id int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lived[id] = time.Now()
}

// silence is how long the EVSE has not lived that has not for longest.
func (f *figures) silence() (longest time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, at := range f.lived {
		longest = max(longest, time.Since(at))
	}
	return longest
}

// asking counts and times what is asked of a payment service.
func (f *figures) asking(p evse.Payments) evse.Payments {
	if f == nil {
		return p
	}
	return timed{p, f.counts}
}

type timed struct {
	evse.Payments
	counts *counts
}

// Ask asks the service.
func (t timed) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	began := time.Now()
	a, err := t.Payments.Ask(ctx, o)
	t.counts.add(1, "stolpe_payments_total", "op", o.Verb.String(), "outcome", a.Status.String())
	t.counts.took(time.Since(began), askBounds(), "stolpe_payment_request_seconds", "op", o.Verb.String())
	return a, err
}

// abacus counts what happens at one EVSE. It is told by the loop.
type abacus struct {
	*counts
	rules *session.Rules
	id    string // of the EVSE, as labels have it

	last   time.Duration // Instant.Mono of the moment before; 0 before the first
	opened uint64        // number of the charge whose opening has been counted
	number uint64        // of the charge that the next three are about
	held   time.Duration // when it was approved, Instant.Mono; 0 when that was not seen
	closed bool          // the contactor has been
	fed    bool          // energy has flowed
}

// of makes what counts at an EVSE that was found in that state.
func (f *figures) of(rules *session.Rules, found *session.State) *abacus {
	a := &abacus{rules: rules, counts: f.counts, id: strconv.Itoa(rules.EVSE), number: found.Charge.Number}
	a.closed = found.Charge.Elapsed > 0
	for _, step := range []string{"requested", "approved", "closed", "energy"} {
		a.step(step, 0)
	}
	for _, result := range []string{"ok", "interrupted", "no_energy", "start_failed", "not_approved", "no_payment"} {
		a.ends(result, 0)
	}
	a.outage(false, 0)
	a.outage(true, 0)
	a.mismatch(0)
	return a
}

// Saw counts.
func (a *abacus) Saw(m evse.Moment) {
	before, after, now := &m.Before, &m.After, m.Now.Mono
	if a.last != 0 {
		a.pass(before, now-a.last)
	}
	a.last = now
	if after.Phase != session.Idle {
		a.underWay(before, after, m.Now)
	}
	if before.Phase != session.Idle && after.Phase == session.Idle {
		a.over(before.Charge.Number, after)
	}
	if n := len(after.Done) - 1; n >= 0 && !sameLast(before.Done, after.Done) {
		d := &after.Done[n]
		a.add(float64(d.Captured), "stolpe_revenue_minor_units_total", "evse", a.id, "currency", string(d.Price.Currency))
	}
	// Once for each charge: on a slow machine the wire may not have been read for so long that
	// nobody knows how the contactor stands, and is then seen open a second time.
	if n := before.Charge.Number; before.Phase == session.Stopping && a.opened != n && !before.SensedAs(hal.Open, now) && after.SensedAs(hal.Open, now) {
		a.opened = n
		a.took(after.Wear.Opening, stopBounds(), "stolpe_stop_delay_seconds", "evse", a.id)
	}
	const bad = session.Welded | session.WontClose | session.SenseBroken
	if after.Latched&bad&^before.Latched != 0 {
		a.mismatch(1)
	}
}

// pass counts the time that was spent in a state.
func (a *abacus) pass(was *session.State, d time.Duration) {
	faults := was.Faults()
	if faults != 0 {
		session.EachFault(func(f session.Faults) {
			if faults&f != 0 {
				a.add(d.Seconds(), "stolpe_fault_seconds_total", "evse", a.id, "code", f.Code())
			}
		})
	}
	switch a.rules.Public(was, hal.Instant{Mono: a.last}).State {
	case display.Starting, display.Faulted, display.Unavailable, display.Settling:
		a.outage(faults&session.SupplyGone != 0, d)
	}
}

// outage counts time in which no driver could begin. What the grid is to blame for is
// excluded, as the fleet's uptime has it.
func (a *abacus) outage(excluded bool, d time.Duration) {
	a.add(d.Seconds(), "stolpe_outage_seconds_total", "evse", a.id, "excluded", strconv.FormatBool(excluded))
}

func (a *abacus) mismatch(n float64) {
	a.add(n, "stolpe_contactor_mismatch_total", "evse", a.id)
}

// underWay counts how far a charge comes.
func (a *abacus) underWay(before, after *session.State, now hal.Instant) {
	c := &after.Charge
	if c.Number != a.number {
		a.number, a.held, a.closed, a.fed = c.Number, 0, false, false
		a.step("requested", 1)
	}
	if c.Held && a.held == 0 && !(before.Charge.Number == c.Number && before.Charge.Held) {
		a.held = now.Mono
		a.step("approved", 1)
	}
	if after.Phase != session.Charging {
		return
	}
	if word := a.rules.Public(after, now).State; !a.closed && (word == display.Charging || word == display.Suspended) {
		a.closed = true
		a.step("closed", 1)
		a.since("contactor", now.Mono)
	}
	if r, _ := after.Believed(); a.closed && !a.fed && r.Register > c.Start {
		a.fed = true
		a.step("energy", 1)
		a.since("energy", now.Mono)
	}
}

// since counts how long it took from the approval.
func (a *abacus) since(to string, now time.Duration) {
	if a.held != 0 {
		a.took(now-a.held, waitBounds(), "stolpe_start_delay_seconds", "evse", a.id, "to", to)
	}
}

func (a *abacus) step(word string, n float64) {
	a.add(n, "stolpe_session_steps_total", "evse", a.id, "step", word)
}

func (a *abacus) ends(result string, n float64) {
	a.add(n, "stolpe_sessions_total", "evse", a.id, "result", result)
}

// over counts what has become of a charge.
func (a *abacus) over(number uint64, after *session.State) {
	for _, list := range [][]session.Debt{after.Debts, after.Done} {
		if n := len(list) - 1; n >= 0 && list[n].Number == number {
			a.ends(a.result(&list[n].Charge), 1)
		}
	}
}

// result is how a charge went, in a word.
func (a *abacus) result(c *session.Charge) string {
	switch {
	case c.End <= c.Start && (c.Why == display.NoAnswer || c.Why == display.PaymentGone):
		return "no_payment"
	case !c.Held:
		return "not_approved"
	case c.End > c.Start && broken(c.Why):
		return "interrupted"
	case c.End > c.Start:
		return "ok"
	case a.closed || c.Elapsed > 0:
		return "no_energy"
	}
	return "start_failed"
}

// broken says whether a charge ended by something that went wrong at the post.
func broken(why display.End) bool {
	switch why {
	case display.PowerLost, display.MeterLost, display.ContactorBad, display.StorageBad, display.PaymentGone, display.Emergency, display.ShutDown:
		return true
	}
	return false
}
