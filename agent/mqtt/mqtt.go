// Package mqtt is the one connection of a post or a gateway to its broker, and the
// seal on what goes over it.
//
// # Why
//
// The client library keeps a connection well and recovers it badly: with its own
// reconnecting, a message counts as delivered although the broker never said so, and
// one sent while the line is down is lost in silence. So it is given one connection at
// a time: a client is made for it, torn down with it, and replaced by a new one. What
// was not acknowledged on the connection it was sent on has failed, and whoever sent
// it decides what that means.
//
// Nothing is kept on disk here. What must not be lost has a journal or a ledger of its
// own, and is asked or told again.
//
// A message is sealed: its text, a line end, and an HMAC over topic and text with a
// key that only one post and the gateways have. Brokers are configured by people, and
// one that lets a post publish in another's name must not let it move that other's
// money.
package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Message is one message. Topics have no wildcards.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool // kept by the broker; of one that came in: it had been kept
}

// Options say where to connect, and what to do with what comes.
type Options struct {
	URL      string      // mqtts://host:port; mqtt://host:port towards loopback only
	ClientID string      // of nobody else at this broker: two with one id throw each other out for ever
	TLS      *tls.Config // for mqtts; see TLS
	Will     *Message    // what the broker says in our place when we vanish; nil for nothing
	Filters  []string    // what to subscribe to, at each connection
	Log      *slog.Logger

	// Handle is called for each message in the order of their coming, from one
	// goroutine. It must not wait for anything.
	Handle func(Message)
	// Ready is called in a goroutine of its own when a connection has been made and the
	// filters are subscribed to. Its context ends with the connection.
	Ready func(context.Context)
}

// Chosen by us, after what the library's makers advise and mobile networks need.
const (
	keepAlive    = 30 * time.Second // seconds of silence until a sign of life is sent
	pingTimeout  = 10 * time.Second
	dialTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	tokenTimeout = 10 * time.Second // for the broker to acknowledge; after that the connection is given up
	shortest     = time.Second      // between attempts, doubled up to
	longest      = time.Minute
	sound        = time.Minute // a connection that lasted so long begins the attempts anew
	farewell     = 2 * time.Second
	maxPayload   = 64 << 10 // bytes; ours are below 16 KiB
	maxQueue     = 4096     // messages that came and wait for Handle
)

// ErrAway says that there is no connection, or that it broke before the broker had
// acknowledged: whether the message arrived is not known.
var ErrAway = errors.New("the broker is not there, or did not acknowledge")

// Conn is a connection that is made again whenever it breaks.
type Conn struct {
	Options
	host    string
	dropped atomic.Uint64 // messages that came while too many waited

	mu     sync.Mutex
	client paho.Client // nil while there is no connection
	broken func()      // gives the connection up
}

// New makes one, or says what is wrong with the options. It connects to nothing.
func New(o Options) (*Conn, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Hostname() == "" || u.Port() == "" || u.User != nil || u.Path != "":
		return nil, errors.New("mqtt: address: want one such as mqtts://broker.example.no:8883")
	case u.Scheme == "mqtt" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("mqtt: address: mqtt is for a broker on this machine only; want mqtts for host %q", u.Hostname())
	case u.Scheme != "mqtt" && u.Scheme != "mqtts":
		return nil, fmt.Errorf("mqtt: address: scheme %q: want mqtts", u.Scheme)
	case u.Scheme == "mqtts" && o.TLS == nil:
		return nil, errors.New("mqtt: mqtts needs certificates")
	case o.ClientID == "":
		return nil, errors.New("mqtt: want a client id")
	}
	if u.Scheme == "mqtt" {
		o.TLS = nil
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Conn{Options: o, host: u.Host}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Connected says whether there is a connection.
func (c *Conn) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client != nil
}

// Run keeps the connection until ctx ends, and then takes leave: the broker is told
// what the will says, as it does not say it itself after a goodbye.
func (c *Conn) Run(ctx context.Context) error {
	wait, failed := shortest, false
	for ctx.Err() == nil {
		began := time.Now()
		err := c.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) >= sound {
			wait, failed = shortest, false
		}
		if !failed {
			c.Log.Warn("the broker is not there; trying again", "broker", c.host, "err", err)
			failed = true
		}
		if !rest(ctx, time.Duration(rand.Int64N(int64(wait)))+wait/2) {
			return nil
		}
		wait = min(2*wait, longest)
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once makes one connection and serves it until it breaks or ctx ends.
func (c *Conn) once(ctx context.Context) error {
	live, give := context.WithCancelCause(ctx)
	defer give(nil)
	queue := make(chan Message, maxQueue)
	client := paho.NewClient(c.settings(live, give, queue))
	if err := acknowledged(client.Connect()); err != nil {
		client.Disconnect(0)
		return fmt.Errorf("connect to %s: %w", c.host, err)
	}
	var group sync.WaitGroup
	defer group.Wait()
	defer give(nil)
	group.Go(func() { c.handle(live, queue) })
	for _, f := range c.Filters {
		if err := acknowledged(client.Subscribe(f, 1, nil)); err != nil {
			client.Disconnect(0)
			return fmt.Errorf("subscribe to %s: %w", f, err)
		}
	}
	c.set(client, func() { give(ErrAway) })
	defer c.set(nil, nil)
	if c.Ready != nil {
		group.Go(func() { c.Ready(live) })
	}
	<-live.Done()
	if ctx.Err() == nil {
		client.Disconnect(0)
		return context.Cause(live)
	}
	c.leave(client)
	return nil
}

// leave says goodbye.
func (c *Conn) leave(client paho.Client) {
	if w := c.Will; w != nil {
		client.Publish(w.Topic, 1, w.Retained, w.Payload).WaitTimeout(farewell)
	}
	client.Disconnect(uint(farewell.Milliseconds()))
}

func (c *Conn) set(client paho.Client, broken func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client, c.broken = client, broken
}

// settings are the library's, for one connection.
func (c *Conn) settings(live context.Context, give context.CancelCauseFunc, queue chan<- Message) *paho.ClientOptions {
	o := paho.NewClientOptions()
	scheme := "tcp"
	if c.TLS != nil {
		scheme = "ssl"
		o.SetTLSConfig(c.TLS)
	}
	o.AddBroker(scheme + "://" + c.host).SetClientID(c.ClientID).SetCleanSession(true).SetProtocolVersion(4)
	o.SetAutoReconnect(false).SetConnectRetry(false).SetStore(paho.NewMemoryStore()).SetOrderMatters(true)
	o.SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).SetConnectTimeout(dialTimeout).SetWriteTimeout(writeTimeout)
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { give(err) })
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		if len(m.Payload()) > maxPayload {
			c.drop("too long")
			return
		}
		select {
		case queue <- Message{m.Topic(), m.Payload(), m.Retained()}:
		case <-live.Done():
		default:
			c.drop("too many wait")
		}
	})
	if w := c.Will; w != nil {
		o.SetBinaryWill(w.Topic, w.Payload, 1, w.Retained)
	}
	return o
}

// drop counts a message that is not taken, and tells of every thousandth.
func (c *Conn) drop(why string) {
	if n := c.dropped.Add(1); n%1000 == 1 {
		c.Log.Warn("messages are dropped", "why", why, "so_far", n)
	}
}

// handle hands messages on until the connection ends.
func (c *Conn) handle(ctx context.Context, queue <-chan Message) {
	for {
		select {
		case m := <-queue:
			c.Handle(m)
		case <-ctx.Done():
			return
		}
	}
}
