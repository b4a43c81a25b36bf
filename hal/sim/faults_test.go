package sim

import (
	"testing"
	"time"

	"stolpe/hal"
)

func TestWeldedContactsStayClosedUntilMended(t *testing.T) {
	b := charging(family)
	b.Fault(time.Minute, Faults{Welded: true})
	b.Set(time.Minute, hal.Open)
	if got := b.Truth(time.Hour); got.Contacts != hal.Closed || got.Power != family.Power {
		t.Errorf("welded: %+v, want closed and drawing", got)
	}
	b.Fault(time.Hour, Faults{})
	if got := b.Truth(2 * time.Hour); got.Contacts != hal.Open || got.Changed != time.Hour+openTravel {
		t.Errorf("mended: %+v, want open since the mending", got)
	}
}

func TestOpenContactsWeldOnlyOnceTheyClose(t *testing.T) {
	var b Bench
	b.Fault(0, Faults{Welded: true})
	if got := b.Sense(time.Second); got != hal.Open {
		t.Fatalf("before any command: %v", got)
	}
	b.Set(time.Second, hal.Closed)
	b.Set(time.Minute, hal.Open)
	if got := b.Sense(time.Hour); got != hal.Closed {
		t.Errorf("after closing once: %v, want welded", got)
	}
}

func TestADeadCoilNeverClosesAndLetsGo(t *testing.T) {
	var b Bench
	b.Fault(0, Faults{NoClose: true})
	b.Set(0, hal.Closed)
	if got := b.Sense(time.Minute); got != hal.Open {
		t.Errorf("dead before closing: %v", got)
	}
	b.Fault(time.Minute, Faults{})
	if got := b.Sense(2 * time.Minute); got != hal.Closed {
		t.Errorf("mended while commanded closed: %v", got)
	}
	b.Fault(3*time.Minute, Faults{NoClose: true})
	if got := b.Sense(4 * time.Minute); got != hal.Open {
		t.Errorf("died while closed: %v", got)
	}
}

func TestSlowContactsOpenLater(t *testing.T) {
	b := charging(family)
	b.Fault(0, Faults{SlowOpen: 3 * time.Second})
	b.Set(time.Minute, hal.Open)
	if got := b.Sense(time.Minute + 3*time.Second); got != hal.Closed {
		t.Errorf("after 3 s: %v", got)
	}
	if got := b.Truth(time.Hour); got.Changed != time.Minute+openTravel+3*time.Second {
		t.Errorf("opened at %v", got.Changed)
	}
}

func TestContactsOnTheirWayAreNotHeldUpByAnotherFault(t *testing.T) {
	b := charging(family)
	b.Set(time.Minute, hal.Open)
	b.Fault(time.Minute+openTravel/2, Faults{Silent: true})
	if got := b.Truth(time.Hour).Changed; got != time.Minute+openTravel {
		t.Errorf("opened at %v, want %v", got, time.Minute+openTravel)
	}
}

func TestAStuckSenseHidesTheContacts(t *testing.T) {
	for _, stuck := range []hal.Position{hal.Open, hal.Closed} {
		var b Bench
		b.Fault(0, Faults{SenseStuck: true, SenseAt: stuck})
		for _, p := range []hal.Position{hal.Closed, hal.Open} {
			b.Set(b.at+time.Minute, p)
			if got := b.Sense(b.at + time.Minute); got != stuck {
				t.Errorf("stuck %v shows %v", stuck, got)
			}
			if got := b.Truth(b.at).Contacts; got != p {
				t.Errorf("stuck %v: the contacts are %v, want %v", stuck, got, p)
			}
		}
	}
}

func TestTheMeterKeepsItsRegisterOverAPowerCut(t *testing.T) {
	b := charging(family)
	before, _ := b.Read(time.Hour)
	b.Fault(time.Hour, Faults{NoMains: true})
	if _, answers := b.Read(2 * time.Hour); answers {
		t.Error("the meter answers without mains")
	}
	if got := b.Truth(2 * time.Hour); got.Contacts != hal.Open {
		t.Errorf("contacts without mains: %v", got.Contacts)
	}
	b.Set(2*time.Hour, hal.Open)
	b.Fault(3*time.Hour, Faults{})
	// Power stopped with the grid, not with the contacts 30 ms later.
	if after, _ := b.Read(4 * time.Hour); after.Register != before.Register {
		t.Errorf("register %v, want %v", after.Register, before.Register)
	}
}

func TestMeterFaultsFalsifyReadingsButNotTheTruth(t *testing.T) {
	at := func(f Faults) (hal.Reading, bool) {
		b := charging(family)
		b.Fault(time.Minute, f)
		return b.Read(time.Hour)
	}
	sound, _ := at(Faults{})
	if _, answers := at(Faults{Silent: true}); answers {
		t.Error("a silent meter answers")
	}
	if r, _ := at(Faults{Offset: -400}); r.Register != sound.Register-400 {
		t.Errorf("offset: %v, want %v", r.Register, sound.Register-400)
	}
	r, _ := at(Faults{Frozen: true})
	atFreezing, _ := charging(family).Read(time.Minute)
	if r.Register != atFreezing.Register || r.Power != family.Power || r.At != time.Hour {
		t.Errorf("frozen: %+v, want the values of %+v", r, atFreezing)
	}
	b := charging(family)
	b.Fault(0, Faults{Silent: true, Frozen: true, Offset: 5})
	if got, want := b.Truth(time.Hour), charging(family).Truth(time.Hour); got != want {
		t.Errorf("truth %+v, want %+v", got, want)
	}
}

func TestAThawedMeterHasCountedOn(t *testing.T) {
	b := charging(family)
	b.Fault(time.Minute, Faults{Frozen: true})
	b.Fault(2*time.Minute, Faults{Frozen: true, Offset: 0}) // set again: still the first values
	early, _ := b.Read(time.Hour)
	if want, _ := charging(family).Read(time.Minute); early.Register != want.Register {
		t.Errorf("frozen at %v, want %v", early.Register, want.Register)
	}
	b.Fault(time.Hour, Faults{})
	late, _ := b.Read(time.Hour)
	if want, _ := charging(family).Read(time.Hour); late != want {
		t.Errorf("thawed: %+v, want %+v", late, want)
	}
}

func TestAGlitchLastsForOneReading(t *testing.T) {
	for _, off := range []hal.Energy{+5_000_000, -300, -9_000_000} {
		b := charging(family)
		sound, _ := b.Read(time.Hour)
		b.Glitch(off)
		if got, _ := b.Read(time.Hour); got.Register != max(0, sound.Register+off) {
			t.Errorf("glitch %v: %v after %v", off, got.Register, sound.Register)
		}
		if got, _ := b.Read(time.Hour); got != sound {
			t.Errorf("after the glitch: %+v, want %+v", got, sound)
		}
	}
}

func TestASwappedMeterCountsFromItsOwnRegister(t *testing.T) {
	b := charging(family)
	b.SwapMeter(time.Hour, "4711", 12)
	first, _ := b.Read(time.Hour)
	if first.Serial != "4711" || first.Register != 12 {
		t.Errorf("at once: %+v", first)
	}
	second, _ := b.Read(2 * time.Hour)
	if used := second.Register - first.Register; used != 11_000 {
		t.Errorf("in the next hour: %v, want 11 kWh", used)
	}
}
