package sim

import (
	"encoding/binary"
	"io"
	"net"
	"time"
)

// WireFault is what goes wrong with one request to a Server or with its answer.
type WireFault uint8

// The wire faults.
const (
	Sound            WireFault = iota // nothing
	NoAnswer                          // the answer is lost
	Late                              // the answer comes just before that to the next request, on whichever connection
	Twice                             // the answer comes twice
	WrongUnit                         // the answer names another unit
	WrongTransaction                  // the answer names another request
	WrongProtocol                     // the answer is of a protocol that is not Modbus
	WrongFunction                     // the answer is to another function
	WrongCount                        // the answer counts fewer bytes than it has
	Short                             // the answer is sound but has one value less than was asked
	Truncated                         // the answer stops in the middle
	Endless                           // the answer announces more bytes than a frame can have
	Exception                         // the meter refuses: device failure
	SplitException                    // the same, in two pieces
	Garbage                           // bytes that mean nothing
	Dribble                           // the answer comes byte by byte, 50 ms apart
	HangUp                            // the connection is closed instead of an answer
	wireFaults
)

// WireFaults is their number.
const WireFaults = int(wireFaults)

// dribbleGap is the pause between the bytes of Dribble. Chosen by us: an answer of
// 53 bytes takes 2.6 s, and no single pause looks like silence.
const dribbleGap = 50 * time.Millisecond

// String gives the fault as a word.
func (f WireFault) String() string {
	return [wireFaults]string{"sound", "no answer", "late", "twice", "wrong unit", "wrong transaction", "wrong protocol",
		"wrong function", "wrong count", "short", "truncated", "endless", "exception", "split exception", "garbage",
		"dribble", "hang up"}[f]
}

// send sends the answer as the script has it, after the one that Late held back.
// An error ends the connection.
func (s *Server) send(conn net.Conn, request, answer []byte) error {
	fault := Sound
	select {
	case fault = <-s.script:
	default:
	}
	select {
	case held := <-s.late:
		if _, err := conn.Write(held); err != nil {
			return err
		}
	default:
	}
	if len(answer) == 0 {
		return nil // the meter itself is silent
	}
	switch fault {
	case NoAnswer:
		return nil
	case HangUp:
		return io.EOF
	case Late:
		select {
		case s.late <- append([]byte(nil), answer...):
		default: // one is held already: this one is lost
		}
		return nil
	case Dribble:
		return s.dribble(conn, answer)
	case SplitException:
		refusal := spoil(answer, Exception)
		if _, err := conn.Write(refusal[:8]); err != nil {
			return err
		}
		if !s.wait(dribbleGap) {
			return net.ErrClosed
		}
		_, err := conn.Write(refusal[8:])
		return err
	}
	_, err := conn.Write(spoil(answer, fault))
	return err
}

// spoil gives the answer as it looks with a fault that changes its bytes. A
// refusal stays as it is.
func spoil(answer []byte, fault WireFault) []byte {
	if answer[7]&0x80 != 0 {
		return answer
	}
	switch fault {
	case Twice:
		return append(answer, answer...)
	case WrongTransaction:
		answer[0] ^= 0x55
	case WrongProtocol:
		answer[3] = 1
	case WrongUnit:
		answer[6]++
	case WrongFunction:
		answer[7] ^= readHolding ^ readInput
	case WrongCount:
		answer[8] -= 2
	case Short:
		answer = answer[:len(answer)-4]
		answer[8] -= 4
		binary.BigEndian.PutUint16(answer[4:], uint16(len(answer)-6))
	case Truncated:
		return answer[:len(answer)-3]
	case Endless:
		answer[4] = 0xFF
	case Exception:
		answer = append(answer[:8], deviceFailure)
		answer[7] |= 0x80
		binary.BigEndian.PutUint16(answer[4:], 3)
	case Garbage:
		for i := range answer {
			answer[i] = byte(41*i + 7)
		}
	}
	return answer
}

// dribble sends the answer byte by byte.
func (s *Server) dribble(conn net.Conn, answer []byte) error {
	for i := range answer {
		if _, err := conn.Write(answer[i : i+1]); err != nil {
			return err
		}
		if !s.wait(dribbleGap) {
			return net.ErrClosed
		}
	}
	return nil
}

// wait waits, unless the server closes first.
func (s *Server) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}
