package main

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/mqtt"
	mochi "stolpe/agent/mqtt/broker"
	"stolpe/agent/session"
	"stolpe/agent/telemetry"
	"stolpe/cross/wire"
	"stolpe/hal"
	"stolpe/hal/sim"
	"stolpe/payment"
	"stolpe/payment/envelope"
	"stolpe/payment/gateway/broker"
)

const quarterConfig = `
post: {id: A12, tenant: acme, name: "Storgata 1", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: %[1]s
evses: [{id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}]
price: {currency: NOK, vat_bp: 2500, kwh: 549, idle: {after_minutes: 15, minute: 100, cap: 20000}}
reserve: {default: 35000, choices: [20000, 35000, 50000]}
payment: {through: sim}
mqtt: {url: "mqtts://broker.example:8883", ca: %[2]s/ca.pem, cert: %[2]s/cert.pem, key: %[2]s/key.pem}
telemetry: {profile: %[3]s%[4]s}
commands: {keys: [{name: desk, role: admin, public: "%[5]s"}], allow: [%[6]s]}
`

// quarter is a post with everything around it, in the time of a synctest bubble, where
// a day takes seconds: its machine, meter, contactor and car, a payer, the network with
// a broker at the other end, and whoever listens there. All of it that sends or writes
// bytes is the real thing: the program's parts, TLS, MQTT and the files.
type quarter struct {
	t      *testing.T
	tmp    string
	keys   string             // folder of the fleet's certificates
	secret ed25519.PrivateKey // of who gives commands
	extra  string             // more of the configuration of telemetry, beginning with a comma
	saved  atomic.Int64       // records that journals have taken
	began  time.Time
	rig    *sim.Rig
	money  *wallet
	line   *wire.Line
	mute   atomic.Bool // the meter does not answer
	other  *mqtt.Conn  // of who listens
	hush   func()      // ends that

	net   sync.WaitGroup
	mu    sync.Mutex
	at    *station // nil while it is away
	lines map[net.Conn]*wire.Line

	life  *life
	lives int
}

// life is the program between two starts.
type life struct {
	state string // folder
	dead  atomic.Bool
	born  time.Time
	parts *parts
	book  *ledger.Ledger
	end   func()
	ended chan error
}

// inQuarter runs a test in a quarter.
func inQuarter(t *testing.T, test func(*quarter)) {
	tmp := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		q := &quarter{
			t: t, tmp: tmp, keys: filepath.Join(tmp, "fleet"), began: time.Now(), hush: func() {}, line: new(wire.Line),
			secret: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), lines: map[net.Conn]*wire.Line{},
		}
		q.rig = sim.NewRig(sim.Setup{Serial: "22110345", Register: 10_344_076}, func() time.Duration { return time.Since(q.began) })
		q.money = &wallet{found: map[payment.Ref]*paid{}}
		q.must(broker.Init(q.keys, "broker.example"))
		q.must(broker.AddPost(q.keys, "acme", "A12"))
		q.must(broker.AddGateway(q.keys, "gateway-1"))
		defer func() {
			q.stop()
			q.lose()
			q.hush()
			q.net.Wait()
			q.pass(2 * time.Hour) // the bubble's: what the clients have begun ends by then
		}()
		test(q)
	})
}

func (q *quarter) must(err error) {
	q.t.Helper()
	if err != nil {
		q.t.Fatal(err)
	}
}

// pass lets the bubble's time pass.
func (q *quarter) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// until lets time pass until the clock shows so much after midnight of the first day.
func (q *quarter) until(clock time.Duration) {
	q.pass(time.Until(q.began.Add(clock)))
}

// station is a broker that runs: a listener to which lines are brought.
type station struct {
	came  chan net.Conn
	tls   *tls.Config
	end   context.CancelFunc
	ended chan struct{}
}

func (s *station) Accept() (net.Conn, error) {
	c, ok := <-s.came
	if !ok {
		return nil, net.ErrClosed
	}
	return tls.Server(c, s.tls), nil
}
func (s *station) Close() error   { return nil }
func (s *station) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8883} }

// open has a broker that remembers nothing at the other end from now on.
func (q *quarter) open() {
	at := filepath.Join(q.keys, "broker")
	pair, err := tls.LoadX509KeyPair(filepath.Join(at, "cert.pem"), filepath.Join(at, "key.pem"))
	q.must(err)
	pem, err := os.ReadFile(filepath.Join(q.keys, "ca.pem"))
	q.must(err)
	members := x509.NewCertPool()
	members.AppendCertsFromPEM(pem)
	s := &station{came: make(chan net.Conn), ended: make(chan struct{}), tls: &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: members,
	}}
	var ctx context.Context
	ctx, s.end = context.WithCancel(context.Background())
	go func() {
		defer close(s.ended)
		if err := mochi.Serve(ctx, s, slog.New(slog.DiscardHandler)); err != nil {
			q.t.Error(err)
		}
	}()
	synctest.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.at = s
}

// lose takes the broker away: lines break, and there are no new ones.
func (q *quarter) lose() {
	q.mu.Lock()
	s := q.at
	q.at = nil
	for l := range q.lines {
		l.Close()
	}
	q.mu.Unlock()
	if s == nil {
		return
	}
	synctest.Wait()
	close(s.came)
	s.end()
	<-s.ended
}

// cut breaks the post's line.
func (q *quarter) cut() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for l, counted := range q.lines {
		if counted == q.line {
			l.Close()
		}
	}
}

// errNoWay is what a network says that leads nowhere.
var errNoWay = errors.New("no route to host")

// dial brings a line to the broker, counted or not.
func (q *quarter) dial(ctx context.Context, count *wire.Line) (net.Conn, error) {
	q.mu.Lock()
	s := q.at
	q.mu.Unlock()
	if s == nil {
		return nil, errNoWay
	}
	here, near := net.Pipe()
	far, there := net.Pipe()
	q.mu.Lock()
	q.lines[near], q.lines[far] = count, count
	q.mu.Unlock()
	q.net.Go(func() {
		count.Join(near, far)
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.lines, near)
		delete(q.lines, far)
	})
	select {
	case s.came <- there:
		return here, nil
	case <-ctx.Done():
		here.Close()
		there.Close()
		return nil, ctx.Err()
	}
}

// listen has somebody at the broker hear what is published, until its end is called.
func (q *quarter) listen(hear func(mqtt.Message), filters ...string) (end func()) {
	q.other, q.hush = q.join(hear, filters...)
	return q.hush
}

// allowed are all commands.
func allowed() string {
	var all []string
	for _, n := range commands.Names() {
		all = append(all, string(n))
	}
	return strings.Join(all, ", ")
}

// command has who listens give a signed command, and lets it be done.
func (q *quarter) command(name commands.Name, evse int, args string) {
	q.t.Helper()
	now := time.Now()
	topic := envelope.Base("acme", "A12") + string(name.Leaf())
	text, err := commands.Sign(q.secret, topic, commands.Command{
		V: telemetry.Version, ID: commands.NewID(now), Name: name, EVSE: evse, Args: json.RawMessage(args), Issuer: "desk",
		Issued: now.Truncate(time.Second), Expires: now.Add(time.Minute),
	})
	q.must(err)
	q.say()(mqtt.Message{Topic: topic, Payload: text})
	q.pass(10 * time.Second)
}

// say gives what speaks in the name of who listens.
func (q *quarter) say() func(mqtt.Message) {
	return func(m mqtt.Message) { q.must(q.other.Publish(q.t.Context(), m)) }
}

func (q *quarter) join(hear func(mqtt.Message), filters ...string) (c *mqtt.Conn, end func()) {
	at := filepath.Join(q.keys, "gateways", "gateway-1")
	secure, err := mqtt.TLS(filepath.Join(at, "ca.pem"), filepath.Join(at, "cert.pem"), filepath.Join(at, "key.pem"))
	q.must(err)
	c, err = mqtt.New(mqtt.Options{URL: "mqtts://broker.example:8883", ClientID: "gateway-1", TLS: secure, Handle: hear, Filters: filters})
	q.must(err)
	c.Through(func(ctx context.Context) (net.Conn, error) { return q.dial(ctx, new(wire.Line)) })
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	return c, sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			q.t.Error(err)
		}
	})
}

// start starts the program, with what an earlier life has left on the disk.
func (q *quarter) start(profile string) {
	q.t.Helper()
	state := filepath.Join(q.tmp, "state-"+strconv.Itoa(q.lives))
	q.must(os.MkdirAll(state, 0o700))
	if q.life != nil {
		q.must(os.CopyFS(state, os.DirFS(q.life.state)))
	}
	q.lives++
	l := &life{state: state, born: time.Now(), ended: make(chan error, 1)}
	q.life = l
	file := filepath.Join(state, "stolpe.yaml")
	q.must(os.WriteFile(file, fmt.Appendf(nil, quarterConfig, state, filepath.Join(q.keys, "posts", "A12"), profile, q.extra,
		commands.Public(q.secret.Public().(ed25519.PublicKey)), allowed()), 0o600))
	cfg, err := loadConfig(file)
	q.must(err)
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(q.t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	}
	now := func() hal.Instant {
		return hal.Instant{Mono: time.Since(l.born) + time.Second, Wall: hal.Stamp{Unix: time.Now().Unix(), Clock: hal.ClockSynced}}
	}
	w := world{
		born: ledger.Post{Version: version, System: "linux/arm64", Boot: strconv.Itoa(q.lives)},
		now:  now, mono: func() time.Duration { return now().Mono }, every: time.Second, grace: grace, log: log,
		store: func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
			j, k, end, err := openStore(cfg.StateDir, "evse-"+strconv.Itoa(e.ID), owner)
			return tallied{j, q}, k, end, err
		},
	}
	p := &parts{posts: posts{info: cfg.Post, units: map[string]*evse.EVSE{}}, seen: newWitness(), found: map[int]string{}}
	l.parts = p
	if w.book = openBook(cfg.StateDir, cfg.Post.ID, log); w.book == nil {
		q.t.Fatal("no ledger")
	}
	l.book = w.book
	b, err := new(parts).openUplink(cfg, log)
	q.must(err)
	b.conn.Through(func(ctx context.Context) (net.Conn, error) {
		if l.dead.Load() {
			return nil, errNoWay
		}
		return q.dial(ctx, q.line)
	})
	for _, e := range cfg.EVSEs {
		made := evse.Parts{
			Meter: hand{q, l, now}, Contactor: hand{q, l, now}, Plug: q.rig, Rules: &session.Rules{Model: "eastron_sdm630", Grain: 1},
		}
		v, err := p.openEVSE(cfg, e, w, made, hand{q, l, now})
		q.must(err)
		p.units[e.Code] = v
	}
	p.board = openBoard(cfg.StateDir, w.now, log)
	d := p.openDeeds(cfg, origin{file: file}, w, func() {})
	q.must(p.takeCommands(cfg, w, b, d.table()))
	p.tellFleet(cfg, w, b)
	ctx, end := context.WithCancel(context.Background())
	jobs, stop := context.WithCancel(context.Background())
	l.end = end
	go func() {
		l.ended <- errors.Join(together(ctx, jobs, stop, p, func(ctx context.Context) error { <-ctx.Done(); return nil }), p.Close(), w.book.Close())
	}()
	q.pass(20 * time.Second)
}

// stop ends the program as systemd does.
func (q *quarter) stop() {
	if q.life == nil || q.life.dead.Load() {
		return
	}
	q.life.end()
	if err := <-q.life.ended; err != nil {
		q.t.Error(err)
	}
	q.life.dead.Store(true)
}

// kill ends it as kill -9 does: what it does from now on reaches nothing, and what its
// files had in this instant is what the next life finds.
func (q *quarter) kill() {
	l := q.life
	l.dead.Store(true)
	left := filepath.Join(q.tmp, "left-"+strconv.Itoa(q.lives))
	q.must(os.CopyFS(left, os.DirFS(l.state)))
	q.must(q.rig.Set(hal.Open)) // without the program it opens by itself
	q.cut()
	l.end()
	<-l.ended // what it says does not matter any more
	l.state = left
}

// hand is how a program holds what is outside of it, for as long as it lives.
type hand struct {
	q   *quarter
	l   *life
	now func() hal.Instant
}

var errDead = errors.New("killed")

func (h hand) Read(ctx context.Context) (hal.Reading, error) {
	if h.l.dead.Load() || h.q.mute.Load() {
		return hal.Reading{}, errDead
	}
	r, err := h.q.rig.Read(ctx)
	r.At = h.now().Mono
	return r, err
}

func (h hand) Set(p hal.Position) error {
	if h.l.dead.Load() {
		return errDead
	}
	return h.q.rig.Set(p)
}

func (h hand) Sense() (hal.Position, error) { return h.q.rig.Sense() }

func (h hand) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	select {
	case <-time.After(200 * time.Millisecond):
	case <-ctx.Done():
		return payment.Answer{}, ctx.Err()
	}
	if h.l.dead.Load() {
		return payment.Answer{}, errDead
	}
	return h.q.money.ask(o), nil
}
