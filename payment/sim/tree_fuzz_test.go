package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"stolpe/payment"
)

// FuzzRequest feeds bytes to all four decoders, as a client would. Whatever it
// is, there is an answer, and only what the table lets through has an effect.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		createText, fullText, takeText, giveText, `{"cancelTransactionOnly":true}`, `{"token":"1"}`, "", "null", "[]", "{", `"`,
		`{"a":{"a":1,"a":2}}`, `{"modificationAmount":{"currency":"NOK","value":1e3}}`, strings.Repeat("[", 50), "\xff", `{"\ud800":1}`,
		strings.Replace(createText, "https://lad.example.no/s/1", "http://[::1]:x/", 1),
	} {
		f.Add([]byte(seed))
	}
	till := NewTill(Options{Accept: accepted, Now: func() time.Duration { return 0 }})
	token := till.token(0, inbound{header: http.Header{
		"Client_id": {"id"}, "Client_secret": {"secret"}, "Ocp-Apim-Subscription-Key": {"subscription"},
	}}).body.(tokenBody).AccessToken
	header := http.Header{
		"Authorization": {"Bearer " + token}, "Ocp-Apim-Subscription-Key": {"subscription"}, "Content-Type": {"application/json"},
		"Merchant-Serial-Number": {accepted.MSN}, "Idempotency-Key": {"k"},
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		till.book, till.orders, till.pages = NewBook(), map[payment.Ref]order{}, map[string]payment.Ref{}
		for _, call := range []Call{CreateCall, CaptureCall, CancelCall, RefundCall, ApproveCall} {
			in := inbound{call: call, ref: string(ref), path: base + "/v1/payments", host: "http://till", header: header, body: body}
			_, _, reason := till.shapes.read(in)
			out, _ := till.handle(in)
			if reason != "" && out.status != 400 {
				t.Fatalf("%v refused for %q, but answered %d", call, reason, out.status)
			}
			if _, err := json.Marshal(out.body); err != nil || out.status < 200 || out.status > 499 {
				t.Fatalf("%v: %d %v", call, out.status, err)
			}
			if call == CreateCall && out.status == 201 && !json.Valid(body) {
				t.Fatalf("made a payment from %q", body)
			}
		}
	})
}
