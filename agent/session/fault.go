package session

import (
	"strings"

	"stolpe/display"
	"stolpe/hal"
)

// Faults is a set of things that are wrong.
type Faults uint32

// The faults. Those that outlive a restart until a technician lifts them are
// kept in Kept.Latched; the others are judged afresh all the time. Their places
// are part of the record on disk: a new one goes to the end.
const (
	Welded      Faults = 1 << iota // closed, or energy flows, though ordered open (kept)
	WontClose                      // ordered closed, stayed open, several times in a row (kept)
	MeterSwap                      // another serial number than the one pinned (kept)
	MeterAstray                    // answers, but jumps further than power can flow (kept)
	Withdrawn                      // taken out of service by a technician (kept)
	Rotten                         // the journal had a hole; what it lost is not known (kept)
	MeterSilent                    // no believed reading for Rules.MeterWithin
	SenseSilent                    // nobody knows where the contactor stands
	DiskFailed                     // what happens can no longer be written down
	Seeking                        // looking through the payment service for what the journal lost
	Rebooting                      // too many starts in a short time
	Unsellable                     // the payment service says our sales unit is not fit to sell
	SenseBroken                    // the sense line says one thing, power and register another (kept)
	MeterBack                      // counts on from below what it has shown (kept)
	MeterFrozen                    // the register stands still while the meter itself tells of power (kept)
	MeterUnit                      // the register moves far slower than the power the meter tells of (kept)
	SupplyGone                     // no mains voltage at the meter
	Worn                           // the contactor has closed as often as it may in an hour
	Emergency                      // the emergency stop is pressed, or its wire broken
	RCDOut                         // the residual current device has tripped, or its wire is broken
	Overheated                     // the thermostat has opened, or its wire is broken
	StopHeld                       // the stop button is held, or its wire broken
	Leaving                        // to be recalled as soon as the charge under way is over (kept)
	Recall                         // taken out of service by the fleet (kept)
	Renewing                       // the post starts anew as soon as nobody charges any more
	faultEnd
)

const (
	// latching faults are lifted by a person only.
	latching = Welded | WontClose | SenseBroken | MeterSwap | meterLies | Withdrawn | Leaving | Recall | Rotten
	// unsafe faults open the contactor.
	unsafe = Welded | WontClose | SenseBroken | MeterSwap | meterLies | Withdrawn | Recall | MeterSilent | SenseSilent | DiskFailed |
		SupplyGone | signalled
	// meterLies are the ways in which a meter that answers cannot be believed.
	meterLies = MeterAstray | MeterBack | MeterFrozen | MeterUnit
	// signalled faults are what the wires of the post say.
	signalled = Emergency | RCDOut | Overheated | StopHeld
)

// faultCodes lists the faults, the gravest first.
var faultCodes = [...]struct {
	fault      Faults
	code, text string
}{
	{Emergency, "SAF-002", "emergency stop pressed"},
	{RCDOut, "SAF-003", "residual current device tripped"},
	{Welded, "CON-001", "contactor welded"},
	{WontClose, "CON-002", "contactor does not close"},
	{SenseBroken, "CON-004", "sense wire contradicts the meter"},
	{MeterSwap, "MET-002", "meter exchanged"},
	{MeterAstray, "MET-003", "meter cannot be believed"},
	{MeterBack, "MET-004", "meter counts below what it has shown"},
	{MeterFrozen, "MET-005", "register stands still under power"},
	{MeterUnit, "MET-006", "register and power disagree"},
	{Withdrawn, "USR-001", "withdrawn by a technician"},
	{Recall, "USR-003", "taken out of service by the fleet"},
	{Rotten, "STO-002", "journal damaged"},
	{Overheated, "SAF-004", "too hot"},
	{SupplyGone, "SUP-001", "no mains voltage at the meter"},
	{MeterSilent, "MET-001", "meter silent"},
	{SenseSilent, "CON-003", "contactor cannot be sensed"},
	{DiskFailed, "STO-001", "journal cannot be written"},
	{Seeking, "PAY-002", "reading payments back"},
	{StopHeld, "SAF-005", "stop button held"},
	{Worn, "CON-005", "contactor has closed too often"},
	{Rebooting, "SAF-001", "too many restarts"},
	{Unsellable, "PAY-001", "sales unit cannot sell"},
	{Leaving, "USR-002", "out of service after this charge"},
	{Renewing, "USR-004", "no new driver until the post has started anew"},
}

// Code gives the code of the gravest fault, for a technician; "" without one.
func (f Faults) Code() string {
	for _, c := range faultCodes {
		if f&c.fault != 0 {
			return c.code
		}
	}
	return ""
}

// Opens says whether any of the faults opens the contactor.
func (f Faults) Opens() bool { return f&unsafe != 0 }

// Latches says whether any of the faults outlives a restart, until somebody lifts it.
func (f Faults) Latches() bool { return f&latching != 0 }

// String lists the faults in words, the gravest first.
func (f Faults) String() string {
	var words []string
	for _, c := range faultCodes {
		if f&c.fault != 0 {
			words = append(words, c.text)
		}
	}
	return strings.Join(words, ", ")
}

// EachFault calls fn with every single fault, the gravest first.
func EachFault(fn func(Faults)) {
	for _, c := range faultCodes {
		fn(c.fault)
	}
}

// whyStopped says why a charge ends when e or a fault ends it.
func (s *State) whyStopped(e Event) display.End {
	if e, ok := e.(Stopped); ok && s.ends(e) {
		return e.Why
	}
	switch f := s.Faults(); {
	case f&(Emergency|RCDOut) != 0:
		return display.Emergency
	case f&(Welded|WontClose|SenseBroken|SenseSilent|Overheated) != 0:
		return display.ContactorBad
	case f&(MeterSilent|MeterSwap|meterLies) != 0:
		return display.MeterLost
	case f&SupplyGone != 0:
		return display.PowerLost
	case f&DiskFailed != 0:
		return display.StorageBad
	case f&StopHeld != 0 && f&(Withdrawn|Recall) == 0:
		return display.ByButton
	case f&Recall != 0 && f&Withdrawn == 0:
		return display.ByOwner
	}
	return display.ByTechnician
}

// signal takes in what the wires say. All of it passes when the wires say so: an
// emergency stop and a residual current device have latches of their own, and
// whoever released them stood at the post.
func (s *State) signal(now hal.Signals) {
	s.signals = now
	s.Passing &^= signalled
	for _, x := range [...]struct {
		signal hal.Signals
		fault  Faults
	}{
		{hal.EmergencyStop, Emergency}, {hal.RCDTripped, RCDOut}, {hal.TooHot, Overheated}, {hal.StopPressed, StopHeld},
	} {
		if now&x.signal != 0 {
			s.Passing |= x.fault
		}
	}
}
