package vipps

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stolpe/payment"
)

const shownPage = "https://lad.example.no/A12-1/abc"

// informOrder tells of 5.489 kWh, 12 minutes of standing, and a start.
func informOrder() payment.Order {
	return payment.Order{Verb: payment.Inform, Ref: ref, Currency: payment.NOK, Return: shownPage, Receipt: &payment.Receipt{
		Number: "A12/1-000123", Currency: payment.NOK, VAT: 2500, Lines: []payment.ReceiptLine{
			{Line: payment.Line{Kind: payment.EnergyLine, Quantity: 5489, Each: 549, Amount: 3013, VAT: 603}, Name: "Energi 1234,567–1240,056 kWh"},
			{Line: payment.Line{Kind: payment.TimeLine, Quantity: 30, Each: 20, Amount: 600, VAT: 120}, Name: "Tid"},
			{Line: payment.Line{Kind: payment.SessionLine, Quantity: 1, Each: 1000, Amount: 1000, VAT: 200}, Name: "Start"},
			{Line: payment.Line{Kind: payment.IdleLine, Quantity: 12, Each: 100, Amount: 1000, VAT: 200}, Name: "Opptatt"},
		},
	}}
}

// others are the APIs beside ePayment, on loopback: each call is scripted by
// "METHOD /path", and what is not scripted is not found. The token is always given.
type others struct {
	*api
	answers map[string]http.HandlerFunc
}

func newOthers(t *testing.T) *others {
	w := &others{api: start(t, payment.Found{}), answers: map[string]http.HandlerFunc{}}
	w.on("?", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		answer := w.answers[r.Method+" "+r.URL.Path]
		w.mu.Unlock()
		if answer == nil {
			answer = says(404, `{"title":"Not found","detail":"d","instance":"i"}`)
		}
		answer(rw, r)
	})
	return w
}

func (w *others) at(what string, h http.HandlerFunc) *others {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[what] = h
	return w
}

// lines lists what was asked but for the token, as "METHOD /path?query".
func (w *others) lines() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, c := range w.calls {
		if c.op != "token" {
			all = append(all, c.method+" "+c.path)
		}
	}
	return strings.Join(all, "\n")
}

// the three calls of an Inform.
const (
	readShown   = "GET /order-management/v2/ecom/A12-1-000042"
	sendReceipt = "POST /order-management/v2/ecom/receipts/A12-1-000042"
	sendLink    = "PUT /order-management/v2/ecom/categories/A12-1-000042"
)

const (
	oneLine  = `"receipt":{"orderLines":[{"name":"x","id":"energy","totalAmount":1,"totalAmountExcludingTax":1,"totalTaxAmount":0,"taxRate":0}],"bottomLine":{"currency":"NOK"}}`
	ourLink  = `"category":{"category":"RECEIPT","orderDetailsUrl":"` + shownPage + `","imageId":null}`
	someLink = `"category":{"category":"RECEIPT","orderDetailsUrl":"https://lad.example.no/other"}`
	notLink  = `"category":{"category":"GENERAL","orderDetailsUrl":"` + shownPage + `"}`
	orderNo  = `{"type":"t","title":"No","detail":"d","instance":"i","invalidParams":[{"name":"n","reason":"r"}]}`
)

// One step each asking: what is there decides which.
func TestInformSendsOnlyWhatIsMissing(t *testing.T) {
	for _, row := range []struct {
		name, there, link string // there "" is a 404
		call, want        string
	}{
		{"nothing there", "", shownPage, sendReceipt, "pending"},
		{"nothing there, no link due", "", "", sendReceipt, "settled"},
		{"empty", "{}", shownPage, sendReceipt, "pending"},
		{"nulls", `{"category":null,"receipt":null}`, shownPage, sendReceipt, "pending"},
		{"receipt without lines", `{"receipt":{"orderLines":[]}}`, shownPage, sendReceipt, "pending"},
		{"link alone", "{" + ourLink + "}", shownPage, sendReceipt, "settled"},
		{"receipt alone", "{" + oneLine + "}", shownPage, sendLink, "settled"},
		{"receipt alone, no link due", "{" + oneLine + "}", "", "", "settled"},
		{"another link", "{" + someLink + "," + oneLine + "}", shownPage, sendLink, "settled"},
		{"another category", "{" + notLink + "," + oneLine + "}", shownPage, sendLink, "settled"},
		{"all there", "{" + ourLink + "," + oneLine + `,"new":1}`, shownPage, "", "settled"},
	} {
		w := newOthers(t).at(sendReceipt, says(201, `"16328cb8"`)).at(sendLink, says(200, `"16328cb8"`))
		if row.there != "" {
			w.at(readShown, says(200, row.there))
		}
		o := informOrder()
		o.Return = row.link
		a, err := w.client(t).Ask(t.Context(), o)
		if err != nil || a != (payment.Answer{Status: a.Status}) || brief(a) != row.want {
			t.Errorf("%s: %+v, %v, want %s", row.name, a, err, row.want)
		}
		if want := strings.TrimSpace(readShown + "\n" + row.call); w.lines() != want {
			t.Errorf("%s: asked\n%s\nwant\n%s", row.name, w.lines(), want)
		}
	}
}

// Nothing that this API answers may be taken for word about the money or the
// sales unit, and nothing but a definite no ends the telling.
func TestWhatAnInformMakesOfFailures(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		want   string // to the receipt and to the link; the same to the read unless read is set
		read   string
	}{
		{"400", says(400, orderNo), "refused/rejected", ""},
		{"403", says(403, orderNo), "refused/rejected", ""},
		{"403 of the gateway", says(403, `{"statusCode":403,"message":"m"}`), "refused/rejected", ""},
		{"403 of a proxy", says(403, "<html>"), "unknown", ""},
		{"404", says(404, orderNo), "refused/rejected", "pending"},
		{"415", says(415, orderNo), "refused/rejected", ""},
		{"401", says(401, ""), "busy", ""},
		{"423", says(423, orderNo), "busy", ""},
		{"429", says(429, ""), "busy", ""},
		{"408", says(408, orderNo), "unknown", ""},
		{"409", says(409, orderNo), "unknown", ""},
		{"500", says(500, orderNo), "unknown", ""},
		{"503", says(503, ""), "unknown", ""},
		{"302", says(302, ""), "unknown", ""},
		{"lost", hangUp, "unknown", ""},
		{"huge", says(200, `"`+strings.Repeat("x", maxBody)+`"`), "unknown", ""},
		{"code of money", says(400, problemOf(400, "5060")), "refused/rejected", ""},
		{"code of foreign money", says(409, problemOf(409, "4150")), "unknown", ""},
	} {
		for _, call := range []string{readShown, sendReceipt, sendLink} {
			w := newOthers(t).at(sendReceipt, says(201, `"1"`)).at(sendLink, says(200, `"1"`))
			if call == sendLink {
				w.at(readShown, says(200, "{"+oneLine+"}"))
			}
			w.at(call, row.answer)
			a, err := w.client(t).Ask(t.Context(), informOrder())
			want := row.want
			if call == readShown && row.read != "" {
				want = row.read
			}
			if brief(a) != want || (err == nil) != (want == "pending") || a.Found != (payment.Found{}) {
				t.Errorf("%s to %s: %+v, %v, want %s", row.name, call, a, err, want)
			}
			if n := strings.Count(w.lines(), "POST") + strings.Count(w.lines(), "PUT"); n > 2 || n == 2 && row.name != "401" {
				t.Errorf("%s to %s: asked\n%s", row.name, call, w.lines())
			}
		}
	}
}

// A receipt whose answer was lost is not sent twice.
func TestLostReceiptIsReadBack(t *testing.T) {
	w := newOthers(t)
	w.at(sendReceipt, func(rw http.ResponseWriter, r *http.Request) {
		w.at(readShown, says(200, "{"+oneLine+"}"))
		hangUp(rw, r)
	}).at(sendLink, says(200, `"1"`))
	c := w.client(t)
	for _, want := range []string{"unknown", "settled"} {
		if a, err := c.Ask(t.Context(), informOrder()); brief(a) != want {
			t.Errorf("%+v, %v, want %s", a, err, want)
		}
	}
	if want := strings.Join([]string{readShown, sendReceipt, readShown, sendLink}, "\n"); w.lines() != want {
		t.Errorf("asked\n%s", w.lines())
	}
}

// Odd answers to the read are no answers: nothing is sent on the strength of one.
func TestOddReadsSendNothing(t *testing.T) {
	for _, body := range []string{"", "null", "[]", `"x"`, "7", "<html>", `{"receipt":[]}`, `{"receipt":{"orderLines":{}}}`, `{"category":"RECEIPT"}`, `{"receipt"`} {
		w := newOthers(t).at(readShown, says(200, body))
		a, err := w.client(t).Ask(t.Context(), informOrder())
		if brief(a) != "unknown" || err == nil || w.lines() != readShown {
			t.Errorf("%q: %+v, %v, asked\n%s", body, a, err, w.lines())
		}
	}
}

// No token: the same later, though the token's address was not found.
func TestInformWithoutATokenIsBusy(t *testing.T) {
	w := newOthers(t)
	w.on("token", says(404, ""))
	if a, err := w.client(t).Ask(t.Context(), informOrder()); brief(a) != "busy" || err == nil || w.lines() != "" {
		t.Errorf("%+v, %v, asked %q", a, err, w.lines())
	}
}

func TestReceiptThatCannotBeShownIsNotSent(t *testing.T) {
	line := func(spoil func(*payment.ReceiptLine)) func(*payment.Order) {
		return func(o *payment.Order) { spoil(&o.Receipt.Lines[0]) }
	}
	for name, spoil := range map[string]func(*payment.Order){
		"no receipt":      func(o *payment.Order) { o.Receipt = nil },
		"no lines":        func(o *payment.Order) { o.Receipt.Lines = nil },
		"link over http":  func(o *payment.Order) { o.Return = "ftp://lad.example.no/" },
		"link too long":   func(o *payment.Order) { o.Return = shownPage + strings.Repeat("x", maxReturn) },
		"unsold currency": func(o *payment.Order) { o.Currency, o.Receipt.Currency = "SEK", "SEK" },
		"two currencies":  func(o *payment.Order) { o.Receipt.Currency = payment.DKK },
		"VAT below 0":     func(o *payment.Order) { o.Receipt.VAT = -1 },
		"VAT above 100 %": func(o *payment.Order) { o.Receipt.VAT = 10_001 },
		"number no text":  func(o *payment.Order) { o.Receipt.Number = "\xff" },
		"no name":         line(func(l *payment.ReceiptLine) { l.Name = "" }),
		"long name":       line(func(l *payment.ReceiptLine) { l.Name = strings.Repeat("ø", 101) }),
		"name no text":    line(func(l *payment.ReceiptLine) { l.Name = "x\xff" }),
		"two lines":       line(func(l *payment.ReceiptLine) { l.Name = "x\ny" }),
		"negative":        line(func(l *payment.ReceiptLine) { l.Amount, l.VAT = -1, -1 }),
		"too much":        line(func(l *payment.ReceiptLine) { l.Amount = payment.MaxAmount + 1 }),
		"negative VAT":    line(func(l *payment.ReceiptLine) { l.VAT = -1 }),
		"more VAT than":   line(func(l *payment.ReceiptLine) { l.VAT = l.Amount + 1 }),
		"negative price":  line(func(l *payment.ReceiptLine) { l.Each = -1 }),
		"negative use":    line(func(l *payment.ReceiptLine) { l.Quantity = -1 }),
		"a GWh":           line(func(l *payment.ReceiptLine) { l.Quantity = 1_000_000_000 }),
		"unknown kind":    line(func(l *payment.ReceiptLine) { l.Kind = payment.IdleLine + 1 }),
		"another sum":     func(o *payment.Order) { o.Amount = o.Receipt.Total() + 1 },
		"a part of it":    func(o *payment.Order) { o.Amount = o.Receipt.Total() - 1 },
		"more in all": func(o *payment.Order) {
			o.Receipt.Lines[0].Amount, o.Receipt.Lines[1].Amount = payment.MaxAmount, 1_000_000
		},
		"reference broken": func(o *payment.Order) { o.Ref = "A12-1-000042?x" },
	} {
		w := newOthers(t)
		o := informOrder()
		spoil(&o)
		a, err := w.client(t).Ask(t.Context(), o)
		if brief(a) != "refused/rejected" || err == nil || w.asked() != "" {
			t.Errorf("%s: %+v, %v, asked %q", name, a, err, w.asked())
		}
	}
}

// The largest and smallest that may be sent.
func TestReceiptAtItsLimits(t *testing.T) {
	o := informOrder()
	o.Return, o.Receipt.VAT, o.Receipt.Number, o.Amount = "", 10_000, "", payment.MaxAmount
	o.Receipt.Lines = []payment.ReceiptLine{
		{Line: payment.Line{Quantity: 999_999_999, Amount: payment.MaxAmount, VAT: payment.MaxAmount}, Name: strings.Repeat("ø", 100)},
		{Name: "x"},
	}
	w := newOthers(t).at(sendReceipt, says(201, ""))
	if a, err := w.client(t).Ask(t.Context(), o); brief(a) != "settled" {
		t.Fatalf("%+v, %v", a, err)
	}
	want := fmt.Sprintf(`{"orderLines":[{"name":%q,"id":"energy","totalAmount":65000000,"totalAmountExcludingTax":0,"totalTaxAmount":65000000,"taxRate":10000,`+
		`"unitInfo":{"unitPrice":0,"quantity":"999999.999","quantityUnit":"KWH"}},{"name":"x","id":"energy","totalAmount":0,"totalAmountExcludingTax":0,`+
		`"totalTaxAmount":0,"taxRate":10000,"unitInfo":{"unitPrice":0,"quantity":"0.000","quantityUnit":"KWH"}}],"bottomLine":{"currency":"NOK"}}`, strings.Repeat("ø", 100))
	if diff := cmp.Diff(want, w.last(t, "?").body); diff != "" {
		t.Error(diff)
	}
}
