package demo

import (
	"context"
	"log/slog"
	"net"

	"stolpe/agent/mqtt/broker"
)

// carrier is the broker inside this program, and its address. It lets everybody do
// everything; what posts and gateways say is sealed all the same.
type carrier struct {
	url  string
	stop func()
	done chan error
}

// serveBroker starts one.
func serveBroker() (*carrier, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &carrier{url: "mqtt://" + l.Addr().String(), stop: stop, done: make(chan error, 1)}
	go func() { c.done <- broker.Serve(ctx, l, slog.New(slog.DiscardHandler)) }()
	return c, nil
}

func (c *carrier) close() error {
	c.stop()
	return <-c.done
}
