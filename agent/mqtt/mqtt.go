// Package mqtt is the one connection of a post or a gateway to its MQTT broker.
//
// # Why
//
// Publish returns nil only if the broker has acknowledged the message on the
// connection it was sent on. The client library says so too after it has
// reconnected by itself, when nothing was acknowledged; so each connection here
// has a client of its own, and it is this package that connects anew.
//
// A link whose other end is gone does not say so. What is not acknowledged in
// time, or pings that stay without an answer, end the connection, and the next
// one begins with the subscriptions: brokers are asked to remember nothing.
package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrAway says that there is no connection to the broker, or that it broke before
// the message was acknowledged. It may have arrived all the same.
var ErrAway = errors.New("the broker is away")

// Message is one message, as it is published or as it came.
type Message struct {
	Topic    string
	Payload  []byte // at most 64 kB
	Retained bool   // of a message that came: it had been published before the subscription
	Once     bool   // published at QoS 0: it is lost with a connection that breaks
}

// Options say what to connect to, and what to do with what comes.
type Options struct {
	URL      string       // mqtts://host:port, or mqtt://host:port towards loopback only
	ClientID string       // no two connections to a broker have the same
	TLS      *tls.Config  // for mqtts
	Will     *Message     // said by the broker when the connection breaks, and by Run before it ends; retained, QoS 1; nil for none
	Log      *slog.Logger // nil for none

	// KeepWarm is after how long of silence a ping is sent, and at most about one and a
	// half times as long goes by before a link whose other end is gone is noticed; 0 is
	// 30 s.
	KeepWarm time.Duration

	// Retry is the longest wait before the broker is tried again, at least 2 s; 0 is a
	// minute.
	Retry time.Duration

	// Handle is called for each message, in order of arrival, from one goroutine.
	// It must not block for long.
	Handle  func(Message)
	Filters []string // subscribed at QoS 1 at every connection, before Ready; if one is not allowed it ends
	Wishes  []string // subscribed with them; one that is not allowed is done without

	// Ready is called in a goroutine of its own after each subscription. Its
	// context ends with the connection, and then it must return: the next
	// connection waits for it. May be nil.
	Ready func(ctx context.Context)
}

// Chosen by us. A broker that has not acknowledged after ten seconds is worth
// less than a new connection.
const (
	within   = 10 * time.Second // for each answer of the broker
	largest  = 64 << 10         // bytes of a payload
	keepWarm = 30 * time.Second // a ping, when nothing else was said, unless it was said otherwise
)

// Conn is a connection that comes back when it breaks. Make one with New.
type Conn struct {
	o     Options
	at    *url.URL
	log   *slog.Logger
	dial  func(ctx context.Context) (net.Conn, error)
	line  func(ctx context.Context) (net.Conn, error) // what it is dialled over, before TLS
	queue *queue
	taps  taps

	mu    sync.Mutex
	link  *link     // nil while there is none that is ready
	since time.Time // when it came or went
	cause error     // why there is none
	runs  atomic.Bool

	barred map[string]bool // wishes that were not allowed the last time; of Run's goroutine
}

// New checks the options. Nothing is connected before Run.
func New(o Options) (*Conn, error) {
	at, err := address(o)
	if err != nil {
		return nil, fmt.Errorf("connect to broker %q: %w", o.URL, err)
	}
	if o.ClientID == "" {
		return nil, errors.New("connect to broker: no client id")
	}
	if o.Will != nil {
		if err := fits(*o.Will); err != nil {
			return nil, fmt.Errorf("last will: %w", err)
		}
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	log = log.With("broker", at.Host)
	if o.KeepWarm == 0 {
		o.KeepWarm = keepWarm
	}
	if o.Retry == 0 {
		o.Retry = mostWait
	}
	c := &Conn{o: o, at: at, log: log, queue: newQueue(log), barred: map[string]bool{}}
	c.dial = c.open
	c.Through(func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", at.Host) })
	return c, nil
}

// Through has lines to the broker opened otherwise than over TCP, as in a network that
// is simulated. It is called before Run.
func (c *Conn) Through(line func(ctx context.Context) (net.Conn, error)) { c.line = line }

// Also subscribes to more at every connection. It is called before Run.
func (c *Conn) Also(filters ...string) {
	c.o.Filters = append(c.o.Filters[:len(c.o.Filters):len(c.o.Filters)], filters...)
}

// Wish subscribes to more at every connection, if the broker allows it. It is called
// before Run.
func (c *Conn) Wish(filters ...string) {
	c.o.Wishes = append(c.o.Wishes[:len(c.o.Wishes):len(c.o.Wishes)], filters...)
}

// address reads the URL. Without TLS only the machine itself is spoken to.
func address(o Options) (*url.URL, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, errors.New("not an address such as mqtts://host:8883")
	}
	port := map[string]string{"mqtt": "1883", "mqtts": "8883"}[u.Scheme] // as registered with IANA
	switch {
	case port == "" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return nil, errors.New("not an address such as mqtts://host:8883")
	case u.Scheme == "mqtts" && o.TLS == nil:
		return nil, errors.New("mqtts takes certificates, and there are none")
	case u.Scheme == "mqtt" && !loopback(u.Hostname()):
		return nil, errors.New("mqtt is for this machine's own broker; use mqtts")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return &url.URL{Scheme: u.Scheme, Host: net.JoinHostPort(u.Hostname(), port)}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// fits says why a message cannot be published.
func fits(m Message) error {
	if m.Topic == "" || len(m.Topic) > 1024 || strings.ContainsAny(m.Topic, "+#\x00") {
		return fmt.Errorf("topic %q: not one to publish on", m.Topic)
	}
	if len(m.Payload) > largest {
		return fmt.Errorf("topic %s: %d bytes, at most %d are published", m.Topic, len(m.Payload), largest)
	}
	return nil
}

// Publish publishes and waits. It returns nil once the broker has acknowledged the
// message on this connection, or, of one that is sent once, when it is on the line;
// ErrAway if there is no connection, or it broke; or ctx's error.
func (c *Conn) Publish(ctx context.Context, m Message) error {
	if err := fits(m); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	l := c.ready()
	if l == nil {
		return fmt.Errorf("publish %s: %w", m.Topic, ErrAway)
	}
	if err := l.publish(ctx, m); err != nil {
		return fmt.Errorf("publish %s: %w", m.Topic, err)
	}
	c.taps.tell(m, true)
	return nil
}

// Connected says whether there is a connection, with its subscriptions made.
func (c *Conn) Connected() bool { return c.ready() != nil }

// Dropped is how many messages came and were not handed on, because they were too
// large or too many.
func (c *Conn) Dropped() uint64 { return c.queue.dropped.Load() }

func (c *Conn) ready() *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}

func (c *Conn) set(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link, c.since, c.cause = l, time.Now(), nil
}

// State is since when there is a connection, or none, and why there is none. Before the
// first attempt has failed it knows no cause.
func (c *Conn) State() (since time.Time, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since, c.cause
}

// broken notes why there is no connection.
func (c *Conn) broken(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cause = err
}

// Distrusted says whether an error is that one end does not accept the other's
// certificate. What a broker says of ours comes as an alert, which the client library
// passes on in words only.
func Distrusted(err error) bool {
	var alert tls.AlertError
	var bad *tls.CertificateVerificationError
	return err != nil && (errors.As(err, &alert) || errors.As(err, &bad) || strings.Contains(err.Error(), "remote error: tls:"))
}

// Leave ends a subscription before the connection ends, so that what is shared goes
// to others from now on. The error is ErrAway, or ctx's.
func (c *Conn) Leave(ctx context.Context, filter string) error {
	l := c.ready()
	if l == nil {
		return fmt.Errorf("leave %s: %w", filter, ErrAway)
	}
	if err := l.await(ctx, l.client.Unsubscribe(filter)); err != nil {
		return fmt.Errorf("leave %s: %w", filter, err)
	}
	return nil
}
