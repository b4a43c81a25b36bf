package main

import (
	"errors"
	"testing"

	"stolpe/display/panel"
)

// What is in the window is what a display has drawn, and no display that is being drawn,
// has failed or is closed shows anything.
func TestTheWindowHasWhatIsDrawn(t *testing.T) {
	offer := panel.Page{Face: panel.FreeButton, Post: "A12", Price: "5,49", Fees: []panel.Said{{"1,00 kr/min", ""}}}
	w, one, two := &window{}, &glass{}, &glass{}
	a, b := w.behind(one), w.behind(two)
	see := func(when string, want bool) {
		t.Helper()
		if got := w.offers(offer); got != want {
			t.Errorf("%s: offered %v, want %v", when, got, want)
		}
	}
	show := func(d shower, p panel.Page) {
		t.Helper()
		if err := d.Show(panel.Frame{Page: p}); err != nil {
			t.Error(err)
		}
	}
	see("nothing is drawn", false)
	show(a, offer)
	see("one display has it", true)
	show(b, panel.Page{Face: panel.Charging})
	see("the other has something else", true)
	other := offer
	other.Fees = []panel.Said{{"2,00 kr/min", ""}}
	show(a, other)
	see("another fee", false)
	show(b, offer)
	see("the other display", true)
	two.fails = errors.New("unplugged")
	if err := b.Show(panel.Frame{Page: offer}); err != two.fails {
		t.Errorf("a display that fails says %v", err)
	}
	see("that has failed", false)
	two.fails = nil
	show(b, offer)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	see("and is closed", false)
	if busy := (panel.Page{Face: panel.Busy}); w.offers(busy) {
		t.Error("a page that offers nothing is offered")
	}
	if d := (*window)(nil).behind(one); d != shower(one) {
		t.Error("a window that nobody looks at is looked at")
	}
}
