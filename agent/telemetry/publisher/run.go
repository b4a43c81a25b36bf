package publisher

import (
	"context"
	"encoding/json"
	"time"

	"stolpe/agent/telemetry"
)

// Chosen by us.
const (
	lookEvery  = time.Second      // as often as a page is drawn; changes within are told as one
	passWithin = 30 * time.Second // for all that one look has to tell
	byeWithin  = 5 * time.Second  // for what is left at the end: whoever stops a post waits for it
)

// discoveryLeaf keeps in told what is not told under a leaf.
const discoveryLeaf telemetry.Leaf = "\x00discovery"

// Run tells until ctx ends, and then what is left. It does not say that the post is
// gone: whoever has the connection does.
func (p *Publisher) Run(ctx context.Context) {
	mailed := make(chan struct{})
	go func() {
		defer close(mailed)
		p.mail(ctx)
	}()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		p.pass(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	p.pass(ctx)
	select {
	case <-mailed:
	case <-time.After(2 * byeWithin): // a card that does not answer must not keep the post from ending
		p.Log.Error("the ledger does not answer; what has been sent is not written down")
	}
}

// lastly gives the time for what is to be said in a pass: if ctx has ended, for the
// last words.
func lastly(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil {
		return context.WithTimeout(context.WithoutCancel(ctx), byeWithin)
	}
	return context.WithTimeout(ctx, passWithin)
}

// pass looks at everything, and tells what is to be told. The first thing that cannot
// be told ends it.
func (p *Publisher) pass(ctx context.Context) {
	for _, s := range p.sights {
		s.look()
	}
	if !p.Connected() {
		return
	}
	if newest := p.connection.Load(); newest != p.seen {
		p.seen = newest
		clear(p.told)
	}
	ctx, done := lastly(ctx)
	defer done()
	if err := p.tell(ctx); err != nil {
		p.Log.Debug("telemetry waits", "err", err) // the connection says why it broke
	}
}

// tell tells who the post is and how it stands, and what is less urgent.
func (p *Publisher) tell(ctx context.Context) error {
	if err := p.present(ctx); err != nil {
		return err
	}
	if err := p.rest(ctx); err != nil {
		return err
	}
	p.presented.Store(p.seen)
	return nil
}

// present tells who the post is and how it stands.
func (p *Publisher) present(ctx context.Context) error {
	now := p.Now()
	if err := p.news(ctx, telemetry.InfoLeaf, nil, 0, func() any {
		i := p.Info
		i.Head = telemetry.HeadAt(now.Wall)
		return i
	}); err != nil {
		return err
	}
	for _, s := range p.sights {
		if err := p.news(ctx, telemetry.StateLeaf.Of(s.number()), s.stateKey(), p.pace.State, func() any { return s.state(p.newest()) }); err != nil {
			return err
		}
		if err := p.news(ctx, telemetry.PriceLeaf.Of(s.number()), s.evse.Rules().Price, 0, func() any { return s.price() }); err != nil {
			return err
		}
	}
	return nil
}

// rest tells what is less urgent.
func (p *Publisher) rest(ctx context.Context) error {
	if err := p.sweep(ctx); err != nil {
		return err
	}
	for _, s := range p.sights {
		every, idle := p.pace.Charging, p.pace.Idle
		if p.pace.Charging == 0 {
			break
		}
		if !s.charging() {
			every = 0
		} else {
			idle = p.pace.Charging
		}
		if err := p.news(ctx, telemetry.SessionLeaf.Of(s.number()), s.sessionKey(), every, func() any { return s.session() }); err != nil {
			return err
		}
		if err := p.news(ctx, telemetry.MeterLeaf.Of(s.number()), s.meterKey(), idle, func() any { return s.meter() }); err != nil {
			return err
		}
	}
	if err := p.news(ctx, telemetry.HealthLeaf, p.concern(), p.pace.Health, func() any { return p.health() }); err != nil {
		return err
	}
	return p.discover(ctx)
}

// news tells a payload, if nothing with its key was told on this connection, or that
// so long ago (0 for never again).
func (p *Publisher) news(ctx context.Context, leaf telemetry.Leaf, key any, every time.Duration, payload func() any) error {
	now := p.Now().Mono
	if was, told := p.told[leaf]; told && was.key == key && (every == 0 || now-was.at < every) {
		return nil
	}
	text, err := json.Marshal(payload())
	if err != nil {
		p.Log.Error("telemetry cannot be written", "leaf", string(leaf), "err", err)
		return nil // the others can
	}
	if err := p.Publish(ctx, leaf, text); err != nil {
		return err
	}
	p.told[leaf] = telling{key, now}
	return nil
}

// sweep takes from the broker what an earlier run has told and this profile does not:
// it would stand there for the present.
func (p *Publisher) sweep(ctx context.Context) error {
	if p.swept || p.pace.Charging > 0 {
		return nil
	}
	for _, s := range p.sights {
		for _, leaf := range []telemetry.Leaf{telemetry.SessionLeaf, telemetry.MeterLeaf} {
			if err := p.Publish(ctx, leaf.Of(s.number()), nil); err != nil {
				return err
			}
		}
	}
	p.swept = true
	return nil
}

func (p *Publisher) discover(ctx context.Context) error {
	if p.Discovery == nil {
		return nil
	}
	again := p.seek.Swap(false)
	if _, told := p.told[discoveryLeaf]; told && !again {
		return nil
	}
	if err := p.Discovery(ctx); err != nil {
		delete(p.told, discoveryLeaf)
		return err
	}
	p.told[discoveryLeaf] = telling{}
	return nil
}

func (p *Publisher) newest() uint64 {
	if p.Newest == nil {
		return 0
	}
	return p.Newest()
}

// concern is what is told of health at once when it changes, and not with the next,
// which may be an hour away.
type concern struct {
	ledger string // what is wrong with it
	stuck  bool   // events wait
}

func (p *Publisher) concern() concern {
	c := concern{stuck: p.waiting.Load() > 0}
	if p.Ill != nil {
		c.ledger = p.Ill()
	}
	return c
}

// health adds what is known here.
func (p *Publisher) health() telemetry.Health {
	now := p.Now()
	h := p.Health()
	h.Head = telemetry.HeadAt(now.Wall)
	events, oldest := p.Waiting()
	if h.Outbox.Events = events; events > 0 && oldest > 0 {
		h.Outbox.Oldest = max(0, now.Wall.Unix-oldest)
	}
	return h
}
