package control

import (
	"sync"
	"time"
)

// lease is held by whoever uses the hardware.
type lease struct {
	mu    sync.Mutex // guards what follows
	taken bool
	by    job
	since time.Time
}

// take takes the lease, or says who has it.
func (l *lease) take(j job) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken {
		return Refuse(Busy, "%s is at %s, since %v and for at most %v: try again then", l.by.who, l.by.route.Name, time.Since(l.since).Round(time.Second), l.by.route.lease())
	}
	l.taken, l.by, l.since = true, j, time.Now()
	return nil
}

// release gives it back, once nothing moves any more.
func (l *lease) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken, l.by = false, job{}
}
