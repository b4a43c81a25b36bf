package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// begun is what a door sees of a request that was agreed to.
func begun(p display.Pass, n uint64, at time.Duration) evse.Moment {
	m := evse.Moment{Event: session.Requested{Pass: p}, Now: hal.Instant{Mono: at}}
	m.Before.Counter, m.After.Counter = n-1, n
	return m
}

func TestThePassChangesWithEveryRequest(t *testing.T) {
	d, seen := newDoor(), map[display.Pass]bool{}
	for n := range uint64(1000) {
		p := d.shown()
		if got, ok := display.ParsePass(string(p)); !ok || got != p || seen[p] {
			t.Fatalf("request %d: the display shows %q, shown before: %v", n, p, seen[p])
		}
		seen[p] = true
		d.Saw(begun(p, n+1, time.Duration(n)*time.Hour))
	}
	p := d.shown()
	refused, ticked := begun(p, 7, 0), begun(p, 8, 0)
	refused.After.Counter--
	ticked.Event = session.Ticked{}
	d.Saw(refused)
	d.Saw(ticked)
	if d.shown() != p {
		t.Error("it changes although nobody has begun")
	}
	if one, other := newDoor(), newDoor(); one.shown() == other.shown() {
		t.Error("two starts of the program show the same pass")
	}
}

// Whoever has begun may try again for a while, as long as nobody else has begun meanwhile.
func TestTheOldPassIsTakenForAWhile(t *testing.T) {
	d := newDoor()
	mine := d.shown()
	d.Saw(begun(mine, 1, time.Hour))
	theirs := d.shown()
	for at, want := range map[time.Duration]bool{time.Hour: true, time.Hour + oldPass - 1: true, time.Hour + oldPass: false, 24 * time.Hour: false} {
		if got := d.admits(mine, at); got != want || !d.admits(theirs, at) {
			t.Errorf("at %v the old pass is taken: %v, and the new one: %v", at, got, d.admits(theirs, at))
		}
	}
	d.Saw(begun(mine, 2, time.Hour+time.Minute)) // it was refused by the bank, and is tried again
	if d.admits(theirs, time.Hour+time.Minute) || !d.admits(mine, time.Hour+oldPass-1) || d.admits(mine, time.Hour+oldPass) {
		t.Error("trying again changes how long the old pass is taken, or keeps one that nobody has")
	}
	d.Saw(begun(d.shown(), 3, time.Hour+2*time.Minute))
	if d.admits(mine, time.Hour+2*time.Minute) {
		t.Error("somebody else has begun, and the old pass is taken")
	}
	last := d.shown()
	d.Saw(begun(last, 4, 2*time.Hour))
	d.Saw(begun("", 5, 2*time.Hour)) // the button
	if d.admits(last, 2*time.Hour) || d.admits("", 2*time.Hour) || d.admits("000000", 2*time.Hour) {
		t.Error("after the button, a pass is taken that nobody can have")
	}
}

// A post with a door asks for the pass, in whatever way a request comes; who has begun
// is not asked again, and nobody else's right depends on a pass.
func TestARequestNeedsThePass(t *testing.T) {
	kept := charge(session.Charging)
	p, _ := shop(kept)
	p.doors = map[string]*door{"A12": newDoor()}
	if v, _ := p.Public("A12"); !v.Pass {
		t.Error("the pages do not know of it")
	}
	stranger := display.Request{Holder: payment.Holder{9}}
	for _, pass := range []display.Pass{"", "7F3K9Q"} {
		stranger.Pass = pass
		if err := p.Request(t.Context(), "A12", stranger); !errors.Is(err, display.ErrPass) {
			t.Errorf("with the pass %q: %v", pass, err)
		}
	}
	if err := p.Request(t.Context(), "A12", display.Request{Holder: driver}); err != nil {
		t.Errorf("who has begun asks again: %v", err)
	}
	p.doors = nil
	if v, _ := p.Public("A12"); v.Pass {
		t.Error("a post without such a display asks for a pass")
	}
}

// The code on the display has the pass while nobody charges, and leads nowhere where the
// pages have no address.
func TestWhereTheCodeOnTheDisplayLeads(t *testing.T) {
	for _, x := range []struct {
		phase session.Phase
		pages string
		door  bool
		want  string
	}{
		{session.Idle, "", true, ""},
		{session.Idle, "https://lad.example.no", false, "https://lad.example.no/A12"},
		{session.Charging, "https://lad.example.no", true, "https://lad.example.no/A12"},
		{session.Idle, "https://lad.example.no", true, "https://lad.example.no/A12/"},
	} {
		p, _ := shop(charge(x.phase))
		p.pages = x.pages
		want := x.want
		if x.door {
			p.doors = map[string]*door{"A12": newDoor()}
		}
		if x.door && x.phase == session.Idle && x.pages != "" {
			want += string(p.doors["A12"].shown())
		}
		if got := p.link("A12"); got != want || p.link("B7") != "" {
			t.Errorf("%+v: it leads to %q, want %q", x, got, want)
		}
	}
}

// A display that fails keeps nobody from charging: while none shows the pass, none is
// needed.
func TestADisplayThatFailsKeepsNobodyOut(t *testing.T) { synctest.Test(t, keepsNobodyOut) }

func keepsNobodyOut(t *testing.T) {
	p, v := shop(session.Kept{})
	d := newDoor()
	p.doors = map[string]*door{"A12": d}
	var well [2]bool
	for i := range well {
		d.shows = append(d.shows, func() bool { return well[i] })
	}
	fill(v) // so that a request that is let in is not answered
	for _, well = range [][2]bool{{true, true}, {false, true}, {false, false}, {true, false}} {
		needed := well[0] || well[1]
		if view, _ := p.Public("A12"); view.Pass != needed {
			t.Errorf("displays well: %v, and the pages say that a pass is needed: %v", well, view.Pass)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // nobody waits
		if err := p.Request(ctx, "A12", display.Request{Holder: payment.Holder{9}}); errors.Is(err, display.ErrPass) != needed {
			t.Errorf("displays well: %v: %v", well, err)
		}
	}
}
