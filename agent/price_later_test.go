package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/hal"
)

// A price holds from its time on, not before and once; also if the program has been
// started anew meanwhile, if somebody has thought better of it, and if it could not be
// set at first.
func TestPriceHoldsFromItsTimeOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards what follows
		var set []string
		fail, clock := false, hal.ClockSynced
		locked := func(f func()) { mu.Lock(); defer mu.Unlock(); f() }
		log := new(paper)
		d := &deeds{dir: t.TempDir(), log: slog.New(slog.NewTextHandler(log, nil)), now: func() hal.Instant {
			mu.Lock()
			defer mu.Unlock()
			return hal.Instant{Wall: hal.Stamp{Unix: time.Now().Unix(), Clock: clock}}
		}}
		begin := time.Now()
		open := func() (*later, func()) {
			l := openLater(d, world{})
			l.set = func(_ context.Context, c commands.Command) (commands.Answer, error) {
				mu.Lock()
				defer mu.Unlock()
				if fail {
					return commands.Answer{}, errors.New("on trial")
				}
				set = append(set, strings.Join([]string{time.Since(begin).String(), c.Issuer, string(c.Args)}, " "))
				return commands.Answer{}, nil
			}
			l.note = func(e ledger.Entry) error {
				locked(func() { set = append(set, string(e.Kind)+" "+e.Command.Issuer) })
				return nil
			}
			ctx, cancel := context.WithCancel(t.Context())
			over := make(chan struct{})
			go func() { defer close(over); l.run(ctx) }()
			return l, func() { cancel(); <-over }
		}
		at := func(d time.Duration, by string) *laterPrice {
			return &laterPrice{At: begin.Add(d).Unix(), By: by, Args: json.RawMessage(`{"kwh":490}`)}
		}
		keep := func(l *later, p *laterPrice) {
			if err := l.keep(p); err != nil {
				t.Fatal(err)
			}
		}
		l, end := open()
		keep(l, at(time.Hour, "per"))
		keep(l, at(90*time.Second, "kari")) // takes its place
		time.Sleep(30 * time.Second)
		end()
		l, end = open()
		time.Sleep(59 * time.Second)
		locked(func() {
			if len(set) != 0 {
				t.Errorf("before its time: %v", set)
			}
		})
		time.Sleep(3 * time.Hour)
		keep(l, at(4*time.Hour, "kari"))
		keep(l, nil)
		time.Sleep(3 * time.Hour)
		locked(func() { fail = true })
		keep(l, at(7*time.Hour, "ann"))
		time.Sleep(2 * time.Hour)
		locked(func() { fail = false })
		time.Sleep(time.Minute)
		locked(func() { clock = hal.ClockUnknown })
		keep(l, at(time.Hour, "nobody"))
		time.Sleep(time.Hour)
		end()
		want := []string{
			"command.accepted kari", `1m30s kari {"kwh":490}`, "command.done kari",
			"command.accepted ann", "command.done ann", `8h1m29s ann {"kwh":490}`, "command.done ann",
		}
		for i, got := range set { // when it is tried again is not to the second
			if strings.HasPrefix(got, "8h") {
				set[i] = "8h1m29s" + got[strings.Index(got, " "):]
			}
		}
		if !slices.Equal(set, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(set, "\n"), strings.Join(want, "\n"))
		}
		if n := strings.Count(log.String(), "on trial"); n != 1 {
			t.Errorf("told %d times:\n%s", n, log)
		}
		if l.waits() == nil {
			t.Error("what has no time yet is forgotten")
		}
	})
}

// What cannot hold later is refused at once.
func TestPriceForLaterIsChecked(t *testing.T) {
	x := newBureau(t)
	_, err := x.ask(t, "price/cancel", ``)
	notDone(t, err, control.NotFound, "no price waits for its time")
	for args, with := range map[string]string{
		`{"kwh":490,"at":"2020-01-01T00:00:00Z"}`: "want a time from now on",
		`{"kwh":490,"at":"2040-01-01T00:00:00Z"}`: "within a year",
		`{"kwh":490,"at":"soon"}`:                 "arguments: ",
		`{"at":"2027-02-01T00:00:00Z"}`:           "at least one part of the price",
		`{"kwh":-1,"at":"2027-02-01T00:00:00Z"}`:  "price.kwh",
		`{"kw":1,"at":"2027-02-01T00:00:00Z"}`:    "unknown field",
	} {
		_, err := x.ask(t, "price/set", args)
		notDone(t, err, control.Invalid, with)
	}
	file := filepath.Join(x.dir, laterFile)
	if _, err := os.Stat(file); err == nil {
		t.Error("something waits")
	}
	a, err := x.ask(t, "price/set", `{"kwh":490,"at":"2027-02-01T00:00:00+01:00"}`)
	if err != nil || a.Text != "for charges from 2027-01-31 23:00 on" || x.a.rules.Price.KWh != 549 {
		t.Errorf("%+v, %v: now %v", a, err, x.a.rules.Price.KWh)
	}
	l := &local{deeds: x.deeds, later: x.later}
	for role, by := range map[control.Role]string{control.Viewer: "", control.Technician: "local:kari"} {
		shown, err := l.showPrice(t.Context(), control.Caller{Role: role}, nil)
		p, _ := shown.(shownPrice)
		if err != nil || p.KWh != 549 || p.Next == nil || p.Next.Price.KWh != 490 || p.Next.Since != "2027-01-31T23:00:00Z" || p.Next.By != by {
			t.Errorf("%v: %+v, %v", role, shown, err)
		}
	}
	if _, err := x.ask(t, "price/cancel", ``); err != nil || x.later.waits() != nil {
		t.Errorf("%v: %+v", err, x.later.waits())
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if openLater(x.deeds, world{}).waits() != nil {
		t.Error("what cannot be read waits")
	}
}

// Whoever is told that the price stays as it is is not charged another one: a price that is
// being set at that moment is set, and its cancelling finds none.
func TestPriceIsSetOrForgotten(t *testing.T) {
	x := newBureau(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	l := openLater(x.deeds, world{})
	x.later = l
	set := 0
	l.set = func(context.Context, commands.Command) (commands.Answer, error) {
		set++
		begun <- struct{}{}
		<-goOn
		return commands.Answer{}, nil
	}
	p := &laterPrice{At: 1, By: "kari", Args: json.RawMessage(`{"kwh":490}`)}
	if err := l.keep(p); err != nil {
		t.Fatal(err)
	}
	go l.take(t.Context(), p, "")
	<-begun
	over := make(chan error)
	go func() { _, err := x.ask(t, "price/cancel", ``); over <- err }()
	select {
	case err := <-over:
		t.Fatalf("cancelled while it is being set: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(goOn)
	notDone(t, <-over, control.NotFound, "no price waits")

	if err := l.keep(p); err != nil {
		t.Fatal(err)
	}
	if _, err := x.ask(t, "price/cancel", ``); err != nil {
		t.Error(err)
	}
	if wrong := l.take(t.Context(), p, ""); wrong != "" || set != 1 {
		t.Errorf("%q; set %d times, want nothing of what is forgotten", wrong, set)
	}
}
