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
	// maxChanges of one EVSE, at 40 bytes each: four a week for 400 days. Where there
	// are more, the oldest are added up by days.
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

// bound forgets what is too old.
func (t *timeline) bound() {
	l := *t
	for oldest := l[len(l)-1].At - keptFor; len(l) > 1 && l[1].At <= oldest; {
		l = l[1:]
	}
	*t = l
}

// paint puts what is known by now, from a time on, in the place of what was not known at
// the end of the line. What has been listened to stays as it was heard. Where the post
// could not be reached, it was good for another thing.
func (t *timeline) paint(known change, to int64, unreached Standing) {
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
		a, b := max(known.At, u.At), min(to, end)
		if a >= b {
			t.add(u)
			continue
		}
		if u.At < a {
			t.add(u)
		}
		is := known.Is
		if u.Is == Away {
			is = unreached
		}
		t.add(change{a, is, known.Code})
		if b < end || i+1 == len(tail) {
			t.add(change{b, u.Is, u.Code})
		}
	}
}
