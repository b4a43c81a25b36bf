package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"stolpe/payment"
	"stolpe/payment/sim"
	"stolpe/payment/vipps"
)

// simulated is a payment service of our own, behind a real wire on loopback.
type simulated struct {
	*sim.Till
	keys sim.Credentials
	url  string
	done chan error
	stop context.CancelFunc
}

// serveTill starts one, with keys that nobody else knows.
func serveTill(ctx context.Context, o sim.Options) (*simulated, error) {
	return serveTillAt(ctx, "127.0.0.1:0", o)
}

// serveTillAt starts one at an address.
func serveTillAt(ctx context.Context, address string, o sim.Options) (*simulated, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("simulated payment service: %w", err)
	}
	s := &simulated{
		keys: sim.Credentials{ClientID: rand.Text(), ClientSecret: rand.Text(), SubscriptionKey: rand.Text(), MSN: "123456"},
		url:  "http://" + l.Addr().String(),
		done: make(chan error, 1),
	}
	o.Accept = s.keys
	if !everywhere(l.Addr()) {
		o.PublicURL = s.url
	}
	s.Till = sim.NewTill(o)
	ctx, s.stop = context.WithCancel(ctx)
	go func() { s.done <- s.Serve(ctx, l) }()
	return s, nil
}

// into gives a client the keys of the service.
func (s *simulated) into(c *vipps.Config) {
	c.BaseURL, c.MSN = s.url, s.keys.MSN
	c.ClientID, c.ClientSecret, c.SubscriptionKey = s.keys.ClientID, s.keys.ClientSecret, s.keys.SubscriptionKey
}

// Close ends the service.
func (s *simulated) Close() error {
	s.stop()
	if err := <-s.done; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// agrees says whether the service's own books show these amounts.
func (s *simulated) agrees(ref payment.Ref, captured, released payment.Amount) error {
	err := fmt.Errorf("payment %s: the service does not know it", ref)
	s.Do(func(now time.Duration, b *sim.Book) {
		for p := range b.Payments(now) {
			if f := p.Found; p.Ref == ref {
				err = nil
				if f.Taken != captured || f.Freed != released {
					err = fmt.Errorf("payment %s: the service has captured %v and released %v, the post says %v and %v",
						ref, f.Taken, f.Freed, captured, released)
				}
			}
		}
	})
	return err
}
