package session

import "strings"

// Faults is a set of things that are wrong.
type Faults uint16

// The faults. Those that outlive a restart until a technician lifts them are
// kept in Kept.Latched; the others are judged afresh all the time.
const (
	Welded      Faults = 1 << iota // closed, or energy flows, though ordered open (kept)
	WontClose                      // ordered closed, stayed open, several times in a row (kept)
	MeterSwap                      // another serial number than the one pinned (kept)
	MeterAstray                    // answers, but nothing that can be believed (kept)
	Withdrawn                      // taken out of service by a technician (kept)
	Rotten                         // the journal had a hole; what it lost is not known (kept)
	MeterSilent                    // no believed reading for Rules.MeterWithin
	SenseSilent                    // nobody knows where the contactor stands
	DiskFailed                     // what happens can no longer be written down
	Seeking                        // looking through the payment service for what the journal lost
	Rebooting                      // too many starts in a short time
	Unsellable                     // the payment service says our sales unit is not fit to sell
	faultEnd
)

const (
	// latching faults are lifted by a person only.
	latching = Welded | WontClose | MeterSwap | MeterAstray | Withdrawn | Rotten
	// unsafe faults open the contactor.
	unsafe = Welded | WontClose | MeterSwap | MeterAstray | Withdrawn | MeterSilent | SenseSilent | DiskFailed
)

var faultCodes = [...]struct{ code, text string }{
	{"CON-001", "contactor welded"},
	{"CON-002", "contactor does not close"},
	{"MET-002", "meter exchanged"},
	{"MET-003", "meter cannot be believed"},
	{"USR-001", "withdrawn by a technician"},
	{"STO-002", "journal damaged"},
	{"MET-001", "meter silent"},
	{"CON-003", "contactor cannot be sensed"},
	{"STO-001", "journal cannot be written"},
	{"PAY-002", "reading payments back"},
	{"SAF-001", "too many restarts"},
	{"PAY-001", "sales unit cannot sell"},
}

// Code gives the code of the gravest fault, for a technician; "" without one.
func (f Faults) Code() string {
	for i, c := range faultCodes {
		if f&(1<<i) != 0 {
			return c.code
		}
	}
	return ""
}

// Opens says whether any of the faults opens the contactor.
func (f Faults) Opens() bool { return f&unsafe != 0 }

// String lists the faults in words, the gravest first.
func (f Faults) String() string {
	var words []string
	for i, c := range faultCodes {
		if f&(1<<i) != 0 {
			words = append(words, c.text)
		}
	}
	return strings.Join(words, ", ")
}

// EachFault calls fn with every single fault.
func EachFault(fn func(Faults)) {
	for f := Welded; f < faultEnd; f <<= 1 {
		fn(f)
	}
}
