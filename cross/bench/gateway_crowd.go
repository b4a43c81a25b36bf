package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"stolpe/agent/mqtt"
	"stolpe/display"
	"stolpe/display/remote"
	"stolpe/payment"
	"stolpe/payment/envelope"
	"stolpe/payment/relay"
)

// crowd is many simulated posts.
type crowd struct {
	posts []*asker
	idle  chan *asker // whoever is not charging, in the order in which they became so
}

// asker is one post: the end of the wire that a real post has, and nothing behind it.
type asker struct {
	id     string
	base   string // of its topics, with a slash at the end
	key    envelope.Key
	conn   *mqtt.Conn
	relay  *relay.Client
	number uint64 // of its last charge
}

// Chosen by us: what a charge reserves and comes to, in minor units.
const (
	reserved = 35_000
	used     = 6_808
)

// openCrowd connects the posts, over a few connections.
func (s *street) openCrowd() (*crowd, error) {
	c := &crowd{idle: make(chan *asker, s.posts)}
	began := time.Now()
	mono := func() time.Duration { return time.Since(began) }
	for n := range lines {
		mine := map[string]*asker{}
		var filters []string
		for i := n; i < s.posts; i += lines {
			id := fmt.Sprintf("P%05d", i+1)
			a := &asker{id: id, base: envelope.Base(tenant, id), key: s.master.Of(tenant, id)}
			a.relay = relay.NewClient(relay.ClientOptions{Publish: a.publish, Within: patience, Mono: mono})
			mine[a.base+relay.AnswerLeaf] = a
			filters = append(filters, a.base+relay.AnswerLeaf)
			c.posts = append(c.posts, a)
			c.idle <- a
		}
		conn, err := s.line(n, filters, mine)
		if err != nil {
			return nil, err
		}
		for _, a := range mine {
			a.conn = conn
		}
	}
	return c, nil
}

// line is one connection, that of some posts.
func (s *street) line(n int, filters []string, mine map[string]*asker) (*mqtt.Conn, error) {
	ready := make(chan struct{})
	var once sync.Once
	o := mqtt.Options{URL: s.url, ClientID: lineName(n), Filters: filters,
		Handle: func(m mqtt.Message) {
			if a := mine[m.Topic]; a != nil {
				a.take(m)
			}
		},
		Ready: func(ctx context.Context) { once.Do(func() { close(ready) }); <-ctx.Done() }}
	if s.secure {
		own := filepath.Join(s.dir, "gateways", lineName(n))
		var err error
		if o.TLS, err = mqtt.TLS(own+"/ca.pem", own+"/cert.pem", own+"/key.pem"); err != nil {
			return nil, err
		}
	}
	conn, err := mqtt.New(o)
	if err != nil {
		return nil, err
	}
	s.background(conn.Run)
	select {
	case <-ready:
		return conn, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("connection %d to the broker: %w", n, errSilent)
	}
}

func (a *asker) publish(ctx context.Context, leaf string, text []byte) error {
	return a.say(ctx, leaf, text, false)
}

func (a *asker) say(ctx context.Context, leaf string, text []byte, retained bool) error {
	topic := a.base + leaf
	return a.conn.Publish(ctx, mqtt.Message{Topic: topic, Payload: a.key.Seal(topic, text), Retained: retained})
}

// take takes in an answer. One that is not sealed or not understood counts as none,
// and the asking fails.
func (a *asker) take(m mqtt.Message) {
	if text, err := a.key.Open(m.Topic, m.Payload); err == nil {
		a.relay.Take(text) //nolint:errcheck // as above
	}
}

// all does something for every post, many at a time.
func (c *crowd) all(do func(context.Context, *asker) error) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	next := make(chan *asker)
	var workers sync.WaitGroup
	for range busyAtOnce {
		workers.Go(func() {
			for a := range next {
				if err := do(ctx, a); err != nil {
					cancel(fmt.Errorf("post %s: %w", a.id, err))
				}
			}
		})
	}
	for _, a := range c.posts {
		if ctx.Err() != nil {
			break
		}
		next <- a
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// introduce has every post say what gateways keep of it.
func (c *crowd) introduce() error {
	return c.all(func(ctx context.Context, a *asker) error {
		post := remote.NewPost(remote.PostOptions{Life: "bench", Codes: map[int]string{1: a.id}, Log: slog.New(slog.DiscardHandler),
			Info: display.Post{ID: a.id, Name: "Storgata 1, Hamar", Helpdesk: "+47 22 00 00 00", Pay: "Vipps", Zone: time.UTC, Codes: []string{a.id},
				Seller: display.Seller{Name: "Eksempel Lading AS", OrgNo: "999999999", VATRegistered: true}}})
		view := display.View{Code: a.id, State: display.Available, Price: tariff(), Choices: []payment.Amount{20_000, reserved}, Default: reserved, MaxPower: 22_000}
		return errors.Join(
			a.conn.Publish(ctx, mqtt.Message{Topic: a.base + envelope.AvailabilityLeaf, Payload: []byte(envelope.Online), Retained: true}),
			a.say(ctx, remote.PostLeaf, post.Introduction(), true),
			a.say(ctx, remote.ViewLeaf+"/1", post.Public(view), true),
			a.say(ctx, relay.OpenLeaf+"/1", relay.Statement(time.Time{}, nil), true))
	})
}

func tariff() payment.Price { return payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549} }

// greet has every post ask for a payment that is not there, and learn the time. An
// asking that comes while a gateway takes in what the broker keeps of 10,000 posts may
// find no room: it is made again, as a post does.
func (c *crowd) greet() error {
	const tries = 3
	return c.all(func(ctx context.Context, a *asker) error {
		var found payment.Answer
		var err error
		for range tries {
			if found, err = a.relay.Ask(ctx, payment.Order{Ref: payment.NewRef(a.id, 1, 999_999), Currency: payment.NOK}); err == nil {
				break
			}
		}
		if err == nil && found.Status != payment.Missing {
			err = fmt.Errorf("answer %v, want %v", found.Status, payment.Missing)
		}
		return err
	})
}

// ask has posts charge for a while, so many at once, and gives how long each asking
// took.
func (c *crowd) ask(atOnce int, span time.Duration) ([]time.Duration, error) {
	until, stop := context.WithTimeout(context.Background(), span)
	defer stop()
	all := make([][]time.Duration, atOnce)
	errs := make([]error, atOnce)
	var workers sync.WaitGroup
	for n := range atOnce {
		workers.Go(func() {
			for until.Err() == nil && errs[n] == nil {
				a := <-c.idle
				errs[n] = a.charge(until, func(d time.Duration) { all[n] = append(all[n], d) })
				c.idle <- a
			}
		})
	}
	workers.Wait()
	var took []time.Duration
	for _, some := range all {
		took = append(took, some...)
	}
	return took, errors.Join(errs...)
}

// mostTurns is how often a charge may ask the same before something is wrong. Chosen
// by us: twice what it takes.
const mostTurns = 6

// charge is what a post asks during one charge: reserve, look until it is approved,
// settle until nothing is held. It ends early when the time is over.
func (a *asker) charge(until context.Context, took func(time.Duration)) error {
	a.number++
	ref := payment.NewRef(a.id, 1, a.number)
	order := payment.Order{Verb: payment.Reserve, Ref: ref, Amount: reserved, Currency: payment.NOK, Return: publicURL + "/" + strings.ToLower(a.id),
		Terms: payment.Terms{EVSE: a.id + "/1", Meter: "22110345", Start: 10_344_076, Price: tariff(), Holder: payment.Holder{1, 2, 3}}}
	look := payment.Order{Ref: ref, Currency: payment.NOK}
	settle := payment.Order{Verb: payment.Settle, Ref: ref, Amount: used, Currency: payment.NOK}
	for turn := 0; until.Err() == nil; turn++ {
		began := time.Now()
		found, err := a.relay.Ask(context.Background(), order)
		if err != nil {
			return err
		}
		took(time.Since(began))
		switch {
		case found.Status == payment.Settled:
			return nil
		case found.Status == payment.Held:
			order = settle
		case found.Status == payment.Pending && turn < mostTurns:
			order = look
		default:
			return fmt.Errorf("%v of %s: answer %v %v %s", order.Verb, ref, found.Status, found.Reason, found.Code)
		}
		if turn > 2*mostTurns {
			return fmt.Errorf("%s is not settled after %d askings", ref, turn)
		}
	}
	return nil
}
