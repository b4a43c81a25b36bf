package sim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/payment"
)

func TestChargeFromCreateToRefund(t *testing.T) {
	c := newClient(t, Options{})
	made := c.create("r1", createText)
	if made.status != 201 || made.text("reference") != string(ref) || !strings.HasPrefix(made.text("redirectUrl"), c.url+"/app/") {
		t.Fatalf("create: %d %s", made.status, made.raw)
	}
	if again := c.create("r1", createText); again.status != 201 || again.raw != made.raw {
		t.Errorf("create again: %d %s, want %s", again.status, again.raw, made.raw)
	}
	got := c.get(string(ref))
	if got.sums() != "CREATED 0 0 0 0" || got.text("redirectUrl") != made.text("redirectUrl") || got.text("metadata.evse") != "A12/1" {
		t.Errorf("get: %s", got.raw)
	}
	if early := c.post(string(ref)+"/capture", "c0", takeText); early.status != 400 || early.code() != "6080" {
		t.Errorf("captured early: %d %s", early.status, early.raw)
	}
	if a := c.approve(); a.status != 200 || a.raw != "" {
		t.Fatalf("approve: %d %s", a.status, a.raw)
	}
	held := c.get(string(ref))
	if held.sums() != "AUTHORIZED 35000 0 0 0" || held.at("redirectUrl") != nil || held.text("captureGuaranteedUntil") != "2026-11-27T12:00:00Z" {
		t.Errorf("held: %s", held.raw)
	}
	for _, step := range []struct{ tail, key, body, want string }{
		{"/capture", "c1", takeText, "AUTHORIZED 35000 6808 0 0"},
		{"/cancel", "", `{"cancelTransactionOnly":false}`, "AUTHORIZED 35000 6808 28192 0"},
	} {
		got := c.post(string(ref)+step.tail, step.key, step.body)
		if got.status != 200 || got.sums() != step.want || got.header.Get("Content-Type") != problemJSON {
			t.Errorf("%s: %d %s, want %s", step.tail, got.status, got.raw, step.want)
		}
		if got.text("pspReference") != held.text("pspReference") {
			t.Errorf("%s has another pspReference than get", step.tail)
		}
	}
	c.clock.pass(time.Minute)
	if got := c.post(string(ref)+"/refund", "f1", giveText); got.sums() != "AUTHORIZED 35000 6808 28192 808" {
		t.Errorf("refund: %s", got.raw)
	}
	c.checkEvents()
}

func (c *client) checkEvents() {
	c.t.Helper()
	var events []eventBody
	if err := json.Unmarshal([]byte(c.get(string(ref)+"/events").raw), &events); err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for _, ev := range events {
		names = append(names, string(ev.Name)+" "+ev.Key)
	}
	if got, want := strings.Join(names, ","), "CREATED r1,AUTHORIZED ,CAPTURED c1,CANCELLED ,REFUNDED f1"; got != want {
		c.t.Errorf("events: %s, want %s", got, want)
	}
	if at := events[4].Timestamp; at != "2026-11-20T12:01:00Z" {
		c.t.Errorf("refunded at %s", at)
	}
}

func TestTokenNumbersAreStringsAndTokensEnd(t *testing.T) {
	c := newClient(t, Options{TokenLife: 90 * time.Second})
	r := c.request("POST", "/accesstoken/get", "")
	r.Header.Set("client_id", "id")
	r.Header.Set("client_secret", "secret")
	got := c.do(r)
	for name, want := range map[string]string{
		"token_type": "Bearer", "expires_in": "90", "ext_expires_in": "90",
		"expires_on": "1795176090", "not_before": "1795176000", "resource": "00000002-0000-0000-c000-000000000000",
	} {
		if got.text(name) != want {
			t.Errorf("%s is %v, want the string %s", name, got.at(name), want)
		}
	}
	c.clock.pass(89 * time.Second)
	if got := c.get("unknown-000001"); got.status != 404 || got.code() != "5090" {
		t.Errorf("a second before the end: %d %s", got.status, got.raw)
	}
	c.clock.pass(time.Second)
	if got := c.get("unknown-000001"); got.status != 401 {
		t.Errorf("at the end: %d %s", got.status, got.raw)
	}
	old := c.token
	if c.token = c.newToken(); c.token == old || c.get("unknown-000001").status != 404 {
		t.Error("a new token does not serve")
	}
}

func TestTokenIsNotGivenToAnybody(t *testing.T) {
	c := newClient(t, Options{})
	for name, row := range map[string]struct {
		header, value string
		status        int
	}{
		"no client id":          {"client_id", "", 400},
		"no secret":             {"client_secret", "", 400},
		"wrong client id":       {"client_id", "other", 401},
		"wrong secret":          {"client_secret", "secre", 401},
		"no subscription key":   {"Ocp-Apim-Subscription-Key", "", 401},
		"wrong subscription":    {"Ocp-Apim-Subscription-Key", "other", 401},
		"another merchant":      {"Merchant-Serial-Number", "654321", 401},
		"no merchant is no sin": {"Merchant-Serial-Number", "", 200},
	} {
		r := c.request("POST", "/accesstoken/get", "")
		r.Header.Set("client_id", "id")
		r.Header.Set("client_secret", "secret")
		r.Header.Set(row.header, row.value)
		got := c.do(r)
		if got.status != row.status || (row.status != 200 && got.at("error") == nil && got.at("statusCode") == nil) {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.raw, row.status)
		}
	}
}

func TestTillWithoutCredentialsServesNobody(t *testing.T) {
	if is("", "") {
		t.Error("nothing matched nothing")
	}
	c := newClient(t, Options{})
	c.till.accept = Credentials{}
	if got := c.get(string(ref)); got.status != 401 {
		t.Errorf("empty subscription key matched: %d %s", got.status, got.raw)
	}
	r := c.request("GET", "/epayment/v1/payments/"+string(ref), "")
	r.Header.Set("Ocp-Apim-Subscription-Key", "")
	if got := c.do(r); got.status != 401 {
		t.Errorf("empty matched empty: %d %s", got.status, got.raw)
	}
}

func TestHeadersAreChecked(t *testing.T) {
	c := newClient(t, Options{})
	other := NewTill(Options{Accept: accepted, Now: c.clock.now})
	foreign := other.token(0, inbound{header: http.Header{
		"Client_id": {"id"}, "Client_secret": {"secret"}, "Ocp-Apim-Subscription-Key": {"subscription"},
	}}).body.(tokenBody).AccessToken
	for _, row := range []struct {
		name, header, value string
		status              int
		field               string // of a validation error
	}{
		{"no token", "Authorization", "", 401, ""},
		{"no Bearer", "Authorization", c.token, 401, ""},
		{"garbage for a token", "Authorization", "Bearer x.y", 401, ""},
		{"another Till's token", "Authorization", "Bearer " + foreign, 401, ""},
		{"no subscription key", "Ocp-Apim-Subscription-Key", "", 401, ""},
		{"wrong subscription key", "Ocp-Apim-Subscription-Key", "other", 401, ""},
		{"no merchant", "Merchant-Serial-Number", "", 400, "Merchant-Serial-Number"},
		{"impossible merchant", "Merchant-Serial-Number", "12a4", 400, "Merchant-Serial-Number"},
		{"another merchant", "Merchant-Serial-Number", "654321", 403, ""},
		{"no key", "Idempotency-Key", "", 400, "Idempotency-Key"},
		{"long key", "Idempotency-Key", strings.Repeat("k", 51), 400, "Idempotency-Key"},
		{"longest key", "Idempotency-Key", strings.Repeat("k", 50), 201, ""},
		{"long system name", "Vipps-System-Name", strings.Repeat("s", 31), 400, "Vipps-System-Name"},
		{"long system version", "Vipps-System-Version", strings.Repeat("s", 31), 400, "Vipps-System-Version"},
		{"long plugin name", "Vipps-System-Plugin-Name", strings.Repeat("s", 31), 400, "Vipps-System-Plugin-Name"},
		{"long plugin version", "Vipps-System-Plugin-Version", strings.Repeat("s", 31), 400, "Vipps-System-Plugin-Version"},
		{"not JSON", "Content-Type", "text/plain", 400, "Content-Type"},
		{"no type", "Content-Type", "", 400, "Content-Type"},
		{"JSON in so many words", "Content-Type", "application/json; charset=utf-8", 201, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			fresh := newClient(t, Options{})
			fresh.till.secret = c.till.secret // so that c's token serves
			r := fresh.request("POST", "/epayment/v1/payments", createText)
			r.Header.Set("Authorization", "Bearer "+c.token)
			r.Header.Set("Idempotency-Key", "r1")
			r.Header.Set(row.header, row.value)
			got := fresh.do(r)
			if got.status != row.status || got.field() != row.field {
				t.Errorf("%d %q %s, want %d %q", got.status, got.field(), got.raw, row.status, row.field)
			}
		})
	}
	r := c.request("GET", "/epayment/v1/payments/"+string(ref), "")
	r.Header.Set("Merchant-Serial-Number", "654321")
	if got := c.do(r); got.status != 404 || got.code() != "5090" {
		t.Errorf("get for another merchant: %d %s", got.status, got.raw)
	}
}

func TestProblemsHaveWhatATechnicianNeeds(t *testing.T) {
	c := newClient(t, Options{})
	first, second := c.get("unknown-000001"), c.get("unknown-000001")
	if first.text("type") != "https://httpstatuses.io/404" || first.text("instance") != "/v1/payments/unknown-000001" ||
		first.at("status") != 404.0 || first.header.Get("Content-Type") != problemJSON {
		t.Errorf("%s", first.raw)
	}
	if a, b := first.text("traceId"), second.text("traceId"); len(a) != 32 || a == b {
		t.Errorf("trace ids %q and %q", a, b)
	}
}

func TestRateLimitIsTheGateways(t *testing.T) {
	c := newClient(t, Options{})
	for range 5 {
		c.create("r1", createText)
	}
	c.clock.pass(12500 * time.Millisecond)
	got := c.create("r1", createText)
	after, _ := strconv.Atoi(got.header.Get("Retry-After"))
	if got.status != 429 || after != 48 || got.at("statusCode") != 429.0 {
		t.Fatalf("%d %v %s", got.status, got.header, got.raw)
	}
	c.clock.pass(time.Duration(after) * time.Second)
	if got := c.create("r1", createText); got.status != 201 {
		t.Errorf("after the wait: %d %s", got.status, got.raw)
	}
}

func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	c := newClient(t, Options{})
	for _, row := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 404}, {"GET", "/epayment/v1/payments", 404}, {"DELETE", "/epayment/v1/payments/" + string(ref), 404},
		{"GET", "/accesstoken/get", 404}, {"POST", "/epayment/v2/payments", 404}, {"GET", "/app/unknown", 404},
	} {
		if got := c.do(c.request(row.method, row.path, "")); got.status != row.status {
			t.Errorf("%s %s: %d, want %d", row.method, row.path, got.status, row.status)
		}
	}
	if got := c.create("r1", strings.Repeat(" ", maxBody+1)); got.status != 413 {
		t.Errorf("a huge body: %d %s", got.status, got.raw)
	}
}

func TestForceApproveWantsTheRightToken(t *testing.T) {
	c := newClient(t, Options{})
	url := c.create("r1", createText).text("redirectUrl")
	approve := func(reference, body string) answer {
		return c.do(c.request("POST", "/epayment/v1/test/payments/"+reference+"/approve", body))
	}
	for _, row := range []struct {
		name, reference, body string
		status                int
		code                  string
	}{
		{"unknown payment", "unknown-000001", "", 404, "5090"},
		{"wrong token", string(ref), `{"token":"x"}`, 400, "10010"},
		{"two customers", string(ref), `{"customer":{"phoneNumber":"4712345678","personalQr":"12345"}}`, 400, ""},
		{"right token", string(ref), `{"token":"` + url[strings.LastIndex(url, "/")+1:] + `"}`, 200, ""},
		{"twice", string(ref), "", 400, "10010"},
	} {
		if got := approve(row.reference, row.body); got.status != row.status || got.code() != row.code {
			t.Errorf("%s: %d %s, want %d %s", row.name, got.status, got.raw, row.status, row.code)
		}
	}
	if got := c.get(string(ref)); got.sums() != "AUTHORIZED 35000 0 0 0" {
		t.Errorf("%s", got.raw)
	}
}

func TestOurTermsAreRead(t *testing.T) {
	c := newClient(t, Options{})
	terms := payment.Terms{EVSE: "A12/1", Meter: "22110345", Start: 1234567,
		Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}, Holder: payment.Holder{7}}
	pairs, err := json.Marshal(terms.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	if got := c.create("r1", strings.Replace(createText, `{"evse":"A12/1"}`, string(pairs), 1)); got.status != 201 {
		t.Fatalf("%d %s", got.status, got.raw)
	}
	c.till.Do(func(now time.Duration, b *Book) {
		if f, p := b.Get(now, ref); p != nil || f.Terms != terms {
			t.Errorf("%+v %+v, want %+v", f.Terms, p, terms)
		}
	})
}

func TestFaultsCanBeTakenAway(t *testing.T) {
	c := newClient(t, Options{Faults: func(call Call) Fault {
		if call == TokenCall {
			return Fault{}
		}
		return Fault{Kind: Failed}
	}})
	if got := c.create("r1", createText); got.status != 500 || got.code() != "3010" {
		t.Errorf("with faults: %d %s", got.status, got.raw)
	}
	c.till.SetFaults(nil)
	if got := c.create("r1", createText); got.status != 201 {
		t.Errorf("without: %d %s", got.status, got.raw)
	}
	if got := c.get("unknown-000001/events"); got.status != 404 || got.code() != "5090" {
		t.Errorf("events of nothing: %d %s", got.status, got.raw)
	}
	c.till.Do(func(now time.Duration, b *Book) {
		if events := b.Events(now, "unknown-000001"); events != nil {
			t.Errorf("events of nothing: %v", events)
		}
	})
}

func TestRealTimeIsTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		till := NewTill(Options{})
		time.Sleep(time.Minute) // of the bubble's own time
		till.Do(func(now time.Duration, _ *Book) {
			if now != time.Minute || !till.wall(now).Equal(time.Now()) {
				t.Errorf("a minute later it is %v, %v", now, till.wall(now))
			}
		})
	})
}
