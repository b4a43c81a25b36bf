package draw

import (
	"strings"
	"testing"

	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/hal"
)

// Figures that are too old to pass for the present say so on every display: of any charge,
// however long the figures are, and where nobody knows what time it is.
func TestStaleFiguresSaySo(t *testing.T) {
	for _, clock := range []hal.Clock{hal.ClockSynced, hal.ClockUnknown} {
		for _, x := range panel.Samples(display.NB, display.EN) {
			for i := range x.Scene.EVSEs {
				x.Scene.EVSEs[i].View.Charge.Reading = hal.StaleAfter + 20*60e9 // ns
			}
			x.Scene.Now.Clock = clock
			p := x.Scene.Page()
			switch p.Face {
			case panel.Charging, panel.Suspended, panel.NearLimit:
			default:
				continue
			}
			if !p.Stale || p.At == "" {
				t.Fatalf("%s: stale %v, at %q", x.Name, p.Stale, p.At)
			}
			for _, size := range Sizes() {
				_, marks := render(size, p, Options{})
				var all strings.Builder
				for _, m := range marks {
					all.WriteString(strings.ReplaceAll(m.what, noBreak, " ") + "\n")
				}
				if !strings.Contains(all.String(), p.At) {
					t.Errorf("%v %s: %s is not on it; there is %q", size, x.Name, p.At, all.String())
				}
			}
			for _, size := range lcds() {
				if all := strings.Join(Letters(size.cols, size.rows, p), "\n"); !strings.Contains(all, p.At) || !strings.Contains(all, p.Cost) {
					t.Errorf("%v %s: %s or %s is not on it; there is %q", size, x.Name, p.At, p.Cost, all)
				}
			}
		}
	}
}
