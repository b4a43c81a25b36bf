package fleet

import (
	"cmp"
	"slices"
)

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
	if slices.ContainsFunc(*s, func(x span) bool { return x.From <= n && n <= x.To }) {
		return false
	}
	s.fill(n, n)
	return true
}

// fill notes all the numbers from one to another.
func (s *seqs) fill(from, to uint64) {
	var l seqs
	for _, x := range *s { // what overlaps, or is next to it, becomes one
		if x.To+1 >= from && x.From <= to+1 {
			from, to = min(from, x.From), max(to, x.To)
			continue
		}
		l = append(l, x)
	}
	i, _ := slices.BinarySearchFunc(l, from, func(x span, from uint64) int { return cmp.Compare(x.From, from) })
	l = slices.Insert(l, i, span{from, to})
	if len(l) > maxSpans { // the oldest hole is given up
		l[1].From = l[0].From
		l = l[1:]
	}
	*s = l
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
