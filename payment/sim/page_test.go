package sim

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browse fetches a page as a browser would, without the API's headers.
func (c *client) browse(method, address, form string) answer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, address, strings.NewReader(form))
	if err != nil {
		c.t.Fatal(err)
	}
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return c.do(r)
}

func TestPayerDecidesOnThePage(t *testing.T) {
	for _, row := range []struct{ act, state, says string }{
		{"approve", "AUTHORIZED 35000 0 0 0", "The payment is approved."},
		{"decline", "ABORTED 0 0 0 0", "The payment is declined."},
	} {
		c := newClient(t, Options{})
		page := c.create("r1", createText).text("redirectUrl")
		shown := c.browse("GET", page, "")
		for _, want := range []string{"350.00 NOK", string(ref), "Lading A12 &lt;b&gt;1&lt;/b&gt;", "Simulated Vipps", "Simulert Vipps",
			`name="act" value="approve"`, `name="act" value="decline"`, `<form method="post">`, `name="viewport"`} {
			if !strings.Contains(shown.raw, want) {
				t.Errorf("the page lacks %q:\n%s", want, shown.raw)
			}
		}
		if shown.status != 200 || strings.Contains(shown.raw, "<script") || strings.Contains(shown.raw, "http-equiv") {
			t.Errorf("%d\n%s", shown.status, shown.raw)
		}
		done := c.browse("POST", page, "act="+row.act)
		if to := done.header.Get("Location"); done.status != 303 || to != "https://lad.example.no/s/1" {
			t.Errorf("%s: %d to %q", row.act, done.status, to)
		}
		if got := c.get(string(ref)).sums(); got != row.state {
			t.Errorf("%s: %s, want %s", row.act, got, row.state)
		}
		after := c.browse("GET", page, "")
		if !strings.Contains(after.raw, row.says) || strings.Contains(after.raw, "<form") || !strings.Contains(after.raw, `href="https://lad.example.no/s/1"`) {
			t.Errorf("%s, afterwards:\n%s", row.act, after.raw)
		}
		again := c.browse("POST", page, "act=approve")
		if to := again.header.Get("Location"); again.status != 303 || to != mustParse(t, page).Path {
			t.Errorf("%s, and again: %d to %q", row.act, again.status, to)
		}
		if got := c.get(string(ref)).sums(); got != row.state {
			t.Errorf("%s, and again: %s, want %s", row.act, got, row.state)
		}
	}
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPageSaysWhenItIsTooLate(t *testing.T) {
	c := newClient(t, Options{})
	page := c.create("r1", createText).text("redirectUrl")
	c.clock.pass(10 * time.Minute)
	if got := c.browse("POST", page, "act=approve"); got.status != 303 || got.header.Get("Location") != mustParse(t, page).Path {
		t.Errorf("%d %v", got.status, got.header)
	}
	if got := c.browse("GET", page, ""); !strings.Contains(got.raw, "The payment has expired.") || strings.Contains(got.raw, "<form") {
		t.Errorf("%s", got.raw)
	}
	if got := c.get(string(ref)).sums(); got != "EXPIRED 0 0 0 0" {
		t.Error(got)
	}

	c = newClient(t, Options{})
	page = c.create("r1", createText).text("redirectUrl")
	c.post(string(ref)+"/cancel", "", "")
	if got := c.browse("GET", page, ""); !strings.Contains(got.raw, "The merchant has ended the payment.") {
		t.Errorf("%s", got.raw)
	}
}

func TestPageObeysNobodyElse(t *testing.T) {
	c := newClient(t, Options{})
	page := c.create("r1", createText).text("redirectUrl")
	for _, row := range []struct {
		method, page, form string
		status             int
	}{
		{"POST", page + "x", "act=approve", 404}, {"GET", page + "x", "", 404}, {"POST", page, "act=refund", 400},
		{"POST", page, "", 400}, {"POST", page + "?act=approve", "x=y", 400},
		{"POST", page, "x=" + strings.Repeat("y", maxBody) + "&act=approve", 400},
	} {
		if got := c.browse(row.method, row.page, row.form); got.status != row.status {
			t.Errorf("%s %s %.20s: %d, want %d", row.method, row.page, row.form, got.status, row.status)
		}
	}
	if got := c.get(string(ref)).sums(); got != "CREATED 0 0 0 0" {
		t.Error(got)
	}
}

func TestPagePolicyLetsThePageWorkAndNothingElse(t *testing.T) {
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`)
	for back, forms := range map[string]string{
		"https://lad.example.no/s/1":    "form-action 'self' https://lad.example.no;",
		"http://127.0.0.1:8080/s/1":     "form-action 'self' http://127.0.0.1:8080;",
		"no.example.stolpe://s/1?x;y='": "form-action 'self' no.example.stolpe:;",
	} {
		c := newClient(t, Options{})
		page := c.create("r1", strings.Replace(createText, "https://lad.example.no/s/1", back, 1)).text("redirectUrl")
		got := c.browse("GET", page, "")
		found := style.FindStringSubmatch(got.raw)
		if found == nil {
			t.Fatalf("no style:\n%s", got.raw)
		}
		sum := sha256.Sum256([]byte(found[1]))
		policy := got.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none';", "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';", forms,
			"base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: policy %q lacks %q", back, policy, want)
			}
		}
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Referrer-Policy") != "no-referrer" || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%v", got.header)
		}
		if to := c.browse("POST", page, "act=approve").header.Get("Location"); to != back {
			t.Errorf("back to %q, want %q", to, back)
		}
	}
}

func TestAutomaticPayer(t *testing.T) {
	for _, row := range []struct {
		payer        Payer
		wait         time.Duration
		before, then string
	}{
		{Payer{Approves, 5 * time.Second}, 5 * time.Second, "CREATED 0 0 0 0", "AUTHORIZED 35000 0 0 0"},
		{Payer{Refuses, 5 * time.Second}, 5 * time.Second, "CREATED 0 0 0 0", "ABORTED 0 0 0 0"},
		{Payer{Dawdles, 5 * time.Second}, 10*time.Minute + 5*time.Second, "EXPIRED 0 0 0 0", "EXPIRED 0 0 0 0"},
		{Payer{Vanishes, 0}, 10 * time.Minute, "CREATED 0 0 0 0", "EXPIRED 0 0 0 0"},
	} {
		t.Run(row.payer.Habit.String(), func(t *testing.T) {
			c := newClient(t, Options{Payer: row.payer})
			page := c.create("r1", createText).text("redirectUrl")
			got := c.browse("GET", page, "")
			if !strings.Contains(got.raw, `http-equiv="refresh"`) || strings.Contains(got.raw, "<form") || !strings.Contains(got.raw, "An automatic payer decides.") {
				t.Errorf("the page:\n%s", got.raw)
			}
			c.browse("POST", page, "act=decline") // not a button of this page
			c.clock.pass(row.wait - time.Second)
			if got := c.get(string(ref)).sums(); got != row.before {
				t.Errorf("a second before: %s, want %s", got, row.before)
			}
			c.clock.pass(time.Second)
			c.create("r1", createText) // asking again must not make the payer act again
			if got := c.get(string(ref)).sums(); got != row.then {
				t.Errorf("then %s, want %s", got, row.then)
			}
			if got := c.browse("GET", page, ""); got.status != 303 || got.header.Get("Location") != "https://lad.example.no/s/1" {
				t.Errorf("the page leads to %d %q", got.status, got.header.Get("Location"))
			}
			c.till.Do(func(now time.Duration, b *Book) {
				if n := len(b.Events(now, ref)); n != 2 {
					t.Errorf("%d events, want CREATED and one more", n)
				}
			})
		})
	}
}

func TestTickMakesThePayerAct(t *testing.T) {
	c := newClient(t, Options{Payer: Payer{Approves, 5 * time.Second}})
	c.create("r1", createText)
	c.create("r1", createText)
	if n := len(c.till.queue); n != 1 {
		t.Errorf("asked twice, and %d payers are on their way", n)
	}
	c.till.Tick(c.clock.now() + 5*time.Second)
	if got := c.get(string(ref)).sums(); got != "AUTHORIZED 35000 0 0 0" {
		t.Error(got)
	}
}

func TestLinkBeginsWithThePublicURL(t *testing.T) {
	c := newClient(t, Options{PublicURL: "https://till.example.no"})
	if got := c.create("r1", createText).text("redirectUrl"); !strings.HasPrefix(got, "https://till.example.no/app/") {
		t.Error(got)
	}
	c = newClient(t, Options{})
	server := httptest.NewTLSServer(c.till)
	defer server.Close()
	c.url, c.http = server.URL, server.Client()
	defer c.http.CloseIdleConnections()
	if got := c.create("r1", createText).text("redirectUrl"); !strings.HasPrefix(got, server.URL+"/app/") || !strings.HasPrefix(got, "https://") {
		t.Error(got)
	}
}
