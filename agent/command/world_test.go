package command

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"stolpe/agent/telemetry"
	"stolpe/hal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const base = "stolpe/v1/acme/A12/"

// secret is the private key of that name.
func secret(name string) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	return ed25519.NewKeyFromSeed(seed)
}

func public(name string) ed25519.PublicKey { return secret(name).Public().(ed25519.PublicKey) }

// post is a desk, and everything that it has done.
type post struct {
	t     *testing.T
	desk  *Desk
	clock hal.Clock
	began time.Time

	mu      sync.Mutex
	done    []Command
	records []Record
	replies []Reply
	order   []string // of everything: note, deed, reply
	err     error    // of the ledger
	deed    func(context.Context, Command) (Answer, error)
}

// newPost makes a post with a key for each role, called after it, whose commands are all
// allowed but for settle.retry.
func newPost(t *testing.T, change func(*Options)) *post {
	t.Helper()
	p := &post{t: t, clock: hal.ClockSynced, began: time.Now()}
	o := Options{Base: base, Deeds: map[Name]Deed{}, Now: p.now, Note: p.note, Publish: p.publish, Log: slog.New(slog.DiscardHandler)}
	for _, r := range ranks() {
		o.Keys = append(o.Keys, Key{Name: string(r), Role: r, Public: public(string(r))})
	}
	for _, n := range Names() {
		o.Deeds[n] = Deed{Do: p.do, Urgent: n == Identify || n == Stop}
		if n != SettleRetry {
			o.Allow = append(o.Allow, n)
		}
	}
	if change != nil {
		change(&o)
	}
	p.desk = New(o)
	return p
}

func (p *post) now() hal.Instant {
	return hal.Instant{Mono: time.Since(p.began), Wall: hal.Stamp{Unix: time.Now().Unix(), Clock: p.clock}}
}

func (p *post) note(r Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	p.records = append(p.records, r)
	p.order = append(p.order, string(r.Kind))
	return nil
}

func (p *post) do(ctx context.Context, c Command) (Answer, error) {
	p.mu.Lock()
	p.done = append(p.done, c)
	p.order = append(p.order, "deed")
	deed := p.deed
	p.mu.Unlock()
	if deed != nil {
		return deed(ctx, c)
	}
	return Answer{Text: "as you wish"}, nil
}

func (p *post) publish(_ context.Context, leaf telemetry.Leaf, payload []byte) error {
	var r Reply
	if err := strictly(payload, &r); err != nil {
		p.t.Errorf("reply %s: %v", payload, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.ContainsFunc(Names(), func(n Name) bool { return n.ReplyLeaf() == leaf }) {
		p.t.Errorf("a reply on %s", leaf)
	}
	p.replies = append(p.replies, r)
	p.order = append(p.order, "reply")
	return nil
}

// run lets the post work while do drives it, in a bubble whose clock does not wait.
func run(t *testing.T, change func(*Options), do func(*post)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t, change)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); p.desk.Run(ctx) }()
		do(p)
		stop()
		<-ended
	})
}

// sent is a command as the key of a role gives it.
func sent(role Role, n Name, change ...func(*Command)) Command {
	now := time.Now().UTC().Truncate(time.Second)
	c := Command{V: telemetry.Version, ID: NewID(now), Name: n, Issuer: string(role), Issued: now, Expires: now.Add(time.Minute)}
	for _, f := range change {
		f(&c)
	}
	return c
}

// payload signs a command, whatever it says.
func payload(c Command) []byte {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return mark(c.Issuer, base+string(c.Name.Leaf()), text)
}

// mark signs a text.
func mark(key, topic string, text []byte) []byte {
	sig := ed25519.Sign(secret(key), signed(topic, text))
	return append(append(slices.Clone(text), '\n'), Public(sig)...)
}

// give sends a command and waits until the post is at rest.
func (p *post) give(c Command) { p.send(c.Name, payload(c), false) }

func (p *post) send(n Name, payload []byte, retained bool) {
	p.t.Helper()
	if !p.desk.Take(base+string(n.Leaf()), payload, retained) {
		p.t.Errorf("%s is not taken", n)
	}
	synctest.Wait()
}

// last is the newest reply and the newest record.
func (p *post) last() (Reply, Record) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.replies) == 0 || len(p.records) == 0 {
		p.t.Fatalf("%d replies, %d records", len(p.replies), len(p.records))
	}
	return p.replies[len(p.replies)-1], p.records[len(p.records)-1]
}

func (p *post) count() (done, records, replies int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.done), len(p.records), len(p.replies)
}

var errDisk = errors.New("no space left on device")

func (p *post) said() []Reply   { return all(p, &p.replies) }
func (p *post) wrote() []Record { return all(p, &p.records) }
func (p *post) did() []Command  { return all(p, &p.done) }

func all[T any](p *post, of *[]T) []T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(*of)
}

// pass lets the bubble's time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// saw notes what happens, in order.
func (p *post) saw(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.order = append(p.order, what)
}
