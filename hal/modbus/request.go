package modbus

import (
	"encoding/binary"
	"fmt"
	"time"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal/modbus/meters"
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

// newRequest encodes a read of a span of registers of a meter of the map.
func newRequest(m *meters.Map, encode framing, unit uint8, s span) (*request, error) {
	r, err := encoded(encode, unit, s)
	if err != nil {
		return nil, err
	}
	r.within = time.Duration(m.Limits.MaxResponse) * time.Millisecond
	r.gap = time.Duration(m.Limits.MinGap) * time.Millisecond
	return r, nil
}

func encoded(encode framing, unit uint8, s span) (*request, error) {
	packager, count := encode(unit), uint16(s.count())
	data := binary.BigEndian.AppendUint16(nil, s.addr)
	data = binary.BigEndian.AppendUint16(data, count)
	adu, err := packager.Encode(&goburrow.ProtocolDataUnit{FunctionCode: s.function, Data: data})
	if err != nil {
		return nil, fmt.Errorf("encode read of register %#04x: %w", s.addr, err)
	}
	return &request{adu: adu, packager: packager, function: s.function, addr: s.addr, count: count}, nil
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
