package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"

	"stolpe/agent/telemetry/fleet"
	"stolpe/payment"
)

// joules are in a watt-hour.
const joules = 3600

// families are figures, together by their names as Prometheus wants them.
type families struct {
	names []string
	lines map[string]*bytes.Buffer
}

// add adds one figure. Labels are names and values in turn.
func (f *families) add(name string, value float64, labels ...any) {
	b := f.lines[name]
	if b == nil {
		b = new(bytes.Buffer)
		f.lines[name] = b
		f.names = append(f.names, name)
	}
	b.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		fmt.Fprintf(b, "%c%s=%q", "{,"[min(i, 1)], labels[i], fmt.Sprint(labels[i+1]))
	}
	if len(labels) > 0 {
		b.WriteByte('}')
	}
	b.WriteByte(' ')
	b.WriteString(strconv.FormatFloat(value, 'g', -1, 64))
	b.WriteByte('\n')
}

// figures writes the figures of all posts. Every label has few values: names of posts,
// which are bounded, and words of this program.
func (w *watch) figures(out io.Writer, now time.Time) {
	f := families{lines: map[string]*bytes.Buffer{}}
	posts := w.fleet.Look(now, func(string) bool { return true })
	f.add("stolpe_fleet_posts", float64(len(posts)))
	f.add("stolpe_fleet_mqtt_connected", number(w.conn.Connected()))
	for _, p := range posts {
		f.post(p)
		for _, e := range p.EVSEs {
			f.evse(p, e)
		}
	}
	for _, name := range f.names {
		out.Write(f.lines[name].Bytes()) //nolint:errcheck // whoever asked has gone
	}
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// post adds the figures of a post.
func (f *families) post(p fleet.Post) {
	add := func(name string, value float64, more ...any) {
		f.add(name, value, append([]any{"tenant", p.Tenant, "post", p.ID}, more...)...)
	}
	if !p.Unsure { // what is not known is left out
		add("stolpe_post_up", number(p.There))
	}
	add("stolpe_build_info", 1, "version", p.Version)
	if !p.Heard.IsZero() {
		add("stolpe_post_last_seen_timestamp_seconds", float64(p.Heard.Unix()))
	}
	if p.Clock != "" {
		add("stolpe_clock_synchronised", number(p.Clock == "synced"))
	}
	add("stolpe_post_events_missed", float64(p.Missed))
	t := p.Total
	for _, x := range []struct {
		step string
		n    int
	}{{"requested", t.Asked}, {"approved", t.Approved}, {"closed", t.Closed}, {"energy", t.Fed}} {
		add("stolpe_session_steps_total", float64(x.n), "step", x.step)
	}
	for result, n := range t.Results() {
		add("stolpe_sessions_total", float64(n), "result", result)
	}
	add("stolpe_payments_failed_total", float64(t.Troubled))
	add("stolpe_energy_joules_total", float64(t.Energy*joules))
	for _, x := range []struct {
		name string
		sums map[payment.Currency]int64
	}{{"stolpe_revenue_minor_units_total", t.Revenue}, {"stolpe_written_off_minor_units_total", t.Lost}, {"stolpe_refunded_minor_units_total", t.Refunded}} {
		if p.Sells != "" && x.sums[p.Sells] == 0 { // there from the start, or the first amount would be no increase
			add(x.name, 0, "currency", p.Sells)
		}
		for c, n := range x.sums {
			add(x.name, float64(n), "currency", c)
		}
	}
	h := p.Health
	if h == nil {
		return
	}
	add("stolpe_payments_unsettled", float64(h.Debts))
	add("stolpe_payment_oldest_unsettled_seconds", float64(h.Oldest))
	add("stolpe_outbox_messages", float64(h.Outbox.Events))
	add("stolpe_outbox_oldest_seconds", float64(h.Outbox.Oldest))
	add("stolpe_ledger_faulty", number(h.Ledger != ""))
	if h.Disk != nil {
		add("stolpe_disk_free_ratio", float64(100-*h.Disk)/100)
	}
	if h.Offset != nil {
		add("stolpe_clock_offset_seconds", float64(*h.Offset)/1000)
	}
	if h.Heat != nil {
		add("stolpe_cpu_celsius", *h.Heat)
	}
	for _, d := range h.Displays {
		add("stolpe_display_up", number(d.Fault == ""), "display", d.Name)
	}
}

// evse adds the figures of an EVSE.
func (f *families) evse(p fleet.Post, e fleet.EVSE) {
	add := func(name string, value float64, more ...any) {
		f.add(name, value, append([]any{"tenant", p.Tenant, "post", p.ID, "evse", e.Number}, more...)...)
	}
	if e.State != "" {
		add("stolpe_evse_state", 1, "state", e.State)
	}
	if e.Is != fleet.Unheard { // what is not known is left out
		add("stolpe_evse_up", number(e.Is == fleet.Working || e.Is == fleet.Cut))
	}
	for _, x := range []struct {
		formula, window string
		uptime          func() (float64, bool)
	}{{"nevi", "30d", e.Month.NEVI}, {"nevi", "365d", e.Year.NEVI}, {"uk", "calendar_year", e.Calendar.UK}} {
		if share, ok := x.uptime(); ok {
			add("stolpe_evse_uptime_ratio", share, "formula", x.formula, "window", x.window)
		}
	}
	add("stolpe_evse_outage_seconds", e.Year.Excluded.Seconds(), "window", "365d", "excluded", "true")
	add("stolpe_evse_outage_seconds", (e.Year.Outage() - e.Year.Excluded).Seconds(), "window", "365d", "excluded", "false")
	for _, r := range e.Faults {
		if r.To == 0 {
			add("stolpe_fault_active", 1, "code", r.Code)
		}
	}
}
