package payment

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Ref is the reference of a payment: <post>-<evse>-<number>. It is unique for
// the sales unit, never used twice, shown to the payer, and can be enumerated.
type Ref string

// MaxPostID is the longest post id, in bytes. With it the longest reference has
// 16+1+2+1+20 characters, and the longest key fits the API's 50.
const MaxPostID = 16

// NewRef makes the reference of charge number n at an EVSE. Six digits at least:
// the API wants eight characters in all.
func NewRef(post string, evse int, n uint64) Ref {
	digits := strconv.FormatUint(n, 10)
	for len(digits) < 6 {
		digits = "0" + digits
	}
	return Ref(post + "-" + strconv.Itoa(evse) + "-" + digits)
}

// Number is the charge number that a reference ends in; 0 if it ends in none.
func (r Ref) Number() uint64 {
	i := strings.LastIndexByte(string(r), '-')
	n, err := strconv.ParseUint(string(r[i+1:]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Verb says what an order asks for.
type Verb uint8

// The verbs. The zero value changes nothing.
const (
	Look    Verb = iota // read the payment back
	Reserve             // hold Amount; the payer approves
	Settle              // take Amount of what is held, then release the rest
)

// String gives the verb as a word.
func (v Verb) String() string { return [...]string{"look", "reserve", "settle"}[v] }

// Order is what the post asks of the payment service. The same order may be
// asked any number of times.
type Order struct {
	Verb     Verb
	Ref      Ref
	Amount   Amount // minor units: to hold, or to take in all
	Currency Currency
	Attempt  uint8  // which capture key: one more only after a definite refusal
	Seq      uint32 // which asking this is, so that a late answer is known for one
	Terms    Terms  // with Reserve: written into the payment
	Return   string // with Reserve: the page the payer comes back to
}

// Status says how an asking ended.
type Status uint8

// The statuses of an answer.
const (
	Unknown Status = iota // nobody knows: read back before anything else
	Busy                  // not now; the same again later
	Missing               // the service has no such payment
	Pending               // made, and the payer has not decided
	Held                  // approved; money is held, perhaps part of it taken
	Refused               // no, and asking the same again will not change it
	Settled               // nothing is held any more
	statuses
)

// String gives the status as a word.
func (s Status) String() string {
	return [statuses]string{"unknown", "busy", "missing", "pending", "held", "refused", "settled"}[s]
}

// Reason says why something was refused, as far as it matters for what to do.
type Reason uint8

// The reasons.
const (
	NoReason   Reason = iota
	Aborted           // the payer declined
	Expired           // the payer took too long
	Terminated        // the merchant ended it before approval
	Foreign           // the reference belongs to a payment that is not ours
	Setup             // the sales unit or its keys are not fit to sell: a person must act
	NoPartial         // this payment can only be captured whole
	FundsGone         // the bank let the reservation go; it may come back
	TooLate           // the time for capturing or the payment itself is over
	Conflict          // one key, two bodies: a bug of ours
	Rejected          // any other definite no
	Meddled           // amounts have moved that we did not move
	reasons
)

// String gives the reason as a word.
func (r Reason) String() string {
	return [reasons]string{"", "aborted", "expired", "terminated", "foreign", "setup", "no_partial", "funds_gone", "too_late", "conflict", "rejected", "meddled"}[r]
}

// Answer is what came of asking.
type Answer struct {
	Status Status
	Reason Reason
	Found  Found         // what the service has; zero when it was not read
	Wait   time.Duration // with Busy: not before this, when the service said so
	Code   string        // the service's own error code, for the technician
}

// Key derives the idempotency key of a call for this order. It follows from the
// reference and the journalled attempt, so a restart cannot make a new one.
func (o Order) Key(c CallKind) string {
	if c == Capture {
		return fmt.Sprintf("%s-c%d", o.Ref, o.Attempt)
	}
	return string(o.Ref) + "-r"
}
