package main

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/hal"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
	"stolpe/payment"
)

// buttonPost is a post with a real contactor, a car, an accept button and a display with a
// rotating code, and the window of that display. Its time runs so slowly that a busy machine
// does not miss what a driver has ten minutes for.
func buttonPost(t *testing.T) (*performance, *yard, *window) {
	t.Helper()
	y := newYard(sim.Setup{Serial: "22110345", Register: 1_000_000})
	m, err := meters.Find("eastron_sdm120")
	if err != nil {
		t.Fatal(err)
	}
	var in *window
	p := performBeside(t, "test", 60, y.into, func(cfg config.Config, _ world, p *parts) {
		in = p.openButton(cfg.EVSEs[0], func() panel.Page { return faceOf(p) }, slog.New(slog.DiscardHandler))
	}, "payment: {through: sim}", "payment: {through: sim}\nlimits: {plug_in: 1h}\ndisplay: [{kind: png, url: \"file:///run/display.png?size=800x480\", code: rotating}]",
		"contactor: {sim: true}", `meter: {model: eastron_sdm120, url: "`+y.serve(t, m, "tcp://127.0.0.1:0")+`"},
  contactor: {line: GPIO17, sense: GPIO27}, inputs: {plug: GPIO22, accept: "!GPIO4"}`)
	if y.lines.Accept != "!GPIO4" || in == nil {
		t.Fatalf("opened %+v", y.lines)
	}
	until(t, "the post is free", func() bool { return faceOf(p.parts).Face == panel.FreeButton })
	return p, y, in
}

// faceOf is what the display of such a post should show.
func faceOf(p *parts) panel.Page {
	v := p.units["A12"]
	s, now, _ := v.Snapshot()
	return panel.Scene{Langs: [2]display.Lang{display.NB, display.EN}, Now: now.Wall,
		EVSEs: []panel.EVSE{{View: v.Rules().View(&s, now), Link: p.link("A12"), Button: true}}}.Page()
}

// A whole charge that began with the button: the code on the display leads to the app, the
// app leads to the page of the charge, and that page stops it. The service's books agree.
func TestAChargeByTheButton(t *testing.T) {
	t.Parallel()
	p, y, in := buttonPost(t)
	phone := &phone{ctx: t.Context(), stage: p.stage}
	before := p.parts.link("A12")
	if err := in.behind("png", &glass{}).Show(panel.Frame{Page: faceOf(p.parts)}); err != nil {
		t.Fatal(err)
	}
	y.press <- struct{}{}
	until(t, "a code to pay by", func() bool { return faceOf(p.parts).Face == panel.PayCode })
	app := faceOf(p.parts).Code.Text
	if !strings.HasPrefix(app, p.till.url+"/app/") {
		t.Fatalf("the code leads to %s", app)
	}
	own, err := phone.post(app, url.Values{"act": {"approve"}})
	if err != nil || !strings.HasPrefix(own, p.url+"/A12/") {
		t.Fatalf("the app leads to %q, %v", own, err)
	}
	until(t, "the post waits for a cable", func() bool { scene, _, _ := look(t, own); return scene == "plug" })
	if page := faceOf(p.parts); page.Face != panel.Authorised || page.Code != nil {
		t.Errorf("when it is paid the display shows %+v", page)
	}
	y.press <- struct{}{} // nothing any more
	y.Do(func(b *sim.Bench, now time.Duration) { b.PlugIn(now, demoCar) })
	until(t, "energy", func() (flows bool) {
		y.Do(func(b *sim.Bench, now time.Duration) { flows = b.Truth(now).Energy > 500 })
		return flows
	})
	if _, err := phone.post(own, url.Values{"act": {"stop"}}); err != nil {
		t.Fatal(err)
	}
	v := p.parts.units["A12"]
	until(t, "settled", func() bool { s, _, _ := v.Snapshot(); return len(s.Done) == 1 })
	s, _, _ := v.Snapshot()
	d := s.Done[0]
	if d.Why != display.ByDriver || d.Limit != p.cfg.Reserve.Default || d.Captured != d.Due || d.Captured == 0 || s.Counter != 1 {
		t.Errorf("%d charges; the last: %+v", s.Counter, d)
	}
	if err := p.till.agrees(v.Rules().Ref(1), d.Captured, d.Limit-d.Captured); err != nil {
		t.Error(err)
	}
	if after := p.parts.link("A12"); after == before || !strings.HasPrefix(after, p.url+"/A12/") {
		t.Errorf("the code on the display led to %s, and leads to %s", before, after)
	}
}

// A driver at such a post scans the display; the sticker shows the price, and what another
// driver has scanned before is of no use.
func TestAChargeByTheRotatingCode(t *testing.T) {
	t.Parallel()
	p, y, _ := buttonPost(t)
	sticker, first := p.url+"/A12", p.parts.link("A12")
	if _, _, page := look(t, sticker); strings.Contains(page, `name="amount"`) || !strings.Contains(page, "5,49") {
		t.Errorf("the sticker's page:\n%s", page)
	}
	if faceOf(p.parts).Code.Text != strings.ToUpper(first) {
		t.Errorf("the code says %s, and leads to %s", faceOf(p.parts).Code.Text, first)
	}
	own := begin(t, strings.Replace(first, "/A12/", "/en/a12/", 1)) // as people type it
	until(t, "it is paid", func() bool { scene, _, _ := look(t, own); return scene == "plug" })
	y.press <- struct{}{} // somebody else
	until(t, "the press is taken", func() bool { return len(y.press) == 0 })
	s, _, _ := p.parts.units["A12"].Snapshot()
	if s.Phase == session.Idle || s.Counter != 1 {
		t.Errorf("phase %v of charge %d after a press", s.Phase, s.Counter)
	}
	if next := p.parts.link("A12"); next != sticker {
		t.Errorf("while somebody pays the code leads to %s", next)
	}
	if _, err := (&phone{ctx: t.Context(), stage: p.stage}).post(own, url.Values{"act": {"stop"}}); err != nil {
		t.Fatal(err)
	}
	until(t, "free again", func() bool { return faceOf(p.parts).Face == panel.FreeButton })
	if next := p.parts.link("A12"); next == first || next == sticker {
		t.Errorf("the next driver's code leads to %s", next)
	}
	for pass, want := range map[display.Pass]error{"": display.ErrPass, "000000": display.ErrPass} {
		r := display.Request{Reserve: 35_000, Seen: p.cfg.Price, Holder: payment.Holder{9}, Pass: pass}
		if err := p.parts.Request(context.Background(), "A12", r); err != want {
			t.Errorf("with the pass %q: %v", pass, err)
		}
	}
	y.Do(func(b *sim.Bench, now time.Duration) {
		if b.Truth(now).Contacts != hal.Open {
			t.Error("closed, and nobody has paid")
		}
	})
}

// A press accepts what stands on the display. Where all of a price has no room there, there
// is no button: the code leads to a page that says it.
func TestNoButtonWhereThePriceDoesNotFit(t *testing.T) {
	t.Parallel()
	p, _, _ := buttonPost(t)
	v := p.parts.units["A12"]
	s := p.parts.showOn(p.cfg, config.Display{Kind: config.OLED, EVSEs: []int{1}, Languages: [2]display.Lang{display.NB, display.EN}, Code: config.CodeSticker}, slog.New(slog.DiscardHandler))
	s.now = func() hal.Instant { _, now, _ := v.Snapshot(); return now }
	if got := s.frame(false).Page; got.Face != panel.FreeButton {
		t.Fatalf("with an ordinary price: %v", got.Face)
	}
	dear := p.cfg.Price
	dear.KWh, dear.Minute, dear.Session = 9999, 9999, 99_999
	dear.Idle = payment.Idle{After: 239 * time.Minute, Minute: 9999, Cap: 999_999}
	if err := v.Reprice(t.Context(), dear); err != nil {
		t.Fatal(err)
	}
	until(t, "the new price stands", func() bool { return s.frame(false).Page.Price == "99,99" })
	if got := s.frame(false).Page; got.Face != panel.Free || got.Code == nil || got.Offer != (payment.Price{}) {
		t.Errorf("with a price that does not fit: %v, offers %+v", got.Face, got.Offer)
	}
	s.display.Kind = config.Kiosk
	if got := s.frame(false).Page; got.Face != panel.FreeButton {
		t.Errorf("on a screen with room for it: %v", got.Face)
	}
}
