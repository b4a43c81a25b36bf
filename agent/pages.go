package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"

	"stolpe/agent/config"
	pdf "stolpe/display/paper"
	"stolpe/display/web"
)

// openPages opens the driver's pages, or lets the gateways have them. What it gives
// serves until its context ends.
func (p *parts) openPages(cfg config.Config, pay purse, log *slog.Logger) (func(context.Context) error, error) {
	nobody := func(ctx context.Context) error { <-ctx.Done(); return nil }
	if pay.link != nil {
		p.pages = cfg.Gateway.Pages
		pay.link.join(p, cfg)
		p.serving = []any{"pages", "at the gateways", "broker", cfg.MQTT.URL}
		return nobody, nil
	}
	if pay.mute && cfg.Payment.Through == config.ThroughGateway {
		return nobody, nil // the gateways are not told of a post that cannot ask them
	}
	listener, err := net.Listen("tcp", cfg.Web.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w; %s", err, perhapsDaemon)
	}
	if err != nil {
		p.pages = cfg.Web.PublicURL
		p.withoutPages(cfg.Web.Listen, err, log)
		return nobody, nil
	}
	p.pages = publicURL(cfg, listener)
	pages, err := web.New(p, web.Options{PublicURL: p.pages, Log: log, PDF: pdf.Receipt})
	if err != nil {
		return nil, err
	}
	handler := http.Handler(pages)
	if !pay.mute {
		if handler, err = p.receiveHooks(cfg, pay.client, pages, log); err != nil {
			return nil, err
		}
	}
	p.serving = []any{"pages", p.pages, "listen", listener.Addr()}
	return func(ctx context.Context) error { return web.Serve(ctx, listener, handler) }, nil
}

// publicURL is where phones find the pages.
func publicURL(cfg config.Config, l net.Listener) string {
	if cfg.Web.PublicURL != "" {
		return cfg.Web.PublicURL
	}
	return "http://" + l.Addr().String()
}
