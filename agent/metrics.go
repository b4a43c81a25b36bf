package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/agent/telemetry/publisher"
	"stolpe/display/web"
	"stolpe/hal"
)

// joules are in a watt-hour.
const joules = 3600

// gauges are what is looked at when somebody reads the figures.
type gauges struct {
	*figures
	parts *parts
	up    *uplink // nil for none
	world world
	dir   string // of the state
}

// serveFigures has the figures served, if anybody wants them. A post that cannot
// serve them charges all the same.
func (p *parts) serveFigures(cfg config.Config, w world, up *uplink) {
	if w.figures == nil {
		return
	}
	l, err := listenNear(cfg.Metrics)
	if err != nil {
		w.log.Error("figures are not served", "metrics.listen", cfg.Metrics, "err", err)
		return
	}
	g := &gauges{figures: w.figures, parts: p, up: up, world: w, dir: cfg.StateDir}
	w.log.Info("figures", "listen", l.Addr())
	p.jobs = append(p.jobs, func(ctx context.Context) { serveUntil(ctx, l, g.handler(), w.log) })
}

func serveUntil(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) {
	if err := web.Serve(ctx, l, h); err != nil {
		log.Error("figures are not served any more", "err", err)
	}
}

// listenNear listens on a socket in the file system, which its owner and group may
// use, or on an address of this machine.
func listenNear(at string) (net.Listener, error) {
	if !strings.HasPrefix(at, "/") {
		return net.Listen("tcp", at)
	}
	// One that was left behind by a program that was killed; never anything else.
	if info, err := os.Lstat(at); err == nil && info.Mode().Type() == fs.ModeSocket {
		if err := os.Remove(at); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", at)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(at, 0o660); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// handler serves /metrics.
func (g *gauges) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		g.write(w)
	})
	return mux
}

// write writes what is looked at. Nothing that is not known is written.
func (g *gauges) write(out io.Writer) {
	var b lines
	b.add(1, "stolpe_build_info", "version", version)
	names := slices.SortedFunc(maps.Values(g.parts.units), func(x, y *evse.EVSE) int { return x.Rules().EVSE - y.Rules().EVSE })
	for _, v := range names {
		s, now, _ := v.Snapshot()
		b.evse(v.Rules(), &s, now)
	}
	debts, oldest := g.parts.owed(g.world.now().Wall)
	b.add(float64(debts), "stolpe_payments_unsettled")
	b.add(oldest.Seconds(), "stolpe_payment_oldest_unsettled_seconds")
	all, bad := g.parts.readings.Load(), g.parts.misread.Load()
	b.add(float64(all-bad), "stolpe_modbus_requests_total", "outcome", "ok")
	b.add(float64(bad), "stolpe_modbus_requests_total", "outcome", "failed")
	b.add(g.silence().Seconds(), "stolpe_watchdog_ping_age_seconds")
	g.machine(&b)
	b.displays(g.parts.displayHealth())
	g.counts.write(&b)
	b.process(g.born)
	out.Write(b.Bytes()) //nolint:errcheck // whoever asked has gone
}

// machine adds how the machine and its surroundings are.
func (g *gauges) machine(b *lines) {
	now := g.world.now()
	b.add(number(now.Wall.Clock == hal.ClockSynced), "stolpe_clock_synchronised")
	if ms := clockOffset(); ms != nil {
		b.add(float64(*ms)/1000, "stolpe_clock_offset_seconds")
	}
	if used := diskUsed(g.dir); used != nil {
		b.add(float64(100-*used)/100, "stolpe_disk_free_ratio")
	}
	if heat := heat(thermalFile); heat != nil {
		b.add(*heat, "stolpe_cpu_celsius")
	}
	if g.up != nil {
		b.add(number(g.up.connected()), "stolpe_mqtt_connected")
	}
	if f := g.parts.fleet; f != nil && f.Outbox != nil {
		b.outbox(f, now)
	}
	if book := g.world.book; book != nil {
		b.add(number(book.Health() != ""), "stolpe_ledger_faulty")
	}
}

// outbox adds what the broker has not got yet. An ill card holds up the ledger, but not
// who reads this.
func (b *lines) outbox(f *publisher.Publisher, now hal.Instant) {
	n, oldest := f.Waiting()
	b.add(float64(n), "stolpe_outbox_messages")
	switch {
	case n == 0:
		b.add(0, "stolpe_outbox_oldest_seconds")
	case oldest > 0:
		b.add(float64(max(0, now.Wall.Unix-oldest)), "stolpe_outbox_oldest_seconds")
	}
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// evse adds the figures of an EVSE.
func (b *lines) evse(rules *session.Rules, s *session.State, now hal.Instant) {
	id := strconv.Itoa(rules.EVSE)
	b.add(1, "stolpe_evse_state", "evse", id, "state", rules.Public(s, now).State.String())
	if r, _ := s.Believed(); r.Serial != "" || r.Register != 0 {
		b.add(float64(r.Register)*joules, "stolpe_energy_joules_total", "evse", id)
		if now.Mono-r.At <= session.MeterWithin {
			b.add(float64(r.Power), "stolpe_power_watts", "evse", id)
		}
	}
	b.add(float64(s.Wear.Closings), "stolpe_contactor_operations_total", "evse", id)
	faults := s.Faults()
	session.EachFault(func(f session.Faults) {
		if faults&f != 0 {
			b.add(1, "stolpe_fault_active", "evse", id, "code", f.Code())
		}
	})
}
