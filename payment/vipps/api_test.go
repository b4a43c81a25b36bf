package vipps

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"stolpe/payment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ref payment.Ref = "A12-1-000042"

// order is an order as the post gives it: 350 kr to hold, or 68.08 to take.
func order(verb payment.Verb) payment.Order {
	o := payment.Order{Verb: verb, Ref: ref, Currency: payment.NOK, Attempt: 1}
	switch verb {
	case payment.Reserve:
		o.Amount, o.Terms, o.Return = 35000, terms(), "https://lad.example.no/s/abc?x=1&y=2"
	case payment.Settle:
		o.Amount = 6808
	}
	return o
}

func terms() payment.Terms {
	return payment.Terms{
		EVSE: "A12/1", Meter: "22110345", Start: 123456, Holder: payment.Holder{0xab, 15: 0xcd},
		Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549},
	}
}

// api is a small ePayment API on loopback. It does what it is told for one
// payment, unless the test scripts an operation.
type api struct {
	*httptest.Server

	mu       sync.Mutex
	there    payment.Found
	currency payment.Currency
	metadata map[string]string
	script   map[string]http.HandlerFunc // by operation, instead of the true answer
	calls    []seen
}

// seen is a request as it arrived.
type seen struct {
	op, method, path, proto string
	header                  http.Header
	body                    string
}

// start starts the service with a payment of ours in it.
func start(t *testing.T, there payment.Found) *api {
	s := &api{there: there, currency: payment.NOK, metadata: terms().Metadata(), script: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *api) config() Config {
	return Config{
		BaseURL: s.URL, MSN: "123456", ClientID: "5ec2e7a0-id", ClientSecret: "SECRET-client==", SubscriptionKey: "SECRETsubscription",
		SystemName: "stolpe", SystemVersion: "1.2.3",
	}
}

func (s *api) client(t *testing.T) *Client {
	t.Helper()
	c, err := New(s.config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// on scripts an operation.
func (s *api) on(op string, h http.HandlerFunc) *api {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script[op] = h
	return s
}

// says answers with this, the same every time.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// problemOf is an error as the API writes it.
func problemOf(status int, code string) string {
	extra := "null"
	if code != "" {
		extra = fmt.Sprintf(`[{"name":"ErrorCode","reason":%q}]`, code)
	}
	return fmt.Sprintf(`{"type":"https://httpstatuses.io/%[1]d","title":"No","status":%[1]d,"traceId":"00-abc-01","extraDetails":%[2]s}`, status, extra)
}

// asked lists the operations that arrived, in order.
func (s *api) asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ops []string
	for _, c := range s.calls {
		ops = append(ops, c.op)
	}
	return strings.Join(ops, " ")
}

// last is the last request of an operation.
func (s *api) last(t *testing.T, op string) seen {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.calls) - 1; i >= 0; i-- {
		if s.calls[i].op == op {
			return s.calls[i]
		}
	}
	t.Fatalf("no %s arrived", op)
	return seen{}
}

// changes counts the requests that change something.
func (s *api) changes() int {
	return strings.Count(s.asked(), "create") + strings.Count(s.asked(), "capture") + strings.Count(s.asked(), "cancel")
}

func operationOf(r *http.Request) string {
	switch r.Method + " " + r.URL.Path {
	case "POST /accesstoken/get":
		return "token"
	case "POST /epayment/v1/payments":
		return "create"
	case "GET /epayment/v1/payments/" + string(ref):
		return "get"
	case "POST /epayment/v1/payments/" + string(ref) + "/capture":
		return "capture"
	case "POST /epayment/v1/payments/" + string(ref) + "/cancel":
		return "cancel"
	case "POST /epayment/v1/payments/" + string(ref) + "/refund":
		return "refund"
	case "GET /epayment/v1/payments/" + string(ref) + "/events":
		return "events"
	case "POST /epayment/v1/test/payments/" + string(ref) + "/approve":
		return "approve"
	}
	return "?"
}

// ServeHTTP writes the request down and answers it.
func (s *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	op := operationOf(r)
	s.mu.Lock()
	s.calls = append(s.calls, seen{op, r.Method, r.URL.RequestURI(), r.Proto, r.Header.Clone(), string(body)})
	scripted := s.script[op]
	s.mu.Unlock()
	if scripted != nil {
		scripted(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status, answer := s.answer(op, body)
	says(status, answer)(w, r)
}

func (s *api) answer(op string, body []byte) (int, string) {
	f := &s.there
	switch op {
	case "token":
		return 200, tokenBody("SECRET.token-1", 3600)
	case "create":
		*f = payment.Found{State: payment.Created, Amount: 35000, URL: "https://landing.example/?token=SECRET.landing"}
		return 201, fmt.Sprintf(`{"redirectUrl":%q,"reference":%q}`, f.URL, ref)
	case "get":
		if f.State == payment.NotFound {
			return 404, problemOf(404, "5090")
		}
		return 200, getBody(*f, s.currency, s.metadata)
	case "capture":
		var b captureBody
		json.Unmarshal(body, &b)
		f.Taken += b.ModificationAmount.Value
		return 200, adjustBody(*f, s.currency)
	case "refund":
		var b captureBody
		json.Unmarshal(body, &b)
		f.Refunded += b.ModificationAmount.Value
		return 200, adjustBody(*f, s.currency)
	case "events":
		return 200, `[{"reference":"A12-1-000042","pspReference":"p-1","name":"CREATED","amount":{"currency":"NOK","value":35000},"timestamp":"2026-11-27T12:00:00.5Z","success":true},` +
			`{"reference":"A12-1-000042","pspReference":"p-2","name":"CAPTURED","amount":{"currency":"NOK","value":6808},"timestamp":"2026-11-27T13:00:00Z","idempotencyKey":"A12-1-000042-c1","success":false,"more":1}]`
	case "approve":
		f.State, f.Held = payment.Authorised, f.Amount
		return 200, ""
	case "cancel":
		if f.State == payment.Created {
			f.State, f.Freed = payment.EndedByUs, f.Amount
		} else {
			f.Freed += f.Left()
		}
		return 200, adjustBody(*f, s.currency)
	}
	return 404, `{"statusCode":404,"message":"Resource not found"}`
}

func tokenBody(token string, seconds int) string {
	return fmt.Sprintf(`{"token_type":"Bearer","expires_in":"%[1]d","ext_expires_in":"%[1]d","expires_on":"1","not_before":"0","resource":"r","access_token":%[2]q}`, seconds, token)
}

func getBody(f payment.Found, currency payment.Currency, metadata map[string]string) string {
	pairs, _ := json.Marshal(metadata)
	return fmt.Sprintf(`{%s,"paymentMethod":{"type":"WALLET"},"profile":{},"redirectUrl":%q,"metadata":%s}`, parts(f, currency), f.URL, pairs)
}

func adjustBody(f payment.Found, currency payment.Currency) string {
	return "{" + parts(f, currency) + "}"
}

func parts(f payment.Found, currency payment.Currency) string {
	amount := func(a payment.Amount) string { return fmt.Sprintf(`{"currency":%q,"value":%d}`, currency, a) }
	return fmt.Sprintf(`"reference":%q,"pspReference":"p-1","state":%q,"amount":%s,"aggregate":{"authorizedAmount":%s,"capturedAmount":%s,"cancelledAmount":%s,"refundedAmount":%s}`,
		ref, stateWord(f.State), amount(f.Amount), amount(f.Held), amount(f.Taken), amount(f.Freed), amount(f.Refunded))
}

func stateWord(s payment.State) string {
	return [...]string{"", "CREATED", "AUTHORIZED", "ABORTED", "EXPIRED", "TERMINATED"}[s]
}

// approved is a payment of ours that the payer has approved.
func approved() payment.Found {
	return payment.Found{State: payment.Authorised, Amount: 35000, Held: 35000}
}

// brief is an answer in a word or two.
func brief(a payment.Answer) string {
	if a.Reason == payment.NoReason {
		return a.Status.String()
	}
	return a.Status.String() + "/" + a.Reason.String()
}
