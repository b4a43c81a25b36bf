package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"stolpe/agent/config"
	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/payment/envelope"
)

// announcer tells a Home Assistant at the broker what there is to see of the post, and
// takes that back when it is no longer wanted. The broker keeps it, so the post writes
// down under which topic it has told it.
type announcer struct {
	publish func(context.Context, mqtt.Message) error
	file    string // says the topic
	told    string // what stands there
	topic   string // where it is to be told; "" for nowhere
	birth   string // where Home Assistant says that it has started
	text    []byte
	log     *slog.Logger
}

// openAnnouncer makes one; nil if there is nothing to tell or to take back.
func openAnnouncer(cfg config.Config, up *uplink, info telemetry.Info, log *slog.Logger) *announcer {
	a := &announcer{publish: up.conn.Publish, file: filepath.Join(cfg.StateDir, "home-assistant"), log: log}
	if ha := cfg.Telemetry.HomeAssistant; ha.Discovery {
		t := telemetry.HomeAssistant{
			Prefix: ha.Prefix, Base: up.base, Offline: envelope.AvailabilityLeaf, Info: info, Currency: cfg.Price.Currency, Streams: cfg.Telemetry.Profile.Pace().Charging > 0,
		}
		for _, e := range cfg.EVSEs {
			if e.Inputs.Plug != "" {
				t.Plugs = append(t.Plugs, e.ID)
			}
		}
		a.topic, a.birth, a.text = t.Topic(), t.Birth(), t.Message()
	}
	b, err := os.ReadFile(a.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("where Home Assistant was told of the post cannot be read; it may go on showing it", "err", err)
	}
	a.told = strings.TrimSpace(string(b))
	if a.topic == "" && a.told == "" {
		return nil
	}
	return a
}

// tell tells it, after it has been taken back where it was told otherwise.
func (a *announcer) tell(ctx context.Context) error {
	if a.told != a.topic {
		if a.told != "" {
			if err := a.publish(ctx, mqtt.Message{Topic: a.told, Retained: true}); err != nil {
				return err
			}
		}
		if err := a.note(); err != nil {
			a.log.Warn("where Home Assistant is told of the post cannot be written down; it may go on showing it", "err", err)
		}
		a.told = a.topic
	}
	if a.topic == "" {
		return nil
	}
	return a.publish(ctx, mqtt.Message{Topic: a.topic, Payload: a.text, Retained: true})
}

// note writes down where it is told, before it is.
func (a *announcer) note() error {
	if a.topic == "" {
		return os.Remove(a.file)
	}
	return replace(a.file, []byte(a.topic+"\n"), 0o600)
}
