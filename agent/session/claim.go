package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Chosen by us: whoever reads the code off a page needs two tries, and whoever
// guesses at four digits needs two weeks of charging.
const (
	maxWrong = 5
	lockFor  = 10 * time.Minute
)

// claim is how it stands with people who say that a charge is theirs. It is not kept:
// after a restart the code is asked for anew.
type claim struct {
	guest  payment.Holder // who knew the code; zero for nobody
	number uint64         // of the charge that the guest may see and stop
	wrong  uint8          // codes in a row that were wrong
	locked time.Duration  // no code is looked at before this, Instant.Mono
}

// stopCode is what a driver who has lost the page needs to get it back: four digits
// that follow from the holder, and from which the holder does not follow.
func stopCode(h payment.Holder) string {
	sum := sha256.Sum256(append([]byte("stolpe stop code\x00"), h[:]...))
	return fmt.Sprintf("%04d", binary.BigEndian.Uint64(sum[:])%10_000)
}

// Claims says what comes of a claim: nil, display.CodeError with the tries that are
// left, display.ErrLocked after too many, display.ErrOver when nobody charges.
func (r *Rules) Claims(s *State, now hal.Instant, c Claimed) error {
	switch {
	case s.Phase == Idle:
		return display.ErrOver
	case now.Mono < s.claim.locked:
		return display.ErrLocked
	case subtle.ConstantTimeCompare([]byte(c.Digits), []byte(stopCode(s.Charge.Holder))) == 1:
		return nil
	case s.claim.wrong >= maxWrong-1:
		return display.ErrLocked
	}
	return display.CodeError{Left: maxWrong - 1 - int(s.claim.wrong)}
}

// claimed takes in a claim.
func (r *Rules) claimed(s *State, now hal.Instant, c Claimed) {
	switch err := r.Claims(s, now, c); {
	case err == nil:
		s.claim = claim{guest: c.Holder, number: s.Charge.Number}
	case err == display.ErrOver || now.Mono < s.claim.locked:
	case err == display.ErrLocked:
		s.claim.wrong, s.claim.locked = 0, now.Mono+lockFor
	default:
		s.claim.wrong++
	}
}

// holder is whose rights h has: its own, or those of the holder whose stop code it
// knew.
func (s *State) holder(h payment.Holder) payment.Holder {
	if s.claim.guest == (payment.Holder{}) || !same(s.claim.guest, h) {
		return h
	}
	if s.Phase != Idle && s.Charge.Number == s.claim.number {
		return s.Charge.Holder
	}
	for _, list := range [][]Debt{s.Debts, s.Done} {
		for i := range list {
			if list[i].Number == s.claim.number {
				return list[i].Holder
			}
		}
	}
	return h
}
