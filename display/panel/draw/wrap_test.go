package draw

import (
	"slices"
	"testing"
)

func TestWrapped(t *testing.T) {
	for _, c := range []struct {
		text          string
		columns, most int
		want          []string
		whole         bool
	}{
		{"Skann for å lade", 21, 2, []string{"Skann for å lade"}, true},
		{"Skann for å lade", 12, 2, []string{"Skann for å", "lade"}, true},
		{"Opphold 1 kr/min", 12, 3, []string{"Opphold", "1 kr/min"}, true},
		{"Tid 99,99 NOK/min", 12, 3, []string{"Tid 99,99", "NOK/min"}, true},
		{"Start\u00a0999,99\u00a0kr Tid", 16, 3, []string{"Start\u00a0999,99\u00a0kr", "Tid"}, true},
		{"Fra 1. mars er prisen en annen her", 12, 2, []string{"Fra 1. mars", "er prisen…"}, false},
		{"LADEPLASSEN", 5, 3, []string{"LADEP", "LASSE", "N"}, false},
		{"", 5, 3, nil, true},
	} {
		got, whole := wrapped(c.text, c.columns, c.most)
		if !slices.Equal(got, c.want) || whole != c.whole {
			t.Errorf("%q in %d lines of %d: %q, whole %v, want %q, %v", c.text, c.most, c.columns, got, whole, c.want, c.whole)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		want    string
	}{
		{"Fra 1. mars", 11, "Fra 1. mars"},
		{"Fra 1. mars, ny pris", 13, "Fra 1. mars…"},
		{"Fra 1. mars ny pris", 12, "Fra 1. mars…"},
		{"Ladeplassreservasjon", 8, "Ladepla…"},
	} {
		if got := shorten(c.text, c.columns); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}
