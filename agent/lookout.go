package main

import (
	"sync"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/hal"
)

// lookout tells the displays of a post that something has happened at one of its EVSEs. It
// takes no time of the loops that tell it.
type lookout struct {
	changed, switched []chan struct{} // of each display; never changed while EVSEs run

	mu  sync.Mutex
	out map[int]uint64 // of EVSEs, by id: the charge since whose end the cable has been out
}

func newLookout() *lookout { return &lookout{out: map[int]uint64{}} }

// add is for one more display: what says that there may be something new to show, and that
// a contactor was switched. It is called before the EVSEs run.
func (l *lookout) add() (changed, switched chan struct{}) {
	changed, switched = make(chan struct{}, 1), make(chan struct{}, 1)
	l.changed, l.switched = append(l.changed, changed), append(l.switched, switched)
	return changed, switched
}

// at is the watcher of one EVSE.
func (l *lookout) at(evse int) evse.Watcher { return &eye{lookout: l, evse: evse} }

// eye watches one EVSE.
type eye struct {
	*lookout
	evse   int          // id
	known  bool         // that the contactor stands
	stands hal.Position // there
	unkept bool         // something new was seen that was not on disk yet, and so not to be shown
}

// Saw looks whether there is something new. Figures are not: they are looked at all the
// time.
func (e *eye) Saw(m evse.Moment) {
	b, a := &m.Before, &m.After
	if e.moved(a, m.Now) {
		poke(e.switched)
	}
	if a.Phase == session.Idle && a.PlugSensed() == hal.PlugOut {
		e.mu.Lock()
		e.out[e.evse] = a.Counter
		e.mu.Unlock()
	}
	_, answered := m.Event.(session.Answered) // it may have brought an address to pay at
	if answered || b.Faults() != a.Faults() || b.PlugSensed() != a.PlugSensed() || !b.Kept.Same(&a.Kept) || e.unkept && m.Kept {
		poke(e.changed)
		e.unkept = !m.Kept
	}
}

// moved says whether the contactor stands elsewhere than it did.
func (e *eye) moved(s *session.State, now hal.Instant) bool {
	for _, p := range []hal.Position{hal.Open, hal.Closed} {
		if s.SensedAs(p, now.Mono) {
			moved := e.known && e.stands != p
			e.known, e.stands = true, p
			return moved
		}
	}
	return false
}

// left says whether the cable has been out since that charge ended.
func (l *lookout) left(evse int, charge uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was, seen := l.out[evse]
	return seen && was == charge
}

// poke says something to all who have not been told yet.
func poke(all []chan struct{}) {
	for _, c := range all {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
