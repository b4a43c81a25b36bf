package main

import (
	"encoding/json"
	"testing"

	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
)

// eventIn reads an event as a consumer does.
func eventIn(t *testing.T, m mqtt.Message) telemetry.Event {
	t.Helper()
	var e telemetry.Event
	if err := json.Unmarshal(m.Payload, &e); err != nil {
		t.Fatal(err)
	}
	return e
}
