package session

import (
	"strconv"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// seek is the search for payments that the journal does not know of, because a
// card was lost, replaced by an older copy, or torn in a power cut. References
// can be enumerated, and what a payment was made for stands in its metadata, so
// the payment service itself is asked.
//
// First comes the highest number that exists: steps that double while something
// is found, and halve when nothing is. Then every number from there back that
// may still hold money is looked at in order, because one charge ends at the
// register where the next begins.
type seek struct {
	ask     ask
	known   uint64 // highest number known to exist
	stride  uint64 // numbers from known to where is looked next
	gap     uint64 // numbers missing in a row from known+stride on
	halving bool

	receipts  uint64 // newest number of a sales document that a payment tells of
	gathering bool
	at        uint64 // the number being looked at
	open      *Debt  // the newest charge found that has no end yet; nil if none
	held      bool   // and money is held for it
}

// Chosen by us.
const (
	// window numbers in a row without a payment mean that there are no more: so
	// many requests may have failed one after the other.
	window = 16
	// lostReceipts is how many sales documents may have been numbered since the
	// newest payment was made: one for each debt, and its own.
	lostReceipts = MaxDebts + 1
	// backward is how many numbers before the highest are looked at. MaxDebts of
	// them can hold money.
	backward = 4 * MaxDebts
)

// seekAbove starts a search above the newest charge known. It is done at every
// start: an older card that is put back does not look damaged.
func (r *Rules) seekAbove(s *State, now hal.Instant) {
	s.Passing |= Seeking
	s.seek = &seek{known: s.Counter, stride: 1, ask: ask{next: now.Mono}}
}

// number is the charge number to be looked at next.
func (k *seek) number() uint64 {
	if k.gathering {
		return k.at
	}
	return k.known + k.stride + k.gap
}

// change gives the search for changing, apart from older states.
func (s *State) change() *seek {
	k := *s.seek
	s.seek = &k
	return &k
}

// sought takes in what the service has under the number looked at.
func (r *Rules) sought(s *State, now hal.Instant, a payment.Answer) {
	k := s.change()
	k.ask.out = false
	switch a.Status {
	case payment.Unknown, payment.Busy:
		k.ask.later(now.Mono, a.Wait)
		return
	case payment.Refused, payment.Missing, payment.Pending, payment.Held, payment.Settled:
	}
	k.ask.tries, k.ask.next = 0, now.Mono
	if k.gathering {
		r.gather(s, now, a)
		return
	}
	if exists := a.Found.State != payment.NotFound; exists {
		if a.Found.Terms.EVSE == r.evse() {
			k.receipts = max(k.receipts, a.Found.Terms.Receipts)
		}
		k.known, k.gap = k.known+k.stride+k.gap, 0
		if !k.halving {
			k.stride *= 2
		}
		return
	}
	k.gap++
	if k.gap < window {
		return
	}
	k.gap, k.halving = 0, true
	if k.stride > 1 {
		k.stride /= 2
		return
	}
	r.foundHighest(s, now)
}

// foundHighest turns from searching to gathering.
func (r *Rules) foundHighest(s *State, now hal.Instant) {
	k := s.seek
	if k.known == s.Counter {
		s.endSeek()
		return
	}
	// Numbers that are skipped are void, and the books say so. One used twice would
	// be two sales under one name.
	s.Receipts = max(s.Receipts, k.receipts+lostReceipts)
	if s.Phase == Stopping {
		k.open, k.held = &Debt{Charge: s.Charge}, s.Charge.Held
	}
	k.gathering = true
	k.at = s.Counter + 1
	if k.known > s.Counter+backward {
		k.at = k.known - backward + 1
	}
}

func (s *State) endSeek() {
	s.Passing &^= Seeking
	s.seek = nil
}

// gather takes in one payment, in the order of their numbers.
func (r *Rules) gather(s *State, now hal.Instant, a payment.Answer) {
	k := s.seek
	if f := a.Found; f.State != payment.NotFound && f.Terms.EVSE == r.evse() {
		end := f.Terms.Start
		if f.Terms.Meter != s.Serial {
			end = 0 // another meter's register ends no charge of this one
		}
		r.endGathered(s, k, now, end)
		if s.Serial == "" {
			s.Serial = f.Terms.Meter
		}
		if f.Taken > 0 && f.Left() <= 0 {
			s.Receipts++ // a card that was lost before may have given it a number after the jump
		}
		if f.State == payment.Created || f.Left() > 0 {
			k.open = gathered(k.at, f, now)
			k.held = f.Left() > 0 && f.Terms.Meter == s.Serial
		}
	}
	if k.at < k.known {
		k.at++
		return
	}
	s.endSeek()
	switch {
	case k.open == nil || k.open.Number == s.Charge.Number:
	case k.held && s.Phase == Idle:
		// The newest of all: its end is what the meter says now.
		s.Charge, s.ask = k.open.Charge, inherited(burst, now.Mono)
		s.enter(Stopping, now)
	default:
		r.endGathered(s, k, now, k.open.Start)
	}
	s.Counter = k.known
}

// gathered makes a debt of a payment. What has been taken of it already is all
// that will be; what it was for, the register tells.
func gathered(n uint64, f payment.Found, now hal.Instant) *Debt {
	t := f.Terms
	return &Debt{
		Charge: Charge{
			Number: n, Holder: t.Holder, Price: t.Price, Limit: f.Amount, Held: f.State == payment.Authorised,
			Start: t.Start, Seen: t.Start, Started: now.Wall, Why: display.PowerLost, Writes: burst, Gathered: true,
		},
		Due: f.Taken,
	}
}

// endGathered ends the charge found before, at the register where another began.
// It becomes a debt, and the counter moves on with it, in one step: a power cut
// must neither lose it nor find it twice.
func (r *Rules) endGathered(s *State, k *seek, now hal.Instant, end hal.Energy) {
	if k.open == nil {
		return
	}
	d := *k.open
	d.End, d.Ended = max(end, d.Start), now.Wall
	if k.held {
		d.Due = d.owed()
	}
	if d.Number == s.Charge.Number {
		s.Charge = Charge{}
		s.enter(Idle, now)
	}
	s.Counter = max(s.Counter, d.Number)
	s.Debts = append(s.Debts[:len(s.Debts):len(s.Debts)], d)
	s.asks = append(s.asks[:len(s.asks):len(s.asks)], inherited(d.Writes, now.Mono))
	k.open = nil
}

// evse names this EVSE in a payment's metadata.
func (r *Rules) evse() string { return r.Post + "/" + strconv.Itoa(r.EVSE) }
