package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/hal/sim"
	"stolpe/payment"
)

func TestPublicURLIsTheConfiguredOne(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := publicURL(config.Config{Web: config.Web{PublicURL: "https://lad.example.no"}}, l); got != "https://lad.example.no" {
		t.Errorf("%q", got)
	}
	if got := publicURL(config.Config{}, l); got != "http://"+l.Addr().String() {
		t.Errorf("%q", got)
	}
}

// dull is a meter that does not answer, a contactor that is open, a payment
// service that nobody reaches, and a disk that takes everything.
type dull struct{}

func (dull) Read(context.Context) (hal.Reading, error) { return hal.Reading{}, sim.ErrSilent }
func (dull) Set(hal.Position) error                    { return nil }
func (dull) Sense() (hal.Position, error)              { return hal.Open, nil }
func (dull) Save(session.Kept) error                   { return nil }
func (dull) Ask(context.Context, payment.Order) (payment.Answer, error) {
	return payment.Answer{}, nil
}

// indebted is a post with a payment that cannot be settled, so that its loop takes
// all the grace it is given. For a bubble.
func indebted() *parts {
	began := time.Now()
	now := func() hal.Instant { return hal.Instant{Mono: time.Since(began) + time.Second} }
	rules := &session.Rules{Post: "A12", EVSE: 1, Code: "A12", NoPlug: true, Limits: session.DefaultLimits()}
	kept := session.Kept{Counter: 7, Debts: []session.Debt{{Charge: session.Charge{Number: 7, Holder: driver, Limit: 35000}}}}
	v := evse.New(evse.Parts{
		Rules: rules, State: rules.Recover(kept, session.Whole, now()), Meter: dull{}, Contactor: dull{}, Payments: dull{}, Journal: dull{},
		Now: now, Every: time.Second, Grace: grace, Log: slog.New(slog.DiscardHandler),
	})
	return &parts{posts: posts{units: map[string]*evse.EVSE{"A12": v}}}
}

// A driver whose charge is being settled can follow it to the end.
func TestPagesAreServedUntilTheLoopsHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		jobs, stop := context.WithCancel(context.WithoutCancel(ctx))
		time.AfterFunc(time.Minute, cancel)
		began := time.Now()
		var served, left time.Duration
		var fed []time.Duration // when the watchdog was, as no loop does any more
		p := indebted()
		p.left = func() { left = time.Since(began) }
		p.feed = func() { fed = append(fed, time.Since(began)) }
		p.jobs = append(p.jobs, func(ctx context.Context) { <-ctx.Done(); time.Sleep(5 * feedEvery) })
		err := together(ctx, jobs, stop, p, func(ctx context.Context) error {
			<-ctx.Done()
			served = time.Since(began)
			return nil
		})
		if err != nil || served != time.Minute+grace || left != served {
			t.Errorf("%v, served for %v, want %v; left after %v", err, served, time.Minute+grace, left)
		}
		if len(fed) < 5 || fed[0] < left {
			t.Errorf("the watchdog was fed at %v, while a display needed %v more", fed, 5*feedEvery)
		}
	})
}

// When the pages fail, the loops settle and end, and the error is told.
func TestPagesThatFailEndTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs, stop := context.WithCancel(t.Context())
		broken := errors.New("no more sockets")
		began := time.Now()
		err := together(t.Context(), jobs, stop, indebted(), func(context.Context) error { return broken })
		if !errors.Is(err, broken) || time.Since(began) != grace {
			t.Errorf("%v, after %v", err, time.Since(began))
		}
	})
}

func TestPagesThatFailAtTheEndAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		jobs, stop := context.WithCancel(context.WithoutCancel(ctx))
		cancel()
		broken := errors.New("an answer could not be finished")
		err := together(ctx, jobs, stop, indebted(), func(ctx context.Context) error {
			<-ctx.Done()
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
	})
}

func TestLogHasNoTimeOfItsOwn(t *testing.T) {
	var log paper
	l := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	l.WithGroup("meter").Info("read", "time", "12:41")
	if got := log.String(); got != "level=INFO msg=read meter.time=12:41\n" {
		t.Errorf("%q", got)
	}
}
