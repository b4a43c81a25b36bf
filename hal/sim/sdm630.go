package sim

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"stolpe/hal"
)

// Fixed by the Modbus Application Protocol 1.1b3, sections 6 and 7.
const (
	readHolding = 3
	readInput   = 4

	illegalFunction = 1
	illegalAddress  = 2
	illegalValue    = 3
	deviceFailure   = 4
	gatewayTarget   = 11 // the meter behind the gateway does not answer
)

// Fixed by Eastron's protocol description of the SDM630: values of two registers
// each, and no more than 40 of them in a request. Between the values there are
// registers nobody describes, which read as 0; addresses from inputEnd on and all
// holding registers but the serial are refused, although a real meter has more.
const (
	maxRegisters = 80
	inputEnd     = 0x0050
	serialAddr   = 0xFC00
)

// The grid a simulated meter measures. Chosen by us: a sound one.
const (
	volts = 230 // phase to neutral, V
	hertz = 50
)

// SDM630 is the meter of a Rig with the registers of an Eastron SDM630. It is
// written from the manual and knows nothing of our register maps, so that a map
// and this cannot share a mistake. What it does not know it refuses.
func SDM630(r *Rig) Registers { return sdm630{r} }

type sdm630 struct{ rig *Rig }

func (s sdm630) Registers(to []byte, function byte, addr, count uint16) (_ []byte, code byte, answers bool) {
	var reading hal.Reading
	billed := function == readInput && addr <= 0x48 && int(addr)+int(count) > 0x48
	s.rig.Do(func(b *Bench, now time.Duration) { reading, answers = b.answer(now, billed) })
	switch end := int(addr) + int(count); {
	case !answers:
		return to, 0, false
	case function != readHolding && function != readInput:
		return to, illegalFunction, true
	case count == 0 || count > maxRegisters || count%2 != 0:
		return to, illegalValue, true
	case addr%2 != 0,
		function == readInput && end > inputEnd,
		function == readHolding && (addr != serialAddr || count != 2):
		return to, illegalAddress, true
	}
	to = append(to, byte(2*count))
	for end := addr + count; addr != end; addr += 2 {
		to = binary.BigEndian.AppendUint32(to, value(function, addr, reading))
	}
	return to, 0, true
}

// value is what stands in the two registers from addr.
func value(function byte, addr uint16, r hal.Reading) uint32 {
	if function == readHolding {
		serial, err := strconv.ParseUint(r.Serial, 10, 32)
		if err != nil {
			return 0 // a serial that is not a number: as in a meter that was never given one
		}
		return uint32(serial)
	}
	return math.Float32bits(float32(quantity(addr, r)))
}

// quantity is what a meter of three equally loaded phases shows at addr.
func quantity(addr uint16, r hal.Reading) float64 {
	power := float64(r.Power)
	if r.Supply == hal.SupplyMissing && addr != 0x48 {
		return 0 // there is nothing to measure
	}
	switch addr {
	case 0x00, 0x02, 0x04, 0x2A: // voltages and their average, V
		return volts
	case 0x06, 0x08, 0x0A, 0x2E: // currents and their average, A
		return power / 3 / volts
	case 0x0C, 0x0E, 0x10, 0x12, 0x14, 0x16: // power of a phase, W and VA
		return power / 3
	case 0x1E, 0x20, 0x22, 0x3E: // power factors
		return 1
	case 0x30: // sum of currents, A
		return power / volts
	case 0x34, 0x38: // total power, W and VA
		return power
	case 0x46: // Hz
		return hertz
	case 0x48: // imported, kWh
		return float64(r.Register) / float64(hal.KWh)
	}
	return 0
}
