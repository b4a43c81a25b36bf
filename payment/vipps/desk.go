package vipps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"stolpe/payment"
)

// What a person asks for, at a desk. The post itself never does.

// Event is one line of what has happened to a payment.
type Event struct {
	Name         string // as in CAPTURED
	PSPReference string // of the event itself
	Key          string // idempotency key that caused it, if the service tells
	Amount       payment.Amount
	Currency     payment.Currency
	At           time.Time
	Success      bool // a CAPTURED event can be of a capture that failed
}

type eventBody struct {
	Reference    payment.Ref `json:"reference"`
	Name         string      `json:"name"`
	PSPReference string      `json:"pspReference"`
	Key          string      `json:"idempotencyKey"`
	Amount       value       `json:"amount"`
	Timestamp    text        `json:"timestamp"`
	Success      bool        `json:"success"`
}

// Events reads what has happened to a payment, oldest first.
func (c *Client) Events(ctx context.Context, ref payment.Ref) ([]Event, error) {
	if !ref.Valid() {
		return nil, fmt.Errorf("vipps: reference %q: want 8 to 64 letters, digits and hyphens", ref)
	}
	var all []Event
	err := c.alone(ctx, call{op: readEvents, what: string(ref), path: paymentsPath + "/" + string(ref) + "/events", take: func(body []byte) error {
		var bodies []eventBody
		if err := json.Unmarshal(body, &bodies); err != nil {
			return err
		}
		if bodies == nil {
			return errors.New("null instead of a list")
		}
		for _, b := range bodies {
			if b.Reference != ref {
				return errors.New("answer is about another reference")
			}
			e := Event{Name: b.Name, PSPReference: b.PSPReference, Key: b.Key, Currency: b.Amount.Currency, Success: b.Success}
			if b.Amount.Value != nil {
				e.Amount = *b.Amount.Value
			}
			if at, err := time.Parse(time.RFC3339, string(b.Timestamp)); err == nil {
				e.At = at
			}
			all = append(all, e)
		}
		return nil
	}})
	return all, err
}

// Refund gives back part of what was captured. The key is the caller's, written
// down before: the same key is the same refund. The payment is read first, and
// again after a success, since what an old key is answered with is not published.
// Unknown means that nobody knows: the same again, under the same key, finds out.
func (c *Client) Refund(ctx context.Context, ref payment.Ref, amount payment.Amount, cur payment.Currency, key string) (payment.Answer, error) {
	o := payment.Order{Ref: ref, Currency: cur}
	if err := errors.Join(c.fit(o), fitKey(key)); err != nil || key == "" || amount <= 0 || amount > payment.MaxAmount {
		return conclude(o, payment.Found{}, declined(ref, no(payment.Rejected), errors.Join(err, fmt.Errorf("refund of %d minor units under key %q", amount, key))))
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	before, fail := c.read(ctx, o)
	if fail != nil {
		return conclude(o, before, fail)
	}
	after := before
	fail = c.do(ctx, call{
		op: refund, what: string(ref), path: paymentsPath + "/" + string(ref) + "/refund", key: key, body: captureBody{money{cur, amount}},
		take: func(body []byte) (err error) {
			after, err = decodeAdjusted(body, ref, cur, before)
			return err
		},
	})
	switch {
	case fail == nil:
		if now, unread := c.read(ctx, o); unread == nil {
			after = now // else what the service made of it has to do
		}
	case fail.status == payment.Unknown:
		after = payment.Found{}
	}
	return conclude(o, after, fail)
}

type approveBody struct {
	Customer customerBody `json:"customer"`
}

// testHost is where payments can be approved without a payer (ePayment API guide,
// servers).
const testHost = "apitest.vipps.no"

// Approve approves a payment as its payer would. It exists in the test environment
// and in simulators; towards anything else it is refused without a call.
func (c *Client) Approve(ctx context.Context, ref payment.Ref, phone payment.Phone) error {
	host := c.base.Hostname()
	switch {
	case !strings.EqualFold(host, testHost) && !loopback(host):
		return fmt.Errorf("vipps: approve %s: %s is not the test environment: want %s", ref, host, testHost)
	case !ref.Valid():
		return fmt.Errorf("vipps: reference %q: want 8 to 64 letters, digits and hyphens", ref)
	case !phonePattern.MatchString(string(phone)):
		return fmt.Errorf("vipps: approve %s: phone number of %d characters: want country code and number, 9 to 15 digits", ref, len(phone))
	}
	return c.alone(ctx, call{
		op: approve, what: string(ref), path: "/epayment/v1/test/payments/" + string(ref) + "/approve",
		hide: string(phone), body: approveBody{customerBody{string(phone)}},
	})
}
