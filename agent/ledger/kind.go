package ledger

import "strings"

// Kind says what a line tells of. Its words are those of the telemetry's events.
type Kind string

// The kinds that tell of money. They are kept for ever.
const (
	Sold          Kind = "session.settled"        // a charge has been settled, and something was sold
	Ended         Kind = "session.abandoned"      // a charge has been settled, and nothing was sold
	Void          Kind = "receipt.void"           // numbers of sales documents that will never be used
	Informed      Kind = "receipt.told"           // what became of a receipt for the payer's app
	RefundIntent  Kind = "payment.refund_begun"   // somebody is about to give money back
	Refunded      Kind = "payment.refunded"       // and it has been given back
	RefundRefused Kind = "payment.refund_refused" // or the service has refused for good, and nothing was given back
)

// The kinds that tell of other things. They are kept for a while.
const (
	SessionCreated    Kind = "session.created"    // a driver has asked for a charge
	SessionAuthorised Kind = "session.authorised" // the payer has approved
	SessionStarted    Kind = "session.started"    // the contactor has closed for the first time
	SessionSuspended  Kind = "session.suspended"  // the car draws nothing
	SessionResumed    Kind = "session.resumed"    // and it draws again
	SessionEnded      Kind = "session.ended"      // the bill is known; it is settled next
	PaymentFailed     Kind = "payment.failed"     // a settlement needs a person
	FaultRaised       Kind = "fault.raised"
	FaultCleared      Kind = "fault.cleared"
	CommandAccepted   Kind = "command.accepted"
	CommandRefused    Kind = "command.refused"
	CommandDone       Kind = "command.done"
	PostBooted        Kind = "post.booted"       // the program has started
	PostClock         Kind = "post.clock"        // the clock has jumped, or is better or worse than it was
	PostConfig        Kind = "post.config"       // the configuration is another
	PostCommissioned  Kind = "post.commissioned" // somebody has put the post into service; kept for ever
	Trimmed           Kind = "book.trimmed"      // stands where lines were that are kept no longer
)

// pageKind is that of the first line of a file, which is about the file and has no
// number of its own: that of the line before it.
const pageKind Kind = "book.page"

// Money says whether the kind tells of money.
func (k Kind) Money() bool {
	switch k {
	case Sold, Ended, Void, Informed, RefundIntent, Refunded, RefundRefused:
		return true
	}
	return false
}

// stays says whether lines of the kind are kept for ever: what tells of money, and who
// has answered for the post.
func (k Kind) stays() bool { return k.Money() || k == PostCommissioned }

// durable says whether an entry of the kind is on disk when Append returns.
func (k Kind) durable() bool {
	return k.stays() || strings.HasPrefix(string(k), "fault.") || strings.HasPrefix(string(k), "command.")
}

// today is the word of today for one that was used before the book had events.
func (k Kind) today() Kind {
	switch k {
	case "sold":
		return Sold
	case "ended":
		return Ended
	case "void":
		return Void
	case "informed":
		return Informed
	case "refund_intent":
		return RefundIntent
	case "refunded":
		return Refunded
	case "refund_refused":
		return RefundRefused
	}
	return k
}
