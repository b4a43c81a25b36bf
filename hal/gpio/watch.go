package gpio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"periph.io/x/conn/v3/gpio"

	"stolpe/hal"
)

// Chosen by us. Edges wake the watch; the looks without one are for edges that were
// lost. When three of those are missing, the watch hangs.
const (
	lookEvery  = time.Second
	staleAfter = 3 * lookEvery
	shortest   = time.Millisecond // a wait of 0 would be for ever
)

var (
	errNotWatched = errors.New("nobody watches the inputs")
	errNotSettled = errors.New("not settled yet")
)

// input is one of the inputs.
type input struct {
	number int         // of the line on its chip
	low    bool        // made when low
	signal hal.Signals // on while the loop is not made; 0 for sense, plug and accept
	loop
}

// glance is what Sense, Plugged and Pressed tell of.
type glance struct {
	sense, plug, accept loop
	at                  time.Duration // since Lines.began
	err                 error         // why there is nothing to tell
}

// Watch looks at the inputs until ctx ends or the lines are closed, and calls changed
// with the signals at every change. It runs in the caller's goroutine, and so does
// changed: between the edge and the call there is nothing but this loop, so whoever
// wants a stop to open the contactor calls Set there. Nothing is seen until changed
// returns.
//
// The first call comes at once if an emergency stop or a residual current device is
// on, or the lines cannot be read; else 100 ms later, when what there is has settled.
// While the lines cannot be read all signals that have a line are on, and Watch tries
// again every second; a chip that was pulled out and put back wants a new Open.
//
// Sense and Plugged give what Watch has seen, so it must run without any signals to
// watch for too. Only one Watch may run at a time: a second panics.
func (l *Lines) Watch(ctx context.Context, changed func(hal.Signals)) {
	if !l.startWatch() {
		return
	}
	defer l.endWatch()
	defer context.AfterFunc(ctx, l.halt)()
	w := watch{Lines: l, changed: changed, quiet: true}
	for ctx.Err() == nil && !l.ended() {
		if err := w.next(); err != nil {
			w.fail(err)
			pause(ctx, lookEvery)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// watch is a Watch under way.
type watch struct {
	*Lines
	changed func(hal.Signals)
	looked  bool          // since the beginning, or since the last failure
	first   time.Duration // the look then
	quiet   bool          // nothing has had the time to settle
	spoken  bool
	told    hal.Signals
}

// next looks once and waits for something to look at.
func (w *watch) next() error {
	wait, err := w.lookAround()
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	number, _, err := w.set.WaitForEdge(wait)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
	case err != nil:
		return fmt.Errorf("wait for an edge: %w", err)
	default:
		w.edge(number)
	}
	return nil
}

// edge takes in an edge, and tells of it before anybody looks at the level.
func (w *watch) edge(number int) {
	now := time.Since(w.began)
	for i := range w.inputs {
		if in := &w.inputs[i]; in.number == number {
			in.edge(now)
		}
	}
	w.tell()
}

// lookAround takes in the levels of all inputs, and says how long to wait for an edge
// before the next look.
func (w *watch) lookAround() (wait time.Duration, err error) {
	now := time.Since(w.began)
	bits, err := w.set.Read(gpio.GPIOValue(1)<<len(w.inputs) - 1)
	if err != nil {
		return 0, err
	}
	if !w.looked {
		w.looked, w.first = true, now
		w.forget(now)
	}
	wait = lookEvery
	for i := range w.inputs {
		in := &w.inputs[i]
		high := bits>>i&1 == 1
		in.level(now, high != in.low)
		if due := in.due(now); due > 0 {
			wait = min(wait, max(due, shortest))
		}
	}
	w.quiet = w.quiet && now-w.first < settle
	w.tell()
	w.show(now, nil)
	w.lookAtButton(now)
	return wait, nil
}

// fail takes in that the inputs cannot be read.
func (w *watch) fail(err error) {
	now := time.Since(w.began)
	w.forget(now)
	w.looked, w.quiet = false, false
	w.tell()
	w.show(now, err)
}

// tell tells of the signals if they have changed.
func (w *watch) tell() {
	w.tripped.Store(w.trips())
	var on hal.Signals
	for i := range w.inputs {
		if in := &w.inputs[i]; !in.made && (in.settled || !w.quiet) {
			on |= in.signal
		}
	}
	if w.spoken && on == w.told || w.quiet && on == 0 {
		return
	}
	w.spoken, w.told = true, on
	w.changed(on)
}

// forget makes all loops begin anew.
func (l *Lines) forget(now time.Duration) {
	for i := range l.inputs {
		l.inputs[i].begin(now)
	}
	l.press = press{}
}

// trips says whether something speaks against closing the contactor at all.
func (l *Lines) trips() bool {
	for i := range l.inputs {
		if in := &l.inputs[i]; in.signal&hal.Trips != 0 && !in.made {
			return true
		}
	}
	return false
}

// show makes what was seen known to Sense, Plugged and Pressed.
func (l *Lines) show(now time.Duration, err error) {
	seen := glance{sense: l.inputs[l.sense].loop, at: now, err: err}
	if l.plug >= 0 {
		seen.plug = l.inputs[l.plug].loop
	}
	if l.accept >= 0 {
		seen.accept = l.inputs[l.accept].loop
	}
	l.look.Lock()
	defer l.look.Unlock()
	l.last = seen
}

// seen gives one of the loops as last seen, or why that is worth nothing.
func (l *Lines) seen(which func(*glance) loop) (made bool, err error) {
	l.look.Lock()
	last := l.last
	l.look.Unlock()
	if last.err != nil {
		return false, last.err
	}
	if age := time.Since(l.began) - last.at; age > staleAfter {
		return false, fmt.Errorf("nobody has looked for %v", age.Round(time.Millisecond))
	}
	in := which(&last)
	if !in.settled {
		return false, errNotSettled
	}
	return in.made, nil
}

// Sense says where the contacts stand, by the auxiliary contact. It is an error, and
// Open, when that is not known: Watch does not run or hangs, the line cannot be read,
// or it has not settled since Watch began.
func (l *Lines) Sense() (hal.Position, error) {
	made, err := l.seen(func(g *glance) loop { return g.sense })
	switch {
	case err != nil:
		return hal.Open, fmt.Errorf("gpio: sense: %w", err)
	case made:
		return hal.Closed, nil
	}
	return hal.Open, nil
}

// Plugged says whether the cable is in. It is an error, and PlugUnknown, when that is
// not known, as for Sense. Without a plug input it is PlugUnknown.
func (l *Lines) Plugged() (hal.Plug, error) {
	if l.plug < 0 {
		return hal.PlugUnknown, nil
	}
	made, err := l.seen(func(g *glance) loop { return g.plug })
	switch {
	case err != nil:
		return hal.PlugUnknown, fmt.Errorf("gpio: plug: %w", err)
	case made:
		return hal.PlugIn, nil
	}
	return hal.PlugOut, nil
}

func (l *Lines) startWatch() bool {
	l.life.Lock()
	defer l.life.Unlock()
	if l.watching {
		panic("gpio: two Watches at a time")
	}
	l.watching = !l.closed
	return l.watching
}

// endWatch makes everything unknown, and gives the inputs back if the lines have
// been closed meanwhile.
func (l *Lines) endWatch() {
	now := time.Since(l.began)
	l.forget(now)
	l.tripped.Store(l.trips())
	l.show(now, errNotWatched)
	l.life.Lock()
	defer l.life.Unlock()
	l.watching = false
	if l.closed {
		l.set.Close() // nobody is left to tell, and the contactor has been opened
	}
}

func (l *Lines) ended() bool {
	l.life.Lock()
	defer l.life.Unlock()
	return l.closed
}

// halt ends a wait for an edge. Should one begin just then, it ends by itself.
func (l *Lines) halt() {
	l.life.Lock()
	defer l.life.Unlock()
	if l.watching {
		l.set.Halt() // it fails when there is no wait to end
	}
}
