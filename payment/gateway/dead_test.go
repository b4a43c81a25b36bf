package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"stolpe/payment"
	"stolpe/payment/relay"
	"stolpe/payment/sim"
)

// TestVanishedPostIsSettledFor lets a post vanish in the middle of a charge, has an
// operator settle for it, and lets it come back: it finds that done, takes nothing
// more, and serves on.
func TestVanishedPostIsSettledFor(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: real programs and a real broker")
	}
	t.Parallel()
	s := newStreet(t, 1, 0)
	ref := payment.NewRef(postID(0), 1, 1)
	session := s.startCharge(0)
	s.untilPage("something is due", session, func(page string) bool {
		return strings.Contains(page, `<body class="charge"`)
	})
	var out bytes.Buffer
	list := func() (got owingJSON) {
		out.Reset()
		if code := run([]string{"open", "--json", "--config", s.desk}, &out, &out); code != 0 {
			t.Fatalf("open: %d\n%s", code, &out)
		}
		if out.Len() > 0 {
			must(t, json.Unmarshal(out.Bytes(), &got))
		}
		return got
	}
	pause(15 * time.Second) // a checkpoint is told with something due in it
	s.posts[0].freeze()
	var got owingJSON
	for late := time.Now().Add(2 * time.Minute); got.Ref == "" && time.Now().Before(late); {
		got = list() // until the broker has noticed
	}
	if got.Ref != ref || got.Due <= 0 || got.Due > limit || got.Ended || got.Post != postID(0) {
		t.Fatalf("open: %+v: want %s with something due\n%s", got, ref, s.posts[0].log)
	}
	out.Reset()
	if code := run([]string{"settle", "--config", s.desk, string(ref)}, &out, &out); code != exitRefused || !strings.Contains(out.String(), "--yes") {
		t.Errorf("without --yes: %d\n%s", code, &out)
	}
	if f := s.found(ref); f.Taken != 0 {
		t.Fatalf("taken without --yes: %+v", f)
	}
	out.Reset()
	if code := run([]string{"settle", "--config", s.desk, "--post", "acme/" + postID(0), "--yes"}, &out, &out); code != 0 {
		t.Fatalf("settle: %d\n%s", code, &out)
	}
	if f := s.found(ref); f.Taken != got.Due || f.Left() != 0 || f.Freed != limit-got.Due {
		t.Errorf("%+v: want %v taken and the rest released", f, got.Due)
	}
	before := s.calls()
	s.posts[0].thaw()
	s.untilPage("the post has found it settled", session, func(page string) bool {
		return strings.Contains(page, `<body class="done"`) && !strings.Contains(page, " data-live=")
	})
	if f := s.found(ref); f.Taken != got.Due {
		t.Errorf("%v taken when the post is back: want %v as before", f.Taken, got.Due)
	}
	t.Logf("%v due of %v; %d calls when it came back", got.Due, payment.Amount(limit), s.calls()-before)
	if session := s.startCharge(0); session == "" {
		t.Error("it serves nobody afterwards")
	}
}

// The rule settles for posts that have been silent for longer than it says, and for no
// others.
func TestRuleKnowsWhoIsDead(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	d := newDeadPosts(new(units), slog.New(slog.DiscardHandler))
	d.now = func() time.Time { return now }
	open := []payment.Open{{Ref: "A12-1-000001", Currency: payment.NOK, Limit: 1000, Due: 500}}
	say := func(post string, at time.Time) {
		t.Helper()
		mine := append([]payment.Open(nil), open...)
		mine[0].Ref = payment.NewRef(post, 1, 1)
		must(t, d.state("acme", post, "1", relay.Statement(at, mine)))
	}
	say("ALIVE", now.Add(-100*time.Hour))
	d.reach("acme", "ALIVE", true)
	say("GONE", now.Add(-100*time.Hour))
	d.reach("acme", "GONE", false)
	say("LATELY", now.Add(-2*time.Hour))
	d.reach("acme", "LATELY", false)
	say("TIMELESS", time.Time{})
	d.reach("acme", "TIMELESS", false)
	must(t, d.state("acme", "SETTLED", "1", relay.Statement(now.Add(-100*time.Hour), nil)))
	silent := func() map[string]time.Duration {
		m := map[string]time.Duration{}
		for _, o := range d.owed() {
			m[o.post] = o.silent
		}
		return m
	}
	got := silent()
	if len(got) != 3 || got["GONE"] != 99*time.Hour || got["LATELY"] != time.Hour || got["TIMELESS"] != 0 {
		t.Errorf("%v: want GONE for 99 h, LATELY for 1 h, and TIMELESS from now on", got)
	}
	now = now.Add(48 * time.Hour)
	if got := silent(); got["TIMELESS"] != 48*time.Hour || d.owed()[0].post != "GONE" {
		t.Errorf("%v: want TIMELESS for 48 h, and the longest first", got)
	}
	d.reach("acme", "GONE", true)
	d.reach("acme", "GONE", false)
	if got := silent()["GONE"]; got != 0 {
		t.Errorf("GONE for %v: want none, as it was there a moment ago", got)
	}
	must(t, d.state("acme", "GONE", "1", nil))
	if _, there := silent()["GONE"]; there {
		t.Error("a post that was removed owes something")
	}
	if err := d.state("acme", "EVIL", "1", relay.Statement(now, open)); err == nil {
		t.Error("a post speaks of another's payments")
	}
	d.settleAll(context.Background(), time.Hour) // no unit has them: nothing happens, and nothing panics
}

// found is what the payment service has.
func (s *street) found(ref payment.Ref) (f payment.Found) {
	s.till.Do(func(now time.Duration, b *sim.Book) { f, _ = b.Get(now, ref) })
	return f
}

// startCharge asks for a charge, as soon as the post serves anybody.
func (s *street) startCharge(n int) (session string) {
	s.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(2 * time.Minute); session == "" && time.Now().Before(late); <-tick.C {
		session = s.ask(s.gateways[0].pages, postID(n))
	}
	return session
}

// untilPage looks at a page until it is as wanted.
func (s *street) untilPage(what, session string, as func(page string) bool) {
	s.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(3 * time.Minute); ; <-tick.C {
		page, _ := s.do("GET", s.gateways[0].pages+session, nil)
		if as(page) {
			return
		}
		if time.Now().After(late) {
			s.t.Fatalf("%s: not in 3 minutes; the page says\n%s\n%s", what, page, s.posts[0].log)
		}
	}
}
