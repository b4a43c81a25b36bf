package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// fullText has every member a create can have, but the customer.
const fullText = `{
"amount":{"currency":"NOK","value":35000},
"minimumUserAge":16,"customerInteraction":"CUSTOMER_PRESENT",
"industryData":{"airlineData":{"agencyInvoiceNumber":"1","airlineCode":"074","airlineDesignatorCode":"KL","passengerName":"FLYER","ticketNumber":"1"}},
"paymentMethod":{"type":"WALLET","blockedSources":["COMMERCIAL_CARDS"]},
"profile":{"scope":"name"},"reference":"A12-1-000001","returnUrl":"https://lad.example.no/","userFlow":"QR",
"expiresAt":"2026-12-01T12:00:00Z","qrFormat":{"format":"TEXT/TARGETURL","size":200},"paymentDescription":"Lading",
"receipt":{"orderLines":[{"name":"Strøm","id":"1","totalAmount":1000,"totalAmountExcludingTax":800,"totalTaxAmount":200,"taxPercentage":25,
"taxRate":2500,"unitInfo":{"unitPrice":549,"quantity":"1.822","quantityUnit":"KWH"},"discount":0,"productUrl":"https://lad.example.no/","isReturn":false,"isShipping":false}],
"bottomLine":{"currency":"NOK","tipAmount":0,"giftCardAmount":0,"posId":"1","totalAmount":1000,"totalTax":200,"totalDiscount":0,"shippingAmount":0,
"shippingInfo":{"amount":0,"amountExcludingTax":0,"taxAmount":0,"taxPercentage":0},
"paymentSources":{"giftCard":0,"card":0,"voucher":0,"cash":0},"barcode":{"format":"EAN-13","data":"1"},"receiptNumber":"1","terminalId":"1"}},
"metadata":{"evse":"A12/1"},"receiptUrl":"https://lad.example.no/",
"shipping":{"dynamicOptions":{"callbackUrl":"https://lad.example.no/","callbackAuthorizationToken":"1"},
"fixedOptions":[{"isDefault":true,"priority":1,"type":"PICKUP_POINT","brand":"POSTEN","options":[
{"id":"1","isDefault":true,"amount":{"currency":"NOK","value":1},"name":"1","priority":1,"meta":"1","estimatedDelivery":"1"}]}]},
"cardPassthrough":{"pspReference":"1","cardCallbackUrl":"https://lad.example.no/","allowedCardTypes":["VISA_DEBIT"],"preferVisaPartOfVisaDankort":false,"publicEncryptionKeyId":"1"}
}`

// bad are values to put in the place of any other: every limit in the
// description lies between two of them.
func bad() []any {
	values := []any{nil, true, "", " ", "NOK", "WALLET", "KWH", "PCS", "EAN-13", "2026-12-01T12:00:00+01:00", "1.5", "A12-1-000001 ", "Ærfuglveien1",
		[]any{}, []any{"x"}, []any{1}, map[string]any{}}
	for _, n := range []int64{-1, 0, 1, 99, 100, 101, 2000, 2001, 10_000, 10_001, 65_000_000, 65_000_001} {
		values = append(values, json.Number(fmt.Sprint(n)))
	}
	values = append(values, json.Number("1.5"))
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 49, 50, 64, 65, 100, 101, 150, 151, 2500, 2501} {
		values = append(values, strings.Repeat("1", n))
	}
	return values
}

// TestTableSaysWhatTheDescriptionSays puts every bad value in every place of a
// full request, and removes every member, and asks both.
func TestTableSaysWhatTheDescriptionSays(t *testing.T) {
	c := newClient(t, Options{})
	if c.spec == nil {
		t.Skip("the API's description is absent: " + descriptions())
	}
	asked, refused := 0, 0
	compare := func(call Call, path, body string) {
		t.Helper()
		r := c.request("POST", path, body)
		r.Header.Set("Idempotency-Key", "k")
		_, field, reason := c.till.shapes.read(inbound{call: call, header: r.Header, body: []byte(body)})
		err := c.spec.checkRequest(t, r, body)
		if strings.Contains(fmt.Sprint(err), "maximum number of properties") {
			return // metadata: refused with code 4100 instead, after the table
		}
		if asked++; err != nil {
			refused++
		}
		if (reason == "") != (err == nil) {
			t.Errorf("%s\nwe say %q %q, the description %v", body, field, reason, err)
		}
	}
	payments := "/epayment/v1/payments"
	for _, row := range []struct {
		call       Call
		path, body string
	}{
		{CreateCall, payments, fullText},
		{CaptureCall, payments + "/" + string(ref) + "/capture", takeText},
		{RefundCall, payments + "/" + string(ref) + "/refund", takeText},
		{CancelCall, payments + "/" + string(ref) + "/cancel", `{"cancelTransactionOnly":true}`},
		{ApproveCall, "/epayment/v1/test/payments/" + string(ref) + "/approve", `{"token":"1"}`},
	} {
		whole, _, err := tree([]byte(row.body))
		if err != nil {
			t.Fatal(err)
		}
		compare(row.call, row.path, row.body)
		small, large := split(whole.(map[string]any))
		ask := func(body map[string]any) func() {
			return func() {
				text, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				compare(row.call, row.path, string(text))
			}
		}
		everywhere(small, "", ask(small))
		for name, v := range large {
			body := maps.Clone(small)
			body[name] = v
			everywhere(body, name, ask(body))
		}
	}
	t.Logf("%d requests, %d refused by both", asked, refused)
	if refused == 0 || refused == asked {
		t.Error("nothing was told apart")
	}
}

// split sets a request's large members apart, since what is checked again and
// again should be short.
func split(whole map[string]any) (small, large map[string]any) {
	small, large = map[string]any{}, map[string]any{}
	for name, v := range whole {
		into := small
		if _, object := v.(map[string]any); object && name != "amount" && name != "paymentMethod" && name != "modificationAmount" {
			into = large
		}
		into[name] = v
	}
	return small, large
}

// everywhere changes v in one place at a time and calls f each time. Of an
// object's members it takes the one named by only, unless that is empty.
func everywhere(v any, only string, f func()) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if only != "" && only != name {
				continue
			}
			old := v[name]
			for _, value := range bad() {
				v[name] = value
				f()
			}
			delete(v, name)
			f()
			v[name] = old
			everywhere(old, "", f)
		}
	case []any:
		for i, old := range v {
			for _, value := range bad() {
				v[i] = value
				f()
			}
			v[i] = old
			everywhere(old, "", f)
		}
	}
}

func TestRefusalNamesTheField(t *testing.T) {
	c := newClient(t, Options{})
	swap := func(old, with string) string { return strings.Replace(createText, old, with, 1) }
	for _, row := range []struct{ body, field string }{
		{"", "body"}, {"[]", "body"}, {"{", "body"}, {createText + "{}", "body"}, {strings.Repeat("[", 100), "body"},
		{swap(`"value":35000`, `"value":"35000"`), "amount.value"},
		{swap(`"value":35000`, `"value":350.00`), "amount.value"},
		{swap(`"value":35000`, `"value":99999999999999999999`), "amount.value"},
		{swap(`"value":35000`, `"value":35000,"value":1`), "amount.value"},
		{swap(`"currency":"NOK",`, ``), "amount.currency"},
		{swap(`"currency":"NOK"`, `"currency":"nok"`), "amount.currency"},
		{swap(`"currency":"NOK"`, `"Currency":"NOK"`), "amount.currency"},
		{swap(`"value":35000`, `"value":35000,"vat":1`), "amount.vat"},
		{swap(`"reference"`, `"orderId":"1","reference"`), "orderId"},
		{swap(`A12-1-000001`, `A12_1_000001`), "reference"},
		{swap(`A12-1-000001`, `A12-1-000001\n`), "reference"},
		{swap(`"Lading A12 <b>1</b>"`, `""`), "paymentDescription"},
		{swap(`{"evse":"A12/1"}`, `{"evse":1}`), "metadata.evse"},
		{swap(`{"evse":"A12/1"}`, `{"evse":"1","evse":"2"}`), "metadata.evse"},
		{swap(`"metadata"`, `"customer":{},"metadata"`), "customer"},
		{swap(`"metadata"`, `"customer":{"phoneNumber":"+4712345678"},"metadata"`), "customer.phoneNumber"},
		{swap(`"metadata"`, `"customer":{"phoneNumber":"4712345678","customerToken":"1"},"metadata"`), "customer"},
		{swap(`"metadata"`, `"receipt":{"bottomLine":{"currency":"NOK"},"orderLines":[{"name":"1","id":"1","totalAmount":1,"totalAmountExcludingTax":1}]},"metadata"`),
			"receipt.orderLines[0].totalTaxAmount"},
		{swap(`"WEB_REDIRECT"`, `"QR","qrFormat":{"format":"IMAGE/GIF"}`), "qrFormat.format"},
	} {
		r := c.request("POST", "/epayment/v1/payments", row.body)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		if got := c.do(r); got.status != 400 || got.field() != row.field || got.code() != "" {
			t.Errorf("%s\n%d %q %s, want 400 and %q", row.body, got.status, got.field(), got.raw, row.field)
		}
	}
	if got := c.get("short"); got.status != 400 || got.field() != "reference" {
		t.Errorf("%d %s", got.status, got.raw)
	}
	c.till.Do(func(_ time.Duration, b *Book) {
		if len(b.entries) != 0 {
			t.Errorf("%d references remembered from requests that were none", len(b.entries))
		}
	})
}

func TestWhatThisSalesUnitMayNot(t *testing.T) {
	swap := func(old, with string) string { return strings.Replace(createText, old, with, 1) }
	pairs := func(n, name, value int) string {
		m := map[string]string{}
		for i := range n {
			m[strings.Repeat("k", name-1)+fmt.Sprint(i)] = strings.Repeat("v", value)
		}
		text, _ := json.Marshal(m)
		return swap(`{"evse":"A12/1"}`, string(text))
	}
	url := func(u string) string { return swap("https://lad.example.no/s/1", u) }
	for _, row := range []struct{ body, code string }{
		{swap("WALLET", "CARD"), "4160"},
		{swap("WALLET", "CARD_PASSTHROUGH"), "4160"},
		{swap(`"WALLET"`, `"WALLET","blockedSources":["COMMERCIAL_CARDS"]`), "5010"},
		{swap(`"returnUrl":"https://lad.example.no/s/1",`, ""), "4140"},
		{swap("WEB_REDIRECT", "PUSH_MESSAGE"), "4140"},
		{swap(`"metadata"`, `"expiresAt":"2026-12-01T12:00:00Z","metadata"`), "6130"},
		{swap(`"metadata"`, `"expiresAt":"2026-12-01T12:00:00Z","receipt":{"bottomLine":{"currency":"NOK"},"orderLines":[{"name":"1","id":"1","totalAmount":1,"totalAmountExcludingTax":1,"totalTaxAmount":0}]},"metadata"`), "5050"},
		{swap(`"metadata"`, `"profile":{"scope":"name"},"metadata"`), "5030"},
		{swap(`"metadata"`, `"shipping":{"fixedOptions":[]},"metadata"`), "5020"},
		{swap(`"metadata"`, `"receiptUrl":"http://lad.example.no/","metadata"`), "4090"},
		{pairs(6, 1, 1), "4100"}, {pairs(5, 100, 500), ""}, {pairs(1, 101, 1), "4120"}, {pairs(1, 1, 501), "4130"},
		{swap("35000", "99"), "4040"}, {swap("NOK", "SEK"), "5040"},
		{url("http://lad.example.no/"), "4090"}, {url("/s/1"), "4090"}, {url("https:///s"), "4090"}, {url("https://a:b@lad.example.no/"), "4090"},
		{url("https://lad.example.no;script-src/"), "4090"}, {url("javascript:alert(1)"), "4090"}, {url("%zz"), "4090"},
		{url("http://127.0.0.1:8080/s/1"), ""}, {url("http://[::1]:8080/s/1"), ""}, {url("http://localhost/s/1"), ""},
		{url("http://localhost.example.no/"), "4090"}, {url("http://128.0.0.1/"), "4090"}, {url("stolpe://s/1"), ""},
		{swap(`"WEB_REDIRECT"`, `"QR","qrFormat":{"format":"TEXT/TARGETURL"}`), ""},
		{swap(`"WEB_REDIRECT"`, `"PUSH_MESSAGE","customer":{"phoneNumber":"4712345678"}`), ""},
	} {
		c := newClient(t, Options{})
		got := c.create("k", row.body)
		if got.code() != row.code || (row.code == "") != (got.status == 201) {
			t.Errorf("%s\n%d %s, want %q", row.body, got.status, got.raw, row.code)
		}
		if push := strings.Contains(row.body, "PUSH"); got.status == 201 && push != (got.at("redirectUrl") == nil) {
			t.Errorf("%s\n%s", row.body, got.raw)
		}
	}
}

func TestPushIsRefusedWhereItIsOff(t *testing.T) {
	body := strings.Replace(createText, `"WEB_REDIRECT"`, `"PUSH_MESSAGE","customer":{"phoneNumber":"4712345678"}`, 1)
	c := newClient(t, Options{NoPush: true})
	if got := c.create("k", body); got.code() != "5080" || strings.Contains(got.raw, "4712345678") {
		t.Errorf("%d %s", got.status, got.raw)
	}
	if got := c.create("k2", createText); got.status != 201 {
		t.Errorf("another way: %d %s", got.status, got.raw)
	}
}

func TestSameBodyWrittenOtherwiseIsTheSameRequest(t *testing.T) {
	c := newClient(t, Options{})
	var members map[string]any
	if err := json.Unmarshal([]byte(createText), &members); err != nil {
		t.Fatal(err)
	}
	other, err := json.MarshalIndent(members, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	c.create("r1", createText)
	if got := c.create("r1", string(other)); got.status != 201 {
		t.Errorf("other order and spaces: %d %s", got.status, got.raw)
	}
	for _, change := range [][2]string{{"Lading A12", "Lading A13"}, {"/s/1", "/s/2"}, {"A12/1", "A12/2"}} {
		if got := c.create("r1", strings.Replace(createText, change[0], change[1], 1)); got.status != 409 || got.code() != "4020" {
			t.Errorf("%s for %s: %d %s", change[1], change[0], got.status, got.raw)
		}
	}
}
