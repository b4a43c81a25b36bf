package page

import (
	"testing"

	"stolpe/agent/telemetry"
)

// A card names the displays of a post, and what is wrong with each; one without has no row.
func TestDisplaysOnACard(t *testing.T) {
	for want, all := range map[string][]telemetry.DisplayHealth{
		"":                      nil,
		"oled":                  {{Name: "oled"}},
		"oled, kiosk (DIS-001)": {{Name: "oled"}, {Name: "kiosk", Fault: "DIS-001"}},
	} {
		if got := displays(all); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
