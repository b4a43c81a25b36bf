package session

import (
	"time"

	"stolpe/payment"
)

// calmFor is the least time between two orders that hints bring about: half of the
// 120 reads a minute that the API allows for a reference. Chosen by us.
const calmFor = time.Second

// hinted has a payment read back sooner. A hint for one that the service has no
// answer for is left alone: it would only go round the pauses asked for.
func (s *State) hinted(ref payment.Ref) {
	a := s.askAbout(ref)
	if a == nil || a == &s.tell || a.tries > 0 || s.seek != nil && a == &s.seek.ask {
		return
	}
	updated := *a
	updated.hint()
	if a == &s.ask {
		s.ask = updated
		return
	}
	s.setAsk(s.debtOf(ref.Number()), updated)
}

func (a *ask) hint() {
	a.hinted = a.out
	if !a.out {
		a.next = min(a.next, a.calm)
	}
}
