package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"stolpe/agent/mqtt"
	"stolpe/agent/mqtt/broker"
)

// scriptedBroker is the broker of a script.
type scriptedBroker struct{ end func() } // and waits

// scriptBroker is a broker for a post whose stolpe.yaml says BROKER. It must come before the
// post.
func scriptBroker(ts *testscript.TestScript, neg bool, args []string) {
	p := postOf(ts)
	switch word := strings.Join(args, " "); {
	case neg:
		ts.Fatalf("broker: it cannot be denied")
	case word == "" && p.broker == nil:
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- broker.Serve(ctx, l, slog.New(slog.DiscardHandler)) }()
		p.broker = &scriptedBroker{func() { cancel(); <-ended }}
		ts.Defer(func() {
			if p.broker != nil {
				p.broker.end()
			}
		})
		ts.Setenv("BROKER", l.Addr().String())
		file := ts.MkAbs("stolpe.yaml")
		ts.Check(os.WriteFile(file, []byte(strings.ReplaceAll(ts.ReadFile(file), "BROKER", l.Addr().String())), 0o600))
	case word == "stop" && p.broker != nil:
		p.broker.end()
		p.broker = nil
	default:
		ts.Fatalf("usage: broker, then broker stop")
	}
}

// What a filter covers is what a broker would send.
func TestFiltersCoverTopics(t *testing.T) {
	for _, row := range []struct {
		filter, topic string
		want          bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "a/b", false}, {"a/b", "a", false}, {"#", "a/b/c", true}, {"a/#", "a", true}, {"a/#", "a/b/c", true}, {"a/#", "b/a", false},
		{"+", "a", true}, {"+", "a/b", false}, {"+/b", "a/b", true}, {"a/+/c", "a/b/c", true}, {"a/+/c", "a/b/d", false}, {"a/+", "a", false}, {"#/a", "b/a", false}, {"+/#", "a/b", true},
	} {
		if got := covers(row.filter, row.topic); got != row.want {
			t.Errorf("%s covers %s: %v", row.filter, row.topic, got)
		}
	}
}

// Whoever looks on sees what goes and what comes, until they have seen enough.
func TestTap(t *testing.T) {
	t.Parallel()
	c, came := listener(t, serveBroker(t), "x/#")
	saw := make(chan string, 10)
	stop := c.Tap(func(m mqtt.Message, out bool) { saw <- fmt.Sprint(out, m.Topic, string(m.Payload)) })
	publish := func(text string) {
		if err := c.Publish(t.Context(), mqtt.Message{Topic: "x/1", Payload: []byte(text)}); err != nil {
			t.Fatal(err)
		}
		<-came
	}
	publish("one")
	all := []string{<-saw, <-saw}
	slices.Sort(all)
	if want := []string{"falsex/1one", "truex/1one"}; !slices.Equal(all, want) {
		t.Errorf("saw %q, want %q", all, want)
	}
	stop()
	publish("two")
	if len(saw) != 0 {
		t.Errorf("saw %q after that", <-saw)
	}
}

// What a broker sends moves nothing on the terminal of whoever looks on.
func TestTailTamesWhatItPrints(t *testing.T) {
	t.Parallel()
	for _, s := range []seen{
		{Topic: "a\u009b2J", Text: "x"}, {Topic: "a", JSON: json.RawMessage("{\"x\":\"\u009b2J\"}")}, {Topic: "a\x1b[2J", Text: "\x1b[2J"},
	} {
		if got := s.line(time.UTC); strings.ContainsAny(got, "\u009b\x1b") || !strings.Contains(got, "2J") && s.Text != "x" {
			t.Errorf("%q", got)
		}
	}
}
