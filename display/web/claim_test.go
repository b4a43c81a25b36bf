package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// rescanned is a post where somebody charges.
func rescanned() *twin {
	twin := newTwin()
	twin.public.State, twin.public.Busy = display.Charging, true
	twin.public.Since = hal.Stamp{Unix: 1789900000, Clock: hal.ClockSynced}
	return twin
}

// claimForm is the form of a busy post's page.
func claimForm(digits string) url.Values {
	return url.Values{"digits": {digits}, "key": {secret}}
}

var keyOf = regexp.MustCompile(`name="key" value="([a-z2-7]{26})"`)

func TestWhoeverKnowsTheStopCodeGetsAPageOfHisOwn(t *testing.T) {
	twin := rescanned()
	site := newSite(t, twin)
	page := text(site.get("/en/A12"))
	sound(t, page)
	contains(t, page, "In use since", "Is this you?", `<label for="digits">`, `name="digits" required inputmode="numeric"`, `autocomplete="off"`, "Show the charge")
	lacks(t, page, "<script", rightCode, `aria-invalid="true"`)
	key := keyOf.FindStringSubmatch(page)
	if key == nil || key[1] == keyOf.FindStringSubmatch(text(site.get("/en/A12")))[1] {
		t.Fatalf("want a fresh secret in every form:\n%s", body(page))
	}
	form := url.Values{"digits": {" 48 27"}, "key": {key[1]}}
	w := site.post("/en/A12", form)
	path := "/en/A12/" + key[1]
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != path || fmt.Sprint(twin.claims) != "[4827]" {
		t.Fatalf("answers %d to %q after %v", w.Code, w.Header().Get("Location"), twin.claims)
	}
	contains(t, text(site.get(path)), "8.64", "Stop code: <b class=\"digits\">4827</b>", "enter the stop code")
	if w := site.post("/en/A12", form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != path || len(twin.claims) != 1 {
		t.Errorf("the same form again answers %d to %q after %v", w.Code, w.Header().Get("Location"), twin.claims)
	}
	if log := site.log.String(); strings.Contains(log, "4827") || strings.Contains(log, key[1]) || !strings.Contains(log, "claim taken") {
		t.Errorf("the log says %s", log)
	}
	if w := site.post("/en/A12", url.Values{"digits": {rightCode}, "key": {"mine"}}); w.Code != http.StatusSeeOther || strings.Contains(w.Header().Get("Location"), "mine") {
		t.Errorf("a secret that is none leads to %q", w.Header().Get("Location"))
	}
}

func TestAStopCodeThatOpensNothingIsTold(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   display.Trouble
		says   string
		again  bool // the form stands there
	}{
		{display.CodeError{Left: 3}, http.StatusForbidden, display.WrongCode, "Feil stoppkode. Antall forsøk igjen: 3.", true},
		{display.ErrLocked, http.StatusTooManyRequests, display.CodeLocked, "Vent ti minutter", false},
		{display.ErrOver, http.StatusConflict, display.NobodyHere, "Ingen lader her nå.", true},
		{display.ErrUnreachable, http.StatusServiceUnavailable, display.StopUnheard, "betaler bare for det måleren viser", true},
		{errors.New("something else"), http.StatusServiceUnavailable, display.StopUnheard, "får ikke kontakt", true},
	} {
		twin := rescanned()
		twin.refusal = fmt.Errorf("post A12: %w", c.err)
		w := newSite(t, twin).post("/nb/A12", claimForm("1234"))
		page := text(w)
		if w.Code != c.status || len(twin.claims) != 1 || len(twin.requests) > 0 {
			t.Errorf("%v answers %d after %v", c.err, w.Code, twin.claims)
		}
		sound(t, page)
		contains(t, page, `role="alert"`, ">"+c.code.String()+"<", c.says, string(display.NB.Words().Troubles[c.code].Money))
		if again := strings.Contains(page, `name="key" value="`+secret+`"`); again != c.again {
			t.Errorf("%v: asks again: %v", c.err, again)
		}
		if invalid := strings.Contains(page, `aria-invalid="true"`); invalid != (c.code == display.WrongCode) {
			t.Errorf("%v: the field is marked: %v", c.err, invalid)
		}
		lacks(t, page, "8,64", `value="1234"`, "{left}")
		if c.code == display.CodeLocked && w.Header().Get("Retry-After") != "600" {
			t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
		}
	}
}

func TestWhatIsNoStopCodeCostsNoTry(t *testing.T) {
	for _, typed := range []string{"", "482", "48270", "482a", "١٢٣٤", "+4827", strings.Repeat(" ", 40) + "4827"} {
		twin := rescanned()
		w := newSite(t, twin).post("/en/A12", claimForm(typed))
		if w.Code != http.StatusBadRequest || len(twin.claims) > 0 {
			t.Errorf("%q answers %d after %v", typed, w.Code, twin.claims)
		}
		sound(t, text(w))
		contains(t, text(w), "The stop code is four digits.", `aria-invalid="true" aria-describedby="hint" autofocus`, `name="key" value="`+secret+`"`)
	}
}

// A charge that has ended while the code was being typed leaves a free post.
func TestAStopCodeForAFreePostIsToldThere(t *testing.T) {
	twin := newTwin()
	twin.refusal = display.ErrOver
	w := newSite(t, twin).post("/en/A12", claimForm(rightCode))
	contains(t, text(w), "E26", "Nobody is charging here now.", `name="amount"`)
	lacks(t, text(w), `name="digits"`)
	twin.silent = true
	twin.refusal = display.ErrUnreachable
	if w := newSite(t, twin).post("/en/A12", claimForm(rightCode)); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without contact it answers %d", w.Code)
	}
}

func TestOnlyABusyPostAsksForAStopCode(t *testing.T) {
	for _, state := range states() {
		for _, busy := range []bool{false, true} {
			twin := newTwin()
			twin.public.State, twin.public.Busy = state, busy
			page := text(newSite(t, twin).get("/en/A12"))
			claimable := busy && !strings.Contains(page, `<body class="off"`)
			if asks := strings.Contains(page, `name="digits"`); asks != claimable {
				t.Errorf("%v, busy %v: asks for the code: %v", state, busy, asks)
			}
		}
	}
}

func TestGuessersHoldUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		twin := rescanned()
		twin.set(secret, running())
		site := newSite(t, twin)
		last := 0
		for range 50 {
			last = site.post("/A12", url.Values{"digits": {"1234"}}).Code
		}
		if last != http.StatusTooManyRequests || len(twin.claims) != burst[claims] {
			t.Errorf("the last of 50 answers %d after %d claims", last, len(twin.claims))
		}
		if w := site.post("/A12/"+secret, url.Values{"act": {"stop"}}); w.Code != http.StatusSeeOther {
			t.Errorf("the driver's stop answers %d", w.Code)
		}
		twin.public.State, twin.public.Busy = display.Available, false
		if w := site.post("/A12", url.Values{"amount": {"20000"}, "seen": {writePrice(price)}}); w.Code != http.StatusSeeOther {
			t.Errorf("a request answers %d", w.Code)
		}
		<-time.After(refill[claims])
		if w := site.post("/A12", url.Values{"digits": {rightCode}}); w.Code != http.StatusSeeOther {
			t.Errorf("after a while a claim answers %d", w.Code)
		}
	})
}

func TestAPostThatCannotBeUsedLeadsToAFreeOneOfItsOwn(t *testing.T) {
	free := newTwin().public
	taken, priceless := free, free
	taken.Busy = true
	priceless.Price = payment.Price{}
	for _, state := range []display.State{display.Charging, display.Faulted, display.Unavailable} {
		twin := newTwin()
		twin.public.State, twin.public.Busy = state, state == display.Charging
		twin.post.Codes = []string{"A15", "A14", "A13", "A12", "A10", "../x"}
		twin.others = map[string]display.View{"A10": taken, "A13": priceless, "A14": free, "A15": free, "../x": free}
		page := text(newSite(t, twin).get("/en/A12"))
		sound(t, page)
		contains(t, page, "A14 on the same post is free.", `href="/en/A14">Charge at A14<`)
		twin.others["A14"], twin.others["A15"] = taken, taken
		twin.post.Codes = twin.post.Codes[:5]
		lacks(t, text(newSite(t, twin).get("/en/A12")), "on the same post")
	}
}

func TestANewPriceIsAQuestion(t *testing.T) {
	twin := newTwin()
	twin.public.Push = true
	form := wishForm()
	form.Set("phone", "+47 400 00 000")
	twin.public.Price.KWh = 579
	site := newSite(t, twin)
	w := site.post("/nb/A12", form)
	page := text(w)
	if w.Code != http.StatusConflict || len(twin.requests) > 0 {
		t.Errorf("answers %d with %d requests", w.Code, len(twin.requests))
	}
	sound(t, page)
	contains(t, page, "Godtar du den nye prisen? – A12</title>", "E19", "Prisen du så: 5,49 kr per kWh.", ">5,79<", `value="20000" checked`,
		`value="+47 400 00 000"`, "<button>Godta og betal</button>", `href="/nb/A12">Nei takk<`)
	lacks(t, page, "<button>Betal med")
	form.Set("seen", regexp.MustCompile(`name="seen" value="([^"]*)"`).FindStringSubmatch(page)[1])
	if w := site.post("/nb/A12", form); w.Code != http.StatusSeeOther || len(twin.requests) != 1 || twin.requests[0].Seen.KWh != 579 || twin.requests[0].Reserve != 20000 {
		t.Errorf("a yes answers %d with %+v", w.Code, twin.requests)
	}
	twin.public.Price.Session = 1000 // what is told first is the same
	page = text(site.post("/nb/A12", url.Values{"amount": {"20000"}, "seen": {form.Get("seen")}}))
	contains(t, page, "Godtar du den nye prisen?", "10,00 kr per lading")
	lacks(t, page, "Prisen du så")
}

func TestAPostThatHasGoneSilentIsToldWithTheAgeOfItsNumbers(t *testing.T) {
	for _, c := range []struct {
		name  string
		with  func(*display.View)
		want  []string
		never []string
	}{
		{"charging", func(v *display.View) { v.Silent, v.Charge.Reading = 45*time.Second, 47*time.Second },
			[]string{"We have lost contact with the post. Charging continues and is metered there.", ">8.64<", ">47.43<", "Measured 40 s ago", `class="charge old"`, "?stop"}, nil},
		{"charging, by a post that knows no age", func(v *display.View) { v.Silent = 2 * time.Minute },
			[]string{"We have lost contact with the post.", "The numbers are 2 min old.", "Measured 2 min ago", ">8.64<"}, nil},
		{"not yet", func(v *display.View) { v.Silent = quiet }, []string{">8.64<", `class="charge"`}, []string{"lost contact with the post"}},
		{"plugging", func(v *display.View) { v.Silent, v.State = quiet+1, display.Authorised },
			[]string{"Plug in the cable now", "We cannot reach the post right now. You only pay for what the meter shows", `class="plug old"`}, []string{"NOK 200 is reserved"}},
		{"over", func(v *display.View) { *v = settled(display.CarFull); v.Silent = time.Hour },
			[]string{"Charged NOK 71.09"}, []string{"contact", "cannot reach"}},
	} {
		twin := newTwin()
		v := running()
		c.with(&v)
		twin.set(secret, v)
		page := text(newSite(t, twin).get("/en/A12/" + secret))
		t.Run(c.name, func(t *testing.T) {
			sound(t, page)
			contains(t, page, c.want...)
			lacks(t, strings.ReplaceAll(page, `data-lost="`+string(display.EN.Words().Offline), ""), c.never...)
		})
	}
}
