package panel

import (
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Whatever a scene says, also what never happens, there is a page of it whose figures have
// no more characters than the longest that occur.
func TestPagesOfNonsense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := nonsense(t)
		p := s.Page()
		if p.Face > LastFace || p.Used < 0 || p.Used > 1000 {
			t.Fatalf("face %d, used %d", p.Face, p.Used)
		}
		for text, most := range map[string]int{
			p.Energy: len("999,99 kWh"), p.Cost: len("9 999,99 kr."), p.Reserved: len("9 999,99 kr."), p.Power: len("999,9 kW"),
			p.Time: len("999:59"), p.Left: len("99:59"), p.Within[0]: LineMost, p.Title[0]: LineMost, p.Named[0]: LineMost,
		} {
			if n := utf8.RuneCountInString(text); n > most {
				t.Errorf("%q has %d characters, want at most %d", text, n, most)
			}
		}
		for _, fee := range p.Fees {
			if n := utf8.RuneCountInString(fee[0]); n > LineMost {
				t.Errorf("%q has %d characters, want at most %d", fee[0], n, LineMost)
			}
		}
	})
}

func nonsense(t *rapid.T) Scene {
	k := testEasel()
	amount := func(name string) payment.Amount {
		return payment.Amount(rapid.OneOf(rapid.Int64Range(-1, 100), rapid.Int64()).Draw(t, name))
	}
	span := func(name string) time.Duration {
		return time.Duration(rapid.OneOf(rapid.Int64Range(-1, int64(time.Hour)), rapid.Int64()).Draw(t, name))
	}
	e := k.free(rapid.StringMatching("[A-Z0-9-]{0,16}").Draw(t, "code"))
	e.View.State = display.State(rapid.IntRange(0, int(display.LastState)).Draw(t, "state"))
	e.View.Busy, e.NoPay, e.Button = rapid.Bool().Draw(t, "busy"), rapid.Bool().Draw(t, "no pay"), rapid.Bool().Draw(t, "button")
	e.View.Default, e.View.Price.KWh, e.View.Price.Minute = amount("default"), amount("kWh"), amount("minute")
	e.View.Price.Idle = payment.Idle{After: span("after"), Minute: amount("idle")}
	e.Over, e.Parked = span("over"), rapid.Bool().Draw(t, "parked")
	e.View.Charge = display.Charge{
		End: display.End(rapid.OneOf(rapid.Just(0), rapid.IntRange(0, int(display.LastEnd))).Draw(t, "end")), Price: e.View.Price, Way: payment.ByCode,
		PayURL: rapid.StringN(0, 5000, 5000).Draw(t, "address"), Reserved: amount("reserved"), Cost: amount("cost"),
		Energy: hal.Energy(rapid.Int64().Draw(t, "energy")), Power: hal.Power(rapid.IntRange(math.MinInt32, math.MaxInt32).Draw(t, "power")),
		Elapsed: span("elapsed"), Left: span("left"), Reading: span("reading"), Held: rapid.Bool().Draw(t, "held"),
		Captured: amount("captured"), Released: amount("released"), Settled: rapid.Bool().Draw(t, "settled"),
		Idle: display.IdleView{Starts: span("starts"), Runs: rapid.Bool().Draw(t, "runs")},
	}
	e.View.Charge.Bill.Total = amount("bill")
	es := []EVSE{e, k.free("A13")}[:rapid.IntRange(0, 2).Draw(t, "EVSEs")]
	s := k.scene(es...)
	s.Now = hal.Stamp{Unix: rapid.Int64Range(0, 1<<33).Draw(t, "now"), Clock: hal.ClockSynced}
	return s
}
