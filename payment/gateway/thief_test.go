package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/mqtt"
	"stolpe/payment"
	"stolpe/payment/envelope"
	"stolpe/payment/relay"
	"stolpe/payment/sim"
)

// thief is a post that was stolen with all its keys, and is after its neighbour.
type thief struct {
	*mqtt.Conn
	key  envelope.Key
	base string // of its own topics
	ours *relay.Client

	mu    sync.Mutex
	heard []string // topics of what came
}

// steal connects with the certificate and the key of a post.
func (s *street) steal(n int) *thief {
	s.t.Helper()
	own := filepath.Join(s.fleet, "posts", postID(n))
	hex, err := os.ReadFile(filepath.Join(own, "relay.key"))
	must(s.t, err)
	v := &thief{base: envelope.Root + "acme/" + postID(n) + "/"}
	v.key, err = envelope.ParseKey(strings.TrimSpace(string(hex)))
	must(s.t, err)
	settings, err := mqtt.TLS(filepath.Join(s.fleet, "ca.pem"), filepath.Join(own, "cert.pem"), filepath.Join(own, "key.pem"))
	must(s.t, err)
	began := time.Now()
	v.ours = relay.NewClient(relay.ClientOptions{Within: 5 * time.Second, Mono: func() time.Duration { return time.Since(began) },
		Publish: func(ctx context.Context, leaf string, text []byte) error { return v.say(ctx, v.base+leaf, v.key, text) }})
	ready := make(chan struct{}, 1)
	v.Conn, err = mqtt.New(mqtt.Options{URL: "mqtts://127.0.0.1:" + s.port, ClientID: postID(n), TLS: settings, Handle: v.hear,
		Filters: []string{v.base + relay.AnswerLeaf, envelope.Root + "#", envelope.Root + "acme/" + postID(0) + "/#", envelope.Root + "+/+/pay/answer"},
		Ready:   func(context.Context) { poke(ready) }})
	must(s.t, err)
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); v.Run(ctx) }() //nolint:errcheck // it ends with the test
	s.t.Cleanup(func() { cancel(); <-done })
	select {
	case <-ready:
	case <-time.After(20 * time.Second):
		s.t.Fatal("the broker does not let a post in that has its certificate")
	}
	return v
}

func (v *thief) say(ctx context.Context, topic string, key envelope.Key, text []byte) error {
	return v.Publish(ctx, mqtt.Message{Topic: topic, Payload: key.Seal(topic, text)})
}

func (v *thief) hear(m mqtt.Message) {
	v.mu.Lock()
	v.heard = append(v.heard, m.Topic)
	v.mu.Unlock()
	if text, err := v.key.Open(m.Topic, m.Payload); err == nil {
		v.ours.Take(text) //nolint:errcheck // what is not an answer is none
	}
}

// TestAPostCannotTouchAnothersMoney: a post whose keys are in wrong hands can do
// nothing with its neighbour's payments, through the real broker and gateways.
func TestAPostCannotTouchAnothersMoney(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: real programs and a real broker")
	}
	t.Parallel()
	s := newStreet(t, 1, 1)
	v := s.steal(1)
	victim := payment.NewRef(postID(0), 1, 1)
	session := ""
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); session == ""; <-tick.C {
		if session = s.ask(s.gateways[0].pages, postID(0)); time.Now().After(deadline) {
			t.Fatal("the neighbour serves nobody")
		}
	}
	s.until("the neighbour's payment is held", func(f payment.Found) bool { return f.State == payment.Authorised }, victim)
	for _, o := range []payment.Order{
		{Ref: victim, Currency: payment.NOK},
		{Verb: payment.Settle, Ref: victim, Currency: payment.NOK},
		{Verb: payment.Settle, Ref: victim, Currency: payment.NOK, Amount: 100},
		{Verb: payment.Inform, Ref: victim, Currency: payment.NOK, Amount: 100, Receipt: &payment.Receipt{Number: "1", Currency: payment.NOK}},
	} {
		a, err := v.ours.Ask(t.Context(), o)
		if a.Status != payment.Refused || a.Found != (payment.Found{}) || err == nil {
			t.Errorf("%v of a neighbour's payment: %+v, %v: want it refused, and nothing told", o.Verb, a, err)
		}
	}
	if a, err := v.ours.Ask(t.Context(), payment.Order{Ref: payment.NewRef(postID(1), 1, 1), Currency: payment.NOK}); a.Status != payment.Missing || err != nil {
		t.Errorf("its own: %v, %v: want missing, so that the refusals above prove something", a.Status, err)
	}
	calls := s.calls()
	for _, topic := range []string{envelope.Root + "acme/" + postID(0) + "/" + relay.AskLeaf, envelope.Root + "other/" + postID(0) + "/" + relay.AskLeaf} {
		text := fmt.Appendf(nil, `{"v":1,"id":"x","until":%d,"order":{"verb":"settle","ref":%q,"currency":"NOK"}}`, time.Now().Add(10*time.Second).UnixMilli(), victim)
		if err := v.say(t.Context(), topic, v.key, text); err != nil && !errors.Is(err, mqtt.ErrAway) {
			t.Error(err)
		}
	}
	if a, err := v.ours.Ask(t.Context(), payment.Order{Ref: payment.NewRef(postID(1), 1, 1), Currency: payment.NOK}); err != nil || a.Status != payment.Missing {
		t.Errorf("its own, after what was forged: %v, %v", a.Status, err) // and by now that has been seen
	}
	if n := s.calls() - calls; n != 1 {
		t.Errorf("%d calls to the payment service: want the one for its own", n)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, topic := range v.heard {
		if !strings.HasPrefix(topic, v.base) {
			t.Errorf("it hears %s", topic)
		}
	}
}

// until waits until a payment is as wanted.
func (s *street) until(what string, as func(payment.Found) bool, ref payment.Ref) {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var f payment.Found
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		s.till.Do(func(now time.Duration, b *sim.Book) { f, _ = b.Get(now, ref) })
		if as(f) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not in a minute; it is %+v", what, f)
		}
	}
}

// TestSealsAreChecked: a gateway at a broker that lets everybody publish anywhere, as
// one does that is configured by hand, goes by the seal and not by the topic alone.
func TestSealsAreChecked(t *testing.T) {
	master := envelope.Key{1, 2, 3}
	text := []byte(`{"v":1,"id":"x","order":{"verb":"look","ref":"A12-1-000001"}}`)
	a12, b7 := envelope.Root+"acme/A12/"+relay.AskLeaf, envelope.Root+"acme/B7/"+relay.AskLeaf
	for name, m := range map[string]mqtt.Message{
		"in the other's name":              {Topic: a12, Payload: master.Of("acme", "B7").Seal(a12, text)},
		"what was sealed for its own":      {Topic: a12, Payload: master.Of("acme", "B7").Seal(b7, text)},
		"of a post of that name elsewhere": {Topic: a12, Payload: master.Of("other", "A12").Seal(a12, text)},
		"without a seal":                   {Topic: a12, Payload: text},
		"with an empty seal":               {Topic: a12, Payload: append(text, '\n')},
		"changed":                          {Topic: a12, Payload: append([]byte(" "), master.Of("acme", "A12").Seal(a12, text)...)},
		"kept by the broker":               {Topic: a12, Payload: master.Of("acme", "A12").Seal(a12, text), Retained: true},
	} {
		t.Run(name, func(t *testing.T) {
			if n := taken(t, master, m); n != 0 {
				t.Errorf("%d askings taken: want none", n)
			}
		})
	}
	if n := taken(t, master, mqtt.Message{Topic: a12, Payload: master.Of("acme", "A12").Seal(a12, text)}); n != 1 {
		t.Errorf("%d askings taken of the post itself: want 1", n)
	}
}

// taken is how many askings a gateway takes of a message.
func taken(t *testing.T, master envelope.Key, m mqtt.Message) (n int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		tr := &traffic{key: master, log: log, figures: newFigures(func() bool { return true }, func() int { return 0 }, func() int { return 0 }), dead: newDeadPosts(new(units), log)}
		tr.relay = relay.NewServer(relay.ServerOptions{Now: time.Now, Log: log, Within: time.Second, Saw: func(relay.Sight) { n++ },
			Unit:    func(string, string) (relay.Unit, bool) { return relay.Unit{}, false },
			Publish: func(context.Context, string, string, string, []byte) error { return nil }})
		tr.take(m)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		tr.relay.Run(ctx) // what was taken is answered
	})
	return n
}
