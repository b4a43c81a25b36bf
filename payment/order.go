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
	var room [MaxPostID + 24]byte
	b := append(room[:0], post...)
	b = strconv.AppendInt(append(b, '-'), int64(evse), 10)
	b = append(b, '-')
	for least := uint64(100_000); n < least && least > 1; least /= 10 {
		b = append(b, '0')
	}
	return Ref(strconv.AppendUint(b, n, 10))
}

// Valid says whether the service takes r for a reference: 8 to 64 letters, digits and
// hyphens (ePayment API 1.8.1, schema Reference). Such a one is safe in a path as it is.
func (r Ref) Valid() bool {
	return len(r) >= 8 && len(r) <= 64 && plain(string(r), "-")
}

// plain says whether s is ASCII letters, digits and the extra characters.
func plain(s, extra string) bool {
	for i := range len(s) {
		c := s[i]
		if letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'; !letter && (c < '0' || c > '9') && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return true
}

// Number is the charge number that a reference ends in; 0 if it ends in none.
func (r Ref) Number() uint64 {
	n, place := uint64(0), uint64(1)
	for i := len(r) - 1; i >= 0 && r[i] != '-'; i-- {
		if r[i] < '0' || r[i] > '9' || len(r)-i > 19 {
			return 0
		}
		n += uint64(r[i]-'0') * place
		place *= 10
	}
	return n
}

// Split takes a reference of that post apart: the EVSE and the number of the
// charge. It says no to any other reference, that of a post whose id begins in the
// same way included: an EVSE is a number, and there is exactly one after the post.
func (r Ref) Split(post string) (evse int, n uint64, ok bool) {
	rest, ours := strings.CutPrefix(string(r), post+"-")
	if !ours || post == "" {
		return 0, 0, false
	}
	first, _, _ := strings.Cut(rest, "-")
	evse, err := strconv.Atoi(first)
	n = r.Number()
	return evse, n, err == nil && n > 0 && r == NewRef(post, evse, n)
}

// Post is the id of the post that a reference names; empty if it names none.
func (r Ref) Post() string {
	i := strings.LastIndexByte(string(r), '-')
	if i < 0 {
		return ""
	}
	post := string(r[:i])
	if i = strings.LastIndexByte(post, '-'); i < 0 {
		return ""
	}
	if _, _, ok := r.Split(post[:i]); !ok {
		return ""
	}
	return post[:i]
}

// Verb says what an order asks for.
type Verb uint8

// The verbs. The zero value changes nothing.
const (
	Look    Verb = iota // read the payment back
	Reserve             // hold Amount; the payer approves
	Settle              // take Amount of what is held, then release the rest
	Inform              // put Receipt, and then a link to Return, into the payer's app
	verbs
)

// String gives the verb as a word.
func (v Verb) String() string { return [verbs]string{"look", "reserve", "settle", "inform"}[v] }

// Way is how the payer gets to the payment.
type Way uint8

// The ways. The zero value suits a phone that shows our page.
const (
	ByLink Way = iota // by an address on our page
	ByCode            // by a code on the post's own screen, drawn from the address
	ByPush            // by a message to the app of whoever has Order.Phone
	ways
)

// String gives the way as a word.
func (w Way) String() string { return [ways]string{"link", "code", "push"}[w] }

// Phone is a payer's number: country code and number, 9 to 15 digits and nothing
// else; empty when it is not known. It is personal, so it prints as stars, and it
// is never kept.
type Phone string

// String gives stars for a number.
func (p Phone) String() string {
	if p == "" {
		return ""
	}
	return "***"
}

// GoString gives stars for a number, so that %#v tells no more than %v.
func (p Phone) GoString() string { return p.String() }

// Order is what the post asks of the payment service. The same order may be
// asked any number of times.
type Order struct {
	Verb     Verb
	Ref      Ref
	Amount   Amount // minor units: to hold, or to take in all; with Inform: what was taken
	Currency Currency
	Attempt  uint8  // which capture key: one more only after a definite refusal
	Seq      uint32 // which asking this is, so that a late answer is known for one
	Terms    Terms  // with Reserve: written into the payment
	Return   string // with Reserve: the page the payer comes back to; with Inform: the page to link to, may be empty
	Way      Way    // with Reserve
	Phone    Phone  // with Reserve by ByPush

	Receipt *Receipt // with Inform; never changed
}

// Status says how an asking ended.
type Status uint8

// The statuses of an answer.
const (
	Unknown Status = iota // nobody knows: read back before anything else
	Busy                  // not now; the same again later
	Missing               // the service has no such payment
	Pending               // made, and the payer has not decided; to an Inform: a part of it is in the app
	Held                  // approved; money is held, perhaps part of it taken
	Refused               // no, and asking the same again will not change it
	Settled               // nothing is held any more; to an Inform: all of it is in the app
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
	NoPush            // the sales unit may not send messages to the app
	reasons
)

// LastReason is the last of them, for whoever must refuse what is none.
const LastReason = reasons - 1

// String gives the reason as a word.
func (r Reason) String() string {
	return [reasons]string{"", "aborted", "expired", "terminated", "foreign", "setup", "no_partial", "funds_gone", "too_late", "conflict", "rejected", "meddled", "no_push"}[r]
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
