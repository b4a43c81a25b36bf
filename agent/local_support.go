package main

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"stolpe/agent/control"
	"stolpe/agent/support"
)

// supportArgs are what is wanted in a support bundle.
type supportArgs struct {
	Since time.Time `json:"since"`
	Plain bool      `json:"plain,omitempty"` // with references, numbers and names
}

// supportRoutes are for whoever sends for help.
func (l *local) supportRoutes() []control.Route {
	return []control.Route{{Name: "support", Least: control.Technician, Follow: l.tellSupport}}
}

// tellSupport tells what a support bundle is made of. What names drivers and payments is
// for an admin.
func (l *local) tellSupport(_ context.Context, c control.Caller, args json.RawMessage, send func(any) error) error {
	var a supportArgs
	if err := control.Read(args, &a); err != nil {
		return err
	}
	if a.Plain && c.Role < control.Admin {
		return control.Refuse(control.NotPermitted, "what is not redacted is for an admin: leave out --no-redact, or run it as root")
	}
	key := veilKey(l.cfg.StateDir, true)
	units := slices.Clone(l.units)
	if units == nil {
		units = []unit{}
	}
	q := inquiry{
		file: l.file, cfg: l.cfg, running: l.cfg.Sum, units: units, since: a.Since, now: l.now(),
		veil: support.NewVeil(key, secretsOf(l.cfg), a.Plain), displays: displayFacts(l.cfg, l.parts.displayHealth()),
	}
	if l.w.book != nil {
		q.ill, q.read = l.w.book.Health(), newest(l.w.book)
	}
	q.veil.Know(people(*l.runs.Load())...)
	if err := send(supportMessage{Key: key, Post: l.cfg.Post.ID, People: people(*l.runs.Load())}); err != nil {
		return err
	}
	return q.gather(func(m supportMessage) error { return send(m) })
}
