package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/agent/mqtt"
)

// brokerRoutes are about the connection to the broker, and what goes over it.
func (l *local) brokerRoutes() []control.Route {
	return []control.Route{
		{Name: "mqtt", Least: control.Viewer, Do: l.brokerStatus},
		{Name: "mqtt/outbox", Least: control.Technician, Do: l.waitingEvents},
		{Name: "mqtt/publish", Least: control.Technician, Changes: true, Do: l.tellAnew},
		{Name: "mqtt/tail", Least: control.Technician, Follow: l.tail},
	}
}

// brokerJSON is how the connection is. Times are RFC 3339, UTC.
type brokerJSON struct {
	Broker    string     `json:"broker"` // address; empty for none
	Connected bool       `json:"connected"`
	Since     int64      `json:"since_s"` // for how long it is so, s
	Why       string     `json:"why,omitempty"`
	Base      string     `json:"base"` // of the post's topics
	Profile   string     `json:"profile"`
	Takes     []string   `json:"takes,omitempty"` // filters that the post subscribes to
	Dropped   uint64     `json:"dropped"`         // messages that came and were not taken
	Outbox    outboxJSON `json:"outbox"`
}

// outboxJSON is how many events the broker has not acknowledged yet.
type outboxJSON struct {
	Waiting int    `json:"waiting"`          // events
	Oldest  string `json:"oldest,omitempty"` // of them; left out if the post did not know the time
	Newest  uint64 `json:"newest"`           // number of the newest event; 0 for none
}

func (l *local) brokerStatus(_ context.Context, _ control.Caller, args json.RawMessage) (any, error) {
	if err := control.Read(args, &struct{}{}); err != nil {
		return nil, err
	}
	b := brokerJSON{Broker: l.cfg.MQTT.URL, Profile: string(l.cfg.Telemetry.Profile)}
	switch {
	case b.Broker == "":
		return b, nil
	case l.up == nil:
		b.Why = "mqtt.ca cannot be read, so no connection is made until the post is started again with one that can"
		return b, nil
	}
	b.Base, b.Connected, b.Dropped = l.up.base, l.up.conn.Connected(), l.up.conn.Dropped()
	since, why := l.up.conn.State()
	if !since.IsZero() {
		b.Since = int64(time.Since(since) / time.Second)
	}
	if why != nil {
		b.Why = why.Error()
	}
	for _, u := range l.up.uses {
		b.Takes = append(b.Takes, u.filters...)
	}
	if l.parts.fleet != nil && l.w.book != nil {
		n, oldest := l.parts.fleet.Waiting()
		b.Outbox = outboxJSON{Waiting: n, Newest: l.w.book.Newest()}
		if oldest > 0 {
			b.Outbox.Oldest = utc(time.Unix(oldest, 0))
		}
	}
	return b, nil
}

// mostWaiting is how many events are listed at most. Chosen by us: a few pages.
const mostWaiting = 200

// waitingJSON is an event that waits.
type waitingJSON struct {
	Seq  uint64 `json:"seq"`
	At   string `json:"at"` // RFC 3339, UTC
	Type string `json:"type"`
	EVSE int    `json:"evse,omitempty"` // number on the post; 0 for none
	Ref  string `json:"ref,omitempty"`
}

// waitingEvents lists the oldest events that wait.
func (l *local) waitingEvents(_ context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	args := struct {
		Limit int `json:"limit"` // events
	}{20}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	if args.Limit < 1 || args.Limit > mostWaiting {
		return nil, control.Refuse(control.Invalid, "limit %d: want 1 to %d", args.Limit, mostWaiting)
	}
	if l.w.book == nil {
		return nil, control.Refuse(control.Failed, "the post has no ledger now: look at its log")
	}
	n, oldest := l.w.book.Outbox().Waiting()
	newest := l.w.book.Newest()
	told := struct {
		outboxJSON
		Events []waitingJSON `json:"events"`
	}{outboxJSON{Waiting: n, Newest: newest}, []waitingJSON{}}
	if n > 0 && oldest.Unix > 0 {
		told.Oldest = utc(oldest.Time())
	}
	err := l.w.book.From(newest-uint64(n)+1, func(e ledger.Entry, _ string) error {
		if len(told.Events) == args.Limit {
			return errListed
		}
		told.Events = append(told.Events, waitingJSON{e.Seq, utc(time.Unix(e.At, 0)), string(e.Kind), e.EVSE, string(e.Ref)})
		return nil
	})
	if errors.Is(err, errListed) {
		err = nil
	}
	return told, err
}

// errListed ends a walk through the ledger.
var errListed = errors.New("as many as were asked for")

// online refuses what takes a connection.
func (l *local) online() error {
	switch {
	case l.cfg.MQTT.URL == "":
		return control.Refuse(control.NotFound, "the post has no broker: mqtt is left out of its configuration")
	case l.up == nil || !l.up.connected():
		return control.Refuse(control.Remote, "there is no connection to the broker: stolpe mqtt status says why")
	}
	return nil
}

// tellAnew has everything told anew that stands for the present.
func (l *local) tellAnew(_ context.Context, _ control.Caller, args json.RawMessage) (any, error) {
	if err := control.Read(args, &struct{}{}); err != nil {
		return nil, err
	}
	if err := l.online(); err != nil {
		return nil, err
	}
	l.parts.fleet.Anew()
	l.parts.fleet.Rediscover()
	const text = "told anew within a few seconds: who the post is, how it stands, its prices, and what Home Assistant discovers"
	return control.Reply{Data: sentence{Text: text}, Text: "told anew"}, nil
}

// seen is a message as somebody sees it who looks on.
type seen struct {
	At       string          `json:"at"` // RFC 3339, UTC
	Out      bool            `json:"out"`
	Topic    string          `json:"topic"`
	Retained bool            `json:"retained,omitempty"`
	JSON     json.RawMessage `json:"json,omitempty"` // the payload, if it is that
	Text     string          `json:"text,omitempty"` // or that
	Bytes    []byte          `json:"base64,omitempty"`
	Lost     int             `json:"lost,omitempty"` // messages before it that came too fast to be told
}

// mostUnseen is how many messages wait for somebody who looks on. Chosen by us: more
// than a post says in a breath.
const mostUnseen = 256

// tail tells what the post publishes and takes, below its own topics or elsewhere.
func (l *local) tail(ctx context.Context, _ control.Caller, text json.RawMessage, send func(any) error) error {
	var args struct {
		Topic string `json:"topic"` // a filter; + stands for one level, # at the end for all that follow
	}
	if err := control.Read(text, &args); err != nil {
		return err
	}
	if l.cfg.MQTT.URL == "" || l.up == nil {
		return l.online()
	}
	came, lost := make(chan seen, mostUnseen), 0
	stop := l.up.conn.Tap(func(m mqtt.Message, out bool) {
		own, _ := strings.CutPrefix(m.Topic, l.up.base)
		if args.Topic != "" && !covers(args.Topic, m.Topic) && !covers(args.Topic, own) {
			return
		}
		select {
		case came <- seenAs(m, out, lost):
			lost = 0
		default:
			lost++
		}
	})
	defer stop()
	for {
		select {
		case one := <-came:
			if err := send(one); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// covers says whether a topic is one of a filter's, as MQTT has them (3.1.1, 4.7).
func covers(filter, topic string) bool {
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i, level := range f {
		switch {
		case level == "#" && i == len(f)-1:
			return true
		case i >= len(t) || level != "+" && level != t[i]:
			return false
		}
	}
	return len(f) == len(t)
}

func seenAs(m mqtt.Message, out bool, lost int) seen {
	s := seen{At: utc(time.Now()), Out: out, Topic: m.Topic, Retained: m.Retained, Lost: lost}
	switch {
	case len(m.Payload) > 0 && m.Payload[0] == '{' && json.Valid(m.Payload):
		s.JSON = json.RawMessage(m.Payload)
	case utf8.Valid(m.Payload):
		s.Text = string(m.Payload)
	default:
		s.Bytes = m.Payload
	}
	return s
}
