package sim

import (
	"time"

	"stolpe/hal"
)

// Faults are what is wrong with a bench for as long as it is set. The zero value
// is a sound bench.
type Faults struct {
	Welded     bool          // contacts that are or get closed stay closed
	NoClose    bool          // the coil is dead: contacts do not close, closed ones fall open
	SlowOpen   time.Duration // opening takes this much longer
	SenseStuck bool          // the auxiliary contact shows SenseAt, whatever is true
	SenseAt    hal.Position
	NoMains    bool // the grid is gone: coil dead, meter silent, nothing flows
	NoSupply   bool // the same, but the meter lives on another supply and says so

	Silent bool       // the meter does not answer
	Frozen bool       // the meter answers with what it measured when this was set
	Offset hal.Energy // added to every register value, Wh
	Slower int64      // the register counts so many times too little from when this was set; 0 or 1: as it should
}

// dark says whether there is no mains voltage.
func (f *Faults) dark() bool { return f.NoMains || f.NoSupply }

// Fault sets all standing faults at once: those not named are mended.
func (b *Bench) Fault(now time.Duration, f Faults) {
	b.Advance(now)
	if f.Frozen && !b.faults.Frozen {
		b.frozen = b.measure()
	}
	if f.Slower != b.faults.Slower {
		b.base += b.counted() - b.whole
		b.slowed = b.whole
	}
	b.faults = f
	b.actuate()
}

// Faults gives the faults as they stand, for changing one of them.
func (b *Bench) Faults() Faults { return b.faults }

// Glitch falsifies the register in the next reading, and in that one only, by off
// (Wh): a spike, or with a negative value a step back.
func (b *Bench) Glitch(off hal.Energy) { b.glitch = off }

// SwapMeter replaces the meter by one with another serial and register (Wh).
func (b *Bench) SwapMeter(now time.Duration, serial string, register hal.Energy) {
	b.Advance(now)
	b.serial, b.base = serial, register-b.counted()
	b.shown = b.measureNow()
}

// Read is what the meter answers now; false if it does not answer. The register
// counts whole Wh, rounded down, and never shows less than 0.
func (b *Bench) Read(now time.Duration) (hal.Reading, bool) { return b.answer(now, true) }

// answer is Read for a request that may leave out the register: only one that
// has it meets a Glitch.
func (b *Bench) answer(now time.Duration, billed bool) (hal.Reading, bool) {
	b.Advance(now)
	if b.faults.Silent || b.faults.NoMains {
		return hal.Reading{}, false
	}
	r := b.measure()
	if b.faults.Frozen {
		r = b.frozen
	}
	r.Register += b.faults.Offset
	if billed {
		r.Register += b.glitch
		b.glitch = 0
	}
	r.Register = max(0, r.Register)
	if b.modulus > 0 {
		r.Register %= b.modulus
	}
	r.At = now
	return r, true
}

// measure is what a sound meter would say at this instant.
func (b *Bench) measure() hal.Reading {
	if b.refresh > 0 {
		return b.shown
	}
	return b.measureNow()
}

func (b *Bench) measureNow() hal.Reading {
	r := hal.Reading{Register: b.base + b.counted(), Power: hal.Power(b.power), Supply: hal.SupplyPresent, Serial: b.serial, At: b.at}
	if b.faults.NoSupply {
		r.Supply = hal.SupplyMissing
	}
	return r
}

// counted is the energy delivered, in Wh, as the register counts it.
func (b *Bench) counted() hal.Energy {
	if b.faults.Slower <= 1 {
		return b.whole
	}
	return b.slowed + (b.whole-b.slowed)/hal.Energy(b.faults.Slower)
}

// Truth is what really is, for a judge. No part of a post can see it.
type Truth struct {
	Energy   hal.Energy    // delivered to cars since instant 0, whole Wh
	Rest     int64         // delivered beyond that, nJ (W·ns); 3.6e12 are one Wh
	Power    hal.Power     // flowing, W
	Contacts hal.Position  // where they are, not where they were commanded
	Changed  time.Duration // when they last moved; 0 if they never did
	Left     hal.Energy    // what the car in the socket still lacks, Wh rounded up; 0 when it is full
}

// Truth says what really is at the instant now.
func (b *Bench) Truth(now time.Duration) Truth {
	b.Advance(now)
	t := Truth{Energy: b.whole, Rest: b.rest, Power: hal.Power(b.power), Contacts: b.contacts, Changed: b.changed}
	if b.plugged {
		t.Left = hal.Energy((b.left + nJPerWh - 1) / nJPerWh)
	}
	return t
}
