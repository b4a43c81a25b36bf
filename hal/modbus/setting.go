package modbus

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// setting is how a serial line is set; in each field zero means that nobody has
// said. Characters have 8 data bits, as Modbus RTU demands.
type setting struct {
	baud   int    // bits a second
	parity string // N, E or O
	stop   int    // stop bits
}

// factory is how a line is set of which nothing else is known: most meters we have
// a map of come like this.
var factory = setting{baud: 9600, parity: "N", stop: 1}

// errCannot says that a port does not know a setting.
var errCannot = errors.New("the adapter cannot be set like that")

// or fills in from other what nobody has said.
func (s setting) or(other setting) setting {
	return setting{cmp.Or(s.baud, other.baud), cmp.Or(s.parity, other.parity), cmp.Or(s.stop, other.stop)}
}

// String gives the setting as people write it.
func (s setting) String() string { return fmt.Sprintf("%d 8%s%d", s.baud, s.parity, s.stop) }

// wireTime is how long so many characters are on the line; 0 for a line of unknown
// speed.
func (s setting) wireTime(characters int) time.Duration {
	if s.baud == 0 {
		return 0
	}
	return time.Duration(characters*s.bits()) * time.Second / time.Duration(s.baud)
}

// bits is how many a character takes: one to start, 8 of data, parity, stop.
func (s setting) bits() int {
	bits := 1 + 8 + s.stop
	if s.parity != "" && s.parity != "N" {
		bits++
	}
	return bits
}

// silence is T3.5, the quiet that separates frames: 3.5 characters, and 1.75 ms
// above 19200 baud (Modbus over serial line 1.02, 2.5.1.1). There a character has
// 11 bits; where it has fewer, meters may still count on 11. A line of unknown
// speed is the gateway's care, and is listened to as if it ran at 9600 baud: that
// is for what the gateway had still to pass on.
func (s setting) silence() time.Duration {
	baud := cmp.Or(s.baud, factory.baud)
	if baud > 19200 {
		return 1750 * time.Microsecond
	}
	return 7 * time.Duration(max(11, s.bits())) * time.Second / time.Duration(2*baud)
}
