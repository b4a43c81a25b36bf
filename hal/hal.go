// Package hal says the words of the hardware: energy, power, where a contactor
// stands, whether a car is plugged in, and what a meter read and when. It does
// no I/O; the packages below it do.
//
// # Why
//
// Quantities are integers of their own types, so that watts cannot be added to
// watt-hours and no fraction of a watt-hour is ever rounded twice. The zero
// value of every type here is the safe one: Open, PlugUnknown, ClockUnknown.
package hal

import (
	"fmt"
	"time"
)

// Energy is an amount of energy in watt-hours (Wh).
type Energy int64

// Power is a rate of energy in watts (W).
type Power int64

// Voltage is an electric potential between a phase and neutral, in millivolts (mV).
type Voltage int64

// Current is an electric current in milliamperes (mA).
type Current int64

// KWh is one kilowatt-hour, in Wh.
const KWh Energy = 1000

// String gives the energy in kWh with three decimals, which is every Wh of it.
func (e Energy) String() string {
	sign := ""
	if e < 0 {
		sign, e = "-", -e
	}
	return fmt.Sprintf("%s%d.%03d kWh", sign, e/KWh, e%KWh)
}

// String gives the power in W.
func (p Power) String() string { return fmt.Sprintf("%d W", int64(p)) }

// String gives the voltage in V with one decimal.
func (v Voltage) String() string { return thousandths(int64(v), 1) + " V" }

// String gives the current in A with two decimals.
func (c Current) String() string { return thousandths(int64(c), 2) + " A" }

// thousandths writes n thousandths with at most three decimals, rounded half away
// from zero.
func thousandths(n int64, decimals int) string {
	sign, step := "", int64(1000)
	if n < 0 {
		sign, n = "-", -n
	}
	for range decimals {
		step /= 10
	}
	n = (n + step/2) / step
	whole := 1000 / step
	return fmt.Sprintf("%s%d.%0*d", sign, n/whole, decimals, n%whole)
}

// Over is the energy, in Wh rounded up, that flows at power p (W) in the time d.
func (p Power) Over(d time.Duration) Energy {
	if p <= 0 || d <= 0 {
		return 0
	}
	const perWh = int64(time.Hour / time.Millisecond) // W·ms in a Wh
	ms := int64((d + time.Millisecond - 1) / time.Millisecond)
	return Energy((int64(p)*ms + perWh - 1) / perWh)
}

// Position says where the contacts of a contactor stand.
type Position uint8

// The positions of a contactor, in the electrician's sense.
const (
	Open   Position = iota // no power at the socket; the zero value
	Closed                 // power at the socket
)

// String gives the position as a word.
func (p Position) String() string {
	if p == Closed {
		return "closed"
	}
	return "open"
}

// Plug says whether a vehicle's cable is in.
type Plug uint8

// What is known of the plug.
const (
	PlugUnknown Plug = iota // not sensed yet, or the wire is broken
	PlugOut
	PlugIn
)

// String gives the plug's state as a word.
func (p Plug) String() string {
	switch p {
	case PlugOut:
		return "out"
	case PlugIn:
		return "in"
	}
	return "unknown"
}
