package mqtt

import "sync"

// taps are those who look on.
type taps struct {
	mu   sync.Mutex // guards what follows
	last int        // number of the newest
	all  map[int]func(m Message, out bool)
}

// Tap has fn called with each message that the broker has acknowledged or has sent, until
// stop is called. It is told one message at a time, must not wait, and must leave the
// message as it is.
func (c *Conn) Tap(fn func(m Message, out bool)) (stop func()) {
	t := &c.taps
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[int]func(Message, bool){}
	}
	t.last++
	n := t.last
	t.all[n] = fn
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.all, n)
	}
}

func (t *taps) tell(m Message, out bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, fn := range t.all {
		fn(m, out)
	}
}

// came hands on a message that came.
func (c *Conn) came(m Message) {
	c.taps.tell(m, false)
	if c.o.Handle != nil {
		c.o.Handle(m)
	}
}
