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

// link is a post's connection to its gateways: orders go out over it and answers come
// back, pages ask over it, and it tells what a gateway must know of the post.
type link struct {
	conn   *mqtt.Conn
	key    envelope.Key
	base   string // of the post's topics, with a slash at the end
	client *relay.Client
	pages  *remote.Post // nil until the EVSEs are there
	ready  chan struct{}
	nudges chan payment.Ref
	log    *slog.Logger
}

// openLink prepares the connection; it is made when run is called.
func openLink(cfg config.Config, mono func() time.Duration, log *slog.Logger) (*link, error) {
	key, err := envelope.ParseKey(cfg.Gateway.Key.Reveal())
	if err != nil {
		return nil, cfg.Wrong("payment.gateway.key", "what is there", "the post's key as `stolpe-gateway key` prints it: "+err.Error())
	}
	l := &link{key: key, base: envelope.Base(cfg.Tenant, cfg.Post.ID), ready: make(chan struct{}, 1), nudges: make(chan payment.Ref, maxNudges), log: log}
	m := cfg.MQTT
	o := mqtt.Options{
		URL: m.URL, ClientID: cfg.Post.ID, Log: log, Handle: l.take, Ready: l.isReady, Retry: m.Retry,
		Will:    &mqtt.Message{Topic: l.base + envelope.AvailabilityLeaf, Payload: []byte(envelope.Offline), Retained: true},
		Filters: []string{l.base + relay.AnswerLeaf, l.base + relay.NudgeLeaf, l.base + remote.AskLeaf},
	}
	if m.Cert != "" {
		if o.TLS, err = mqtt.TLS(m.CA, m.Cert, m.Key); err != nil {
			return nil, cfg.Wrong("mqtt", "these files", "a certificate of the post with its key, and the authority's: "+err.Error())
		}
	}
	if l.conn, err = mqtt.New(o); err != nil {
		return nil, cfg.Wrong("mqtt.url", m.URL, err.Error())
	}
	l.client = relay.NewClient(relay.ClientOptions{Publish: l.publish, Within: cfg.Gateway.Timeout, Mono: mono})
	return l, nil
}

// publish seals a message and hands it to the broker.
func (l *link) publish(ctx context.Context, leaf string, text []byte) error {
	return l.say(ctx, leaf, text, false)
}

func (l *link) say(ctx context.Context, leaf string, text []byte, retained bool) error {
	topic := l.base + leaf
	return l.conn.Publish(ctx, mqtt.Message{Topic: topic, Payload: l.key.Seal(topic, text), Retained: retained})
}

// take takes in a message. It never waits.
func (l *link) take(m mqtt.Message) {
	leaf, ours := strings.CutPrefix(m.Topic, l.base)
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
func (l *link) isReady(ctx context.Context) {
	l.log.Info("connected to the broker")
	select {
	case l.ready <- struct{}{}:
	default:
	}
	<-ctx.Done()
}

// join gives the gateways the post's EVSEs to look at and to ask for.
func (l *link) join(p *parts, cfg config.Config) {
	codes := map[int]string{}
	for _, e := range cfg.EVSEs {
		codes[e.ID] = e.Code
	}
	l.pages = remote.NewPost(remote.PostOptions{Posts: p, Info: cfg.Post, Codes: codes, Life: rand.Text(), Publish: l.publish, Log: l.log})
	p.jobs = append(p.jobs, l.pages.Run, func(ctx context.Context) { l.passNudges(ctx, p) }, func(ctx context.Context) { l.run(ctx, newTeller(l, p)) })
}

// run keeps the connection until ctx ends. Before it takes leave it tells how things
// stand at the end: whoever settles for vanished posts must not think that anything is
// open which is settled.
func (l *link) run(ctx context.Context, t *teller) {
	live, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.conn.Run(live); err != nil {
			l.log.Error("the connection to the broker has ended; charges under way go on, and settle after a restart", "err", err)
		}
	}()
	t.run(ctx)
	if l.conn.Connected() {
		t.tell(live)
	}
	end()
	<-done
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
