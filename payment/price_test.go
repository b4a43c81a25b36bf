package payment

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/hal"
)

func TestCostRoundsInTheDriversFavour(t *testing.T) {
	energy := Price{Currency: NOK, VAT: 2500, KWh: 549}
	all := Price{Currency: NOK, VAT: 2500, KWh: 549, Minute: 50, Session: 1000, Idle: Idle{After: time.Minute, Minute: 100, Cap: 300}}
	for _, x := range []struct {
		name  string
		price Price
		use   Use
		limit Amount
		total Amount
		lines [4]Amount
	}{
		{"nothing", all, Use{}, 35_000, 0, [4]Amount{}},
		{"time without energy", all, Use{Time: time.Hour, Idle: time.Hour}, 35_000, 0, [4]Amount{}},
		{"a register that ran back", all, Use{Energy: -5, Time: time.Hour}, 35_000, 0, [4]Amount{}},
		{"nothing reserved", all, Use{Energy: 1000}, 0, 0, [4]Amount{}},
		{"1 Wh is half an øre", energy, Use{Energy: 1}, 35_000, 0, [4]Amount{}},
		{"2 Wh", energy, Use{Energy: 2}, 35_000, 1, [4]Amount{1}},
		{"one kWh", energy, Use{Energy: 1000}, 35_000, 549, [4]Amount{549}},
		{"one Wh less", energy, Use{Energy: 999}, 35_000, 548, [4]Amount{548}},
		{"a minute less a moment", all, Use{Energy: 1000, Time: time.Minute - 1}, 35_000, 1549, [4]Amount{549, 0, 1000}},
		{"a minute", all, Use{Energy: 1000, Time: time.Minute}, 35_000, 1599, [4]Amount{549, 50, 1000}},
		{"standing", all, Use{Energy: 1000, Idle: 2*time.Minute + 59*time.Second}, 35_000, 1749, [4]Amount{549, 0, 1000, 200}},
		{"standing past the cap", all, Use{Energy: 1000, Idle: time.Hour}, 35_000, 1849, [4]Amount{549, 0, 1000, 300}},
		{"all of the reservation", all, Use{Energy: 1000, Time: time.Minute, Idle: time.Hour}, 1700, 1700, [4]Amount{549, 50, 1000, 101}},
		{"more than the reservation", energy, Use{Energy: 1_000_000}, 35_000, 35_000, [4]Amount{35_000}},
	} {
		b := x.price.Cost(x.use, x.limit)
		if b.Total != x.total {
			t.Errorf("%s: %v, want %v", x.name, b.Total, x.total)
		}
		for kind, want := range x.lines {
			if got := b.Lines[kind].Amount; got != want {
				t.Errorf("%s: %v line %v, want %v", x.name, LineKind(kind), got, want)
			}
		}
	}
}

func TestVATIsContainedInTheAmount(t *testing.T) {
	for _, x := range []struct {
		gross, vat Amount
		rate       int
	}{
		{21_614, 4_323, 2500}, {12_500, 2_500, 2500}, {100, 20, 2500}, {1, 0, 2500}, {2, 0, 2500}, {3, 1, 2500},
		{12_550, 2_550, 2550}, {11_200, 1_200, 1200}, {100, 0, 0}, {0, 0, 2500},
	} {
		if got := (Price{VAT: x.rate}).vatOf(x.gross); got != x.vat {
			t.Errorf("%d contains %d at %d basis points, want %d", x.gross, got, x.rate, x.vat)
		}
	}
}

func somePrice(t *rapid.T) Price {
	amount := func(name string) Amount { return Amount(rapid.Int64Range(0, int64(maxPrice)).Draw(t, name)) }
	return Price{
		Currency: rapid.SampledFrom([]Currency{NOK, DKK, EUR}).Draw(t, "currency"),
		VAT:      rapid.IntRange(0, maxVAT).Draw(t, "vat"),
		KWh:      1 + amount("kwh")/2, Minute: amount("minute"), Session: amount("session"),
		Idle: Idle{
			After:  time.Duration(rapid.Int64Range(0, 86_400).Draw(t, "after")) * time.Second,
			Minute: amount("idle"), Cap: amount("cap"),
		},
	}
}

// What is printed adds up, never exceeds the reservation, never exceeds the exact
// price of the use, and never falls when more is used.
func TestBillAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := somePrice(t)
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		u := Use{
			Energy: hal.Energy(rapid.Int64Range(0, 2_000_000).Draw(t, "Wh")),
			Time:   time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "time")),
			Idle:   time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "idle time")),
		}
		limit := Amount(rapid.Int64Range(0, int64(MaxAmount)).Draw(t, "limit"))
		b := p.Cost(u, limit)
		var sum, vat Amount
		for _, l := range b.Lines {
			if l.Amount < 0 || l.VAT < 0 || l.VAT > l.Amount {
				t.Fatalf("line %+v", l)
			}
			sum, vat = sum+l.Amount, vat+l.VAT
		}
		if sum != b.Total || vat != b.VAT {
			t.Fatalf("lines add up to %v with %v VAT, the bill says %v and %v", sum, vat, b.Total, b.VAT)
		}
		if b.Total > limit {
			t.Fatalf("%v of %v", b.Total, limit)
		}
		if total := p.Total(u); b.Total != min(total, limit) {
			t.Fatalf("Total says %v, the bill %v of %v", total, b.Total, limit)
		}
		if b.Lines[EnergyLine].Amount > 0 && exact(u.Energy, p.KWh).Cmp(big.NewInt(int64(b.Lines[EnergyLine].Amount)*1000)) < 0 {
			t.Fatalf("%v at %v cost %v", u.Energy, p.KWh, b.Lines[EnergyLine].Amount)
		}
		more := u
		more.Energy++
		more.Time += time.Minute
		if p.Total(more) < p.Total(u) {
			t.Fatalf("%+v costs less than %+v", more, u)
		}
	})
}

// exact is the price of an energy in thousandths of a minor unit.
func exact(e hal.Energy, kwh Amount) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(e)), big.NewInt(int64(kwh)))
}

func TestPriceIsChecked(t *testing.T) {
	good := Price{Currency: NOK, VAT: 2500, KWh: 549}
	for name, change := range map[string]func(*Price){
		"no currency": func(p *Price) { p.Currency = "" }, "a currency we cannot sell in": func(p *Price) { p.Currency = "SEK" },
		"negative VAT": func(p *Price) { p.VAT = -1 }, "a VAT nobody has": func(p *Price) { p.VAT = maxVAT + 1 },
		"negative": func(p *Price) { p.KWh = -1 }, "too much": func(p *Price) { p.KWh = maxPrice + 1 },
		"negative minute": func(p *Price) { p.Minute = -1 }, "negative start": func(p *Price) { p.Session = -1 },
		"negative idle": func(p *Price) { p.Idle.Minute = -1 }, "negative cap": func(p *Price) { p.Idle.Cap = -1 },
		"idle before it stops": func(p *Price) { p.Idle.After = -1 }, "idle after days": func(p *Price) { p.Idle.After = maxAfter + 1 },
		"free": func(p *Price) { p.KWh = 0 },
	} {
		p := good
		change(&p)
		if p.Check() == nil {
			t.Errorf("%s: %+v is let through", name, p)
		}
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}

func TestAmountIsWrittenWithTwoDecimals(t *testing.T) {
	for a, want := range map[Amount]string{0: "0.00", 5: "0.05", 6808: "68.08", 100: "1.00", -5: "-0.05", -12345: "-123.45"} {
		if got := a.String(); got != want {
			t.Errorf("%d is written %q, want %q", int64(a), got, want)
		}
	}
}
