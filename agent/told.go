package main

import (
	"context"
	"log/slog"

	"stolpe/agent/config"
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

// started tells whoever waits for it that the post has started.
func (o origin) started(cfg config.Config, log *slog.Logger) {
	if o.goes != nil {
		o.goes(cfg)
	}
	if err := systemd.Ready(); err != nil {
		log.Warn("service manager does not listen", "err", err)
	}
}
