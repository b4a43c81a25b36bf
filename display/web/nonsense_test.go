package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stolpe/display"
	"stolpe/payment"
)

func TestHostileNamesStayNames(t *testing.T) {
	const evil = `"><script>alert(1)</script>{{.Place}}`
	twin := newTwin()
	twin.post = display.Post{ID: evil, Name: evil, Helpdesk: evil, Pay: evil,
		Seller: display.Seller{Name: evil, OrgNo: evil, Address: evil, Email: evil}}
	v := settled(display.ContactorBad)
	v.State, v.Fault, v.Charge.Ref, v.Charge.Meter.Model, v.Charge.Meter.Serial = display.Faulted, evil, payment.Ref(evil), evil, evil
	twin.public.State, twin.public.Fault = display.Faulted, evil
	twin.set(secret, v)
	waits := running()
	waits.State, waits.Charge.PayURL = display.Paying, "javascript:alert(1)"
	twin.set(secret2, waits)
	site := newSite(t, twin)
	for _, path := range []string{"/A12", "/A12/terms", "/A12/" + secret, "/A12/" + secret2} {
		lacks(t, site.get(path).Body.String(), "<script>alert", `"javascript:`, `href="javascript`)
	}
}

func TestAPostWithoutAPriceSellsNothing(t *testing.T) {
	twin := newTwin()
	twin.public = display.View{State: display.Available}
	w := newSite(t, twin).get("/en/A12")
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("answers %d", w.Code)
	}
	sound(t, w.Body.String())
	lacks(t, text(w), `name="amount"`)
}

func TestUnknownPlacesAreAPage(t *testing.T) {
	twin := newTwin()
	site := newSite(t, twin)
	for _, path := range []string{"/B99", "/favicon.ico", "/robots.txt", "/.env", "/en/A12/x", "/A12/terms/x", "/A12/" + secret + "/terms", "/xx/A12",
		"/ABCDEFGHIJKLMNOPQ", "/nb/nb/A12", "/A%2012", "/..%2f..%2fetc", "/A12/live", "/TERMS/terms"} {
		w := site.get(path)
		if w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d", path, w.Code)
		}
		sound(t, w.Body.String())
		contains(t, text(w), "E1", `<input id="code" name="code"`)
	}
	if want := []string{"B99", "TERMS"}; !slices.Equal(twin.codes, want) {
		t.Errorf("the posts were asked for %q, want %q only", twin.codes, want)
	}
}

func TestTheFrontPageLeadsToThePost(t *testing.T) {
	site := newSite(t, newTwin())
	for path, want := range map[string]string{"/?code=a12": "/nb/A12", "/en?code=+A12+": "/en/A12", "/en/?code=A12": "/en/A12"} {
		if w := site.get(path); w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("%s answers %d to %q, want %q", path, w.Code, w.Header().Get("Location"), want)
		}
	}
	lacks(t, text(site.get("/")), "E1")
	contains(t, text(site.get("/?code=../x")), "E1")
}

func TestTheLanguageIsTheOneInTheAddressOrTheReaders(t *testing.T) {
	for _, c := range []struct{ path, accepts, want string }{
		{"/A12", "", "nb"},
		{"/A12", "en-GB,en;q=0.9,nb;q=0.8", "en"},
		{"/A12", "fr-FR,fr;q=0.9,en;q=0.8,nb;q=0.7", "en"},
		{"/A12", "de-AT,de;q=0.9,en;q=0.8,nb;q=0.7", "de"},
		{"/A12", "sv-FI,fi;q=0.9", "sv"},
		{"/A12", "fi", "fi"},
		{"/A12", "da-DK", "da"},
		{"/A12", "nn-NO,en;q=0.9", "nb"},
		{"/A12", "no,en", "nb"},
		{"/A12", "fr,zh", "nb"},
		{"/A12", strings.Repeat("fr,", 20) + "en", "nb"},
		{"/nb/A12", "en", "nb"},
		{"/en/A12", "nb", "en"},
		{"/en", "nb", "en"},
		{"/fi", "nb", "fi"},
		{"/sv/A12", "nb", "sv"},
		{"/da/A12", "nb", "da"},
		{"/de/A12", "nb", "de"},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.Header.Set("Accept-Language", c.accepts)
		w := httptest.NewRecorder()
		newSite(t, newTwin()).ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `<html lang="`+c.want+`">`) || w.Header().Get("Content-Language") != c.want {
			t.Errorf("%s for %q is not in %s", c.path, c.accepts, c.want)
		}
		if vary := w.Header().Get("Vary") != ""; vary != (c.path == "/A12") {
			t.Errorf("%s varies: %v", c.path, vary)
		}
	}
}

func TestFormsFromElsewhereAreRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []string
		taken   bool
	}{
		{"today's browser, our page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, true},
		{"today's browser, another page", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"today's browser, another page that hides", []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, false},
		{"a sister host", []string{"Sec-Fetch-Site", "same-site"}, false},
		{"yesterday's browser under our Referrer-Policy", []string{"Origin", "null"}, true},
		{"yesterday's browser, another page", []string{"Origin", "https://evil.example"}, false},
		{"behind a proxy that changes the host", []string{"Origin", "https://lad.example.no"}, true},
		{"no browser", nil, true},
	} {
		twin := newTwin()
		twin.set(secret2, running())
		site := newSite(t, twin)
		w := site.post("/A12", wishForm(), c.headers...)
		if taken := len(twin.requests) == 1; taken != c.taken || (w.Code == http.StatusForbidden) == c.taken {
			t.Errorf("%s: answers %d, taken %v", c.name, w.Code, taken)
		}
		site.post("/A12/"+secret2, url.Values{"act": {"stop"}}, c.headers...)
		if taken := len(twin.acts) == 1; taken != c.taken {
			t.Errorf("%s: stop taken %v", c.name, taken)
		}
	}
}

func TestFormsWeDidNotMakeAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		form   url.Values
		status int
	}{
		{"nothing", nil, http.StatusBadRequest},
		{"no amount", url.Values{"seen": {writePrice(price)}}, http.StatusBadRequest},
		{"an amount not offered", url.Values{"amount": {"1"}, "seen": {writePrice(price)}}, http.StatusBadRequest},
		{"a negative amount", url.Values{"amount": {"-20000"}, "seen": {writePrice(price)}}, http.StatusBadRequest},
		{"a fraction", url.Values{"amount": {"200.00"}, "seen": {writePrice(price)}}, http.StatusBadRequest},
		{"a price of nothing", url.Values{"amount": {"20000"}, "seen": {"NOK.0.0.0.0.0.0.0"}}, http.StatusBadRequest},
		{"a price in disguise", url.Values{"amount": {"20000"}, "seen": {"NOK.02500.549.0.0.900.100.20000"}}, http.StatusBadRequest},
		{"too much", url.Values{"amount": {strings.Repeat("1", maxForm)}}, http.StatusRequestEntityTooLarge},
	} {
		twin := newTwin()
		w := newSite(t, twin).post("/A12", c.form)
		if w.Code != c.status || len(twin.requests) > 0 {
			t.Errorf("%s answers %d with %d requests", c.name, w.Code, len(twin.requests))
		}
		sound(t, w.Body.String())
	}
	twin := newTwin()
	twin.set(secret, running())
	if w := newSite(t, twin).post("/A12/"+secret, url.Values{"act": {"explode"}}); w.Code != http.StatusBadRequest || len(twin.acts) > 0 {
		t.Errorf("an unknown act answers %d with %v", w.Code, twin.acts)
	}
	if w := newSite(t, twin).post("/A12/"+secret+"/live", url.Values{"act": {"stop"}}); w.Code != http.StatusMethodNotAllowed || len(twin.acts) > 0 {
		t.Errorf("a form to the stream answers %d with %v", w.Code, twin.acts)
	}
}

func TestAPriceComesBackFromItsFormAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Map(rapid.IntRange(0, 1_000_000), func(n int) payment.Amount { return payment.Amount(n) })
		p := price
		p.KWh, p.Minute, p.Session, p.Idle.Minute = 1+amount.Draw(t, "kwh")/2, amount.Draw(t, "minute"), amount.Draw(t, "session"), amount.Draw(t, "idle")
		if got, err := parsePrice(writePrice(p)); err != nil || got != p {
			t.Fatalf("%+v comes back as %+v, %v", p, got, err)
		}
	})
}

// broken panics when it is asked for a post.
type broken struct{ *twin }

func (broken) Public(string) (display.View, bool) { panic("a bug") }

func TestAPanicIsAPageAndALineWithoutTheSecret(t *testing.T) {
	twin := newTwin()
	site := newSite(t, broken{twin})
	w := site.get("/en/A12/" + secret)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "Something went wrong on our side") {
		t.Errorf("answers %d: %s", w.Code, w.Body)
	}
	if log := site.log.String(); !strings.Contains(log, "post=A12") || !strings.Contains(log, "a bug") || strings.Contains(log, secret) {
		t.Errorf("the log says %s", log)
	}
}

func TestTheLogNeverHasASecret(t *testing.T) {
	twin := newTwin()
	twin.set(secret2, running())
	site := newSite(t, twin)
	site.post("/A12", wishForm())
	site.post("/A12/"+secret2, url.Values{"act": {"stop"}})
	twin.refusal = display.ErrBusy
	site.post("/A12", url.Values{"amount": {"20000"}, "seen": {writePrice(price)}, "key": {newSecret()}})
	site.post("/A12/"+secret2, url.Values{"act": {"stop"}})
	log := site.log.String()
	if lines := strings.Count(log, "post=A12"); lines != 4 {
		t.Errorf("the log has %d lines:\n%s", lines, log)
	}
	if strings.Contains(log, secret) || strings.Contains(log, secret2) {
		t.Errorf("the log has a secret:\n%s", log)
	}
}

// FuzzAnyRequestIsAnsweredWithAPage sends what no phone should send.
func FuzzAnyRequestIsAnsweredWithAPage(f *testing.F) {
	for _, path := range []string{"/", "/A12", "/en/A12", "/A12/" + secret, "/A12/" + secret + "/live", "/A12/terms", "//", "/%00", "/æ", "/A12?stop", "/?code=A12"} {
		f.Add(http.MethodGet, path, "", "")
		f.Add(http.MethodPost, path, "amount=20000&seen="+writePrice(price)+"&key="+secret2, "application/x-www-form-urlencoded")
		f.Add(http.MethodPost, path, "act=stop", "application/x-www-form-urlencoded")
		f.Add(http.MethodPost, path, "--b\r\n\r\nx", "multipart/form-data; boundary=b")
		f.Add("DELETE", path, "%zz=%zz;&&&", "text/plain")
	}
	f.Fuzz(func(t *testing.T, method, path, form, kind string) {
		u, err := url.Parse(path)
		if err != nil || !validMethod(method) {
			t.Skip("net/http would not let it through")
		}
		twin := newTwin()
		twin.set(secret, settled(display.CarFull)) // a stream of it ends at once
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, "/", strings.NewReader(form))
		r.URL = u
		r.Header.Set("Content-Type", kind)
		newSite(t, twin).ServeHTTP(w, r)
		if w.Code >= 500 || w.Code < 200 {
			t.Errorf("%s %q answers %d: %s", method, path, w.Code, w.Body)
		}
		if w.Body.Len() == 0 && method != http.MethodHead && !slices.Contains([]int{http.StatusSeeOther, http.StatusPermanentRedirect}, w.Code) {
			t.Errorf("%s %q answers %d with nothing", method, path, w.Code)
		}
		for _, code := range twin.codes {
			if !wellFormed(code) || strings.ToUpper(code) != code {
				t.Errorf("%s %q asks for the post %q", method, path, code)
			}
		}
		if to := w.Header().Get("Location"); strings.HasPrefix(to, "//") || (to != "" && !strings.HasPrefix(to, "/")) {
			t.Errorf("%s %q leads away, to %q", method, path, to)
		}
	})
}

// refusals are what a post may say to a wish.
var refusals = []error{nil, display.ErrBusy, display.ErrOut, display.ErrPrice, display.ErrAmount, display.ErrOver, display.ErrLocked, display.CodeError{Left: 3}, display.ErrUnreachable}

// FuzzForms sends any form to any page, whatever the post then says.
func FuzzForms(f *testing.F) {
	bodies := []string{"", "amount=20000&seen=" + writePrice(price) + "&key=" + secret2 + "&phone=%2b4740000000", "amount=-1&seen=&key=", "act=stop", "act=more&act=stop",
		"digits=4827&key=" + secret2, "digits=4+8+2+7", "digits=%00%ff&key=%00", "digits=&amount=1", "%zz", strings.Repeat("digits=1&", 1000), "code=A12"}
	for _, path := range []string{"/", "/en", "/A12", "/en/A12", "/A12/" + secret, "/A12/" + secret2, "/A12/terms", "/A12/" + secret + "/live", "/A12/" + secret + "/receipt.pdf"} {
		for i, body := range bodies {
			f.Add(path, body, byte(i), byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, path, form string, state, says byte) {
		u, err := url.Parse(path)
		if err != nil {
			t.Skip("net/http would not let it through")
		}
		twin := branded()
		twin.public.State, twin.public.Busy, twin.public.Push = states()[int(state)%len(states())], state&0x40 != 0, state&0x80 != 0
		twin.post.Codes = []string{"A12", "A13"}
		twin.others = map[string]display.View{"A13": newTwin().public}
		twin.refusal = refusals[int(says)%len(refusals)]
		twin.silent = says&0x80 != 0
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		r.URL = u
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		newSite(t, twin).ServeHTTP(w, r)
		unheard := twin.silent || errors.Is(twin.refusal, display.ErrUnreachable) || w.Code == http.StatusServiceUnavailable && len(twin.requests)+len(twin.acts)+len(twin.claims) > 0
		if w.Code < 200 || (w.Code >= 500 && !(w.Code == http.StatusServiceUnavailable && unheard)) {
			t.Errorf("POST %q of %q answers %d: %s", path, form, w.Code, w.Body)
		}
		if w.Header().Get("Set-Cookie") != "" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("POST %q answers with %v", path, w.Header())
		}
		if to := w.Header().Get("Location"); strings.HasPrefix(to, "//") || (to != "" && !strings.HasPrefix(to, "/")) {
			t.Errorf("POST %q leads away, to %q", path, to)
		}
		for _, digits := range twin.claims {
			if _, ok := parseCode(digits); !ok {
				t.Errorf("POST %q of %q tries the stop code %q", path, form, digits)
			}
		}
	})
}

// validMethod says whether net/http would pass a request with it on.
func validMethod(m string) bool {
	return m != "" && !strings.ContainsFunc(m, func(r rune) bool { return r < 'A' || r > 'Z' })
}
