package evse

import (
	"context"
	"errors"
	"sync"
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
)

// gate lets everybody pass until it hangs, and all who hang go on when it is freed.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // nil when open
}

func (g *gate) hang() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

func (g *gate) free() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

func (g *gate) pass(ctx context.Context) error {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut == nil {
		return nil
	}
	select {
	case <-shut:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause takes time.
func pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errTwin = errors.New("this twin is out of order")

// disk is the journal. Law: one save at a time, and none after one that failed or
// that took too long.
type disk struct {
	gate
	w *world

	mu     sync.Mutex
	takes  time.Duration // a save
	broken bool          // the next save fails
	failed bool          // one has
	off    bool          // no power
	busy   bool
	begun  time.Time // the newest save
	calls  int
	saved  []session.Kept // what has been durable, the newest last
}

// Save makes k durable.
func (d *disk) Save(k session.Kept) error {
	d.mu.Lock()
	if d.busy || d.failed {
		d.w.t.Errorf("a save is begun while busy %v, failed %v", d.busy, d.failed)
	}
	d.busy, d.begun, d.calls = true, time.Now(), d.calls+1
	takes := d.takes
	d.mu.Unlock()
	_ = d.pass(context.Background())
	_ = pause(context.Background(), takes)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	if d.broken || d.off {
		d.failed = true
		return errTwin
	}
	if time.Since(d.begun) > stuckAfter+time.Second {
		d.failed = true // and its word comes too late
		return nil
	}
	d.saved = append(d.saved, k)
	return nil
}

func (d *disk) set(change func(*disk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

// newest is what a restart would find.
func (d *disk) newest() session.Kept {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.saved) == 0 {
		return session.Kept{}
	}
	return d.saved[len(d.saved)-1]
}

// count is how often Save was called.
func (d *disk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// has says whether k has been durable. Before the first save the state that the
// program began with counts, and after a failure everything does.
func (d *disk) has(k *session.Kept) bool {
	return d.holds(func(old *session.Kept) bool { return old.Same(k) })
}

// holds says whether a durable state is such, with the same exceptions.
func (d *disk) holds(such func(*session.Kept) bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed || d.busy && time.Since(d.begun) > stuckAfter || len(d.saved) == 0 {
		return true
	}
	for i := len(d.saved) - 1; i >= 0; i-- {
		if such(&d.saved[i]) {
			return true
		}
	}
	return false
}

// order is one order to the contactor.
type order struct {
	at time.Duration
	to hal.Position
}

// coil is the contactor. Law: it is ordered closed only for a charge that is on
// disk as approved and charging, or for a test of an EVSE that the disk has as out of
// service, and not while something newer waits for the disk.
type coil struct {
	gate // of the sense line
	w    *world

	mu      sync.Mutex
	off     bool   // no power
	refuses [2]int // so many orders to each position fail
	blind   bool   // the sense line gives errors
	orders  []order
}

// Set orders the contactor.
func (c *coil) Set(p hal.Position) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.off {
		return nil
	}
	c.orders = append(c.orders, order{c.w.now().Mono, p})
	if p == hal.Closed {
		c.law()
	}
	if c.refuses[p] > 0 {
		c.refuses[p]--
		return errTwin
	}
	return c.w.rig.Set(p)
}

func (c *coil) law() {
	d := c.w.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.saved); n > 0 && !d.busy && !d.failed {
		k := &d.saved[n-1]
		if k.Phase == session.Charging && k.Charge.Held || k.Phase == session.Idle && k.Latched&session.Withdrawn != 0 && c.w.tests {
			return
		}
	}
	c.w.t.Errorf("at %v ordered closed, with %d states on disk, busy %v, failed %v", c.w.now().Mono, len(d.saved), d.busy, d.failed)
}

// Sense reads the sense line. Where it hangs, it tells afterwards what it saw before.
func (c *coil) Sense() (hal.Position, error) {
	p, err := c.w.rig.Sense()
	_ = c.pass(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.blind {
		return hal.Open, errTwin
	}
	return p, err
}

func (c *coil) set(change func(*coil)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

// commanded is the last order.
func (c *coil) commanded() hal.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.orders) == 0 {
		return hal.Closed // never ordered: unknown, and so not open
	}
	return c.orders[len(c.orders)-1].to
}

// since gives the orders to p from the instant at on.
func (c *coil) since(at time.Duration, p hal.Position) []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []time.Duration
	for _, o := range c.orders {
		if o.at >= at && o.to == p {
			all = append(all, o.at)
		}
	}
	return all
}

// socket is the plug input.
type socket struct {
	w *world

	mu     sync.Mutex
	broken bool
}

// Plugged reads the input. Beside an error it says what it said before.
func (s *socket) Plugged() (hal.Plug, error) {
	p, err := s.w.rig.Plugged()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		err = errTwin
	}
	return p, err
}

func (s *socket) breaks(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

// meter reads the rig's meter, or does not.
type meter struct {
	gate
	w *world

	mu     sync.Mutex
	broken bool
	reads  []time.Duration
}

// Read reads the meter. It keeps to ctx, as it must.
func (m *meter) Read(ctx context.Context) (hal.Reading, error) {
	m.mu.Lock()
	m.reads = append(m.reads, m.w.now().Mono)
	broken := m.broken
	m.mu.Unlock()
	if err := m.pass(ctx); err != nil {
		return hal.Reading{}, err
	}
	if broken { // and what it says beside that is nonsense
		return hal.Reading{Register: 1, Serial: "77", At: m.w.now().Mono}, errTwin
	}
	r, err := m.w.rig.Read(ctx)
	r.At = m.w.now().Mono
	return r, err
}

func (m *meter) breaks(broken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = broken
}

// count is how often it was read before the instant at.
func (m *meter) count(at time.Duration) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(before(m.reads, at))
}
