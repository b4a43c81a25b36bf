package main

import (
	"slices"
	"sync"

	"stolpe/display/panel"
	"stolpe/display/screen"
	"stolpe/payment"
)

// window is what the displays of one EVSE offer to somebody who stands there, as far as is
// known. Nobody accepts by a button what is not in the window, nor what may be another
// price on a display that has failed since it was drawn.
type window struct {
	mu    sync.Mutex
	panes map[string]pane // by the names of the displays
}

// pane is what one display may offer.
type pane struct {
	sure bool            // it shows what was drawn last
	may  []payment.Price // none of no page that offers nothing
}

// windowed is a display with a pane in a window. It passes on all that is asked of it.
type windowed struct {
	screen.Device
	window *window
	name   string
}

// behind lets the window know what the display of that name shows.
func (w *window) behind(name string, d screen.Device) screen.Device { return windowed{d, w, name} }

// Show shows a frame, and has it in the window when that is done. Until then nobody knows
// whether there is this to see, or what was there before; but where both offer the same,
// that is offered all the time.
func (d windowed) Show(f panel.Frame) error {
	d.window.change(d.name, func(p *pane) {
		p.sure = p.sure && slices.Equal(p.may, []payment.Price{f.Page.Offer})
		if f.Page.Offer != (payment.Price{}) && !slices.Contains(p.may, f.Page.Offer) {
			p.may = append(p.may, f.Page.Offer)
		}
	})
	if err := d.Device.Show(f); err != nil {
		d.window.change(d.name, func(p *pane) { p.sure = false })
		return err
	}
	d.window.change(d.name, func(p *pane) {
		*p = pane{sure: true}
		if f.Page.Offer != (payment.Price{}) {
			p.may = []payment.Price{f.Page.Offer}
		}
	})
	return nil
}

// Close closes the display, which may go on showing something.
func (d windowed) Close() error {
	d.window.change(d.name, func(p *pane) { p.sure = false })
	return d.Device.Close()
}

func (w *window) change(name string, how func(*pane)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.panes[name]
	how(&p)
	if w.panes == nil {
		w.panes = map[string]pane{}
	}
	w.panes[name] = p
}

// offers says whether a display offers that, and none may offer anything else.
func (w *window) offers(price payment.Price) (yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.panes {
		if slices.ContainsFunc(p.may, func(other payment.Price) bool { return other != price }) {
			return false
		}
		yes = yes || p.sure && len(p.may) > 0
	}
	return yes
}
