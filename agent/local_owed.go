package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/agent/session"
)

// noteLeft tells the log of charges of EVSEs that the configuration does not have. A reload
// refuses to leave them behind, but a file can be changed while the program does not run.
func noteLeft(cfg config.Config, log *slog.Logger) {
	var ours []int
	for _, e := range cfg.EVSEs {
		ours = append(ours, e.ID)
	}
	left, _ := owedOnDisk(cfg.StateDir, ours...) // what cannot be read is told where it is needed
	for _, o := range left.Owed {
		log.Error("a charge is not settled, and nobody settles it, as the configuration does not have its EVSE", "ref", o.Ref, "evse", o.EVSE, "then", "put the EVSE back until it is settled")
	}
}

// owedNow is what is not settled, by a daemon that knows it.
func (l *local) owedNow(_ context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	if err := control.Read(text, &struct{}{}); err != nil {
		return nil, err
	}
	a := balance{From: "daemon", Owed: []unsettled{}, Unknown: []string{}}
	var ours []int
	for _, v := range l.units {
		ours = append(ours, v.Rules().EVSE)
		s, _, _ := v.Snapshot() // both from one: what ends in between must not fall through
		a.Owed = append(a.Owed, unsettledBy(v.Rules(), &s)...)
		// Every start looks through the payment service for what nobody knows of. That is in
		// doubt only where the journal is.
		if f := s.Faults(); f&session.Seeking != 0 && f&(session.Rotten|session.DiskFailed) != 0 {
			a.Unknown = append(a.Unknown, fmt.Sprintf("EVSE %d has lost something of its journal, and is reading its payments back from the payment service", v.Rules().EVSE))
		}
	}
	// Of an EVSE that the configuration has no more, only its journal knows.
	others, err := owedOnDisk(l.cfg.StateDir, ours...)
	if err != nil {
		a.Unknown = append(a.Unknown, err.Error())
	}
	a.Owed, a.Unknown = append(a.Owed, others.Owed...), append(a.Unknown, others.Unknown...)
	return balanced(a), nil
}
