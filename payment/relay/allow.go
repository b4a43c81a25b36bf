package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"stolpe/payment"
)

// unitWait is how long a post without a sales unit waits before it asks again.
// Chosen by us: it is a mistake in a configuration, which is mended by a reload.
const unitWait = time.Minute

var errUnit = errors.New("the gateway has no sales unit for this post")

// allow says why an order is not this post's to ask; nil if it is. What it may take
// is not bounded beside what is held: that was within bounds when it was reserved.
func allow(u Unit, post string, o payment.Order) error {
	evse, _, ours := o.Ref.Split(post)
	switch {
	case !ours:
		return fmt.Errorf("reference %q: want one of post %s", o.Ref, post)
	case o.Verb == payment.Look:
		return nil
	case o.Currency != u.Currency:
		return fmt.Errorf("currency %q: the sales unit sells in %s", o.Currency, u.Currency)
	case o.Verb == payment.Settle:
		return nil
	case o.Return != "" && !strings.HasPrefix(o.Return, u.Pages):
		return errors.New("return address: want one of the gateway's own pages")
	case o.Verb == payment.Inform:
		return nil
	case o.Amount > u.Most:
		return fmt.Errorf("amount %v %s: at most %v may be reserved", o.Amount, o.Currency, u.Most)
	case o.Terms.EVSE != fmt.Sprintf("%s/%d", post, evse):
		return fmt.Errorf("terms: of EVSE %q, and the reference is %s", o.Terms.EVSE, o.Ref)
	}
	return nil
}

// refuse is the answer to an order that was not the post's to ask. Nothing was done.
func refuse(err error) answer {
	return fromAnswer(payment.Answer{Status: payment.Refused, Reason: payment.Rejected, Code: "gateway"}, err)
}

// ask asks the unit. A payment that it does not have may have been made when the
// post sold through another: taken for one that was never made, its reservation
// would be held for months, and what was used would never be paid.
func (u Unit) ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	a, err := u.Payments[0].Ask(ctx, o)
	if a.Status != payment.Missing || o.Verb == payment.Reserve {
		return a, err
	}
	for _, other := range u.Payments[1:] {
		look, err := other.Ask(ctx, payment.Order{Ref: o.Ref, Currency: o.Currency})
		switch {
		case look.Status == payment.Missing:
		case look.Found.State == payment.NotFound:
			return payment.Answer{Status: payment.Unknown, Code: look.Code}, err // nobody knows whether it is there
		case o.Verb == payment.Look:
			return look, err
		default:
			return other.Ask(ctx, o)
		}
	}
	return a, err
}

// Settle asks the unit to settle a payment as a statement has it, in the place of a
// post that has vanished. Like every asking it makes one step: it is asked again
// until the answer is payment.Settled. An error says why it may not be asked.
func (u Unit) Settle(ctx context.Context, post string, o payment.Open) (payment.Answer, error) {
	order := o.Settle()
	if err := allow(u, post, order); err != nil {
		return payment.Answer{Status: payment.Refused, Reason: payment.Rejected}, fmt.Errorf("relay: %w", err)
	}
	return u.ask(ctx, order)
}
