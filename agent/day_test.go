package main

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/ledger"
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
	if testing.Short() {
		t.Skip("lives a day")
	}
	t.Parallel()
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
		q.orders()
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
	kinds, types, codes := map[string]int{}, map[string]int{}, []string{}
	for _, m := range h.messages() {
		leaf := telemetry.Leaf(strings.TrimPrefix(m.Topic, envelope.Base("acme", "A12")))
		if err := s.Message(leaf, m.Payload); (err == nil) == slices.Contains(misfits(), string(m.Payload)) {
			t.Errorf("%s: %v", m.Topic, err)
		}
		kinds[schema.KindOf(leaf)]++
		switch schema.KindOf(leaf) {
		case "event":
			types[eventIn(t, m).Type]++
		case "reply":
			var r commands.Reply
			if err := json.Unmarshal(m.Payload, &r); err != nil {
				t.Error(err)
			}
			codes = append(codes, string(r.Code))
		}
	}
	want := append(slices.Repeat([]string{"done"}, orders), "invalid", "invalid") // and a stranger is not answered
	if !slices.Equal(codes, want) {
		t.Errorf("commands were answered %v, want %v", codes, want)
	}
	for _, kind := range []string{"availability", "info", "health", "state", "price", "session", "meter", "event", "command", "reply"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s was published", kind)
		}
	}
	for _, typ := range []ledger.Kind{
		ledger.Sold, ledger.Informed, ledger.SessionCreated, ledger.SessionAuthorised, ledger.SessionStarted, ledger.SessionSuspended,
		ledger.SessionResumed, ledger.SessionEnded, ledger.FaultRaised, ledger.FaultCleared, ledger.CommandAccepted, ledger.CommandRefused,
		ledger.CommandDone, ledger.PostBooted,
	} {
		if types[string(typ)] == 0 {
			t.Errorf("there was no %s", typ)
		}
	}
}

// orders is how many of the commands below a post does.
const orders = 13

// orders has every command given that leaves the post as it is, and then some that are
// none.
func (q *quarter) orders() {
	q.t.Helper()
	for _, c := range []struct {
		name commands.Name
		evse int
		args string
	}{
		{commands.Identify, 1, `{"for_s":5}`}, {commands.Stop, 1, `{"session":"A12-1-000099"}`}, {commands.OutOfService, 0, `{"now":true}`}, {commands.InService, 0, ""},
		{commands.Selftest, 0, ""}, {commands.MessageSet, 0, `{"text":"Closed on Sunday","for_s":3600}`}, {commands.MessageSet, 0, `{"text":null}`},
		{commands.ConfigGet, 0, `{"keys":["post"]}`}, {commands.ConfigSet, 0, `{"do":"plan","set":{"post.name":"Storgata 2"}}`}, {commands.SettleRetry, 0, ""},
		{commands.PriceSet, 0, `{"kwh":559}`}, {commands.PriceSet, 0, `{"idle":{"minute":50}}`}, {commands.Replay, 0, `{"from":1}`},
		{commands.Stop, 7, ""}, {commands.ConfigGet, 3, ""},
	} {
		q.command(c.name, c.evse, c.args)
		q.pass(20 * time.Second)
	}
	for _, text := range misfits() {
		q.say()(mqtt.Message{Topic: envelope.Base("acme", "A12") + "cmd/stop", Payload: []byte(text)})
		q.pass(10 * time.Second)
	}
}

// misfits are commands that are none.
func misfits() []string { return []string{"{}\nno signature", "stop!"} }
