package vipps

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"stolpe/payment"
)

// The one complete example of the webhooks guide (2023); its secret is an example,
// too.
const (
	exampleURL    = "https://webhook.site/e2cee29b-012e-4f1d-8ef4-e95fd74a7a63"
	exampleSecret = "A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/xU6FY/A=="
	exampleBody   = `{"some-unique-content":"ee6e441b-cc4a-46f8-895d-a5af79bcc233/hello-world"}`
	exampleSign   = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U="
	exampleHash   = "lNlsp1XA03N34HrQsVzPgJKtC+r7l/RBF4V3JQUWMj4="
	exampleDate   = "Thu, 30 Mar 2023 08:38:32 GMT"
)

// delivery is one to be tampered with.
type delivery struct {
	method, url, body string
	header            http.Header
	secrets           []string
}

func example() delivery {
	h := http.Header{}
	h.Set("x-ms-date", exampleDate)
	h.Set("x-ms-content-sha256", exampleHash)
	h.Set("Authorization", exampleSign)
	return delivery{http.MethodPost, exampleURL, exampleBody, h, []string{exampleSecret}}
}

func (d delivery) status(t *testing.T) int {
	t.Helper()
	v, err := NewReceiver(ReceiverOptions{URL: d.url, MSN: "123456", Secrets: func() []string { return d.secrets }, Hint: func(Hint) {}})
	if err != nil {
		t.Fatal(err)
	}
	// A proxy stands before the post: what arrives has another host and path.
	r := httptest.NewRequest(d.method, "http://10.0.0.7:8080/rewritten?by=proxy", strings.NewReader(d.body))
	r.Header = d.header
	w := httptest.NewRecorder()
	v.ServeHTTP(w, r)
	if w.Body.Len() != 0 {
		t.Errorf("answered with a body: %s", w.Body)
	}
	return w.Code
}

func TestPublishedExampleIsTaken(t *testing.T) {
	if got := example().status(t); got != http.StatusOK {
		t.Fatalf("%d", got)
	}
	rotating := example()
	rotating.secrets = []string{"another", exampleSecret, "", "a third"}
	if got := rotating.status(t); got != http.StatusOK {
		t.Errorf("beside other secrets: %d", got)
	}
}

// The secret is the key as it is printed. A client that decodes it first, or takes
// anything tampered with, is wrong.
func TestTamperedDeliveriesAreTurnedAway(t *testing.T) {
	decoded, err := base64.StdEncoding.DecodeString(exampleSecret)
	if err != nil {
		t.Fatal(err)
	}
	head := func(name string, change func(string) string) func(*delivery) {
		return func(d *delivery) { d.header.Set(name, change(d.header.Get(name))) }
	}
	is := func(s string) func(string) string { return func(string) string { return s } }
	for name, tamper := range map[string]func(*delivery){
		"a byte of the body":      func(d *delivery) { d.body = strings.Replace(d.body, "hello", "hallo", 1) },
		"a space more":            func(d *delivery) { d.body += " " },
		"no body":                 func(d *delivery) { d.body = "" },
		"the date":                head("x-ms-date", is("Thu, 30 Mar 2023 08:38:33 GMT")),
		"no date":                 func(d *delivery) { d.header.Del("x-ms-date") },
		"two dates":               func(d *delivery) { d.header.Add("x-ms-date", exampleDate) },
		"the host":                func(d *delivery) { d.url = strings.Replace(d.url, "webhook.site", "webhook.sitf", 1) },
		"a port":                  func(d *delivery) { d.url = strings.Replace(d.url, "webhook.site", "webhook.site:8080", 1) },
		"the path":                func(d *delivery) { d.url += "/more" },
		"a query":                 func(d *delivery) { d.url += "?x=1" },
		"the hash":                head("x-ms-content-sha256", is(strings.Replace(exampleHash, "l", "m", 1))),
		"no hash":                 func(d *delivery) { d.header.Del("x-ms-content-sha256") },
		"body and hash":           func(d *delivery) { d.body = "{}"; d.header.Set("x-ms-content-sha256", hashOf("{}")) },
		"another signature":       head("Authorization", func(s string) string { return strings.Replace(s, "ag", "bg", 1) }),
		"a signature cut short":   head("Authorization", func(s string) string { return s[:len(s)-4] }),
		"a signature in capitals": head("Authorization", strings.ToUpper),
		"other signed headers":    head("Authorization", func(s string) string { return strings.Replace(s, "x-ms-date;host", "host;x-ms-date", 1) }),
		"no signature":            func(d *delivery) { d.header.Del("Authorization") },
		"an empty signature":      head("Authorization", is("")),
		"two signatures":          func(d *delivery) { d.header.Add("Authorization", exampleSign) },
		"the secret decoded":      func(d *delivery) { d.secrets = []string{string(decoded)} },
		"another secret":          func(d *delivery) { d.secrets = []string{exampleSecret + "="} },
		"no secret":               func(d *delivery) { d.secrets = nil },
		"an empty secret":         func(d *delivery) { d.secrets = []string{""}; sign(d, "") },
	} {
		d := example()
		tamper(&d)
		if got := d.status(t); got != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", name, got)
		}
	}
	d := example()
	d.method = http.MethodGet
	if got := d.status(t); got != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got)
	}
	d = example()
	d.body = strings.Repeat("x", maxWebhook+1)
	if got := d.status(t); got != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge one: %d", got)
	}
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// sign signs a delivery to the example's address, by the steps of the guide and
// without the code under test.
func sign(d *delivery, secret string) {
	const path, host = "/e2cee29b-012e-4f1d-8ef4-e95fd74a7a63", "webhook.site"
	d.header.Set("x-ms-content-sha256", hashOf(d.body))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("POST\n" + path + "\n" + d.header.Get("x-ms-date") + ";" + host + ";" + hashOf(d.body)))
	d.header.Set("Authorization", "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// receive delivers bodies, signed, to one receiver, and gives its hints and log.
func receive(t *testing.T, bodies ...string) ([]Hint, string) {
	t.Helper()
	var log bytes.Buffer
	var hints []Hint
	v, err := NewReceiver(ReceiverOptions{
		URL: exampleURL, MSN: "123456", Secrets: func() []string { return []string{"s"} },
		Hint: func(h Hint) { hints = append(hints, h) }, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range bodies {
		d := example()
		d.body = body
		sign(&d, "s")
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header = d.header
		w := httptest.NewRecorder()
		v.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	for len(v.hints) > 0 {
		v.Hint(<-v.hints)
	}
	cancel()
	v.Deliver(ctx)
	return hints, log.String()
}

func captured(psp string) string {
	return fmt.Sprintf(`{"msn":"123456","reference":"A12-1-000042","pspReference":%q,"name":"CAPTURED","amount":{"currency":"NOK","value":6808},"timestamp":"2026-11-27T12:00:00Z","success":true,"new":{"deep":[1]}}`, psp)
}

func TestHintsArePassedOnOnce(t *testing.T) {
	hints, _ := receive(t, captured("p-1"), captured("p-1"), captured("p-2"), strings.Replace(captured("p-1"), "CAPTURED", "CANCELLED", 1), captured("p-2"))
	want := []Hint{{"A12-1-000042", "CAPTURED", "p-1", true}, {"A12-1-000042", "CAPTURED", "p-2", true}, {"A12-1-000042", "CANCELLED", "p-1", true}}
	if fmt.Sprint(hints) != fmt.Sprint(want) {
		t.Errorf("%+v\nwant %+v", hints, want)
	}
}

// An event without a number of its own must not hide those of other payments.
func TestEventsWithoutANumber(t *testing.T) {
	bare := strings.Replace(captured("p-1"), `"pspReference":"p-1",`, "", 1)
	hints, _ := receive(t, bare, bare, strings.Replace(bare, "000042", "000043", 1))
	if len(hints) != 2 || hints[0].Ref != "A12-1-000042" || hints[1].Ref != "A12-1-000043" {
		t.Errorf("%+v", hints)
	}
}

// What has been forgotten is told again: the memory has an end.
func TestMemoryOfDeliveriesHasAnEnd(t *testing.T) {
	v, err := NewReceiver(ReceiverOptions{URL: exampleURL, MSN: "123456", Secrets: func() []string { return nil }, Hint: func(Hint) {}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 * maxSeen {
		v.take(http.Header{}, []byte(captured(fmt.Sprint(n))))
	}
	if len(v.seen) != maxSeen || len(v.old) != maxSeen {
		t.Errorf("%d and %d are remembered, want %d", len(v.seen), len(v.old), maxSeen)
	}
}

// Whatever is authentic is answered with 200, or it would hold up all that follows.
func TestOddDeliveriesAreTaken(t *testing.T) {
	hints, log := receive(t, "", "null", "[]", "{}", `{"reference":"../x"}`, `{"reference":5}`, "\xff", strings.Replace(captured("p-1"), "123456", "654321", 1))
	if len(hints) != 0 || !strings.Contains(log, "another sales unit") || strings.Count(log, "says nothing") != 7 {
		t.Errorf("%v\n%s", hints, log)
	}
	if !strings.Contains(log, "from another time") {
		t.Error("a date of 2023 is not noticed")
	}
}

func TestTooManyHintsAreDropped(t *testing.T) {
	var bodies []string
	for n := range maxSeen + maxHints {
		bodies = append(bodies, captured(fmt.Sprint(n)))
	}
	hints, log := receive(t, bodies...)
	if len(hints) != maxHints || !strings.Contains(log, "webhook dropped") {
		t.Errorf("%d hints", len(hints))
	}
}

func FuzzReceiver(f *testing.F) {
	f.Add(exampleBody, exampleDate, exampleSign)
	f.Add(captured("p"), "", "HMAC-SHA256 ")
	f.Add(strings.Replace(captured("p"), "123456", "654321", 1), "Fri, 27 Nov 2026 12:00:00 GMT", "")
	f.Add(`{"msn":123456,"reference":null,"pspReference":{},"name":[],"success":"yes"}`, "2026-11-27T12:00:00Z", "Bearer x")
	f.Add(`{"msn":"123456","reference":"A12-1-000042\n","name":"\u0000"}`, "\n;host;", strings.ToLower(exampleSign))
	f.Add(`{"msn":"123456","reference":"A12-1-000042","REFERENCE":"A12-1-000043"}`, exampleDate+";", exampleSign+exampleSign)
	f.Add("\xef\xbb\xbf"+captured("p"), exampleDate, exampleSign[:len(exampleSign)-1])
	f.Add(strings.Repeat("[", 20000), exampleDate, exampleSign)
	v, err := NewReceiver(ReceiverOptions{URL: exampleURL, MSN: "123456", Secrets: func() []string { return []string{"never"} }, Hint: func(Hint) {}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, date, authorization string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header = http.Header{"X-Ms-Date": {date}, "X-Ms-Content-Sha256": {hashOf(body)}, "Authorization": {authorization}}
		w := httptest.NewRecorder()
		v.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			t.Fatal("taken without the secret")
		}
		v.take(r.Header, []byte(body)) // authentic, and hostile
		for len(v.hints) > 0 {
			if h := <-v.hints; !h.Ref.Valid() {
				t.Fatalf("%q", h.Ref)
			}
		}
	})
}

func TestHooksAreRegistered(t *testing.T) {
	s := start(t, payment.Found{})
	c := s.client(t)
	answer := `{"id":"1a2b-3c","secret":"SECRET-of-the-hook=="}`
	s.on("?", func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "GET /webhooks/v1/webhooks":
			says(200, `{"webhooks":[{"id":"1a2b-3c","url":"https://lad.example.no/webhooks/vipps","events":["epayments.payment.captured.v1"]}]}`)(w, r)
		case "POST /webhooks/v1/webhooks":
			says(201, answer)(w, r)
		case "DELETE /webhooks/v1/webhooks/1a2b-3c":
			w.WriteHeader(204)
		default:
			says(400, problemOf(400, ""))(w, r)
		}
	})
	h, err := c.AddHook(t.Context(), "https://lad.example.no/webhooks/vipps")
	if err != nil || h.ID != "1a2b-3c" || h.Secret != "SECRET-of-the-hook==" || len(h.Events) != 8 {
		t.Fatal(h.ID, err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "hook", h)
	inJSON, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if told := fmt.Sprintf("%v %+v %#v %s %s %s", h, h, h, &h, log.String(), inJSON); strings.Contains(told, "SECRET") {
		t.Errorf("the secret is told: %s", told)
	}
	if all, err := c.Hooks(t.Context()); err != nil || len(all) != 1 || all[0].URL != "https://lad.example.no/webhooks/vipps" {
		t.Errorf("%v, %v", all, err)
	}
	if err := c.DropHook(t.Context(), "1a2b-3c"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"", "../x", "a b", strings.Repeat("a", 65)} {
		if err := c.DropHook(t.Context(), id); err == nil || !strings.Contains(err.Error(), "want an id") {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := c.DropHook(t.Context(), "other"); err == nil {
		t.Error("an unknown registration is dropped")
	}
	for _, address := range []string{"", "lad.example.no", "http://lad.example.no/x", "https://lad.example.no:9/x", "https://a:b@lad.example.no/x"} {
		if _, err := c.AddHook(t.Context(), address); err == nil || !strings.Contains(err.Error(), "want https") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, answer = range []string{"{}", `{"id":"x"}`, `{"id":"","secret":"SECRET"}`, `{"id":5,"secret":"SECRET`, "null"} {
		if _, err := c.AddHook(t.Context(), "https://lad.example.no/x"); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// Whoever sends what nobody signed fills no log with it.
func TestStrangersAreToldOfOnce(t *testing.T) {
	var log bytes.Buffer
	v, err := NewReceiver(ReceiverOptions{
		URL: exampleURL, MSN: "123456", Secrets: func() []string { return nil }, Hint: func(Hint) {}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		w := httptest.NewRecorder()
		v.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")))
		if w.Code != http.StatusUnauthorized {
			t.Fatal(w.Code)
		}
	}
	if n := strings.Count(log.String(), "turned away"); n != 1 {
		t.Errorf("told %d times", n)
	}
}
