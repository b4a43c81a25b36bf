package modbus

import (
	"encoding/binary"
	"fmt"

	goburrow "github.com/goburrow/modbus"
)

// Layout of a frame (MODBUS Messaging on TCP/IP Implementation Guide 3.1.3):
// transaction id 2, protocol id 2, length 2, unit 1, function 1, data. The length
// counts what comes after it.
const (
	headerSize = 7   // up to and including the unit, bytes
	countAt    = 6   // the length counts from here
	maxFrame   = 260 // bytes
)

// request is one read of registers, encoded.
type request struct {
	adu      []byte
	packager goburrow.Packager
	function byte
	addr     uint16 // of the first register, as on the wire
	count    uint16 // registers
}

// newRequest encodes a read.
func newRequest(unit, function byte, addr, count uint16) (*request, error) {
	handler := goburrow.NewTCPClientHandler("") // its encoding only; it never connects
	handler.SlaveId = unit
	data := binary.BigEndian.AppendUint16(nil, addr)
	data = binary.BigEndian.AppendUint16(data, count)
	adu, err := handler.Encode(&goburrow.ProtocolDataUnit{FunctionCode: function, Data: data})
	if err != nil {
		return nil, fmt.Errorf("encode read of register %#04x: %w", addr, err)
	}
	return &request{adu: adu, packager: handler, function: function, addr: addr, count: count}, nil
}

// String names the registers, for errors.
func (r *request) String() string {
	return fmt.Sprintf("registers %#04x to %#04x", r.addr, r.addr+r.count-1)
}

// stamp makes the request that of transaction id.
func (r *request) stamp(id uint16) { binary.BigEndian.PutUint16(r.adu, id) }

// registers checks a whole frame that answers this request's transaction, and
// gives the registers in it, two bytes each. A *goburrow.ModbusError says that
// the meter refused.
func (r *request) registers(frame []byte) ([]byte, error) {
	if err := r.packager.Verify(r.adu, frame); err != nil {
		return nil, err
	}
	pdu := frame[headerSize:]
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

// frameSize gives the size of the frame that head, of at least headerSize bytes,
// begins, in bytes. It returns an error if no Modbus frame begins like that.
func frameSize(head []byte) (int, error) {
	if protocol := binary.BigEndian.Uint16(head[2:]); protocol != 0 {
		return 0, fmt.Errorf("answer of protocol %d: want 0, Modbus", protocol)
	}
	// The shortest answer is unit, function and one byte: an exception.
	size := countAt + int(binary.BigEndian.Uint16(head[4:]))
	if size < headerSize+2 || size > maxFrame {
		return 0, fmt.Errorf("answer of %d bytes: want %d to %d", size, headerSize+2, maxFrame)
	}
	return size, nil
}
