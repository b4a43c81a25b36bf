package main

import (
	"context"
	"encoding/json"
	"fmt"

	"stolpe/agent/control"
	"stolpe/agent/session"
)

// owedNow is what is not settled, by a daemon that knows it.
func (l *local) owedNow(_ context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	if err := control.Read(text, &struct{}{}); err != nil {
		return nil, err
	}
	a := balance{From: "daemon", Owed: []unsettled{}, Unknown: []string{}}
	for _, v := range l.units {
		s, _, _ := v.Snapshot() // both from one: what ends in between must not fall through
		a.Owed = append(a.Owed, unsettledBy(v.Rules(), &s)...)
		// Every start looks through the payment service for what nobody knows of. That is in
		// doubt only where the journal is.
		if f := s.Faults(); f&session.Seeking != 0 && f&(session.Rotten|session.DiskFailed) != 0 {
			a.Unknown = append(a.Unknown, fmt.Sprintf("EVSE %d has lost something of its journal, and is reading its payments back from the payment service", v.Rules().EVSE))
		}
	}
	return balanced(a), nil
}
