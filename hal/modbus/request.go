package modbus

import (
	"encoding/binary"
	"fmt"
	"time"

	goburrow "github.com/goburrow/modbus"
)

// framing makes the packager that wraps requests to a unit and checks answers.
type framing func(unit uint8) goburrow.Packager

// request is one read of registers, encoded.
type request struct {
	adu      []byte
	packager goburrow.Packager
	function byte
	addr     uint16        // of the first register, as on the wire
	count    uint16        // registers
	within   time.Duration // the whole answer comes in this time, not counting a serial line's own
	gap      time.Duration // silence before the request
}

// newRequest encodes a read.
func newRequest(encode framing, unit, function byte, addr, count uint16) (*request, error) {
	packager := encode(unit)
	data := binary.BigEndian.AppendUint16(nil, addr)
	data = binary.BigEndian.AppendUint16(data, count)
	adu, err := packager.Encode(&goburrow.ProtocolDataUnit{FunctionCode: function, Data: data})
	if err != nil {
		return nil, fmt.Errorf("encode read of register %#04x: %w", addr, err)
	}
	return &request{adu: adu, packager: packager, function: function, addr: addr, count: count}, nil
}

// String names the registers, for errors.
func (r *request) String() string {
	return fmt.Sprintf("registers %#04x to %#04x", r.addr, r.addr+r.count-1)
}

// registers checks the function and data of an answer, and gives the registers in
// it, two bytes each. A *goburrow.ModbusError says that the meter refused.
func (r *request) registers(pdu []byte) ([]byte, error) {
	if pdu[0] == r.function|0x80 && len(pdu) == 2 {
		return nil, &goburrow.ModbusError{FunctionCode: r.function, ExceptionCode: pdu[1]}
	}
	if pdu[0] != r.function {
		return nil, fmt.Errorf("answer to function %d: want function %d", pdu[0], r.function)
	}
	// goburrow compares the count with what is there, but not with what was asked.
	if want := 2 * int(r.count); len(pdu) != 2+want || int(pdu[1]) != want {
		return nil, fmt.Errorf("answer of %d bytes that counts %d: want %d", len(pdu)-2, pdu[1], want)
	}
	return pdu[2:], nil
}
