package script

import (
	"testing"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// BenchmarkReservation has a car draw until a reservation is used up, at every power up
// to the EVSE's own, and tells by how much the worst is past it and how much of it is
// left at most, in minor units.
func BenchmarkReservation(b *testing.B) {
	const step, most = 500, 22_000 // W
	var past, left payment.Amount
	for b.Loop() {
		for power := hal.Power(step); power <= most; power += step {
			w := newWorld()
			w.rules.Price = payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 20_000}
			w.rules.Choices = []payment.Amount{20_000}
			w.wires.car = power
			approved(b, w, 20_000)
			for n := 0; w.state.Counter == 0 || w.state.Phase != session.Idle; n++ {
				must(b, w.pass())
				if n > 30_000 {
					b.Fatalf("at %v the charge does not end", power)
				}
			}
			d := append(w.state.Debts, w.state.Done...)[0]
			spare := d.Limit - w.rules.Price.Total(d.Use())
			past, left = max(past, -spare), max(left, spare)
		}
	}
	b.ReportMetric(float64(past), "past-øre")
	b.ReportMetric(float64(left), "left-øre")
}
