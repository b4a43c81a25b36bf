package vipps

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"stolpe/payment"
)

// The bodies we send. They hold exactly what is sent: the API refuses fields it
// does not know.
type (
	money struct {
		Currency payment.Currency `json:"currency"`
		Value    payment.Amount   `json:"value"` // minor units
	}
	createBody struct {
		Amount              money             `json:"amount"`
		PaymentMethod       methodBody        `json:"paymentMethod"`
		Reference           payment.Ref       `json:"reference"`
		UserFlow            string            `json:"userFlow"`
		ReturnURL           string            `json:"returnUrl,omitempty"`
		Customer            *customerBody     `json:"customer,omitempty"`
		QRFormat            *formatBody       `json:"qrFormat,omitempty"`
		CustomerInteraction string            `json:"customerInteraction"`
		PaymentDescription  string            `json:"paymentDescription"`
		Metadata            map[string]string `json:"metadata"`
	}
	methodBody struct {
		Type string `json:"type"`
	}
	customerBody struct {
		PhoneNumber string `json:"phoneNumber"`
	}
	formatBody struct {
		Format string `json:"format"`
	}
	captureBody struct {
		ModificationAmount money `json:"modificationAmount"`
	}
	// cancelBody is always sent: an empty body is known to give type errors.
	cancelBody struct {
		CancelTransactionOnly bool `json:"cancelTransactionOnly"` // leave an approved payment alone
	}
)

// The bodies we read. Fields we do not know are passed over: new ones may come
// at any time.
type (
	createdBody struct {
		Reference payment.Ref `json:"reference"`
		URL       string      `json:"redirectUrl"`
	}
	value struct {
		Currency payment.Currency `json:"currency"`
		Value    *payment.Amount  `json:"value"` // minor units; nil if it is not there
	}
	adjustedBody struct {
		Reference payment.Ref `json:"reference"`
		State     string      `json:"state"`
		Aggregate struct {
			Authorized value `json:"authorizedAmount"`
			Captured   value `json:"capturedAmount"`
			Cancelled  value `json:"cancelledAmount"`
			Refunded   value `json:"refundedAmount"`
		} `json:"aggregate"`
	}
	paymentBody struct {
		adjustedBody
		Amount   value             `json:"amount"`
		URL      string            `json:"redirectUrl"`
		Metadata map[string]string `json:"metadata"`

		Guaranteed text `json:"captureGuaranteedUntil"` // since 1.8.5
	}
)

// decodePayment reads the answer to a GET: what was found, and its currency.
func decodePayment(body []byte, ref payment.Ref) (payment.Found, payment.Currency, error) {
	var b paymentBody
	if err := json.Unmarshal(body, &b); err != nil {
		return payment.Found{}, "", err
	}
	currency := b.Amount.Currency
	var f payment.Found
	if err := b.Amount.into(&f.Amount, currency); err != nil {
		return payment.Found{}, "", fmt.Errorf("amount: %w", err)
	}
	f, err := b.onto(f, ref, currency)
	if err != nil {
		return payment.Found{}, "", err
	}
	if f.State == payment.Created {
		f.URL = b.URL
	}
	if until, err := time.Parse(time.RFC3339, string(b.Guaranteed)); err == nil && until.Unix() > 0 {
		f.Guaranteed = until.Unix()
	}
	if t, err := payment.ParseTerms(b.Metadata); err == nil && t.Price.Currency == currency {
		f.Terms = t // of a payment that is not ours nothing is taken over
	}
	return f, currency, nil
}

// decodeAdjusted reads the answer to a capture or a cancel: what it made of the
// payment that was read before.
func decodeAdjusted(body []byte, ref payment.Ref, currency payment.Currency, before payment.Found) (payment.Found, error) {
	var b adjustedBody
	if err := json.Unmarshal(body, &b); err != nil {
		return payment.Found{}, err
	}
	before.URL = ""
	return b.onto(before, ref, currency)
}

// onto writes state and amounts into f. Every part must be there and fit the
// others: what is left to release is computed from them.
func (b adjustedBody) onto(f payment.Found, ref payment.Ref, currency payment.Currency) (payment.Found, error) {
	if b.Reference != ref {
		return payment.Found{}, errors.New("answer is about another reference")
	}
	a := b.Aggregate
	err := errors.Join(a.Authorized.into(&f.Held, currency), a.Captured.into(&f.Taken, currency),
		a.Cancelled.into(&f.Freed, currency), a.Refunded.into(&f.Refunded, currency))
	if err != nil {
		return payment.Found{}, fmt.Errorf("aggregate: %w", err)
	}
	known := false
	if f.State, known = state(b.State); !known {
		return payment.Found{}, fmt.Errorf("state %q is not known", b.State)
	}
	if f.State == payment.Authorised && (f.Held == 0 || f.Left() < 0 || f.Refunded > f.Taken) {
		return payment.Found{}, fmt.Errorf("aggregate does not add up: %d authorised, %d captured, %d cancelled, %d refunded",
			f.Held, f.Taken, f.Freed, f.Refunded)
	}
	return f, nil
}

func (v value) into(a *payment.Amount, currency payment.Currency) error {
	if v.Value == nil || *v.Value < 0 || *v.Value > payment.MaxAmount || v.Currency != currency || currency == "" {
		return fmt.Errorf("want an amount of 0 to %d minor units, all in one currency", payment.MaxAmount)
	}
	*a = *v.Value
	return nil
}

func state(s string) (payment.State, bool) {
	switch s {
	case "CREATED":
		return payment.Created, true
	case "AUTHORIZED":
		return payment.Authorised, true
	case "ABORTED":
		return payment.DeclinedByPayer, true
	case "EXPIRED":
		return payment.TimedOut, true
	case "TERMINATED":
		return payment.EndedByUs, true
	}
	return payment.NotFound, false
}

// speaker is who wrote an error.
type speaker uint8

const (
	nobody  speaker = iota // not in a form we know: a proxy, or half a document
	gateway                // in front of the API; it knows keys and paths, but no payments
	service
)

// problem is an error as the API tells it.
type problem struct {
	by     speaker
	code   string // four or five digits; empty without one
	trace  string
	detail string
}

var codePattern = regexp.MustCompile(`^[0-9]{4,5}$`)

// decodeProblem reads an error in any of its shapes: the service's (RFC 7807),
// the token endpoint's, and the one of the gateway in front.
func decodeProblem(body []byte) problem {
	var b struct {
		Type, Title, Detail, TraceID, Instance text
		ExtraDetails                           []struct{ Name, Reason text }
		Error                                  text
		Description                            text `json:"error_description"`
		StatusCode, Message                    text
	}
	if json.Unmarshal(body, &b) != nil {
		return problem{}
	}
	p := problem{trace: string(b.TraceID)}
	said := []string{}
	for _, s := range []text{b.Title, b.Detail, b.Instance, b.Error, b.Description, b.Message} {
		if s != "" {
			said = append(said, string(s))
		}
	}
	for _, d := range b.ExtraDetails {
		said = append(said, string(d.Name+"="+d.Reason))
		if p.code == "" && d.Name == "ErrorCode" && codePattern.MatchString(string(d.Reason)) {
			p.code = string(d.Reason)
		}
	}
	p.detail = strings.Join(said, "; ")
	switch {
	case b.Type+b.Title+b.TraceID+b.Error != "" || p.code != "":
		p.by = service
	case b.StatusCode != "":
		p.by = gateway
	}
	return p
}

// text is any JSON value as text: the API writes some numbers as strings, and
// what is a string in one error is a list in another.
type text string

// UnmarshalJSON takes the content of a string, nothing from null, and anything
// else as it stands.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s *string
	if json.Unmarshal(raw, &s) != nil {
		*t = text(raw)
		return nil
	}
	if s != nil {
		*t = text(*s)
	}
	return nil
}
