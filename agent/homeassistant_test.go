package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stolpe/agent/config"
	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
)

// Home Assistant is told while that is wanted, under one topic, and whatever it was told
// is taken back when it is not.
func TestHomeAssistantIsToldAndToldNoMore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var said []string
	var broken error
	start := func(ha config.HomeAssistant) *announcer {
		c := config.Config{StateDir: dir, Tenant: "acme", Telemetry: config.Telemetry{HomeAssistant: ha}}
		c.Post.ID, c.MQTT.URL = "A12", "mqtt://127.0.0.1:1"
		up, err := new(parts).openUplink(c, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		a := openAnnouncer(c, up, telemetry.Info{Post: "A12", Tenant: "acme"}, slog.New(slog.DiscardHandler))
		if a != nil {
			a.publish = func(_ context.Context, m mqtt.Message) error {
				if broken == nil {
					said = append(said, fmt.Sprintf("%s %v %v", m.Topic, m.Retained, len(m.Payload) > 0))
				}
				return broken
			}
		}
		return a
	}
	told := func(name string, a *announcer, want ...string) {
		t.Helper()
		said = nil
		if err := a.tell(t.Context()); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.Join(said, ", "); got != strings.Join(want, ", ") {
			t.Errorf("%s: said %s: want %s", name, got, strings.Join(want, ", "))
		}
	}
	if start(config.HomeAssistant{Prefix: "ha"}) != nil {
		t.Error("one that was never wanted says something")
	}
	const here, there = "ha/device/stolpe-acme_A12/config", "homes/device/stolpe-acme_A12/config"
	a := start(config.HomeAssistant{Discovery: true, Prefix: "ha"})
	told("first", a, here+" true true")
	told("again", a, here+" true true")
	broken = errors.New("away")
	told("away", start(config.HomeAssistant{Discovery: true, Prefix: "homes"}))
	broken = nil
	told("elsewhere", start(config.HomeAssistant{Discovery: true, Prefix: "homes"}), here+" true false", there+" true true")
	off := start(config.HomeAssistant{Prefix: "homes"})
	told("no more", off, there+" true false")
	told("no more, again", off)
	if start(config.HomeAssistant{}) != nil {
		t.Error("it is taken back twice")
	}
	if _, err := os.Stat(filepath.Join(dir, "home-assistant")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the note is still there: %v", err)
	}
}
