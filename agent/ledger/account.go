package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"stolpe/payment"
)

// Account is all that the book has of one charge. The zero value has nothing.
type Account struct {
	Ref  payment.Ref
	EVSE int            // its number
	At   int64          // when the end of the charge was written, s since 1970; 0 before
	Sale *Sale          // nil before the end of the charge
	Back payment.Amount // given back, minor units
	Open []Refund       // begun, and not known how they ended; oldest first

	newest int // number of the newest refund
}

// Take takes in an entry about the account's charge.
func (a *Account) Take(e Entry) {
	a.Ref = e.Ref
	switch e.Kind {
	case Sold, Ended:
		if e.Sale != nil && a.Sale == nil {
			a.EVSE, a.At, a.Sale = e.EVSE, e.At, e.Sale
		}
	case RefundIntent, Refunded, RefundRefused:
		if e.Refund != nil {
			a.refund(e.Kind, *e.Refund)
		}
	case Void, Informed: // tell nothing of money
	}
}

func (a *Account) refund(kind Kind, r Refund) {
	a.newest = max(a.newest, refundNumber(a.Ref, r.Key))
	i := slices.IndexFunc(a.Open, func(o Refund) bool { return o.Key == r.Key })
	switch {
	case kind == RefundIntent && i < 0:
		a.Open = append(a.Open, r)
		return
	case kind == RefundIntent:
		return
	case kind == Refunded:
		a.Back += r.Amount
	}
	if i >= 0 {
		a.Open = slices.Delete(slices.Clone(a.Open), i, i+1)
	}
}

// ErrOpenRefund is what NextRefund wraps while an earlier one has no end.
var ErrOpenRefund = errors.New("an earlier refund has no answer yet")

// NextRefund is the refund to be made when somebody wants to give back an amount:
// the one that is open, if there is one, and it must be for the same; else a new
// one, whose key was never used. Keys are those the service knows of, since the
// book may be younger than the payment. An error wraps ErrOpenRefund.
func (a *Account) NextRefund(want Refund, keys []string) (r Refund, open bool, err error) {
	if len(a.Open) > 0 {
		if first := a.Open[0]; first.Amount != want.Amount {
			return first, true, fmt.Errorf("%w: %v %s, key %s", ErrOpenRefund, first.Amount, first.Currency, first.Key)
		}
		return a.Open[0], true, nil
	}
	n := a.newest
	for _, key := range keys {
		n = max(n, refundNumber(a.Ref, key))
	}
	want.Key = refundKey(a.Ref, n+1)
	return want, false, nil
}

func refundKey(ref payment.Ref, n int) string { return fmt.Sprintf("rf-%s-%d", ref, n) }

// refundNumber is the number in the key of a refund; 0 if it is none of this
// payment.
func refundNumber(ref payment.Ref, key string) int {
	text, ours := strings.CutPrefix(key, "rf-"+string(ref)+"-")
	n, err := strconv.Atoi(text)
	if !ours || err != nil || n < 0 || refundKey(ref, n) != key {
		return 0
	}
	return n
}

// Account reads the whole book for one charge. An error may be Damage: the rest
// was read.
func (l *Ledger) Account(ref payment.Ref) (Account, error) {
	a := Account{Ref: ref}
	err := l.Read(func(e Entry) error {
		if e.Ref == ref {
			a.Take(e)
		}
		return nil
	})
	return a, err
}
