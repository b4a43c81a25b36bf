package publisher

import (
	"context"
	"encoding/json"
	"time"
)

// Chosen by us.
const (
	// batch is how many events are sent between two looks: at most 20 in a second, as a
	// look may come a little early. A fleet that comes back must not bury its readers.
	batch     = 18
	early     = lookEvery / 10
	saveEvery = time.Minute // to spare the card; what is sent twice has one id
)

// send sends the oldest events. How things stand goes before each of them.
func (p *Publisher) send(ctx context.Context) error {
	if p.Outbox == nil || time.Now().Before(p.next) {
		return nil
	}
	events, err := p.Outbox.Next(batch)
	p.trouble("events cannot be read from the ledger; they are sent when they can", err)
	if err != nil || len(events) == 0 {
		return nil
	}
	p.next = time.Now().Add(lookEvery - early)
	for i := range events {
		text, err := json.Marshal(&events[i])
		if err != nil {
			p.Log.Error("an event cannot be written", "seq", events[i].Seq, "err", err)
		} else if err := p.Publish(ctx, events[i].Leaf(), text); err != nil {
			return err
		}
		p.Outbox.Done(events[i].Seq)
		p.dirty = true
		for _, s := range p.sights {
			s.look()
		}
		if err := p.present(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rewind does what Rewind has asked for. It comes between batches: what is sent when it
// is asked for counts as sent before.
func (p *Publisher) rewind() {
	if from := p.back.Swap(0); from > 0 && p.Outbox != nil {
		p.Outbox.Rewind(from)
		p.dirty = true
	}
}

// save writes down what has been sent, not too often.
func (p *Publisher) save(now bool) {
	if p.Outbox == nil || !p.dirty || !now && time.Since(p.saved) < saveEvery {
		return
	}
	p.saved = time.Now()
	err := p.Outbox.Save()
	p.trouble("what has been sent cannot be written down; some of it will be sent again after a restart", err)
	p.dirty = err != nil
}

// trouble logs what is new of it.
func (p *Publisher) trouble(what string, err error) {
	if err != nil && !p.ill {
		p.Log.Warn(what, "err", err)
	}
	p.ill = err != nil
}
