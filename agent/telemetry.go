package main

import (
	"cmp"
	"crypto/rand"
	"runtime"
	"slices"

	"stolpe/agent/config"
	"stolpe/agent/telemetry"
	"stolpe/agent/telemetry/publisher"
)

// tellFleet has the post's fleet told how it is doing, if it has a broker, and keeps
// the connection for whoever uses it.
func (p *parts) tellFleet(cfg config.Config, w world, b *uplink) {
	if b == nil {
		return
	}
	t := p.openTelemetry(cfg, w, b)
	b.add(use{ready: t.Anew, run: t.Run})
	p.jobs = append(p.jobs, b.run)
}

// openTelemetry makes what tells the fleet.
func (p *parts) openTelemetry(cfg config.Config, w world, b *uplink) *publisher.Publisher {
	o := publisher.Options{
		Profile: cfg.Telemetry.Profile, Info: p.birth(cfg), Health: p.healthOf(cfg, w),
		Publish: b.publish, Connected: b.connected, Now: w.now, Log: w.log,
	}
	if w.book != nil {
		o.Outbox, o.Newest = outbox{w.book.Outbox()}, w.book.Newest
	}
	for _, v := range p.units {
		o.EVSEs = append(o.EVSEs, v)
	}
	slices.SortFunc(o.EVSEs, func(x, y publisher.EVSE) int { return cmp.Compare(x.Rules().EVSE, y.Rules().EVSE) })
	return publisher.New(o)
}

// birth tells who the post is.
func (p *parts) birth(cfg config.Config) telemetry.Info {
	i := telemetry.Info{
		Post: cfg.Post.ID, Tenant: cfg.Tenant, Name: cfg.Post.Name, Version: version, System: runtime.GOOS + "/" + runtime.GOARCH,
		Hardware: hardware(), Boot: rand.Text(), Config: cfg.Sum, Zone: cfg.Post.Zone.String(), Country: cfg.Country,
		Profile: cfg.Telemetry.Profile,
	}
	for _, e := range cfg.EVSEs {
		t := telemetry.EVSE{ID: e.ID, Code: e.Code, MaxPower: int64(e.MaxPower)}
		t.Meter.Model, t.Meter.Serial = p.units[e.Code].Rules().Model, e.Meter.Serial
		i.EVSEs = append(i.EVSEs, t)
	}
	return i
}
