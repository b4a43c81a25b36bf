package gpio

import "time"

// Chosen by us: contacts of this size bounce for some ms, and a cable that is being
// plugged in for tens of them; a person who presses a button holds it for longer.
const settle = 100 * time.Millisecond

// flutterMost is how long a loop may change all the time before it counts as not
// made. Chosen by us: a wire that has broken beside a mains cable picks up 50 Hz and
// would otherwise never be seen; no plug and no contactor bounces for so long.
const flutterMost = time.Second

// loop says whether an input is made, of what is seen of it. It has no clock: every
// method is told the time since some start, which must not go backwards. The zero
// loop begins at 0, not made and not settled.
type loop struct {
	eager bool // the first sign of "not made" counts

	made    bool
	settled bool // made is what was seen, not what it began with

	seen     bool          // the level last seen: made
	since    time.Duration // the last change, or sign of one
	restless time.Duration // the first of the changes that came one upon another
}

// begin forgets everything.
func (l *loop) begin(now time.Duration) {
	*l = loop{eager: l.eager, since: now, restless: now}
}

// edge takes in that the level has changed, however it may be now.
func (l *loop) edge(now time.Duration) {
	if now-l.since >= settle {
		l.restless = now
	}
	l.since = now
	if l.eager {
		l.made = false
	}
}

// level takes in the level as it is now.
func (l *loop) level(now time.Duration, made bool) {
	if made != l.seen {
		l.edge(now)
		l.seen = made
	}
	switch {
	case now-l.since >= settle:
		l.made, l.settled = made, true
	case l.eager && !made, now-l.restless >= flutterMost:
		l.made, l.settled = false, true
	}
}

// due is how long it takes until the loop has settled if nothing changes; 0 when it
// has.
func (l *loop) due(now time.Duration) time.Duration {
	return max(0, settle-(now-l.since))
}
