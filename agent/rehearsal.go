package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/journal"
	"stolpe/agent/journal/card"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/hal/sim"
	"stolpe/payment"
	till "stolpe/payment/sim"
)

// rehearsal is a post that a scene is played with: the real loop, the real client of the
// payment service and a real wire to the meter, in a time of its own. What is simulated is
// what stands around them. Unlike the demo's it can lose its power, and its network.
type rehearsal struct {
	stage
	cfg  config.Config
	log  *slog.Logger
	card *card.Card
	rig  *sim.Rig
	tell func(at time.Duration, what, text string)

	asks    evse.Payments
	away    atomic.Bool  // the payment service cannot be reached
	dark    atomic.Bool  // there is no power: nothing is written and nobody is asked
	mute    atomic.Bool  // the meter does not answer
	running func() error // ends the loop and the clock; nil while there is no power
	last    shownState   // what was told last
}

// shownState is what of an EVSE is told when it changes.
type shownState struct {
	phase  session.Phase
	faults session.Faults
	closed hal.Position
	debts  int    // how many
	done   uint64 // number of the newest settled charge
}

// rehearse makes a post, and gives it power.
func rehearse(ctx context.Context, speed int, log *slog.Logger, tell func(at time.Duration, what, text string)) (*rehearsal, error) {
	cfg, err := config.Parse("simulation", strings.NewReader(demoConfig), config.System)
	if err != nil {
		return nil, err
	}
	r := &rehearsal{stage: stage{demoOptions: demoOptions{speed: speed}, beats: make(pulse, 1)}, cfg: cfg, log: log, tell: tell}
	r.clock.Step(time.Second)
	if r.till, err = serveTill(ctx, till.Options{Now: r.clock.Now}); err != nil {
		return nil, err
	}
	if r.asks, err = r.stage.payments(cfg); err != nil {
		return nil, err
	}
	r.card = card.New(slotsInMemory * journal.SlotSize)
	a, b := r.card.Files()
	if err := journal.InstallFiles(a, b, slotsInMemory, r.owner()); err != nil {
		return nil, err
	}
	bench, err := newBench(r.clock.Now, demoCar, "")
	if err != nil {
		return nil, err
	}
	r.rig = bench.rig
	return r, r.powerOn(ctx)
}

func (r *rehearsal) owner() string { return fmt.Sprintf("%s/%d", r.cfg.Post.ID, r.cfg.EVSEs[0].ID) }

// Ask asks the payment service, if there is a way to it.
func (r *rehearsal) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	if r.away.Load() || r.dark.Load() {
		return payment.Answer{}, errors.New("simulated: no way to the payment service")
	}
	a, err := r.asks.Ask(ctx, o)
	if r.dark.Load() { // it was cut while it waited
		return payment.Answer{}, errors.New("simulated: no power")
	}
	return a, err
}

// cuttable is a journal that a power cut ends.
type cuttable struct {
	evse.Journal
	dark *atomic.Bool
}

// Save makes a state durable, unless there is no power any more.
func (c cuttable) Save(k session.Kept) error {
	if c.dark.Load() {
		return errors.New("simulated: no power")
	}
	return c.Journal.Save(k)
}

// mutable is a meter that does not answer at times, and does not take the time for it that
// a real wire does: that would be hours of the post's time.
type mutable struct {
	evse.Meter
	mute *atomic.Bool
}

// Read reads the meter.
func (m mutable) Read(ctx context.Context) (hal.Reading, error) {
	if m.mute.Load() {
		return hal.Reading{}, errors.New("simulated: the meter does not answer")
	}
	return m.Meter.Read(ctx)
}

// powerOn starts the program with what is on the card.
func (r *rehearsal) powerOn(ctx context.Context) (err error) {
	r.dark.Store(false)
	w := r.world(r.log, nil)
	w.grace, w.watch = 0, []evse.Watcher{r, r.beats}
	w.around = func(m evse.Meter) evse.Meter { return mutable{taking{m, &r.stage}, &r.mute} }
	w.store = func(_ config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
		a, b := r.card.Files()
		j, found, err := journal.OpenFiles(a, b, owner)
		if err != nil {
			return nil, kept{}, nil, err
		}
		return cuttable{writing{&store{journal: j}, &r.stage}, &r.dark}, read(found), j.Close, nil
	}
	w.bench = func(config.EVSE) (*bench, error) { return &bench{rig: r.rig}, nil }
	if r.parts, err = open(r.cfg, w, r); err != nil {
		return err
	}
	r.last = shownState{}
	jobs, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended, passed := make(chan error, 1), make(chan struct{})
	go func() { ended <- r.evse().Run(jobs) }()
	go func() { defer close(passed); r.passTime(jobs) }()
	r.running = func() error {
		stop()
		<-passed
		return errors.Join(<-ended, r.parts.Close())
	}
	return nil
}

// powerOff cuts the power: nothing is written or asked any more, and the coil lets go.
func (r *rehearsal) powerOff() error {
	if r.running == nil {
		return nil
	}
	r.dark.Store(true)
	err := r.running()
	r.running = nil
	r.card.Cut(func(card.Op) card.Fate { return card.Fate{} }) // what was not flushed is lost
	return errors.Join(err, r.rig.Set(hal.Open))
}

// Close ends it all.
func (r *rehearsal) Close() error { return errors.Join(r.powerOff(), r.till.Close()) }

func (r *rehearsal) evse() *evse.EVSE { return r.parts.units[r.cfg.EVSEs[0].Code] }

// state is how the EVSE stands.
func (r *rehearsal) state() session.State {
	s, _, _ := r.evse().Snapshot()
	return s
}

// Saw tells of what has changed. A program without power does nothing that could be told.
func (r *rehearsal) Saw(m evse.Moment) {
	if r.dark.Load() {
		return
	}
	s := &m.After
	is := shownState{phase: s.Phase, faults: s.Faults(), closed: r.evse().Rules().Want(s, m.Now).Contactor, debts: len(s.Debts)}
	if n := len(s.Done); n > 0 {
		is.done = s.Done[n-1].Number
	}
	was := r.last
	r.last = is
	say := func(what, format string, a ...any) { r.tell(m.Now.Mono, what, fmt.Sprintf(format, a...)) }
	if is.faults != was.faults {
		if come := is.faults &^ was.faults; come != 0 {
			say("fault", "%s %s", come.Code(), come)
		} else if is.faults == 0 {
			say("fault", "none any more")
		}
	}
	if is.phase != was.phase {
		say("phase", "%v", is.phase)
	}
	if is.closed != was.closed {
		say("contactor", "%v", is.closed)
	}
	if is.debts > was.debts {
		d := &s.Debts[is.debts-1]
		say("bill", "%v for %v (%v); %v was reserved", d.Bill().Total, max(0, d.End-d.Start), d.Why, d.Limit)
	}
	if is.done != was.done {
		d := &s.Done[len(s.Done)-1]
		say("settled", "%v taken, %v released", d.Captured, d.Released)
	}
}

// errWaited says that something did not come about.
var errWaited = errors.New("it did not come about")

// until waits, in the post's time, until something is true.
func (r *rehearsal) until(ctx context.Context, what string, within time.Duration, true func(*session.State) bool) error {
	end := r.clock.Now() + within
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if s := r.state(); true(&s) {
			return nil
		}
		if r.clock.Now() > end {
			return fmt.Errorf("waited %v until %s: %w", within, what, errWaited)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// holder is whose charge it is. One driver comes.
func (r *rehearsal) holder() payment.Holder { return payment.Holder{1} }

// request has a driver ask for a charge of 350 kr.
func (r *rehearsal) request(ctx context.Context) error {
	rules := r.evse().Rules()
	q := session.Requested(display.Request{Reserve: rules.Default, Seen: rules.Price, Holder: r.holder(), Return: r.till.url + "/back"})
	r.tell(r.clock.Now(), "driver", "asks for a charge and is to reserve "+rules.Default.String())
	return r.evse().Request(ctx, q)
}

// stop has the driver stop.
func (r *rehearsal) stop(ctx context.Context) error {
	r.tell(r.clock.Now(), "driver", "stops")
	return r.evse().Tell(ctx, session.Stopped{Why: display.ByDriver, Holder: r.holder()})
}

// payer does something in the app with the newest payment.
func (r *rehearsal) payer(what string, do func(*till.Book, time.Duration, payment.Ref) bool) error {
	err := errors.New("there is no payment in the app")
	r.till.Do(func(now time.Duration, b *till.Book) {
		var ref payment.Ref
		for p := range b.Payments(now) {
			ref = p.Ref
		}
		if ref != "" && do(b, now, ref) {
			err = nil
		}
	})
	if err == nil {
		r.tell(r.clock.Now(), "payer", what)
	}
	return err
}

func (r *rehearsal) fault(what string, f sim.Faults) {
	r.rig.Do(func(b *sim.Bench, now time.Duration) { b.Fault(now, f) })
	r.tell(r.clock.Now(), "world", what)
}

func (r *rehearsal) meter(there bool) {
	r.mute.Store(!there)
	r.tell(r.clock.Now(), "world", map[bool]string{true: "the meter is plugged in again", false: "the meter is unplugged"}[there])
}

func (r *rehearsal) network(there bool) {
	r.away.Store(!there)
	r.tell(r.clock.Now(), "world", map[bool]string{true: "the network is back", false: "the network is gone"}[there])
}
