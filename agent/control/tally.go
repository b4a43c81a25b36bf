package control

import (
	"fmt"
	"sync"
)

// mostTold is how many callers and deeds are told apart. Chosen by us: few routes are urgent,
// and few people may.
const mostTold = 64

// tally counts what is done at once and more often than can be written down each time, so
// that nobody can do it unseen by doing something else often before.
type tally struct {
	news chan struct{} // holds a token while there is something to take

	mu  sync.Mutex // guards what follows
	all []tallied
}

// tallied is something that was done more than once: by whom, what, where, and how the last
// one went.
type tallied struct {
	Record
	times int // deeds
}

// add counts one more.
func (t *tally) add(r Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case t.news <- struct{}{}:
	default:
	}
	for i := range t.all {
		o := &t.all[i]
		alike := o.EVSE == r.EVSE && o.Kind == r.Kind && o.Caller == r.Caller || len(t.all) >= mostTold
		if o.Route == r.Route && alike {
			o.Record = r
			o.times++
			return
		}
	}
	t.all = append(t.all, tallied{r, 1})
}

// take gives what has waited longest, in one record.
func (t *tally) take() (Record, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) == 0 {
		return Record{}, false
	}
	one := t.all[0]
	t.all = t.all[1:]
	r := one.Record
	r.Text = cut(fmt.Sprintf("%d times, too fast to be written down each; the last: %s", one.times, r.Text), maxText)
	return r, true
}
