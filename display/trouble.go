package display

// Trouble is what went wrong, as a driver is told it. The numbers are the ones
// the help desk knows; those missing here belong to pages this product does not
// have yet.
type Trouble uint8

// The troubles.
const (
	NoTrouble     Trouble = 0
	UnknownPost   Trouble = 1
	OutOfOrder    Trouble = 2
	Unreachable   Trouble = 3  // the post does not answer
	ServiceDown   Trouble = 4  // the payment service does not answer
	WasDeclined   Trouble = 5  // the payment, by the bank or the app
	WasAborted    Trouble = 6  // by the driver, in the app
	WasLate       Trouble = 7  // not approved in time
	SomeoneFirst  Trouble = 8  // somebody else's charge is under way
	NotStarted    Trouble = 9  // a fault before any energy
	NoPower       Trouble = 10 // the car drew none, or never came
	Interrupted   Trouble = 11
	MeterStopped  Trouble = 12
	NotSettled    Trouble = 14 // a person must see to the payment
	ApprovedLate  Trouble = 15 // approved after we had given up
	LinkExpired   Trouble = 16
	WrongCode     Trouble = 17 // a stop code
	TooMany       Trouble = 18 // requests in a short time
	PriceChanged  Trouble = 19
	NotUnderstood Trouble = 23 // a form we did not make
	StopUnheard   Trouble = 24 // an act that did not reach the post
	CodeLocked    Trouble = 25 // too many wrong stop codes
	NobodyHere    Trouble = 26 // a stop code where no charge is under way
	OldPass       Trouble = 27 // the code on the display is another by now
	troubles      Trouble = 28
)

// String gives the trouble as the help desk says it: "E5".
func (t Trouble) String() string {
	if t == NoTrouble {
		return ""
	}
	if t < 10 {
		return "E" + string('0'+rune(t))
	}
	return "E" + string('0'+rune(t/10)) + string('0'+rune(t%10))
}

// Trouble says what went wrong with a charge that has ended, if anything did.
func (c Charge) Trouble() Trouble {
	t := c.endTrouble()
	if t == NoTrouble && c.Stuck && !c.Settled {
		return NotSettled
	}
	return t
}

func (c Charge) endTrouble() Trouble {
	switch c.End {
	case Declined:
		return WasDeclined
	case AbortedInApp:
		return WasAborted
	case TimedOut:
		if c.Held || c.Released > 0 {
			return ApprovedLate
		}
		return WasLate
	case NoAnswer:
		return ServiceDown
	case NoEnergy, NeverPlugged:
		return NoPower
	case MeterLost:
		return MeterStopped
	case PowerLost:
		return Interrupted
	case ContactorBad, StorageBad, PaymentGone, ByTechnician, ShutDown, Emergency:
		if c.Energy <= 0 {
			return NotStarted
		}
		return Interrupted
	}
	return NoTrouble
}
