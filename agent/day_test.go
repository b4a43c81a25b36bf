package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/cross/schema"
	"stolpe/hal/sim"
	"stolpe/payment/envelope"
)

// ear is what somebody at the broker has heard.
type ear struct {
	mu  sync.Mutex
	all []mqtt.Message
}

func (h *ear) hear(m mqtt.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, m)
}

func (h *ear) messages() []mqtt.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all
}

// Everything that a post publishes in a day of its life is in the schema, to the last
// member: charges, a car that pauses, a meter that falls silent, a broker that is
// restarted, and a program that is.
func TestADayFitsTheSchema(t *testing.T) {
	s, err := schema.ReadStrictly("..")
	if err != nil {
		t.Fatal(err)
	}
	var h ear
	inQuarter(t, func(q *quarter) {
		q.open()
		end := q.listen(h.hear, "stolpe/v1/#")
		q.start("standard")
		q.until(7 * time.Hour)
		q.charge(1, 90*time.Minute)
		q.until(10 * time.Hour)
		q.arrive(2)
		q.pass(20 * time.Minute)
		q.rig.Do(func(b *sim.Bench, now time.Duration) { b.Pause(now, true) })
		q.pass(10 * time.Minute)
		q.rig.Do(func(b *sim.Bench, now time.Duration) { b.Pause(now, false) })
		q.pass(time.Hour)
		q.leave(2)
		q.mute.Store(true)
		q.pass(10 * time.Minute)
		q.mute.Store(false)
		q.until(13 * time.Hour)
		end()
		q.lose()
		q.charge(3, 90*time.Minute)
		q.open()
		end = q.listen(h.hear, "stolpe/v1/#")
		q.until(18 * time.Hour)
		q.stop()
		q.start("standard")
		q.charge(4, 90*time.Minute)
		q.until(24 * time.Hour)
		q.stop()
		end()
	})
	kinds, types := map[string]int{}, map[string]int{}
	for _, m := range h.messages() {
		leaf := telemetry.Leaf(strings.TrimPrefix(m.Topic, envelope.Base("acme", "A12")))
		if err := s.Message(leaf, m.Payload); err != nil {
			t.Error(err)
		}
		kinds[schema.KindOf(leaf)]++
		if schema.KindOf(leaf) == "event" {
			types[eventIn(t, m).Type]++
		}
	}
	t.Log(kinds, types)
	for _, kind := range []string{"availability", "info", "health", "state", "price", "session", "meter", "event"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s was published", kind)
		}
	}
}
