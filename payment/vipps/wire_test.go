package vipps

import (
	"fmt"
	"strings"
	"testing"

	"stolpe/payment"
)

func TestFieldsWeDoNotKnowArePassedOver(t *testing.T) {
	body := getBody(approved(), payment.NOK, terms().Metadata())
	want, currency, err := decodePayment([]byte(body), ref)
	if err != nil || currency != payment.NOK || want.Terms != terms() {
		t.Fatal(want, currency, err)
	}
	more := strings.ReplaceAll(body, `{"currency"`, `{"new":[{"deep":null}],"currency"`)
	more = strings.Replace(more, `{"reference"`, `{"captureGuaranteedUntil":"2026-11-27T12:00:00Z","userDetails":{"firstName":"A"},"reference"`, 1)
	want.Guaranteed = 1795780800
	if got, _, err := decodePayment([]byte(more), ref); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

// What the bank guarantees may be missing or odd; the payment is read all the same.
func TestOddGuaranteesAreNone(t *testing.T) {
	for _, odd := range []string{`null`, `""`, `"soon"`, `7`, `{}`, `["2026-11-27T12:00:00Z"]`, `"0001-01-01T00:00:00Z"`, `"1970-01-01T00:00:00Z"`} {
		body := strings.Replace(getBody(approved(), payment.NOK, nil), "{", `{"captureGuaranteedUntil":`+odd+",", 1)
		if got, _, err := decodePayment([]byte(body), ref); got != approved() || err != nil {
			t.Errorf("%s: %+v, %v", odd, got, err)
		}
	}
}

func TestStatesAreTold(t *testing.T) {
	for state := payment.Created; state <= payment.EndedByUs; state++ {
		f := payment.Found{State: state, Amount: 35000, URL: "https://landing.example/"}
		if state == payment.Authorised {
			f.Held = 35000
		}
		got, _, err := decodePayment([]byte(getBody(f, payment.NOK, nil)), ref)
		if (got.URL != "") != (state == payment.Created) {
			t.Errorf("state %d: address %q: there is one only while the payer has not decided", state, got.URL)
		}
		if f.URL, got.URL = "", ""; got != f || err != nil {
			t.Errorf("state %d: %+v, %v", state, got, err)
		}
	}
}

// A payment with a part missing is not read as one where that part is zero:
// "authorised, nothing held" would close a debt.
func TestHalfAPaymentIsNone(t *testing.T) {
	whole := getBody(payment.Found{State: payment.Authorised, Amount: 35000, Held: 35000, Taken: 100, Freed: 200, Refunded: 50}, payment.NOK, nil)
	if _, _, err := decodePayment([]byte(whole), ref); err != nil {
		t.Fatal(err)
	}
	for old, with := range map[string]string{
		`"aggregate"`:                    "-",
		`"authorizedAmount"`:             "-",
		`"capturedAmount"`:               "-",
		`"cancelledAmount"`:              "-",
		`"refundedAmount"`:               "-",
		`"state"`:                        "-",
		`"amount"`:                       "-",
		`"reference"`:                    "-",
		`"value":100`:                    `"v":100`,
		`"value":200`:                    `"value":null`,
		`"value":50`:                     `"value":-50`,
		`"value":35000}`:                 `"value":65000001}`,
		`{"currency":"NOK","value":100}`: `{"currency":"DKK","value":100}`,
		`"AUTHORIZED"`:                   `"PARTLY_AUTHORIZED"`,
		string(ref):                      "A12-1-000043",
		`"authorizedAmount":{"currency":"NOK","value":35000}`: `"authorizedAmount":{"currency":"NOK","value":0}`,
		`"cancelledAmount":{"currency":"NOK","value":200}`:    `"cancelledAmount":{"currency":"NOK","value":34901}`,
		`"refundedAmount":{"currency":"NOK","value":50}`:      `"refundedAmount":{"currency":"NOK","value":101}`,
		`"value":100,`: "",
	} {
		if with == "-" {
			with = `"was` + old[1:]
		}
		body := strings.ReplaceAll(whole, old, with)
		if body == whole && with != "" {
			t.Errorf("%s is not in %s", old, whole)
		}
		if f, _, err := decodePayment([]byte(body), ref); err == nil && body != whole {
			t.Errorf("%s as %s: read as %+v", old, with, f)
		}
	}
	nothing := getBody(payment.Found{State: payment.Authorised, Amount: 35000}, payment.NOK, nil)
	if f, _, err := decodePayment([]byte(nothing), ref); err == nil {
		t.Errorf("authorised without an amount: read as %+v", f)
	}
	for _, value := range []string{`"100"`, "1e2", "100.0", "100.5", "true", "99999999999999999999"} {
		body := strings.Replace(whole, `"value":100`, `"value":`+value, 1)
		if f, _, err := decodePayment([]byte(body), ref); err == nil {
			t.Errorf("value %s: read as %+v", value, f)
		}
	}
}

// Only the detail named ErrorCode is a code, wherever it stands; other details
// name fields of the request, and may hold numbers.
func TestCodeIsTheDetailOfThatName(t *testing.T) {
	for extra, want := range map[string]string{
		`[{"name":"Amount","reason":"6140"},{"name":"ErrorCode","reason":"6080"}]`:  "6080",
		`[{"name":"ErrorCode","reason":6160},{"name":"ErrorCode","reason":"6080"}]`: "6160",
		`[{"name":"ErrorCode","reason":"10010"}]`:                                   "10010",
		`[{"name":"Amount","reason":"6140"}]`:                                       "",
		`[{"name":"ErrorCode","reason":"see above"}]`:                               "",
		`[{"name":"ErrorCode"}]`:                                                    "",
		`[]`:                                                                        "",
		`null`:                                                                      "",
	} {
		p := decodeProblem([]byte(`{"title":"No","traceId":"00-abc","extraDetails":` + extra + `}`))
		if p.code != want || p.by != service || p.trace != "00-abc" || !strings.HasPrefix(p.detail, "No") {
			t.Errorf("%s: %+v, want code %q", extra, p, want)
		}
	}
}

// Metadata that is not a charge of ours leaves the terms empty, and does not
// spoil the rest.
func TestForeignMetadataIsNotTakenOver(t *testing.T) {
	other := terms()
	other.Price.Currency = payment.DKK
	for _, metadata := range []map[string]string{nil, {}, {"order": "7"}, {"evse": "A12/1"}, other.Metadata()} {
		f, _, err := decodePayment([]byte(getBody(approved(), payment.NOK, metadata)), ref)
		if f != approved() || err != nil {
			t.Errorf("%v: %+v, %v", metadata, f, err)
		}
	}
}

// The payer is sent only to an address as safe as the service's own.
func TestOddAddressesAreDropped(t *testing.T) {
	for address, keep := range map[string]bool{
		"https://landing.example/?token=a": true,
		"http://127.0.0.1:9/pay":           true, // the service is spoken to over http as well
		"javascript:alert(1)":              false,
		"vipps://token=a":                  false,
		"/pay":                             false,
		"https://":                         false,
		"https://" + strings.Repeat("a", maxReturn): false,
	} {
		s := start(t, payment.Found{State: payment.Created, Amount: 35000, URL: address})
		a, err := s.client(t).Ask(t.Context(), order(payment.Look))
		if (a.Found.URL == address) != keep || !keep && a.Found.URL != "" || brief(a) != "pending" || err != nil {
			t.Errorf("%q: %+v, %v", address, a, err)
		}
		s.on("create", says(201, fmt.Sprintf(`{"reference":%q,"redirectUrl":%q}`, ref, address)))
		a, err = s.client(t).Ask(t.Context(), order(payment.Reserve))
		if (a.Status == payment.Pending) != keep || !keep && a != (payment.Answer{Code: a.Code}) || (err == nil) != keep {
			t.Errorf("created with %q: %+v, %v", address, a, err)
		}
	}
	c, err := New(good())
	if err != nil || c.fitURL("http://127.0.0.1/pay") || !c.fitURL("https://a.example/") {
		t.Error("over https only https addresses are fit", err)
	}
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		getBody(approved(), payment.NOK, terms().Metadata()),
		getBody(payment.Found{State: payment.Created, Amount: 100, URL: "https://a.example/"}, payment.EUR, nil),
		problemOf(400, "6080"), problemOf(409, ""), tokenBody("a.b-c", 3600),
		`{"statusCode":401,"message":"no"}`, `{"error":["a"],"extraDetails":[{"name":7,"reason":null}]}`, "", "null", "[[[", `{"title":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := decodeProblem(body)
		if p.code != "" && (p.by != service || !codePattern.MatchString(p.code)) {
			t.Errorf("code %q by %d", p.code, p.by)
		}
		for _, op := range []operation{getToken, get, create, capture, cancel} {
			for status := 200; status < 600; status++ {
				v := judge(op, status, p)
				if final := v.status == payment.Refused || v.status == payment.Missing || v.exists; final && (p.by == nobody || op == getToken) {
					t.Errorf("%v, HTTP %d: %+v on nobody's word", op, status, v)
				}
				if op == get && v.status == payment.Refused {
					t.Errorf("HTTP %d: a read refused something", status)
				}
			}
		}
		line := (&failure{what: "get", http: 400, code: p.code, trace: p.trace, detail: p.detail}).Error()
		if strings.ContainsAny(line, "\n\r\x00\x1b") || len(line) > 4*(maxDetail+2*maxTrace) {
			t.Errorf("not a line of a log: %q", line)
		}
		checkRead(t, body)
		if token, life, err := decodeToken(body); (err == nil) != (token != "" && life > 0 && life <= maxLife) {
			t.Errorf("token %q for %v, %v", token, life, err)
		}
	})
}

// checkRead wants sense or an error of whatever was read as a payment.
func checkRead(t *testing.T, body []byte) {
	t.Helper()
	f, currency, err := decodePayment(body, ref)
	if err != nil {
		if f != (payment.Found{}) || currency != "" {
			t.Errorf("an error and %+v", f)
		}
		return
	}
	moved := f.Taken + f.Freed
	if f.State == payment.NotFound || currency == "" || f.State == payment.Authorised && (f.Held <= 0 || moved > f.Held || f.Refunded > f.Taken) {
		t.Errorf("%q: %+v in %q", body, f, currency)
	}
	for _, a := range []payment.Amount{f.Amount, f.Held, f.Taken, f.Freed, f.Refunded} {
		if a < 0 || a > payment.MaxAmount {
			t.Errorf("%q: amount %d", body, a)
		}
	}
	if after, err := decodeAdjusted(body, ref, currency, payment.Found{Amount: f.Amount, Terms: f.Terms}); err != nil {
		t.Errorf("a payment, but not an adjusted one: %v", err)
	} else if f.URL = ""; after != f {
		t.Errorf("%+v after %+v", after, f)
	}
}
