package control

import (
	"sync"
	"time"
)

// Chosen by us: more than a person and their scripts ask for. A change costs two writes to
// the memory card, so there are fewer of these; and a refusal costs one, and may be asked
// for by whoever may least.
const (
	mostAsked   = 60                     // requests of one user at once
	askedEach   = 100 * time.Millisecond // one more
	mostChanged = 30                     // changes of one user at once
	changedEach = 2 * time.Second        // one more
	mostRefused = 6                      // refusals that are written down at once
	refusedEach = time.Minute            // one more
	mostUsers   = 256                    // that are told apart: a machine has a few
)

// rates are how often something may be done.
type rates struct {
	mu      sync.Mutex // guards what follows
	asked   map[int]*bucket
	changed map[int]*bucket
	refused bucket
}

// bucket holds what may be done at once, and fills up.
type bucket struct {
	spent int       // of them, and not filled up since
	at    time.Time // up to when it has filled
}

func (r *rates) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked, r.changed = map[int]*bucket{}, map[int]*bucket{}
}

// draw takes one out of a bucket that holds so many and gets one more each time.
func (b *bucket) draw(now time.Time, most int, each time.Duration) bool {
	if more := int(now.Sub(b.at) / each); more >= b.spent {
		b.spent, b.at = 0, now
	} else {
		b.spent -= more
		b.at = b.at.Add(time.Duration(more) * each)
	}
	if b.spent >= most {
		return false
	}
	b.spent++
	return true
}

// of finds a user's bucket. Where there are too many users, all begin anew.
func of(all map[int]*bucket, uid int) *bucket {
	b := all[uid]
	if b == nil {
		if len(all) >= mostUsers {
			clear(all)
		}
		b = &bucket{}
		all[uid] = b
	}
	return b
}

// take says why a user may not ask now.
func (r *rates) take(uid int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !of(r.asked, uid).draw(time.Now(), mostAsked, askedEach) {
		return Refuse(Busy, "more than %d requests at once, and then one each %v: wait a little", mostAsked, askedEach)
	}
	return nil
}

// change says why a user may not change anything now.
func (r *rates) change(uid int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !of(r.changed, uid).draw(time.Now(), mostChanged, changedEach) {
		return Refuse(Busy, "more than %d changes at once, and then one each %v: wait a little", mostChanged, changedEach)
	}
	return nil
}

// refusal says whether one more refusal is written down.
func (r *rates) refusal() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused.draw(time.Now(), mostRefused, refusedEach)
}
