package main

import (
	"context"
	"slices"

	"stolpe/agent/config"
	"stolpe/agent/control"
)

// local is what people at the post may look at and do: the routes of package control.
type local struct {
	*deeds
	cfg   config.Config
	w     world
	parts *parts
	up    *uplink // nil without a broker
	later *later

	renewal *renewal
}

// routes is all that can be asked for. Each part has a file of its own.
func (l *local) routes() []control.Route {
	return slices.Concat(
		// who is at the post, and what is done there
		l.postRoutes(),
		l.priceRoutes(),
		l.brokerRoutes(),

		// configuration
		l.configRoutes(),

		// what is wrong
		l.factRoutes(),
		l.supportRoutes(),

		// charges and money
		l.chargeRoutes(),

		// payment service
		l.paymentRoutes(),

		// hardware
		l.hardwareRoutes(),
		l.displayRoutes(),

		[]control.Route{},
	)
}

// serveLocal opens the sockets. A post whose folder for them cannot be made charges all
// the same.
func (p *parts) serveLocal(cfg config.Config, w world, d *deeds, up *uplink) {
	l := &local{deeds: d, cfg: cfg, w: w, parts: p, up: up, later: openLater(d, w), renewal: openRenewal(d, w)}
	p.jobs = append(p.jobs, l.later.run, l.renewal.run)
	o := control.Options{Dir: cfg.Control.Dir, Group: cfg.Control.Group, Admins: cfg.Control.Admins, Routes: l.routes(), Log: w.log}
	if w.book != nil {
		o.Note = func(r control.Record) error { return w.book.Append(entryOfLocal(r, w.now().Wall)) }
	}
	s, err := control.Listen(o)
	if err != nil {
		w.log.Error("nobody at the post can look or work until this is right and the post is started again; charging goes on", "err", err, "control.dir", cfg.Control.Dir)
		return
	}
	p.jobs = append(p.jobs, func(ctx context.Context) {
		if !endsWith(ctx, func() { s.Run(ctx) }) {
			w.log.Error("what was done at the post last is not done yet, or not written down")
		}
	})
}
