package fleet

import (
	"cmp"
	"hash/fnv"
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

// maxMarks of events are remembered. Chosen by us: what a busy post does in a month.
const maxMarks = 256

// mark is by which an event is known again.
type mark struct {
	Seq uint64 `json:"seq"`
	ID  uint32 `json:"id"` // of its id, a checksum
}

// marks are those of the first event and of the newest ones, by their numbers.
type marks []mark

func (m marks) find(seq uint64) (i int, found bool) {
	return slices.BinarySearchFunc(m, seq, func(x mark, seq uint64) int { return cmp.Compare(x.Seq, seq) })
}

// has says whether it is known which event had that number.
func (m marks) has(seq uint64) bool {
	_, found := m.find(seq)
	return found
}

// other says whether it is known that another event had that number.
func (m marks) other(seq uint64, id string) bool {
	i, found := m.find(seq)
	return found && id != "" && m[i].ID != checksum(id)
}

// note remembers an event that was not known.
func (m *marks) note(seq uint64, id string) {
	i, found := m.find(seq)
	if found || id == "" {
		return
	}
	*m = slices.Insert(*m, i, mark{seq, checksum(id)})
	if len(*m) > maxMarks { // the oldest but the first
		first := 0
		if (*m)[0].Seq == 1 {
			first = 1
		}
		*m = slices.Delete(*m, first, first+1)
	}
}

func checksum(id string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(id))
	return h.Sum32()
}
