package main

import (
	"strings"
	"testing"
	"time"

	"stolpe/agent/mqtt"
	"stolpe/cross/schema"
)

// Home Assistant is told at each connection and whenever it has started itself, and the
// broker keeps nothing of it once that is turned off, or goes under another prefix.
func TestHomeAssistantIsToldAndTakenBack(t *testing.T) {
	t.Parallel()
	s, err := schema.ReadStrictly("..")
	if err != nil {
		t.Fatal(err)
	}
	const on = ", home_assistant: {discovery: true"
	var h ear
	inQuarter(t, func(q *quarter) {
		q.open()
		end := q.listen(h.hear, "homeassistant/#", "ha/#")
		told := func(after string, want ...string) {
			t.Helper()
			var got []string
			for _, m := range h.messages() {
				if !strings.HasSuffix(m.Topic, "/config") {
					continue
				}
				what := "empty"
				if len(m.Payload) > 0 {
					what = "full"
					if err := s.Check("discovery", m.Payload); err != nil {
						t.Error(err)
					}
				}
				got = append(got, m.Topic+" "+what)
			}
			if strings.Join(got, ", ") != strings.Join(want, ", ") {
				t.Errorf("%s: told %q, want %q", after, got, want)
			}
		}
		const topic = "/device/stolpe-acme_A12/config"
		q.start("frugal")
		told("when it is off")
		q.stop()
		q.extra = on + "}"
		q.start("frugal")
		want := []string{"homeassistant" + topic + " full"}
		told("when it is on", want...)

		speak := q.say()
		speak(mqtt.Message{Topic: "homeassistant/status", Payload: []byte("offline")})
		q.pass(10 * time.Second)
		speak(mqtt.Message{Topic: "homeassistant/status", Payload: []byte("online"), Retained: true}) // as some are set up
		q.pass(10 * time.Second)
		want = append(want, want[0])
		told("when it has started", want...)

		q.stop()
		q.extra = on + ", prefix: ha}"
		q.start("frugal")
		want = append(want, "homeassistant"+topic+" empty", "ha"+topic+" full")
		told("under another prefix", want...)
		q.stop()
		q.extra = ""
		q.start("frugal")
		want = append(want, "ha"+topic+" empty")
		told("when it is off again", want...)
		q.stop()
		q.start("frugal")
		told("and at the next start", want...)
		end()
	})
}
