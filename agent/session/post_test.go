package session

import (
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// testRules are those of the post that the tests of this package are about.
func testRules() Rules {
	return Rules{
		Post: "A12", EVSE: 1, Code: "A12", Model: "test meter", MaxPower: 22_000, Grain: 1,
		Price: payment.Price{
			Currency: payment.NOK, VAT: 2500, KWh: 549,
			Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20_000},
		},
		Choices: []payment.Amount{20_000, 35_000, 50_000}, Default: 35_000, Limits: DefaultLimits(),
	}
}

// holder is the secret of a driver's page, from the driver's name.
func holder(name string) payment.Holder {
	var h payment.Holder
	copy(h[:], "driver "+name)
	return h
}

// requests is driver A, who has seen the present price.
func (r *Rules) requests(reserve payment.Amount) Requested {
	return Requested(display.Request{Reserve: reserve, Seen: r.Price, Holder: holder("A"), Return: "https://example.no/s"})
}

// quiet is a post where nobody charges, before a payment service that knows of
// payments. Scenarios have all that can happen around a post (agent/session/script).
type quiet struct {
	rules    Rules
	state    State
	at       time.Duration // Instant.Mono
	polled   time.Duration // when the meter was last read
	register hal.Energy    // Wh
	serial   string        // of the meter
	payments map[payment.Ref]*payment.Found
	refs     []payment.Ref // in the order of their making
	flights  []payment.Order
	laws     func(before *State) // looks at every step
}

func (q *quiet) now() hal.Instant {
	return hal.Instant{Mono: q.at, Wall: hal.Stamp{Unix: 1_800_000_000 + int64(q.at/time.Second), Clock: hal.ClockSynced}}
}

func (q *quiet) step(e Event) {
	before := q.state
	q.state = q.rules.Step(q.state, q.now(), e)
	q.laws(&before)
}

// second lets one go by: what was asked in the one before is answered, contactor, plug
// and meter tell what they always tell, and what is wanted is asked.
func (q *quiet) second() {
	q.at += time.Second
	answered := q.flights
	q.flights = nil
	for _, o := range answered {
		q.step(Answered{o, q.answer(o)})
	}
	q.step(Sensed{hal.Open, q.at})
	if q.state.plug != hal.PlugOut {
		q.step(Plugged{hal.PlugOut})
	}
	if q.at-q.polled >= q.rules.Want(&q.state, q.now()).Poll {
		q.polled = q.at
		q.step(Metered{hal.Reading{Register: q.register, Supply: hal.SupplyPresent, Serial: q.serial, At: q.at}})
	}
	q.step(Ticked{})
	for _, o := range q.rules.Want(&q.state, q.now()).Orders {
		q.step(Asked{o})
		q.flights = append(q.flights, o)
	}
}

// timeOut ends the payments that nobody has approved.
func (q *quiet) timeOut() {
	for _, f := range q.payments {
		if f.State == payment.Created {
			f.State = payment.TimedOut
		}
	}
}

// answer carries out an order as a sound service does. Nothing new is made.
func (q *quiet) answer(o payment.Order) payment.Answer {
	f := q.payments[o.Ref]
	if f == nil {
		return o.Answer(payment.Found{})
	}
	switch call := o.Next(*f); call.Kind {
	case payment.Capture:
		f.Taken += call.Amount
	case payment.Withdraw:
		f.State = payment.EndedByUs
	case payment.CancelAll:
		f.Freed += f.Left()
	}
	return o.Answer(*f)
}
