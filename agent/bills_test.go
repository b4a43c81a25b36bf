package main

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"stolpe/display"
	pdf "stolpe/display/paper"
	"stolpe/display/web"
	"stolpe/hal"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// someSale is a charge that has been paid, at some price, for some use, perhaps
// with less captured than it cost.
func someSale(r *rand.Rand) display.Charge {
	amount := func(most int64) payment.Amount { return payment.Amount(r.Int64N(most + 1)) }
	p := payment.Price{Currency: []payment.Currency{payment.NOK, payment.DKK, payment.EUR}[r.IntN(3)], VAT: r.IntN(3001), KWh: 1 + amount(2000)}
	if r.IntN(2) == 0 {
		p.Minute, p.Session = amount(300), amount(5000)
		p.Idle = payment.Idle{After: time.Minute, Minute: amount(500), Cap: amount(30_000)}
	}
	u := payment.Use{Energy: hal.Energy(1 + r.Int64N(120_000)), Time: time.Duration(r.Int64N(int64(24 * time.Hour))), Idle: time.Duration(r.Int64N(int64(6 * time.Hour)))}
	captured := p.Cost(u, 1+amount(200_000)).Total
	if r.IntN(4) == 0 {
		captured = amount(int64(captured)) // somebody took less in the portal
	}
	start := hal.Energy(r.Int64N(9_999_999_999))
	return display.Charge{
		Ref: "A12-1-000042", Price: p, Reserved: 200_000, Held: true, Cost: captured, Energy: u.Energy, Elapsed: u.Time,
		End: display.ByDriver, Bill: p.Cost(u, captured), Settled: true, Captured: captured, Released: 200_000 - captured,
		Meter:   display.Meter{Model: "Eastron SDM630", Serial: "22110345", Start: start, End: start + u.Energy},
		Started: hal.Stamp{Unix: 1_790_000_000, Clock: hal.ClockSynced}, Ended: hal.Stamp{Unix: 1_790_003_600, Clock: hal.ClockSynced},
		Receipt: "A12/1-000042", Issued: hal.Stamp{Unix: 1_790_003_700, Clock: hal.ClockSynced},
	}
}

var seller = display.Post{
	ID: "A12", Name: "Storgata 1", Helpdesk: "+47 22 00 00 00",
	Seller: display.Seller{Name: "Eksempel Lading AS", OrgNo: "999999999", VATRegistered: true},
}

// minor reads an amount as people write it, in minor units.
func minor(t *testing.T, text string) payment.Amount {
	t.Helper()
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		t.Fatalf("%q is no amount", text)
	}
	return payment.Amount(n)
}

// Of 100,000 bills the lines add up to what was captured, net and VAT to gross, and
// the document and the receipt for the app say so line by line. Every 500th is also
// drawn as a page, as a PDF and as what goes to the service, and these say the same.
func TestAllReceiptsSayTheSame(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 2))
	outlets := newMedia(t)
	bills := 100_000
	if testing.Short() {
		bills = 10_000
	}
	for n := range bills {
		c := someSale(r)
		l := []display.Lang{display.NB, display.EN}[n%2]
		d, ok := l.Document(seller, "A12", c)
		app := l.Receipt(c)
		if !ok || app.Total() != c.Captured || len(app.Lines) != len(d.Lines) || app.Number != d.Number || app.VAT != c.Price.VAT {
			t.Fatalf("%d: document %+v\napp %+v\ncaptured %v", n, d, app, c.Captured)
		}
		var gross, vat payment.Amount
		for i, line := range app.Lines {
			if line.Amount <= 0 || minor(t, d.Lines[i].Value) != line.Amount {
				t.Fatalf("%d: line %+v, in the document %+v", n, line, d.Lines[i])
			}
			gross, vat = gross+line.Amount, vat+line.VAT
		}
		sums := d.Sums
		if c.Price.VAT > 0 {
			net := minor(t, sums[0].Value)
			if minor(t, sums[1].Value) != vat || net+vat != gross {
				t.Fatalf("%d: net %v and VAT %v make %v; sums %+v", n, net, vat, gross, sums)
			}
			sums = sums[2:]
		}
		if len(sums) != 1 || minor(t, sums[0].Value) != gross || gross != c.Captured {
			t.Fatalf("%d: %v captured, sums %+v", n, c.Captured, d.Sums)
		}
		if n%500 == 0 && gross > 0 {
			outlets.compare(l, c, d, app)
		}
	}
}

// outlets are the ways in which a receipt leaves the post.
type outlets struct {
	t      *testing.T
	charge display.Charge
	pages  http.Handler
	client *vipps.Client
	sent   []byte // to Order Management
}

func newMedia(t *testing.T) *outlets {
	m := &outlets{t: t}
	var err error
	if m.pages, err = web.New(m, web.Options{PublicURL: "https://lad.example.no", PDF: pdf.Receipt}); err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/accesstoken"):
			fmt.Fprint(w, `{"access_token":"t","expires_in":"3600"}`)
		case r.Method == http.MethodPost:
			m.sent, _ = io.ReadAll(r.Body)
			w.WriteHeader(http.StatusCreated)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(service.Close)
	m.client, err = vipps.New(vipps.Config{BaseURL: service.URL, MSN: "123456", ClientID: "i", ClientSecret: "s", SubscriptionKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// compare draws a receipt everywhere and looks for the same numbers.
func (m *outlets) compare(l display.Lang, c display.Charge, d display.Document, app payment.Receipt) {
	t := m.t
	t.Helper()
	m.charge = c
	base := "/" + l.Tag() + "/A12/" + strings.Repeat("a", 26) + "/receipt"
	page, sheet := m.get(base), m.get(base+".pdf")
	told := map[string]string{"page": oneSpaced(html.UnescapeString(string(page))), "PDF": textOf(t, sheet)}
	for where, text := range told {
		for _, rows := range [][]display.Row{d.Head, d.Lines, d.Sums, d.Charge, d.Paid} {
			for _, row := range rows {
				if !strings.Contains(text, oneSpaced(row.Value)) {
					t.Errorf("the %s does not say %s: %s\n%s", where, row.Label, row.Value, text)
				}
			}
		}
	}
	if _, err := m.client.Ask(context.Background(), payment.Order{Verb: payment.Inform, Ref: c.Ref, Currency: app.Currency, Receipt: &app}); err != nil {
		t.Error(err)
	}
	var sent struct {
		Lines []struct {
			Name  string
			Total payment.Amount `json:"totalAmount"`
			Net   payment.Amount `json:"totalAmountExcludingTax"`
			VAT   payment.Amount `json:"totalTaxAmount"`
		} `json:"orderLines"`
		Bottom struct{ ReceiptNumber string } `json:"bottomLine"`
	}
	if err := json.Unmarshal(m.sent, &sent); err != nil || len(sent.Lines) != len(d.Lines) || sent.Bottom.ReceiptNumber != d.Number {
		t.Fatalf("sent %s, %v", m.sent, err)
	}
	for i, line := range sent.Lines {
		if line.Total != minor(t, d.Lines[i].Value) || line.Net+line.VAT != line.Total || line.VAT != app.Lines[i].VAT {
			t.Errorf("sent %+v, the document says %+v", line, d.Lines[i])
		}
	}
}

func (m *outlets) get(path string) []byte {
	w := httptest.NewRecorder()
	m.pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		m.t.Fatalf("%s: %d\n%s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// oneSpaced takes away how spaces are written.
func oneSpaced(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u00a0", " ")), " ")
}

var (
	streams = regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`)
	drawn   = regexp.MustCompile(`\(((?:\\.|[^\\()])*)\) ?Tj`)
)

// textOf is all text of a PDF, in the order of its drawing.
func textOf(t *testing.T, sheet []byte) string {
	t.Helper()
	var text strings.Builder
	for _, s := range streams.FindAllSubmatch(sheet, -1) {
		content := s[1]
		if z, err := zlib.NewReader(bytes.NewReader(content)); err == nil {
			content, err = io.ReadAll(z)
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // the line's end before endstream may be the data's
				t.Fatal(err)
			}
		}
		for _, m := range drawn.FindAllSubmatch(content, -1) {
			for _, b := range bytes.ReplaceAll(m[1], []byte(`\`), nil) {
				text.WriteRune(latinRune(b))
			}
			text.WriteString("\n")
		}
	}
	return oneSpaced(text.String())
}

// latinRune is a byte of the fonts' code page (Windows-1252), as far as receipts use it.
func latinRune(b byte) rune {
	switch b {
	case 0x80:
		return '€'
	case 0x96:
		return '–'
	case 0x97:
		return '—'
	}
	return rune(b)
}

// What the pages ask of posts: there is one charge, and it is over.

func (m *outlets) Post(string) (display.Post, bool)   { return seller, true }
func (m *outlets) Public(string) (display.View, bool) { return display.View{Code: "A12"}, true }
func (m *outlets) Session(context.Context, string, payment.Holder) (display.View, bool) {
	return display.View{Code: "A12", Charge: m.charge}, true
}
func (m *outlets) Request(context.Context, string, display.Request) error { return display.ErrOut }
func (m *outlets) Act(context.Context, string, payment.Holder, display.Act) error {
	return display.ErrOver
}
func (m *outlets) Claim(context.Context, string, string, payment.Holder) error {
	return display.ErrOver
}
func (m *outlets) Changed(string) <-chan struct{} { return nil }
