package web

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

var (
	tag  = regexp.MustCompile(`<(/?)([a-z0-9]+)[^>]*?(/?)>`)
	void = []string{"input", "br", "meta", "link", "img"}
)

// sound checks that a page is one whole document, that its elements nest, and
// that no template left a mark or an open place.
func sound(t *testing.T, page string) {
	t.Helper()
	if !strings.HasPrefix(page, "<!doctype html>") || !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
		t.Errorf("not a whole page: %.40q … %.40q", page, page[max(0, len(page)-40):])
	}
	visible := "<body" + body(page)
	for _, mark := range []string{"<no value>", "ZgotmplZ", "%!", "{", "}"} {
		if strings.Contains(visible, mark) {
			t.Errorf("the page has %q:\n%s", mark, visible)
		}
	}
	var open []string
	for _, m := range tag.FindAllStringSubmatch(visible, -1) {
		switch name := m[2]; {
		case m[3] == "/" || slices.Contains(void, name):
		case m[1] == "":
			open = append(open, name)
		case len(open) == 0 && name == "html":
		case len(open) == 0 || open[len(open)-1] != name:
			t.Errorf("</%s> closes %v:\n%s", name, open, visible)
			return
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 && !slices.Equal(open, []string{"body"}) { // body cuts the script, and what follows it, off
		t.Errorf("never closed: %v:\n%s", open, visible)
	}
}

// states are all states of an EVSE.
func states() []display.State {
	var all []display.State
	for s := display.Starting; s <= display.Settling; s++ {
		all = append(all, s)
	}
	return all
}

func TestEveryStateHasAPublicPageInEveryLanguage(t *testing.T) {
	for _, l := range display.Langs() {
		for _, state := range states() {
			twin := newTwin()
			twin.public.State, twin.public.Fault = state, "MET-001"
			w := newSite(t, twin).get("/" + l.Tag() + "/a12")
			if w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != "/"+l.Tag()+"/A12" {
				t.Fatalf("a12 answers %d to %q", w.Code, w.Header().Get("Location"))
			}
			page := newSite(t, twin).get("/" + l.Tag() + "/A12").Body.String()
			sound(t, page)
			contains(t, page, `<html lang="`+l.Tag()+`">`, "<b>A12</b>", "Storgata 1", "Eksempel Lading AS", "999 999 999 MVA", `href="tel:`, "/"+l.Tag()+"/A12/terms", " – A12</title>")
			if offered := strings.Contains(page, `name="amount"`); offered != (state == display.Available) {
				t.Errorf("%s, %v: offers a charge: %v", l.Tag(), state, offered)
			}
		}
	}
}

func TestEveryStateHasASessionPageInEveryLanguage(t *testing.T) {
	for _, l := range display.Langs() {
		for _, state := range states() {
			twin := newTwin()
			v := running()
			v.State = state
			twin.set(secret, v)
			site := newSite(t, twin)
			page := site.get("/" + l.Tag() + "/A12/" + secret).Body.String()
			sound(t, page)
			contains(t, page, `<html lang="`+l.Tag()+`">`, "<b>A12</b>", " – A12</title>", `href="tel:`,
				`data-live="/`+l.Tag()+`/A12/`+secret+`/live"`, `role="status"`, `<noscript><meta http-equiv="refresh"`)
			sound(t, site.get("/"+l.Tag()+"/A12/"+secret+"?stop").Body.String())
		}
	}
}

func TestEveryEndHasAPageInEveryLanguage(t *testing.T) {
	for _, l := range display.Langs() {
		for e := display.ByDriver; e <= display.LastEnd; e++ {
			for _, v := range []display.View{ended(e), settled(e)} {
				for _, energy := range []hal.Energy{0, v.Charge.Energy} {
					v.Charge.Energy = energy
					twin := newTwin()
					twin.set(secret, v)
					page := newSite(t, twin).get("/" + l.Tag() + "/A12/" + secret).Body.String()
					sound(t, page)
					contains(t, page, l.Taken(v.Charge))
					if live := strings.Contains(page, "data-live"); live == v.Charge.Settled {
						t.Errorf("%v settled %v: has live numbers: %v", e, v.Charge.Settled, live)
					}
					if receipt := strings.Contains(page, "<table>"); receipt != (energy > 0) {
						t.Errorf("%v with %v: has a receipt: %v", e, energy, receipt)
					}
				}
			}
		}
	}
}

func TestThePriceIsShownInAFIROrderAndOnlyWhereThereIsOne(t *testing.T) {
	twin := newTwin()
	twin.public.Price.Minute, twin.public.Price.Session = 50, 1000
	page := text(newSite(t, twin).get("/nb/A12"))
	order := []string{">5,49<", "per kWh inkl. mva.", "0,50 kr per minutt", "10,00 kr per lading", "1,00 kr per minutt etter at bilen har stått 15 min", "maks 200 kr"}
	at := 0
	for _, part := range order {
		i := strings.Index(page[at:], part)
		if i < 0 {
			t.Fatalf("%q does not come after %q", part, page[max(0, at-40):at])
		}
		at += i
	}
	twin.public.Price = payment.Price{Currency: payment.NOK, KWh: 549}
	page = text(newSite(t, twin).get("/nb/A12"))
	lacks(t, page, "per minutt", "per lading", "inkl. mva.", "oppholdsavgift")
}

func TestAmountsSayAboutWhatTheyBuy(t *testing.T) {
	twin := newTwin()
	page := text(newSite(t, twin).get("/en/A12"))
	contains(t, page, "<fieldset>", "<legend>", "about 36 kWh", "about 63 kWh", "about 91 kWh", `value="35000" checked`)
	if n := strings.Count(page, " checked"); n != 1 {
		t.Errorf("%d amounts are chosen", n)
	}
	twin.public.Choices = []payment.Amount{20000}
	page = text(newSite(t, twin).get("/en/A12"))
	sound(t, page)
	contains(t, page, `<input type="hidden" name="amount" value="20000">`, "Amount to reserve: NOK 200", "about 36 kWh")
	lacks(t, page, "<fieldset>", `type="radio"`)
	twin.public.Choices = nil // then the default is the one choice
	contains(t, newSite(t, twin).get("/en/A12").Body.String(), `<input type="hidden" name="amount" value="35000">`)
	twin.public.Price.Minute = 100 // nobody knows how long it takes
	lacks(t, text(newSite(t, twin).get("/en/A12")), "about ")
}

func TestAChargeTellsWhatItsDriverMustKnow(t *testing.T) {
	for _, c := range []struct {
		name  string
		with  func(*display.View)
		want  []string
		never []string
	}{
		{"P2", func(v *display.View) { v.State, v.Charge.Left = display.Paying, 592*time.Second },
			[]string{"Preparing the payment in Vipps", "9:52", `value="stop">Cancel`}, []string{"Open Vipps"}},
		{"P2, the state a moment behind", func(v *display.View) { v.State, v.Charge.Held = display.Available, false }, []string{"Preparing the payment"}, nil},
		{"P3", func(v *display.View) {
			v.State, v.Charge.PayURL, v.Charge.Left = display.Paying, "https://pay.example.no/x?y=1&z=2", 552*time.Second
		}, []string{"Waiting for you to approve in Vipps", `href="https://pay.example.no/x?y=1&z=2"`, "9:12", "NOK 200", `value="stop">Cancel`}, nil},
		{"P4", func(v *display.View) { v.State, v.Charge.Left = display.Authorised, 272*time.Second },
			[]string{"Plug in the cable now", "NOK 200 is reserved", "4:32", `value="more"`, `value="stop">Undo`}, nil},
		{"P5", func(v *display.View) { v.State = display.Closing }, []string{"less than 30 seconds"}, nil},
		{"P6", func(v *display.View) {}, []string{">8.64<", ">47.43<", "7.2 kW", "1 h 12 min", `max="20000" value="4743"`, "NOK 47.43 of NOK 200 used", "?stop", "Measured just now"},
			[]string{`value="stop"`, "lost contact with the post", "Nearly", "dle fee"}},
		{"P6 old", func(v *display.View) { v.Charge.Reading = 31 * time.Second }, []string{"We have lost contact with the post. Charging continues", "Measured 30 s ago"}, nil},
		{"P6b", func(v *display.View) { v.State, v.Charge.Idle.Starts = display.Suspended, 11*time.Minute+time.Second },
			[]string{"Paused", "The car is not drawing power", "An idle fee of NOK 1.00 per minute starts in 12 min"}, nil},
		{"P6c", func(v *display.View) { v.Charge.Cost = 16000 }, []string{"Nearly used up. Charging stops at NOK 200"}, nil},
		{"P6c, a minute left", func(v *display.View) { v.Charge.Cost = 19000 }, []string{"Almost used up. Charging stops at NOK 200"}, []string{"Nearly"}},
		{"not yet P6c", func(v *display.View) { v.Charge.Cost = 15999 }, nil, []string{"Nearly"}},
		{"P6d", func(v *display.View) { v.State, v.Charge.Idle.Runs = display.Suspended, true }, []string{"Idle fee running: NOK 1.00 per minute"}, nil},
		{"stopping", func(v *display.View) { v.State = display.Stopping }, []string{"Stopping and reading the meter"}, []string{`value="stop"`}},
		{"restarted", func(v *display.View) { v.State = display.Starting }, []string{"You only pay for what the meter shows"}, nil},
	} {
		twin := newTwin()
		v := running()
		c.with(&v)
		twin.set(secret, v)
		page := text(newSite(t, twin).get("/en/A12/" + secret))
		t.Run(c.name, func(t *testing.T) {
			contains(t, page, c.want...)
			lacks(t, page, c.never...)
		})
	}
}

func TestStoppingIsConfirmedOnce(t *testing.T) {
	twin := newTwin()
	twin.set(secret, running())
	page := text(newSite(t, twin).get("/nb/A12/" + secret + "?stop"))
	contains(t, page, "Stoppe ladingen? – A12</title>", "8,64 kWh, 47,43 kr", `<form method="post" action="/nb/A12/`+secret+`">`, `value="stop">Stopp<`, "Fortsett å lade")
	lacks(t, page, "data-live", `http-equiv="refresh"`)
}

func TestTheReceiptAddsUpAndNamesItsWitnesses(t *testing.T) {
	twin := newTwin()
	twin.set(secret, settled(display.CarFull))
	page := text(newSite(t, twin).get("/nb/A12/" + secret))
	contains(t, page, "Ferdig – A12</title>", "Trukket 71,09 kr. Resten, 128,91 kr, er frigitt.", "12,404 kWh à 5,49 kr", "68,09 kr", "3 min à 1,00 kr", "3,00 kr",
		"herav mva. 25 %", "14,22 kr", "A12-1-000007", "12 345,678 kWh", "12 358,082 kWh", "Eastron SDM630", "22110345",
		"20.09.2026 10:26", "20.09.2026 12:10", "Husk å ta ut kabelen")
	lacks(t, page, "Tid</th><td>0", ">Start <small>")
	v := ended(display.Unplugged)
	v.Charge.Meter.End = 0
	twin.set(secret, v)
	page = text(newSite(t, twin).get("/nb/A12/" + secret))
	contains(t, page, "Summen er 71,09 kr. Beløpet trekkes automatisk.", "avleses")
	lacks(t, page, "Husk å ta ut kabelen", ">Frigitt<")
}

func TestTheTermsSpeakOfAnIdleFeeOnlyWhereThereIsOne(t *testing.T) {
	twin := newTwin()
	page := text(newSite(t, twin).get("/en/A12/terms"))
	sound(t, page)
	contains(t, page, "Eksempel Lading AS sells you the electricity", "for more than 15 min, it costs NOK 1.00 per minute", "call +47 22 00 00 00", "five years")
	twin.public.Price.Idle = payment.Idle{}
	lacks(t, newSite(t, twin).get("/en/A12/terms").Body.String(), "Idle fee")
}

func TestABusyPostSaysSinceWhenIfItsClockWasRight(t *testing.T) {
	twin := newTwin()
	twin.public.State, twin.public.Busy = display.Charging, true
	twin.public.Since = hal.Stamp{Unix: 1789900000, Clock: hal.ClockSynced}
	contains(t, text(newSite(t, twin).get("/nb/A12")), "Opptatt siden 10:26.", ">5,49<")
	twin.public.Since.Clock = hal.ClockUnknown
	lacks(t, text(newSite(t, twin).get("/nb/A12")), "siden 1")
}
