package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	ordersPath = "/order-management/v2/ecom/"
	codesPath  = "/qr/v1/merchant-redirect"
	hooksPath  = "/webhooks/v1/webhooks"

	receiptText = `{"orderLines":[{"name":"Strøm","id":"energy","totalAmount":6808,"totalAmountExcludingTax":5446,"totalTaxAmount":1362,"taxRate":2500,` +
		`"unitInfo":{"unitPrice":549,"quantity":"12.4","quantityUnit":"KWH"}}],"bottomLine":{"currency":"NOK","receiptNumber":"A12/1-000001"}}`
	categoryText = `{"category":"RECEIPT","orderDetailsUrl":"https://lad.example.no/A12/1"}`
	codeText     = `{"id":"A12","redirectUrl":"https://lad.example.no/A12"}`
)

// fullReceipt has every member a receipt can have.
var fullReceipt = fullText[strings.Index(fullText, `"receipt":`)+len(`"receipt":`) : strings.Index(fullText, ",\n\"metadata\"")]

// described is a request of a service beside payments.
func (c *client) beside(method, path, body string, headers ...string) answer {
	c.t.Helper()
	return c.do(c.besideRequest(method, path, body, headers...))
}

func (c *client) besideRequest(method, path, body string, headers ...string) *http.Request {
	c.t.Helper()
	r := c.request(method, path, body)
	if strings.HasPrefix(path, "/qr/") {
		r.Header.Set("Accept", "image/png")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// invalid is what a refusal complains of, whichever service gives it.
func (a answer) invalid() string {
	if params, _ := a.at("invalidParams").([]any); len(params) == 1 {
		m, _ := params[0].(map[string]any)
		s, _ := m["name"].(string)
		return s
	}
	return a.field()
}

// TestBesideSaysWhatTheDescriptionSays does for the other services what
// TestTableSaysWhatTheDescriptionSays does for payments, over the wire.
func TestBesideSaysWhatTheDescriptionSays(t *testing.T) {
	c := newClient(t, Options{})
	if c.spec == nil {
		t.Skip("the API's description is absent: " + descriptions())
	}
	asked, refused := 0, 0
	compare := func(want shape, method, path, body string) {
		t.Helper()
		r := c.besideRequest(method, path, body)
		_, field, reason := want.read(inbound{header: r.Header, body: []byte(body)})
		err := c.spec.checkRequest(t, r, body)
		if asked++; err != nil {
			refused++
		}
		if (reason == "") != (err == nil) {
			t.Errorf("%s %s\n%s\nwe say %q %q, the description %v", method, path, body, field, reason, err)
		}
	}
	s := c.till.shapes
	for _, row := range []struct {
		want               shape
		method, path, body string
	}{
		{s.receipt, "POST", "/order-management/v2/ECOM/receipts/A12-1-000001", fullReceipt},
		{s.category, "PUT", "/order-management/v2/ECOM/categories/A12-1-000001", `{"category":"RECEIPT","orderDetailsUrl":"https://lad.example.no/","imageId":"socks-orange-123"}`},
		{s.code, "POST", codesPath, `{"id":"A12","redirectUrl":"https://lad.example.no/A12","ttl":600}`},
		{s.target, "PUT", codesPath + "/A12", `{"redirectUrl":"https://lad.example.no/A12"}`},
		{s.hook, "POST", hooksPath, `{"url":"https://lad.example.no/hook","events":["epayments.payment.captured.v1"]}`},
	} {
		whole, _, err := tree([]byte(row.body))
		if err != nil {
			t.Fatalf("%s: %v", row.body, err)
		}
		compare(row.want, row.method, row.path, row.body)
		small := whole.(map[string]any)
		everywhere(small, "", func() {
			text, err := json.Marshal(small)
			if err != nil {
				t.Fatal(err)
			}
			compare(row.want, row.method, row.path, string(text))
		})
	}
	t.Logf("%d requests, %d refused by both", asked, refused)
	if refused == 0 || refused == asked {
		t.Error("nothing was told apart")
	}
}

func TestTextsOfTheDescriptionAreKept(t *testing.T) {
	c := newClient(t, Options{})
	if c.spec == nil {
		t.Skip("the API's description is absent: " + descriptions())
	}
	for _, target := range []string{
		"https://my-site.no/A12", "https://-site.no/", "https://lad.example.no", "https://lad.example.no:8443/A12?x=1&y=%20#z", "https://lad.example.no/~x",
		"https://lad.example.no/a,b", "https://lad.example.no/a;b", "https://lad.example.no/'", "http://lad.example.no/", "https://", "https://æ.no/", "HTTPS://lad.example.no/",
		"https://lad.example.no/A12\n", "https://lad.example.no/A 12", "https://user@lad.example.no/",
	} {
		for _, id := range []string{"A12", "A 12", "A/12", "A12?", "Ærø_1+%", "é", "\t"} {
			text, _ := json.Marshal(map[string]string{"id": id, "redirectUrl": target})
			r := c.besideRequest("POST", codesPath, string(text))
			_, _, reason := c.till.shapes.code.read(inbound{header: r.Header, body: text})
			if err := c.spec.checkRequest(t, r, string(text)); (err == nil) != (reason == "") {
				t.Errorf("%s: we say %q, the description %v", text, reason, err)
			}
		}
	}
	for _, quantity := range []string{"1", "1.", ".1", "1.12345678", "1.123456789", "1234567890", "12345678901", "-1", "1,5"} {
		body := strings.Replace(receiptText, `"12.4"`, `"`+quantity+`"`, 1)
		r := c.besideRequest("POST", "/order-management/v2/ECOM/receipts/A12-1-000001", body)
		_, _, reason := c.till.shapes.receipt.read(inbound{header: r.Header, body: []byte(body)})
		if err := c.spec.checkRequest(t, r, body); (err == nil) != (reason == "") {
			t.Errorf("%s: we say %q, the description %v", quantity, reason, err)
		}
	}
}

// TestHeadersBesideAreChecked holds headers and parameters against both too.
func TestHeadersBesideAreChecked(t *testing.T) {
	c := newClient(t, Options{})
	c.beside("POST", codesPath, codeText)
	long := func(n int) string { return strings.Repeat("s", n) }
	for _, row := range []struct {
		method, path, body string
		header, value      string
		status             int
		field              string
	}{
		{"GET", codesPath, "", "Accept", "", 400, "Accept"},
		{"GET", codesPath, "", "Accept", "application/json", 415, ""},
		{"GET", codesPath, "", "Accept", "image/*", 200, ""},
		{"GET", codesPath, "", "Size", "99", 400, "Size"},
		{"GET", codesPath, "", "Size", "100", 200, ""},
		{"GET", codesPath, "", "Size", "2000", 200, ""},
		{"GET", codesPath, "", "Size", "2001", 400, "Size"},
		{"GET", codesPath, "", "Size", "big", 400, "Size"},
		{"GET", codesPath, "", "Merchant-Serial-Number", "", 200, ""},
		{"GET", codesPath, "", "Merchant-Serial-Number", "654321", 401, ""},
		{"GET", codesPath, "", "Vipps-System-Name", long(31), 400, "Vipps-System-Name"},
		{"POST", codesPath, codeText, "Content-Type", "text/plain", 415, ""},
		{"PUT", codesPath + "/A12", `{"redirectUrl":"https://lad.example.no/"}`, "Accept", "", 400, "Accept"},
		{"GET", hooksPath, "", "Merchant-Serial-Number", "", 200, ""},
		{"GET", hooksPath, "", "Vipps-System-Plugin-Version", long(31), 400, "Vipps-System-Plugin-Version"},
		{"DELETE", hooksPath + "/x", "", "Accept", "*/*", 400, "id"},
		{"GET", ordersPath + "x", "", "Merchant-Serial-Number", "", 400, "Merchant-Serial-Number"},
		{"GET", ordersPath + "x", "", "Merchant-Serial-Number", "654321", 401, ""},
		{"GET", ordersPath + "x", "", "Vipps-System-Name", long(100), 404, ""},
		{"GET", ordersPath + "x", "", "Vipps-System-Name", long(101), 400, "Vipps-System-Name"},
		{"GET", ordersPath + "x$", "", "Accept", "*/*", 400, "orderId"},
		{"GET", "/order-management/v2/cash/x", "", "Accept", "*/*", 400, "paymentType"},
		{"GET", "/order-management/v2/RECURRING/x", "", "Accept", "*/*", 404, ""},
		{"GET", "/settlement/v1/ledgers", "", "Vipps-System-Version", long(31), 400, "Vipps-System-Version"},
		{"GET", "/report/v2/ledgers/302321/funds/feed", "", "Vipps-Feed-Page-Size", "0", 400, "Vipps-Feed-Page-Size"},
		{"GET", "/report/v2/ledgers/302321/cash/feed", "", "Accept", "*/*", 400, "topic"},
		{"GET", "/report/v2/ledgers/1/funds/feed", "", "Accept", "*/*", 404, ""},
	} {
		name := fmt.Sprintf("%s %s %s %.12s", row.method, row.path, row.header, row.value)
		r := c.besideRequest(row.method, row.path, row.body, row.header, row.value)
		if row.value == "" {
			r.Header.Del(row.header)
		}
		if got := c.do(r); got.status != row.status || got.invalid() != row.field {
			t.Errorf("%s: %d %q %s, want %d %q", name, got.status, got.invalid(), got.raw, row.status, row.field)
		}
		if c.spec == nil || row.header == "Content-Type" || strings.Contains(row.path, "/x") && row.field == "" {
			continue
		}
		// What is refused for its shape the description must refuse too, and the
		// other way round. It says nothing of page sizes.
		refused := row.status == 400 || row.status == 415
		if err := c.spec.checkRequest(t, r, row.body); (err != nil) != refused && row.header != "Vipps-Feed-Page-Size" {
			t.Errorf("%s: %d, and the description says %v", name, row.status, err)
		}
	}
	for _, path := range []string{codesPath, hooksPath, ordersPath + "x", "/settlement/v1/ledgers", "/report/v2/ledgers/302321/funds/feed"} {
		for _, header := range []string{"Authorization", "Ocp-Apim-Subscription-Key"} {
			if got := c.beside("GET", path, "", header, "wrong"); got.status != 401 {
				t.Errorf("%s without a good %s: %d", path, header, got.status)
			}
		}
	}
}

func TestReceiptIsWrittenOnce(t *testing.T) {
	c := newClient(t, Options{})
	if got := c.beside("GET", ordersPath+string(ref), ""); got.status != 404 {
		t.Errorf("nothing yet: %d %s", got.status, got.raw)
	}
	made := c.beside("POST", ordersPath+"receipts/"+string(ref), receiptText)
	var id string
	if err := json.Unmarshal([]byte(made.raw), &id); made.status != 201 || err != nil || c.till.shapes.uuid.text(id) != "" {
		t.Errorf("made: %d %s", made.status, made.raw)
	}
	if got := c.beside("POST", ordersPath+"receipts/"+string(ref), receiptText); got.status != 409 {
		t.Errorf("again: %d %s", got.status, got.raw)
	}
	read := c.beside("GET", "/order-management/v2/ECOM/"+string(ref), "")
	if read.status != 200 || read.at("category") != nil || read.text("receipt.bottomLine.receiptNumber") != "A12/1-000001" {
		t.Errorf("read back: %d %s", read.status, read.raw)
	}
	for _, url := range []string{"https://lad.example.no/A12/1", "https://lad.example.no/A12/2"} {
		if got := c.beside("PUT", ordersPath+"categories/"+string(ref), strings.Replace(categoryText, "https://lad.example.no/A12/1", url, 1)); got.status != 200 {
			t.Errorf("category: %d %s", got.status, got.raw)
		}
		if got := c.beside("GET", ordersPath+string(ref), ""); got.text("category.orderDetailsUrl") != url || got.at("receipt") == nil {
			t.Errorf("both: %s", got.raw)
		}
	}
	receipt, category := c.till.InApp(ref)
	if string(receipt) != receiptText || !strings.Contains(string(category), "A12/2") {
		t.Errorf("in the app: %s %s", receipt, category)
	}
	if got := c.beside("GET", "/order-management/v2/RECURRING/"+string(ref), ""); got.status != 404 {
		t.Errorf("another payment type: %d", got.status)
	}
}

func TestReceiptOfCreateCounts(t *testing.T) {
	c := newClient(t, Options{})
	made := c.create("r1", strings.Replace(createText, `"metadata"`, `"receipt":`+receiptText+`,"metadata"`, 1))
	if made.status != 201 {
		t.Fatalf("%d %s", made.status, made.raw)
	}
	if got := c.beside("POST", ordersPath+"receipts/"+string(ref), receiptText); got.status != 409 {
		t.Errorf("a second one: %d", got.status)
	}
	if receipt, _ := c.till.InApp(ref); string(receipt) != receiptText {
		t.Errorf("%s", receipt)
	}
	c = newClient(t, Options{}) // and the first one stays, whichever way it came
	c.beside("POST", ordersPath+"receipts/"+string(ref), strings.Replace(receiptText, "000001", "000007", 1))
	c.create("r1", strings.Replace(createText, `"metadata"`, `"receipt":`+receiptText+`,"metadata"`, 1))
	if receipt, _ := c.till.InApp(ref); !strings.Contains(string(receipt), "000007") {
		t.Errorf("%s", receipt)
	}
}

func FuzzBesideBodies(f *testing.F) {
	for _, seed := range []string{receiptText, categoryText, codeText, fullReceipt, `{"orderLines":[{}],"bottomLine":{"currency":null}}`, `{"url":"https://x","events":[""]}`, "null", "[]", `{"id":null}`} {
		f.Add(seed)
	}
	till := NewTill(Options{Now: func() time.Duration { return 0 }})
	part := func(name string) string { return map[string]string{"type": "ECOM"}[name] }
	f.Fuzz(func(t *testing.T, body string) {
		h := http.Header{"Content-Type": {"application/json"}, "Accept": {"image/png"}}
		for call, method := range map[Call]string{ReceiptCall: "POST", CategoryCall: "PUT", QRCall: "POST", HookCall: "POST"} {
			in := inbound{call: call, method: method, part: part, header: h, body: []byte(body)}
			if call.api() == orderAPI {
				in.ref = "A12-1-000001"
			}
			var out reply
			switch call {
			case QRCall:
				out = till.qr(0, in)
			case HookCall:
				out = till.webhooks(in)
			default:
				out = till.orderManagement(in)
			}
			if out.status != 200 && out.status != 201 && out.status != 400 && out.status != 409 {
				t.Fatalf("%v: %d", call, out.status)
			}
		}
	})
}

func TestReceiptsNobodyWouldShow(t *testing.T) {
	c := newClient(t, Options{})
	swap := func(old, with string) string { return strings.Replace(receiptText, old, with, 1) }
	for _, row := range []struct{ path, body, field string }{
		{"receipts/", swap(`,"taxRate":2500`, ""), "orderLines.taxRate"},
		{"receipts/", swap(`,"taxRate":2500`, `,"taxRate":null`), "orderLines.taxRate"},
		{"receipts/", swap("6808", "-6808"), "orderLines.totalAmount"},
		{"receipts/", swap(`"currency":"NOK"`, `"currency":null`), "bottomLine.currency"},
		{"receipts/", swap(`"NOK"`, `"SEK"`), "bottomLine.currency"},
		{"receipts/", swap("6808", `{"currency":"NOK","value":6808}`), "orderLines[0].totalAmount"},
		{"receipts/", swap(`"taxRate"`, `"vat"`), "orderLines[0].vat"},
		{"receipts/", "", "Content-Type"},
		{"categories/", strings.Replace(categoryText, `"RECEIPT"`, "null", 1), "category"},
		{"categories/", strings.Replace(categoryText, "https", "ftp", 1), ""},
		{"categories/", strings.Replace(categoryText, "https:", "javascript:", 1), "orderDetailsUrl"},
		{"categories/", strings.Replace(categoryText, "https://lad.example.no/A12/1", "x", 1), "orderDetailsUrl"},
	} {
		method := map[string]string{"receipts/": "POST", "categories/": "PUT"}[row.path]
		got := c.beside(method, ordersPath+row.path+string(ref), row.body)
		if (got.status == 400) != (row.field != "") || got.invalid() != row.field {
			t.Errorf("%s\n%d %s, want %q", row.body, got.status, got.raw, row.field)
		}
	}
	if receipt, _ := c.till.InApp(ref); receipt != nil {
		t.Errorf("kept %s", receipt)
	}
}

func TestAppIsNeverOverfull(t *testing.T) {
	c := newClient(t, Options{})
	c.beside("PUT", ordersPath+"categories/"+string(ref), categoryText)
	if want := len(categoryText) + len(ref); c.till.shownSize != want {
		t.Errorf("%d bytes, want %d", c.till.shownSize, want)
	}
	c.till.shownSize = maxShown - len(categoryText) + 1
	if got := c.beside("PUT", ordersPath+"categories/"+string(ref), categoryText); got.status != 200 {
		t.Errorf("over its own: %d %s", got.status, got.raw)
	}
	if got := c.beside("PUT", ordersPath+"categories/another", categoryText); got.status != 500 {
		t.Errorf("one too many: %d %s", got.status, got.raw)
	}
}

func TestFaultsBeside(t *testing.T) {
	c := newClient(t, Options{})
	c.beside("POST", codesPath, codeText)
	paths := map[string]string{
		"order": ordersPath + "x", "qr": codesPath, "webhooks": hooksPath, "ledgers": "/settlement/v1/ledgers", "report": "/report/v2/ledgers/302321/funds/feed",
	}
	for call, path := range maps.All(paths) {
		c.script(call + ": 5xx, code 6260, busy, 423, 401, 403, 429 7s, 502, 503, html, request-lost")
		for _, want := range []int{500, 400, 423, 423, 401, 403, 429, 502, 503, 502, 0} {
			if got := c.beside("GET", path, ""); got.status != want {
				t.Errorf("%s: %d %s, want %d", call, got.status, got.raw, want)
			}
		}
		if got := c.beside("GET", path, ""); got.status != 200 && got.status != 404 {
			t.Errorf("%s, when all is over: %d", call, got.status)
		}
	}
	c.script("receipt: answer-lost; category: late 45s")
	c.beside("POST", ordersPath+"receipts/"+string(ref), receiptText)
	c.beside("PUT", ordersPath+"categories/"+string(ref), categoryText)
	if receipt, category := c.till.InApp(ref); receipt == nil || category != nil {
		t.Errorf("%s %s", receipt, category)
	}
	c.clock.pass(45 * time.Second)
	c.till.Tick(c.clock.now())
	if _, category := c.till.InApp(ref); category == nil {
		t.Error("what was late never came")
	}
}
