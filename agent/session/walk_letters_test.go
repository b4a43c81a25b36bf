package session

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// A letter is something that can happen. It says no where it cannot.
type letter struct {
	name string
	play func(w *walker, p *spot) bool
}

var alphabet = map[string]func(w *walker, p *spot) bool{
	"request":      request,
	"unknown":      answer(payment.Unknown, payment.NoReason, payment.NotFound),
	"missing":      answer(payment.Missing, payment.NoReason, payment.NotFound),
	"pending":      answer(payment.Pending, payment.NoReason, payment.Created),
	"held":         answer(payment.Held, payment.NoReason, payment.Authorised),
	"settled":      answer(payment.Settled, payment.NoReason, payment.Authorised),
	"aborted":      answer(payment.Refused, payment.Aborted, payment.DeclinedByPayer),
	"rejected":     answer(payment.Refused, payment.Rejected, payment.Authorised),
	"too late":     answer(payment.Refused, payment.TooLate, payment.Authorised),
	"meter same":   metering(0, 0),
	"meter up":     metering(5, 0),
	"meter low":    metering(0, -50),
	"sense open":   event(func(p *spot) Event { return Sensed{hal.Open, p.now} }),
	"sense closed": event(func(p *spot) Event { return Sensed{hal.Closed, p.now} }),
	"plug in":      event(func(*spot) Event { return Plugged{hal.PlugIn} }),
	"plug out":     event(func(*spot) Event { return Plugged{hal.PlugOut} }),
	"stop":         event(func(*spot) Event { return Stopped{Why: display.ByDriver} }),
	"meter live":   leaking,
	"emergency":    event(func(*spot) Event { return Signalled{hal.EmergencyStop} }),
	"button":       event(func(*spot) Event { return Signalled{hal.StopPressed} }),
	"wires sound":  event(func(*spot) Event { return Signalled{} }),
	"dark":         dark,
	"withdrawn":    event(func(*spot) Event { return TakenOut{} }),
	"restored":     event(func(*spot) Event { return Restored{} }),
	"leaving":      event(func(*spot) Event { return Recalled{} }),
	"readmitted":   event(func(*spot) Event { return Readmitted{} }),
	"retried":      retried,
	"test":         event(func(*spot) Event { return TestBegun{} }),
	"test over":    event(func(*spot) Event { return TestEnded{} }),
	"unwritable":   event(func(*spot) Event { return Unwritable{} }),
	"tick 3s":      tick(3 * time.Second),
	"tick 16m":     tick(16 * time.Minute),
	"calm":         calm,
	"restart":      restart,
	"charge":       charge,
}

var (
	everything = slices.Sorted(maps.Keys(alphabet))
	money      = []string{"request", "unknown", "missing", "pending", "held", "settled", "aborted", "rejected", "too late", "stop", "tick 16m", "calm", "restart", "plug in"}
	remote     = map[string]bool{"stop": true, "leaving": true, "readmitted": true, "retried": true, "withdrawn": true}
	hardware   = []string{"charge", "meter same", "meter up", "meter low", "sense open", "sense closed", "stop", "withdrawn", "restored", "test", "tick 3s", "calm"}
)

// step takes an event in; events are a nanosecond apart, so that they have an
// order and time still stands.
func (p *spot) step(w *walker, e Event) {
	p.now++
	p.state = w.rules.Step(p.state, p.instant(), e)
}

// loop does what the loop does after every event: it orders and asks.
func (w *walker) loop(p *spot) {
	for {
		want := w.rules.Want(&p.state, p.instant())
		switch {
		case want.Contactor == hal.Closed && !p.state.given():
			p.step(w, Ordered{})
		case len(want.Orders) > 0:
			o := want.Orders[0]
			p.step(w, Asked{o})
			p.flights = append(p.flights, o)
		default:
			return
		}
	}
}

func event(of func(*spot) Event) func(*walker, *spot) bool {
	return func(w *walker, p *spot) bool {
		p.now++
		p.step(w, of(p))
		return true
	}
}

// request is left out once two settlements are open: more of the same.
func request(w *walker, p *spot) bool {
	if len(p.state.Debts) >= 2 || p.state.Phase != Idle {
		return false
	}
	p.step(w, w.rules.requests(20_000))
	return true
}

// charge is a request, its approval and a car, in one.
func charge(w *walker, p *spot) bool {
	if !request(w, p) {
		return false
	}
	w.loop(p)
	p.step(w, Plugged{hal.PlugIn})
	return answer(payment.Held, payment.NoReason, payment.Authorised)(w, p)
}

// answer ends the oldest asking, with what the service could say about it.
func answer(status payment.Status, reason payment.Reason, state payment.State) func(*walker, *spot) bool {
	return func(w *walker, p *spot) bool {
		if len(p.flights) == 0 {
			return false
		}
		o := p.flights[0]
		p.flights = p.flights[1:]
		f := payment.Found{State: state, Amount: 20_000}
		if c := &p.state.Charge; o.Ref.Number() == c.Number {
			f.Terms = w.rules.terms(&p.state)
		}
		if state == payment.Created {
			f.URL = "pay"
		}
		if state == payment.Authorised {
			f.Held = f.Amount
		}
		if status == payment.Settled {
			f.Taken = o.Amount
			f.Freed = f.Held - f.Taken
		}
		p.step(w, Answered{o, payment.Answer{Status: status, Reason: reason, Found: f}})
		return true
	}
}

func metering(moved, wrong hal.Energy) func(*walker, *spot) bool {
	return event(func(p *spot) Event {
		p.register += moved
		r := hal.Reading{Register: p.register + wrong, Serial: "1", At: p.now}
		if p.state.Phase == Charging {
			r.Power = 1000
		}
		return Metered{r}
	})
}

// leaking is a reading that tells of power whatever the contactor does.
var leaking = event(func(p *spot) Event {
	return Metered{hal.Reading{Register: p.register, Power: 1000, Serial: "1", At: p.now}}
})

// dark is a reading by a meter that sees no mains.
var dark = event(func(p *spot) Event {
	return Metered{hal.Reading{Register: p.register, Supply: hal.SupplyMissing, Serial: "1", At: p.now}}
})

// retried is a person who wants the oldest debt tried again.
func retried(w *walker, p *spot) bool {
	if len(p.state.Debts) == 0 {
		return false
	}
	p.step(w, Retried{w.rules.Ref(p.state.Debts[0].Number)})
	return true
}

func tick(d time.Duration) func(*walker, *spot) bool {
	return func(w *walker, p *spot) bool {
		p.now += d
		p.step(w, Ticked{})
		return true
	}
}

// calm lets a limit pass while meter and contactor go on telling what they told.
func calm(w *walker, p *spot) bool {
	for range 2 {
		p.now += 9 * time.Second
		if p.state.sense.known {
			p.step(w, Sensed{p.state.sense.position, p.now})
		}
		p.step(w, Metered{hal.Reading{Register: p.register, Serial: "1", At: p.now}})
	}
	return true
}

func restart(w *walker, p *spot) bool {
	kept, err := Decode(p.state.Kept.Append(nil))
	if err != nil {
		panic(err)
	}
	p.now, p.flights = time.Second, nil
	p.state = w.rules.Recover(kept, Whole, p.instant())
	return true
}

// complaints lists what is wrong with a step, and moves on what was stopped.
func (w *walker) complaints(from, p *spot, letter string) []string {
	s := &p.state
	out := broken(&w.rules, &from.state, s, p.instant())
	if c := from.state.Charge.Number; c != 0 {
		left := from.state.Phase == Charging && (s.Phase != Charging || s.Charge.Number != c)
		if letter == "stop" || letter == "restart" || letter == "withdrawn" || left {
			p.stopped = max(p.stopped, c)
		}
	}
	if w.rules.Want(s, p.instant()).Contactor == hal.Closed && s.Phase != Idle && s.Charge.Number <= p.stopped {
		out = append(out, fmt.Sprintf("charge %d was stopped, and is wanted closed again", s.Charge.Number))
	}
	if remote[letter] && w.rules.Want(&from.state, from.instant()).Contactor == hal.Open && w.rules.Want(s, p.instant()).Contactor == hal.Closed {
		out = append(out, "a contactor that was wanted open is wanted closed because of somebody far away")
	}
	if s.test.On() && !from.state.test.On() && letter != "test" {
		out = append(out, "a test has begun by itself")
	}
	if s.Kept.Same(&from.state.Kept) && !bytes.Equal(s.Kept.Append(nil), from.state.Kept.Append(nil)) {
		out = append(out, "Same does not see a difference that the disk sees")
	}
	return append(out, w.forgotten(from, p, letter)...)
}

// forgotten lists the charges that nobody drives any more though they may hold
// money: a debt ends only when the service says that nothing is held, or that
// there is no such payment.
func (w *walker) forgotten(from, p *spot, letter string) []string {
	var out []string
	for i, d := range from.state.Debts {
		missing := from.state.asks[i].missing
		final := letter == "settled" || letter == "aborted" || letter == "missing" && missing > 0 && p.now-missing >= tombstone
		if p.state.debtOf(d.Number) < 0 && !final {
			out = append(out, fmt.Sprintf("charge %d is not settled, and is not driven any more", d.Number))
		}
	}
	for i := range p.state.Debts {
		d := &p.state.Debts[i]
		under := slices.ContainsFunc(p.flights, func(o payment.Order) bool { return o.Ref.Number() == d.Number })
		if p.state.asks[i].out && !under {
			out = append(out, fmt.Sprintf("charge %d waits for an answer to nothing", d.Number))
		}
	}
	return out
}
