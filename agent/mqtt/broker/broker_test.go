package broker

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"stolpe/agent/mqtt"
)

// patience is when a test gives up; it says nothing about how long things take.
const patience = 30 * time.Second

func listen(t *testing.T, at string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve runs a broker until stop is called.
func serve(t *testing.T, l net.Listener) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, slog.New(slog.DiscardHandler)) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

type client struct {
	*mqtt.Conn
	ready chan struct{}
	came  chan mqtt.Message
	stop  func()
}

func join(t *testing.T, l net.Listener, id string, will *mqtt.Message, filters ...string) client {
	t.Helper()
	c := client{ready: make(chan struct{}, 100), came: make(chan mqtt.Message, 1000)}
	conn, err := mqtt.New(mqtt.Options{
		URL: "mqtt://" + l.Addr().String(), ClientID: id, Will: will, Filters: filters,
		Handle: func(m mqtt.Message) { c.came <- m },
		Ready:  func(context.Context) { c.ready <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- conn.Run(ctx) }()
	var stopped atomic.Bool
	c.Conn = conn
	c.stop = func() {
		if stopped.CompareAndSwap(false, true) {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(c.stop)
	wait(t, c.ready)
	return c
}

func wait[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("not reached")
	}
}

func publish(t *testing.T, c client, m mqtt.Message) {
	t.Helper()
	if err := c.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestSharedSubscriptionsAreShared(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	defer serve(t, l)()
	const filter = "$share/gateway/stolpe/v1/+/+/pay/ask"
	one, two := join(t, l, "gateway-1", nil, filter), join(t, l, "gateway-2", nil, filter)
	post := join(t, l, "A1", nil)
	const many = 100
	for i := range many {
		publish(t, post, mqtt.Message{Topic: "stolpe/v1/acme/A1/pay/ask", Payload: fmt.Append(nil, i)})
	}
	seen := map[string]int{}
	byOne := 0
	for range many {
		var m mqtt.Message
		select {
		case m = <-one.came:
			byOne++
		case m = <-two.came:
		case <-time.After(patience):
			t.Fatalf("%d of %d came", len(seen), many)
		}
		seen[string(m.Payload)]++
	}
	if len(seen) != many {
		t.Errorf("%d different messages of %d: some came twice", len(seen), many)
	}
	if byOne == 0 || byOne == many {
		t.Errorf("one of two gateways got %d of %d", byOne, many)
	}
	two.stop()
	again := time.NewTicker(50 * time.Millisecond) // what the broker sends to one that has just gone is lost
	defer again.Stop()
	for late, alone := time.After(patience), false; !alone; {
		publish(t, post, mqtt.Message{Topic: "stolpe/v1/acme/A1/pay/ask", Payload: []byte("alone")})
		select {
		case m := <-one.came:
			alone = string(m.Payload) == "alone"
		case <-again.C:
		case <-late:
			t.Fatal("the gateway that is left gets nothing")
		}
	}
	for _, c := range []client{one, post} {
		c.stop()
	}
}

func TestGoodbyeAndRetained(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	defer serve(t, l)()
	will := &mqtt.Message{Topic: "p/availability", Payload: []byte("offline")}
	post := join(t, l, "A1", will)
	witness := join(t, l, "witness", nil, "p/availability")
	publish(t, post, mqtt.Message{Topic: "p/availability", Payload: []byte("online"), Retained: true})
	wait(t, witness.came) // the broker has it now; it had acknowledged it before
	witness.stop()
	gateway := join(t, l, "gateway-1", nil, "p/availability")
	if m := wait(t, gateway.came); string(m.Payload) != "online" || !m.Retained {
		t.Errorf("came %+v", m)
	}
	post.stop()
	if m := wait(t, gateway.came); string(m.Payload) != "offline" || m.Retained {
		t.Errorf("came %+v", m)
	}
	gateway.stop()
}

func TestRestartedBrokerIsFoundAgain(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	at := l.Addr().String()
	stop := serve(t, l)
	c := join(t, l, "A1", nil, "a")
	stop()
	l = listen(t, at)
	defer serve(t, l)()
	wait(t, c.ready)
	publish(t, c, mqtt.Message{Topic: "a", Payload: []byte("again")})
	if m := wait(t, c.came); string(m.Payload) != "again" {
		t.Errorf("came %+v", m)
	}
	c.stop()
}

func TestOnlyTheMachineItselfIsServed(t *testing.T) {
	l := listen(t, "0.0.0.0:0")
	if err := Serve(t.Context(), l, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("it serves everybody")
	}
}
