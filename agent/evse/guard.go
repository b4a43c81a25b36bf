package evse

import (
	"errors"
	"fmt"
	"sync"

	"stolpe/hal"
)

// guard stands between the loop and its contactor. An emergency stop and a
// residual current device open the contactor here, in the goroutine that saw the
// wire, whatever the loop is doing: through no queue, and without waiting for
// anything but the order itself.
//
// From then on the contactor cannot be ordered closed until the wire is sound again
// and the loop has taken in that it was not: a press shorter than a pass of the
// loop ends the charge like any other. The same goes for a person who wants it open.
type guard struct {
	contactor Contactor
	news      chan struct{} // holds a token while there is something to take

	mu    sync.Mutex
	now   hal.Signals // what the wires say
	since hal.Signals // all they have said since the loop last took it
	told  bool        // a person has had the contactor opened since then
}

// newGuard gives a guard that knows nothing yet of the wires there are.
func newGuard(c Contactor, wired hal.Signals) *guard {
	return &guard{contactor: c, news: make(chan struct{}, 1), now: wired}
}

// Set orders the contactor. It returns an error, and leaves the contactor open,
// when a wire forbids to close it.
func (g *guard) Set(p hal.Position) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	forbids := (g.now | g.since) & hal.Trips
	switch {
	case p == hal.Closed && forbids != 0:
		return fmt.Errorf("order contactor closed: held open: %v", forbids)
	case p == hal.Closed && g.told:
		return errors.New("order contactor closed: held open by hand")
	}
	return g.contactor.Set(p)
}

// see takes in what the wires say, from whichever goroutine reads them. A failure
// to open is for the loop to try again: it will want the contactor open too.
func (g *guard) see(s hal.Signals) {
	g.mu.Lock()
	if s&hal.Trips != 0 {
		_ = g.contactor.Set(hal.Open)
	}
	g.now = s
	g.since |= s
	g.mu.Unlock()
	poke(g.news)
}

// open opens the contactor for a person, from whichever goroutine, and keeps it so until
// the loop has taken that in.
func (g *guard) open() error {
	g.mu.Lock()
	g.told = true
	err := g.contactor.Set(hal.Open)
	g.mu.Unlock()
	poke(g.news)
	return err
}

// take gives all that the wires have said since it was last called, what they say now,
// and whether a person has had the contactor opened since.
func (g *guard) take() (since, now hal.Signals, told bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	since, now, told = g.since, g.now, g.told
	g.since, g.told = 0, false
	return since, now, told
}
