package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/config/trial"
	"stolpe/agent/session"
	"stolpe/display"
)

// writes gives the post's file another text, and runsIt has the post go by the file.
func (x *bureau) writes(t *testing.T, old, with string) {
	t.Helper()
	text, err := os.ReadFile(x.file)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("no %q in it, %v", old, err)
	}
	if err := os.WriteFile(x.file, []byte(strings.Replace(string(text), old, with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (x *bureau) runsIt(t *testing.T) {
	t.Helper()
	cfg, err := config.Load(x.file)
	if err != nil {
		t.Fatal(err)
	}
	x.runs.Store(&cfg)
}

// saysNo says whether a deed was refused for that reason.
func saysNo(err error, code commands.Code, text string) bool {
	var no commands.Refusal
	return errors.As(err, &no) && no.Code == code && strings.Contains(no.Text, text)
}

func TestAPriceHoldsAtOnce(t *testing.T) {
	x := newBureau(t)
	x.runsIt(t)
	var told []string
	x.goes = func(now config.Config) { told = append(told, now.Sum) }
	sealed := 0 // how often the seal was looked at
	x.seals = func(config.Config) { sealed++ }
	a, err := x.reload(t.Context(), reloading{}, "kari")
	if err != nil || a.Text != "the post goes by it already" || x.noted != nil {
		t.Fatalf("%+v, %v", a, err)
	}
	x.a.charge(t, session.Charging)
	x.writes(t, "kwh: 549", "kwh: 600")
	if a, err = x.reload(t.Context(), reloading{}, "kari"); err != nil || a.Then != nil {
		t.Fatalf("%+v, %v", a, err)
	}
	if x.a.rules.Price.KWh != 600 || x.b.rules.Price.KWh != 600 || x.a.state.Charge.Price.KWh != 549 {
		t.Errorf("prices %d, %d; of the charge under way %d", x.a.rules.Price.KWh, x.b.rules.Price.KWh, x.a.state.Charge.Price.KWh)
	}
	if p := x.compare(); len(p.Changes) != 0 || p.Running != p.Sum || len(told) != 1 || told[0] != p.Sum || sealed != 1 || len(x.noted) != 1 {
		t.Errorf("%+v, told %v, noted %v", p, told, x.noted)
	}
}

// All of it or nothing: neither the price nor the rest while somebody charges, nor one
// EVSE without the other.
func TestNothingIsHalfApplied(t *testing.T) {
	x := newBureau(t)
	x.runsIt(t)
	x.a.charge(t, session.Charging)
	x.writes(t, "kwh: 549", "kwh: 600")
	x.writes(t, "id: DEMO, name: \"Storgata 1\"", "id: DEMO, name: \"Nyveien\"")
	x.writes(t, "max_power_w: 22000", "max_power_w: 11000")
	_, err := x.reload(t.Context(), reloading{}, "kari")
	if !saysNo(err, commands.Unsafe, "EVSE 1 is charging, and a restart would end that; nothing has been changed, as these keys take one: post.name, evses[0].max_power_w") {
		t.Fatal(err)
	}
	if x.a.rules.Price.KWh != 549 || x.restarts.Load() != 0 || x.noted != nil {
		t.Error("something has been changed")
	}
	x.writes(t, "Nyveien", "Storgata 1")
	x.writes(t, "max_power_w: 11000", "max_power_w: 22000")
	x.b.deaf = true
	if _, err := x.reload(t.Context(), reloading{}, "kari"); err == nil || !strings.Contains(err.Error(), "EVSE 2 has not taken the price") || x.a.rules.Price.KWh != 549 {
		t.Errorf("%v, EVSE 1 has %d", err, x.a.rules.Price.KWh)
	}
	if p := x.compare(); len(p.Changes) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestAReloadThatIsNotTaken(t *testing.T) {
	x := newBureau(t)
	x.runsIt(t)
	x.writes(t, "kwh: 549", "kwh: -1")
	if _, err := x.reload(t.Context(), reloading{}, "kari"); !saysNo(err, commands.Invalid, ":9: price.kwh: found -1") && !saysNo(err, commands.Invalid, ":8: price.kwh: found -1") {
		t.Error(err)
	}
	x.writes(t, "kwh: -1", "kwh: 600")
	text, err := os.ReadFile(x.file)
	if err != nil {
		t.Fatal(err)
	}
	try(t, x.file, text, append([]byte("# tried\n"), text...))
	if _, err := x.reload(t.Context(), reloading{}, "kari"); !saysNo(err, commands.Busy, "is on trial") {
		t.Error(err)
	}
	on, err := trial.Of(x.file)
	if err == nil {
		err = on.Confirm()
	}
	if err != nil {
		t.Fatal(err)
	}
	a, err := x.reload(t.Context(), reloading{Restart: true}, "kari")
	if err != nil || a.Then == nil || x.a.rules.Price.KWh != 549 {
		t.Fatalf("%+v, %v", a, err)
	}
	if a.Then(); x.restarts.Load() != 1 {
		t.Error("it has not started anew")
	}
}

// Whoever waits for a restart gets it when the last driver has gone, and a signal is heard
// at any time.
func TestAReloadWaitsForDrivers(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	x := newBureau(t)
	x.runsIt(t)
	synctest.Test(t, func(t *testing.T) {
		x.wait = make(chan reloading, 1)
		told := make(chan os.Signal, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go x.hear(told)(ctx)
		x.a.charge(t, session.Charging)
		x.writes(t, "Storgata 1", "Nyveien")
		for range 2 { // asking again is asking once
			if a, err := x.reload(ctx, reloading{Wait: true}, "kari"); err != nil || a.Then != nil || !strings.Contains(a.Text, "as soon as nobody charges: EVSE 1 is charging") {
				t.Errorf("%+v, %v", a, err)
			}
		}
		told <- syscall.SIGHUP // which is refused, and changes nothing of that
		time.Sleep(10 * time.Second)
		if x.restarts.Load() != 0 {
			t.Error("a charge was ended")
		}
		x.a.mu.Lock()
		x.a.state.Phase = session.Idle
		x.a.mu.Unlock()
		time.Sleep(2 * time.Second)
		if n := x.restarts.Load(); n != 1 {
			t.Errorf("%d restarts", n)
		}
		cancel()
		synctest.Wait()
	})
}

// What somebody waits for and what is refused when its time has come, as it would leave
// charges behind, is told of once, and done when they are settled.
func TestWhatIsRefusedWhenItsTimeHasComeIsTriedAgain(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	x, log := newBureau(t), new(paper)
	x.runsIt(t)
	x.log = slog.New(slog.NewTextHandler(log, nil))
	synctest.Test(t, func(t *testing.T) {
		x.wait = make(chan reloading, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go x.hear(nil)(ctx)
		x.a.charge(t, session.Charging)
		x.writes(t, "Storgata 1", "Nyveien")
		if a, err := x.reload(ctx, reloading{Wait: true}, "kari"); err != nil || a.Then != nil {
			t.Errorf("%+v, %v", a, err)
		}
		x.writes(t, secondEVSE, "")
		x.b.charge(t, session.Charging)
		x.b.step(session.Stopped{Why: display.ByDriver})
		x.b.passes(30 * time.Second)
		x.a.mu.Lock()
		x.a.state.Phase = session.Idle
		x.a.mu.Unlock()
		time.Sleep(10 * againIn)
		if n := strings.Count(log.String(), "is not taken into use"); n != 1 || x.restarts.Load() != 0 {
			t.Errorf("told %d times, %d restarts:\n%s", n, x.restarts.Load(), log)
		}
		x.b.mu.Lock()
		x.b.state.Debts = nil
		x.b.mu.Unlock()
		time.Sleep(2 * againIn)
		if n := x.restarts.Load(); n != 1 {
			t.Errorf("%d restarts when nothing is owed", n)
		}
		cancel()
		synctest.Wait()
	})
}

// Whoever asks for a start anew that no key asks for gets it too, when it has waited.
func TestARestartThatWasAskedForIsWaitedFor(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	x := newBureau(t)
	x.runsIt(t)
	synctest.Test(t, func(t *testing.T) {
		x.wait = make(chan reloading, 1)
		ctx, cancel := context.WithCancel(t.Context())
		x.a.charge(t, session.Charging)
		for _, how := range []reloading{{Restart: true, Wait: true}, {Wait: true}} { // the second is in effect already
			if _, err := x.reload(ctx, how, "kari"); err != nil {
				t.Error(err)
			}
		}
		go x.hear(nil)(ctx)
		time.Sleep(10 * time.Second)
		x.a.mu.Lock()
		x.a.state.Phase = session.Idle
		x.a.mu.Unlock()
		time.Sleep(2 * time.Second)
		if n := x.restarts.Load(); n != 1 {
			t.Errorf("%d restarts", n)
		}
		cancel()
		synctest.Wait()
	})
}

func TestAnotherSealIsSeen(t *testing.T) {
	kari := sealMemory{Key: "k", By: "kari"}
	for _, c := range []struct {
		m    sealMemory
		now  config.Commissioning
		want string
	}{
		{sealMemory{}, config.Commissioning{}, ""}, {sealMemory{}, config.Commissioning{Key: "k"}, ""}, {kari, config.Commissioning{Key: "k", By: "kari"}, ""},
		{kari, config.Commissioning{}, "the seal that kari made has been taken off without its PIN"},
		{kari, config.Commissioning{Key: "o", By: "ola"}, "ola has sealed it anew, without the PIN of the seal that kari made"},
	} {
		if got := sealTrouble(c.m, c.now); got != c.want {
			t.Errorf("%+v, %+v: %q", c.m, c.now, got)
		}
	}
}

// A configuration without an EVSE that has charges to settle is not gone by: nobody would
// settle them.
func TestNoChargeIsLeftBehind(t *testing.T) {
	x := newBureau(t)
	x.runsIt(t)
	x.writes(t, secondEVSE, "")
	if err := x.loads(); err != nil {
		t.Errorf("nothing is owed: %v", err)
	}
	x.b.charge(t, session.Stopping)
	for _, how := range []reloading{{}, {Wait: true}, {Restart: true}} {
		if a, err := x.reload(t.Context(), how, "kari"); !saysNo(err, commands.Unsafe, "1 of EVSE 2 of post DEMO") {
			t.Errorf("%+v: %+v, %v", how, a, err)
		}
	}
	if err := x.loads(); !saysNo(err, commands.Unsafe, "would never be") {
		t.Error(err)
	}
	other := *x.runs.Load()
	other.EVSEs = append(other.EVSEs[:1:1], config.EVSE{ID: 2})
	if err := x.leaves(other); err != nil {
		t.Errorf("with EVSE 2: %v", err)
	}
	moved := other
	if moved.StateDir += "/elsewhere"; !saysNo(x.leaves(moved), commands.Unsafe, "their journals are not in the state_dir that the configuration names: 1 of EVSE 2 of post DEMO;") {
		t.Error("nobody would find the journal there")
	}
	if other.Post.ID = "B7"; !saysNo(x.leaves(other), commands.Unsafe, ": 1 of EVSE 2 of post DEMO;") {
		t.Error("the journal of post DEMO is not that of post B7")
	}
}
