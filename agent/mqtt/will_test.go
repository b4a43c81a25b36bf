package mqtt

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"stolpe/agent/mqtt/broker"
)

func TestBrokerSaysTheWillOfWhoIsCutOff(t *testing.T) {
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
	join := func(o Options) *Conn {
		ready := make(chan struct{}, 10)
		o.URL, o.Ready = "mqtt://"+l.Addr().String(), func(context.Context) { ready <- struct{}{} }
		c, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		run(t, c)
		await(t, ready)
		return c
	}
	came := make(chan Message, 10)
	join(Options{ClientID: "gateway-1", Filters: []string{"a/availability"}, Handle: func(m Message) { came <- m }})
	post := join(Options{ClientID: "A1", Will: &Message{Topic: "a/availability", Payload: []byte("offline")}})
	post.ready().end(errClosed)
	if m := await(t, came); m.Topic != "a/availability" || string(m.Payload) != "offline" {
		t.Errorf("came %+v", m)
	}
}
