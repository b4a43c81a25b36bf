package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/payment/envelope"
)

// quiet is how long a connection over a mobile network may say nothing before it
// pings. Chosen by us: networks forget a silent one after five minutes or more, and
// each ping costs a tenth of a kilobyte and more.
const quiet = 4 * time.Minute

// uplink is the post's one connection to its broker, whatever it is used for. It says
// that the post is there, and at the end that it is gone; all else is said by its uses.
type uplink struct {
	conn  *mqtt.Conn
	base  string // of the post's topics, with a slash at the end
	log   *slog.Logger
	uses  []use
	stray uint64      // messages that nothing was to be done with; of take's goroutine
	said  atomic.Bool // that the post is there, on the present connection
}

// use is something that the connection is used for. What is nil is not there.
type use struct {
	filters []string                  // topics subscribed to at each connection; + stands for one level
	needed  bool                      // without these filters the connection is of no use
	take    func(mqtt.Message)        // what comes under these; it must not wait
	ready   func()                    // there is a new connection, on which nothing is told yet but that the post is there; it must not wait
	run     func(ctx context.Context) // works until ctx ends, and may then say some last words
}

// openUplink prepares the connection; it is made when run is called. Nil where the
// configuration has none, and where nobody vouches for the broker. Charging does not depend
// on it, unless gateways ask for money.
func (p *parts) openUplink(cfg config.Config, log *slog.Logger) (*uplink, error) {
	m := cfg.MQTT
	if m.URL == "" {
		return nil, nil
	}
	b := &uplink{base: envelope.Base(cfg.Tenant, cfg.Post.ID), log: log}
	o := mqtt.Options{
		URL: m.URL, ClientID: cfg.Post.ID, Log: log, Handle: b.take, Ready: b.isReady, KeepWarm: quiet, Retry: m.Retry,
		Will: &mqtt.Message{Topic: b.base + envelope.AvailabilityLeaf, Payload: []byte(envelope.Offline), Retained: true},
	}
	if cfg.Telemetry.Profile == telemetry.Standard {
		o.KeepWarm = 0 // a cable costs nothing, and a dead one is noticed sooner
	}
	var err error
	if m.Cert != "" {
		o.TLS, err = mqtt.TLS(m.CA, m.Cert, m.Key)
	}
	switch {
	case err == nil:
	case o.TLS == nil:
		p.withoutSigners(m, err, log)
		return nil, nil
	default: // they are read again at each connection
		log.Error("the fleet is told nothing, and commands nothing, until these files are right; charging goes on, unless gateways ask for money", "err", err)
	}
	if b.conn, err = mqtt.New(o); err != nil {
		return nil, cfg.Wrong("mqtt.url", m.URL, err.Error())
	}
	return b, nil
}

// connected says whether there is a connection on which it has been said that the post
// is there, which comes before all else.
func (b *uplink) connected() bool { return b.said.Load() && b.conn.Connected() }

// add adds a use, before run.
func (b *uplink) add(u use) {
	if u.needed {
		b.conn.Also(u.filters...)
	} else {
		b.conn.Wish(u.filters...)
	}
	b.uses = append(b.uses, u)
}

// publish publishes under a leaf of the post, as is done there.
func (b *uplink) publish(ctx context.Context, leaf telemetry.Leaf, payload []byte) error {
	return b.conn.Publish(ctx, mqtt.Message{Topic: b.base + string(leaf), Payload: payload, Retained: leaf.Retained(), Once: leaf.Once()})
}

// orders adds what takes commands: everything that comes under cmd/<name>, retained or
// not, and works until its context ends.
func (b *uplink) orders(take func(mqtt.Message), run func(context.Context)) {
	b.add(use{filters: []string{b.base + string(telemetry.CommandLeaf) + "/+"}, take: take, run: run})
}

// take hands a message to the use that has subscribed to it.
func (b *uplink) take(m mqtt.Message) {
	for _, u := range b.uses {
		for _, f := range u.filters {
			if matches(f, m.Topic) {
				u.take(m)
				return
			}
		}
	}
	if b.stray++; b.stray&(b.stray-1) == 0 { // the first, second, fourth, eighth: whoever sends them must not fill the log
		b.log.Warn("a message is dropped: nothing is expected there", "topic", m.Topic, "bytes", len(m.Payload), "dropped", b.stray)
	}
}

// matches says whether a topic is one of a filter's.
func matches(filter, topic string) bool {
	for {
		f, restF, moreF := strings.Cut(filter, "/")
		t, restT, moreT := strings.Cut(topic, "/")
		if f != "+" && f != t || moreF != moreT {
			return false
		}
		if !moreF {
			return true
		}
		filter, topic = restF, restT
	}
}

// isReady says that the post is there, and lets everything be told anew.
func (b *uplink) isReady(ctx context.Context) {
	b.log.Info("connected to the broker")
	online := mqtt.Message{Topic: b.base + envelope.AvailabilityLeaf, Payload: []byte(envelope.Online), Retained: true}
	if err := b.conn.Publish(ctx, online); err != nil {
		return // the connection has broken
	}
	for _, u := range b.uses {
		if u.ready != nil {
			u.ready()
		}
	}
	b.said.Store(true)
	defer b.said.Store(false)
	<-ctx.Done()
}

// run keeps the connection until ctx ends and all uses have said their last words.
func (b *uplink) run(ctx context.Context) {
	live, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := b.conn.Run(live); err != nil {
			b.log.Error("the connection to the broker has ended; charges under way go on, and settle after a restart", "err", err)
		}
	}()
	var group sync.WaitGroup
	for _, u := range b.uses {
		if u.run != nil {
			group.Go(func() { u.run(ctx) })
		}
	}
	group.Wait()
	<-ctx.Done() // also without any use
	end()
	<-done
}
