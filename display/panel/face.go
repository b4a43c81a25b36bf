package panel

import (
	"strings"
	"time"

	"stolpe/display"
	"stolpe/payment"
)

// justOver is how long a display is about a charge that has ended, whatever else there is.
// Chosen by us: as long as somebody needs to put away the cable.
const justOver = time.Minute

// The codes of faults that have a face of their own; the others are told by their code.
const (
	emergencyStop = "SAF-002"
	stopButton    = "SAF-005" // is held
	moneyFaults   = "PAY-"    // and whatever follows
)

// face says which face wins, and which EVSE the page is about.
func (s Scene) face() (Face, int) {
	if s.Off || len(s.EVSEs) == 0 {
		return OutOfOrder, 0
	}
	if s.Cold {
		return TooCold, 0
	}
	for _, f := range []Face{Emergency, Updating, Boot} {
		if s.all(f) {
			return f, 0
		}
	}
	if i, ok := s.newest(); ok {
		return s.faceOf(s.EVSEs[i]), i
	}
	for i, e := range s.EVSEs {
		if e.View.Here {
			return Here, i
		}
	}
	if len(s.EVSEs) == 1 {
		return s.faceOf(s.EVSEs[0]), 0
	}
	return Several, 0
}

// all says whether all EVSEs have that face.
func (s Scene) all(f Face) bool {
	for _, e := range s.EVSEs {
		if s.faceOf(e) != f {
			return false
		}
	}
	return true
}

// newest finds the EVSE whose driver stands at the display now: the one that began last to
// be paid for, plugged in, started, stopped, or was over.
func (s Scene) newest() (at int, ok bool) {
	var least time.Duration
	for i, e := range s.EVSEs {
		var age time.Duration
		switch s.faceOf(e) {
		case PayCode, Paying, Authorised, Closing, Stopping:
			age = time.Duration(s.Now.Unix-e.View.Since.Unix) * time.Second
		case Finished, NoEnergy, Interrupted:
			if e.Over >= justOver || e.Over == 0 {
				continue
			}
			age = e.Over
		default:
			continue
		}
		if !ok || age < least {
			at, least, ok = i, age, true
		}
	}
	return at, ok
}

// faceOf is the face of one EVSE alone.
func (s Scene) faceOf(e EVSE) Face {
	switch v := e.View; {
	case e.emergency():
		return Emergency
	case e.underWay():
		return e.duringCharge()
	case s.Update:
		return Updating
	case v.State == display.Starting:
		return Boot
	case e.Over > 0 && (e.Over < justOver || e.Parked) && e.afterCharge() != Free:
		return e.afterCharge()
	}
	return e.idle()
}

// emergency says that the emergency stop is pressed.
func (e EVSE) emergency() bool { return e.Stop || e.View.Fault == emergencyStop }

// underWay says whether there is a charge or a request to show.
func (e EVSE) underWay() bool {
	return e.View.Busy && e.View.Charge.Reserved > 0 && e.View.Charge.End == display.NotEnded
}

// sells says whether a new charge can begin now.
func (e EVSE) sells() bool {
	return e.View.State == display.Available && !e.View.Busy && !e.NoPay && !e.emergency()
}

// duringCharge is the face of a request or a charge.
func (e EVSE) duringCharge() Face {
	c := e.View.Charge
	switch e.View.State {
	case display.Paying:
		if c.Way == payment.ByCode && c.PayURL != "" && c.Left > 0 {
			return PayCode
		}
		return Paying
	case display.Authorised:
		return Authorised
	case display.Closing:
		return Closing
	case display.Charging:
		if c.NearLimit() {
			return NearLimit
		}
		return Charging
	case display.Suspended:
		return Suspended
	case display.Stopping:
		return Stopping
	}
	if e.View.Fault == stopButton {
		return Stopping // by whoever holds the button
	}
	return Interrupted // something has gone wrong, and the contactor is opening
}

// afterCharge is the face of a charge that is over; Free where there is nothing to say of it.
func (e EVSE) afterCharge() Face {
	c := e.View.Charge
	switch {
	case c.End == display.NotEnded || c.Energy <= 0 && !c.Held && c.Released == 0:
		return Free // the driver's app says what became of the request
	case c.Trouble() == display.Interrupted || c.Trouble() == display.MeterStopped || c.Trouble() == display.NotStarted:
		if e.Over >= justOver && e.View.State != display.Available {
			return Free // what is wrong now is the news
		}
		return Interrupted
	case e.Over >= justOver:
		if e.View.State != display.Available {
			return Free
		}
		return Occupied
	case c.Energy <= 0:
		return NoEnergy
	}
	return Finished
}

// idle is the face of an EVSE with nothing under way.
func (e EVSE) idle() Face {
	switch v := e.View; {
	case v.State == display.Unavailable:
		return Unavailable
	case v.State == display.Settling && (v.Fault == "" || strings.HasPrefix(v.Fault, moneyFaults)):
		return PayOffline
	case v.State == display.Faulted || v.State == display.Settling:
		return Faulted
	case v.Busy || v.State != display.Available:
		return Busy
	case e.NoPay:
		return PayOffline
	case e.Button:
		return FreeButton
	}
	return Free
}

// Periods of a light. Chosen by us: slow enough that nobody is dazzled, and told apart.
const (
	slowly  = 4 * time.Second
	pulsing = 2 * time.Second
	calling = time.Second
)

// light is what a light shows for the whole display: of several EVSEs, what a driver may
// hope for.
func (s Scene) light(f Face, at int) Light {
	if f == Interrupted && s.EVSEs[at].sells() {
		f = Finished // there is nothing wrong with the post any more
	}
	if f != Several {
		return lightOf(f)
	}
	best := s.faceOf(s.EVSEs[0])
	for _, wanted := range []Face{Charging, Free, FreeButton} { // the last of these that there is
		for _, e := range s.EVSEs {
			if s.faceOf(e) == wanted {
				best = wanted
			}
		}
	}
	return lightOf(best)
}

// lightOf is what a light shows for a face. The meanings stand on the post: white is free,
// blue is waiting, green pulses while it charges and is steady when it is done, yellow says
// that nobody can pay, red that it is out of order.
func lightOf(f Face) Light {
	const full = 255
	switch f {
	case Free, FreeButton:
		return Light{full, full, full, 0}
	case Here:
		return Light{full, full, full, calling}
	case Boot, PayCode, Paying, Authorised, Closing, Stopping, Updating:
		return Light{0, 0, full, slowly}
	case Charging, Suspended, NearLimit, Busy:
		return Light{0, full, 0, pulsing}
	case Finished, NoEnergy, Occupied:
		return Light{0, full, 0, 0}
	case PayOffline:
		return Light{full, full, 0, 0}
	case TooCold:
		return Light{} // of a display, not of the post
	}
	return Light{full, 0, 0, 0}
}
