package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/ledger"
	"stolpe/agent/mqtt"
)

func TestCommandWordsAreThoseOfTheConfiguration(t *testing.T) {
	var names []string
	for _, n := range commands.Names() {
		names = append(names, string(n))
	}
	if want := "each one of " + strings.Join(names, ", ") + " |"; !strings.Contains(config.Reference(), want) {
		t.Errorf("commands.allow is not %q", want)
	}
	roles := "reader, support, operator or admin"
	for _, r := range strings.Fields(strings.NewReplacer(",", "", " or", "").Replace(roles)) {
		if !commands.Role(r).Known() {
			t.Errorf("role %s is not known", r)
		}
	}
	if !strings.Contains(config.Reference(), "| `commands.keys[].role` | "+roles+" |") {
		t.Errorf("commands.keys[].role is not %s", roles)
	}
	for _, n := range commands.Names() { // as the reference says which role may what
		said, _, _ := strings.Cut(config.Reference()[strings.Index(config.Reference(), "| `commands.keys[].role` |"):], "\n")
		for r, next := range map[commands.Role]string{"reader": "support: ", "support": "operator: ", "operator": "admin: ", "admin": " |\n"} {
			if until, _, _ := strings.Cut(said+"\n", next); strings.Contains(until, string(n)) != r.May(n) {
				t.Errorf("%s may %s: %v, and the reference says otherwise", r, n, r.May(n))
			}
		}
	}
}

// commanded is a post that takes commands of a key called ops, over a broker.
type commanded struct {
	t       *testing.T
	address string
	book    *ledger.Ledger
	private ed25519.PrivateKey
	did     chan commands.Command
	deed    func() (commands.Answer, error)
	fleet   *mqtt.Conn
	replies chan mqtt.Message
}

func newCommanded(t *testing.T) *commanded {
	t.Helper()
	book, _, err := ledger.Open(ledgerPath(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &commanded{t: t, address: serveBroker(t), book: book, private: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), did: make(chan commands.Command, 10)}
	c.deed = func() (commands.Answer, error) { return commands.Answer{Text: "begins anew"}, nil }
	c.fleet, c.replies = listener(t, c.address, postBase+"cmd/+/res")
	return c
}

// start starts the post, and again after stop.
func (c *commanded) start() (stop func()) {
	c.t.Helper()
	cfg := config.Config{Tenant: "acme"}
	cfg.Post.ID, cfg.MQTT.URL = "A12", "mqtt://"+c.address
	cfg.Commands = config.Commands{Allow: []string{"restart"}, Keys: []config.CommandKey{{Name: "ops", Role: "operator", Public: commands.Public(c.private.Public().(ed25519.PublicKey))}}}
	log := slog.New(slog.DiscardHandler)
	up, err := new(parts).openUplink(cfg, log)
	if err != nil {
		c.t.Fatal(err)
	}
	source := &timeSource{sets: func() bool { return false }}
	source.did.Store(true) // and now the network is gone
	w := realWorld(source, cfg, log)
	w.book = c.book
	deeds := map[commands.Name]commands.Deed{commands.Restart: {Do: func(_ context.Context, cmd commands.Command) (commands.Answer, error) {
		c.did <- cmd
		return c.deed()
	}}}
	if err := new(parts).takeCommands(cfg, w, up, deeds); err != nil {
		c.t.Fatal(err)
	}
	ready := make(chan struct{}, 10)
	up.add(use{ready: func() { ready <- struct{}{} }})
	stop = aside(c.t, up.run)
	<-ready
	return stop
}

func (c *commanded) give(payload []byte, retained bool) {
	c.t.Helper()
	if err := c.fleet.Publish(c.t.Context(), mqtt.Message{Topic: postBase + "cmd/restart", Payload: payload, Retained: retained}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *commanded) reply() commands.Reply {
	c.t.Helper()
	var r commands.Reply
	if m := nextUnder(c.t, c.replies, postBase+"cmd/restart/res"); json.Unmarshal(m.Payload, &r) != nil || m.Retained {
		c.t.Fatalf("reply %s", m.Payload)
	}
	return r
}

// A command comes over the broker, is done once, also after a restart, and stands in the
// ledger. One that the broker has kept is done never.
func TestCommandsOverTheBroker(t *testing.T) {
	t.Parallel()
	c := newCommanded(t)
	now := time.Now().Truncate(time.Second)
	order := commands.Command{V: 1, ID: commands.NewID(now), Name: commands.Restart, Issuer: "ops", Issued: now, Expires: now.Add(4 * time.Minute)}
	payload, err := commands.Sign(c.private, postBase+"cmd/restart", order)
	if err != nil {
		t.Fatal(err)
	}
	stop := c.start()
	c.give(payload, false)
	if r := c.reply(); r.ID != order.ID || r.Code != commands.Done || r.Text != "begins anew" {
		t.Errorf("reply %+v", r)
	}
	stop()
	stop = c.start()
	c.give(payload, false)
	if r := c.reply(); r.ID != order.ID || r.Code != commands.Replayed {
		t.Errorf("after a restart: %+v", r)
	}
	stop()
	order.ID = commands.NewID(now)
	if payload, err = commands.Sign(c.private, postBase+"cmd/restart", order); err != nil {
		t.Fatal(err)
	}
	c.give(payload, true)
	if err := c.fleet.Publish(t.Context(), mqtt.Message{Topic: "done"}); err != nil { // acknowledged when what came before it has been passed on, and not before
		t.Fatal(err)
	}
	defer c.start()()
	var kinds []string
	want := []string{"command.accepted ", "command.done done", "command.refused replayed", "command.refused forbidden"}
	until(t, "four lines in the ledger", func() bool {
		kinds = nil
		if err := c.book.Read(func(e ledger.Entry) error {
			if e.Command == nil || e.Command.Name != "restart" || e.Command.ID == "" {
				t.Errorf("entry %+v", e)
			}
			kinds = append(kinds, string(e.Kind)+" "+e.Command.Code)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return len(kinds) >= len(want)
	})
	if !slices.Equal(kinds, want) {
		t.Errorf("ledger has %q: want %q", kinds, want)
	}
	if len(c.did) != 1 {
		t.Errorf("done %d times", len(c.did))
	}
}
