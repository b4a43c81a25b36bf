package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/display"
	"stolpe/payment"
	till "stolpe/payment/sim"
	"stolpe/payment/vipps"
)

// purse is the way to the money. Only openPayments and openPages know which one it is.
type purse struct {
	evse.Payments
	client *vipps.Client // of the payment service itself; nil where a gateway is asked
	link   *link         // to the gateways; nil where there are none
	mute   bool          // nobody can be asked before the post is started anew
	close  func() error
}

// openPurse opens the way to the money, and tells which of its secrets are missing.
func (p *parts) openPurse(ctx context.Context, cfg config.Config, w world, b *uplink, from origin) (purse, error) {
	for _, m := range from.missing {
		p.withoutSecret(m, from.given, w.log)
	}
	return openPayments(ctx, cfg, w, b, from.missing)
}

// unpayable says why nobody can be asked for money.
func unpayable(cfg config.Config, b *uplink, missing []missingSecret) error {
	switch {
	case len(missing) > 0:
		return fmt.Errorf("%s: %w", missing[0].key, missing[0].err)
	case b == nil && cfg.Payment.Through == config.ThroughGateway:
		return errors.New("nobody vouches for the broker, so the gateways behind it are not asked")
	}
	return nil
}

// openPayments opens the way to the money, without these secrets.
func openPayments(ctx context.Context, cfg config.Config, w world, b *uplink, missing []missingSecret) (purse, error) {
	done := func() error { return nil }
	if why := unpayable(cfg, b, missing); why != nil {
		return purse{Payments: unasked{why}, mute: true, close: done}, nil
	}
	access := access(cfg)
	switch cfg.Payment.Through {
	case config.ThroughGateway:
		l, err := openLink(cfg, b, w.mono, w.log)
		if err != nil {
			return purse{}, failed(err)
		}
		return purse{Payments: l.client, link: l, close: done}, nil
	case config.ThroughSim:
		t, err := openTill(ctx, cfg, w.log)
		if err != nil {
			return purse{}, failed(err)
		}
		t.into(&access)
		done = t.Close
	}
	client, err := vipps.New(access)
	if err != nil {
		return purse{}, failed(cfg.Wrong("payment.vipps", "these keys", err.Error()))
	}
	return purse{Payments: client, client: client, close: done}, nil
}

// openTill starts the payment service inside the program.
func openTill(ctx context.Context, cfg config.Config, log *slog.Logger) (*simulated, error) {
	payer, err := till.ParsePayer(string(cfg.Payment.Sim.Payer))
	if err != nil {
		return nil, cfg.Wrong("payment.sim.payer", string(cfg.Payment.Sim.Payer), err.Error())
	}
	payer.After = cfg.Payment.Sim.After
	return serveTill(ctx, till.Options{Payer: payer, Log: log})
}

// access is what the payment service wants to know of whoever asks.
func access(cfg config.Config) vipps.Config {
	v := cfg.Payment.Vipps
	return vipps.Config{
		BaseURL: v.BaseURL, MSN: v.MSN, ClientID: v.ClientID.Reveal(), ClientSecret: v.ClientSecret.Reveal(),
		SubscriptionKey: v.SubscriptionKey.Reveal(), SystemName: "stolpe", SystemVersion: version,
		Description: description(cfg), Push: cfg.Payment.Push,
	}
}

// description is what a payer reads in the app.
func description(cfg config.Config) func(payment.Terms) string {
	l := display.LangOf(cfg.Price.Currency)
	return func(t payment.Terms) string { return l.Reservation(t.EVSE, cfg.Post.Name) }
}
