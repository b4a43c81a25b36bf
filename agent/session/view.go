package session

import (
	"crypto/subtle"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Chosen by us.
const (
	// suspendedAfter without energy a page says that the car is not charging.
	suspendedAfter = 3 * time.Minute
	// startingFor is how long a post may know nothing before that is a fault.
	startingFor = 15 * time.Second
)

// View is what the post's own screen shows of s at now: the charge under way.
func (r *Rules) View(s *State, now hal.Instant) display.View {
	v := r.public(s, now)
	if s.Phase != Idle {
		v.Charge = r.viewCharge(s, now)
	}
	return v
}

// Public is what everybody may see of s at now: nothing of any charge.
func (r *Rules) Public(s *State, now hal.Instant) display.View { return r.public(s, now) }

// Session is what the holder of a session page may see: the charge under way if
// it is theirs, or one of the last. It says no when there is none of theirs.
func (r *Rules) Session(s *State, now hal.Instant, h payment.Holder) (display.View, bool) {
	v := r.public(s, now)
	h = s.holder(h)
	if s.Phase != Idle && same(s.Charge.Holder, h) {
		v.State = r.phaseState(s, now)
		v.Charge = r.viewCharge(s, now)
		v.Charge.StopCode = stopCode(h)
		return v, true
	}
	for settled, list := range [][]Debt{s.Debts, s.Done} {
		for i := len(list) - 1; i >= 0; i-- { // the newest first
			if same(list[i].Holder, h) {
				v.Charge = r.viewDebt(s.Serial, &list[i])
				v.Charge.Settled = settled == 1
				return v, true
			}
		}
	}
	return v, false
}

// HeldBy says whether the charge under way belongs to the holder.
func (s *State) HeldBy(h payment.Holder) bool {
	return s.Phase != Idle && same(s.Charge.Holder, s.holder(h))
}

func same(a, b payment.Holder) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

func (r *Rules) public(s *State, now hal.Instant) display.View {
	v := display.View{
		Code: r.Code, Price: r.Price, Choices: r.Choices, Default: r.Default, MaxPower: r.MaxPower,
		Busy: s.Phase != Idle, State: r.phaseState(s, now), Push: r.pushes(s),
	}
	if v.Busy {
		v.Since = s.Charge.Started
	}
	faults := s.Faults()
	v.Fault = faults.Code()
	switch {
	case s.Phase != Idle && faults&unsafe == 0:
	case faults&(Withdrawn|Recall) != 0, faults == Renewing:
		v.State = display.Unavailable
	case s.Phase == Idle && faults&unsafe&^Welded != 0 && faults&latching == 0 && faults&DiskFailed == 0 && now.Mono < startingFor:
		v.State, v.Fault = display.Starting, ""
	case faults&(unsafe|Worn) != 0:
		v.State = display.Faulted
	case faults != 0 || len(s.Debts) >= MaxDebts:
		v.State = display.Settling
	}
	return v
}

// phaseState is the display's word for the phase.
func (r *Rules) phaseState(s *State, now hal.Instant) display.State {
	switch s.Phase {
	case Approving:
		return display.Paying
	case Waiting:
		return display.Authorised
	case Charging:
		switch {
		case !s.flow.closed:
			return display.Closing
		case s.quiet(now.Mono) >= suspendedAfter:
			return display.Suspended
		}
		return display.Charging
	case Stopping:
		return display.Stopping
	}
	if !s.dead(now.Mono) {
		return display.Starting
	}
	return display.Available
}

func (r *Rules) viewCharge(s *State, now hal.Instant) display.Charge {
	c := r.viewFacts(s.Serial, &s.Charge)
	c.PayURL, c.Way = s.url, s.way
	c.Reading = now.Mono - s.meter.at
	u := s.Charge.Use()
	switch s.Phase {
	case Approving:
		c.Left = max(0, r.Limits.Approve-(now.Mono-s.Since))
	case Waiting:
		c.Left = max(0, r.Limits.PlugIn*time.Duration(1+s.grants)-(now.Mono-s.Since))
	case Charging:
		u = r.useNow(s, now)
		c.Power = s.meter.power
		c.Idle = r.viewIdle(s, now)
	case Stopping:
		u.Energy = max(0, max(s.meter.last, s.Charge.Seen)-s.Charge.Start)
	}
	c.Energy, c.Elapsed = u.Energy, u.Time
	c.Cost = min(s.Charge.Price.Total(u), s.Charge.Limit)
	return c
}

func (r *Rules) viewIdle(s *State, now hal.Instant) display.IdleView {
	p, quiet := s.Charge.Price.Idle, s.quiet(now.Mono)
	v := display.IdleView{Quiet: quiet}
	if p.Minute > 0 && s.meter.last > s.Charge.Start {
		v.Runs = quiet > p.After
		v.Starts = max(0, p.After-quiet)
	}
	return v
}

// Past is a settled charge as its driver may see it, though this state knows
// nothing of it any more. Its meter had that serial number.
func (r *Rules) Past(s *State, now hal.Instant, serial string, d *Debt) display.View {
	v := r.public(s, now)
	v.Charge = r.viewDebt(serial, d)
	v.Charge.Settled = true
	return v
}

func (r *Rules) viewDebt(serial string, d *Debt) display.Charge {
	c := r.viewFacts(serial, &d.Charge)
	c.End, c.Ended = d.Why, d.Ended
	c.Bill = d.Bill()
	c.Cost, c.Energy, c.Elapsed = d.owed(), max(0, d.End-d.Start), d.Elapsed
	c.Meter.End = r.onMeter(d.End)
	c.Stuck = d.Trouble != payment.NoReason
	c.Captured, c.Released = d.Captured, d.Released
	if d.Receipt != 0 {
		c.Bill, c.Receipt, c.Issued = d.Sold(), r.ReceiptNumber(d), d.Closed
	}
	return c
}

// viewFacts is what a charge can tell of itself in every phase.
func (r *Rules) viewFacts(serial string, c *Charge) display.Charge {
	return display.Charge{
		Ref: r.Ref(c.Number), Price: c.Price, Reserved: c.Limit, Held: c.Held, Started: c.Started,
		Meter: display.Meter{Model: r.Model, Serial: serial, Start: r.onMeter(c.Start)},
	}
}

// onMeter is what the meter's own display shows where a register stands: it has
// begun again at 0 when it was full.
func (r *Rules) onMeter(register hal.Energy) hal.Energy {
	if r.Modulus == 0 {
		return register
	}
	return register % r.Modulus
}
