package screen

import (
	"cmp"
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
	// takes is how long a page may take, with opening, where Refresh.Takes says nothing: a
	// slow one takes half a second, and the kernel gives up a transfer after one.
	takes = 5 * time.Second
	// firstPause and longestPause are between two tries after failures; each is twice as
	// long as the one before. A panel that is plugged in again is soon seen, and one that
	// is gone for good costs next to nothing.
	firstPause, longestPause = time.Second, time.Minute
	// coldPause is between two tries of a panel that is too cold, at least: the weather is
	// slow.
	coldPause = time.Minute
	// lastWithin is how long the end may take, for what is being shown and the last page:
	// four times the full refresh of e-paper, of some 4 s.
	lastWithin = 16 * time.Second
)

// loop is what the one goroutine owns.
type loop struct {
	*Screen
	jobs  chan job
	done  chan outcome
	began time.Time // the loop

	busy bool      // the worker is,
	from time.Time // since then,
	does job       // with this,
	late bool      // for longer than it may, and that was told

	on    job         // what was shown last
	drawn panel.Drawn // and is still there, as far as is known
	pulse time.Time   // when it pulses; zero for not at all
	anew  bool        // set the panel up before the next page
	redo  time.Time   // do so at this time at the latest; zero for not at all
	next  time.Time   // nothing is shown before this
	mood  mood
}

// Run runs the display until ctx ends. Then it shows the last page, and returns when that
// is on the panel or has taken too long.
func (s *Screen) Run(ctx context.Context) {
	l := &loop{Screen: s, jobs: make(chan job, 1), done: make(chan outcome, 1), began: time.Now()}
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
		case <-l.done:
			l.anew = l.anew || l.late
		case <-over.C:
			l.o.Log.Warn("display does not answer, and may show what is over", "display", l.o.Name)
			return
		}
	}
	l.anew = l.anew || !l.redo.IsZero()
	l.start(time.Now(), l.o.last())
	select {
	case <-ended:
		l.took(time.Now(), <-l.done)
	case <-over.C:
		l.o.Log.Warn("display does not answer, and may show what is over", "display", l.o.Name)
	}
}

// since is an instant as panel has them.
func (l *loop) since(now time.Time) time.Duration { return now.Sub(l.began) }

// start has the worker do something.
func (l *loop) start(now time.Time, j job) {
	if !j.pulse {
		j.anew, l.anew = l.anew, false
	}
	l.busy, l.from, l.late, l.does, l.pulse = true, now, false, j, time.Time{}
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
		return l.watch(now)
	}
	soon := longestPause
	if !l.pulse.IsZero() {
		if soon = l.pulse.Sub(now); soon <= 0 {
			l.start(now, job{pulse: true, since: now.Sub(l.health.Shown)})
			return look
		}
	}
	if wait := l.next.Sub(now); wait > 0 {
		return min(wait, soon)
	}
	if !l.redo.IsZero() {
		if wait := l.redo.Sub(now); wait > 0 {
			soon = min(soon, wait)
		} else {
			l.stirred()
		}
	}
	j := l.wanted(now)
	l.recovered(now, j.frame.Page)
	switch stroke := l.due(now, j); {
	case stroke != panel.Rest:
		j.frame.Whole = stroke == panel.Whole
	case l.o.Again == 0 || !l.drawn.Shows(j.frame.Page):
		return min(look, soon)
	default:
		if wait := l.o.Again - now.Sub(l.health.Shown); wait > 0 {
			return min(look, soon, wait)
		}
		j.again = true
	}
	l.start(now, j)
	return look
}

// watch sees that the worker does not take too long.
func (l *loop) watch(now time.Time) time.Duration {
	most := cmp.Or(l.o.Refresh.Takes, takes)
	if left := l.from.Add(most).Sub(now); left > 0 || l.late {
		return max(left, look)
	}
	l.late = true
	l.failed(now, fmt.Errorf("no answer within %v", most))
	return look
}

// stirred takes in that a contactor was switched: the panel is set up anew, and what it
// shows may have gone.
func (l *loop) stirred() {
	l.anew, l.redo = true, time.Time{}
	if !l.o.Keeps {
		l.drawn = l.drawn.Lost()
	}
}

// wanted is what is to be shown now.
func (l *loop) wanted(now time.Time) job {
	really := l.o.Frame(false)
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.until) && really.Page.Face == l.truth {
		return job{frame: l.instead, asks: l.asked}
	}
	l.until = time.Time{}
	return job{frame: really}
}

// due is how that is drawn now.
func (l *loop) due(now time.Time, j job) panel.Stroke {
	if j.asks != l.on.asks {
		return panel.Whole
	}
	stroke, _ := l.o.Refresh.Next(l.drawn, j.frame.Page, l.since(now))
	if stroke == panel.Rest && j.frame.Night != l.on.frame.Night && !l.o.Keeps {
		return panel.Partial
	}
	return stroke
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
		l.succeeded(now, r)
	}
}

// succeeded notes what is on the panel.
func (l *loop) succeeded(now time.Time, r outcome) {
	if r.next > 0 {
		l.pulse = now.Add(r.next)
	}
	if l.does.pulse {
		return
	}
	stroke := panel.Partial
	if l.does.frame.Whole {
		stroke = panel.Whole
	}
	l.on, l.mood.fails = l.does, 0
	if !l.on.again { // then it draws nothing, where drawing matters
		l.drawn = l.drawn.Draw(l.on.frame.Page, stroke, l.since(now))
	}
	l.next = now.Add(least)
	l.count(func(h *Health) {
		h.Pages++
		h.Face, h.Known, h.Shown, h.Took = l.on.frame.Page.Face, true, now, r.took
	})
}
