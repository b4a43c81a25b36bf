package main

import (
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/cross/ports"
	"stolpe/hal"
	"stolpe/hal/sim"
)

// babbler answers whatever it is told with the same bytes.
func babbler(t *testing.T, says string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			talks.Go(func() {
				defer c.Close()
				var b [256]byte
				for {
					if _, err := c.Read(b[:]); err != nil {
						return
					}
					if _, err := io.WriteString(c, says); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		talks.Wait()
	})
	return l.Addr().String()
}

// refuser is an address where nobody answers.
func refuser(t *testing.T, _ string) (address string) {
	t.Helper()
	return "127.0.0.1:" + ports.Free(t)
}

// guard watches the contacts of a post from its first step on.
type guard struct {
	rig    *sim.Rig
	closed atomic.Bool
	steps  atomic.Int64
	silent atomic.Bool // the meter is, on purpose: time does not wait for it
}

// Saw looks at the contacts.
func (g *guard) Saw(evse.Moment) {
	g.steps.Add(1)
	g.rig.Do(func(b *sim.Bench, now time.Duration) {
		if b.Truth(now).Contacts != hal.Open {
			g.closed.Store(true)
		}
	})
}

func (g *guard) put(w *world) {
	build := w.bench
	w.bench = func(e config.EVSE) (*bench, error) {
		b, err := build(e)
		if err == nil {
			g.rig = b.rig
		}
		return b, err
	}
	around := w.around
	w.around = func(m evse.Meter) evse.Meter { return hushed{around(m), m, &g.silent} }
	w.watch = append(w.watch, g)
}

// hushed is a meter that time waits for unless it is silent.
type hushed struct {
	evse.Meter
	bare   evse.Meter
	silent *atomic.Bool
}

func (h hushed) Read(ctx context.Context) (hal.Reading, error) {
	if h.silent.Load() {
		return h.bare.Read(ctx)
	}
	return h.Meter.Read(ctx)
}

func TestPostWithoutAMeterIsOutOfOrder(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		meter func(*testing.T, string) string
		says  string
	}{
		"refuses":     {refuser, ""},
		"says HTTP":   {babbler, "HTTP/1.1 400 Bad Request\r\n\r\n"},
		"says zeros":  {babbler, strings.Repeat("\x00", 64)},
		"says nought": {babbler, ""},
		"endless":     {babbler, strings.Repeat("\xff", 4096)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &guard{}
			p := perform(t, g.put, "contactor: {sim", `meter: {model: eastron_sdm630, url: "tcp://`+row.meter(t, row.says)+`"}, contactor: {sim`)
			var scene, head, page string
			until(t, "out of order", func() bool {
				scene, head, page = look(t, p.url+"/en/A12")
				return head == "Out of order"
			})
			if scene != "off" || strings.Contains(page, "<form") || !strings.Contains(page, "MET-001") {
				t.Errorf("%s, %s: %s", scene, head, page)
			}
			// Somebody who kept an older page asks all the same.
			driver := &phone{ctx: t.Context(), stage: p.stage}
			form := url.Values{"amount": {"35000"}, "seen": {"NOK.2500.549.0.0.900.100.20000"}}
			if _, err := driver.post(p.url+"/en/A12", form); err == nil || !strings.Contains(err.Error(), "409") {
				t.Errorf("request: %v", err)
			}
			if g.closed.Load() || g.steps.Load() == 0 {
				t.Errorf("closed: %v, after %d steps", g.closed.Load(), g.steps.Load())
			}
			until(t, "the log says so", func() bool { return strings.Contains(p.log.String(), `msg="meter does not answer"`) })
			if n := strings.Count(p.log.String(), "meter does not answer"); n > 1 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// The meter goes silent in the middle of a charge: the charge ends, and is billed
// by what was known.
func TestMeterLostInAChargeEndsIt(t *testing.T) {
	t.Parallel()
	g := &guard{}
	p := perform(t, g.put)
	session := begin(t, p.url+"/en/A12")
	until(t, "energy", func() bool {
		_, _, page := look(t, session)
		return strings.Contains(page, `<body class="charge"`) && !strings.Contains(page, `data-n="energy">0`)
	})
	g.silent.Store(true)
	g.rig.Do(func(b *sim.Bench, now time.Duration) { b.Fault(now, sim.Faults{Silent: true}) })
	until(t, "settled", func() bool {
		scene, _, page := look(t, session)
		return scene == "done" && !strings.Contains(page, " data-live=")
	})
	state, _, _ := p.parts.units["A12"].Snapshot()
	d := state.Done[0]
	if d.Captured == 0 || d.Captured != d.Due || d.Captured+d.Released != d.Limit || !strings.Contains(p.log.String(), "why=meter_fault") {
		t.Errorf("%+v\n%s", d, p.log)
	}
	g.rig.Do(func(b *sim.Bench, now time.Duration) {
		if truth := b.Truth(now); truth.Contacts != hal.Open || truth.Energy < d.End-d.Start {
			t.Errorf("%+v, billed %v", truth, d.End-d.Start)
		}
	})
}
