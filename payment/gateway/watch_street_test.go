package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stolpe/payment/sim"
)

// watched watches the street with the certificate of the gateway that is for commands.
func (s *street) watched(odd func()) (look func() string) {
	s.t.Helper()
	own := filepath.Join(s.fleet, "gateways", "gateway-3")
	c := settings{Fleet: &watching{ClientID: "gateway-3", Cert: own + "/cert.pem", Key: own + "/key.pem", StateDir: s.t.TempDir(), Zone: time.UTC}}
	c.MQTT.URL, c.MQTT.CA = "mqtts://127.0.0.1:"+s.port, own+"/ca.pem"
	w, err := (&gateway{settings: c, log: slog.New(slog.DiscardHandler)}).watch(s.t.Context(), odd)
	must(s.t, err)
	ctx, stop := context.WithCancel(context.Background())
	var runs sync.WaitGroup
	w.run(func(part func(context.Context) error) {
		runs.Go(func() {
			if err := part(ctx); err != nil {
				s.t.Error(err)
			}
		})
	})
	s.t.Cleanup(func() { stop(); runs.Wait() })
	return func() string {
		var out bytes.Buffer
		w.figures(&out, time.Now())
		return out.String()
	}
}

// TestAFleetIsSeen: what a real post tells through a real broker is understood, all of
// it, and becomes the figures that it should.
func TestAFleetIsSeen(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: real programs and a real broker")
	}
	t.Parallel()
	s := newStreet(t, 1, 0)
	var odd atomic.Int64
	look := s.watched(func() { odd.Add(1) })
	until := func(what string, lines ...string) {
		t.Helper()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for late := time.Now().Add(patient); ; <-tick.C {
			text, missing := look(), ""
			for _, l := range lines {
				if !strings.Contains(text, l) {
					missing = l
				}
			}
			if missing == "" {
				return
			}
			if time.Now().After(late) {
				t.Fatalf("%s: no %s in\n%s\n%s", what, missing, text, s.posts[0].log)
			}
		}
	}
	const post, evse = `{tenant="acme",post="P00"`, `{tenant="acme",post="P00",evse="1"`
	until("a post that is free", "stolpe_post_up"+post+"} 1", "stolpe_evse_up"+evse+"} 1", "stolpe_evse_state"+evse+`,state="available"} 1`)
	charges, fed, taken := 0, 0, int64(0)
	for fed == 0 && !t.Failed() { // a simulated car may take nothing in so short a time
		s.charge(postID(0))
		s.settledAll()
		charges, fed, taken = 0, 0, 0
		s.till.Do(func(now time.Duration, b *sim.Book) {
			for p := range b.Payments(now) {
				charges++
				if p.Found.Taken > 0 {
					fed++
					taken += int64(p.Found.Taken)
				}
			}
		})
	}
	counted := func(figure, word string, n int) string {
		return fmt.Sprintf("%s%s,%s} %d\n", figure, post, word, n)
	}
	const steps, results = "stolpe_session_steps_total", "stolpe_sessions_total"
	until("charges", counted(steps, `step="requested"`, charges), counted(steps, `step="approved"`, charges), counted(steps, `step="closed"`, charges),
		counted(steps, `step="energy"`, fed), counted(results, `result="ok"`, fed), counted(results, `result="no_energy"`, charges-fed),
		fmt.Sprintf("stolpe_revenue_minor_units_total%s,currency=\"NOK\"} %v\n", post, float64(taken)), "stolpe_post_events_missed"+post+"} 0")
	s.posts[0].freeze()
	until("a post that is gone", "stolpe_post_up"+post+"} 0", "stolpe_evse_up"+evse+"} 0")
	s.posts[0].thaw()
	until("a post that is back", "stolpe_post_up"+post+"} 1", "stolpe_evse_up"+evse+"} 1")
	if n := odd.Load(); n > 0 {
		t.Errorf("%d messages of a real post are not understood", n)
	}
}
