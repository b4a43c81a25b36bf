package main

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"stolpe/payment/relay"
)

// figures are what is counted, for Prometheus.
type figures struct {
	set    *metrics.Set
	forged *metrics.Counter // messages whose seal is broken
	odd    *metrics.Counter // messages that could not be read
	hooked *metrics.Counter // webhooks passed on
	vain   *metrics.Counter // messages of telemetry that could not be read
}

// newFigures counts from now on. The others are asked when somebody reads.
func newFigures(connected func() bool, owed, underWay func() int) *figures {
	s := metrics.NewSet()
	s.NewGauge("stolpe_gateway_mqtt_connected", func() float64 {
		if connected() {
			return 1
		}
		return 0
	})
	s.NewGauge("stolpe_gateway_open_of_absent_posts", func() float64 { return float64(owed()) })
	s.NewGauge("stolpe_gateway_asks_under_way", func() float64 { return float64(underWay()) })
	s.NewGauge(fmt.Sprintf(`stolpe_gateway_build_info{version=%q}`, version), func() float64 { return 1 })
	return &figures{set: s, forged: s.NewCounter("stolpe_gateway_messages_forged_total"), odd: s.NewCounter("stolpe_gateway_messages_dropped_total"),
		hooked: s.NewCounter("stolpe_gateway_webhooks_total"), vain: s.NewCounter("stolpe_gateway_telemetry_dropped_total")}
}

// saw counts an asking.
func (f *figures) saw(s relay.Sight) {
	f.set.GetOrCreateCounter(fmt.Sprintf(`stolpe_gateway_asks_total{verb=%q,kind=%q,answer=%q}`, s.Verb, s.Kind, s.Status)).Inc()
	if s.Kind == relay.Asked {
		f.set.GetOrCreateSummary(fmt.Sprintf(`stolpe_gateway_ask_seconds{verb=%q}`, s.Verb)).Update(s.Took.Seconds())
	}
}

// health is what a load balancer and an orchestrator want to know.
type health struct {
	connected func() bool
	draining  atomic.Bool
	figures   *figures
	watch     *watch // nil if the fleet is not watched
}

// handler serves /healthz, /readyz and /metrics, for loopback or a network of one's
// own: it has no lock.
func (h *health) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "alive\n") }) //nolint:errcheck // whoever asked has gone
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch {
		case h.draining.Load():
			http.Error(w, "draining: no new work is taken", http.StatusServiceUnavailable)
		case !h.connected():
			http.Error(w, "not connected to the broker", http.StatusServiceUnavailable)
		default:
			io.WriteString(w, "ready\n") //nolint:errcheck // whoever asked has gone
		}
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		h.figures.set.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
		if h.watch != nil {
			h.watch.figures(w, time.Now())
		}
	})
	return mux
}
