package screen

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stolpe/display/panel"
)

// Chosen by us.
const (
	// look is how often it is seen what changes by itself: figures with minutes and
	// seconds.
	look = time.Second
	// least is between two pages at least: as often as an eye follows a number. A bus that
	// a slow panel shares with others is free so long.
	least = 200 * time.Millisecond
	// settle is after a contactor was switched until the panel is set up anew: contacts
	// bounce for some tens of milliseconds, and a coil that is let go rings.
	settle = 500 * time.Millisecond
	// firstPause and longestPause are between two tries after failures; each is twice as
	// long as the one before. A panel that is plugged in again is soon seen, and one that
	// is gone for good costs next to nothing.
	firstPause, longestPause = time.Second, time.Minute
	// coldPause is between two tries of a panel that is too cold: the weather is slow.
	coldPause = time.Minute
	// lastWithin is how long the end may take, for what is being shown and the last page:
	// twice the full refresh of e-paper, of some 4 s.
	lastWithin = 10 * time.Second
)

// loop is what the one goroutine owns.
type loop struct {
	*Screen
	jobs chan job
	done chan outcome

	busy  bool        // the worker is,
	began time.Time   // since then,
	late  bool        // for longer than it may, and that was told
	asked panel.Frame // what it shows

	known bool        // what is on the panel:
	shown panel.Frame // this, since Health.Shown
	anew  bool        // set the panel up before the next page
	redo  time.Time   // do so at this time at the latest; zero for not at all
	next  time.Time   // nothing is shown before this
	mood  mood
}

// Run runs the display until ctx ends. Then it shows the last page, and returns when that
// is on the panel or has taken too long.
func (s *Screen) Run(ctx context.Context) {
	l := &loop{Screen: s, jobs: make(chan job, 1), done: make(chan outcome, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w := worker{o: &s.o}
		w.run(l.jobs, l.done)
	}()
	defer close(l.jobs)
	for ctx.Err() == nil {
		soon := time.NewTimer(l.consider(time.Now()))
		select {
		case <-soon.C:
		case <-s.poke:
		case <-s.o.Changed:
		case <-s.o.Switched:
			l.redo = time.Now().Add(settle)
		case r := <-l.done:
			l.took(time.Now(), r)
		case <-ctx.Done():
		}
		soon.Stop()
	}
	l.end(ended)
}

// end shows the last page, as far as the panel answers.
func (l *loop) end(ended <-chan struct{}) {
	over := time.NewTimer(lastWithin)
	defer over.Stop()
	if l.busy {
		select {
		case r := <-l.done:
			l.took(time.Now(), r)
		case <-over.C:
			l.o.Log.Warn("display does not answer, and may show what is over", "display", l.o.Name)
			return
		}
	}
	l.start(time.Now(), job{anew: l.anew || !l.redo.IsZero(), frame: l.o.lastFrame(), last: true})
	select {
	case <-ended:
		l.took(time.Now(), <-l.done)
	case <-over.C:
		l.o.Log.Warn("display does not answer, and may show what is over", "display", l.o.Name)
	}
}

// start has the worker do something.
func (l *loop) start(now time.Time, j job) {
	l.busy, l.began, l.late, l.asked = true, now, false, j.frame
	l.anew, l.redo = false, time.Time{}
	l.jobs <- j // there is room: the worker is free
}

// consider has shown what is to be shown now. It gives after how long there may be more
// to do by itself. A panic in it is a failure of the display: it must not end a charge.
func (l *loop) consider(now time.Time) (wait time.Duration) {
	err := guarded(func() error { wait = l.decide(now); return nil })
	if err != nil {
		l.failed(now, err)
		wait = look
	}
	return min(wait, longestPause)
}

func (l *loop) decide(now time.Time) time.Duration {
	if l.busy {
		if left := l.began.Add(l.o.Within).Sub(now); left > 0 || l.late {
			return max(left, look)
		}
		l.late = true
		l.failed(now, fmt.Errorf("no answer within %v", l.o.Within))
		return look
	}
	l.recovered(now)
	if wait := l.next.Sub(now); wait > 0 {
		return wait
	}
	f := l.frame(now)
	if wait := l.wait(now, f); wait > 0 {
		return min(wait, look)
	}
	l.start(now, job{anew: l.anew, frame: f})
	return l.o.Within
}

// frame is what is to be shown now.
func (l *loop) frame(now time.Time) panel.Frame {
	l.mu.Lock()
	instead, until := l.instead, l.until
	l.mu.Unlock()
	if now.Before(until) {
		return instead
	}
	return l.o.Frame(false)
}

// wait is how long that still waits. It is shown again where the panel must be set up
// anew.
func (l *loop) wait(now time.Time, f panel.Frame) time.Duration {
	if !l.redo.IsZero() && !now.Before(l.redo) {
		l.anew, l.redo = true, time.Time{}
		l.known = l.known && l.o.Keeps
	}
	if !l.known {
		return 0
	}
	wait, ago := longestPause, now.Sub(l.health.Shown)
	if !l.redo.IsZero() {
		wait = l.redo.Sub(now)
	}
	switch again := l.again(f.Page); {
	case !same(l.shown, f) && l.o.Due == nil:
		return 0
	case !same(l.shown, f):
		return min(wait, l.o.Due(l.shown.Page, f.Page, ago))
	case again > 0:
		return min(wait, again-ago)
	}
	return wait
}

// again is after how long a page is shown once more; 0 for never.
func (l *loop) again(p panel.Page) time.Duration {
	if l.o.Again == nil {
		return 0
	}
	return l.o.Again(p)
}

// took takes in what came of a job.
func (l *loop) took(now time.Time, r outcome) {
	l.busy = false
	if r.opened {
		l.count(func(h *Health) { h.Opened++ })
	}
	switch {
	case errors.Is(r.err, panel.ErrCold):
		l.rested(now, r.err)
	case l.late: // it has failed already
		l.anew = true
		l.next = now.Add(l.mood.pause())
	case r.err != nil:
		l.failed(now, r.err)
	default:
		l.known, l.shown, l.mood.fails = true, l.asked, 0
		l.next = now.Add(least)
		l.count(func(h *Health) {
			h.Pages++
			h.Face, h.Known, h.Shown, h.Took = l.asked.Page.Face, true, now, r.took
		})
	}
}
