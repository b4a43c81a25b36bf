package main

import (
	"encoding/json"
	"fmt"

	"stolpe/agent/ledger"
	"stolpe/agent/telemetry"
	"stolpe/hal"
)

// outbox gives what stands in the ledger in the words of telemetry.
type outbox struct{ *ledger.Outbox }

// Next gives the oldest events that have not been sent.
func (o outbox) Next(most int) ([]telemetry.Event, error) {
	sendings, err := o.Outbox.Next(most)
	if err != nil {
		return nil, err
	}
	events := make([]telemetry.Event, len(sendings))
	for i, s := range sendings {
		if events[i], err = eventFrom(s); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// eventFrom is a line of the ledger as an event.
func eventFrom(s ledger.Sending) (telemetry.Event, error) {
	e := s.Entry
	data, err := json.Marshal(e.Data())
	if err != nil {
		return telemetry.Event{}, fmt.Errorf("event %d: %w", e.Seq, err)
	}
	return telemetry.Event{
		Head: telemetry.Head{V: telemetry.Version, At: hal.Stamp{Unix: e.At}.Time(), Clock: e.Clock},
		ID:   s.ID, Seq: e.Seq, Type: string(e.Kind), EVSE: e.EVSE, Ref: string(e.Ref), Data: data,
	}, nil
}
