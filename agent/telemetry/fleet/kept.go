package fleet

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"stolpe/payment"
)

// MaxKept is the most that is kept of a post, in bytes.
const MaxKept = 1 << 20

// maxBack is how far a clock may have been set back since. Chosen by us.
const maxBack = 24 * 3600 // s

// Keep calls fn with what has to be kept of each post that has changed since it was kept
// last. fn is called without a lock. If it fails for a post, the others are kept all the
// same.
func (f *Fleet) Keep(now time.Time, fn func(tenant, post string, text []byte) error) error {
	return f.keep(now, fn, func(p *post) bool { return p.dirty || p.there == present }) // the time that goes by is a change, too
}

// KeepCounts is Keep for the posts that have counted something since: counters that go
// back after a crash would be counted twice by whoever reads them.
func (f *Fleet) KeepCounts(now time.Time, fn func(tenant, post string, text []byte) error) error {
	return f.keep(now, fn, func(p *post) bool { return p.counted })
}

func (f *Fleet) keep(now time.Time, fn func(tenant, post string, text []byte) error, which func(*post) bool) (failed error) {
	f.mu.Lock()
	var changed []*post
	for _, p := range f.posts {
		if which(p) {
			changed = append(changed, p)
		}
	}
	f.mu.Unlock()
	for _, p := range changed {
		f.mu.Lock()
		p.Until, p.dirty, p.counted = max(now.Unix(), p.last()), false, false
		text, err := json.Marshal(p)
		f.mu.Unlock()
		if err == nil {
			err = fn(p.Tenant, p.ID, text)
		}
		if err != nil {
			f.mu.Lock()
			p.dirty = true
			f.mu.Unlock()
			failed = cmp.Or(failed, fmt.Errorf("fleet: keep %s/%s: %w", p.Tenant, p.ID, err))
		}
	}
	return failed
}

// last is when the last change was: a clock that was set back may be before it.
func (p *post) last() (unix int64) {
	for _, e := range p.EVSEs {
		if n := len(e.Line); n > 0 {
			unix = max(unix, e.Line[n-1].At)
		}
	}
	return unix
}

var errRotten = errors.New("not as it was kept")

// Restore takes in what was kept of a post. The time since is not known of. What says no
// more than that a post existed, more than a year ago, is not taken: it says old.
func (f *Fleet) Restore(now time.Time, tenant, id string, text []byte) (old bool, err error) {
	p := &post{fleet: f}
	if err := json.Unmarshal(text, p); err != nil {
		return false, fmt.Errorf("fleet: restore %.40s/%.40s: %w", tenant, id, err)
	}
	if p.Tenant != tenant || p.ID != id || !p.fits(now.Unix()) {
		return false, fmt.Errorf("fleet: restore %.40s/%.40s: %w", tenant, id, errRotten)
	}
	if p.Until < now.Unix()-keptFor || p.Heard < now.Unix()-keptFor && p.Heard > 0 {
		return true, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	there, err := f.at(tenant, id)
	if err != nil {
		return false, err
	}
	if len(there.EVSEs) > 0 || f.evses+len(p.EVSEs) > maxAll {
		return false, ErrFull
	}
	f.evses += len(p.EVSEs)
	f.posts[tenant+"/"+id] = p
	if p.EVSEs == nil {
		p.EVSEs = map[int]*evse{}
	}
	for _, e := range p.EVSEs {
		e.Line.add(change{At: p.Until, Is: Unheard})
	}
	p.changed()
	return false, nil
}

// fits says whether what was kept is within the bounds of what can be.
func (p *post) fits(now int64) bool {
	if len(p.EVSEs) > maxEVSEs || len(p.Days) > maxDays || len(p.Months) > maxMonths || len(p.Seqs) > maxSpans || len(p.Marks) > maxMarks || p.Until > now+maxBack {
		return false
	}
	for number, e := range p.EVSEs {
		if number < 1 || number > maxNumber || e == nil || !e.fits(p.Until) {
			return false
		}
	}
	for _, d := range slices.Concat(p.Days, p.Months) {
		if _, err := time.Parse(time.DateOnly, d.Begins); err != nil || !d.Tally.fits() {
			return false
		}
	}
	if !p.Total.fits() || p.Currency != "" && !p.Currency.Known() {
		return false
	}
	inOrder := func(a, b dated) int { return strings.Compare(a.Begins, b.Begins) }
	var last uint64
	for _, s := range p.Seqs {
		if s.From > s.To || s.From <= last || s.To > maxSeq {
			return false
		}
		last = s.To
	}
	bySeq := func(a, b mark) int { return cmp.Compare(a.Seq, b.Seq) }
	return slices.IsSortedFunc(p.Marks, bySeq) && slices.IsSortedFunc(p.Days, inOrder) && slices.IsSortedFunc(p.Months, inOrder)
}

// fits says whether an EVSE can be as it was kept.
func (e *evse) fits(until int64) bool {
	if len(e.Line) > maxChanges || len(e.Faults) > maxRepairs || e.Strikes < 0 || e.Strikes > maxStrikes || e.State != "" && !known(e.State) || !e.Past.fits() {
		return false
	}
	for i, c := range e.Line {
		if c.Is >= standEnd || c.At > until || i > 0 && c.At <= e.Line[i-1].At {
			return false
		}
	}
	for _, r := range e.Faults {
		if codeOf(r.Code) != r.Code || r.To != 0 && r.To < r.From {
			return false
		}
	}
	return true
}

// fits says whether a tally can be.
func (t Tally) fits() bool {
	for _, n := range []int64{int64(t.Asked), int64(t.Approved), int64(t.Closed), int64(t.Fed), int64(t.Cut), int64(t.Dry), int64(t.Troubled), t.Energy, t.Seconds} {
		if n < 0 || n > maxSeq {
			return false
		}
	}
	for _, m := range []map[payment.Currency]int64{t.Revenue, t.Lost, t.Refunded} {
		for c, n := range m {
			if !c.Known() || n < 0 || n > maxSeq {
				return false
			}
		}
	}
	for word, n := range t.Failed {
		if ending(word) != word || n < 0 || int64(n) > maxSeq {
			return false
		}
	}
	return true
}
