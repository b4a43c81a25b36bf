package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/display"
	"stolpe/payment"
)

func TestNewRefusesAnAddressThatIsNotAHost(t *testing.T) {
	for _, address := range []string{"", "lad.example.no", "ftp://lad.example.no", "https://", "https://lad.example.no/x", "https://a@lad.example.no", "https://lad.example.no?x", "https://%zz"} {
		if _, err := New(newTwin(), Options{PublicURL: address}); err == nil {
			t.Errorf("New takes %q", address)
		}
	}
	if _, err := New(newTwin(), Options{PublicURL: "https://lad.example.no/"}); err != nil {
		t.Errorf("a slash at the end: %v", err)
	}
}

func TestTheFirstPageIsOneSmallRequest(t *testing.T) {
	w := newSite(t, newTwin()).get("/A12")
	var head strings.Builder
	w.Header().Write(&head)
	// The budget is 30 kB; what fits the first burst of packets of a connection
	// (10 segments of 1460 bytes) is readable one round trip earlier.
	if size := head.Len() + w.Body.Len(); size > 14_600 {
		t.Errorf("the first page is %d bytes", size)
	}
	page := w.Body.String()
	for _, m := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "data:") && !strings.HasPrefix(m[1], "tel:") {
			t.Errorf("the page points elsewhere: %q", m[1])
		}
	}
	lacks(t, page, "<img", "<script", "url(", "@import", `rel="stylesheet"`, ` style="`, " onclick=")
}

func TestNoAnswerIsKeptAndNoneSetsACookie(t *testing.T) {
	twin := newTwin()
	twin.set(secret, running())
	site := newSite(t, twin)
	answers := []*httptest.ResponseRecorder{site.post("/A12", wishForm()), site.post("/A12/"+secret, url.Values{"act": {"stop"}}), site.post("/A12", nil)}
	for _, path := range []string{"/", "/A12", "/a12", "/en/A12", "/A12/terms", "/A12/" + secret, "/A12/" + secret + "?stop", "/A12/" + secret2, "/x", "/A12/x/y/z"} {
		answers = append(answers, site.get(path))
	}
	for _, w := range answers {
		h := w.Header()
		if h.Get("Set-Cookie") != "" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" ||
			h.Get("X-Robots-Tag") != "noindex" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%d answers with %v", w.Code, h)
		}
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'", "script-src 'sha256-"} {
			if !strings.Contains(policy, part) {
				t.Errorf("the policy lacks %s: %s", part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
			t.Errorf("the policy allows too much: %s", policy)
		}
	}
}

func TestThePolicyAllowsExactlyTheStyleAndScriptOfThePage(t *testing.T) {
	twin := newTwin()
	twin.set(secret, running())
	w := newSite(t, twin).get("/A12/" + secret)
	for _, element := range []string{"style", "script"} {
		m := regexp.MustCompile(`(?s)<` + element + `>(.*?)</` + element + `>`).FindStringSubmatch(w.Body.String())
		if m == nil {
			t.Fatalf("the page has no %s", element)
		}
		if want := element + "-src " + hashOf([]byte(m[1])); !strings.Contains(w.Header().Get("Content-Security-Policy"), want) {
			t.Errorf("the policy lacks %q", want)
		}
	}
}

func TestThePublicPageShowsNothingOfACharge(t *testing.T) {
	for _, state := range states() {
		twin := newTwin()
		twin.public = running()
		twin.public.State = state
		twin.public.Charge.PayURL = "https://pay.example.no/x"
		twin.set(secret, twin.public)
		lacks(t, text(newSite(t, twin).get("/en/A12")), secret, "pay.example.no", "A12-1-000007", "8.64", "47.43", `name="act"`, "data-live", "22110345")
	}
}

// malformed are no secrets, though they look like one: newSecret cannot have
// written them. The second has a bit too many in its last letter.
var malformed = []string{strings.ToUpper(secret), "abcdefghijklmnopqrstuvwxyb", secret[:25], secret + "a", "abcdefghijklmnopqrstuvwx1a", "abcdefghijklmnopqrstuvwxå"}

func TestOnlyTheHolderSeesAndStopsACharge(t *testing.T) {
	twin := newTwin()
	twin.set(secret, running())
	site := newSite(t, twin)
	for _, s := range append(malformed, secret2) {
		for _, w := range []*httptest.ResponseRecorder{site.get("/en/A12/" + s), site.get("/en/A12/" + s + "?stop"), site.get("/en/A12/" + s + "/live"),
			site.post("/en/A12/"+s, url.Values{"act": {"stop"}})} {
			if w.Code != http.StatusNotFound {
				t.Errorf("%s answers %d", s, w.Code)
			}
			lacks(t, text(w), "8.64", "47.43", `name="act"`)
		}
	}
	if len(twin.acts) > 0 {
		t.Errorf("a stranger did %v", twin.acts)
	}
	if w := site.post("/en/A12/"+secret, url.Values{"act": {"stop"}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/en/A12/"+secret {
		t.Errorf("the holder's stop answers %d to %q", w.Code, w.Header().Get("Location"))
	}
	site.post("/A12/"+secret, url.Values{"act": {"more"}})
	if fmt.Sprint(twin.acts) != fmt.Sprint([]display.Act{display.StopCharge, display.MoreTime}) {
		t.Errorf("the holder did %v", twin.acts)
	}
}

func TestSecretsAreFreshAndWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		s := newSecret()
		if _, ok := holderOf(s); !ok || seen[s] {
			t.Fatalf("secret %q: well-formed %v, seen before %v", s, ok, seen[s])
		}
		seen[s] = true
	}
	for _, s := range malformed {
		if _, ok := holderOf(s); ok {
			t.Errorf("%q counts as a secret", s)
		}
	}
	a, _ := holderOf(secret)
	b, _ := holderOf(secret2)
	if a == b || a == (payment.Holder{}) {
		t.Errorf("holders %x and %x", a, b)
	}
}

func TestTheHolderOfASecretNeverChanges(t *testing.T) {
	// Charges under way are known by it, over an update of the program as well.
	h, _ := holderOf("abcdefghijklmnopqrstuvwxya")
	if got := fmt.Sprintf("%x", h); got != "056088821a6dc97e2a915838607e5016" {
		t.Errorf("the holder is %s", got)
	}
}

func TestARequestLeadsToItsOwnPage(t *testing.T) {
	twin := newTwin()
	site := newSite(t, twin)
	page := site.get("/en/A12").Body.String()
	key := regexp.MustCompile(`name="key" value="([a-z2-7]{26})"`).FindStringSubmatch(page)
	seen := regexp.MustCompile(`name="seen" value="([^"]*)"`).FindStringSubmatch(page)
	if key == nil || seen == nil {
		t.Fatalf("the form is not whole:\n%s", body(page))
	}
	form := url.Values{"amount": {"35000"}, "seen": {seen[1]}, "key": {key[1]}}
	w := site.post("/en/A12", form)
	path := "/en/A12/" + key[1]
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != path {
		t.Fatalf("answers %d to %q", w.Code, w.Header().Get("Location"))
	}
	holder, _ := holderOf(key[1])
	want := display.Request{Reserve: 35000, Seen: price, Holder: holder, Return: "https://lad.example.no" + path}
	if len(twin.requests) != 1 || twin.requests[0] != want {
		t.Errorf("requested %+v, want %+v", twin.requests, want)
	}
	if w := site.post("/en/A12", form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != path || len(twin.requests) != 1 {
		t.Errorf("the same form again answers %d to %q, with %d requests", w.Code, w.Header().Get("Location"), len(twin.requests))
	}
	twin.set(key[1], settled(display.CarFull))
	w = site.post("/en/A12", form)
	if len(twin.requests) != 2 || twin.requests[1].Holder == holder || w.Header().Get("Location") == path {
		t.Errorf("a form kept from the last charge leads to %q", w.Header().Get("Location"))
	}
}

func TestAPriceThatWasNotSeenIsNeverRequested(t *testing.T) {
	twin := newTwin()
	twin.public.Price.KWh = 579
	w := newSite(t, twin).post("/nb/A12", wishForm())
	if w.Code != http.StatusConflict || len(twin.requests) > 0 {
		t.Errorf("answers %d with %d requests", w.Code, len(twin.requests))
	}
	contains(t, text(w), `role="alert"`, "E19", "Prisen er endret.", ">5,79<", `value="`+writePrice(twin.public.Price)+`"`, `value="20000" checked`, `name="key" value="`+secret+`"`)
}

func TestRefusalsAreTold(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   display.Trouble
	}{
		{display.ErrBusy, http.StatusConflict, display.SomeoneFirst},
		{display.ErrOut, http.StatusConflict, display.OutOfOrder},
		{display.ErrPrice, http.StatusConflict, display.PriceChanged},
		{display.ErrAmount, http.StatusBadRequest, display.NotUnderstood},
		{display.ErrUnreachable, http.StatusServiceUnavailable, display.Unreachable},
		{errors.New("something else"), http.StatusServiceUnavailable, display.Unreachable},
	} {
		twin := newTwin()
		twin.refusal = fmt.Errorf("post A12: %w", c.err)
		w := newSite(t, twin).post("/nb/A12", wishForm())
		if w.Code != c.status || len(twin.requests) != 1 {
			t.Errorf("%v answers %d after %d requests", c.err, w.Code, len(twin.requests))
		}
		contains(t, text(w), `role="alert"`, ">"+c.code.String()+"<", string(display.NB.Words().Troubles[c.code].Money))
		sound(t, w.Body.String())
	}
}

func TestAStopThatIsNotHeardSaysHowToStopOtherwise(t *testing.T) {
	twin := newTwin()
	twin.set(secret, running())
	twin.refusal = display.ErrUnreachable
	w := newSite(t, twin).post("/en/A12/"+secret, url.Values{"act": {"stop"}})
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("answers %d", w.Code)
	}
	contains(t, text(w), `role="alert"`, "stop in the car and unplug", "only pay for what the meter shows", "?stop")
	twin.refusal = display.ErrOver
	if w := newSite(t, twin).post("/en/A12/"+secret, url.Values{"act": {"stop"}}); w.Code != http.StatusSeeOther {
		t.Errorf("a stop after the end answers %d", w.Code)
	}
}

func TestAPostWithoutContactIsToldFromALinkWithoutACharge(t *testing.T) {
	twin := newTwin()
	twin.set(secret, running())
	page := text(newSite(t, twin).get("/en/A12/" + secret2))
	contains(t, page, "E16", "This link has expired.")
	lacks(t, page, "data-live")
	twin.silent = true
	w := newSite(t, twin).get("/en/A12/" + secret)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("answers %d", w.Code)
	}
	contains(t, text(w), "E24", "We cannot reach the post", "only pay for what the meter shows", `http-equiv="refresh"`, `data-scene="gone"`)
	lacks(t, text(w), "data-lost", "8.64")
	w = newSite(t, twin).get("/en/A12")
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("the public page answers %d", w.Code)
	}
	contains(t, text(w), "E3", "Nothing is charged unless you approve it.")
	lacks(t, text(w), `name="amount"`)
}

func TestAFlooderLocksNobodyOutOfAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		twin := newTwin()
		twin.refusal = display.ErrBusy
		twin.set(secret, running())
		site := newSite(t, twin)
		last := 0
		for range 50 {
			last = site.post("/A12", url.Values{"amount": {"20000"}, "seen": {writePrice(price)}}).Code
		}
		if last != http.StatusTooManyRequests || len(twin.requests) != burst[requests] {
			t.Errorf("the last of 50 answers %d after %d requests", last, len(twin.requests))
		}
		w := site.post("/A12", wishForm())
		contains(t, text(w), "E18", "Vent ett minutt")
		if w.Header().Get("Retry-After") != "60" {
			t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
		}
		twin.refusal = nil
		if w := site.post("/A12/"+secret, url.Values{"act": {"stop"}}); w.Code != http.StatusSeeOther {
			t.Errorf("the driver's stop answers %d", w.Code)
		}
		<-time.After(refill[requests])
		if w := site.post("/A12", url.Values{"amount": {"20000"}, "seen": {writePrice(price)}}); w.Code != http.StatusSeeOther {
			t.Errorf("after a while a request answers %d", w.Code)
		}
	})
}
