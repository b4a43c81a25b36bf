package sim

// Wire is a kind of wire between a post and its meters.
type Wire uint8

// The kinds of wire.
const (
	TCP        Wire = iota // Modbus TCP
	RTU                    // a serial line
	RTUOverTCP             // a serial line behind a converter that passes bytes on as they are
)

// String gives the kind of wire in words.
func (w Wire) String() string { return [...]string{"Modbus TCP", "Modbus RTU", "RTU over TCP"}[w] }

// WireFault is what goes wrong with one request or with its answer.
type WireFault uint8

// The wire faults. Where nothing else is said they occur on every kind of wire.
const (
	Sound            WireFault = iota // nothing
	NoAnswer                          // the answer is lost
	Late                              // the answer comes just before that to the next request, on whichever connection; on a line 700 ms late if nobody asks before
	Twice                             // the answer comes twice
	WrongUnit                         // the answer names another unit
	WrongTransaction                  // the answer names another request; TCP only
	WrongProtocol                     // the answer is of a protocol that is not Modbus; TCP only
	WrongFunction                     // the answer is to another function
	WrongCount                        // the answer counts fewer bytes than it has
	Short                             // the answer is sound but has one value less than was asked
	Truncated                         // the answer stops in the middle
	Endless                           // the answer announces more bytes than a frame can have; on a line it has 300
	Exception                         // the meter refuses: device failure
	SplitException                    // the same, in two pieces
	Garbage                           // bytes that mean nothing
	Dribble                           // the answer comes byte by byte, 50 ms apart
	HangUp                            // the connection is closed instead of an answer; TCP and RTU over TCP
	WrongCRC                          // the answer's check sum is wrong; on a line only, as the next three
	Echo                              // the request comes back before the answer
	Noise                             // stray bytes come right before the answer
	NoiseAfter                        // stray bytes come right after the answer
	Split                             // the answer comes in three pieces, 20 ms apart
	UnplugNow                         // the adapter is pulled in the middle of the answer; RTU only
	wireFaults
)

// WireFaults is their number.
const WireFaults = int(wireFaults)

// String gives the fault as a word.
func (f WireFault) String() string {
	return [wireFaults]string{"sound", "no answer", "late", "twice", "wrong unit", "wrong transaction", "wrong protocol",
		"wrong function", "wrong count", "short", "truncated", "endless", "exception", "split exception", "garbage",
		"dribble", "hang up", "wrong crc", "echo", "noise", "noise after", "split", "unplug now"}[f]
}

// On says whether the fault can occur on a kind of wire.
func (f WireFault) On(w Wire) bool {
	switch f {
	case WrongTransaction, WrongProtocol:
		return w == TCP
	case HangUp:
		return w != RTU
	case WrongCRC, Echo, Noise, NoiseAfter:
		return w != TCP
	case UnplugNow:
		return w == RTU
	}
	return f < wireFaults
}
