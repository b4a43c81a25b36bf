package sim

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"stolpe/hal"
)

// Clock is a time that passes only when it is stepped, for demonstrations faster
// than life: a process that stalls does not make the meter look silent. It is
// safe for concurrent use, and the zero Clock stands at 0.
type Clock struct{ ns atomic.Int64 }

// Now is the time since the clock began.
func (c *Clock) Now() time.Duration { return time.Duration(c.ns.Load()) }

// Step lets d pass.
func (c *Clock) Step(d time.Duration) { c.ns.Add(int64(d)) }

// ErrSilent is what Rig.Read returns when the simulated meter does not answer.
var ErrSilent = errors.New("sim: the meter does not answer")

// Rig is a Bench in a running program: it has a clock, and any number of
// goroutines may use it. It is a contactor (Set, Sense), a plug sensor (Plugged),
// the wires of a post (Signal, Watch) and a meter without a wire (Read); a Server puts its meter on a wire.
type Rig struct {
	mu    sync.Mutex // guards bench
	bench Bench
	now   func() time.Duration

	wires    sync.Mutex // guards the two below
	signals  hal.Signals
	watching map[*func(hal.Signals)]bool
}

// NewRig gives a rig around a bench as set up. The function now is its clock; it
// must never go backwards.
func NewRig(s Setup, now func() time.Duration) *Rig {
	return &Rig{bench: NewBench(s), now: now}
}

// Do calls f with the bench and the present instant while nobody else has it:
// to plug in a car, to set a fault, to learn the truth.
func (r *Rig) Do(f func(b *Bench, now time.Duration)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.bench, r.now())
}

// Set commands the contactor. It never fails: what is wrong with a simulated
// contactor shows in Sense.
func (r *Rig) Set(p hal.Position) error {
	r.Do(func(b *Bench, now time.Duration) { b.Set(now, p) })
	return nil
}

// Sense says what the auxiliary contact shows. It never fails.
func (r *Rig) Sense() (p hal.Position, err error) {
	r.Do(func(b *Bench, now time.Duration) { p = b.Sense(now) })
	return p, nil
}

// Plugged says whether a car's cable is in. It never fails.
func (r *Rig) Plugged() (p hal.Plug, err error) {
	r.Do(func(b *Bench, _ time.Duration) { p = b.Plugged() })
	return p, nil
}

// Signal lets the wires of the post say this from now on. When it returns, all who
// watch have been told.
func (r *Rig) Signal(s hal.Signals) {
	r.wires.Lock()
	defer r.wires.Unlock()
	if s == r.signals {
		return
	}
	r.signals = s
	for changed := range r.watching {
		(*changed)(s)
	}
}

// Watch calls changed with what the wires say, now and at every change until ctx
// ends, one call at a time.
func (r *Rig) Watch(ctx context.Context, changed func(hal.Signals)) {
	r.wires.Lock()
	changed(r.signals)
	if r.watching == nil {
		r.watching = map[*func(hal.Signals)]bool{}
	}
	r.watching[&changed] = true
	r.wires.Unlock()
	<-ctx.Done()
	r.wires.Lock()
	defer r.wires.Unlock()
	delete(r.watching, &changed)
}

// Read reads the meter as if through a perfect wire. It returns ErrSilent when
// the meter does not answer, and ctx's error once ctx is done.
func (r *Rig) Read(ctx context.Context) (reading hal.Reading, err error) {
	if err := ctx.Err(); err != nil {
		return hal.Reading{}, err
	}
	answers := false
	r.Do(func(b *Bench, now time.Duration) { reading, answers = b.Read(now) })
	if !answers {
		return hal.Reading{}, ErrSilent
	}
	return reading, nil
}
