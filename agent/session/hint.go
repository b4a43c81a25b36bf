package session

import (
	"time"

	"stolpe/hal"
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

// retryAfter is how long the newest asking about a debt rests before a person may
// have it asked again. Chosen by us: a refusal uses up a capture key, and a person
// who presses a button again and again must not use up all of them. Once they are tried
// a day apart, a few times a day must do.
const (
	retryAfter       = 5 * time.Minute
	sparseRetryAfter = 6 * time.Hour
)

// retried has a debt asked about now, whatever pause it is in: somebody has put right
// what was wrong. Calls that change something keep to their budget.
func (s *State) retried(now hal.Instant, ref payment.Ref) {
	i := s.debtOf(ref.Number())
	if i < 0 || s.asks[i].out {
		return
	}
	if now.Mono < s.retryFrom(i) {
		return
	}
	a := s.asks[i]
	a.next, a.tries = min(a.next, now.Mono), 0
	s.setAsk(i, a)
}

// retryFrom is from when on a person may have debt i asked about, Instant.Mono. All
// are asked about at the start, so that counts as an asking.
func (s *State) retryFrom(i int) time.Duration {
	rest := retryAfter
	if s.Debts[i].Attempt >= denseAttempts {
		rest = sparseRetryAfter
	}
	return s.asks[i].calm + rest - calmFor
}

func (a *ask) hint() {
	a.hinted = a.out
	if !a.out {
		a.next = min(a.next, a.calm)
	}
}
