package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"stolpe/agent/mqtt"
	"stolpe/display/remote"
	"stolpe/payment"
	"stolpe/payment/envelope"
	"stolpe/payment/relay"
)

// sharing is the subscription that gateways share: each asking goes to one of them.
// The group has a name that only gateways know. Brokers look at who may hear a message
// when they deliver it: a post that joined the group would hear nothing, and what was
// its turn would be lost.
func sharing(master envelope.Key) string {
	const enough = 16 // hex digits that nobody guesses
	return "$share/" + master.Of("", "group of gateways").Hex()[:enough] + "/" + envelope.Root + "+/+/" + relay.AskLeaf
}

// traffic carries messages between the broker and those who understand them. It is
// the one place that knows topics and seals: what goes on from here is known to come
// from the post in whose name it is passed on.
type traffic struct {
	id    string // of this gateway
	key   envelope.Key
	conn  *mqtt.Conn
	relay *relay.Server
	pages *remote.Gateway
	dead  *deadPosts
	log   *slog.Logger

	figures *figures

	mu     sync.Mutex
	warned map[string]bool // places whose broken seals have been told
}

// filters are what a gateway listens to.
func filters(id string, master envelope.Key) []string {
	any := envelope.Root + "+/+/"
	return []string{
		any + envelope.AvailabilityLeaf, any + remote.PostLeaf, any + remote.ViewLeaf + "/+", any + relay.OpenLeaf + "/+",
		any + remote.AnswerLeaf + "/" + id, sharing(master),
	}
}

// note takes in what commands need: who is there, and what is open.
func (t *traffic) note(m mqtt.Message) {
	tenant, post, leaf, ok := envelope.Split(m.Topic)
	name, evse, _ := cutLast(leaf)
	switch {
	case !ok:
	case leaf == envelope.AvailabilityLeaf:
		t.dead.reach(tenant, post, string(m.Payload) == envelope.Online)
	case name == relay.OpenLeaf:
		if text, err := t.unsealed(tenant, post, m); err == nil {
			t.dead.state(tenant, post, evse, text) //nolint:errcheck // what cannot be read is not there
		}
	}
}

// unsealed checks the seal of a message. An empty retained one is that of a place that
// is no more, and has no seal.
func (t *traffic) unsealed(tenant, post string, m mqtt.Message) ([]byte, error) {
	if len(m.Payload) == 0 {
		return nil, nil
	}
	return t.key.Of(tenant, post).Open(m.Topic, m.Payload)
}

// take takes in a message. It never waits.
func (t *traffic) take(m mqtt.Message) {
	tenant, post, leaf, ok := envelope.Split(m.Topic)
	if !ok {
		return
	}
	if leaf == envelope.AvailabilityLeaf {
		there := string(m.Payload) == envelope.Online
		t.pages.Reach(tenant, post, there)
		t.dead.reach(tenant, post, there)
		return
	}
	if err := t.pass(tenant, post, leaf, m); err != nil {
		t.figures.odd.Inc()
		t.log.Warn("a message is dropped", "tenant", tenant, "post", post, "leaf", leaf, "bytes", len(m.Payload), "err", err)
	}
}

// pass checks the seal of a message and passes it on.
func (t *traffic) pass(tenant, post, leaf string, m mqtt.Message) error {
	text, err := t.unsealed(tenant, post, m)
	if err != nil {
		t.broken(tenant, post, leaf)
		return nil
	}
	name, last, _ := cutLast(leaf)
	switch {
	case leaf == relay.AskLeaf:
		if m.Retained { // what is kept by the broker would be asked again and again
			return errors.New("kept by the broker")
		}
		t.relay.Take(tenant, post, text)
		return nil
	case leaf == remote.PostLeaf:
		return t.pages.Meet(tenant, post, text)
	case name == remote.ViewLeaf:
		evse, err := strconv.Atoi(last)
		if err != nil || len(text) == 0 {
			return err
		}
		return t.pages.See(tenant, post, evse, text)
	case name == relay.OpenLeaf:
		return t.dead.state(tenant, post, last, text)
	case name == remote.AnswerLeaf:
		return t.pages.Hear(tenant, post, text)
	}
	return errors.New("nothing is expected there")
}

func cutLast(leaf string) (name, last string, ok bool) {
	i := strings.LastIndexByte(leaf, '/')
	if i < 0 {
		return "", leaf, false
	}
	return leaf[:i], leaf[i+1:], true
}

// broken counts a broken seal, and tells of it once for each place: anybody who may
// publish there could fill the log.
func (t *traffic) broken(tenant, post, leaf string) {
	t.figures.forged.Inc()
	t.mu.Lock()
	defer t.mu.Unlock()
	place := tenant + "/" + post
	if t.warned == nil {
		t.warned = map[string]bool{}
	}
	if t.warned[place] || len(t.warned) >= maxWarned {
		return
	}
	t.warned[place] = true
	t.log.Warn("a message without the post's seal is dropped; is payment.gateway.key the one of this post? (stolpe-gateway key)", "tenant", tenant, "post", post, "leaf", leaf)
}

// maxWarned is for how many places it is remembered that a broken seal was told.
// Chosen by us.
const maxWarned = 10_000

// publish seals a message for a post and hands it to the broker.
func (t *traffic) publish(ctx context.Context, tenant, post, leaf string, text []byte) error {
	topic := envelope.Base(tenant, post) + leaf
	return t.conn.Publish(ctx, mqtt.Message{Topic: topic, Payload: t.key.Of(tenant, post).Seal(topic, text)})
}

// nudge tells a post that something has happened to a payment.
func (t *traffic) nudge(ctx context.Context, tenant string, ref payment.Ref) {
	if err := t.publish(ctx, tenant, ref.Post(), relay.NudgeLeaf, relay.Nudge(ref)); err != nil {
		t.log.Info("a nudge is lost; the post will find out by asking", "ref", ref, "err", err)
	}
}
