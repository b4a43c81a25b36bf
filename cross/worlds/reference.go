package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	bench "stolpe/hal/sim"
	"stolpe/payment"
)

// referenceRules are what the post of the reference charge charges: energy and
// minutes, so that both have to be right.
func referenceRules() session.Rules {
	return session.Rules{
		Post: "W1", EVSE: 1, Code: "W1", Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 600, Minute: 50},
		Choices: []payment.Amount{20_000}, Default: 20_000, MaxPower: 22_000, Grain: 1,
		Limits: session.DefaultLimits(), Wired: hal.StopPressed | hal.EmergencyStop | hal.RCDTripped,
		Receipts: true,
	}
}

// inviteReference sends the driver of the reference charge: requests, approves,
// plugs in, charges for some minutes, and stops on the page.
func (w *world) inviteReference() {
	d := driver{
		arrives: 20 * time.Second, car: bench.Car{Power: 11_000, Need: 60_000},
		decides: 5 * time.Second, plugs: 15 * time.Second, stays: 4 * time.Minute, leaving: stops,
	}
	w.drivers = append(w.drivers, d)
	w.events.push(event{at: d.arrives, kind: evDriver})
}

// inviteTechnician sends the technician of the reference test: takes the post out of
// service, looks that no car is there, tests the contactor, and puts it back.
func (w *world) inviteTechnician() {
	w.errands = 1
	w.events.push(event{at: 20 * time.Second, kind: evTest, n: testRightly*testActs + testComes})
}

// acts lets happen what somebody or something does to the post at any time, when
// it looks around.
func (w *world) acts() {
	if w.search == nil {
		w.misfortunes()
		return
	}
	w.at(atPass)
	w.withdraw()
	w.killPayment()
	w.loseSupply()
	w.wires(hal.StopPressed)
	w.wires(hal.EmergencyStop)
	w.forge()
	w.portal()
	w.cut(cutAnytime)
}
