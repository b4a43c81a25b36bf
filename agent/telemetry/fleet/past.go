package fleet

import "time"

const (
	dayLong = 24 * 3600           // s
	maxPast = keptFor/dayLong + 2 // days, with those of which a part is kept
	ways    = int(standEnd) + 1   // what is added up: the standings, and what is excluded
)

// sums are how a day of UTC was spent.
type sums struct {
	Day   int64        `json:"day"` // since 1970
	Spent [ways]uint32 `json:"s"`   // by standing, s; the last is excluded
}

// past is what was before the changes that are remembered one by one, the oldest day
// first.
type past []sums

// fold adds up by days the changes that are too many, with what is announced by then.
func (e *evse) fold(windows func() []Window) {
	for len(e.Line) > maxChanges {
		from, to := e.Line[0].At, e.Line[1].At
		e.Line[:1].pieces(max(from, to-keptFor), to, windows(), e.Past.add)
		e.Line = e.Line[1:]
	}
	for len(e.Past) > 0 && len(e.Line) > 0 && (e.Past[0].Day+1)*dayLong <= e.Line[len(e.Line)-1].At-keptFor {
		e.Past = e.Past[1:]
	}
}

// add adds a piece of the line, which is later than all before.
func (p *past) add(o Outage) {
	for from, to := o.From.Unix(), o.To.Unix(); from < to; {
		day := from / dayLong
		until := min(to, (day+1)*dayLong)
		if n := len(*p); n == 0 || (*p)[n-1].Day != day {
			*p = append(*p, sums{Day: day})
		}
		spent := &(*p)[len(*p)-1].Spent
		spent[o.Is] += uint32(until - from)
		if o.Cause != "" {
			spent[standEnd] += uint32(until - from)
		}
		from = until
	}
}

// times adds up the days that began since a time.
func (p past) times(from int64) Times {
	var t Times
	for _, d := range p {
		if d.Day*dayLong < from {
			continue
		}
		s := func(i Standing) time.Duration { return time.Duration(d.Spent[i]) * time.Second }
		t.Add(Times{Working: s(Working), Down: s(Down), Away: s(Away), Cut: s(Cut), Unheard: s(Unheard), Excluded: s(standEnd)})
	}
	return t
}

// fits says whether the past can be as it was kept.
func (p past) fits() bool {
	for i, d := range p {
		if d.Day < 0 || i > 0 && d.Day <= p[i-1].Day {
			return false
		}
		for _, s := range d.Spent {
			if s > dayLong {
				return false
			}
		}
	}
	return len(p) <= maxPast
}
