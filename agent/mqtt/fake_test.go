package mqtt

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// fake is the broker's end of one connection, played by hand.
type fake struct {
	t *testing.T
	net.Conn
}

// next is the next packet that is no ping; nil when the connection has ended.
func (f fake) next() packets.ControlPacket {
	for {
		p, err := packets.ReadPacket(f)
		if err != nil {
			return nil
		}
		if _, ping := p.(*packets.PingreqPacket); !ping {
			return p
		}
		f.send(packets.NewControlPacket(packets.Pingresp))
	}
}

func (f fake) send(p packets.ControlPacket) {
	if err := p.Write(f); err != nil && !errors.Is(err, net.ErrClosed) {
		f.t.Logf("the fake broker cannot write: %v", err)
	}
}

// greet takes the client in.
func (f fake) greet() *packets.ConnectPacket {
	hello, _ := f.next().(*packets.ConnectPacket)
	if hello == nil {
		f.t.Error("the client does not begin with CONNECT")
		return new(packets.ConnectPacket)
	}
	f.send(packets.NewControlPacket(packets.Connack))
	return hello
}

// asked is the next subscription.
func (f fake) asked() *packets.SubscribePacket {
	s, _ := f.next().(*packets.SubscribePacket)
	if s == nil {
		f.t.Error("the client does not subscribe")
		return new(packets.SubscribePacket)
	}
	return s
}

// answer answers a subscription with the code.
func (f fake) answer(s *packets.SubscribePacket, code byte) {
	ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
	ack.MessageID = s.MessageID
	for range s.Topics {
		ack.ReturnCodes = append(ack.ReturnCodes, code)
	}
	f.send(ack)
}

// ack acknowledges everything until the end, and gives what came.
func (f fake) ack() []packets.ControlPacket {
	var came []packets.ControlPacket
	for p := f.next(); p != nil; p = f.next() {
		came = append(came, p)
		if pub, ok := p.(*packets.PublishPacket); ok {
			ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
			ack.MessageID = pub.MessageID
			f.send(ack)
		}
	}
	return came
}

func (f fake) publish(topic string, payload []byte, id uint16) {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.Qos, p.MessageID = topic, payload, 1, id
	f.send(p)
}

// play runs one client against a broker that treats its n-th connection (from 0)
// as script says, all in a bubble whose clock does not wait. drive ends it.
func play(t *testing.T, o Options, script func(fake, int), drive func(context.Context, *Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.URL, o.ClientID = "mqtt://127.0.0.1:1883", "A1"
		c, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		c.dial = func(context.Context) (net.Conn, error) {
			here, there := net.Pipe()
			go func(n int) {
				defer there.Close()
				script(fake{t, there}, n)
			}(n)
			n++
			return here, nil
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		drive(ctx, c)
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		pass(2 * time.Hour) // the bubble's: what the client has begun ends by then
	})
}

// up waits for the connection.
func up(c *Conn) {
	for !c.Connected() {
		pass(10 * time.Millisecond)
	}
}

// pass lets the bubble's time pass.
func pass(d time.Duration) { <-time.After(d) }
