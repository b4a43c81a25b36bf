package publisher

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/agent/telemetry"
	"stolpe/hal"
)

func read[T any](t *testing.T, s said) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(s.text), &v); err != nil {
		t.Fatalf("%s: %v", s.leaf, err)
	}
	return v
}

func last[T any](t *testing.T, all []said, leaf telemetry.Leaf) T {
	t.Helper()
	mine := under(all, leaf)
	if len(mine) == 0 {
		t.Fatalf("nothing under %s: %s", leaf, leaves(all))
	}
	return read[T](t, mine[len(mine)-1])
}

// On each connection everything is told anew: who and how first, and what has piled up
// last.
func TestEachConnectionBeginsWithThePresent(t *testing.T) {
	found := 0
	bubble(t, telemetry.Frugal, func(o *Options) { o.Discovery = func(context.Context) error { found++; return nil } },
		func(t *testing.T, p *Publisher, v *post, b *books) {
			b.set(true, 0)
			b.add(3, "session.created")
			pass(20 * time.Second)
			if got := b.take(); len(got) > 0 || found > 0 || b.attempts() > 0 {
				t.Fatalf("told without a connection: %v, and tried %d times", got, b.attempts())
			}
			for range 2 {
				b.set(false, 300*time.Millisecond)
				p.Anew()
				pass(5 * time.Second)
				const want = "info evse/1/state evse/1/price evse/1/session evse/1/meter health evt/session evt/session evt/session health"
				if got := leaves(b.take()); got != want {
					t.Errorf("told %s\nwant %s", got, want)
				}
				b.set(true, 0)
				b.Done(0)
				pass(time.Minute)
				if n := b.attempts(); n > 0 {
					t.Errorf("tried %d times without a connection", n)
				}
			}
			if found != 2 {
				t.Errorf("discovery told %d times on two connections", found)
			}
			b.set(false, 0)
			p.Rediscover()
			pass(2 * time.Second)
			if found != 3 {
				t.Errorf("discovery told %d times when it was asked for", found-2)
			}
		})
}

func TestChangesAreToldAtOnceAndNothingElse(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, _ *Publisher, v *post, b *books) {
		pass(20 * time.Second)
		begun := b.take()
		for _, m := range under(begun, "evse/1/meter") {
			if q := read[telemetry.Meter](t, m).Quality; q != "missing" && q != "ok" {
				t.Errorf("at the start the meter is %s", q)
			}
		}
		if n := len(under(begun, "evse/1/session")); n != 1 {
			t.Errorf("it was told %d times that there is no charge", n)
		}
		s := last[telemetry.State](t, begun, "evse/1/state")
		if s.State != "available" || s.Session != nil || s.Contactor != "open" || s.Plug != "unknown" || s.Faults == nil || len(s.Faults) > 0 || s.Clock != "synced" {
			t.Errorf("at rest: %+v", s)
		}
		pass(10 * time.Minute)
		if got := b.take(); len(got) > 0 {
			t.Errorf("told without a change: %s", leaves(got))
		}
		b.add(41, "session.started")
		pass(3 * time.Second)
		b.take()
		begin := time.Now()
		v.charge(7)
		pass(2 * time.Second)
		all := b.take()
		s = last[telemetry.State](t, all, "evse/1/state")
		if s.State != "charging" || s.Session == nil || *s.Session != "A12-1-000007" || s.Contactor != "closed" || s.Seq != 41 {
			t.Errorf("charging: %+v", s)
		}
		if since := s.Since.Sub(begin); since < -time.Second || since > 2*time.Second {
			t.Errorf("since %v", since)
		}
		if got := leaves(all); !strings.Contains(got, "evse/1/session") || !strings.Contains(got, "evse/1/meter") {
			t.Errorf("told %s", got)
		}
		v.change(func(s *session.State) { s.Latched |= session.Welded })
		pass(2 * time.Second)
		s = last[telemetry.State](t, b.take(), "evse/1/state")
		if len(s.Faults) != 1 || s.Faults[0].Code != "CON-001" || s.Faults[0].Class != "contactor" || s.State != "faulted" {
			t.Errorf("with a fault: %+v", s)
		}
		first := s.Faults[0].Since
		v.change(func(s *session.State) { s.Latched = 0 })
		pass(time.Minute)
		v.change(func(s *session.State) { s.Latched = session.Welded })
		pass(2 * time.Second)
		if s = last[telemetry.State](t, b.take(), "evse/1/state"); len(s.Faults) != 1 || s.Faults[0].Since.Sub(first) < time.Minute {
			t.Errorf("the same fault a minute after it was over: %+v", s)
		}
	})
}

// What is sensed is told when it changes, and what it means.
func TestContactorAndPlugAreTold(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, _ *Publisher, v *post, b *books) {
		pass(20 * time.Second)
		b.take()
		v.change(func(s *session.State) {
			v.rules.NoPlug = false
			v.rules.Advance(s, v.now(), session.Plugged{Plug: hal.PlugIn})
		})
		pass(1500 * time.Millisecond)
		if s := last[telemetry.State](t, b.take(), "evse/1/state"); s.Plug != "in" {
			t.Errorf("a plug: %+v", s)
		}
		v.change(func(*session.State) { v.stuck = true })
		pass(2 * time.Second)
		if s := last[telemetry.State](t, b.take(), "evse/1/state"); s.Contactor != "closed" || len(s.Faults) > 0 {
			t.Errorf("closed, and nobody knows yet that it should not be: %+v", s)
		}
		pass(10 * time.Second)
		if s := last[telemetry.State](t, b.take(), "evse/1/state"); s.Contactor != "mismatch" || len(s.Faults) != 1 {
			t.Errorf("welded: %+v", s)
		}
	})
}

// The price is told in the order of the law, and again when it is another one.
func TestPriceIsToldWhenItChanges(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, _ *Publisher, v *post, b *books) {
		pass(2 * time.Second)
		text := under(b.take(), "evse/1/price")[0].text
		if _, rest, _ := strings.Cut(text, `"clk":"synced",`); rest != `"cur":"NOK","vat_bp":2500,"kwh":549,"min":0,"session":0,"other":[{"kind":"idle","min":100,"free_s":900}]}` {
			t.Errorf("told %s", text)
		}
		pass(time.Hour)
		if all := under(b.take(), "evse/1/price"); len(all) > 0 {
			t.Errorf("told again: %v", all)
		}
		v.change(func(*session.State) { v.rules.Price.KWh, v.rules.Price.Idle.Minute = 449, 0 })
		pass(2 * time.Second)
		if text := under(b.take(), "evse/1/price")[0].text; !strings.HasSuffix(text, `"kwh":449,"min":0,"session":0}`) {
			t.Errorf("told %s", text)
		}
	})
}

// A ledger that cannot be written is told at once, and so is that it can again.
func TestAnIllLedgerIsToldAtOnce(t *testing.T) {
	var ill atomic.Value
	ill.Store("")
	bubble(t, telemetry.Minimal, func(o *Options) { o.Ill = func() string { return ill.Load().(string) } }, func(t *testing.T, _ *Publisher, _ *post, b *books) {
		pass(time.Minute)
		for _, word := range []string{"cannot be written: no space left on device", ""} {
			b.take()
			ill.Store(word)
			pass(10 * time.Second)
			if n := len(under(b.take(), "health")); n != 1 {
				t.Errorf("%q: told %d times", word, n)
			}
		}
	})
}

// How often each profile tells what always changes, in an hour at rest and one of
// charging.
func TestProfilesKeepTheirPace(t *testing.T) {
	type count struct{ state, session, meter, health int }
	for profile, want := range map[telemetry.Profile][2]count{
		telemetry.Minimal:  {{state: 1, health: 1}, {state: 1, health: 1}},
		telemetry.Frugal:   {{state: 2, meter: 2, health: 4}, {state: 2, session: 60, meter: 60, health: 4}},
		telemetry.Standard: {{state: 4, meter: 12, health: 12}, {state: 4, session: 360, meter: 360, health: 12}},
	} {
		t.Run(string(profile), func(t *testing.T) {
			bubble(t, profile, nil, func(t *testing.T, _ *Publisher, v *post, b *books) {
				for i, begin := range []func(){func() {}, func() { v.change(func(*session.State) { v.power = 7_400 }); v.charge(1) }} {
					begin()
					pass(30*time.Second + 500*time.Millisecond)
					b.take()
					for range 3600 {
						v.change(func(*session.State) { v.at += 2 * hal.Energy(i) })
						pass(time.Second)
					}
					all := b.take()
					got := count{len(under(all, "evse/1/state")), len(under(all, "evse/1/session")), len(under(all, "evse/1/meter")), len(under(all, "health"))}
					if got != want[i] {
						t.Errorf("hour %d: %+v, want %+v", i, got, want[i])
					}
				}
			})
		})
	}
}

// What is not known is left out, and never 0.
func TestUnknownIsLeftOut(t *testing.T) {
	bubble(t, telemetry.Standard, nil, func(t *testing.T, _ *Publisher, v *post, b *books) {
		v.change(func(*session.State) { v.mute = true })
		pass(5 * time.Second)
		all := b.take()
		for leaf, want := range map[telemetry.Leaf]string{"evse/1/meter": `"q":"missing"}`, "evse/1/session": `"id":null,"phase":"none"}`, "health": `"up_s":7,"outbox":{"events":0,"oldest_s":0},"unsettled":0}`} {
			mine := under(all, leaf)
			if len(mine) == 0 {
				t.Fatalf("nothing under %s", leaf)
			}
			text := mine[len(mine)-1].text
			if _, rest, _ := strings.Cut(text, `"clk":"synced",`); rest != want {
				t.Errorf("%s: %s: want %s", leaf, rest, want)
			}
		}
		s := last[telemetry.State](t, all, "evse/1/state")
		if s.State != "boot" || len(s.Faults) > 0 {
			t.Errorf("a program that has just started: %+v", s)
		}
		v.change(func(*session.State) { v.mute, v.power = false, 0 })
		pass(time.Minute)
		if m := last[telemetry.Meter](t, b.take(), "evse/1/meter"); m.Quality != "ok" || m.Energy == nil || *m.Energy != 10_000 || m.Power == nil {
			t.Errorf("at rest: %+v", m)
		}
		v.change(func(*session.State) { v.mute = true })
		pass(time.Minute)
		if m := last[telemetry.Meter](t, b.take(), "evse/1/meter"); m.Quality != "stale" || m.Energy == nil || m.Power != nil {
			t.Errorf("silent for a minute: %+v", m)
		}
		v.change(func(*session.State) { v.mute, v.at = false, 5 })
		pass(10 * time.Second)
		if m := last[telemetry.Meter](t, b.take(), "evse/1/meter"); m.Quality != "implausible" || m.Energy != nil {
			t.Errorf("far below what it has shown: %+v", m)
		}
		v.change(func(*session.State) { v.mute = true })
		pass(time.Minute)
		if m := last[telemetry.Meter](t, b.take(), "evse/1/meter"); m.Quality != "stale" || m.Energy == nil || *m.Energy != 10_000 {
			t.Errorf("silent after that: %+v", m)
		}
	})
}

// The summary of a charge is what its driver sees.
func TestSessionTellsWhatTheDriverSees(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, _ *Publisher, v *post, b *books) {
		pass(20 * time.Second)
		v.charge(7)
		for range 240 {
			v.change(func(*session.State) { v.at += 6 })
			pass(time.Second)
		}
		s := last[telemetry.Session](t, b.take(), "evse/1/session")
		if s.ID == nil || *s.ID != "A12-1-000007" || s.Energy == nil || *s.Energy < 1000 || s.Cost == nil || *s.Cost < 549 || s.Reserved == nil || *s.Reserved != 35_000 ||
			s.Currency != "NOK" || s.Seconds == nil || *s.Seconds < 170 || s.Start == nil {
			t.Errorf("charging: %+v", s)
		}
		b.take()
		v.change(func(s *session.State) { s.Phase = session.Stopping })
		pass(2 * time.Second)
		if all := b.take(); len(under(all, "evse/1/meter")) != 1 || last[telemetry.Session](t, all, "evse/1/session").Energy == nil {
			t.Errorf("stopping: told %s", leaves(all))
		}
		v.idle()
		pass(2 * time.Second)
		all := b.take()
		if len(under(all, "evse/1/meter")) != 1 {
			t.Errorf("the final register is not told: %s", leaves(all))
		}
		if s := last[telemetry.Session](t, all, "evse/1/session"); s.ID != nil || s.Phase != "none" || s.Energy != nil {
			t.Errorf("over: %+v", s)
		}
		v.change(func(s *session.State) {
			s.Phase, s.Since = session.Waiting, v.now().Mono
			s.Charge = session.Charge{Number: 8, Price: v.rules.Price, Limit: 35_000, Held: true, Start: v.at, Started: hal.Stamp{Unix: 7}}
		})
		pass(2 * time.Second)
		if s := last[telemetry.Session](t, b.take(), "evse/1/session"); s.Phase != "authorised" || s.Energy != nil || s.Cost != nil || s.Start != nil {
			t.Errorf("approved, with a clock that was never set: %+v", s)
		}
	})
}

// A clock that is set later sets what was before, too.
func TestSinceFollowsTheClock(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, _ *Publisher, v *post, b *books) {
		begin := time.Now()
		v.set(hal.ClockUnknown, 0)
		pass(100 * time.Second)
		v.change(func(s *session.State) {
			v.set(hal.ClockSynced, 86_400)
			s.Latched |= session.Withdrawn
		})
		pass(10 * time.Second)
		v.change(func(s *session.State) { v.set(hal.ClockSynced, 2*86_400); s.Latched |= session.MeterSwap })
		pass(2 * time.Second)
		s := last[telemetry.State](t, b.take(), "evse/1/state")
		for code, want := range map[string]time.Duration{"USR-001": 48*time.Hour + 100*time.Second, "MET-002": 48*time.Hour + 110*time.Second} {
			for _, f := range s.Faults {
				if got := f.Since.Sub(begin); f.Code == code && (got < want-2*time.Second || got > want+2*time.Second) {
					t.Errorf("%s since %v: want %v", code, got, want)
				}
			}
		}
		if len(s.Faults) != 2 || s.State != "unavailable" {
			t.Errorf("%+v", s)
		}
	})
}

// What another profile has left at the broker does not stay there for the present.
func TestMinimalTakesAwayWhatItDoesNotTell(t *testing.T) {
	bubble(t, telemetry.Minimal, nil, func(t *testing.T, p *Publisher, v *post, b *books) {
		pass(5 * time.Second)
		all := b.take()
		for _, leaf := range []telemetry.Leaf{"evse/1/session", "evse/1/meter"} {
			if mine := under(all, leaf); len(mine) != 1 || mine[0].text != "" {
				t.Errorf("%s: %v", leaf, mine)
			}
		}
		p.Anew()
		v.charge(1)
		pass(time.Minute)
		if all := b.take(); len(under(all, "evse/1/session"))+len(under(all, "evse/1/meter")) > 0 {
			t.Errorf("told %s", leaves(all))
		}
	})
}
