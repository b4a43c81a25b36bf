package main

import (
	"slices"
	"sync"

	"stolpe/display/panel"
)

// window is what the displays of one EVSE show, as far as is known: what somebody sees who
// stands there. Nobody accepts by a button what is not in the window.
type window struct {
	mu    sync.Mutex
	pages map[*pane]panel.Page // of the displays that have been drawn and have not failed since
}

// shower is a display that is open.
type shower interface {
	Show(panel.Frame) error
	Close() error
}

// pane is one display of a window. It passes on all that is asked of it.
type pane struct {
	shower
	window *window
}

// behind lets the window know what a display shows. Nil is a window that nobody looks at.
func (w *window) behind(d shower) shower {
	if w == nil {
		return d
	}
	return &pane{d, w}
}

// Show shows a frame, and has it in the window when that is done. While it is being drawn
// nobody knows what there is to see.
func (p *pane) Show(f panel.Frame) error {
	p.window.leave(p)
	if err := p.shower.Show(f); err != nil {
		return err
	}
	p.window.mu.Lock()
	defer p.window.mu.Unlock()
	if p.window.pages == nil {
		p.window.pages = map[*pane]panel.Page{}
	}
	p.window.pages[p] = f.Page
	return nil
}

// Close closes the display, which may go on showing something.
func (p *pane) Close() error {
	p.window.leave(p)
	return p.shower.Close()
}

func (w *window) leave(p *pane) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.pages, p)
}

// offers says whether a display shows the offer of that page, whole, to whoever may press:
// the same price, and that pressing accepts it.
func (w *window) offers(now panel.Page) bool {
	if now.Face != panel.FreeButton {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.pages {
		if p.Face == now.Face && p.Post == now.Post && p.Price == now.Price && p.Unit == now.Unit && p.VAT == now.VAT && slices.Equal(p.Fees, now.Fees) {
			return true
		}
	}
	return false
}
