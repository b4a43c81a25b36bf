package publisher

import (
	"context"
	"encoding/json"
	"time"

	"stolpe/hal"
)

// Chosen by us.
const (
	batch     = 20          // events in a second: a fleet that comes back must not bury its readers
	saveEvery = time.Minute // to spare the card; what is sent twice has one id
)

// mail sends events until ctx ends, and then those that are left.
func (p *Publisher) mail(ctx context.Context) {
	if p.Outbox == nil {
		return
	}
	for ctx.Err() == nil {
		begin := time.Now()
		p.send(ctx)
		p.save(false)
		select {
		case <-time.After(lookEvery - time.Since(begin)):
		case <-ctx.Done():
		}
	}
	p.send(ctx)
	p.save(true)
}

// send sends the oldest events. How things stand goes before them on each connection.
func (p *Publisher) send(ctx context.Context) {
	defer p.count()
	if !p.Connected() || p.presented.Load() != p.connection.Load() {
		return
	}
	events, err := p.Outbox.Next(batch)
	p.trouble("events cannot be read from the ledger; they are sent when they can", err)
	if err != nil {
		return
	}
	ctx, done := lastly(ctx)
	defer done()
	for i := range events {
		text, err := json.Marshal(&events[i])
		if err != nil {
			p.Log.Error("an event cannot be written", "seq", events[i].Seq, "err", err)
		} else if err := p.Publish(ctx, events[i].Leaf(), text); err != nil {
			return // the connection says why it broke
		}
		p.Outbox.Done(events[i].Seq)
	}
}

// count notes how many events wait, for those who must not wait for the ledger.
func (p *Publisher) count() {
	events, oldest := p.Outbox.Waiting()
	if oldest.Clock == hal.ClockUnknown {
		oldest.Unix = 0
	}
	p.oldest.Store(oldest.Unix)
	p.waiting.Store(int64(events))
}

// save writes down what has been sent, not too often.
func (p *Publisher) save(now bool) {
	if !now && time.Since(p.saved) < saveEvery {
		return
	}
	p.saved = time.Now()
	err := p.Outbox.Save()
	p.trouble("what has been sent cannot be written down; some of it will be sent again after a restart", err)
}

// trouble logs what is new of it.
func (p *Publisher) trouble(what string, err error) {
	if err != nil && !p.ill[what] {
		p.Log.Warn(what, "err", err)
	}
	p.ill[what] = err != nil
}
