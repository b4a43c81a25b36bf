package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/mqtt"
	"stolpe/display/remote"
	"stolpe/payment"
	"stolpe/payment/envelope"
	"stolpe/payment/relay"
)

// maxNudges is how many nudges may wait for the loops. Chosen by us: one that is
// dropped is found out by asking, a little later.
const maxNudges = 16

// link is what a post and its gateways say to each other over the broker: orders go
// out and answers come back, pages ask, and the post tells what a gateway must know.
type link struct {
	up     *uplink
	key    envelope.Key
	client *relay.Client
	pages  *remote.Post // nil until the EVSEs are there
	ready  chan struct{}
	nudges chan payment.Ref
	log    *slog.Logger
}

// openLink prepares what asks the gateways.
func openLink(cfg config.Config, b *uplink, mono func() time.Duration, log *slog.Logger) (*link, error) {
	key, err := envelope.ParseKey(cfg.Gateway.Key.Reveal())
	if err != nil {
		return nil, cfg.Wrong("payment.gateway.key", "what is there", "the post's key as `stolpe-gateway key` prints it: "+err.Error())
	}
	l := &link{up: b, key: key, ready: make(chan struct{}, 1), nudges: make(chan payment.Ref, maxNudges), log: log}
	l.client = relay.NewClient(relay.ClientOptions{Publish: l.publish, Within: cfg.Gateway.Timeout, Mono: mono})
	return l, nil
}

// publish seals a message and hands it to the broker.
func (l *link) publish(ctx context.Context, leaf string, text []byte) error {
	return l.say(ctx, leaf, text, false)
}

func (l *link) say(ctx context.Context, leaf string, text []byte, retained bool) error {
	topic := l.up.base + leaf
	return l.up.conn.Publish(ctx, mqtt.Message{Topic: topic, Payload: l.key.Seal(topic, text), Retained: retained})
}

// take takes in a message. It never waits.
func (l *link) take(m mqtt.Message) {
	leaf, ours := strings.CutPrefix(m.Topic, l.up.base)
	if !ours || m.Retained { // what the broker keeps would be done again at each connection
		return
	}
	text, err := l.key.Open(m.Topic, m.Payload)
	if err == nil {
		err = l.pass(leaf, text)
	}
	if err != nil {
		l.log.Warn("a message is dropped", "leaf", leaf, "bytes", len(m.Payload), "err", err)
	}
}

func (l *link) pass(leaf string, text []byte) error {
	switch leaf {
	case relay.AnswerLeaf:
		return l.client.Take(text)
	case remote.AskLeaf:
		return l.pages.Take(text)
	case relay.NudgeLeaf:
		ref, err := relay.ReadNudge(text)
		if err != nil {
			return err
		}
		select {
		case l.nudges <- ref:
		default:
		}
		return nil
	}
	return errors.New("nothing is expected there")
}

// isReady lets everything be told anew.
func (l *link) isReady() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// join gives the gateways the post's EVSEs to look at and to ask for.
func (l *link) join(p *parts, cfg config.Config) {
	codes := map[int]string{}
	for _, e := range cfg.EVSEs {
		codes[e.ID] = e.Code
	}
	l.pages = remote.NewPost(remote.PostOptions{Posts: p, Info: cfg.Post, Codes: codes, Life: rand.Text(), Publish: l.publish, Log: l.log})
	p.jobs = append(p.jobs, l.pages.Run, func(ctx context.Context) { l.passNudges(ctx, p) })
	base, t := l.up.base, newTeller(l, p)
	l.up.add(use{
		filters: []string{base + relay.AnswerLeaf, base + relay.NudgeLeaf, base + remote.AskLeaf}, needed: true, take: l.take, ready: l.isReady,
		run: func(ctx context.Context) { l.run(ctx, t) },
	})
}

// run tells until ctx ends, and then how things stand at the end: whoever settles for
// vanished posts must not think that anything is open which is settled.
func (l *link) run(ctx context.Context, t *teller) {
	t.run(ctx)
	if l.up.connected() {
		t.tell(context.WithoutCancel(ctx))
	}
}

// passNudges tells the EVSEs of nudges until ctx ends.
func (l *link) passNudges(ctx context.Context, p *parts) {
	for {
		select {
		case ref := <-l.nudges:
			p.hint(ref)
		case <-ctx.Done():
			return
		}
	}
}

// viewLeaf and openLeaf are those of an EVSE.
func viewLeaf(evse int) string { return fmt.Sprintf("%s/%d", remote.ViewLeaf, evse) }
func openLeaf(evse int) string { return fmt.Sprintf("%s/%d", relay.OpenLeaf, evse) }
