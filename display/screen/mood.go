package screen

import (
	"time"

	"stolpe/display/panel"
)

// Chosen by us.
const (
	// failing is after how many failures in a row a display counts as failed: one alone is
	// a disturbance on a cable.
	failing = 3
	// awayFor is how long there must be no failure until a display counts as well again;
	// twice as long with each time that it failed, until it has been well for an hour. What
	// comes and goes with a loose plug is news a few times a day.
	awayFor, longestAway = 10 * time.Second, time.Hour
)

// mood is how a display has been doing of late.
type mood struct {
	fails int       // in a row
	often int       // how often it has begun to fail, or to rest, without an hour in between
	last  time.Time // when it last failed or rested
}

// pause is how long to wait after the failures in a row.
func (m *mood) pause() time.Duration {
	return min(firstPause<<min(max(m.fails-1, 0), 10), longestPause)
}

// away is how long there must be no failure.
func (m *mood) away() time.Duration { return min(awayFor<<min(max(m.often-1, 0), 10), longestAway) }

// failed notes a failure, and tries again later.
func (l *loop) failed(now time.Time, err error) {
	l.mood.fails++
	l.drawn = l.drawn.Lost()
	l.pulse = time.Time{}
	l.next = now.Add(l.mood.pause())
	l.count(func(h *Health) { h.Failures++; h.Known = false })
	l.o.Log.Debug("display failed", "display", l.o.Name, "failures", l.mood.fails, "err", err)
	if l.mood.fails >= failing || l.late || l.health.Code == Failing {
		l.judge(now, Failing, err.Error())
	}
	l.mood.last = now
}

// rested notes that the panel is too cold.
func (l *loop) rested(now time.Time, why error) {
	l.mood.fails = 0
	l.drawn = l.drawn.Lost().Froze(l.o.Refresh, l.since(now)) // it may show that it rests
	l.next = now.Add(coldPause)
	l.count(func(h *Health) { h.Known = false })
	l.judge(now, Resting, why.Error())
	l.mood.last = now
}

// recovered notes that all is well again: that page is what is wanted, and shown.
func (l *loop) recovered(now time.Time, p panel.Page) {
	if l.health.Code != "" && l.drawn.Shows(p) && now.Sub(l.mood.last) >= l.mood.away() {
		l.judge(now, "", "")
	}
}

func (l *loop) count(change func(*Health)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.health)
}

// judge takes down how the display is doing, and logs it where that is news.
func (l *loop) judge(now time.Time, code, trouble string) {
	was := l.health.Code
	l.count(func(h *Health) {
		h.Trouble = trouble
		if h.Code != code {
			h.Code, h.Since = code, now
		}
	})
	if code == was {
		return
	}
	switch code {
	case "":
		l.o.Log.Info("display works again", "display", l.o.Name, "failures", l.health.Failures)
	case Resting:
		l.o.Log.Warn("display rests; charging goes on", "display", l.o.Name, "code", code, "why", trouble)
	default:
		l.o.Log.Warn("display fails; charging goes on", "display", l.o.Name, "code", code, "err", trouble)
	}
	if code != "" {
		if now.Sub(l.mood.last) > longestAway {
			l.mood.often = 0
		}
		l.mood.often++
	}
}
