package web

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// screen is a page in one of its states.
type screen struct {
	name string     // of its picture
	path string     // below the language
	form url.Values // sent to the path, when not nil
	sent int        // how often the form has been sent before
	set  func(*twin)
}

const (
	atPost    = "/A12"
	atSession = "/A12/" + secret
)

// screens are all pages in all their states.
func screens() []screen {
	var all []screen
	all = append(all, public()...)
	all = append(all, refused()...)
	all = append(all, underWay()...)
	return append(all, endings()...)
}

// public are the pages that everybody may see.
func public() []screen {
	post := func(name string, set func(*twin)) screen { return screen{name: name, path: atPost, set: set} }
	state := func(name string, s display.State, fault string) screen {
		return post(name, func(w *twin) { w.public.State, w.public.Fault = s, fault })
	}
	return []screen{
		{name: "front"},
		{name: "front-unknown-code", path: "/X99"},
		{name: "terms", path: atPost + "/terms"},
		{name: "terms-phone", path: atPost + "/terms", set: func(w *twin) { w.public.Push = true }},
		post("free", nil),
		post("free-one-amount", func(w *twin) { w.public.Choices = w.public.Choices[:1] }),
		post("free-four-amounts", func(w *twin) { w.public.Choices = []payment.Amount{10000, 20000, 35000, 50000} }),
		post("free-phone", func(w *twin) { w.public.Push = true }),
		post("free-whole-price", func(w *twin) {
			w.public.Price = payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Minute: 50, Session: 1000, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100}}
			w.post.Seller.Address, w.post.Seller.Email = "Storgata 1, 2317 Hamar", "kundeservice@eksempel-lading.example.no"
		}),
		post("free-display", func(w *twin) { w.public.Pass = true }),
		post("free-notice", func(w *twin) { w.public.Notice = notices() }),
		post("free-brand", owned),
		post("free-brand-name", func(w *twin) { owned(w); w.post.Brand.Logo, w.post.Brand.Colour = "", "" }),
		post("busy", taken),
		post("busy-near", func(w *twin) { taken(w); neighbour(w) }),
		post("out-of-order-near", func(w *twin) { w.public.State, w.public.Fault = display.Faulted, "MET-003"; neighbour(w) }),
		state("starting-up", display.Starting, ""),
		state("settling", display.Settling, ""),
		state("out-of-order", display.Faulted, "MET-003"),
		state("withdrawn", display.Unavailable, ""),
		post("unreachable", func(w *twin) { w.silent = true }),
	}
}

// owned gives the post an owner with a colour, a picture and terms.
func owned(w *twin) {
	logo := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 40"><rect width="160" height="40" rx="8" fill="#7a1fa2"/><circle cx="22" cy="20" r="10" fill="#fff"/></svg>`
	w.post.Brand = display.Brand{Name: "Eksempel Lading", Colour: "#7a1fa2", Logo: "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(logo))}
	w.post.TermsURL = "https://eksempel-lading.example.no/vilkar"
}

// notices are what the owner has to say, in two languages.
func notices() display.Notice {
	return display.Notice{display.NB: "Heisen er ute av drift til fredag. Bruk trappen ved utgang B.", display.EN: "The lift is out of order until Friday. Use the stairs at exit B."}
}

// taken makes somebody charge.
func taken(w *twin) {
	w.public.State, w.public.Busy, w.public.Since = display.Charging, true, hal.Stamp{Unix: 1789900000, Clock: hal.ClockSynced}
}

// neighbour gives the post another EVSE, which is free.
func neighbour(w *twin) {
	free := newTwin().public
	free.Code = "B34"
	w.post.Codes, w.others = []string{"A12", "B34"}, map[string]display.View{"B34": free}
}

// refused are the pages that a form leads to when it is not taken.
func refused() []screen {
	wish := func(name string, err error) screen {
		return screen{name: name, path: atPost, form: wishForm(), set: func(w *twin) { w.refusal = err }}
	}
	broken := wishForm()
	broken.Set("amount", "a lot")
	typed := wishForm()
	typed.Set("phone", "12")
	act := url.Values{"act": {"stop"}}
	code := func(name, digits string, err error) screen {
		return screen{name: "code-" + name, path: atPost, form: url.Values{"key": {secret}, "digits": {digits}}, set: func(w *twin) { taken(w); w.refusal = err }}
	}
	return []screen{
		code("none", "12", nil),
		code("wrong", "1111", nil),
		code("locked", "1111", display.ErrLocked),
		code("nobody", "1111", display.ErrOver),
		code("unheard", "1111", display.ErrUnreachable),
		{name: "refused-form", path: atPost, form: broken},
		{name: "refused-phone", path: atPost, form: typed, set: func(w *twin) { w.public.Push = true }},
		{name: "refused-price-changed", path: atPost, form: wishForm(), set: func(w *twin) { w.public.Price.KWh = 579 }},
		wish("refused-someone-first", display.ErrBusy),
		{name: "refused-old-pass", path: atPost + "/" + pass, form: wishForm(), set: func(w *twin) { w.public.Pass, w.refusal = true, display.ErrPass }},
		wish("refused-unreachable", display.ErrUnreachable),
		{name: "refused-too-many", path: atPost, form: wishForm(), sent: burst[requests], set: func(w *twin) { w.refusal = display.ErrBusy }},
		{name: "stop-unheard", path: atSession, form: act, set: func(w *twin) { w.set(secret, running()); w.refusal = display.ErrUnreachable }},
	}
}

// underWay are the pages of a driver whose charge has not ended.
func underWay() []screen {
	var all []screen
	add := func(name string, change func(*display.View)) {
		all = append(all, screen{name: name, path: atSession, set: func(w *twin) {
			v := running()
			change(&v)
			w.set(secret, v)
		}})
	}
	add("approve-soon", func(v *display.View) { v.State, v.Charge.Left = display.Paying, 9*time.Minute+52*time.Second })
	add("approve", func(v *display.View) {
		v.State, v.Charge.Left, v.Charge.PayURL = display.Paying, 9*time.Minute+12*time.Second, "https://pay.example.no/x"
	})
	add("approve-phone", func(v *display.View) {
		v.State, v.Charge.Left, v.Charge.Way = display.Paying, 9*time.Minute+12*time.Second, payment.ByPush
	})
	add("plug-in", func(v *display.View) { v.State, v.Charge.Left = display.Authorised, 4*time.Minute+32*time.Second })
	add("starting", func(v *display.View) { v.State = display.Closing })
	add("charging", func(*display.View) {})
	add("charging-sought", func(v *display.View) { v.Here, v.Notice = true, notices() })
	add("charging-near-limit", func(v *display.View) { v.Charge.Cost, v.Charge.Energy = 16000, 29144 })
	add("charging-at-limit", func(v *display.View) { v.Charge.Cost, v.Charge.Energy = 19500, 35519 })
	add("charging-stale", func(v *display.View) { v.Charge.Reading = 3 * time.Minute })
	add("charging-silent", func(v *display.View) { v.Silent = 3 * time.Minute })
	add("plug-in-silent", func(v *display.View) { v.State, v.Silent = display.Authorised, 3*time.Minute })
	add("paused", func(v *display.View) { v.State, v.Charge.Power = display.Suspended, 0 })
	add("paused-fee-starts", func(v *display.View) {
		v.State, v.Charge.Power, v.Charge.Idle.Starts = display.Suspended, 0, 11*time.Minute
	})
	add("paused-fee-runs", func(v *display.View) { v.State, v.Charge.Power, v.Charge.Idle.Runs = display.Suspended, 0, true })
	add("stopping", func(v *display.View) { v.State = display.Stopping })
	add("restarting", func(v *display.View) { v.State = display.Starting })
	with := func(name, path string, set func(*twin)) { all = append(all, screen{name: name, path: path, set: set}) }
	with("charging-brand", atSession, func(w *twin) { w.set(secret, running()); owned(w) })
	with("stop", atSession+"?stop", func(w *twin) { w.set(secret, running()) })
	with("session-unreachable", atSession, func(w *twin) { w.silent = true })
	with("link-expired", atSession, nil)
	with("receipt-later", atSession+"/receipt", func(w *twin) { w.set(secret, running()) })
	return all
}

// endings are the pages of a charge that is over.
func endings() []screen {
	var all []screen
	add := func(name, path string, v display.View, change func(*display.Charge)) {
		if change != nil {
			change(&v.Charge)
		}
		all = append(all, screen{name: name, path: path, set: func(w *twin) { w.set(secret, v) }})
	}
	end := func(name string, v display.View, change func(*display.Charge)) {
		add("end-"+name, atSession, v, change)
	}
	sold := func(c *display.Charge) { c.Receipt, c.Issued = "A12-1-000042", c.Ended }
	end("full", settled(display.CarFull), sold)
	end("limit", settled(display.LimitReached), sold)
	end("unplugged-unsettled", ended(display.Unplugged), func(c *display.Charge) { c.Meter.End = 0 })
	end("meter-lost", settled(display.MeterLost), sold)
	end("power-lost", settled(display.PowerLost), sold)
	end("emergency", settled(display.Emergency), sold)
	end("stuck", ended(display.ByDriver), func(c *display.Charge) { c.Stuck = true })
	add("receipt", atSession+"/receipt", settled(display.CarFull), sold)
	for _, e := range []struct {
		name string
		end  display.End
	}{
		{"cancelled", display.ByDriver}, {"declined", display.Declined}, {"aborted", display.AbortedInApp}, {"timed-out", display.TimedOut},
		{"no-answer", display.NoAnswer}, {"never-plugged", display.NeverPlugged}, {"no-energy", display.NoEnergy}, {"contactor", display.ContactorBad},
	} {
		end(e.name, nothing(e.end), nil)
	}
	end("approved-late", nothing(display.TimedOut), func(c *display.Charge) { c.Released = c.Reserved })
	add("receipt-none", atSession+"/receipt", nothing(display.NoEnergy), nil)
	return all
}

// nothing is a settled charge of which nothing was sold.
func nothing(e display.End) display.View {
	v := settled(e)
	c := &v.Charge
	c.Energy, c.Cost, c.Bill, c.Captured, c.Released, c.Elapsed = 0, 0, payment.Bill{}, 0, 0, 0
	if e == display.NeverPlugged || e == display.NoEnergy || e == display.ContactorBad {
		c.Released = c.Reserved
	}
	c.Held = c.Released > 0
	return v
}

// answer is the page as the server sends it.
func (s screen) answer(t *testing.T, l display.Lang) string {
	t.Helper()
	twin := newTwin()
	if s.set != nil {
		s.set(twin)
	}
	site, path := newSite(t, twin), "/"+l.Tag()+s.path
	if s.form == nil {
		return site.get(path).Body.String()
	}
	for range s.sent {
		site.post(path, s.form)
	}
	return site.post(path, s.form).Body.String()
}

func TestTheScreensAreAllPages(t *testing.T) {
	var all strings.Builder
	seen := map[string]bool{}
	for _, s := range screens() {
		if seen[s.name] {
			t.Errorf("two screens are called %s", s.name)
		}
		seen[s.name] = true
		all.WriteString(s.answer(t, display.EN))
	}
	pages := all.String()
	for _, s := range []scene{find, offer, busy, off, sale, gone, approve, plug, begin, charge, confirm, finishing, done, none} {
		if !strings.Contains(pages, `<body class="`+string(s)+`"`) && !strings.Contains(pages, `<body class="`+string(s)+` `) {
			t.Errorf("no screen is of the scene %s", s)
		}
	}
	for _, tone := range []tone{free, wait, flow, pause, good, bad, dim} {
		if !strings.Contains(pages, `data-tone="`+string(tone)+`"`) {
			t.Errorf("no screen has the tone %s", tone)
		}
	}
	for i, advice := range display.EN.Words().Troubles {
		if told := display.Trouble(i).String(); advice != (display.Advice{}) && !strings.Contains(pages, "<span>"+told+"</span>") {
			t.Errorf("no screen tells of %s", told)
		}
	}
	for _, state := range states() {
		if state == display.Paying || state == display.Authorised {
			continue // told by what the driver has to do
		}
		if name := string(display.EN.Words().States[state]); !strings.Contains(pages, ">"+name+"<") {
			t.Errorf("no screen is in the state %s", name)
		}
	}
}
