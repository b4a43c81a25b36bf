package vipps

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"stolpe/payment"
)

const paymentsPath = "/epayment/v1/payments"

// call is one call to one of the service's APIs.
type call struct {
	op     operation
	what   string             // it is about: a reference, a code's id
	method string             // POST if empty and there is a body, GET if there is none
	path   string             // whole
	query  url.Values         // nil for none
	key    string             // Idempotency-Key; empty where the API has none
	accept string             // Accept; empty for JSON
	header map[string]string  // what else the API wants to be told; nil for nothing
	body   any                // nil for none
	most   int64              // bytes of the answer's body; 0 for maxBody
	hide   string             // must not be told in an error; empty for nothing
	take   func([]byte) error // reads the body of a success; nil if that says nothing
}

// read gets the payment.
func (c *Client) read(ctx context.Context, o payment.Order) (payment.Found, *failure) {
	var f payment.Found
	var currency payment.Currency
	fail := c.do(ctx, call{op: get, what: string(o.Ref), path: paymentsPath + "/" + string(o.Ref), hide: string(o.Phone), take: func(body []byte) (err error) {
		f, currency, err = decodePayment(body, o.Ref)
		return err
	}})
	switch {
	case fail != nil:
		return payment.Found{}, fail
	case o.Currency != "" && currency != o.Currency:
		return payment.Found{}, declined(o.Ref, no(payment.Foreign), fmt.Errorf("the payment is not in %s", o.Currency))
	case !c.fitURL(f.URL):
		f.URL = ""
	}
	return f, nil
}

// change makes the one call the order needs next, given what was found, and
// returns what that made of the payment. Where none is needed, nothing changes.
func (c *Client) change(ctx context.Context, o payment.Order, f payment.Found) (payment.Found, *failure) {
	q, needed := c.next(o, f)
	if !needed {
		return f, nil
	}
	var after payment.Found
	q.take = func(body []byte) (err error) {
		if q.op == create {
			after, err = c.decodeCreated(body, o)
		} else {
			after, err = decodeAdjusted(body, o.Ref, o.Currency, f)
		}
		return err
	}
	if fail := c.do(ctx, q); fail != nil {
		return payment.Found{}, fail
	}
	return after, nil
}

// next puts the order's next call into the API's words, if there is one. Cancel
// has no key: the API lists none for it, and a 4xx would stick to one.
func (c *Client) next(o payment.Order, f payment.Found) (call, bool) {
	n := o.Next(f)
	amount := money{o.Currency, n.Amount}
	ref := string(o.Ref)
	at := paymentsPath + "/" + ref
	switch n.Kind {
	case payment.Create:
		return call{op: create, what: ref, path: paymentsPath, key: o.Key(n.Kind), hide: string(o.Phone), body: c.createBody(o, amount)}, true
	case payment.Capture:
		return call{op: capture, what: ref, path: at + "/capture", key: o.Key(n.Kind), body: captureBody{amount}}, true
	case payment.Withdraw, payment.CancelAll:
		return call{op: cancel, what: ref, path: at + "/cancel", body: cancelBody{n.Kind == payment.Withdraw}}, true
	}
	return call{}, false
}

// createBody asks for a payment in the way the payer gets to it. No receipt goes
// along: one that is sent here is final, and the sum is not known yet.
func (c *Client) createBody(o payment.Order, amount money) createBody {
	b := createBody{
		Amount:              amount,
		PaymentMethod:       methodBody{"WALLET"},
		Reference:           o.Ref,
		UserFlow:            "WEB_REDIRECT",
		ReturnURL:           o.Return,
		CustomerInteraction: "CUSTOMER_PRESENT", // required where the payer stands at the machine
		PaymentDescription:  c.config.Description(o.Terms),
		Metadata:            o.Terms.Metadata(),
	}
	switch o.Way {
	case payment.ByCode:
		b.UserFlow, b.QRFormat = "QR", &formatBody{"TEXT/TARGETURL"} // the post's screen draws it
	case payment.ByPush:
		b.UserFlow, b.Customer = "PUSH_MESSAGE", &customerBody{string(o.Phone)}
	}
	return b
}

// decodeCreated reads the answer to a create. Without an address to send the
// payer to it is not believed: reading back may give one. Whoever is asked in the
// app needs none.
func (c *Client) decodeCreated(body []byte, o payment.Order) (payment.Found, error) {
	var b createdBody
	switch err := json.Unmarshal(body, &b); {
	case err != nil:
		return payment.Found{}, err
	case b.Reference != o.Ref:
		return payment.Found{}, errors.New("answer is about another reference")
	case o.Way == payment.ByPush:
		b.URL = ""
	case !c.fitURL(b.URL):
		return payment.Found{}, errors.New("no address for the payer")
	}
	return payment.Found{State: payment.Created, Amount: o.Amount, URL: b.URL, Terms: o.Terms}, nil
}

// do makes the call and hands the body of a success to q.take. A token the
// service no longer takes is replaced, once.
func (c *Client) do(ctx context.Context, q call) *failure {
	what := strings.TrimSpace(fmt.Sprintf("%v %s", q.op, q.what))
	for again := false; ; again = true {
		token, fail := c.tokens.get(ctx)
		if fail != nil {
			f := *fail // others are told the same
			f.what = what + ": " + f.what
			return &f
		}
		got, err := c.send(ctx, q, token)
		if err == nil && got.status/100 == 2 {
			if q.take != nil {
				err = q.take(got.body)
			}
			if err == nil {
				return nil
			}
			got.body, err = nil, nonsense(got.body, err)
		}
		if got.status != http.StatusUnauthorized || again {
			return c.failed(q.op, what, got, err, token, q.hide)
		}
		c.tokens.drop(token)
	}
}

// What is wrong with the body of a success.
var (
	errNonsense = errors.New("answer makes no sense")
	errNotJSON  = errors.New("answer is not JSON")
)

// nonsense says of a success that cannot be read whether it is in the service's
// form at all: a login page comes with 200, too.
func nonsense(body []byte, err error) error {
	if json.Valid(body) {
		return fmt.Errorf("%w: %w", errNonsense, err)
	}
	return fmt.Errorf("%w: %w", errNotJSON, err)
}

// send makes the call with this token.
func (c *Client) send(ctx context.Context, q call, token string) (reply, error) {
	method, body := http.MethodGet, []byte(nil)
	if q.body != nil {
		var err error
		method = http.MethodPost
		if body, err = json.Marshal(q.body); err != nil {
			return reply{}, err
		}
	}
	if q.method != "" {
		method = q.method
	}
	r, err := c.request(ctx, method, q.path, body)
	if err != nil {
		return reply{}, err
	}
	r.URL.RawQuery = q.query.Encode()
	r.Header.Set("Authorization", "Bearer "+token)
	for name, value := range map[string]string{"Idempotency-Key": q.key, "Accept": q.accept} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	return roundTripUpTo(c.http, r, max(q.most, maxBody))
}

// request makes a request with what every request carries. A body can be read
// once only (GetBody is nil): net/http would otherwise send a request with an
// Idempotency-Key a second time by itself when an old connection breaks.
func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.GetBody = nil
		r.Header.Set("Content-Type", "application/json")
	}
	h := r.Header
	h.Set("Ocp-Apim-Subscription-Key", c.config.SubscriptionKey)
	h.Set("Merchant-Serial-Number", c.config.MSN)
	for _, name := range []string{"Vipps-System", "Vipps-System-Plugin"} { // we are system and plug-in in one
		if c.config.SystemName != "" {
			h.Set(name+"-Name", c.config.SystemName)
		}
		if c.config.SystemVersion != "" {
			h.Set(name+"-Version", c.config.SystemVersion)
		}
	}
	return r, nil
}

// failed is the failure of a call, and what came back, if anything did. The
// secrets went along with it.
func (c *Client) failed(op operation, what string, got reply, err error, secrets ...string) *failure {
	p := decodeProblem(got.body)
	plain, advice := explain(got, p, err)
	return &failure{
		verdict: judge(op, got.status, p),
		what:    what,
		plain:   plain,
		advice:  advice,
		http:    got.status,
		bare:    got.status != 0 && len(got.body) == 0 && err == nil,
		code:    p.code,
		trace:   p.trace,
		detail:  p.detail,
		wait:    retryAfter(got.header),
		cause:   err,
		hide:    hider(append(secrets, c.config.ClientID, c.config.ClientSecret, c.config.SubscriptionKey)...),
	}
}
