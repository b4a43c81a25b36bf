package display

import (
	"strings"
	"testing"
	"unicode/utf8"

	"stolpe/payment"
)

// The payer reads which EVSE, as much of the place as fits, and the whole promise.
func TestDescriptionFitsAndKeepsItsPromise(t *testing.T) {
	longest := strings.Repeat("W", payment.MaxPostID) + "/99"
	for _, l := range Langs() {
		for _, evse := range []string{"A12/1", longest} {
			for _, place := range []string{"", "X", "Øvre Bærums verk, Håkon den godes gate 4", strings.Repeat("å", 64), strings.Repeat("𠜎", 64)} {
				got := l.Reservation(evse, place)
				if n := utf8.RuneCountInString(got); n < 3 || n > 100 || !utf8.ValidString(got) || (len(place) > 64 && n != 100) {
					t.Errorf("%s: %d characters: %q", l.Tag(), n, got)
				}
				if !strings.HasPrefix(got, string(l.Words().Post)+" "+evse) || !strings.HasSuffix(got, ". "+string(l.Words().Promise)) {
					t.Errorf("%s: %q", l.Tag(), got)
				}
			}
		}
	}
	for got, want := range map[string]string{
		NB.Reservation("A/1", ""):                        "Stolpe A/1. Vi reserverer et maksbeløp: du betaler bare for det du bruker.",
		EN.Reservation("A12/1", "Storgata 1"):            "Post A12/1, Storgata 1. Reservation of a maximum: you pay only for what you use.",
		DA.Reservation("A12/1", strings.Repeat("å", 64)): "Stander A12/1, " + strings.Repeat("å", 17) + ". Vi reserverer et maksimumbeløb: du betaler kun for det, du bruger.",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEveryCurrencyHasItsLanguage(t *testing.T) {
	for currency, want := range map[payment.Currency]Lang{payment.NOK: NB, payment.DKK: DA, payment.EUR: FI, "": EN} {
		if got := LangOf(currency); got != want {
			t.Errorf("where prices are in %q the app speaks %s, want %s", currency, got.Tag(), want.Tag())
		}
	}
}

func TestWarningsOfTheLimit(t *testing.T) {
	for _, x := range []struct {
		cost, reserved payment.Amount // minor units
		near, at       bool
	}{{0, 0, false, false}, {79_99, 100_00, false, false}, {80_00, 100_00, true, false}, {94_99, 100_00, true, false}, {95_00, 100_00, true, true}} {
		c := Charge{Cost: x.cost, Reserved: x.reserved}
		if c.NearLimit() != x.near || c.AtLimit() != x.at {
			t.Errorf("%d of %d: near %v, at %v", x.cost, x.reserved, c.NearLimit(), c.AtLimit())
		}
	}
}
