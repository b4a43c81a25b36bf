package modbus

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	goburrow "github.com/goburrow/modbus"
)

// Layout of a frame (MODBUS Messaging on TCP/IP Implementation Guide 3.1.3):
// transaction id 2, protocol id 2, length 2, unit 1, function 1, data. The length
// counts what comes after it.
const (
	headerSize = 7   // up to and including the unit, bytes
	countAt    = 6   // the length counts from here
	maxFrame   = 260 // bytes; RTU frames have at most 256
)

// maxForeign is how many answers to other requests may come before ours. Chosen by
// us: one late answer is usual; more than this is a peer out of its mind.
const maxForeign = 8

// encodeTCP makes the packager of a unit behind Modbus TCP.
func encodeTCP(unit uint8) goburrow.Packager {
	handler := goburrow.NewTCPClientHandler("") // its encoding only; it never connects
	handler.SlaveId = unit
	return handler
}

// transactTCP sends the request and receives its answer, all before one deadline.
// Answers to other requests are dropped on the way: they are late, not ours.
func (b *Bus) transactTCP(ctx context.Context, conn wire, r *request) ([]byte, error) {
	if err := b.arm(ctx, conn, time.Now().Add(r.within)); err != nil {
		return nil, err
	}
	b.asked = true
	b.id++
	binary.BigEndian.PutUint16(r.adu, b.id)
	if _, err := conn.Write(r.adu); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	for foreign := 0; foreign <= maxForeign; foreign++ {
		frame, err := b.receive(conn)
		if err != nil {
			return nil, fmt.Errorf("receive, after %d bytes and %d answers to other requests: %w", b.have, foreign, err)
		}
		if binary.BigEndian.Uint16(frame) == b.id {
			return r.fromTCP(frame)
		}
	}
	return nil, fmt.Errorf("receive: more than %d answers to other requests", maxForeign)
}

// receive gives the next whole frame, valid until the next receive.
func (b *Bus) receive(conn wire) ([]byte, error) {
	b.have = copy(b.buf[:], b.buf[b.used:b.have])
	b.used = 0
	if err := b.fill(conn, headerSize); err != nil {
		return nil, err
	}
	size, err := frameSize(b.buf[:headerSize])
	if err != nil {
		return nil, err
	}
	if err := b.fill(conn, size); err != nil {
		return nil, err
	}
	b.used = size
	return b.buf[:size], nil
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

// fromTCP checks a whole frame that answers this request's transaction, and gives
// the registers in it, two bytes each. A *goburrow.ModbusError says that the meter
// refused.
func (r *request) fromTCP(frame []byte) ([]byte, error) {
	if err := r.packager.Verify(r.adu, frame); err != nil {
		return nil, err
	}
	return r.registers(frame[headerSize:])
}
