package term

import (
	"errors"
	"strings"
	"testing"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

var (
	price = payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Idle: payment.Idle{Minute: 100}}
	post  = display.Post{ID: "A12", Name: "Storgata 1"}
)

func view(s display.State) display.View {
	return display.View{Code: "A12", State: s, Price: price, MaxPower: 22000}
}

func charging() display.View {
	v := view(display.Charging)
	v.Busy = true
	v.Charge = display.Charge{Ref: "A12-1-000007", Price: price, PayURL: "https://pay.example.no/x", Reserved: 20000, Held: true, Cost: 5000,
		Energy: 9107, Power: 7243, Elapsed: 72 * time.Minute}
	return v
}

// sample is a view and the block it makes.
type sample struct {
	name string
	view func() display.View
	want string
}

func (s sample) check(t *testing.T) {
	t.Helper()
	var b strings.Builder
	if err := Draw(&b, display.NB, post, s.view(), false); err != nil {
		t.Fatal(err)
	}
	if got := "\n" + b.String(); got != s.want {
		t.Errorf("%s:%s\nwant:%s", s.name, got, s.want)
	}
}

func TestAPostTellsWhatItsPageTells(t *testing.T) {
	for _, s := range []sample{
		{"free", func() display.View { return view(display.Available) }, `
Stolpe A12  Storgata 1
Ledig  inntil 22 kW
  5,49 kr per kWh

`},
		{"busy", func() display.View {
			v := view(display.Charging)
			v.Busy, v.Since = true, hal.Stamp{Unix: 1789900000, Clock: hal.ClockSynced}
			return v
		}, `
Stolpe A12  Storgata 1
Opptatt  Opptatt siden 10:26.
  5,49 kr per kWh

`},
		{"sought, and with something to say", func() display.View {
			v := view(display.Available)
			v.Here, v.Notice[display.EN] = true, "The lift is\x1b out of order."
			return v
		}, `
Stolpe A12  Noen leter etter denne stolpen. Det er den her.
Ledig  inntil 22 kW
  5,49 kr per kWh
  The lift is? out of order.
`},
		{"out of order", func() display.View { v := view(display.Faulted); v.Fault = "MET-001"; return v }, `
Stolpe A12  Storgata 1
Ute av drift  Feilkode MET-001.
  5,49 kr per kWh

`},
	} {
		s.check(t)
	}
}

func TestAChargeTellsWhatItsPageTells(t *testing.T) {
	for _, s := range []sample{
		{"paying", func() display.View {
			v := charging()
			v.State, v.Charge.Held, v.Charge.Left = display.Paying, false, 552*time.Second
			return v
		}, `
Stolpe A12  Storgata 1
Venter på godkjenning  9:12
  Reservert 200 kr

`},
		{"charging", charging, `
Stolpe A12  Storgata 1
Lader  9,10 kWh   50,00 kr   7,2 kW   1 t 12 min
  ████████░░░░░░░░░░░░░░░░░░░░░░░░  50,00 kr av 200 kr brukt

`},
		{"an old number", func() display.View { v := charging(); v.Charge.Reading = 95 * time.Second; return v }, `
Stolpe A12  Storgata 1
Lader  9,10 kWh   50,00 kr   7,2 kW   1 t 12 min
  ████████░░░░░░░░░░░░░░░░░░░░░░░░  50,00 kr av 200 kr brukt
  Målt for 1 min siden
`},
		{"cut short", func() display.View {
			v := charging()
			v.Charge.End, v.Charge.Bill.Total = display.PowerLost, 4999
			return v
		}, `
Stolpe A12  Storgata 1
Avbrutt  9,10 kWh   49,99 kr   1 t 12 min
  Ladingen ble avbrutt. Strømmen til stolpen var borte. Du betaler bare for 9,10 kWh.
  Summen er 49,99 kr. Beløpet trekkes automatisk. Resten, 150,01 kr, blir frigitt.
`},
	} {
		s.check(t)
	}
}

func TestABlockIsAlwaysAsHighAndNeverTellsTheDriversSecrets(t *testing.T) {
	for _, l := range display.Langs() {
		for s := display.Starting; s <= display.Settling; s++ {
			for e := display.NotEnded; e <= display.LastEnd; e++ {
				for _, color := range []bool{true, false} {
					v := charging()
					v.State, v.Charge.End = s, e
					var b strings.Builder
					if err := Draw(&b, l, post, v, color); err != nil {
						t.Fatal(err)
					}
					got := b.String()
					if n := strings.Count(got, "\n"); n != Height || !strings.HasSuffix(got, "\n") {
						t.Errorf("%v, %q: %d lines", s, e, n)
					}
					if strings.ContainsAny(got, "{}\u00a0") || strings.Contains(got, "pay.example") {
						t.Errorf("%v, %q: %q", s, e, got)
					}
					if strings.Contains(got, "\x1b") != color {
						t.Errorf("%v, %q: colour asked %v, got %q", s, e, color, got)
					}
				}
			}
		}
	}
}

func TestHostileNamesDoNotMoveTheCursor(t *testing.T) {
	v := view(display.Faulted)
	v.Fault = "\x1b[2J\n\u009b"
	var b strings.Builder
	if err := Draw(&b, display.EN, display.Post{Name: "\x1b]0;x\a\r\n"}, v, false); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.ContainsAny(got, "\x1b\a\r\u009b") || strings.Count(got, "\n") != Height {
		t.Errorf("the block is %q", got)
	}
}

func TestTheBarIsFullOnlyAtTheEnd(t *testing.T) {
	for used, want := range map[payment.Amount]int{-1: 0, 0: 0, 624: 0, 625: 1, 19999: 31, 20000: 32, 30000: 32} {
		if got := strings.Count(bar(used, 20000), "█"); got != want {
			t.Errorf("bar(%d) has %d, want %d", used, got, want)
		}
	}
	if got := bar(5, 0); strings.Contains(got, "█") {
		t.Errorf("a bar without a limit is %q", got)
	}
}

// full is a writer that takes nothing.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestDrawTellsOfAWriterThatFails(t *testing.T) {
	if err := Draw(full{}, display.NB, post, charging(), false); !errors.Is(err, errFull) {
		t.Errorf("Draw returns %v", err)
	}
}
