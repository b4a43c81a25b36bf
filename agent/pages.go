package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"stolpe/agent/config"
	pdf "stolpe/display/paper"
	"stolpe/display/web"
)

// openPages opens the driver's pages, or lets the gateways have them. What it gives
// serves until its context ends.
func (p *parts) openPages(cfg config.Config, pay purse, log *slog.Logger) (func(context.Context) error, error) {
	if pay.link != nil {
		p.pages = cfg.Gateway.Pages
		pay.link.join(p, cfg)
		log.Info("serving", "post", cfg.Post.ID, "tenant", cfg.Tenant, "pages", "at the gateways", "broker", cfg.MQTT.URL, "version", version)
		return func(ctx context.Context) error { <-ctx.Done(); return nil }, nil
	}
	listener, err := net.Listen("tcp", cfg.Web.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w; %s", err, perhapsDaemon)
	}
	if err != nil {
		return nil, notNow(cfg.Wrong("web.listen", cfg.Web.Listen, "an address that is free: "+err.Error()))
	}
	p.pages = publicURL(cfg, listener)
	pages, err := web.New(p, web.Options{PublicURL: p.pages, Log: log, PDF: pdf.Receipt})
	if err != nil {
		return nil, err
	}
	handler, err := p.receiveHooks(cfg, pay.client, pages, log)
	if err != nil {
		return nil, err
	}
	log.Info("serving", "post", cfg.Post.ID, "tenant", cfg.Tenant, "pages", publicURL(cfg, listener), "listen", listener.Addr(), "version", version)
	return func(ctx context.Context) error { return web.Serve(ctx, listener, handler) }, nil
}

// publicURL is where phones find the pages.
func publicURL(cfg config.Config, l net.Listener) string {
	if cfg.Web.PublicURL != "" {
		return cfg.Web.PublicURL
	}
	return "http://" + l.Addr().String()
}
