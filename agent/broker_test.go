package main

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/mqtt"
	"stolpe/agent/mqtt/broker"
	keys "stolpe/payment/gateway/broker"
)

func TestFilterMatchesLevelByLevel(t *testing.T) {
	for _, x := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/c", false}, {"a/b", "a", false}, {"a", "a/b", false},
		{"a/cmd/+", "a/cmd/stop", true}, {"a/cmd/+", "a/cmd/stop/res", false}, {"a/cmd/+", "a/cmd", false}, {"a/cmd/+", "a/cmd/", true},
		{"+/b", "a/b", true}, {"+/b", "a/a/b", false}, {"", "", true}, {"a+", "ab", false},
	} {
		if got := matches(x.filter, x.topic); got != x.want {
			t.Errorf("%q of %q: %v", x.topic, x.filter, got)
		}
	}
}

// A broker that sends what nobody has asked for does not fill the log.
func TestStrayMessagesAreToldOfSeldom(t *testing.T) {
	log := new(paper)
	b := &uplink{log: slog.New(slog.NewTextHandler(log, nil))}
	for range 1000 {
		b.take(mqtt.Message{Topic: "elsewhere"})
	}
	if n := strings.Count(log.String(), "\n"); n != 10 || !strings.Contains(log.String(), "dropped=512") {
		t.Errorf("%d lines for a thousand messages:\n%s", n, log)
	}
}

// serveBroker runs a broker for the test, and gives its address.
func serveBroker(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- broker.Serve(ctx, l, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// listener connects with the filters, and gives what comes.
func listener(t *testing.T, address string, filters ...string) (*mqtt.Conn, chan mqtt.Message) {
	t.Helper()
	came, ready := make(chan mqtt.Message, 1000), make(chan struct{}, 10)
	c, err := mqtt.New(mqtt.Options{URL: "mqtt://" + address, ClientID: "reader", Filters: filters,
		Handle: func(m mqtt.Message) { came <- m }, Ready: func(context.Context) { ready <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	aside(t, func(ctx context.Context) { _ = c.Run(ctx) })
	<-ready
	return c, came
}

// aside runs something until the test ends, or until it is told to stop, and waits for it.
func aside(t *testing.T, run func(context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); run(ctx) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// nextUnder is the next message under a topic.
func nextUnder(t *testing.T, came <-chan mqtt.Message, topic string) mqtt.Message {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case m := <-came:
			if m.Topic == topic {
				return m
			}
		case <-late:
			t.Fatalf("nothing under %s", topic)
		}
	}
}

// Files of the broker that are ill keep no post from starting. Where it asks for money
// itself, they keep nobody from charging either.
func TestIllCertificatesKeepNoPostFromStarting(t *testing.T) {
	fleet := filepath.Join(t.TempDir(), "fleet")
	for _, err := range []error{keys.Init(fleet, "127.0.0.1"), keys.AddPost(fleet, "acme", "A12")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c := config.Config{Tenant: "acme"}
	c.Post.ID, c.MQTT.URL = "A12", "mqtts://127.0.0.1:1"
	at := func(name string) string { return filepath.Join(fleet, "posts", "A12", name) }
	half := write(t, "key.pem", "-----BEGIN PRIVATE KEY-----")
	for _, x := range []struct {
		name, ca, key string
		up            bool // there is a connection to be made
	}{
		{"well", at("ca.pem"), at("key.pem"), true}, {"half a key", at("ca.pem"), half, true},
		{"no key", at("ca.pem"), at("none"), true}, {"no authority", at("none"), at("key.pem"), false},
	} {
		for _, through := range []config.Through{config.ThroughVipps, config.ThroughSim, config.ThroughGateway} {
			log := new(paper)
			c.MQTT.CA, c.MQTT.Cert, c.MQTT.Key, c.Payment.Through = x.ca, at("cert.pem"), x.key, through
			p := new(parts)
			up, err := p.openUplink(c, slog.New(slog.NewTextHandler(log, nil)))
			if err != nil || (up != nil) != x.up || (len(p.lacking(true)) > 0) == x.up {
				t.Errorf("%s, through %s: %v, %v, without %v", x.name, through, up, err, p.lacking(false))
			}
			if told := strings.Contains(log.String(), "charging goes on") || strings.Contains(log.String(), "the post starts without the certificates in "+x.ca); told == (x.name == "well") {
				t.Errorf("%s, through %s: logged %q", x.name, through, log)
			}
			if why := unpayable(c, up, nil); (why != nil) != (!x.up && through == config.ThroughGateway) {
				t.Errorf("%s, through %s: payments: %v", x.name, through, why)
			}
		}
	}
}

// One connection serves several uses: each gets what it has subscribed to, and the last
// words of all come before the goodbye.
func TestOneConnectionServesAll(t *testing.T) {
	t.Parallel()
	address := serveBroker(t)
	c := config.Config{Tenant: "acme"}
	c.Post.ID, c.MQTT.URL = "A12", "mqtt://"+address
	up, err := new(parts).openUplink(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ordered, others, ready := make(chan mqtt.Message, 10), make(chan mqtt.Message, 10), make(chan struct{}, 10)
	up.orders(func(m mqtt.Message) { ordered <- m }, func(ctx context.Context) {
		<-ctx.Done()
		if err := up.publish(context.WithoutCancel(ctx), "cmd/stop/res", []byte("last")); err != nil {
			t.Error(err)
		}
	})
	up.add(use{filters: []string{"homeassistant/status"}, take: func(m mqtt.Message) { others <- m }, ready: func() { ready <- struct{}{} }})
	if up.connected() {
		t.Error("connected before it runs")
	}
	reader, came := listener(t, address, "stolpe/v1/acme/A12/#")
	stop := aside(t, up.run)
	<-ready
	until(t, "connected", up.connected) // which is said when all uses know that it is ready
	if m := nextUnder(t, came, "stolpe/v1/acme/A12/availability"); string(m.Payload) != "online" {
		t.Errorf("first: %+v", m)
	}
	for topic, to := range map[string]chan mqtt.Message{"stolpe/v1/acme/A12/cmd/stop": ordered, "homeassistant/status": others} {
		if err := reader.Publish(t.Context(), mqtt.Message{Topic: topic, Payload: []byte("x"), Retained: true}); err != nil {
			t.Fatal(err)
		}
		if m := <-to; m.Topic != topic {
			t.Errorf("came %+v under %s", m, topic)
		}
	}
	stop()
	var words []string
	for len(words) < 2 {
		if m := <-came; strings.HasSuffix(m.Topic, "/res") || strings.HasSuffix(m.Topic, "availability") {
			words = append(words, string(m.Payload))
		}
	}
	if words[0] != "last" || words[1] != "offline" {
		t.Errorf("said %q: want the last words, and then goodbye", words)
	}
}
