package fleet

import "slices"

// Standing is what an EVSE was good for.
type Standing uint8

// The standings.
const (
	Unheard  Standing = iota // nobody listened, and nothing has shown since what was
	Working                  // a driver could charge, or did
	Down                     // not
	Away                     // the post could not be reached, and nothing has shown since what it did
	Cut                      // the post could not be reached, and has shown since that it worked
	standEnd                 // none
)

// String gives the standing as a word.
func (s Standing) String() string {
	return [standEnd]string{"unknown", "working", "down", "offline", "working offline"}[s]
}

// change is since when an EVSE stood otherwise.
type change struct {
	At   int64    `json:"at"` // s since 1970
	Is   Standing `json:"is"`
	Code string   `json:"code,omitempty"` // of the gravest fault
}

// Chosen by us.
const (
	// maxChanges of one EVSE: four a week for 400 days. They are the most of what a
	// fleet takes in memory, at 40 bytes each.
	maxChanges = 256
	// keptFor is how long they are kept: a year, and what a report of it takes.
	keptFor = 400 * 24 * 3600 // s
)

// timeline is how an EVSE stood, by time: each change lasts until the next.
type timeline []change

// add notes how it stands from a time on. What was noted before stays.
func (t *timeline) add(c change) {
	l := *t
	if n := len(l); n > 0 && c.At <= l[n-1].At {
		c.At = l[n-1].At
		l = l[:n-1]
	}
	if n := len(l); n > 0 && l[n-1].Is == c.Is && l[n-1].Code == c.Code {
		*t = l
		return
	}
	*t = append(l, c)
	t.bound()
}

// bound forgets what is too old. Of what is too much it takes the shortest time between
// two troubles for a part of the trouble: an EVSE that comes and goes all the time gains
// nothing by it.
func (t *timeline) bound() {
	l := *t
	newest := l[len(l)-1].At
	for len(l) > 1 && l[1].At <= newest-keptFor {
		l = l[1:]
	}
	for len(l) > maxChanges {
		shortest := 1
		for i := 1; i+1 < len(l); i++ {
			if span, least := l[i+1].At-l[i].At, l[shortest+1].At-l[shortest].At; rank(l[i].Is) < rank(l[shortest].Is) ||
				rank(l[i].Is) == rank(l[shortest].Is) && span < least {
				shortest = i
			}
		}
		l = slices.Delete(l, shortest, shortest+1)
		if l[shortest-1].Is == l[shortest].Is && l[shortest-1].Code == l[shortest].Code {
			l = slices.Delete(l, shortest, shortest+1)
		}
	}
	*t = l
}

// rank says what is given up first.
func rank(s Standing) int {
	if s == Working {
		return 0
	}
	return 1
}

// paint puts what is known by now in the place of what was not known at the end of the
// line, between two times. What has been listened to stays as it was heard.
func (t *timeline) paint(from, to int64, is Standing, code string) {
	first := len(*t)
	for first > 0 && ((*t)[first-1].Is == Unheard || (*t)[first-1].Is == Away) {
		first--
	}
	tail := slices.Clone((*t)[first:])
	*t = (*t)[:first]
	for i, u := range tail {
		end := max(to, u.At)
		if i+1 < len(tail) {
			end = tail[i+1].At
		}
		a, b := max(from, u.At), min(to, end)
		if a >= b {
			t.add(u)
			continue
		}
		if u.At < a {
			t.add(u)
		}
		t.add(change{a, shown(u.Is, is), code})
		if b < end || i+1 == len(tail) {
			t.add(change{b, u.Is, u.Code})
		}
	}
}

// shown is how a time stands of which is known by now how the EVSE was.
func shown(was, is Standing) Standing {
	if was == Away && is == Working {
		return Cut
	}
	return is
}
