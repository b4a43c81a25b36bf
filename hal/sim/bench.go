// Package sim simulates the hardware of one EVSE: meter, contactor and car, wired
// to each other.
//
// # Why
//
// Wired to each other, because most of what goes wrong lies between them: energy
// after "open", a sense line that contradicts the register, a meter swapped in the
// middle of a charge. A fake meter beside a fake contactor cannot show that.
//
// There are two layers. The Bench is physics alone: no clock, no goroutine, no
// lock, no allocation. A simulator plays millions of charges with it and judges
// them by its Truth. The Rig puts a clock and a lock around a Bench for a running
// program, a Server puts its meter on a network, and a Line on a serial line that can
// be pulled out. They decide nothing, so
// what holds for the Bench holds for them.
//
// Energy is summed in nanojoules, W times ns, in integers, and power changes in
// steps. So the sums are exact, and how often somebody looks changes nothing. A
// float would drift, and then a judge could not tell a missing Wh from rounding.
//
// The Server lays out its registers as the manual of a real meter does and refuses
// what it does not know, so that a wrong address shows. Its wire faults come from
// a script, one per request: a test says what happens and does not wait for luck.
package sim

import (
	"time"

	"stolpe/hal"
)

// nJPerWh is one watt-hour in nanojoules. Watts times nanoseconds are
// nanojoules, so every sum in the Bench is exact.
const nJPerWh = int64(time.Hour)

// never is the instant before which nothing changes by itself.
const never = time.Duration(1<<63 - 1)

// Travel times of a contactor of 40 A from the coil's command to the contacts.
// Chosen by us, in the middle of what makers print (20-60 ms and 20-40 ms).
const (
	closeTravel = 40 * time.Millisecond
	openTravel  = 30 * time.Millisecond
)

// Setup is how a Bench begins: contactor open, no car, at the instant 0.
type Setup struct {
	Serial   string        // of the meter, decimal
	Register hal.Energy    // of the meter, Wh
	Modulus  hal.Energy    // its register begins again at 0 after so much, Wh; 0: never
	Refresh  time.Duration // it measures anew so often; 0: always
}

// Bench is a meter, a contactor and a car wired to each other: energy flows
// through the meter exactly while the contacts are closed and a car draws it.
// It has no clock: every method is told the instant, and instants must not go
// backwards (an earlier one counts as the latest one told). It is not safe for
// concurrent use; a Rig is. The zero Bench works and has a meter at 0 Wh.
type Bench struct {
	at    time.Duration // the world is known up to here
	until time.Duration // and nothing changes by itself before here
	power int64         // W, constant in between

	command  hal.Position
	contacts hal.Position
	moving   bool
	moveAt   time.Duration // when moving contacts arrive
	changed  time.Duration
	faults   Faults

	car       Car
	plugged   bool
	paused    bool
	energised bool          // the car sees mains voltage and wants it
	live      time.Duration // energised since
	left      int64         // until the car is full, nJ

	whole hal.Energy // delivered, Wh
	rest  int64      // delivered beyond that, nJ

	serial  string
	base    hal.Energy // register less energy counted, Wh
	modulus hal.Energy // 0: none, Wh
	refresh time.Duration
	shown   hal.Reading // at the last refresh
	frozen  hal.Reading
	glitch  hal.Energy // added to one reading, Wh
	slowed  hal.Energy // energy delivered when Faults.Slower was set, Wh
}

// NewBench gives a bench as set up.
func NewBench(s Setup) Bench {
	b := Bench{until: never, serial: s.Serial, base: s.Register, modulus: s.Modulus, refresh: s.Refresh}
	b.shown = b.measureNow()
	return b
}

// Advance lets time pass until now.
func (b *Bench) Advance(now time.Duration) {
	if b.refresh > 0 {
		if last := now - now%b.refresh; last > b.shown.At {
			b.advance(last)
			b.shown = b.measureNow()
		}
	}
	b.advance(now)
}

func (b *Bench) advance(now time.Duration) {
	for b.until <= now {
		b.flow(b.until)
		if b.moving && b.moveAt <= b.at {
			b.moving = false
			b.contacts ^= hal.Closed
			b.changed = b.at
		}
		b.plan()
	}
	b.flow(now)
}

// flow passes time in which the power does not change.
func (b *Bench) flow(to time.Duration) {
	if to <= b.at {
		return
	}
	if b.power > 0 {
		energy := b.power * int64(to-b.at)
		b.left = max(0, b.left-energy)
		b.rest += energy
		if b.rest >= nJPerWh {
			b.whole += hal.Energy(b.rest / nJPerWh)
			b.rest %= nJPerWh
		}
	}
	b.at = to
}

// plan decides what flows from here on, and for how long that is known.
func (b *Bench) plan() {
	energised := b.contacts == hal.Closed && b.plugged && !b.paused && !b.faults.dark()
	if energised && !b.energised {
		b.live = b.at
	}
	b.energised = energised
	b.power, b.until = 0, never
	if energised && b.left > 0 {
		var d time.Duration
		if b.power, d = b.car.draw(b.at-b.live, b.left); d < never-b.at {
			b.until = b.at + d
		}
	}
	if b.moving {
		b.until = min(b.until, b.moveAt)
	}
}

// Set commands the contactor. The contacts follow after their travel time, if
// nothing is wrong with them. Commanding the same again changes nothing.
func (b *Bench) Set(now time.Duration, p hal.Position) {
	b.Advance(now)
	if p == b.command {
		return
	}
	b.command = p
	b.actuate()
}

// actuate starts the contacts moving to where coil, spring and faults want them.
func (b *Bench) actuate() {
	pulled := b.command == hal.Closed && !b.faults.NoClose && !b.faults.dark()
	held := b.contacts == hal.Closed && b.faults.Welded
	target := hal.Open
	if pulled || held {
		target = hal.Closed
	}
	switch {
	case target == b.contacts:
		b.moving = false
	case b.moving:
	case target == hal.Closed:
		b.moving, b.moveAt = true, b.at+closeTravel
	default:
		b.moving, b.moveAt = true, b.at+openTravel+b.faults.SlowOpen
	}
	b.plan()
}

// Sense says what the auxiliary contact shows.
func (b *Bench) Sense(now time.Duration) hal.Position {
	b.Advance(now)
	if b.faults.SenseStuck {
		return b.faults.SenseAt
	}
	return b.contacts
}

// PlugIn connects a car, in place of any other.
func (b *Bench) PlugIn(now time.Duration, c Car) {
	b.Advance(now)
	b.car, b.plugged, b.paused, b.energised = c, true, false, false
	b.car.Power = min(c.Power, maxPower)
	b.left = int64(min(max(c.Need, 0), maxNeed)) * nJPerWh
	b.plan()
}

// Unplug takes the car away.
func (b *Bench) Unplug(now time.Duration) {
	b.Advance(now)
	b.plugged = false
	b.plan()
}

// Pause lets the car stop drawing by itself, or go on.
func (b *Bench) Pause(now time.Duration, paused bool) {
	b.Advance(now)
	b.paused = paused
	b.plan()
}

// Plugged says whether a car's cable is in.
func (b *Bench) Plugged() hal.Plug {
	if b.plugged {
		return hal.PlugIn
	}
	return hal.PlugOut
}
