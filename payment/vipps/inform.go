package vipps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"stolpe/payment"
)

// ordersPath is where the Order Management API keeps what the payer's app shows
// of a payment made with ePayment.
const ordersPath = "/order-management/v2/ecom"

// linkCategory is what the link in the app is called. Only one of them is shown,
// the last one sent.
const linkCategory = "RECEIPT"

// shownBody is what the app shows of a payment.
type shownBody struct {
	Category *categoryBody `json:"category"`
	Receipt  *struct {
		Lines []json.RawMessage `json:"orderLines"`
	} `json:"receipt"`
}

// inform puts the receipt into the payer's app, and then the link. The API takes
// a receipt once and for ever and has no idempotency keys, so what is there is
// read first. It does not check that there is such a payment.
func (c *Client) inform(ctx context.Context, o payment.Order) (payment.Answer, error) {
	there, fail := c.shown(ctx, o.Ref)
	switch {
	case fail != nil:
		return conclude(o, payment.Found{}, fail)
	case there.Receipt == nil || len(there.Receipt.Lines) == 0:
		status := payment.Settled
		if o.Return != "" && !there.links(o.Return) {
			status = payment.Pending
		}
		return c.tell(ctx, o, status, call{path: ordersPath + "/receipts/" + string(o.Ref), body: receiptOf(o.Receipt)})
	case o.Return == "" || there.links(o.Return):
		return payment.Answer{Status: payment.Settled}, nil
	}
	return c.tell(ctx, o, payment.Settled, call{
		method: http.MethodPut, path: ordersPath + "/categories/" + string(o.Ref),
		body: categoryBody{Category: linkCategory, URL: o.Return},
	})
}

// tell makes the one call that changes something. Its success gives this status.
// The body of a success is an id nobody needs.
func (c *Client) tell(ctx context.Context, o payment.Order, status payment.Status, q call) (payment.Answer, error) {
	q.op, q.what = inform, string(o.Ref)
	if fail := c.do(ctx, q); fail != nil {
		return conclude(o, payment.Found{}, fail)
	}
	return payment.Answer{Status: status}, nil
}

// shown reads what the app shows. That there is nothing yet is a 404, whoever
// says it: a receipt sent in vain does no harm, as a second one is turned away.
func (c *Client) shown(ctx context.Context, ref payment.Ref) (shownBody, *failure) {
	var b shownBody
	fail := c.do(ctx, call{op: inform, what: string(ref), path: ordersPath + "/" + string(ref), take: func(body []byte) error {
		return decodeObject(body, &b)
	}})
	switch {
	case fail == nil:
		return b, nil
	case fail.http == http.StatusNotFound && fail.status != payment.Busy: // busy: it was the token that was not found
		return shownBody{}, nil
	}
	return shownBody{}, fail
}

// links says whether the app links to this page already.
func (b shownBody) links(page string) bool {
	return b.Category != nil && b.Category.Category == linkCategory && b.Category.URL == page
}

// decodeObject reads a JSON object, and nothing else: null is no answer.
func decodeObject(body []byte, into any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return err
	}
	if members == nil {
		return errors.New("null instead of an object")
	}
	return json.Unmarshal(body, into)
}

// fitInform says why a receipt or a link cannot be sent at all. What is sent
// cannot be corrected.
func (c *Client) fitInform(o payment.Order) error {
	switch {
	case o.Receipt == nil:
		return errors.New("there is no receipt to tell")
	case o.Return != "" && !c.fitURL(o.Return):
		return fmt.Errorf("link of %d characters: want an https address of at most %d", len(o.Return), maxReturn)
	case o.Receipt.Currency != o.Currency || !o.Currency.Known():
		return fmt.Errorf("receipt in %q for an order in %q: want NOK, DKK or EUR in both", o.Receipt.Currency, o.Currency)
	}
	if err := fitReceipt(o.Receipt); err != nil {
		return err
	}
	if sum := o.Receipt.Total(); sum > payment.MaxAmount || o.Amount != 0 && sum != o.Amount {
		return fmt.Errorf("receipt: lines of %d minor units together: want what was taken, %d", sum, o.Amount)
	}
	return nil
}
