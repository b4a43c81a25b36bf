package mqtt

import (
	"context"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Publish hands a message to the broker. It returns nil once the broker has
// acknowledged it on this connection, ErrAway when it has not, and ctx's error when
// that ends first. A broker that does not acknowledge costs the connection.
func (c *Conn) Publish(ctx context.Context, m Message) error {
	client, broken := c.current()
	if client == nil {
		return ErrAway
	}
	if len(m.Payload) > maxPayload {
		return fmt.Errorf("mqtt: publish to %s: %d bytes, at most %d are sent", m.Topic, len(m.Payload), maxPayload)
	}
	return c.await(ctx, client.Publish(m.Topic, 1, m.Retained, m.Payload), broken)
}

// Leave ends a subscription before the connection ends, so that what is shared goes
// to others.
func (c *Conn) Leave(ctx context.Context, filter string) error {
	client, broken := c.current()
	if client == nil {
		return ErrAway
	}
	return c.await(ctx, client.Unsubscribe(filter), broken)
}

func (c *Conn) current() (paho.Client, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client, c.broken
}

func (c *Conn) await(ctx context.Context, t paho.Token, broken func()) error {
	timer := time.NewTimer(tokenTimeout)
	defer timer.Stop()
	select {
	case <-t.Done():
		if t.Error() != nil {
			return fmt.Errorf("%w: %w", ErrAway, t.Error())
		}
		return nil
	case <-timer.C:
		broken()
		return ErrAway
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// acknowledged waits for a token, and not for longer than a broker that lives takes.
func acknowledged(t paho.Token) error {
	if !t.WaitTimeout(tokenTimeout) {
		return fmt.Errorf("no answer in %v", tokenTimeout)
	}
	return t.Error()
}
