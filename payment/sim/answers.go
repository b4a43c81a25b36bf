package sim

import (
	"fmt"
	"net/http"
	"time"

	"stolpe/payment"
)

// guaranteed is how long a card's bank stands by a reservation; the shortest of
// those published (Visa, BankAxept).
const guaranteed = 7 * day

type aggregate struct {
	Authorized money `json:"authorizedAmount"`
	Cancelled  money `json:"cancelledAmount"`
	Captured   money `json:"capturedAmount"`
	Refunded   money `json:"refundedAmount"`
}

// adjusted answers capture, cancel and refund.
type adjusted struct {
	Amount       money       `json:"amount"`
	State        EventName   `json:"state"`
	Aggregate    aggregate   `json:"aggregate"`
	PSPReference string      `json:"pspReference"`
	Reference    payment.Ref `json:"reference"`
}

// got answers get.
type got struct {
	adjusted
	PaymentMethod method            `json:"paymentMethod"`
	Profile       struct{}          `json:"profile"` // empty: this sales unit asks nobody for anything
	RedirectURL   string            `json:"redirectUrl,omitempty"`
	Metadata      map[string]string `json:"metadata,omitempty"`
	Guaranteed    string            `json:"captureGuaranteedUntil,omitempty"` // since 1.8.5: clients must bear new fields
}

type method struct {
	Type string `json:"type"`
}

type eventBody struct {
	Reference    payment.Ref `json:"reference"`
	PSPReference string      `json:"pspReference"`
	Name         EventName   `json:"name"`
	Amount       money       `json:"amount"`
	Timestamp    string      `json:"timestamp"`
	Key          string      `json:"idempotencyKey,omitempty"`
	Success      bool        `json:"success"`
}

// stateName is the API's word for a state, which is that of the event that leads
// to it.
func stateName(s payment.State) EventName {
	return [...]EventName{"", Created, Authorized, Aborted, Expired, Terminated}[s]
}

// pspNumber writes a pspReference as the API does: ten digits.
func pspNumber(n uint64) string { return fmt.Sprintf("3%09d", n) }

func (t *Till) adjusted(ref payment.Ref, f payment.Found) adjusted {
	e := t.book.entries[ref]
	sum := func(a payment.Amount) money { return money{e.request.Currency, a} }
	return adjusted{
		Amount: sum(f.Amount), State: stateName(f.State), PSPReference: pspNumber(e.psp), Reference: ref,
		Aggregate: aggregate{sum(f.Held), sum(f.Freed), sum(f.Taken), sum(f.Refunded)},
	}
}

func (t *Till) get(now time.Duration, in inbound) reply {
	ref := payment.Ref(in.ref)
	f, p := t.book.Get(now, ref)
	if p != nil {
		return t.problem(in, p)
	}
	body := got{
		adjusted: t.adjusted(ref, f), PaymentMethod: method{"WALLET"},
		RedirectURL: link(in, f), Metadata: t.orders[ref].said.Metadata,
	}
	if f.State == payment.Authorised {
		body.Guaranteed = t.wall(t.book.entries[ref].approved + guaranteed).Format(time.RFC3339)
	}
	return reply{status: http.StatusOK, kind: plainJSON, body: body}
}

func (t *Till) events(now time.Duration, in inbound) reply {
	ref := payment.Ref(in.ref)
	e, p := t.book.read(now, ref)
	if p != nil {
		return t.problem(in, p)
	}
	body := []eventBody{}
	for _, ev := range e.events {
		body = append(body, eventBody{
			ref, pspNumber(ev.PSP), ev.Name, money{e.request.Currency, ev.Amount},
			t.wall(ev.At).Format(time.RFC3339Nano), ev.Key, ev.Success,
		})
	}
	return reply{status: http.StatusOK, kind: plainJSON, body: body}
}

func (t *Till) change(now time.Duration, in inbound) reply {
	sum := in.said.Modification
	c := Change{in.header.Get("Idempotency-Key"), payment.Ref(in.ref), sum.Value, sum.Currency}
	if in.call == RefundCall {
		return t.told(in)(t.book.Refund(now, c))
	}
	return t.told(in)(t.book.Capture(now, c))
}

func (t *Till) cancel(now time.Duration, in inbound) reply {
	return t.told(in)(t.book.Cancel(now, payment.Ref(in.ref), in.said.Only))
}

// told makes the reply to a capture, cancel or refund.
func (t *Till) told(in inbound) func(payment.Found, *Problem) reply {
	return func(f payment.Found, p *Problem) reply {
		if p != nil {
			return t.problem(in, p)
		}
		return reply{status: http.StatusOK, kind: problemJSON, body: t.adjusted(payment.Ref(in.ref), f)}
	}
}

// approve is force approve: what the payer does, without a payer.
func (t *Till) approve(now time.Duration, in inbound) reply {
	ref := payment.Ref(in.ref)
	o, known := t.orders[ref]
	switch {
	case !known:
		return t.problem(in, refuse(noSuchPayment))
	case in.said.Token != nil && !is(*in.said.Token, o.token), !t.decide(now, ref, true):
		return t.problem(in, refuse(notApproved))
	}
	return reply{status: http.StatusOK}
}
