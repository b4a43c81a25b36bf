package payment

import "stolpe/hal"

// Open is a payment that a post has still to settle, as it stands at the moment.
// Whoever settles it in the place of a post that has vanished takes Due and no
// more, under the key that the post itself would use.
type Open struct {
	Ref      Ref
	Currency Currency
	Limit    Amount     // reserved, or asked for, minor units
	Due      Amount     // what has been used until the register stood as below, minor units
	Register hal.Energy // Wh
	Attempt  uint8      // which capture key is in use
	Ended    bool       // the charge is over, and Due is its bill
}

// Settle is the order that settles it as it stands.
func (o Open) Settle() Order {
	return Order{Verb: Settle, Ref: o.Ref, Amount: o.Due, Currency: o.Currency, Attempt: o.Attempt}
}
