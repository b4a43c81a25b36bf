package session

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/hal"
	"stolpe/payment"
)

// A new card in a post whose past is whatever the payment service says: the
// counter ends above every payment, nothing that was held stays held, and nobody
// is charged for more than the register moved between two requests.
func TestEverythingIsFoundAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &quiet{rules: testRules(), at: time.Second, register: 10_344_076, serial: "22110345", payments: map[payment.Ref]*payment.Found{}}
		w.laws = func(before *State) {
			for _, complaint := range broken(&w.rules, before, &w.state, w.now()) {
				t.Fatalf("%v: %s", w.at, complaint)
			}
		}
		highest := past(t, w)
		w.state = w.rules.Recover(Kept{}, Whole, w.now())
		for w.at < 30*time.Minute {
			w.second()
			if w.at == 10*time.Minute { // the service ends what nobody approves
				w.timeOut()
			}
		}
		if w.state.Counter != highest || w.state.seek != nil {
			t.Fatalf("counter %d, want %d; still seeking: %v", w.state.Counter, highest, w.state.seek != nil)
		}
		end, meter := w.register, w.serial
		for i := len(w.refs) - 1; i >= 0; i-- {
			e := w.payments[w.refs[i]]
			if e.Left() > 0 && w.refs[i].Number()+backward > highest {
				t.Fatalf("%s still holds %v", w.refs[i], e.Left())
			}
			most := w.rules.Price.Cost(payment.Use{Energy: end - e.Terms.Start}, e.Amount).Total
			if e.Terms.Meter != meter {
				most = 0
			}
			if e.Taken > max(most, e.Refunded) { // Refunded: what had been taken before the card was lost
				t.Fatalf("%s: %v taken for %v", w.refs[i], e.Taken, end-e.Terms.Start)
			}
			end, meter = e.Terms.Start, e.Terms.Meter
		}
	})
}

// past fills the payment service with up to sixty payments in every state, with
// gaps, and gives the highest number.
func past(t *rapid.T, w *quiet) uint64 {
	var n uint64
	for range rapid.IntRange(0, 60).Draw(t, "payments") {
		n += uint64(rapid.SampledFrom([]int{1, 1, 1, 1, 2, window}).Draw(t, "gap"))
		f := payment.Found{
			State: payment.State(rapid.IntRange(int(payment.Created), int(payment.EndedByUs)).Draw(t, "state")), Amount: 20_000,
			Terms: payment.Terms{
				EVSE: w.rules.evse(), Meter: rapid.SampledFrom([]string{w.serial, w.serial, "777"}).Draw(t, "meter"), Start: w.register, Price: w.rules.Price, Holder: holder("A"),
			},
		}
		if f.State == payment.Authorised {
			f.Held = f.Amount
			f.Taken = payment.Amount(rapid.SampledFrom([]int{0, 0, 300, 20_000}).Draw(t, "taken"))
			f.Refunded = f.Taken
			if rapid.Bool().Draw(t, "released") {
				f.Freed = f.Left()
			}
		}
		w.register += hal.Energy(rapid.IntRange(0, 5000).Draw(t, "Wh"))
		w.refs = append(w.refs, w.rules.Ref(n))
		w.payments[w.rules.Ref(n)] = &f
	}
	return n
}
