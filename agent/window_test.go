package main

import (
	"errors"
	"testing"

	"stolpe/display/panel"
	"stolpe/display/screen"
	"stolpe/payment"
)

// What is in the window is what a display has drawn. One that is being drawn, has failed or
// is closed offers nothing, and as long as it may show another price nothing is offered.
func TestTheWindowHasWhatIsDrawn(t *testing.T) {
	price := payment.Price{Currency: payment.NOK, KWh: 549}
	dear := price
	dear.Idle.Minute = 100
	offer, other, charging := panel.Page{Face: panel.FreeButton, Offer: price}, panel.Page{Face: panel.FreeButton, Offer: dear}, panel.Page{Face: panel.Charging}
	w, one, two := &window{}, &glass{}, &glass{}
	a, b := w.behind("oled", one), w.behind("kiosk", two)
	broken := errors.New("unplugged")
	for i, x := range []struct {
		name  string
		on    screen.Device
		glass *glass
		page  panel.Page
		fails error
		want  bool // the price is offered
		dear  bool // the other
	}{
		{"one display", a, one, offer, nil, true, false},
		{"the other has something else", b, two, charging, nil, true, false},
		{"a new price on one", a, one, other, nil, false, true},
		{"the old one on the other", b, two, offer, nil, false, false},
		{"the new one on both", b, two, other, nil, false, true},
		{"a price that may be there", b, two, offer, broken, false, false},
		{"tried in vain", b, two, charging, broken, false, false},
		{"the same price that may be there", a, one, offer, nil, false, false},
		{"it works again", b, two, offer, nil, true, false},
		{"one fails with what is offered", a, one, offer, broken, true, false},
		{"both do", b, two, offer, broken, false, false},
		{"a page without an offer", b, two, charging, nil, false, false},
		{"and an offer again", b, two, offer, nil, true, false},
	} {
		x.glass.fails = x.fails
		if err := x.on.Show(panel.Frame{Page: x.page}); err != x.fails {
			t.Errorf("%s: the display says %v", x.name, err)
		}
		if w.offers(price) != x.want || w.offers(dear) != x.dear {
			t.Errorf("%d, %s: offered %v, the other %v", i, x.name, w.offers(price), w.offers(dear))
		}
	}
	if err := b.Close(); err != nil || w.offers(price) {
		t.Errorf("closed, %v, and offered: %v", err, w.offers(price))
	}
	if (&window{}).offers(price) {
		t.Error("a window without displays offers something")
	}
}

// A display that is drawn again offers what it has offered, and one that gets another page
// offers nothing until that is there.
func TestTheWindowWhileADisplayIsDrawn(t *testing.T) {
	price := payment.Price{Currency: payment.NOK, KWh: 549}
	offer := panel.Page{Face: panel.FreeButton, Offer: price}
	w := &window{}
	during := func(page panel.Page) (offered bool) {
		d := w.behind("oled", duringShow(func() { offered = w.offers(price) }))
		if err := d.Show(panel.Frame{Page: page}); err != nil {
			t.Error(err)
		}
		return offered
	}
	for i, x := range []struct {
		page panel.Page
		want bool // offered while that is drawn
	}{{offer, false}, {offer, true}, {panel.Page{Face: panel.Paying}, false}, {offer, false}, {offer, true}} {
		if got := during(x.page); got != x.want {
			t.Errorf("page %d: offered while it is drawn: %v", i, got)
		}
	}
}

// duringShow is a display that does something while it is drawn.
type duringShow func()

func (d duringShow) Show(panel.Frame) error { d(); return nil }
func (d duringShow) Close() error           { return nil }
