package session

import (
	"time"

	"stolpe/display"
	"stolpe/hal"
)

// Trust says how far the journal can be trusted.
type Trust uint8

// The degrees of trust.
const (
	Whole Trust = iota // nothing is missing but what a power cut or a new card explains
	Holed              // records are missing that must have been there
	Alien              // it belongs to another post, or cannot be written
)

// Recover is the state of an EVSE that starts up and finds kept on disk. Power
// was lost, so the contactor is open and the charge that was under way is over.
// Nothing is done about money before the payment service has been read back.
func (r *Rules) Recover(kept Kept, trust Trust, now hal.Instant) State {
	s := State{Kept: kept, Since: now.Mono}
	s.Passing = MeterSilent | SenseSilent // until they have spoken
	s.meter.at, s.sense.at = now.Mono, now.Mono
	s.signal(r.Wired) // a wire that has not spoken yet says what a broken one says
	s.Boots = min(s.Boots+1, maxBoots)
	if s.Boots >= maxBoots {
		s.Passing |= Rebooting
	}
	if r.Serial != "" && s.Serial == "" {
		s.Serial = r.Serial
	}
	for _, d := range s.Debts {
		s.asks = append(s.asks, inherited(d.Writes, now.Mono))
	}
	s.links = make([]string, len(s.Done))
	switch trust {
	case Holed:
		if s.Latched&Rotten == 0 {
			s.Receipts += lostReceipts // what was lost may have used some
		}
		s.Latched |= Rotten
	case Alien:
		s.Passing |= DiskFailed
	}
	r.resume(&s, now)
	r.seekAbove(&s, now)
	return s
}

// MayStart says whether the program may start once more without that being too often.
func (s *State) MayStart() bool { return s.Boots+1 < maxBoots }

// resume says what becomes of the charge that was under way.
func (r *Rules) resume(s *State, now hal.Instant) {
	switch s.Phase {
	case Approving, Waiting:
		// Nobody knows whether the driver is still there.
		s.ask = inherited(s.Charge.Writes, now.Mono)
		r.owe(s, now, 0, display.PowerLost)
	case Charging:
		s.Phase = Stopping
		s.Charge.Why = display.PowerLost
		s.Wear.Closings++
		s.Wear.Hot++ // it fell open under whatever load there was
	}
	if s.Phase == Stopping {
		s.ask = inherited(s.Charge.Writes, now.Mono)
	}
}

// inherited is the asking about a payment for which so many calls are known to
// have been sent before the restart, nobody knows when.
func inherited(writes uint16, now time.Duration) ask {
	return ask{next: now, heard: now, pace: now + time.Duration(min(int(writes), burst))*refill}
}
