package vipps

import (
	"context"
	"fmt"
	"net/http"

	"stolpe/payment"
)

// alone makes one call that needs no other, within the time of an asking.
func (c *Client) alone(ctx context.Context, q call) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if fail := c.do(ctx, q); fail != nil {
		return fmt.Errorf("vipps: %w", fail)
	}
	return nil
}

// beside judges a failed call to an API that does not move money: whatever it
// says, it says nothing about the payment or about the sales unit's fitness to
// sell. A no is believed only in words of the service or its gateway, as always.
func beside(status int, p problem) verdict {
	switch status {
	case http.StatusUnauthorized, http.StatusLocked, http.StatusTooManyRequests:
		return is(payment.Busy)
	case http.StatusRequestTimeout, http.StatusConflict: // there already: the next asking reads it
		return is(payment.Unknown)
	}
	if status/100 == 4 && p.by != nobody {
		return no(payment.Rejected)
	}
	return is(payment.Unknown)
}
