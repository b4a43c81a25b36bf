package evse

import (
	"context"
	"sync"
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// Chosen by us. The client has shorter limits of its own; these only make sure
// that every asking ends.
const (
	askWithin  = 30 * time.Second
	readWithin = 10 * time.Second
	// lookEvery is how often the sense line is looked at while contacts move: often
	// enough to see a contactor that opens more slowly from month to month.
	lookEvery = 10 * time.Millisecond
)

// startWorkers starts what waits for the world in the loop's place. They end with
// ctx; the function it returns waits for that.
func (l *loop) startWorkers(ctx context.Context) (wait func()) {
	l.results = make(chan fact, maxFacts)
	l.saves, l.verdicts = make(chan session.Kept, 1), make(chan verdict, 1)
	l.sense, l.meter = make(chan struct{}, 1), make(chan struct{}, 1)
	l.moving = make(chan hal.Position, 1)
	var group sync.WaitGroup
	l.asks = asks{ctx: ctx, loop: l, group: &group}
	group.Go(func() { l.saveWhenTold(ctx) })
	group.Go(func() { l.senseWhenTold(ctx) })
	group.Go(func() { l.readWhenTold(ctx) })
	if l.parts.Inputs != nil {
		group.Go(func() { l.parts.Inputs.Watch(ctx, l.guard.see) })
	}
	return group.Wait
}

// poke tells a worker that its time has come. One that is still busy is not told
// twice.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// post gives an event to the loop, unless it has ended.
func (l *loop) post(ctx context.Context, e session.Event) {
	select {
	case l.results <- fact{event: e}:
	case <-ctx.Done():
	}
}

func (l *loop) saveWhenTold(ctx context.Context) {
	for {
		select {
		case kept := <-l.saves:
			v := verdict{kept: kept, err: l.parts.Journal.Save(kept)}
			select {
			case l.verdicts <- v:
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (l *loop) senseWhenTold(ctx context.Context) {
	sensed, plugged := news{log: l, what: "sense line"}, news{log: l, what: "plug input"}
	for {
		select {
		case <-l.sense:
		case to := <-l.moving:
			l.senseUntil(ctx, to)
			continue
		case <-ctx.Done():
			return
		}
		at := l.parts.Now().Mono
		position, err := l.parts.Contactor.Sense()
		if sensed.ok(err) {
			l.post(ctx, session.Sensed{Position: position, At: at})
		}
		if l.parts.Plug == nil {
			continue
		}
		plug, err := l.parts.Plug.Plugged()
		if plugged.ok(err) {
			l.post(ctx, session.Plugged{Plug: plug})
		} else {
			l.post(ctx, session.Plugged{}) // unknown
		}
	}
}

// senseUntil looks often until the contactor is where it was ordered, and tells the
// loop of that at once. Everything else is told at the next pass.
func (l *loop) senseUntil(ctx context.Context, to hal.Position) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for range session.MoveWithin / lookEvery {
		at := l.parts.Now().Mono
		position, err := l.parts.Contactor.Sense()
		if err == nil && position == to {
			l.post(ctx, session.Sensed{Position: position, At: at})
			return
		}
		select {
		case <-tick.C:
		case to = <-l.moving:
		case <-ctx.Done():
			return
		}
	}
}

func (l *loop) readWhenTold(ctx context.Context) {
	read := news{log: l, what: "meter"}
	for {
		select {
		case <-l.meter:
		case <-ctx.Done():
			return
		}
		within, cancel := context.WithTimeout(ctx, readWithin)
		v, err := l.parts.Meter.Read(within)
		cancel()
		if ctx.Err() == nil && read.ok(err) {
			l.post(ctx, session.Metered{Reading: v})
		}
	}
}

// news logs a failure once, and once that it is over.
type news struct {
	log    *loop
	what   string
	failed int // in a row
}

func (n *news) ok(err error) bool {
	switch {
	case err != nil:
		if n.failed == 0 {
			n.log.parts.Log.Warn(n.what+" does not answer", "err", err)
		}
		n.failed++
	case n.failed > 0:
		n.log.parts.Log.Info(n.what+" answers again", "failures", n.failed)
		n.failed = 0
	}
	return err == nil
}

// asks carries orders to the payment service, each in a goroutine of its own.
// There are never more than session allows: one a debt and one a charge.
type asks struct {
	ctx   context.Context
	loop  *loop
	group *sync.WaitGroup
}

func (a asks) start(o payment.Order) {
	a.group.Go(func() {
		ctx, cancel := context.WithTimeout(a.ctx, askWithin)
		defer cancel()
		answer, err := a.loop.parts.Payments.Ask(ctx, o)
		if err != nil && a.ctx.Err() == nil { // what the end of the program cuts short is no news
			a.loop.parts.Log.Warn("asked in vain", "ref", o.Ref, "verb", o.Verb, "answer", answer.Status, "err", err)
		}
		a.loop.post(a.ctx, session.Answered{Order: o, Answer: answer})
	})
}
