package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"stolpe/cross/ports"
)

// plain is a Mosquitto without certificates or rights, and where it listens.
func plain(t *testing.T, more string) (*real, string) {
	t.Helper()
	port, dir := ports.Free(t), t.TempDir()
	conf := filepath.Join(dir, "conf")
	write(t, conf, fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\nuser root\npersistence_location %s/\n%s\n", port, dir, more))
	r := &real{t: t, conf: conf}
	r.start()
	return r, "127.0.0.1:" + port
}

// client is a connection, what came over it, and each time it was ready.
type client struct {
	*Conn
	came  chan Message
	ready chan struct{}
	leave func() // cleanly
}

// join connects, in o's way.
func join(t *testing.T, at string, o Options, dial func(context.Context) (net.Conn, error)) *client {
	t.Helper()
	c := &client{came: make(chan Message, 100), ready: make(chan struct{}, 100)}
	o.URL, o.Handle = "mqtt://"+at, func(m Message) { c.came <- m }
	o.Ready = func(context.Context) { c.ready <- struct{}{} }
	var err error
	if c.Conn, err = New(o); err != nil {
		t.Fatal(err)
	}
	if dial != nil {
		c.dial = dial
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	c.leave = func() {
		stop()
		err := <-ended
		ended <- nil
		if err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(c.leave)
	await(t, c.ready)
	return c
}

// say publishes, and must not fail.
func (c *client) say(t *testing.T, topic, text string, retained bool) {
	t.Helper()
	if err := c.Publish(t.Context(), Message{Topic: topic, Payload: []byte(text), Retained: retained}); err != nil {
		t.Fatal(err)
	}
}

// hears is what comes until a message with the text "end".
func (c *client) hears(t *testing.T) (all []string) {
	t.Helper()
	for {
		m := await(t, c.came)
		if string(m.Payload) == "end" {
			return all
		}
		all = append(all, fmt.Sprintf("%s=%s", m.Topic, m.Payload))
	}
}

func will() *Message { return &Message{Topic: "p/availability", Payload: []byte("offline")} }

// A broker says the will of who vanishes, and of who leaves it only what that one has
// said itself.
func TestMosquittoSaysTheWillOfWhoVanishes(t *testing.T) {
	_, at := plain(t, "persistence false")
	reader := join(t, at, Options{ClientID: "reader", Filters: []string{"p/#"}}, nil)
	post := join(t, at, Options{ClientID: "post", Will: will()}, nil)
	post.say(t, "p/availability", "online", true)
	post.Conn.ready().end(errClosed) // as if the line were cut
	for _, want := range []string{"online", "offline"} {
		if m := await(t, reader.came); string(m.Payload) != want {
			t.Fatalf("heard %s: want %s", m.Payload, want)
		}
	}
	await(t, post.ready) // again
	post.say(t, "p/availability", "online", true)
	post.leave()
	reader.say(t, "p/last", "end", false)
	if got := fmt.Sprint(reader.hears(t)); got != "[p/availability=online p/availability=offline]" {
		t.Errorf("heard %s: want one goodbye", got)
	}
	late := join(t, at, Options{ClientID: "late", Filters: []string{"p/#"}}, nil)
	if m := await(t, late.came); string(m.Payload) != "offline" || !m.Retained {
		t.Errorf("who comes later hears %+v", m)
	}
}

// A broker that starts again may have lost all it knew. What is told on each connection
// is there again; what was told once is there only if the broker wrote it down.
func TestMosquittoStartsAgain(t *testing.T) {
	for _, x := range []struct {
		name, more string
		by         syscall.Signal
		kept       bool
	}{
		{"with persistence", "persistence true", syscall.SIGTERM, true},
		{"without", "persistence false", syscall.SIGTERM, false},
		{"killed before it wrote", "persistence true", syscall.SIGKILL, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			broker, at := plain(t, x.more)
			post := join(t, at, Options{ClientID: "post", Filters: []string{"p/cmd"}, Will: will()}, nil)
			post.say(t, "p/once", "told once", true)
			broker.end(x.by)
			err := post.Publish(t.Context(), Message{Topic: "p/state", Payload: []byte("lost")})
			if !errors.Is(err, ErrAway) {
				t.Errorf("published to nobody: %v", err)
			}
			broker.start()
			await(t, post.ready)
			post.say(t, "p/state", "charging", true) // as whoever is ready tells everything anew
			reader := join(t, at, Options{ClientID: "reader", Filters: []string{"p/state", "p/once", "p/end"}}, nil)
			reader.say(t, "p/cmd", "stop", false)
			if m := await(t, post.came); string(m.Payload) != "stop" {
				t.Errorf("the subscription is not there again: %+v", m)
			}
			reader.say(t, "p/end", "end", false)
			heard := map[string]bool{}
			for _, s := range reader.hears(t) {
				heard[s] = true
			}
			if !heard["p/state=charging"] || heard["p/once=told once"] != x.kept {
				t.Errorf("heard %v", heard)
			}
		})
	}
}

// A link whose other end is gone without a word is noticed by the pings, or by the
// first message that nobody acknowledges, and the broker says the will.
func TestHalfOpenLinkIsNoticed(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: lines that are cut, with the patience of real time")
	}
	for name, speaks := range map[string]bool{"by its pings": false, "by a message": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNet(t)
			post := join(t, "127.0.0.1:1883", Options{ClientID: "post", Will: will(), KeepWarm: 2 * time.Second}, n.dialer(0))
			reader := join(t, "127.0.0.1:1883", Options{ClientID: "reader", Filters: []string{"p/#"}}, n.dialer(1))
			post.say(t, "p/availability", "online", true)
			n.cut(0, true)
			if speaks {
				if err := post.Publish(t.Context(), Message{Topic: "p/state", Payload: []byte("x")}); !errors.Is(err, ErrAway) {
					t.Errorf("published into the void: %v", err)
				}
			}
			for _, want := range []string{"online", "offline"} {
				if m := await(t, reader.came); string(m.Payload) != want {
					t.Errorf("heard %s: want %s", m.Payload, want)
				}
			}
			late := time.After(patience)
			for post.Connected() {
				select {
				case <-late:
					t.Fatal("the post still believes that it is connected")
				case <-time.After(10 * time.Millisecond):
				}
			}
			n.cut(0, false)
			await(t, post.ready)
			post.say(t, "p/availability", "online", true)
			if m := await(t, reader.came); string(m.Payload) != "online" {
				t.Errorf("heard %s", m.Payload)
			}
		})
	}
}
