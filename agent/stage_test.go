package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/display/web"
	"stolpe/payment/sim"
)

// performance is a post in the demo's world: the whole program but for main, as
// fast as the machine allows.
type performance struct {
	*stage
	log *paper
}

// perform starts one. The words change its configuration (old, new, ...), and
// change what surrounds it.
func perform(t *testing.T, change func(*world), words ...string) *performance {
	t.Helper()
	return performBeside(t, "test", 600, change, nil, words...)
}

// performBeside starts one whose configuration stands in a file, so many times as fast as
// life, with more beside its EVSEs.
func performBeside(t *testing.T, file string, speed int, change func(*world), beside func(config.Config, world, *parts), words ...string) *performance {
	t.Helper()
	cfg, err := config.Parse(file, strings.NewReader(strings.NewReplacer(words...).Replace(demoConfig)), config.System)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{demoOptions: demoOptions{speed: speed, once: true, json: true}, cfg: cfg, lasts: chargeFor, beats: make(pulse, 1)}
	s.clock.Step(time.Second)
	p := &performance{stage: s, log: new(paper)}
	log := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	jobs, stop := context.WithCancel(context.Background())
	if s.till, err = serveTill(jobs, sim.Options{Now: s.clock.Now, Log: log}); err != nil {
		t.Fatal(err)
	}
	payments, err := s.payments(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := s.world(log, &showcase{out: io.Discard, quiet: true})
	if change != nil {
		change(&w)
	}
	if s.parts, err = open(cfg, w, payments); err != nil {
		t.Fatal(err)
	}
	if beside != nil {
		beside(cfg, w, s.parts)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = publicURL(cfg, listener)
	s.parts.pages = s.url
	pages, err := web.New(s.parts, web.Options{PublicURL: s.url, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	go s.passTime(jobs)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- together(ctx, jobs, stop, s.parts, func(ctx context.Context) error { return web.Serve(ctx, listener, pages) })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.parts.Close(); err != nil {
			t.Error(err)
		}
		if err := s.till.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// charge drives one charge as the unattended driver does.
func (p *performance) charge(t *testing.T) (outcome, error) {
	t.Helper()
	var printed paper
	if err := p.driveOnce(t.Context(), &printed); printed.String() == "" {
		return outcome{}, err
	} else {
		return decode(t, printed.String()), err
	}
}
