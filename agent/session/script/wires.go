package script

import (
	"time"

	"stolpe/hal"
)

// wires is the hardware. Energy flows when the contacts are closed and a car draws.
type wires struct {
	register hal.Energy // true value, Wh
	part     int64      // of the next Wh, in W·s
	serial   string
	car      hal.Power // the car would draw, W
	plug     hal.Plug
	contacts hal.Position
	leak     hal.Power // flows whatever the contactor does, W

	contactor string        // ok, stuck, welded
	sense     string        // ok, dead, open, closed
	dark      bool          // there is no mains
	meter     string        // ok, silent, frozen, garbage
	refresh   time.Duration // the meter measures anew so often; 0: always
	shown     hal.Reading   // what it measured last
	modulus   hal.Energy    // its register begins again after so much, Wh; 0: never
	slower    int64         // its register counts so many times too slowly; 0: as it should
	grain     hal.Energy    // the register's step, Wh; 0 is 1
	glitch    hal.Energy
	glitches  int // readings that the glitch spoils
}

func (x *wires) power() hal.Power {
	if x.contacts == hal.Closed && x.plug == hal.PlugIn && !x.dark {
		return x.car + x.leak
	}
	return x.leak
}

func (x *wires) flow() {
	const perWh = int64(time.Hour / time.Second)
	x.part += int64(x.power()) / max(x.slower, 1)
	x.register += hal.Energy(x.part / perWh)
	x.part %= perWh
}

func (x *wires) sensed() (hal.Position, bool) {
	switch x.sense {
	case "dead":
		return hal.Open, false
	case "open":
		return hal.Open, true
	case "closed":
		return hal.Closed, true
	}
	return x.contacts, true
}

// read is what the meter says. A frozen one repeats the register it froze at.
func (x *wires) read(mono time.Duration) (hal.Reading, bool) {
	r := x.measured(mono)
	switch x.meter {
	case "silent":
		return hal.Reading{}, false
	case "garbage":
		r.Register = hal.Energy(int64(mono/time.Second)*7_919%100_003) * 1_000
	case "frozen":
		r.Register = x.glitch
	default:
		if x.glitches > 0 {
			x.glitches--
			r.Register += x.glitch
		}
	}
	return r, true
}

// measured is what a sound meter shows, as of its last refresh.
func (x *wires) measured(mono time.Duration) hal.Reading {
	if x.shown.At == 0 || mono < x.shown.At || mono-x.shown.At >= x.refresh {
		x.shown = hal.Reading{Register: x.register - x.register%max(x.grain, 1), Power: x.power(), Supply: hal.SupplyPresent, Serial: x.serial, At: mono}
		if x.dark {
			x.shown.Supply = hal.SupplyMissing
		}
		if x.modulus > 0 {
			x.shown.Register %= x.modulus
		}
	}
	r := x.shown
	r.Serial, r.At = x.serial, mono
	return r
}
