package sim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// clock is virtual time that a test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Duration      { return time.Duration(c.ns.Load()) }
func (c *clock) pass(span time.Duration) { c.ns.Add(int64(span)) }

var accepted = Credentials{ClientID: "id", ClientSecret: "secret", SubscriptionKey: "subscription", MSN: "123456"}

// client asks a Till over real loopback. Every answer is held against the
// published description where that is at hand.
type client struct {
	t     *testing.T
	till  *Till
	clock *clock
	url   string
	http  *http.Client
	token string
	spec  *description // nil when absent
}

func newClient(t *testing.T, o Options) *client {
	t.Helper()
	c := &client{t: t, clock: &clock{}, spec: loadDescription(t)}
	c.clock.pass(time.Hour)
	if o.TokenLife == 0 {
		o.TokenLife = day // as in production, so that hours can pass
	}
	o.Accept, o.Now, o.Start = accepted, c.clock.now, time.Date(2026, 11, 20, 11, 0, 0, 0, time.UTC)
	c.till = NewTill(o)
	server := httptest.NewServer(c.till)
	t.Cleanup(server.Close)
	c.url = server.URL
	// Without keep-alive, or net/http would repeat a lost request by itself.
	c.http = &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.token = c.newToken()
	return c
}

func (c *client) newToken() string {
	c.t.Helper()
	r := c.request("POST", "/accesstoken/get", "")
	r.Header.Set("client_id", accepted.ClientID)
	r.Header.Set("client_secret", accepted.ClientSecret)
	got := c.do(r)
	if got.status != 200 {
		c.t.Fatalf("no token: %v", got)
	}
	return got.text("access_token")
}

// request has all headers a good client sends.
func (c *client) request(method, path, body string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Ocp-Apim-Subscription-Key", accepted.SubscriptionKey)
	r.Header.Set("Merchant-Serial-Number", accepted.MSN)
	r.Header.Set("Vipps-System-Name", "stolpe")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any // nil when it is no JSON object
	err    error
}

// at finds a value by its dotted path.
func (a answer) at(path string) any {
	var v any = a.body
	for name := range strings.SplitSeq(path, ".") {
		members, _ := v.(map[string]any)
		v = members[name]
	}
	return v
}

func (a answer) text(path string) string {
	s, _ := a.at(path).(string)
	return s
}

// code is the API's error code; empty when there is none.
func (a answer) code() string {
	details, _ := a.at("extraDetails").([]any)
	for _, d := range details {
		if m, _ := d.(map[string]any); m["name"] == "ErrorCode" {
			s, _ := m["reason"].(string)
			return s
		}
	}
	return ""
}

// field is what a validation error complains of.
func (a answer) field() string {
	details, _ := a.at("extraDetails").([]any)
	if len(details) != 1 {
		return ""
	}
	m, _ := details[0].(map[string]any)
	s, _ := m["name"].(string)
	return s
}

// do sends a request; the answer's err tells of a broken connection.
func (c *client) do(r *http.Request) answer {
	c.t.Helper()
	w, err := c.http.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer w.Body.Close()
	raw, err := io.ReadAll(w.Body)
	if err != nil {
		return answer{err: err}
	}
	a := answer{status: w.StatusCode, header: w.Header, raw: string(raw)}
	_ = json.NewDecoder(bytes.NewReader(raw)).Decode(&a.body) // not every answer is JSON
	if c.spec != nil {
		c.spec.checkAnswer(c.t, r, a)
	}
	return a
}

func (c *client) create(key, body string) answer {
	c.t.Helper()
	r := c.request("POST", "/epayment/v1/payments", body)
	r.Header.Set("Idempotency-Key", key)
	return c.do(r)
}

func (c *client) get(tail string) answer {
	c.t.Helper()
	return c.do(c.request("GET", "/epayment/v1/payments/"+tail, ""))
}

// post changes a payment; key may be empty.
func (c *client) post(tail, key, body string) answer {
	c.t.Helper()
	r := c.request("POST", "/epayment/v1/payments/"+tail, body)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return c.do(r)
}

func (c *client) approve() answer {
	c.t.Helper()
	return c.do(c.request("POST", "/epayment/v1/test/payments/"+string(ref)+"/approve", `{"customer":{"phoneNumber":"4712345678"}}`))
}

const (
	createText = `{"amount":{"currency":"NOK","value":35000},"paymentMethod":{"type":"WALLET"},"reference":"A12-1-000001",` +
		`"userFlow":"WEB_REDIRECT","returnUrl":"https://lad.example.no/s/1","customerInteraction":"CUSTOMER_PRESENT",` +
		`"paymentDescription":"Lading A12 <b>1</b>","metadata":{"evse":"A12/1"}}`
	takeText = `{"modificationAmount":{"currency":"NOK","value":6808}}`
	giveText = `{"modificationAmount":{"currency":"NOK","value":808}}`
)

// sums writes the aggregate: held, taken, freed, refunded.
func (a answer) sums() string {
	var words []string
	for _, name := range []string{"authorized", "captured", "cancelled", "refunded"} {
		v, _ := json.Marshal(a.at("aggregate." + name + "Amount.value"))
		words = append(words, string(v))
	}
	return a.text("state") + " " + strings.Join(words, " ")
}
