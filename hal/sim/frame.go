package sim

import (
	"encoding/binary"
	"errors"
	"os"
	"time"
)

// Layout of a frame of Modbus TCP (Messaging on TCP/IP Implementation Guide
// 3.1.3): transaction 2, protocol 2, length of what follows 2, then unit,
// function and data. That of a line (MODBUS over Serial Line 1.02, 2.3 and 2.5):
// unit, function, data, check sum 2, in all no more than 256.
const (
	headerSize  = 6 // before the unit
	crcSize     = 2
	readSize    = 8   // a request for registers on a line
	shortestRTU = 4   // unit, function and check sum
	longestRTU  = 256 // bytes
)

// resync is the silence after which a line takes what it has heard for a whole
// frame, or for none. Chosen by us: a meter waits for 3.5 characters, 4 ms at
// 9600 baud, but here no byte has a time of its own, and a busy machine pauses for
// longer than that between two.
const resync = 20 * time.Millisecond

// receiveTCP gives the next whole request. It returns an error for what cannot be
// one.
func (t *talk) receiveTCP() ([]byte, error) {
	if err := t.fill(headerSize + 1); err != nil {
		return nil, err
	}
	size := headerSize + int(binary.BigEndian.Uint16(t.in[4:]))
	if binary.BigEndian.Uint16(t.in[2:]) != 0 || size < headerSize+2 || size > len(t.request) {
		return nil, errors.New("not a Modbus frame")
	}
	if err := t.fill(size); err != nil {
		return nil, err
	}
	return t.take(size), nil
}

// fill listens until so many bytes are there.
func (t *talk) fill(bytes int) error {
	for t.have < bytes {
		if err := t.listen(time.Now().Add(idleTimeout)); err != nil {
			return err
		}
	}
	return nil
}

// sealTCP writes the length into a frame.
func sealTCP(frame []byte) []byte {
	binary.BigEndian.PutUint16(frame[4:], uint16(len(frame)-headerSize))
	return frame
}

// receiveRTU gives the next whole request. Eight bytes with the right check sum
// are one, whatever came before them: a slave that times its bytes would have
// been told by a silence. All else is a frame or nothing once it is followed by
// silence.
func (t *talk) receiveRTU() ([]byte, error) {
	for {
		if t.have >= readSize && sound(t.in[t.have-readSize:t.have]) {
			if request := t.heard(t.have - readSize); request != nil {
				return request, nil
			}
		}
		if t.have == len(t.in) { // noise without end
			t.have = 0
		}
		var until time.Time // zero: a line may be quiet for ever
		switch {
		case t.have > 0:
			until = time.Now().Add(resync)
		case t.wire == RTUOverTCP:
			until = time.Now().Add(idleTimeout)
		}
		err := t.listen(until)
		if t.have > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			if t.have <= longestRTU && sound(t.in[:t.have]) {
				if request := t.heard(0); request != nil {
					return request, nil
				}
			}
			t.have, err = 0, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// heard gives what was heard from an index on as a request. It gives nil if the
// slaves heard something else: the master's settings are not theirs, or it spoke
// so soon after an answer that they take both for one frame.
func (t *talk) heard(from int) []byte {
	if t.line != nil && (t.began.Before(t.mute) || !t.port.agrees(t.line.serial)) {
		t.have = 0
		return nil
	}
	t.have = copy(t.in[:], t.in[from:t.have])
	return t.take(t.have)
}

// sealRTU appends the check sum.
func sealRTU(frame []byte) []byte {
	return binary.LittleEndian.AppendUint16(frame, crc(frame))
}

// sound says whether a frame ends in its check sum.
func sound(frame []byte) bool {
	end := len(frame) - crcSize
	return len(frame) >= shortestRTU && binary.LittleEndian.Uint16(frame[end:]) == crc(frame[:end])
}

// crc is the check sum of MODBUS over Serial Line 1.02, 6.2.2. It is written here
// on purpose and not taken from the library that the post's side uses: the two
// ends of a wire must not share a mistake.
func crc(data []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, b := range data {
		sum ^= uint16(b)
		for range 8 { // bits
			odd := sum&1 != 0
			if sum >>= 1; odd {
				sum ^= 0xA001
			}
		}
	}
	return sum
}
