package sim

// babble is how many bytes an Endless answer has on a line. Chosen by us: more
// than the 256 a frame can have.
const babble = 300

// spoil changes what a meter says, before it is framed: unit, function and data.
// A refusal stays as it is.
func spoil(said []byte, fault WireFault, w Wire) []byte {
	if said[1]&0x80 != 0 {
		return said
	}
	switch fault {
	case WrongUnit:
		said[0]++
	case WrongFunction:
		said[1] ^= readHolding ^ readInput
	case WrongCount:
		said[2] -= 2
	case Short:
		said = said[:len(said)-4]
		said[2] -= 4
	case Exception, SplitException:
		said = append(said[:2], deviceFailure)
		said[1] |= 0x80
	case Endless:
		if w == TCP {
			break // there it is the frame that announces
		}
		for said[2] = 255; len(said) < babble; { // bytes
			said = append(said, byte(len(said)))
		}
	}
	return said
}

// damage changes a whole frame on its way.
func damage(frame []byte, fault WireFault, w Wire) []byte {
	switch fault {
	case Twice:
		return append(frame, frame...)
	case WrongTransaction:
		frame[0] ^= 0x55
	case WrongProtocol:
		frame[3] = 1
	case Endless:
		if w == TCP {
			frame[4] = 0xFF
		}
	case Truncated:
		return frame[:len(frame)-3]
	case WrongCRC:
		frame[len(frame)-1] ^= 0xFF
	case Noise:
		return append(stray(), frame...)
	case NoiseAfter:
		return append(frame, stray()...)
	case Garbage:
		for i := range frame {
			frame[i] = byte(41*i + 7)
		}
	}
	return frame
}

// stray is what a line that nobody drives looks like: levels that float across
// the threshold. Chosen by us: no unit of a test, and no frame.
func stray() []byte { return []byte{0xFF, 0x00, 0xFC} }
