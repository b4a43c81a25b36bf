package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/google/go-cmp/cmp"
)

var hi = Message{Topic: "a/b", Payload: []byte("hi")}

func TestPublishIsNilOnlyWhenAcknowledged(t *testing.T) {
	play(t, Options{}, func(f fake, _ int) { f.greet(); f.ack() }, func(ctx context.Context, c *Conn) {
		up(c)
		if err := c.Publish(ctx, hi); err != nil {
			t.Error(err)
		}
	})
}

func TestBrokerThatDoesNotAcknowledgeIsLeft(t *testing.T) {
	script := func(f fake, n int) {
		f.greet()
		if n > 0 {
			f.ack()
		}
		for f.next() != nil {
		}
	}
	play(t, Options{}, script, func(ctx context.Context, c *Conn) {
		up(c)
		start := time.Now()
		if err := c.Publish(ctx, hi); !errors.Is(err, ErrAway) {
			t.Errorf("without an acknowledgement: %v", err)
		}
		if took := time.Since(start); took != within {
			t.Errorf("Publish waited %v", took)
		}
		synctest.Wait()
		if c.Connected() {
			t.Error("the connection is kept")
		}
		up(c)
		if err := c.Publish(ctx, hi); err != nil {
			t.Errorf("on the next connection: %v", err)
		}
	})
}

func TestConnectionDroppedAfterThePublishIsNoAcknowledgement(t *testing.T) {
	script := func(f fake, n int) {
		f.greet()
		if n > 0 {
			f.ack()
			return
		}
		f.next() // the message, and then the line is dead
	}
	play(t, Options{}, script, func(ctx context.Context, c *Conn) {
		up(c)
		if err := c.Publish(ctx, hi); !errors.Is(err, ErrAway) {
			t.Errorf("without an acknowledgement: %v", err)
		}
		up(c)
	})
}

func TestHalfOpenLineIsLeft(t *testing.T) {
	script := func(f fake, n int) {
		f.greet()
		if n > 0 {
			f.ack()
			return
		}
		pass(5 * time.Minute) // reads nothing
	}
	play(t, Options{}, script, func(ctx context.Context, c *Conn) {
		up(c)
		start := time.Now()
		if err := c.Publish(ctx, hi); !errors.Is(err, ErrAway) {
			t.Errorf("into a dead line: %v", err)
		}
		if took := time.Since(start); took > within {
			t.Errorf("Publish waited %v", took)
		}
		up(c)
	})
}

func TestSilentLineIsFoundByPings(t *testing.T) {
	play(t, Options{}, func(f fake, n int) {
		f.greet()
		if n > 0 {
			f.ack()
			return
		}
		for { // takes in everything, answers nothing
			if _, err := packets.ReadPacket(f); err != nil {
				return
			}
		}
	}, func(ctx context.Context, c *Conn) {
		up(c)
		start := time.Now()
		for c.Connected() {
			pass(10 * time.Millisecond)
		}
		if took := time.Since(start); took > keepWarm+2*within {
			t.Errorf("a dead line was kept %v", took)
		}
		up(c)
	})
}

func TestContextEndsTheWaitOnly(t *testing.T) {
	play(t, Options{}, func(f fake, _ int) {
		f.greet()
		for f.next() != nil {
		}
	}, func(ctx context.Context, c *Conn) {
		up(c)
		short, done := context.WithTimeout(ctx, time.Second)
		defer done()
		if err := c.Publish(short, hi); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrAway) {
			t.Errorf("the caller gave up: %v", err)
		}
		if !c.Connected() {
			t.Error("and the connection was closed for it")
		}
	})
}

func TestSubscriptionsAreMadeAnewBeforeReady(t *testing.T) {
	var said []string
	o := Options{
		Filters: []string{"a/+"},
		Ready:   func(ctx context.Context) { said = append(said, "ready"); <-ctx.Done() },
	}
	play(t, o, func(f fake, n int) {
		if hello := f.greet(); !hello.CleanSession || hello.ProtocolVersion != 4 || hello.ClientIdentifier != "A1" {
			t.Errorf("the client says %v", hello)
		}
		asked := f.asked()
		said = append(said, asked.Topics...)
		f.answer(asked, 1)
		if n == 2 {
			f.ack()
		}
		pass(time.Second)
	}, func(ctx context.Context, c *Conn) { pass(time.Minute) })
	if diff := cmp.Diff([]string{"a/+", "ready", "a/+", "ready", "a/+", "ready"}, said); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedSubscriptionIsNoConnection(t *testing.T) {
	o := Options{Filters: []string{"a"}, Ready: func(context.Context) { t.Error("ready") }}
	play(t, o, func(f fake, _ int) { f.greet(); f.answer(f.asked(), refused); f.ack() },
		func(ctx context.Context, c *Conn) { pass(time.Minute) })
}

// What the broker does not allow is logged once, also if it is refused at each
// connection, and again when it had been allowed in between.
func TestRefusedWishIsDoneWithout(t *testing.T) {
	var log strings.Builder
	o := Options{Filters: []string{"a"}, Wishes: []string{"b", "c"}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	play(t, o, func(f fake, n int) {
		f.greet()
		asked := f.asked()
		ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
		ack.MessageID = asked.MessageID
		for _, topic := range asked.Topics {
			code := byte(1)
			if topic == "c" && n != 2 {
				code = refused
			}
			ack.ReturnCodes = append(ack.ReturnCodes, code)
		}
		f.send(ack)
		if n < 3 {
			pass(time.Second)
			return
		}
		f.ack()
	}, func(ctx context.Context, c *Conn) {
		pass(5 * time.Minute)
		if err := c.Publish(ctx, hi); err != nil {
			t.Error(err)
		}
	})
	if n := strings.Count(log.String(), "filter=c"); n != 2 || strings.Contains(log.String(), "filter=b") {
		t.Errorf("a refusal is told %d times, want 2:\n%s", n, log.String())
	}
}

func TestMessagesAreHandledInOrder(t *testing.T) {
	const many = 500
	var got []string
	var all atomic.Bool
	o := Options{Filters: []string{"#"}, Handle: func(m Message) {
		if got = append(got, string(m.Payload)); len(got) == many {
			all.Store(true)
		}
	}}
	play(t, o, func(f fake, _ int) {
		f.greet()
		f.answer(f.asked(), 1)
		go f.ack()
		for i := range many {
			f.publish("a", fmt.Append(nil, i), uint16(i+1))
		}
		pass(time.Minute)
	}, func(ctx context.Context, c *Conn) {
		for !all.Load() {
			pass(time.Second)
		}
	})
	for i, g := range got {
		if g != fmt.Sprint(i) {
			t.Fatalf("message %d is %s", i, g)
		}
	}
}

func TestWhatDoesNotFitIsDroppedAndCounted(t *testing.T) {
	var free atomic.Bool
	got := 0
	o := Options{Filters: []string{"#"}, Handle: func(Message) {
		for !free.Load() {
			pass(time.Second)
		}
		got++
	}}
	sent := queueLength + 11
	play(t, o, func(f fake, _ int) {
		f.greet()
		f.answer(f.asked(), 1)
		go f.ack()
		f.publish("a", make([]byte, largest+1), 1)
		for range sent {
			f.publish("a", []byte("x"), 1)
		}
		pass(time.Hour)
	}, func(ctx context.Context, c *Conn) {
		pass(10 * time.Second)
		if n := c.Dropped(); n != 11 { // the large one and ten; one is being handled
			t.Errorf("dropped %d", n)
		}
		free.Store(true)
		pass(5 * time.Second)
	})
	if got != queueLength+1 {
		t.Errorf("handled %d, want %d", got, queueLength+1)
	}
}

func TestGoodbyeSaysTheWill(t *testing.T) {
	var came []packets.ControlPacket
	o := Options{Will: &Message{Topic: "a/availability", Payload: []byte("offline")}}
	play(t, o, func(f fake, _ int) {
		if h := f.greet(); h.WillTopic != "a/availability" || string(h.WillMessage) != "offline" || !h.WillRetain || h.WillQos != 1 {
			t.Errorf("the will is %v", h)
		}
		came = f.ack()
	}, func(ctx context.Context, c *Conn) { up(c) })
	if len(came) != 2 {
		t.Fatalf("the client ended with %v", came)
	}
	said, ok := came[0].(*packets.PublishPacket)
	if !ok || said.TopicName != "a/availability" || string(said.Payload) != "offline" || !said.Retain || said.Qos != 1 {
		t.Errorf("first %v", came[0])
	}
	if _, ok := came[1].(*packets.DisconnectPacket); !ok {
		t.Errorf("last %v", came[1])
	}
}

func TestBackOffGrowsByChance(t *testing.T) {
	t.Run("to a minute", func(t *testing.T) { backOff(t, 0, mostWait) })
	t.Run("as far as was said", func(t *testing.T) { backOff(t, 5*time.Second, 5*time.Second) })
	t.Run("further than a minute", func(t *testing.T) { backOff(t, 10*time.Minute, 10*time.Minute) })
}

func backOff(t *testing.T, retry, longest time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Options{URL: "mqtt://localhost", ClientID: "A1", Retry: retry})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Publish(t.Context(), hi); !errors.Is(err, ErrAway) || c.Connected() {
			t.Errorf("before there is a connection: %v", err)
		}
		var tries []time.Time
		c.dial = func(context.Context) (net.Conn, error) {
			tries = append(tries, time.Now())
			return nil, errors.New("refused")
		}
		ctx, stop := context.WithTimeout(t.Context(), 12*time.Hour)
		defer stop()
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
		var gaps []time.Duration
		for i := range tries[1:] {
			gap := tries[i+1].Sub(tries[i])
			if most := min(longest, leastWait<<(min(i, 15)+1)); gap < leastWait || gap > most {
				t.Errorf("wait %d is %v, want %v to %v", i, gap, leastWait, most)
			}
			gaps = append(gaps, gap)
		}
		late := gaps[10:]
		if slices.Max(late) < longest/2 || slices.Min(late) > longest*3/4 {
			t.Errorf("no chance in %v", late)
		}
	})
}

// Whoever asks is told since when there is a connection, or none, and why there is none.
func TestStateTellsWhy(t *testing.T) {
	play(t, Options{}, func(f fake, n int) {
		if n == 0 {
			return // hangs up
		}
		f.greet()
		f.ack()
	}, func(ctx context.Context, c *Conn) {
		synctest.Wait()
		if _, cause := c.State(); cause == nil || c.Connected() {
			t.Errorf("after a broker that hung up: %v", cause)
		}
		up(c)
		if since, cause := c.State(); cause != nil || time.Since(since) > within {
			t.Errorf("connected: since %v, %v", since, cause)
		}
	})
}

func TestDistrustIsTold(t *testing.T) {
	for text, want := range map[string]bool{"": false, "EOF": false, "remote error: tls: bad certificate": true} {
		var err error
		if text != "" {
			err = errors.New("network Error : " + text)
		}
		if Distrusted(err) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
