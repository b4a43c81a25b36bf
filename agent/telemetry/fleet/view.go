package fleet

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"stolpe/agent/telemetry"
	"stolpe/payment"
)

// Post is what may be shown of a post.
type Post struct {
	Tenant  string
	ID      string
	Name    string // where it stands
	Version string // of its program
	System  string // as in linux/arm64
	Clock   string // how good it is: synced, holdover or unknown
	There   bool   // connected, and not silent
	Unsure  bool   // nobody listens, so it may be there or not
	Heard   time.Time
	Missed  uint64 // events that have not come
	Health  *telemetry.Health
	Sells   payment.Currency // its prices are in it; empty while it is not known
	EVSEs   []EVSE
	Total   Tally   // since it was first heard of
	Month   Tally   // of the last 30 days
	Year    Tally   // of the last 12 months
	Days    []Dated // of Each and Find only
	Months  []Dated // as Days
}

// Dated is the tally of the day or the month that begins on that day.
type Dated struct {
	Begins string // as in 2026-11-20
	Tally
}

// EVSE is what may be shown of an EVSE.
type EVSE struct {
	Number   int
	Code     string    // on the sticker
	State    string    // the word; empty while it is not known
	Since    time.Time // in that state
	Is       Standing
	Trouble  string   // the code of what is wrong; empty with nothing
	Month    Times    // of the last 30 days
	Year     Times    // of the last 365 days
	Calendar Times    // of this calendar year
	Faults   []Repair // those that are there first

	line    timeline
	windows []Window
}

// Chosen by us: what a month is where days count.
const (
	monthDays = 30
	yearDays  = 365
)

// Look gives the posts of the tenants that may be seen, by tenant and id, without their
// days, months and outages.
func (f *Fleet) Look(now time.Time, sees func(tenant string) bool) []Post {
	var all []Post
	f.each(now, sees, false, func(p Post) { all = append(all, p) })
	return all
}

// Each calls fn with all that is known of each of them.
func (f *Fleet) Each(now time.Time, sees func(tenant string) bool, fn func(Post)) {
	f.each(now, sees, true, fn)
}

// each takes the lock for each post anew, so that what comes meanwhile does not wait for
// all of them.
func (f *Fleet) each(now time.Time, sees func(tenant string) bool, whole bool, fn func(Post)) {
	f.mu.Lock()
	var posts []*post
	for _, p := range f.posts {
		if !p.Gone && sees(p.Tenant) {
			posts = append(posts, p)
		}
	}
	f.mu.Unlock()
	slices.SortFunc(posts, func(a, b *post) int { return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ID, b.ID)) })
	for _, p := range posts {
		f.mu.Lock()
		v := p.view(now.In(f.zone), f.windowsOf(p), whole)
		f.mu.Unlock()
		fn(v)
	}
}

// Find gives all that is known of one post.
func (f *Fleet) Find(now time.Time, tenant, id string) (Post, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.posts[tenant+"/"+id]
	if p == nil || p.Gone {
		return Post{}, false
	}
	return p.view(now.In(f.zone), f.windowsOf(p), true), true
}

// windowsOf are the announced times of a post. The lock is held.
func (f *Fleet) windowsOf(p *post) []Window {
	return slices.DeleteFunc(slices.Clone(f.windows), func(w Window) bool {
		return w.Tenant != p.Tenant || w.Post != "" && w.Post != p.ID
	})
}

// view copies what may be shown.
func (p *post) view(now time.Time, windows []Window, whole bool) Post {
	v := Post{Tenant: p.Tenant, ID: p.ID, Name: p.Name, Version: p.Version, System: p.System, Clock: p.Clock,
		There: p.there == present && !p.silent, Unsure: p.there == unsure, Missed: p.Seqs.missing(), Health: p.Health, Sells: p.Currency,
		Total: p.Total.clone(), Month: p.Days.since(now.AddDate(0, 0, 1-monthDays).Format(time.DateOnly)),
		Year: p.Months.since(time.Date(now.Year(), now.Month()-11, 1, 0, 0, 0, 0, now.Location()).Format(time.DateOnly)),
		Days: p.Days.shown(), Months: p.Months.shown()}
	if p.Heard > 0 {
		v.Heard = at(p.Heard)
	}
	for _, number := range slices.Sorted(maps.Keys(p.EVSEs)) {
		if e := p.EVSEs[number]; !e.Ended {
			v.EVSEs = append(v.EVSEs, e.view(now, number, windows, whole))
		}
	}
	return v
}

func (d diary) shown() []Dated {
	var all []Dated
	for _, x := range d {
		all = append(all, Dated{x.Begins, x.Tally.clone()})
	}
	return all
}

// view copies what may be shown.
func (e *evse) view(now time.Time, number int, windows []Window, whole bool) EVSE {
	v := EVSE{Number: number, Code: e.Code, State: e.State, Faults: slices.Clone(e.Faults)}
	if whole {
		v.line, v.windows = slices.Clone(e.Line), windows
	}
	if n := len(e.Line); n > 0 {
		v.Is, v.Trouble = e.Line[n-1].Is, e.Line[n-1].Code
	}
	if e.State != "" {
		v.Since = at(e.Since)
	}
	from := func(t time.Time) Times {
		times := e.Past.times(t.Unix())
		times.Add(e.Line.times(t.Unix(), now.Unix(), windows))
		return times
	}
	v.Month = from(now.AddDate(0, 0, -monthDays))
	v.Year = from(now.AddDate(0, 0, -yearDays))
	v.Calendar = from(time.Date(now.Year(), 1, 1, 0, 0, 0, 0, now.Location()))
	return v
}

// Outages are the times of the last 365 days in which no driver could charge, or nobody
// knows, the newest first. Those before so many changes that they are only added up are
// not among them.
func (e EVSE) Outages(now time.Time) []Outage {
	var all []Outage
	e.line.pieces(now.AddDate(0, 0, -yearDays).Unix(), now.Unix(), e.windows, func(o Outage) {
		if o.Is != Working {
			all = append(all, o)
		}
	})
	slices.Reverse(all)
	return all
}

// Mending is how often a fault came up in a time, and how long it took.
type Mending struct {
	Code     string
	Active   int           // that are there now
	Count    int           // that came up
	Repaired int           // of them, those that are gone
	Took     time.Duration // those that are gone, together
}

// Mean is the mean time to repair; 0 without any.
func (m Mending) Mean() time.Duration {
	if m.Repaired == 0 {
		return 0
	}
	return m.Took / time.Duration(m.Repaired)
}

// Mendings counts the faults of all EVSEs of some posts since a time, by code, the most
// frequent first.
func Mendings(posts []Post, since time.Time) []Mending {
	found := map[string]*Mending{}
	for _, p := range posts {
		for _, e := range p.EVSEs {
			for _, r := range e.Faults {
				if r.To != 0 && r.To < since.Unix() {
					continue
				}
				m := found[r.Code]
				if m == nil {
					m = &Mending{Code: r.Code}
					found[r.Code] = m
				}
				m.Count++
				if r.To == 0 {
					m.Active++
					continue
				}
				m.Repaired++
				m.Took += time.Duration(r.To-r.From) * time.Second
			}
		}
	}
	var all []Mending
	for _, m := range found {
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b Mending) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Code, b.Code)) })
	return all
}
