package evse

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	bench "stolpe/hal/sim"
	"stolpe/payment"
)

// world is everything around one EVSE, in the time of a synctest bubble: twins in
// memory of disk, contactor, meter and payment service, and the people in front of
// the post. The twins hold the laws that no loop may break (see twins_test.go).
type world struct {
	t     *testing.T
	rules session.Rules
	began time.Time
	grace time.Duration
	rig   *bench.Rig
	plug  *socket
	till  *till
	tests bool // a technician is at the post

	// Of the program that runs now.
	booted time.Time
	lag    func(time.Duration) time.Duration // how its clock differs from the bubble's; nil for not at all
	disk   *disk
	coil   *coil
	meter  *meter
	log    *logbook
	evse   *EVSE
	end    context.CancelFunc
	ended  chan any // what Run returned, or panicked with

	mu     sync.Mutex   // guards what follows, for moments
	look   func(Moment) // called by the watcher, in the loop; nil for none
	kept   bool         // a step was said to be on disk
	state  session.State
	seen   bool // any step yet, of the program that runs now
	phases []session.Phase
	alive  []time.Duration
	passed int
}

const (
	register = 10_344_076 // of the meter when a world begins, Wh
	grace    = 20 * time.Second
)

// car takes 7.4 kW and is not full for days.
func car() bench.Car { return bench.Car{Power: 7_400, Need: 2_000_000} }

// bubble runs a test in a world with a car plugged in, after change, and with the
// program started.
func bubble(t *testing.T, change func(*world), test func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, began: time.Now(), grace: grace,
			rules: session.Rules{
				Post: "A12", EVSE: 1, Code: "A12", Model: "test meter", MaxPower: 22_000, Grain: 1,
				Price:   payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549},
				Choices: []payment.Amount{20_000, 35_000, 50_000}, Default: 35_000, Limits: session.DefaultLimits(),
			},
		}
		w.rules.Limits.Rest = time.Second // the charges of these tests follow close upon each other
		w.rig = bench.NewRig(bench.Setup{Serial: "22110345", Register: register}, func() time.Duration { return time.Since(w.began) })
		w.plugIn()
		w.till = newTill(w)
		w.log = &logbook{lines: map[string]int{}}
		w.renew()
		if change != nil {
			change(w)
		}
		t.Cleanup(func() { w.free(); w.stop() })
		w.start(session.Kept{})
		test(t, w)
	})
}

func (w *world) plugIn() {
	w.rig.Do(func(b *bench.Bench, now time.Duration) { b.PlugIn(now, car()) })
}

// renew makes new twins of what a program has to itself.
func (w *world) renew() {
	w.disk, w.coil, w.meter, w.plug = &disk{w: w}, &coil{w: w}, &meter{w: w}, &socket{w: w}
	w.state, w.seen = session.State{}, false
}

// start starts the program as main does.
func (w *world) start(kept session.Kept) {
	w.booted = time.Now()
	var ctx context.Context
	ctx, w.end = context.WithCancel(w.t.Context())
	w.evse = New(Parts{
		Rules: &w.rules, State: w.rules.Recover(kept, session.Whole, w.now()),
		Meter: w.meter, Contactor: w.coil, Plug: w.plug, Inputs: w.rig, Payments: w.till, Journal: w.disk, Watchers: []Watcher{w},
		Alive: w.lives, Lives: w.passes, Now: w.now, Every: time.Second, Grace: w.grace, Log: slog.New(w.log),
	})
	w.run(ctx)
}

func (w *world) run(ctx context.Context) {
	ended, v, c := make(chan any, 1), w.evse, w.coil
	w.ended = ended
	go func() {
		var result any
		defer func() {
			if r := recover(); r != nil {
				result = r
			}
			if c.commanded() != hal.Open {
				w.t.Error("the contactor is not ordered open when Run ends")
			}
			ended <- result
		}()
		if err := v.Run(ctx); err != nil {
			result = err
		}
	}()
}

// again runs a new EVSE of nearly the same parts until another context ends.
func (w *world) again(ctx context.Context, change func(*Parts)) {
	w.stop()
	w.renew()
	p := w.evse.parts
	p.Journal, p.Contactor, p.Meter, p.Plug = w.disk, w.coil, w.meter, w.plug
	if change != nil {
		change(&p)
	}
	w.evse = New(p)
	w.run(ctx)
}

// stop ends the program and waits until it has ended.
func (w *world) stop() any {
	w.end()
	var got any
	select {
	case got = <-w.ended:
	case <-time.After(24 * time.Hour):
		w.t.Error("Run does not end")
		w.watch(func(Moment) { panic("no other way to end it") })
		got = <-w.ended
	}
	w.ended <- got
	return got
}

// free lets everything go on that hangs.
func (w *world) free() {
	for _, g := range []*gate{&w.disk.gate, &w.coil.gate, &w.meter.gate, &w.till.gate, &w.log.gate} {
		g.free()
	}
}

// now is the program's clock. It begins at one second: zero means never.
func (w *world) now() hal.Instant {
	mono := time.Since(w.booted) + time.Second
	if w.lag != nil {
		mono = w.lag(mono)
	}
	return hal.Instant{Mono: mono, Wall: hal.Stamp{Unix: time.Now().Unix(), Clock: hal.ClockSynced}}
}

// Saw is the watcher. It holds the laws that nothing is shown that is not on disk,
// and that no step is missing.
func (w *world) Saw(m Moment) {
	shown, _, _ := w.evse.Snapshot()
	if !w.disk.has(&shown.Kept) {
		w.t.Errorf("at %v %v is shown and not on disk", m.Now.Mono, shown.Phase)
	}
	if m.Kept && !w.disk.has(&m.After.Kept) {
		w.t.Errorf("at %v %v is said to be on disk and is not", m.Now.Mono, m.After.Phase)
	}
	w.mu.Lock()
	w.kept = w.kept || m.Kept
	if w.seen && (!m.Before.Kept.Same(&w.state.Kept) || m.Before.Passing != w.state.Passing) {
		w.t.Errorf("at %v a step from %v to %v was not seen", m.Now.Mono, w.state.Phase, m.Before.Phase)
	}
	w.state, w.seen = m.After, true
	if n := len(w.phases); n == 0 || w.phases[n-1] != m.After.Phase {
		w.phases = append(w.phases, m.After.Phase)
	}
	look := w.look
	w.mu.Unlock()
	if look != nil {
		look(m)
	}
}

// watch has f called at every step from now on.
func (w *world) watch(f func(Moment)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look = f
}

func (w *world) lives() {
	at := w.now().Mono
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alive = append(w.alive, at)
}

func (w *world) passes() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passed++
}

// rounds is how often Lives was called so far.
func (w *world) rounds() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.passed
}

// pings is how often Alive was called from the instant at on.
func (w *world) pings(at time.Duration) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.alive) - len(before(w.alive, at))
}

func before(instants []time.Duration, at time.Duration) []time.Duration {
	i, _ := slices.BinarySearch(instants, at)
	return instants[:i]
}

// newest is the state of the loop after its last step.
func (w *world) newest() session.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// sleep lets virtual time pass.
func (w *world) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// until waits for something to be so.
func (w *world) until(what string, within time.Duration, so func(*session.State) bool) session.State {
	w.t.Helper()
	const step = 10 * time.Millisecond
	for range within/step + 1 {
		synctest.Wait()
		if s := w.newest(); so(&s) {
			return s
		}
		time.Sleep(step)
	}
	s := w.newest()
	w.t.Fatalf("not %s after %v, but %v with faults %q and %d debts", what, within, s.Phase, s.Faults(), len(s.Debts))
	return s
}

func in(p session.Phase) func(*session.State) bool {
	return func(s *session.State) bool { return s.Phase == p }
}

// settled says of a state that everything is over and paid.
func settled(s *session.State) bool {
	return s.Phase == session.Idle && len(s.Debts) == 0 && len(s.Done) > 0
}

// ready waits until the EVSE would serve a driver.
func (w *world) ready() {
	w.t.Helper()
	w.until("ready", time.Minute, func(s *session.State) bool {
		return w.rules.Accepts(s, w.now(), w.wish("ready")) == nil
	})
}

// wish is a driver who has seen the present price.
func (w *world) wish(driver string) session.Requested {
	return session.Requested(display.Request{
		Reserve: 20_000, Seen: w.rules.Price, Holder: holder(driver), Return: "https://example.no/s",
	})
}

func holder(driver string) payment.Holder {
	var h payment.Holder
	copy(h[:], driver)
	return h
}

// request asks for a charge as a phone does, with patience for d.
func (w *world) request(driver string, d time.Duration) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	return w.evse.Request(ctx, w.wish(driver))
}

// tell posts an event and waits until the loop has done what it can.
func (w *world) tell(e session.Event) {
	w.t.Helper()
	if err := w.evse.Tell(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

func (w *world) driverStops() {
	w.t.Helper()
	w.tell(session.Stopped{Why: display.ByDriver, Holder: holder("kari")})
}

// approving brings the world to where kari has to approve, waiting to where no car
// has come yet, charging to where energy flows.
func (w *world) approving() {
	w.t.Helper()
	w.ready()
	if err := w.request("kari", time.Minute); err != nil {
		w.t.Fatal(err)
	}
	w.until("made", time.Minute, func(*session.State) bool { return w.till.found(w.ref(1)).State == payment.Created })
}

func (w *world) waiting() {
	w.t.Helper()
	w.rig.Do(func(b *bench.Bench, now time.Duration) { b.Unplug(now) })
	w.approving()
	w.till.approve(w.ref(1))
	w.until("waiting", 10*time.Second, in(session.Waiting))
}

func (w *world) charging() {
	w.t.Helper()
	w.approving()
	w.till.approve(w.ref(1))
	w.until("charging", 10*time.Second, in(session.Charging))
	w.until("under power", 10*time.Second, func(*session.State) bool { return w.truth().Power == 7_400 })
	synctest.Wait()
}

func (w *world) ref(n uint64) payment.Ref { return w.rules.Ref(n) }

// truth is what really is at the contactor and behind it.
func (w *world) truth() (x bench.Truth) {
	w.rig.Do(func(b *bench.Bench, now time.Duration) { x = b.Truth(now) })
	return x
}

// paid checks that charge n was billed for exactly what its car got, that so much
// was taken and that nothing is held any more.
func (w *world) paid(n uint64, got hal.Energy) {
	w.t.Helper()
	f := w.till.found(w.ref(n))
	due := w.rules.Price.Cost(payment.Use{Energy: got}, f.Amount).Total
	if f.Taken != due || f.Left() != 0 {
		w.t.Errorf("charge %d: %v taken and %v still held; %v cost %v", n, f.Taken, f.Left(), got, due)
	}
	s := w.newest()
	i := slices.IndexFunc(s.Done, func(d session.Debt) bool { return d.Number == n })
	if i < 0 {
		w.t.Errorf("charge %d is not among the settled ones", n)
		return
	}
	if d := s.Done[i]; d.End-d.Start != got || d.Captured != due || d.Released != f.Amount-due || d.Trouble != payment.NoReason {
		w.t.Errorf("charge %d: %v used, captured %v, released %v, trouble %q; want %v, %v, %v and none",
			n, d.End-d.Start, d.Captured, d.Released, d.Trouble, got, due, f.Amount-due)
	}
}
