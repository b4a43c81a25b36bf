package fleet

import "slices"

// span is numbers of events, from one to another, both included.
type span struct {
	From uint64 `json:"from"` // number of an event
	To   uint64 `json:"to"`   // number of an event
}

// maxSpans is how many holes in the numbers are remembered. Chosen by us: one for each
// day of two months on which events were missed and not replayed.
const maxSpans = 64

// seqs are the numbers of the events that have been counted.
type seqs []span

// take notes a number, and says whether it is a new one.
func (s *seqs) take(n uint64) bool {
	i, found := slices.BinarySearchFunc(*s, n, func(x span, n uint64) int {
		switch {
		case x.To < n:
			return -1
		case x.From > n:
			return 1
		}
		return 0
	})
	if found {
		return false
	}
	l := slices.Insert(*s, i, span{n, n})
	if i+1 < len(l) && l[i+1].From == n+1 {
		l[i].To = l[i+1].To
		l = slices.Delete(l, i+1, i+2)
	}
	if i > 0 && l[i-1].To+1 == l[i].From {
		l[i-1].To = l[i].To
		l = slices.Delete(l, i, i+1)
	}
	if len(l) > maxSpans { // the oldest hole is given up
		l[1].From = l[0].From
		l = l[1:]
	}
	*s = l
	return true
}

// newest is the highest of them; 0 without any.
func (s seqs) newest() uint64 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].To
}

// missing is how many between the first and the newest have not come.
func (s seqs) missing() (n uint64) {
	for i := 1; i < len(s); i++ {
		n += s[i].From - s[i-1].To - 1
	}
	return n
}
