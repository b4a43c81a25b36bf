package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
)

// Chosen by us.
const (
	meterLease = 30 * time.Second // for one readout through a slow gateway, and a wait for the bus
	// readPatience is for one readout if nobody says how long it may take, and
	// mostPatience the longest that may be said: the loop needs the bus, too, and takes a
	// meter for silent after a minute.
	readPatience, mostPatience = 10 * time.Second, 20 * time.Second
)

// readMeter reads everything that a meter has to say, on the bus that the post holds. A
// charge goes on meanwhile: the loop waits for the bus for a moment.
func (l *local) readMeter(ctx context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		EVSE   int   `json:"evse"`      // may be left out if there is one
		Raw    bool  `json:"raw"`       // with what is said on the bus
		Within int64 `json:"within_ms"` // ms; 0 for ten seconds
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	within := cmp.Or(time.Duration(args.Within)*time.Millisecond, readPatience)
	if within < 0 || within > mostPatience {
		return nil, control.Refuse(control.Invalid, "within_ms is %d: want 1 to %d", args.Within, mostPatience.Milliseconds())
	}
	v, err := l.one(args.EVSE)
	if err != nil {
		return nil, err
	}
	id := v.Rules().EVSE
	meter := l.parts.meter[id]
	if meter == nil {
		return nil, control.Refuse(control.NotFound, "EVSE %d has no meter on a bus", id)
	}
	i := slices.IndexFunc(l.cfg.EVSEs, func(e config.EVSE) bool { return e.ID == id })
	m, err := l.parts.mapOf(l.cfg, i)
	if err != nil {
		return nil, err
	}
	e := l.cfg.EVSEs[i].Meter
	a := asked{model: m.ID, url: cmp.Or(e.URL, "the simulated meter"), unit: cmp.Or(e.Unit, 1), serial: e.Serial, raw: args.Raw, timeout: within}
	s := source{key: confirmedKey(i), name: nameOf(m), model: m.ID, url: a.url, unit: a.unit, step: meter.Resolution()}
	return s.object(a.once(ctx, meter, l.w.mono)), nil
}
