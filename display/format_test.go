package display

import (
	"strings"
	"testing"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// spaced shows no-break spaces as spaces, so that the tables below can be read.
func spaced(s string) string { return strings.ReplaceAll(s, nbsp, " ") }

func TestMoneyIsWrittenAsEachLanguageWritesIt(t *testing.T) {
	for _, c := range []struct {
		amount  payment.Amount
		cur     payment.Currency
		nb, en  string
		nbS, es string // Sum
	}{
		{549, payment.NOK, "5,49 kr", "NOK 5.49", "5,49 kr", "NOK 5.49"},
		{0, payment.NOK, "0,00 kr", "NOK 0.00", "0 kr", "NOK 0"},
		{7, payment.NOK, "0,07 kr", "NOK 0.07", "0,07 kr", "NOK 0.07"},
		{20000, payment.NOK, "200,00 kr", "NOK 200.00", "200 kr", "NOK 200"},
		{123456789, payment.NOK, "1 234 567,89 kr", "NOK 1,234,567.89", "1 234 567,89 kr", "NOK 1,234,567.89"},
		{-549, payment.NOK, "−5,49 kr", "NOK −5.49", "−5,49 kr", "NOK −5.49"},
		{10000, payment.DKK, "100,00 DKK", "DKK 100.00", "100 DKK", "DKK 100"},
		{99, payment.EUR, "0,99 EUR", "EUR 0.99", "0,99 EUR", "EUR 0.99"},
	} {
		for got, want := range map[string]string{NB.Money(c.amount, c.cur): c.nb, EN.Money(c.amount, c.cur): c.en} {
			if spaced(got) != want {
				t.Errorf("Money(%d %s) = %q, want %q", c.amount, c.cur, got, want)
			}
		}
		for got, want := range map[string]string{NB.Sum(c.amount, c.cur): c.nbS, EN.Sum(c.amount, c.cur): c.es} {
			if spaced(got) != want {
				t.Errorf("Sum(%d %s) = %q, want %q", c.amount, c.cur, got, want)
			}
		}
	}
}

func TestEveryLanguageHasItsOwnCustoms(t *testing.T) {
	s := hal.Stamp{Unix: 1789902366, Clock: hal.ClockSynced} // 2026-09-20 11:06:06 UTC
	for _, c := range []struct {
		lang                               Lang
		nok, dkk, eur, kwh, vat, time, day string
	}{
		{NB, "1 234,50 kr", "1 234,50 DKK", "1 234,50 EUR", "12 345,678 kWh", "25,5 %", "1 t 12 min", "20.09.2026 11:06"},
		{EN, "NOK 1,234.50", "DKK 1,234.50", "EUR 1,234.50", "12,345.678 kWh", "25.5 %", "1 h 12 min", "20 Sep 2026 11:06"},
		{SV, "1 234,50 NOK", "1 234,50 DKK", "1 234,50 €", "12 345,678 kWh", "25,5 %", "1 tim 12 min", "2026-09-20 11:06"},
		{DA, "1.234,50 NOK", "1.234,50 kr.", "1.234,50 EUR", "12.345,678 kWh", "25,5 %", "1 t 12 min", "20.09.2026 11.06"},
		{FI, "1 234,50 NOK", "1 234,50 DKK", "1 234,50 €", "12 345,678 kWh", "25,5 %", "1 h 12 min", "20.9.2026 11.06"},
		{DE, "1.234,50 NOK", "1.234,50 DKK", "1.234,50 €", "12.345,678 kWh", "25,5 %", "1 h 12 min", "20.09.2026 11:06"},
	} {
		l := c.lang
		for what, pair := range map[string][2]string{
			"NOK": {l.Money(123450, payment.NOK), c.nok}, "DKK": {l.Money(123450, payment.DKK), c.dkk}, "EUR": {l.Money(123450, payment.EUR), c.eur},
			"energy": {l.Register(12345678), c.kwh}, "percent": {l.Percent(2550), c.vat}, "time": {l.Time(72 * time.Minute), c.time}, "date": {l.Date(s, nil), c.day},
		} {
			if spaced(pair[0]) != pair[1] {
				t.Errorf("%s: %s is %q, want %q", l.Tag(), what, pair[0], pair[1])
			}
			if what != "date" && what != "time" && strings.Contains(pair[0], " ") {
				t.Errorf("%s: %s may break across lines: %q", l.Tag(), what, pair[0])
			}
		}
	}
}

func TestTheMarkOfTheVATRegisterIsNorwegian(t *testing.T) {
	for got, want := range map[string]string{
		NB.OrgNo(Seller{OrgNo: "999999999", VATRegistered: true}): "org.nr. 999 999 999 MVA",
		DA.OrgNo(Seller{OrgNo: "999999999", VATRegistered: true}): "virksomhedsnr. 999 999 999 MVA",
		NB.OrgNo(Seller{OrgNo: "999999999"}):                      "org.nr. 999 999 999",
		DA.OrgNo(Seller{OrgNo: "12345678", VATRegistered: true}):  "virksomhedsnr. 12345678",
		FI.OrgNo(Seller{VATRegistered: true}):                     "",
	} {
		if spaced(got) != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// In Danish a sum ends in a full stop of its own.
func TestNoSentenceEndsTwice(t *testing.T) {
	c := Charge{End: CarFull, Energy: 12400, Held: true, Reserved: 20000, Price: payment.Price{Currency: payment.DKK},
		Bill: payment.Bill{Total: 6808}, Captured: 6808, Released: 13192, Settled: true}
	want := "Der er trukket 68,08 kr. Resten, 131,92 kr., er frigivet. Der kan gå nogle dage, før banken viser det."
	if got := spaced(DA.Taken(c)); got != want {
		t.Errorf("Taken = %q, want %q", got, want)
	}
}

func TestNumbersAreNeverRoundedUp(t *testing.T) {
	for got, want := range map[string]string{
		NB.KWh(8649):          "8,64 kWh",
		EN.KWh(8649):          "8.64 kWh",
		EN.KWh(9):             "0.00 kWh",
		NB.Register(12345678): "12 345,678 kWh",
		EN.Register(5):        "0.005 kWh",
		NB.Whole(36999):       "36 kWh",
		NB.KW(7299):           "7,2 kW",
		EN.KW(22000):          "22 kW",
		EN.KW(0):              "0 kW",
		NB.Percent(2500):      "25 %",
		NB.Percent(2550):      "25,5 %",
		EN.Percent(0):         "0 %",
		NB.Minutes(1440):      "1 440 min",
	} {
		if spaced(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDurationsAreSaidAsPeopleSayThem(t *testing.T) {
	for _, c := range []struct {
		d      time.Duration
		nb, en string
		count  string
	}{
		{-time.Second, "0 s", "0 s", "0:00"},
		{0, "0 s", "0 s", "0:00"},
		{time.Millisecond, "0 s", "0 s", "0:01"},
		{59*time.Second + 999*time.Millisecond, "59 s", "59 s", "1:00"},
		{time.Minute, "1 min", "1 min", "1:00"},
		{9*time.Minute + 12*time.Second, "9 min", "9 min", "9:12"},
		{72*time.Minute + 59*time.Second, "1 t 12 min", "1 h 12 min", "72:59"},
		{26 * time.Hour, "26 t 0 min", "26 h 0 min", "1560:00"},
	} {
		if nb, en := spaced(NB.Time(c.d)), spaced(EN.Time(c.d)); nb != c.nb || en != c.en {
			t.Errorf("Time(%v) = %q, %q; want %q, %q", c.d, nb, en, c.nb, c.en)
		}
		if got := Countdown(c.d); got != c.count {
			t.Errorf("Countdown(%v) = %q, want %q", c.d, got, c.count)
		}
	}
}

func TestTimesOfDayAreInThePostsZoneAndMarkedWhenDoubtful(t *testing.T) {
	zone := time.FixedZone("CEST", 2*60*60)
	const unix = 1789900000 // 2026-09-20 10:26:40 UTC
	for _, c := range []struct {
		clock          hal.Clock
		clockNB, dateE string
	}{
		{hal.ClockSynced, "12:26", "20 Sep 2026 12:26"},
		{hal.ClockHoldover, "ca. 12:26", "about 20 Sep 2026 12:26"},
		{hal.ClockUnknown, "", "20 Sep 2026 12:26 (the clock in the post had not been set)"},
	} {
		s := hal.Stamp{Unix: unix, Clock: c.clock}
		if got := NB.Clock(s, zone); got != c.clockNB {
			t.Errorf("Clock with %v = %q, want %q", c.clock, got, c.clockNB)
		}
		if got := EN.Date(s, zone); got != c.dateE {
			t.Errorf("Date with %v = %q, want %q", c.clock, got, c.dateE)
		}
	}
	if got := NB.Date(hal.Stamp{Unix: unix, Clock: hal.ClockSynced}, nil); got != "20.09.2026 10:26" {
		t.Errorf("Date without a zone = %q, want UTC", got)
	}
}
