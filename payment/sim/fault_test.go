package sim

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script sets the faults of the requests that follow.
func (c *client) script(text string) {
	c.t.Helper()
	f, err := ParseFaults(text)
	if err != nil {
		c.t.Fatal(err)
	}
	c.till.SetFaults(f)
}

// held makes an approved payment.
func held(t *testing.T, o Options) *client {
	t.Helper()
	c := newClient(t, o)
	c.create("r1", createText)
	if got := c.approve(); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.raw)
	}
	return c
}

func TestFaultsOverTheWire(t *testing.T) {
	const none, taken = "AUTHORIZED 35000 0 0 0", "AUTHORIZED 35000 6808 0 0"
	for _, row := range []struct {
		fault  string
		status int    // 0: the connection breaks
		code   string // of the API
		now    string // the payment straight after
		later  string // the payment 45 s after
	}{
		{"ok", 200, "", taken, taken},
		{"request-lost", 0, "", none, none},
		{"answer-lost", 0, "", taken, taken},
		{"late 45s", 0, "", none, taken},
		{"late 46s", 0, "", none, none},
		{"5xx", 500, "3010", none, none},
		{"5xx-applied", 500, "3010", taken, taken},
		{"429", 429, "", none, none},
		{"busy", 400, "6280", none, none},
		{"slow 1ms", 200, "", taken, taken},
		{"code 6280", 400, "6280", none, none},
		{"code 6160", 409, "6160", none, none},
		{"code 3010", 500, "3010", none, none},
		{"401", 401, "", none, none},
		{"403", 403, "", none, none},
		{"423", 423, "", none, none},
		{"502", 502, "", none, none},
		{"503", 503, "", none, none},
		{"html", 502, "", none, none},
	} {
		t.Run(row.fault, func(t *testing.T) {
			c := held(t, Options{})
			c.script("capture: " + row.fault)
			got := c.post(string(ref)+"/capture", "c1", takeText)
			if got.status != row.status || got.code() != row.code || (got.status == 0) != (got.err != nil) {
				t.Errorf("answer %d %v %s, want %d %s", got.status, got.err, got.raw, row.status, row.code)
			}
			if now := c.get(string(ref)).sums(); now != row.now {
				t.Errorf("then %s, want %s", now, row.now)
			}
			c.clock.pass(45 * time.Second)
			if later := c.get(string(ref)).sums(); later != row.later {
				t.Errorf("later %s, want %s", later, row.later)
			}
			// Whatever happened: the same key again, and the money is taken once.
			c.clock.pass(time.Minute)
			if again := c.post(string(ref)+"/capture", "c1", takeText); again.status != 200 || again.sums() != taken {
				t.Errorf("again: %d %s", again.status, again.raw)
			}
			c.clock.pass(time.Hour)
			if end := c.get(string(ref)).sums(); end != taken {
				t.Errorf("in the end %s", end)
			}
		})
	}
}

func TestEveryCallCanFail(t *testing.T) {
	for _, row := range []struct {
		call string
		ask  func(*client) answer
	}{
		{"create", func(c *client) answer { return c.create("r1", createText) }},
		{"get", func(c *client) answer { return c.get(string(ref)) }},
		{"events", func(c *client) answer { return c.get(string(ref) + "/events") }},
		{"capture", func(c *client) answer { return c.post(string(ref)+"/capture", "c1", takeText) }},
		{"cancel", func(c *client) answer { return c.post(string(ref)+"/cancel", "", "") }},
		{"refund", func(c *client) answer { return c.post(string(ref)+"/refund", "f1", giveText) }},
		{"approve", func(c *client) answer { return c.approve() }},
		{"token", func(c *client) answer { return c.do(c.request("POST", "/accesstoken/get", "")) }},
	} {
		t.Run(row.call, func(t *testing.T) {
			c := held(t, Options{})
			c.script(row.call + ": request-lost, 5xx, 429 7s, busy")
			if got := row.ask(c); got.err == nil {
				t.Errorf("request lost, and yet answered %d", got.status)
			}
			if got := row.ask(c); got.status != 500 {
				t.Errorf("5xx: %d %s", got.status, got.raw)
			}
			if got := row.ask(c); got.status != 429 || got.header.Get("Retry-After") != "7" {
				t.Errorf("429: %d %v", got.status, got.header)
			}
			want := map[string]int{"refund": 409, "capture": 400, "cancel": 400}[row.call]
			if want == 0 {
				want = 423
			}
			if got := row.ask(c); got.status != want {
				t.Errorf("busy: %d %s, want %d", got.status, got.raw, want)
			}
		})
	}
}

// A refusal with a code is the provider's word, so the key keeps it. That is what
// makes a client that repeats itself visible.
func TestScriptedRefusalSticksToItsKey(t *testing.T) {
	c := held(t, Options{})
	c.script("capture: code 6260")
	for range 2 {
		if got := c.post(string(ref)+"/capture", "c1", takeText); got.status != 400 || got.code() != "6260" {
			t.Errorf("%d %s", got.status, got.raw)
		}
	}
	if got := c.post(string(ref)+"/capture", "c2", takeText); got.status != 200 {
		t.Errorf("a new key: %d %s", got.status, got.raw)
	}
	c.clock.pass(time.Minute)
	c.script("capture: code 6260; create: code 5080; refund: code 5100; cancel: code 6250; get: code 5090")
	c.post(string(ref)+"/capture", "c2", takeText)
	if got := c.post(string(ref)+"/capture", "c2", takeText); got.status != 200 {
		t.Errorf("a key that had its effect: %d %s", got.status, got.raw)
	}
	other := strings.Replace(createText, "000001", "000002", 1)
	for range 2 {
		if got := c.create("r2", other); got.code() != "5080" {
			t.Errorf("create: %d %s", got.status, got.raw)
		}
	}
	if got := c.create("r3", other); got.status != 201 {
		t.Errorf("create with a new key: %d %s", got.status, got.raw)
	}
	for _, want := range []int{400, 200} {
		if got := c.post(string(ref)+"/cancel", "", "{}"); got.status != want {
			t.Errorf("cancel, which has no key: %d, want %d", got.status, want)
		}
	}
	for _, want := range []int{404, 200} {
		if got := c.get(string(ref)); got.status != want {
			t.Errorf("get: %d, want %d", got.status, want)
		}
	}
}

func TestPageOfSomeProxyIsNoJSON(t *testing.T) {
	c := newClient(t, Options{})
	c.script("get: html")
	if got := c.get(string(ref)); got.header.Get("Content-Type") != "text/html" || !strings.HasPrefix(got.raw, "<html>") || got.body != nil {
		t.Errorf("%v %s", got.header, got.raw)
	}
}

func TestLateCreateStillAsksThePayer(t *testing.T) {
	c := newClient(t, Options{Payer: Payer{Approves, 5 * time.Second}})
	c.script("create: late 1m")
	if got := c.create("r1", createText); got.err == nil {
		t.Fatalf("answered %d", got.status)
	}
	c.clock.pass(59 * time.Second)
	if got := c.get(string(ref)); got.status != 404 {
		t.Errorf("before it arrives: %d %s", got.status, got.raw)
	}
	c.clock.pass(time.Hour)
	if got := c.get(string(ref)); got.sums() != "AUTHORIZED 35000 0 0 0" {
		t.Errorf("after: %s", got.raw)
	}
	c.till.Do(func(now time.Duration, b *Book) {
		events := b.Events(now, ref)
		made, approved := events[0].At, events[1].At
		if made != time.Hour+time.Minute || approved != made+5*time.Second {
			t.Errorf("made at %v, approved at %v", made, approved)
		}
	})
}

// heard is a log handler that tells of every line with a given message.
type heard struct {
	slog.Handler
	message string
	tell    chan struct{}
}

func (h heard) Handle(_ context.Context, r slog.Record) error {
	if r.Message == h.message {
		h.tell <- struct{}{}
	}
	return nil
}

func (h heard) Enabled(context.Context, slog.Level) bool { return true }

func TestSlowAnswerHasItsEffectFirst(t *testing.T) {
	told := make(chan struct{}, 100)
	c := held(t, Options{Log: slog.New(heard{message: "till: answer", tell: told})})
	for len(told) > 0 {
		<-told
	}
	c.script("capture: slow 10s")
	ctx, giveUp := context.WithCancel(t.Context())
	r := c.request("POST", "/epayment/v1/payments/"+string(ref)+"/capture", takeText)
	r.Header.Set("Idempotency-Key", "c1")
	failed := make(chan error, 1)
	go func() {
		w, err := c.http.Do(r.WithContext(ctx))
		if err == nil {
			w.Body.Close()
		}
		failed <- err
	}()
	<-told // the effect is there, the answer is not
	if got := c.get(string(ref)).sums(); got != "AUTHORIZED 35000 6808 0 0" {
		t.Errorf("while the answer is held back: %s", got)
	}
	giveUp()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the answer was not held back: %v", err)
	}
}

func TestAnswersAreHeldBackForSoLongOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for asked, want := range map[time.Duration]time.Duration{time.Second: time.Second, time.Hour: MaxSlow} {
			began := time.Now()
			hold(t.Context(), asked)
			if took := time.Since(began); took != want {
				t.Errorf("held %v for %v, want %v", asked, took, want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		hold(ctx, time.Second)
		if took := time.Since(began); took != 0 {
			t.Errorf("held for %v with nobody waiting", took)
		}
	})
}

func TestRandomFaultsNeverCostTwice(t *testing.T) {
	c := held(t, Options{})
	next, err := ParseFaults("random: rate 0.7 seed 3")
	if err != nil {
		t.Fatal(err)
	}
	c.till.SetFaults(func(call Call) Fault {
		f := next(call)
		if f.Kind == Slow {
			f.Wait = time.Millisecond // real time, of which a test has little
		}
		return f
	})
	for n := 0; ; n++ {
		if n == 1000 {
			t.Fatal("a thousand tries, and never an answer")
		}
		c.clock.pass(15 * time.Second)
		if c.post(string(ref)+"/capture", "c1", takeText).status == 200 && c.get(string(ref)).status == 200 {
			break
		}
	}
	c.clock.pass(time.Hour)
	c.till.Do(func(now time.Duration, b *Book) {
		if f, p := b.Get(now, ref); p != nil || f.Taken != 6808 || f.Left() != 35000-6808 {
			t.Errorf("%+v %+v", f, p)
		}
	})
}

func TestTillKeepsOnlySoMuchForLater(t *testing.T) {
	till := NewTill(Options{})
	ran := 0
	for range maxQueue + 10 {
		till.later(0, func(time.Duration) { ran++ })
	}
	till.Tick(0)
	if ran != maxQueue {
		t.Errorf("%d deeds, want %d", ran, maxQueue)
	}
}

func TestDeedsHappenInOrder(t *testing.T) {
	till := NewTill(Options{Now: func() time.Duration { return 0 }})
	var got []int
	note := func(n int) func(time.Duration) { return func(time.Duration) { got = append(got, n) } }
	till.later(3, note(4))
	till.later(1, note(1))
	till.later(2, func(at time.Duration) {
		note(2)(at)
		till.later(at, note(3)) // before what is due after it, though scheduled last
	})
	till.later(3, note(5)) // as late as another, but scheduled after it
	till.later(9, note(9))
	till.Tick(5)
	for i, n := range got {
		if n != i+1 {
			t.Fatalf("order %v", got)
		}
	}
	if len(got) != 5 {
		t.Errorf("%v", got)
	}
	till.Do(func(now time.Duration, _ *Book) {
		if now != 5 {
			t.Errorf("time went back to %v", now)
		}
	})
}
