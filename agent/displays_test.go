package main

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"stolpe/display/panel"
	"stolpe/display/screen"
)

// played is what became of a charge beside a display.
type playedCharge struct {
	did  []string // what the post has done, and when
	bill string
}

// chargeBeside plays a charge beside a panel, which becomes as fault says two minutes into
// it, or is so from the start.
func chargeBeside(t *testing.T, g *pretended, fault func(*pretended), early bool) (c playedCharge, took time.Duration, h screen.Health) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if early {
			fault(g)
		}
		b := post(t, g)
		b.charge(func() {
			if g != nil && !early {
				g.set(fault)
			}
		})
		c.bill, took = b.bill(), b.stop()
		c.did = b.rig.did
		if g != nil {
			h = b.screens[0].Health()
			if g.stuck != nil {
				close(g.stuck)
			}
			b.pass(5 * time.Minute) // what still draws comes to its end at last
		}
	})
	return c, took, h
}

// Whatever a display does, a charge is the same to the instant and to the øre.
func TestNoDisplayTouchesACharge(t *testing.T) {
	alone, took, _ := chargeBeside(t, nil, func(*pretended) {}, false)
	if alone.bill == "" || len(alone.did) < 7 {
		t.Fatalf("without a display: %+v", alone)
	}
	for name, row := range map[string]struct {
		fault func(*pretended)
		code  string // of the display at the end
		stays panel.Face
	}{
		"well":      {func(*pretended) {}, "", panel.OutOfOrder},
		"slow":      {func(g *pretended) { g.takes = time.Second }, "", panel.OutOfOrder},
		"too slow":  {func(g *pretended) { g.takes = 20 * time.Second }, screen.Failing, panel.OutOfOrder},
		"unplugged": {func(g *pretended) { g.fails = errCable }, screen.Failing, panel.Charging},
		"too cold":  {func(g *pretended) { g.fails = panel.Cold{Now: -7} }, screen.Resting, panel.Charging},
		"hangs":     {func(g *pretended) { g.stuck = make(chan struct{}) }, screen.Failing, panel.Charging},
		"panics":    {func(g *pretended) { g.burst = true }, screen.Failing, panel.Charging},
	} {
		for _, early := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				g := &pretended{}
				c, lasted, h := chargeBeside(t, g, row.fault, early)
				if diff := cmp.Diff(alone, c, cmp.AllowUnexported(playedCharge{})); diff != "" {
					t.Errorf("beside a display a charge is another:\n%s", diff)
				}
				if more := lasted - took; more > 20*time.Second || more > time.Second && row.code == "" && name != "slow" {
					t.Errorf("the end took %v longer", more)
				}
				if h.Code != row.code {
					t.Errorf("code %q, want %q: %+v", h.Code, row.code, h)
				}
				if got := g.last().Face; !early && got != row.stays && name != "too slow" {
					t.Errorf("face %d stays, want %d", got, row.stays)
				}
			})
		}
	}
}

// A display shows what its EVSE does, and is set up anew after each switch of the
// contactor.
func TestADisplayFollowsItsEVSE(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &pretended{}
		b := post(t, g)
		b.charge(func() {
			if p := g.last(); p.Face != panel.Charging || p.Cost == "" || p.Energy == "" {
				t.Errorf("while it charges: %+v", p)
			}
		})
		want := []panel.Face{panel.Boot, panel.Free, panel.Paying, panel.Authorised, panel.Charging, panel.Stopping, panel.Finished}
		got := slices.DeleteFunc(g.faces(), func(f panel.Face) bool { return f == panel.Occupied || f == panel.Closing })
		if !slices.Equal(got, want) {
			t.Errorf("faces %v, want %v", got, want)
		}
		if g.opened != 3 {
			t.Errorf("set up %d times, want at the start and after two switches", g.opened)
		}
		b.stop()
		if p := g.last(); p.Face != panel.OutOfOrder || p.Code != nil || p.Price != "" {
			t.Errorf("at the end: %+v", p)
		}
	})
}
