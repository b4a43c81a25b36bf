package session

import (
	"time"

	"stolpe/display"
	"stolpe/hal"
)

// Last is the charge that ended last, as the post's own screen may show it, and how long
// ago that was. It says no while another is under way, and where there has been none.
func (r *Rules) Last(s *State, now hal.Instant) (c display.Charge, ago time.Duration, ok bool) {
	if s.Phase != Idle {
		return c, 0, false
	}
	for settled, list := range [][]Debt{s.Debts, s.Done} {
		for i := range list {
			d := &list[i]
			if d.Number != s.Counter {
				continue
			}
			c = r.viewDebt(s.Serial, d)
			c.Settled = settled == 1
			return c, max(now.Mono-s.Since, since(d.Ended, now.Wall)), true
		}
	}
	return c, 0, false
}

// since is the time between two stamps of clocks; 0 where one of them is not known. The
// program may have been started anew in between, which no other clock outlives.
func since(then, now hal.Stamp) time.Duration {
	if then.Clock == hal.ClockUnknown || now.Clock == hal.ClockUnknown {
		return 0
	}
	return time.Duration(now.Unix-then.Unix) * time.Second
}
