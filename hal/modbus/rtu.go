package modbus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	goburrow "github.com/goburrow/modbus"
)

// Layout of a frame (Modbus over serial line 1.02, 2.5.1): unit 1, function 1,
// data, checksum 2. In an answer to a read the data begin with their length.
const (
	requestSize   = 8 // bytes of a read of registers
	exceptionSize = 5 // bytes of a refusal, the shortest answer
	overhead      = 5 // bytes of an answer besides its registers
	checksumSize  = 2 // bytes
)

// maxNoise is how long the line may go on talking out of turn before that is an
// error. Chosen by us: the longest answer takes 2.4 s at 1200 baud, one that is
// late has mostly passed, and at any usual speed this is many answers.
const maxNoise = 2 * time.Second

// encodeRTU makes the packager of a unit on an RTU line.
func encodeRTU(unit uint8) goburrow.Packager {
	handler := goburrow.NewRTUClientHandler("") // its encoding only; it never opens a port
	handler.SlaveId = unit
	return handler
}

// transactRTU sends the request into a silent line and receives its answer, before
// one deadline: the time both are on the line, and the meter's own.
func (b *Bus) transactRTU(ctx context.Context, conn wire, r *request) ([]byte, error) {
	line := b.setting()
	if err := b.hush(ctx, conn, line.silence(), r.gap); err != nil {
		return nil, fmt.Errorf("before the request: %w", err)
	}
	onLine := line.wireTime(requestSize + overhead + 2*int(r.count))
	if err := b.arm(ctx, conn, time.Now().Add(onLine+r.within)); err != nil {
		return nil, err
	}
	b.asked = true
	if _, err := conn.Write(r.adu); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	b.have = 0
	size, err := b.answer(conn, r)
	if err != nil && b.have == 0 {
		return nil, fmt.Errorf("receive: not one byte: %w", err)
	}
	if err != nil {
		return nil, garbled{fmt.Errorf("receive, after % x: %w", b.buf[:b.have], err)}
	}
	registers, err := r.fromRTU(b.buf[:size])
	if err != nil && !refused(err) {
		err = garbled{err}
	}
	return registers, err
}

// hush listens until the line has been silent for T3.5, and for the gap that the
// meter needs since the last word. What it hears answers nothing. Listening, and
// not only waiting, is what finds the tail of a late answer.
func (b *Bus) hush(ctx context.Context, conn wire, silence, gap time.Duration) error {
	start, noise, silent := time.Now(), 0, false
	for since := start; ; {
		wait := min(b.lacking(gap, since), max(slice, silence))
		if !silent {
			wait = max(wait, silence)
		}
		if wait <= 0 {
			return nil
		}
		if err := b.arm(ctx, conn, time.Now().Add(wait)); err != nil {
			return err
		}
		n, err := conn.Read(b.buf[:])
		switch {
		case n > 0:
			noise += n
			silent, since = false, time.Now()
			b.spoken, b.lastWord = true, b.now()
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
			silent = true
		case err == nil:
			return io.ErrNoProgress
		default:
			return err
		}
		if took := time.Since(start); noise > 0 && took > maxNoise {
			return garbled{fmt.Errorf("the line is not silent: %d bytes in %v that nobody asked for", noise, took.Round(time.Millisecond))}
		}
	}
}

// answer receives the answer to the request and gives its size. It begins with the
// first byte after the request, or after the request's own echo: an adapter whose
// receiver stays on while it sends hears what it says. Nothing else is skipped,
// because any bytes contain something that looks like a frame.
func (b *Bus) answer(conn wire, r *request) (size int, err error) {
	size = overhead + 2*int(r.count)
	// An answer of one register is a byte shorter than an echo.
	if err := b.fill(conn, min(exceptionSize, size)); err != nil {
		return 0, err
	}
	if bytes.HasPrefix(r.adu, b.buf[:exceptionSize]) {
		if err := b.fill(conn, min(requestSize, size)); err != nil {
			return 0, err
		}
	}
	if n := min(requestSize, size); b.have >= n && bytes.Equal(b.buf[:n], r.adu[:n]) {
		if err := b.fill(conn, requestSize); err != nil {
			return 0, err
		}
		if !bytes.Equal(b.buf[:requestSize], r.adu) {
			return 0, errors.New("half an echo of the request")
		}
		b.have = copy(b.buf[:], b.buf[requestSize:b.have])
		if err := b.fill(conn, exceptionSize); err != nil {
			return 0, err
		}
	}
	switch {
	case b.buf[0] != r.adu[0]:
		return 0, fmt.Errorf("answer of unit %d: want unit %d", b.buf[0], r.adu[0])
	case b.buf[1] == r.function|0x80:
		return exceptionSize, nil
	case b.buf[1] != r.function:
		return 0, fmt.Errorf("answer to function %d: want function %d", b.buf[1], r.function)
	case int(b.buf[2]) != 2*int(r.count):
		return 0, fmt.Errorf("answer that counts %d bytes: want %d", b.buf[2], 2*r.count)
	}
	return size, b.fill(conn, size)
}

// fromRTU checks a whole frame and gives the registers in it, two bytes each. A
// *goburrow.ModbusError says that the meter refused.
func (r *request) fromRTU(frame []byte) ([]byte, error) {
	if err := r.packager.Verify(r.adu, frame); err != nil {
		return nil, err
	}
	end := len(frame) - checksumSize
	if got, want := binary.LittleEndian.Uint16(frame[end:]), checksum(frame[:end]); got != want {
		return nil, fmt.Errorf("answer with checksum %#04x: want %#04x", got, want)
	}
	return r.registers(frame[1:end])
}

// checksum is the CRC-16 of Modbus (over serial line 1.02, 6.2.2). goburrow's own
// check allocates at each answer.
func checksum(frame []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, b := range frame {
		sum ^= uint16(b)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0xA001
			} else {
				sum >>= 1
			}
		}
	}
	return sum
}
