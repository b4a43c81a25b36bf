package display

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stolpe/hal"
	"stolpe/payment"
)

func TestEveryEndHasItsTrouble(t *testing.T) {
	// with tells of an end after energy was delivered, none of one without.
	for _, c := range []struct {
		end        End
		with, none Trouble
	}{
		{ByDriver, NoTrouble, NoTrouble},
		{ByTechnician, Interrupted, NotStarted},
		{Unplugged, NoTrouble, NoTrouble},
		{CarFull, NoTrouble, NoTrouble},
		{LimitReached, NoTrouble, NoTrouble},
		{NoEnergy, NoPower, NoPower},
		{PowerLost, Interrupted, Interrupted},
		{MeterLost, MeterStopped, MeterStopped},
		{ContactorBad, Interrupted, NotStarted},
		{StorageBad, Interrupted, NotStarted},
		{PaymentGone, Interrupted, NotStarted},
		{Declined, WasDeclined, WasDeclined},
		{AbortedInApp, WasAborted, WasAborted},
		{TimedOut, WasLate, WasLate},
		{NoAnswer, ServiceDown, ServiceDown},
		{NeverPlugged, NoPower, NoPower},
		{TooLong, NoTrouble, NoTrouble},
		{ShutDown, Interrupted, NotStarted},
		{NotEnded, NoTrouble, NoTrouble},
	} {
		charge := Charge{End: c.end, Energy: 5000, Settled: true}
		if got := charge.Trouble(); got != c.with {
			t.Errorf("%q with energy is %v, want %v", c.end, got, c.with)
		}
		charge.Energy = 0
		if got := charge.Trouble(); got != c.none {
			t.Errorf("%q without energy is %v, want %v", c.end, got, c.none)
		}
	}
}

func TestAnApprovalAfterWeGaveUpIsToldApart(t *testing.T) {
	if got := (Charge{End: TimedOut, Held: true}).Trouble(); got != ApprovedLate {
		t.Errorf("held: %v, want %v", got, ApprovedLate)
	}
	if got := (Charge{End: TimedOut, Released: 20000, Settled: true}).Trouble(); got != ApprovedLate {
		t.Errorf("released: %v, want %v", got, ApprovedLate)
	}
}

func TestAStuckPaymentIsTroubleOnlyUntilItIsSettled(t *testing.T) {
	c := Charge{End: CarFull, Energy: 5000, Stuck: true}
	if got := c.Trouble(); got != NotSettled {
		t.Errorf("stuck: %v, want %v", got, NotSettled)
	}
	if c.Settled = true; c.Trouble() != NoTrouble {
		t.Errorf("settled in the end: %v, want none", c.Trouble())
	}
}

func drawCharge(t *rapid.T) Charge {
	amount := rapid.Map(rapid.IntRange(-1, 30000), func(n int) payment.Amount { return payment.Amount(n) })
	return Charge{
		Price:    payment.Price{Currency: rapid.SampledFrom([]payment.Currency{payment.NOK, payment.DKK, payment.EUR}).Draw(t, "currency")},
		End:      End(rapid.IntRange(int(ByDriver), int(ends)-1).Draw(t, "end")),
		Settled:  rapid.Bool().Draw(t, "settled"),
		Stuck:    rapid.Bool().Draw(t, "stuck"),
		Held:     rapid.Bool().Draw(t, "held"),
		Reserved: 20000,
		Energy:   hal.Energy(rapid.SampledFrom([]int{0, 5, 12400}).Draw(t, "energy")),
		Captured: rapid.OneOf(rapid.Just(payment.Amount(0)), amount).Draw(t, "captured"),
		Released: rapid.OneOf(rapid.Just(payment.Amount(0)), amount).Draw(t, "released"),
		Bill:     payment.Bill{Total: rapid.OneOf(rapid.Just(payment.Amount(0)), amount).Draw(t, "bill")},
	}
}

func TestNothingTakenIsSaidExactlyWhenTheServiceHasTakenNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCharge(t)
		for _, l := range Langs() {
			e := l.Ending(c, Post{})
			says := strings.Contains(e.What+e.Money+e.Do, string(l.Words().NothingTaken))
			if says != (c.Settled && c.Captured <= 0) {
				t.Fatalf("%s: says so: %v, of %+v: %q", l.Tag(), says, c, e.Money)
			}
		}
	})
}

func TestEveryEndingTellsOfTheMoneyInWholeSentences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCharge(t)
		for _, l := range Langs() {
			e := l.Ending(c, Post{})
			if e.Title == "" || e.Money == "" {
				t.Fatalf("%s: title %q, money %q of %+v", l.Tag(), e.Title, e.Money, c)
			}
			if e.Trouble != NoTrouble && (e.What == "" || e.Do == "") {
				t.Fatalf("%s: %v says what %q, do %q", l.Tag(), e.Trouble, e.What, e.Do)
			}
			if all := e.Title + e.What + e.Money + e.Do; strings.ContainsAny(all, "{}") {
				t.Fatalf("%s: a place was left open: %q", l.Tag(), all)
			}
			for _, s := range []string{e.What, e.Money, e.Do} {
				if s != "" && !strings.HasSuffix(s, ".") {
					t.Fatalf("%s: %q is not a sentence", l.Tag(), s)
				}
			}
		}
	})
}

func TestTheMoneySentenceFollowsTheMoney(t *testing.T) {
	base := Charge{End: CarFull, Energy: 12400, Held: true, Reserved: 20000, Price: payment.Price{Currency: payment.NOK}, Bill: payment.Bill{Total: 6808}}
	for _, c := range []struct {
		name string
		with func(*Charge)
		want string
	}{
		{"nothing read back yet", func(c *Charge) {}, "The total is NOK 68.08. It will be charged automatically. The rest, NOK 131.92, is being released."},
		{"captured, not released", func(c *Charge) { c.Captured = 6808 }, "Charged NOK 68.08. The rest, NOK 131.92, is being released."},
		{"all done", func(c *Charge) { c.Captured, c.Released, c.Settled = 6808, 13192, true },
			"Charged NOK 68.08. The rest, NOK 131.92, has been released. Your bank may take a few days to show it."},
		{"used up", func(c *Charge) { c.Bill.Total, c.Captured, c.Settled = 20000, 20000, true }, "Charged NOK 200.00."},
		{"used up, pending", func(c *Charge) { c.Bill.Total = 20000 }, "The total is NOK 200.00. It will be charged automatically."},
		{"no bill", func(c *Charge) { c.Bill.Total = 0 }, "The whole reservation of NOK 200 is being released."},
		{"never approved", func(c *Charge) { c.Bill.Total, c.Held = 0, false }, "If anything is reserved, all of it is being released."},
		{"no bill, settled", func(c *Charge) { c.Bill.Total, c.Released, c.Settled = 0, 20000, true },
			"Nothing has been charged. The whole amount, NOK 200, has been released."},
		{"never approved, settled", func(c *Charge) { c.Bill.Total, c.Held, c.Settled = 0, false, true }, "Nothing has been charged."},
		{"too little", func(c *Charge) { c.Bill.Total = 99 }, "The whole reservation of NOK 200 is being released."},
		{"too little, settled", func(c *Charge) { c.Bill.Total, c.Released, c.Settled = 99, 20000, true },
			"Nothing has been charged. The whole amount, NOK 200, has been released. We do not charge amounts this small."},
		{"stuck", func(c *Charge) { c.Stuck = true }, "The total is NOK 68.08. We could not take the payment, and the seller is looking into it."},
		{"stuck releasing", func(c *Charge) { c.Stuck, c.Captured = true, 6808 }, "We could not release the whole reservation yet, and the seller is looking into it."},
		{"stuck, settled by hand", func(c *Charge) { c.Stuck, c.Captured, c.Settled = true, 5000, true }, "Charged NOK 50.00."},
	} {
		charge := base
		c.with(&charge)
		if got := spaced(EN.Taken(charge)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTheDriverIsToldWhatHePaysForWhenAChargeIsCutShort(t *testing.T) {
	e := NB.Ending(Charge{End: PowerLost, Energy: 8100}, Post{})
	if want := "Ladingen ble avbrutt. Strømmen til stolpen var borte. Du betaler bare for 8,10 kWh."; spaced(e.What) != want || e.Title != "Avbrutt" {
		t.Errorf("title %q, what %q, want %q", e.Title, e.What, want)
	}
	if e := NB.Ending(Charge{End: AbortedInApp}, Post{Pay: "MobilePay"}); e.What != "Du avbrøt i MobilePay." || e.Title != "Avbrutt" {
		t.Errorf("title %q, what %q", e.Title, e.What)
	}
	if e := NB.Ending(Charge{End: ByDriver, Energy: 8100}, Post{}); e.What != "" || e.Title != "Ferdig" {
		t.Errorf("stopped by the driver: title %q, what %q", e.Title, e.What)
	}
}
