package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"stolpe/agent/config"
	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/payment/envelope"
)

// homeAssistant tells Home Assistant what there is to see of the post, where that is
// wanted, and takes it back where it is wanted no more.
type homeAssistant struct {
	cfg     config.Config
	seen    telemetry.HomeAssistant
	publish func(context.Context, mqtt.Message) error
	log     *slog.Logger
}

// seenFromHome is what Home Assistant is told of.
func (p *parts) seenFromHome(cfg config.Config, birth telemetry.Info) telemetry.HomeAssistant {
	h := telemetry.HomeAssistant{
		Prefix: cfg.Telemetry.HomeAssistant.Prefix, Base: envelope.Base(cfg.Tenant, cfg.Post.ID), Offline: envelope.AvailabilityLeaf,
		Info: birth, Currency: cfg.Price.Currency, Streams: cfg.Telemetry.Profile.Pace().Charging > 0,
	}
	for _, e := range cfg.EVSEs {
		if !p.units[e.Code].Rules().NoPlug {
			h.Plugs = append(h.Plugs, e.ID)
		}
	}
	return h
}

// heedHome has everything told again when Home Assistant has started.
func (p *parts) heedHome(cfg config.Config, b *uplink, again func()) {
	if !cfg.Telemetry.HomeAssistant.Discovery {
		return
	}
	b.add(use{filters: []string{telemetry.HomeAssistant{Prefix: cfg.Telemetry.HomeAssistant.Prefix}.Birth()}, take: func(m mqtt.Message) {
		if string(m.Payload) == telemetry.Born && !m.Retained { // at each connection it is told anyway
			again()
		}
	}})
}

// noted is the file that says under which topic the broker keeps what was told.
func (h homeAssistant) noted() string { return filepath.Join(h.cfg.StateDir, "home-assistant.topic") }

// tell tells it, or takes back what was told under another prefix, or before it was
// turned off.
func (h homeAssistant) tell(ctx context.Context) error {
	topic := ""
	if h.cfg.Telemetry.HomeAssistant.Discovery {
		topic = h.seen.Topic()
	}
	was, err := os.ReadFile(h.noted())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.log.Warn("home assistant: nobody knows what it was told before", "err", err)
	}
	if string(was) != topic && len(was) > 0 {
		if err := h.publish(ctx, mqtt.Message{Topic: string(was), Retained: true}); err != nil {
			return err
		}
	}
	if string(was) != topic {
		h.note(topic)
	}
	if topic == "" {
		return nil
	}
	return h.publish(ctx, mqtt.Message{Topic: topic, Payload: h.seen.Message(), Retained: true})
}

// note writes down where it is told, before it is.
func (h homeAssistant) note(topic string) {
	err := os.Remove(h.noted())
	if topic != "" {
		err = os.WriteFile(h.noted(), []byte(topic), 0o600)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.log.Warn("home assistant: what it is told will not be taken back when that is turned off", "err", err)
	}
}
