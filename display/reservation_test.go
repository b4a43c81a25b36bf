package display

import (
	"strings"
	"testing"
	"unicode/utf8"

	"stolpe/payment"
)

// The payer reads the place, as much of it as fits, and the whole promise.
func TestDescriptionFitsAndKeepsItsPromise(t *testing.T) {
	const promise = ". Reservation of a maximum: you pay only for what you use."
	longest := strings.Repeat("W", payment.MaxPostID) + "/99"
	for _, row := range []struct {
		evse, name, place string
	}{
		{"A12/1", "Storgata 1", "Stolpe A12/1, Storgata 1"},
		{"A/1", "X", "Stolpe A/1, X"},
		{"A/1", "", "Stolpe A/1"},
		{"A12/1", "Øvre Bærums verk, Håkon den godes gate 4", "Stolpe A12/1, Øvre Bærums verk, Håkon den "},
		{"A12/1", strings.Repeat("å", 64), "Stolpe A12/1, " + strings.Repeat("å", 28)},
		{"A12/1", strings.Repeat("𠜎", 64), "Stolpe A12/1, " + strings.Repeat("𠜎", 28)},
		{longest, strings.Repeat("ø", 64), "Stolpe " + longest + ", " + strings.Repeat("ø", 14)},
	} {
		got := Reservation(row.evse, row.name)
		if n := utf8.RuneCountInString(got); got != row.place+promise || n < 3 || n > 100 || !utf8.ValidString(got) {
			t.Errorf("%d characters: %q, want %q", n, got, row.place+promise)
		}
	}
}
