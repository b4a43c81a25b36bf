package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/mqtt"
	"stolpe/agent/mqtt/broker"
	"stolpe/display"
	"stolpe/display/remote"
	"stolpe/payment"
	"stolpe/payment/envelope"
	"stolpe/payment/relay"
)

const relayedPost = `
post: {id: A12, tenant: acme, name: "Storgata 1", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: %[1]s
control: {dir: %[1]s/run}
evses: [{id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}]
price: {currency: NOK, vat_bp: 2500, kwh: 549}
reserve: {default: 35000, choices: [35000]}
payment: {through: gateway, gateway: {timeout: 5s, key: "env:KEY"}}
mqtt: {url: "mqtt://%[2]s"}
`

const postBase = "stolpe/v1/acme/A12/"

// across is a gateway, as far as a post can see.
type across struct {
	t      *testing.T
	key    envelope.Key
	conn   *mqtt.Conn
	pages  *remote.Gateway
	orders *relay.Server

	mu   sync.Mutex
	kept map[string]string // what the broker keeps, by leaf
	made bool
	news chan struct{}
}

// Ask is a payment service whose payer does not decide.
func (g *across) Ask(_ context.Context, o payment.Order) (payment.Answer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := payment.Found{State: payment.Created, Amount: 35_000, URL: "https://landing.example/1"}
	switch {
	case o.Verb == payment.Settle && g.made:
		g.made = false
		f.State = payment.EndedByUs
	case o.Verb == payment.Reserve:
		g.made, f.Terms = true, o.Terms
	default:
		return payment.Answer{Status: payment.Missing}, nil
	}
	return o.Answer(f), nil
}

func (g *across) take(m mqtt.Message) {
	leaf := strings.TrimPrefix(m.Topic, postBase)
	if leaf == envelope.AvailabilityLeaf {
		g.note(leaf, string(m.Payload))
		g.pages.Reach("acme", "A12", string(m.Payload) == "online")
		return
	}
	text, err := g.key.Open(m.Topic, m.Payload)
	if err != nil {
		g.t.Errorf("%s: %v", m.Topic, err)
		return
	}
	g.note(leaf, string(text))
	switch {
	case leaf == relay.AskLeaf:
		g.orders.Take("acme", "A12", text)
	case leaf == remote.PostLeaf:
		err = g.pages.Meet("acme", "A12", text)
	case leaf == viewLeaf(1):
		err = g.pages.See("acme", "A12", 1, text)
	case strings.HasPrefix(leaf, remote.AnswerLeaf):
		err = g.pages.Hear("acme", "A12", text)
	}
	if err != nil {
		g.t.Errorf("%s: %v", leaf, err)
	}
}

func (g *across) note(leaf, text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kept[leaf] = text
	select {
	case g.news <- struct{}{}:
	default:
	}
}

// until waits until a leaf is as wanted.
func (g *across) until(leaf string, as func(text string) bool) {
	g.t.Helper()
	late := time.After(time.Minute)
	for {
		g.mu.Lock()
		text := g.kept[leaf]
		g.mu.Unlock()
		if as(text) {
			return
		}
		select {
		case <-g.news:
		case <-late:
			g.t.Fatalf("%s: %s", leaf, text)
		}
	}
}

func (g *across) say(ctx context.Context, leaf string, text []byte) error {
	return g.conn.Publish(ctx, mqtt.Message{Topic: postBase + leaf, Payload: g.key.Seal(postBase+leaf, text)})
}

// newAcross starts a broker and a gateway's end of it.
func newAcross(t *testing.T) (g *across, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g = &across{t: t, key: envelope.Key{1}.Of("acme", "A12"), kept: map[string]string{}, news: make(chan struct{}, 1)}
	began := time.Now()
	g.pages = remote.NewGateway(remote.GatewayOptions{ID: "gateway-1", Connected: func() bool { return true }, Told: func() bool { return true },
		Mono: func() time.Duration { return time.Since(began) }, Dress: func(string, *display.Post) bool { return true },
		Publish: func(ctx context.Context, _, _, leaf string, text []byte) error { return g.say(ctx, leaf, text) }})
	unit := relay.Unit{Payments: []relay.Payments{g}, Currency: payment.NOK, Most: 50_000, Pages: "https://lad.example.no/"}
	g.orders = relay.NewServer(relay.ServerOptions{Unit: func(string, string) (relay.Unit, bool) { return unit, true }, Within: 5 * time.Second, Now: time.Now, Saw: func(relay.Sight) {},
		Log: slog.New(slog.DiscardHandler), Publish: func(ctx context.Context, _, _, leaf string, text []byte) error { return g.say(ctx, leaf, text) }})
	ready := make(chan struct{}, 1)
	g.conn, err = mqtt.New(mqtt.Options{URL: "mqtt://" + l.Addr().String(), ClientID: "gateway-1", Handle: g.take, Ready: func(context.Context) { ready <- struct{}{} },
		Filters: []string{postBase + envelope.AvailabilityLeaf, postBase + relay.AskLeaf, postBase + remote.PostLeaf, postBase + remote.ViewLeaf + "/+", postBase + relay.OpenLeaf + "/+", postBase + remote.AnswerLeaf + "/gateway-1"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { broker.Serve(ctx, l, slog.New(slog.DiscardHandler)) }) //nolint:errcheck // it ends with the test
	group.Go(func() { g.conn.Run(ctx) })                                     //nolint:errcheck // it ends with the test
	group.Go(func() { g.orders.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	<-ready
	return g, l.Addr().String()
}

// A post that is paid through gateways tells them who it is, what everybody may see,
// and what is open; it asks them, and lets their pages ask. At its end it says how
// things stand, and that it is gone.
func TestPostAndGatewayTellEachOther(t *testing.T) {
	t.Parallel()
	g, address := newAcross(t)
	file := write(t, "stolpe.yaml", fmt.Sprintf(relayedPost, t.TempDir(), address))
	cfg, err := config.Parse(file, strings.NewReader(fmt.Sprintf(relayedPost, t.TempDir(), address)), func(string, string) (string, error) { return g.key.Hex(), nil })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	log, ended := new(paper), make(chan error, 1)
	go func() { ended <- daemon(ctx, setTime(), cfg, origin{file: file}, log) }()
	defer cancel()
	g.until(envelope.AvailabilityLeaf, func(s string) bool { return s == "online" })
	g.until(viewLeaf(1), func(s string) bool { return strings.Contains(s, `"state":"available"`) })
	post, ok := g.pages.Post("A12")
	if !ok || post.Name != "Storgata 1" || post.Seller.OrgNo != "999999999" {
		t.Errorf("%v, %+v", ok, post)
	}
	v, ok := g.pages.Public("A12")
	if !ok || v.Price != cfg.Price {
		t.Fatalf("%v, %+v", ok, v)
	}
	holder := payment.Holder{5}
	r := display.Request{Reserve: 35_000, Seen: v.Price, Holder: holder, Return: "https://lad.example.no/A12/1"}
	if err := g.pages.Request(t.Context(), "A12", r); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	g.until(openLeaf(1), func(s string) bool { return strings.Contains(s, `"ref":"A12-1-000001"`) })
	g.until(viewLeaf(1), func(s string) bool { return strings.Contains(s, `"busy":true`) && !strings.Contains(s, "charge") })
	for late := time.Now().Add(time.Minute); ; {
		v, ok := g.pages.Session(t.Context(), "A12", holder)
		if ok && v.Charge.PayURL != "" {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("no address to pay at: %v %+v\n%s", ok, v, log)
		}
	}
	other := r
	other.Holder = payment.Holder{6}
	if err := g.pages.Request(t.Context(), "A12", other); err != display.ErrBusy {
		t.Errorf("somebody else: %v: want busy", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("%v\n%s", err, log)
	}
	g.until(envelope.AvailabilityLeaf, func(s string) bool { return s == "offline" })
	g.until(openLeaf(1), func(s string) bool { return strings.Contains(s, `"open":[]`) })
}

// Commands about money have no keys where a gateway has them, and say so.
func TestCommandsSayWhereTheKeysAre(t *testing.T) {
	t.Setenv("KEY", strings.Repeat("ab", 32))
	file := write(t, "stolpe.yaml", fmt.Sprintf(relayedPost, t.TempDir(), "127.0.0.1:1"))
	got := command("payment", "show", "A12-1-000001", "--config", file)
	if got.code != exitConfig || !strings.Contains(got.stderr, "at the gateways and not here") {
		t.Errorf("%+v", got)
	}
}
