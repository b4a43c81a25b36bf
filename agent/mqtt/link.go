package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// goodbyeWait is how long the last packet may take, in milliseconds. Chosen by us.
const goodbyeWait = 1000

// refused is the answer to a subscription that the broker does not allow (MQTT
// 3.1.1, 3.9.3).
const refused = 0x80

var (
	errSilent = fmt.Errorf("no acknowledgement within %v", within)
	errClosed = errors.New("closed by the broker, or no answer to pings")
)

// link is one connection, which breaks once.
type link struct {
	client paho.Client
	wire   net.Conn
	ctx    context.Context // ends when it breaks; the cause says why
	broke  context.CancelCauseFunc
}

// newLink connects and subscribes.
func (c *Conn) newLink(ctx context.Context) (*link, error) {
	l := &link{}
	l.ctx, l.broke = context.WithCancelCause(context.WithoutCancel(ctx))
	wire, err := c.dialed(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	l.wire = wire
	l.client = paho.NewClient(c.settings(l))
	stop := context.AfterFunc(ctx, func() { l.end(ctx.Err()) })
	defer stop()
	if err := l.await(ctx, l.client.Connect()); err != nil {
		l.end(err)
		return nil, fmt.Errorf("connect as %s: %w", c.o.ClientID, err)
	}
	if err := c.subscribe(ctx, l); err != nil {
		l.end(err)
		return nil, err
	}
	return l, nil
}

func (c *Conn) dialed(ctx context.Context) (net.Conn, error) {
	ctx, done := context.WithTimeout(ctx, within)
	defer done()
	return c.dial(ctx)
}

// open opens the line to the broker.
func (c *Conn) open(ctx context.Context) (net.Conn, error) {
	wire, err := c.line(ctx)
	if err != nil || c.at.Scheme != "mqtts" {
		return wire, err
	}
	o := c.o.TLS.Clone()
	if o.ServerName == "" {
		o.ServerName = c.at.Hostname()
	}
	secure := tls.Client(wire, o)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, wire.Close())
	}
	return secure, nil
}

// settings make a client that lives as long as its connection and keeps nothing.
func (c *Conn) settings(l *link) *paho.ClientOptions {
	o := paho.NewClientOptions()
	o.AddBroker(c.at.String())
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return l.wire, nil })
	o.SetClientID(c.o.ClientID)
	o.SetProtocolVersion(4) // 3.1.1, and no second try with 3.1
	o.SetCleanSession(true)
	o.SetAutoReconnect(false)
	o.SetConnectRetry(false)
	o.SetStore(paho.NewMemoryStore())
	o.SetKeepAlive(c.o.KeepWarm)
	o.SetPingTimeout(within)
	o.SetConnectTimeout(within)
	o.SetWriteTimeout(within)
	o.SetOrderMatters(true) // the handler only puts into a queue
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		c.queue.put(l.ctx.Done(), Message{Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained()})
	})
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { l.end(fmt.Errorf("%w: %w", errClosed, err)) })
	if w := c.o.Will; w != nil {
		o.SetBinaryWill(w.Topic, w.Payload, 1, true)
	}
	return o
}

// await waits for the broker's answer, and ends the connection if there is none.
func (l *link) await(ctx context.Context, t paho.Token) error {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	case <-late.C:
		l.end(errSilent)
		return errSilent
	}
}

// subscribe subscribes to everything. A wish that is refused is logged once.
func (c *Conn) subscribe(ctx context.Context, l *link) error {
	filters := slices.Concat(c.o.Filters, c.o.Wishes)
	if len(filters) == 0 {
		return nil
	}
	wanted := make(map[string]byte, len(filters))
	for _, f := range filters {
		wanted[f] = 1
	}
	t := l.client.SubscribeMultiple(wanted, nil)
	if err := l.await(ctx, t); err != nil {
		return fmt.Errorf("subscribe to %s: %w", strings.Join(filters, ", "), err)
	}
	given := t.(*paho.SubscribeToken).Result()
	not := slices.DeleteFunc(slices.Clone(c.o.Filters), func(f string) bool { return given[f] != refused })
	if len(not) > 0 {
		return fmt.Errorf("subscribe to %s: the broker does not allow it", strings.Join(not, ", "))
	}
	for _, f := range c.o.Wishes {
		barred := given[f] == refused
		if barred && !c.barred[f] {
			c.log.Warn("mqtt: the broker does not allow a subscription; all else goes on", "filter", f)
		}
		c.barred[f] = barred
	}
	return nil
}

// publish returns nil if the broker has acknowledged the message, or has not to. The client may
// wait for room on the line without looking at ctx, so it does that on the side;
// it ends with the connection.
func (l *link) publish(ctx context.Context, m Message) error {
	sent := make(chan paho.Token, 1)
	qos := byte(1)
	if m.Once {
		qos = 0
	}
	go func() { sent <- l.client.Publish(m.Topic, qos, m.Retained, m.Payload) }()
	late := time.NewTimer(within)
	defer late.Stop()
	var t paho.Token
	select {
	case t = <-sent:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.ctx.Done():
		return l.away()
	case <-late.C:
		l.end(errSilent)
		return l.away()
	}
	err := l.await(ctx, t)
	if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return err
	}
	l.end(err)
	return l.away()
}

func (l *link) away() error { return fmt.Errorf("%w: %w", ErrAway, context.Cause(l.ctx)) }

// end breaks the connection, for the reason that is given first. The client does
// not notice by itself that its own end was closed; it is told when no goodbye can
// get through any more.
func (l *link) end(why error) {
	l.broke(why)
	l.wire.Close()
	l.client.Disconnect(0)
}

// leave ends it cleanly: the broker drops the will.
func (l *link) leave() {
	l.client.Disconnect(goodbyeWait)
	l.end(context.Canceled)
}
