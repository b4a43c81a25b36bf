// Package relay carries orders and answers over a message broker: both ends of the
// wire, the post's (Client) and the gateway's (Server), in one package, so that they
// cannot come to mean different things.
//
//	post                                     gateway
//	Ask(order) -- <base>/pay/ask ----------> Take, check, ask the sales unit
//	    answer <- <base>/pay/answer -------- answer, under the id of the asking
//	           <- <base>/pay/nudge --------- "look at this payment"
//	           -- <base>/pay/open/<evse> --> what is not settled, retained
//
// # Why
//
// The gateway keeps nothing of a charge. An order carries all that makes asking
// twice the same as asking once, so any gateway may take any asking, the same one
// may be delivered twice, and a gateway may be killed at any instant: whoever hears
// no answer knows nothing, reads the payment back, and asks again. That is the very
// rule of a call to the payment service itself, so nothing new has to be right.
//
// What a post may ask is decided here (allow) from the place the asking came from
// and never from what it says of itself: a payment belongs to the post whose id its
// reference begins with. That the place is true is seen to by whoever carries the
// messages: a message is sealed with a key that only that post and the gateways have.
//
// An asking ends: it carries the time until which it may be acted upon, by the
// gateways' clock. Posts have no clock one could rely on, so a post learns the
// gateways' time from their answers; an asking without a time gets no more than that
// answer, and is made once more. A message that has lain in a broker is thus never
// acted upon late.
//
// Messages are JSON with a version. Fields that are not known are passed over;
// whoever changes the meaning of one makes another version.
package relay

import (
	"context"
	"time"

	"stolpe/payment"
)

// The leaves of a post's topics.
const (
	AskLeaf    = "pay/ask"
	AnswerLeaf = "pay/answer"
	NudgeLeaf  = "pay/nudge"
	OpenLeaf   = "pay/open" // and below it the number of the EVSE; retained
)

// version of the messages.
const version = 1

// Chosen by us.
const (
	// maxMessage bytes are more than the longest order has: one with a receipt of
	// four lines.
	maxMessage = 16 << 10
	// maxSaid characters of an error go back to the post, for its log.
	maxSaid = 200
)

// RepeatEvery is how often a post with open payments says so again although nothing has
// changed: whoever settles for a dead post learns from it how long it has been so. Chosen
// by us.
const RepeatEvery = time.Hour

// Publish hands a message to the broker. It returns nil once the broker has it.
type Publish func(ctx context.Context, leaf string, text []byte) error

// Payments asks a payment service. One asking makes at most one call that changes
// anything. The answer counts even beside an error, which is for the log.
type Payments interface {
	Ask(context.Context, payment.Order) (payment.Answer, error)
}

// gateClock is the gateways' time as far as it is known here, in milliseconds since
// 1970.
type gateClock struct {
	known bool
	ahead int64 // of our own monotonic time, ms
	heard time.Duration
}

// forgetAfter is how long what was heard of the gateways' time is relied on. Chosen
// by us: in an hour a quartz goes wrong by less than a second.
const forgetAfter = time.Hour

func (g *gateClock) hear(now int64, mono time.Duration) {
	*g = gateClock{known: true, ahead: now - mono.Milliseconds(), heard: mono}
}

// at is the gateways' time at an instant of our own; 0 if it is not known.
func (g *gateClock) at(mono, when time.Duration) int64 {
	if !g.known || mono-g.heard > forgetAfter {
		return 0
	}
	return g.ahead + when.Milliseconds()
}
