package sim

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// press sends a form of the page of all payments, as a browser does.
func (c *client) press(form url.Values, headers ...string) answer {
	c.t.Helper()
	r := c.request("POST", "/till", form.Encode())
	r.Header = map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	return c.do(r)
}

func (c *client) hand(act string) answer {
	c.t.Helper()
	got := c.press(url.Values{"act": {act}, "ref": {string(ref)}})
	if got.status != 303 || got.header.Get("Location") != "/till" {
		c.t.Errorf("%s: %d %s", act, got.status, got.raw)
	}
	return c.browse("GET", c.url+"/till", "")
}

func TestHandsDoWhatPayerBankAndTimeDo(t *testing.T) {
	for acts, want := range map[string]string{
		"approve":             "AUTHORIZED 35000 0 0 0",
		"decline":             "ABORTED 0 0 0 0",
		"expire":              "EXPIRED 0 0 0 0",
		"approve kill":        "AUTHORIZED 35000 0 35000 0",
		"approve expire":      "AUTHORIZED 35000 0 0 0",
		"decline approve":     "ABORTED 0 0 0 0",
		"kill":                "CREATED 0 0 0 0",
		"approve broke":       "AUTHORIZED 35000 0 0 0",
		"expire kill approve": "EXPIRED 0 0 0 0",
	} {
		c := newClient(t, Options{Hands: true})
		c.create("r1", createText)
		for act := range strings.FieldsSeq(acts) {
			c.hand(act)
		}
		got := c.get(string(ref))
		if got.sums() != want {
			t.Errorf("%s: %s, want %s", acts, got.sums(), want)
		}
		if events := c.get(string(ref) + "/events").raw; !strings.Contains(events, `"name":"`+got.text("state")+`"`) {
			t.Errorf("%s: %s in no event: %s", acts, got.text("state"), events)
		}
	}
}

func TestBoardShowsHowThingsStand(t *testing.T) {
	c := newClient(t, Options{Hands: true})
	if got := c.browse("GET", c.url+"/till", ""); !strings.Contains(got.raw, "None yet.") || strings.Contains(got.raw, "<li") {
		t.Errorf("%s", got.raw)
	}
	page := c.create("r1", createText).text("redirectUrl")
	c.create("r2", strings.Replace(createText, "000001", "000002", 1))
	got := c.browse("GET", c.url+"/till", "")
	for _, want := range []string{"Ingen penger flyttes", "No money moves", "350.00 NOK", "Lading A12 &lt;b&gt;1&lt;/b&gt;", "2026-11-20 12:00:00 UTC", "MSN 123456",
		`value="approve"`, `value="decline"`, `value="expire"`, `href="` + mustParse(t, page).Path + `"`, "CREATED"} {
		if !strings.Contains(got.raw, want) {
			t.Errorf("lacks %q:\n%s", want, got.raw)
		}
	}
	if strings.Index(got.raw, "000002") > strings.Index(got.raw, "000001") || strings.Contains(got.raw, "<script") || strings.Contains(got.raw, `value="kill"`) {
		t.Errorf("%s", got.raw)
	}
	c.hand("approve")
	c.beside("POST", ordersPath+"receipts/"+string(ref), receiptText)
	c.beside("PUT", ordersPath+"categories/"+string(ref), categoryText)
	got = c.hand("broke")
	for _, want := range []string{"AUTHORIZED", "The bank no longer has the money.", `value="kill"`, `value="solvent"`, "A12/1-000001", `href="https://lad.example.no/A12/1"`} {
		if !strings.Contains(got.raw, want) {
			t.Errorf("lacks %q:\n%s", want, got.raw)
		}
	}
	if refused := c.post(string(ref)+"/capture", "c1", takeText); refused.code() != "6260" {
		t.Errorf("captured without funds: %s", refused.raw)
	}
	if got := c.hand("solvent"); strings.Contains(got.raw, "no longer") || !strings.Contains(got.raw, `value="broke"`) {
		t.Errorf("%s", got.raw)
	}
	c.clock.pass(time.Hour)
	if got := c.browse("GET", c.url+"/till", ""); !strings.Contains(got.raw, "EXPIRED") || strings.Contains(got.raw, "CREATED") {
		t.Errorf("%s", got.raw)
	}
}

func TestFaultsAreSetByHand(t *testing.T) {
	c := newClient(t, Options{Hands: true})
	c.create("r1", createText)
	wrong := c.press(url.Values{"act": {"faults"}, "script": {`capture: <lost>`}})
	if wrong.status != 400 || !strings.Contains(wrong.raw, "&lt;lost&gt;&#34; is no fault: want ok, request-lost") || !strings.Contains(wrong.raw, "capture: &lt;lost&gt;</textarea>") {
		t.Errorf("%d %s", wrong.status, wrong.raw)
	}
	if long := c.press(url.Values{"act": {"faults"}, "script": {strings.Repeat(" ", maxScript+1)}}); long.status != 400 {
		t.Errorf("%d", long.status)
	}
	if got := c.press(url.Values{"act": {"faults"}, "script": {"get: code 5090"}}); got.status != 303 {
		t.Errorf("%d %s", got.status, got.raw)
	}
	if got := c.browse("GET", c.url+"/till", ""); !strings.Contains(got.raw, "get: code 5090</textarea>") {
		t.Errorf("%s", got.raw)
	}
	if got := c.get(string(ref)); got.status != 404 {
		t.Errorf("%d", got.status)
	}
	if err := c.till.SetScript("x"); err == nil {
		t.Error("no script, and yet taken")
	}
	c.till.SetFaults(nil)
	if got := c.browse("GET", c.url+"/till", ""); strings.Contains(got.raw, "get: code 5090</textarea>") {
		t.Errorf("%s", got.raw)
	}
}

func TestHandsObeyNobodyElse(t *testing.T) {
	act := url.Values{"act": {"approve"}, "ref": {string(ref)}}
	c := newClient(t, Options{Hands: true, PublicURL: "https://till.example.no"})
	c.create("r1", createText)
	for _, row := range []struct {
		form    url.Values
		headers []string
		status  int
	}{
		{act, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{act, []string{"Sec-Fetch-Site", "same-site"}, 403},
		{act, []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, 403},
		{act, []string{"Host", "evil.example"}, 421},
		{url.Values{"act": {"refund"}}, nil, 400},
		{url.Values{}, nil, 400},
		{url.Values{"act": {"kill"}, "ref": {"unknown"}}, nil, 303},
		{url.Values{"x": {strings.Repeat("y", maxBody)}, "act": {"approve"}, "ref": {string(ref)}}, nil, 400},
	} {
		if got := c.press(row.form, row.headers...); got.status != row.status {
			t.Errorf("%.80v %v: %d, want %d", row.form, row.headers, got.status, row.status)
		}
	}
	if got := c.get(string(ref)).sums(); got != "CREATED 0 0 0 0" {
		t.Error(got)
	}
	for _, host := range []string{"evil.example", "evil.example:8090"} {
		r := c.request("GET", "/till", "")
		r.Host = host
		if got := c.do(r); got.status != 421 || strings.Contains(got.raw, string(ref)) {
			t.Errorf("%s: %d", host, got.status)
		}
	}
	for _, host := range []string{"localhost:8090", "till.example.no", "[::1]:8090", "192.0.2.7"} {
		r := c.request("GET", "/till", "")
		r.Host = host
		if got := c.do(r); got.status != 200 {
			t.Errorf("%s: %d", host, got.status)
		}
	}
	if got := newClient(t, Options{}); got.browse("GET", got.url+"/till", "").status != 404 || got.press(act).status != 404 {
		t.Error("there is a page nobody asked for")
	}
}

func TestBoardPolicy(t *testing.T) {
	c := newClient(t, Options{Hands: true})
	got := c.browse("GET", c.url+"/till", "")
	found := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(got.raw)
	if found == nil {
		t.Fatalf("%s", got.raw)
	}
	sum := sha256.Sum256([]byte(found[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	if policy := got.header.Get("Content-Security-Policy"); policy != want || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%q, want %q", policy, want)
	}
}

func TestBoardHasAnEnd(t *testing.T) {
	c := newClient(t, Options{Hands: true})
	for n := range maxRows + 3 {
		c.create(fmt.Sprint("r", n), strings.Replace(createText, "000001", fmt.Sprintf("%06d", n), 1))
	}
	got := c.browse("GET", c.url+"/till", "")
	if n := strings.Count(got.raw, "<li>"); n != maxRows || !strings.Contains(got.raw, "… 3 til") {
		t.Errorf("%d rows", n)
	}
}

// Every word of the scripts is on the page, which writes them out itself.
func TestBoardKnowsTheWordsOfScripts(t *testing.T) {
	for c := TokenCall; c < calls; c++ {
		if !strings.Contains(boardHTML, c.String()+", ") {
			t.Errorf("lacks the call %v", c)
		}
	}
	for k := NoFault; k < kinds; k++ {
		if !strings.Contains(boardHTML, k.String()+", ") && !strings.Contains(boardHTML, ", "+k.String()+".") {
			t.Errorf("lacks the fault %v", k)
		}
	}
}
