package main

import (
	"cmp"
	"runtime"
	"slices"

	"stolpe/agent/config"
	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/agent/telemetry/publisher"
)

// tellFleet has the post's fleet told how it is doing, if it has a broker, and keeps
// the connection for whoever uses it.
func (p *parts) tellFleet(cfg config.Config, w world, up *uplink) {
	if up == nil {
		return
	}
	info := p.birth(cfg, w.born.Boot)
	o := publisher.Options{
		Profile: cfg.Telemetry.Profile, Info: info, Health: p.healthOf(cfg, w),
		Publish: up.publish, Connected: up.connected, Now: w.now, Log: w.log,
	}
	if w.book != nil {
		o.Outbox, o.Newest, o.Ill = outbox{w.book.Outbox()}, w.book.Newest, w.book.Health
	}
	for _, v := range p.units {
		o.EVSEs = append(o.EVSEs, v)
	}
	slices.SortFunc(o.EVSEs, func(x, y publisher.EVSE) int { return cmp.Compare(x.Rules().EVSE, y.Rules().EVSE) })
	a := openAnnouncer(cfg, up, info, w.log)
	if a != nil {
		o.Discovery = a.tell
	}
	p.fleet = publisher.New(o)
	if a != nil && a.birth != "" {
		up.add(use{filters: []string{a.birth}, take: func(m mqtt.Message) {
			if string(m.Payload) == telemetry.Born && !m.Retained { // at each connection it is told anyway
				p.fleet.Rediscover()
			}
		}})
	}
	up.add(use{ready: p.fleet.Anew, run: p.fleet.Run})
	p.jobs = append(p.jobs, up.run)
}

// birth tells who the post is, in this run of the program.
func (p *parts) birth(cfg config.Config, boot string) telemetry.Info {
	i := telemetry.Info{
		Post: cfg.Post.ID, Tenant: cfg.Tenant, Name: cfg.Post.Name, Version: version, System: runtime.GOOS + "/" + runtime.GOARCH,
		Hardware: hardware(), Boot: boot, Config: cfg.Sum, Zone: cfg.Post.Zone.String(), Country: cfg.Country,
		Profile: cfg.Telemetry.Profile, Through: string(cfg.Payment.Through), Commands: cfg.Commands.Allow, Displays: displaysOf(cfg),
	}
	for _, e := range cfg.EVSEs {
		t := telemetry.EVSE{ID: e.ID, Code: e.Code, MaxPower: int64(e.MaxPower)}
		t.Meter.Model, t.Meter.Serial = p.units[e.Code].Rules().Model, e.Meter.Serial
		i.EVSEs = append(i.EVSEs, t)
	}
	return i
}
