package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/agent/telemetry/publisher"
	"stolpe/display"
	"stolpe/display/screen"
	"stolpe/hal"
	"stolpe/payment"
)

// figure is a line as Prometheus reads it.
var figure = regexp.MustCompile(`^([a-z_]+)(?:\{([^}]*)\})? (\S+)$`)

// readFigures gives every figure by its name and labels as they stand.
func readFigures(t *testing.T, text string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for line := range strings.Lines(text) {
		m := figure.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Errorf("not a figure: %s", line)
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		name, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "+m[3])
		if _, twice := all[name]; err != nil || twice {
			t.Errorf("%s: %v, twice: %v", line, err, twice)
		}
		all[name] = value
	}
	return all
}

// wantFigures compares some of them.
func wantFigures(t *testing.T, all, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if got, there := all[name]; got != value || !there {
			t.Errorf("%s is %v, there: %v; want %v", name, got, there, value)
		}
	}
}

func TestFiguresOfACharge(t *testing.T) {
	t.Parallel()
	var w world
	p := perform(t, func(made *world) {
		made.figures = newFigures()
		w = *made
	})
	o, err := p.charge(t)
	if err != nil {
		t.Fatal(err)
	}
	g := &gauges{figures: w.figures, parts: p.parts, world: w, dir: t.TempDir()}
	var text paper
	var all map[string]float64
	until(t, "the charge to be counted", func() bool {
		text = paper{} // afresh
		g.write(&text)
		all = readFigures(t, text.String())
		return all[`stolpe_revenue_minor_units_total{evse="1",currency="NOK"}`] > 0 && all[`stolpe_evse_state{evse="1",state="available"}`] == 1
	})
	s, _, _ := p.parts.units["A12"].Snapshot()
	wantFigures(t, all, map[string]float64{
		`stolpe_session_steps_total{evse="1",step="requested"}`:             1,
		`stolpe_session_steps_total{evse="1",step="approved"}`:              1,
		`stolpe_session_steps_total{evse="1",step="closed"}`:                1,
		`stolpe_session_steps_total{evse="1",step="energy"}`:                1,
		`stolpe_sessions_total{evse="1",result="ok"}`:                       1,
		`stolpe_sessions_total{evse="1",result="interrupted"}`:              0,
		`stolpe_revenue_minor_units_total{evse="1",currency="NOK"}`:         float64(o.Captured),
		`stolpe_energy_joules_total{evse="1"}`:                              float64(s.Done[0].End) * 3600,
		`stolpe_contactor_operations_total{evse="1"}`:                       1,
		`stolpe_contactor_mismatch_total{evse="1"}`:                         0,
		`stolpe_start_delay_seconds_count{evse="1",to="contactor"}`:         1,
		`stolpe_start_delay_seconds_bucket{evse="1",to="energy",le="+Inf"}`: 1,
		`stolpe_stop_delay_seconds_count{evse="1"}`:                         1,
		`stolpe_outage_seconds_total{evse="1",excluded="true"}`:             0,
		`stolpe_payments_unsettled`:                                         0,
		`stolpe_evse_state{evse="1",state="available"}`:                     1,
		`stolpe_build_info{version="` + version + `"}`:                      1,
	})
	if all[`stolpe_modbus_requests_total{outcome="ok"}`] < 100 || all[`stolpe_power_watts{evse="1"}`] != 0 {
		t.Errorf("%v readings, %v W", all[`stolpe_modbus_requests_total{outcome="ok"}`], all[`stolpe_power_watts{evse="1"}`])
	}
	if err := p.parts.units["A12"].Tell(t.Context(), session.TakenOut{}); err != nil {
		t.Fatal(err)
	}
	g.asking(answering{}).Ask(t.Context(), payment.Order{}) //nolint:errcheck // it has none
	if g.world.book, _, err = ledger.Open(filepath.Join(g.dir, "ledger.jsonl")); err != nil {
		t.Fatal(err)
	}
	defer g.world.book.Close()
	g.up = new(uplink)
	g.parts.fleet = publisher.New(publisher.Options{Outbox: outbox{}})
	until(t, "time to be counted of a fault", func() bool {
		text = paper{} // afresh
		g.write(&text)
		all = readFigures(t, text.String())
		return all[`stolpe_fault_seconds_total{evse="1",code="USR-001"}`] > 0
	})
	g.parts.screens = []*screen.Screen{screen.New(screen.Options{Name: "oled"})}
	text = paper{}
	g.write(&text)
	checkListed(t, readFigures(t, text.String()))
	if free, there := all[`stolpe_disk_free_ratio`]; !there || free < 0 || free > 1 {
		t.Errorf("%v of the disk is free", free)
	}
}

// still is an outbox in which one event waits, written at some time.
type still struct {
	publisher.Outbox
	oldest hal.Stamp
}

func (s still) Waiting() (int, hal.Stamp) { return 1, s.oldest }
func (s still) Save() error               { return nil }

// An age that is not known is not told.
func TestAgeOfWhatWaits(t *testing.T) {
	for clock, want := range map[hal.Clock]string{hal.ClockSynced: "stolpe_outbox_messages 1\nstolpe_outbox_oldest_seconds 60\n", hal.ClockUnknown: "stolpe_outbox_messages 1\n"} {
		s := still{oldest: hal.Stamp{Unix: 1_800_000_000, Clock: clock}}
		f := publisher.New(publisher.Options{
			Outbox: s, Connected: func() bool { return false }, Log: slog.New(slog.DiscardHandler),
			Now: func() hal.Instant { return hal.Instant{} },
		})
		aside(t, f.Run)
		until(t, "it to be counted", func() bool { n, _ := f.Waiting(); return n == 1 })
		var text lines
		text.outbox(f, hal.Instant{Wall: hal.Stamp{Unix: 1_800_000_060}})
		if got := text.String(); got != want {
			t.Errorf("%v: %q, want %q", clock, got, want)
		}
	}
}

// countedOf tells an abacus of states that follow one another, a second apart.
func countedOf(states ...session.State) *figures {
	f := newFigures()
	a := f.of(&session.Rules{Post: "A12", EVSE: 2, Code: "A12"}, &session.State{})
	at := time.Hour
	for i, s := range states[1:] {
		a.Saw(evse.Moment{Before: states[i], After: s, Now: hal.Instant{Mono: at}})
		at += time.Second
	}
	return f
}

func TestResultsOfCharges(t *testing.T) {
	for _, c := range []struct {
		word   string
		charge session.Charge
	}{
		{"ok", session.Charge{Held: true, Start: 100, End: 200, Elapsed: time.Minute, Why: display.ByDriver}},
		{"interrupted", session.Charge{Held: true, Start: 100, End: 200, Elapsed: time.Minute, Why: display.PowerLost}},
		{"no_energy", session.Charge{Held: true, Start: 100, End: 100, Elapsed: time.Minute, Why: display.NoEnergy}},
		{"start_failed", session.Charge{Held: true, Start: 100, End: 100, Why: display.ContactorBad}},
		{"not_approved", session.Charge{Start: 100, End: 100, Why: display.Declined}},
		{"no_payment", session.Charge{Start: 100, End: 100, Why: display.NoAnswer}},
	} {
		c.charge.Number = 7
		under := session.State{Kept: session.Kept{Phase: session.Stopping, Charge: c.charge}}
		done := session.State{Kept: session.Kept{Debts: []session.Debt{{Charge: c.charge}}}}
		var text lines
		countedOf(session.State{}, under, done).write(&text)
		all := readFigures(t, text.String())
		for _, word := range []string{"ok", "interrupted", "no_energy", "start_failed", "not_approved", "no_payment"} {
			want := number(word == c.word)
			wantFigures(t, all, map[string]float64{`stolpe_sessions_total{evse="2",result="` + word + `"}`: want})
		}
	}
}

func TestFaultsAndOutagesAreTimed(t *testing.T) {
	well := session.State{}
	out := session.State{Kept: session.Kept{Latched: session.Withdrawn}}
	dark := session.State{Passing: session.SupplyGone}
	weld := session.State{Kept: session.Kept{Latched: session.Welded}}
	var text lines
	countedOf(well, out, out, out, dark, dark, weld, weld, weld, weld).write(&text)
	wantFigures(t, readFigures(t, text.String()), map[string]float64{
		`stolpe_fault_seconds_total{evse="2",code="USR-001"}`:    3,
		`stolpe_fault_seconds_total{evse="2",code="SUP-001"}`:    2,
		`stolpe_fault_seconds_total{evse="2",code="CON-001"}`:    3,
		`stolpe_outage_seconds_total{evse="2",excluded="true"}`:  2,
		`stolpe_outage_seconds_total{evse="2",excluded="false"}`: 6,
		`stolpe_contactor_mismatch_total{evse="2"}`:              1,
	})
}

// answering is a payment service that says one thing.
type answering struct{ payment.Answer }

func (a answering) Ask(context.Context, payment.Order) (payment.Answer, error) { return a.Answer, nil }

func TestAskingsAreCounted(t *testing.T) {
	f := newFigures()
	held := f.asking(answering{payment.Answer{Status: payment.Held}})
	for _, v := range []payment.Verb{payment.Look, payment.Look, payment.Reserve} {
		if a, err := held.Ask(t.Context(), payment.Order{Verb: v}); err != nil || a.Status != payment.Held {
			t.Errorf("%v, %v", a, err)
		}
	}
	f.asking(answering{}).Ask(t.Context(), payment.Order{Verb: payment.Settle}) //nolint:errcheck // it has none
	var text lines
	f.write(&text)
	wantFigures(t, readFigures(t, text.String()), map[string]float64{
		`stolpe_payments_total{op="look",outcome="held"}`:            2,
		`stolpe_payments_total{op="reserve",outcome="held"}`:         1,
		`stolpe_payments_total{op="settle",outcome="unknown"}`:       1,
		`stolpe_payment_request_seconds_count{op="look"}`:            2,
		`stolpe_payment_request_seconds_bucket{op="look",le="+Inf"}`: 2,
	})
	if p := (*figures)(nil).asking(held); p != held {
		t.Error("asked in another way where nobody counts")
	}
}

func TestSilenceIsThatOfTheEVSEThatLivesLeast(t *testing.T) {
	f, called := newFigures(), 0
	hook := f.hooks(func(int) func() { return func() { called++ } })
	one, two := hook(1), hook(2)
	one()
	two()
	f.lived[2] = time.Now().Add(-time.Hour)
	one()
	if quiet := f.silence(); quiet < time.Hour || called != 3 {
		t.Errorf("silent for %v, %d calls", quiet, called)
	}
	if f.hooks(nil) != nil {
		t.Error("a hook where there is none")
	}
}

func TestFiguresAreListenedForNearby(t *testing.T) {
	file := filepath.Join(t.TempDir(), "metrics.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: file, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false) // as one that is killed leaves it
	left.Close()
	l, err := listenNear(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	l.Close()
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it stays behind: %v", err)
	}
	if err := os.WriteFile(file, []byte("something of somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenNear(file); err == nil {
		t.Error("a file was taken away")
	}
	if l, err = listenNear("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func TestDaemonServesItsFigures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	socket := filepath.Join(dir, "m.sock")
	serve(t, configured(t, dir, "web: {", "metrics: {listen: "+socket+"}\nweb: {"))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	var all map[string]float64
	until(t, "the post to be available", func() bool {
		r, err := client.Get("http://post/metrics")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		all = readFigures(t, string(text))
		return all[`stolpe_evse_state{evse="1",state="available"}`] == 1
	})
	for _, name := range []string{"process_resident_memory_bytes", "go_goroutines", "stolpe_ledger_faulty", "stolpe_watchdog_ping_age_seconds"} {
		if _, there := all[name]; !there {
			t.Errorf("%s is not there", name)
		}
	}
	for _, name := range []string{"stolpe_mqtt_connected", "stolpe_outbox_messages", "stolpe_outbox_oldest_seconds"} {
		if _, there := all[name]; there {
			t.Errorf("a post without a broker tells %s", name)
		}
	}
}
