package sim

import (
	"time"

	"stolpe/hal"
)

// Car is a battery car on alternating current. The zero Car draws nothing.
//
//	W ^        ____________________
//	  |      _|                    |__
//	  |    _|                         |__
//	  |___|                              |__|______
//	   wake ramp                     taper   full
type Car struct {
	Power hal.Power  // the most it draws, W; more than 1 MW counts as 1 MW
	Need  hal.Energy // what it takes until it is full, Wh; more than 2 MWh counts as 2 MWh
}

// How a car draws. Chosen by us after the shape of real charges: a few seconds
// until the on-board charger starts, a ramp, and a short taper at the end.
const (
	wake      = 3 * time.Second // mains voltage to the first current
	rampStep  = time.Second
	rampSteps = 5
	taperTime = 6 * time.Minute // the taper begins with so much of full power left to take

	maxPower hal.Power  = 1_000_000 // W
	maxNeed  hal.Energy = 2_000_000 // Wh; in nJ it still fits 63 bits
)

// draw gives the power (W) a car takes when it has been energised for since and
// lacks left (nJ, more than 0), and for how long it takes exactly that. All steps
// depend on the energy taken and the time energised alone, so that the curve is
// the same however often somebody looks.
func (c Car) draw(since time.Duration, left int64) (power int64, lasts time.Duration) {
	power, lasts = c.ramp(since)
	if power == 0 {
		return 0, lasts
	}
	ceiling, floor := c.taper(left)
	power = min(power, ceiling)
	return power, min(lasts, time.Duration((left-floor+power-1)/power))
}

// ramp gives the power (W) the on-board charger allows after so much time.
func (c Car) ramp(since time.Duration) (power int64, lasts time.Duration) {
	full := int64(c.Power)
	since -= wake
	switch {
	case full <= 0:
		return 0, never
	case since < 0:
		return 0, -since
	case since >= rampSteps*rampStep:
		return full, never
	}
	step := since/rampStep + 1
	return max(1, full*int64(step)/(rampSteps+1)), step*rampStep - since
}

// taper gives the power (W) the battery allows when it lacks left (nJ), and down
// to what lack (nJ) it allows that.
func (c Car) taper(left int64) (power, floor int64) {
	full := int64(c.Power)
	whole := full * int64(taperTime)
	switch {
	case left > whole:
		return full, whole
	case left > whole/2:
		return max(1, full*3/4), whole / 2
	case left > whole/4:
		return max(1, full/2), whole / 4
	}
	return max(1, full/4), 0
}
