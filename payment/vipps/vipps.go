// Package vipps asks the Vipps MobilePay ePayment API on behalf of one sales
// unit: it turns a payment.Order into HTTPS and what comes back into a
// payment.Answer.
//
// # Why
//
// What to do with a payment is decided in package payment (Order.Next and
// Order.Answer) and nowhere else. This package knows how to say it to the API,
// what the API's words mean (codes.go, one table), and when nobody can know.
//
// One asking makes at most one call that changes anything, and never repeats one
// whose answer was lost: the next asking reads the payment back first. The API
// takes five such calls a minute for a reference. That budget is kept by whoever
// paces the asking, who can count over restarts; this package only promises that
// one asking is one call. A call turned away with 401 was never made, so it is
// made once more with a new token.
//
// A definite no is believed only in the service's own words. A 403 or 404 with a
// page of some proxy, an empty body, or half a document says nothing about the
// payment. A failed read never refuses anything either: the payment is what it
// was. Success is read just as strictly: an aggregate with a part missing would
// otherwise read as "nothing is held any more".
//
// HTTP/1.1 only. Over HTTP/2 one dead mobile connection fails every call that
// shares it until the kernel gives up, many minutes later; HTTP/1.1 drops the
// connection together with the call that timed out.
//
// The proxy variables of the environment are respected. TLS ends at the service,
// so a proxy can delay a call but neither read nor change it, and gateways often
// stand in networks with no other way out. Calls to loopback never use a proxy.
package vipps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"stolpe/payment"
)

// Client asks the ePayment API for one sales unit. Any number of goroutines may
// use it at the same time.
type Client struct {
	config *Config // a pointer, so that printing a Client prints no keys
	base   *url.URL
	http   *http.Client
	tokens *tokens
}

// New makes a client, or says what is wrong with the configuration: all of it,
// each field by its name and no key by its value. It connects to nothing.
func New(config Config) (*Client, error) {
	if config.Description == nil {
		config.Description = describe
	}
	base, err := config.check()
	if err != nil {
		return nil, fmt.Errorf("vipps: %w", err)
	}
	c := &Client{config: &config, base: base, http: &http.Client{Transport: newTransport(), CheckRedirect: stay}}
	c.tokens = &tokens{fetch: c.fetchToken}
	return c, nil
}

// Ask brings an order one step forward and says how it stands. It makes at most
// one call that changes anything, takes at most 20 s, and ends with ctx.
//
// The answer always has a status. With an error it says what to do next, and the
// error says to a log what happened: the operation, the reference, what the API
// answered, the trace id, the cause; no key and no token.
//
//   - Unknown: no answer, or none that can be relied on. Ask again; a look or a
//     settle order reads the payment back before anything else.
//   - Busy: nothing changed. Ask the same again, not before Wait.
//   - Missing, without an error: the service does not know the reference.
//   - Refused with an error: a definite no to this call under this key.
//   - Anything else is what package payment makes of the payment itself.
//
// Found is what the service had when it was last read, and zero when the call
// that followed may have changed it, or when the payment is not ours. Code is the
// API's error code, or "HTTP 503" where it gave none.
func (c *Client) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	if err := c.fit(o); err != nil {
		return conclude(o, payment.Found{}, declined(o.Ref, no(payment.Rejected), err))
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	switch o.Verb {
	case payment.Reserve:
		return c.reserve(ctx, o)
	case payment.Settle:
		return c.settle(ctx, o)
	case payment.Inform:
		return c.inform(ctx, o)
	}
	f, fail := c.read(ctx, o)
	return conclude(o, f, fail)
}

// reserve creates the payment without looking first: key and reference are both
// guards, and the driver is waiting.
func (c *Client) reserve(ctx context.Context, o payment.Order) (payment.Answer, error) {
	if o.Way == payment.ByPush && !c.config.Push {
		fail := declined(o.Ref, no(payment.NoPush), errors.New("push messages are not switched on"))
		fail.advice = "set payment.push_message: true, if the service has approved that for the sales unit; drivers get a link meanwhile"
		return conclude(o, payment.Found{}, fail)
	}
	f, fail := c.change(ctx, o, payment.Found{})
	if fail != nil && fail.exists {
		f, fail = c.adopt(ctx, o)
	}
	return conclude(o, f, fail)
}

// adopt reads the payment that is in the way of creating one.
func (c *Client) adopt(ctx context.Context, o payment.Order) (payment.Found, *failure) {
	f, fail := c.read(ctx, o)
	switch {
	case fail != nil && fail.status == payment.Missing:
		// There, and not there: another asking may be creating it at this moment.
		return f, declined(o.Ref, is(payment.Unknown), errors.New("the reference exists, yet there is no payment"))
	case fail == nil && !o.Ours(f):
		return payment.Found{}, declined(o.Ref, no(payment.Foreign), errors.New("the reference has a payment of another amount or other terms"))
	}
	return f, fail
}

func (c *Client) settle(ctx context.Context, o payment.Order) (payment.Answer, error) {
	f, fail := c.read(ctx, o)
	if fail != nil {
		return conclude(o, f, fail)
	}
	after, fail := c.change(ctx, o, f)
	if fail != nil && fail.status != payment.Unknown {
		after = f // nothing changed, so what was read still holds
	}
	return conclude(o, after, fail)
}

// conclude makes the answer.
func conclude(o payment.Order, f payment.Found, fail *failure) (payment.Answer, error) {
	if fail == nil {
		return o.Answer(f), nil
	}
	a := payment.Answer{Status: fail.status, Reason: fail.reason, Found: f, Code: fail.label()}
	if a.Status == payment.Busy {
		a.Wait = fail.wait
	}
	if a.Status == payment.Missing {
		return a, nil // an answer, not a failure
	}
	return a, fmt.Errorf("vipps: %w", fail)
}
