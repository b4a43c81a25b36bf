package main

import (
	"context"
	"log/slog"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/doctor"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/systemd"
)

// whenTold tells whoever waits for it that the post ends, once it is told to. What it gives
// waits until that is said, or calls it off.
func whenTold(told context.Context, log *slog.Logger) (end func()) {
	said := make(chan struct{})
	calledOff := context.AfterFunc(told, func() {
		defer close(said)
		log.Info("told to end; settling first", "within", grace)
		if err := systemd.Stopping(); err != nil {
			log.Warn("service manager does not listen", "err", err)
		}
	})
	return func() {
		if !calledOff() {
			<-said
		}
	}
}

// started tells whoever waits for it that the post has started, and without what.
func (o origin) started(cfg config.Config, lacks []doctor.Lack, pages []any, log *slog.Logger) {
	if o.without != nil {
		o.without(lacks)
	}
	if o.goes != nil {
		o.goes(cfg)
	}
	if pages != nil { // said now, as whoever reads it comes by all the sockets
		log.Info("serving", slices.Concat([]any{"post", cfg.Post.ID, "tenant", cfg.Tenant}, pages, []any{"version", version})...)
	}
	if err := systemd.Ready(); err != nil {
		log.Warn("service manager does not listen", "err", err)
	}
}

// managerEvery is how often the line in systemctl status is looked after. Chosen by us:
// whoever types that waits for nothing, and it is looked at a few times in a post's life.
const managerEvery = 5 * time.Second

// tellManager keeps the line that systemctl status shows about the post.
func (p *parts) tellManager(d *deeds, log *slog.Logger) func(context.Context) {
	return func(ctx context.Context) {
		tick := time.NewTicker(managerEvery)
		defer tick.Stop()
		for said := ""; ; {
			if now := p.oneLine(d.units); now != said {
				said = now
				if err := systemd.Status(now); err != nil {
					log.Warn("service manager does not listen", "err", err)
					return
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// oneLine says how the EVSEs are, and what is missing.
func (p *parts) oneLine(units []unit) string {
	var words []string
	for _, v := range units {
		s, now, _ := v.Snapshot()
		word := v.Rules().Code + " " + strings.ToLower(string(display.EN.Words().States[v.Rules().View(&s, now).State]))
		if code := s.Faults().Code(); code != "" && s.Phase == session.Idle {
			word += " (" + code + ")"
		}
		words = append(words, word)
	}
	if all := p.lacking(true); len(all) > 0 {
		words = append(words, names(all))
	}
	return strings.Join(words, ", ")
}

// outliveReaders lets the program go on when whoever reads what it says has gone before it,
// as the log does at a shutdown: Go ends a program that writes to such a pipe otherwise.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }
