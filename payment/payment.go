// Package payment says the words of money: amounts, prices, bills, and what is
// asked of a payment service and answered by it. It also holds the one place
// that decides which call an order needs next (Order.Next). It does no I/O; the
// packages below it do.
//
// # Why
//
// Two verbs move money, reserve and settle, and both are asked again until the
// answer is final. So an order carries everything that makes asking twice the
// same as asking once: a reference that is never used again, an amount fixed
// before the first asking, and an attempt number from which the keys follow.
//
// One asking makes at most one call that changes anything. The service allows
// five such calls a minute for a reference; as one asking is one call, whoever
// paces the asking keeps that promise, in direct mode and through a gateway,
// and over restarts.
package payment

import "strconv"

// Amount is money in minor units: øre, cent.
type Amount int64

// Currency is an ISO 4217 code in capitals.
type Currency string

// The currencies in which a wallet payment can be made.
const (
	NOK Currency = "NOK"
	DKK Currency = "DKK"
	EUR Currency = "EUR"
)

// Fixed by the ePayment API's description (schema Amount, 1.8.1).
const (
	// MaxAmount is the largest payment, in minor units.
	MaxAmount Amount = 65_000_000
	minNOK    Amount = 100
	minOther  Amount = 1
)

// Known says whether c is a currency this product can sell in.
func (c Currency) Known() bool { return c == NOK || c == DKK || c == EUR }

// Minimum is the smallest payment in c, in minor units. Less than this is never
// captured: whether the service would take it is not published, so it is given
// to the driver.
func (c Currency) Minimum() Amount {
	if c == NOK {
		return minNOK
	}
	return minOther
}

// String writes the amount with two decimals and a point, as in "68.08".
func (a Amount) String() string {
	sign := ""
	if a < 0 {
		sign, a = "-", -a
	}
	cents := strconv.FormatInt(int64(a%100)+100, 10)[1:]
	return sign + strconv.FormatInt(int64(a/100), 10) + "." + cents
}
