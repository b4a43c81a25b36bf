package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"time"

	mochi "stolpe/agent/mqtt/broker"
	"stolpe/payment/envelope"
	"stolpe/payment/gateway/broker"
	"stolpe/payment/sim"
)

// lines is how many connections to the broker the simulated posts share. Chosen by
// us: a gateway sees no difference, and ten thousand of them would measure the broker.
const lines = 20

// tenant is whose posts they are.
const tenant = "bench"

// street is everything around the gateways.
type street struct {
	burden
	l       *lab
	dir     string // of the fleet's keys
	secure  bool   // over TLS, with certificates and rights
	url     string // of the broker
	master  envelope.Key
	keys    sim.Credentials
	till    string // address of the payment service
	running []*process
	status  []string // addresses
	pages   []string
	stops   []func() error
}

// gateways measures some, and says which broker was used.
func (l *lab) gateways(b burden) (f figures, name string, err error) {
	s := &street{burden: b, l: l, dir: filepath.Join(l.tmp, fmt.Sprintf("fleet-%d", b.replicas)),
		keys: sim.Credentials{ClientID: rand.Text(), ClientSecret: rand.Text(), SubscriptionKey: rand.Text(), MSN: "123456"}}
	defer func() {
		for _, stop := range s.stops {
			defer func() { err = errors.Join(err, stop()) }()
		}
	}()
	if err := s.openKeys(); err != nil {
		return f, "", err
	}
	if name, err = s.openBroker(); err != nil {
		return f, "", err
	}
	if err := s.openTill(); err != nil {
		return f, "", err
	}
	crowd, err := s.openCrowd()
	if err != nil {
		return f, "", err
	}
	l.say(fmt.Sprintf("%d posts say who they are", s.posts))
	if err := crowd.introduce(); err != nil {
		return f, "", err
	}
	for n := range s.replicas {
		if err := s.openGateway(n + 1); err != nil {
			return f, "", err
		}
	}
	l.say("each post asks once")
	if err := crowd.greet(); err != nil {
		return f, "", err
	}
	f, err = s.measure(crowd)
	return f, name, err
}

// measure has the posts ask, at first as much as can be and then a little.
func (s *street) measure(crowd *crowd) (f figures, err error) {
	f.gateways = s.replicas
	s.l.say(fmt.Sprintf("%d at once", busyAtOnce))
	before, err := each(s.running, (*process).cpu)
	if err != nil {
		return f, err
	}
	began := time.Now()
	took, err := crowd.ask(busyAtOnce, s.span)
	if err != nil {
		return f, err
	}
	wall := time.Since(began)
	after, err := each(s.running, (*process).cpu)
	if err != nil {
		return f, err
	}
	var cpu time.Duration
	for i := range after {
		cpu += after[i] - before[i]
	}
	f.perSecond, f.perCPU = float64(len(took))/wall.Seconds(), float64(len(took))/cpu.Seconds()
	f.busy = quantilesOf(took)
	s.l.say(fmt.Sprintf("%d at once", calmAtOnce))
	if took, err = crowd.ask(calmAtOnce, s.span/2); err != nil {
		return f, err
	}
	f.calm = quantilesOf(took)
	if f.known, err = s.known(crowd); err != nil {
		return f, err
	}
	f.memory, err = each(s.running, (*process).memory)
	return f, err
}

// openKeys makes certificates for gateways and for the posts' connections. The latter
// may do what all their posts may.
func (s *street) openKeys() error {
	if err := broker.Init(s.dir, "127.0.0.1"); err != nil {
		return err
	}
	for n := range s.replicas {
		if err := broker.AddGateway(s.dir, fmt.Sprintf("gateway-%d", n+1)); err != nil {
			return err
		}
	}
	for n := range lines {
		if err := broker.AddGateway(s.dir, lineName(n)); err != nil {
			return err
		}
	}
	acl, err := os.OpenFile(filepath.Join(s.dir, "broker", "acl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for n := range lines {
		fmt.Fprintf(acl, "\nuser %s\ntopic readwrite stolpe/v1/%s/#\n", lineName(n), tenant) //nolint:errcheck // Close tells
	}
	if err := acl.Close(); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "relay.key"))
	if err != nil {
		return err
	}
	s.master, err = envelope.ParseKey(string(text[:len(text)-1]))
	return err
}

func lineName(n int) string { return fmt.Sprintf("gateway-line-%d", n+1) }

// openBroker starts Mosquitto, with certificates and rights, where it is installed;
// the embedded broker otherwise.
func (s *street) openBroker() (name string, err error) {
	address, err := freeAddress()
	if err != nil {
		return "", err
	}
	if _, err := exec.LookPath("mosquitto"); err != nil {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return "", err
		}
		s.url = "mqtt://" + address
		s.background(func(ctx context.Context) error { return mochi.Serve(ctx, l, slog.New(slog.DiscardHandler)) })
		return "the embedded broker, without TLS", nil
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	me, err := user.Current()
	if err != nil {
		return "", err
	}
	name = filepath.Join(s.dir, "mosquitto.conf")
	file, err := os.Create(name)
	if err != nil {
		return "", err
	}
	conf := broker.Conf{Listen: port + " 127.0.0.1", Folder: filepath.Join(s.dir, "broker"), State: s.dir, User: me.Username}
	if err := errors.Join(conf.Write(file), file.Close()); err != nil {
		return "", err
	}
	s.secure, s.url = true, "mqtts://"+address
	if err := s.run(nil, " running", "mosquitto", "-c", name); err != nil {
		return "", err
	}
	return "Mosquitto with TLS and rights", nil
}

// background runs something until the street is taken down.
func (s *street) background(do func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	s.stops = append(s.stops, func() error { stop(); return <-done })
}

// run starts a program until the street is taken down, and waits until it says that
// it is there.
func (s *street) run(env []string, says, file string, args ...string) error {
	p, err := launch(env, file, args...)
	if err != nil {
		return err
	}
	s.stops = append(s.stops, func() error { p.kill(); return nil })
	if file != "mosquitto" {
		s.running = append(s.running, p)
	}
	_, err = p.await(says)
	return err
}

// openTill starts the simulated payment service, whose payer approves at once.
func (s *street) openTill() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.till = "http://" + l.Addr().String()
	t := sim.NewTill(sim.Options{Accept: s.keys, PublicURL: s.till, Payer: sim.Payer{Habit: sim.Approves}})
	s.background(func(ctx context.Context) error { return t.Serve(ctx, l) })
	return nil
}

// openGateway starts one of the gateways.
func (s *street) openGateway(n int) error {
	program, err := s.l.program("stolpe-gateway", "./payment/gateway")
	if err != nil {
		return err
	}
	pages, err := freeAddress()
	if err != nil {
		return err
	}
	status, err := freeAddress()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("gateway-%d", n)
	file := filepath.Join(s.dir, name+".yaml")
	if err := os.WriteFile(file, s.gatewayConfig(name, pages, status), 0o600); err != nil {
		return err
	}
	env := []string{"BENCH_ID=" + s.keys.ClientID, "BENCH_SECRET=" + s.keys.ClientSecret, "BENCH_KEY=" + s.keys.SubscriptionKey}
	if err := s.run(env, `"serving"`, program, "run", "--config", file); err != nil {
		return err
	}
	s.status, s.pages = append(s.status, status), append(s.pages, pages)
	return awaitOK("http://" + status + "/readyz")
}

func (s *street) gatewayConfig(name, pages, status string) []byte {
	at := fmt.Sprintf("url: %q, client_id: %s", s.url, name)
	own := filepath.Join(s.dir, "gateways", name)
	if s.secure {
		at += fmt.Sprintf(", ca: %[1]s/ca.pem, cert: %[1]s/cert.pem, key: %[1]s/key.pem", own)
	}
	return fmt.Appendf(nil, `listen: %q
status: %q
public_url: %q
mqtt: {%s}
relay_key: "file:%s/relay.key"
units:
  - {msn: %q, tenant: %s, currency: NOK, max_amount: 50000, base_url: %q,
     client_id: "env:BENCH_ID", client_secret: "env:BENCH_SECRET", subscription_key: "env:BENCH_KEY"}
`, pages, status, publicURL, at, own, s.keys.MSN, tenant, s.till)
}

// publicURL is where drivers would come back to.
const publicURL = "https://lad.example.no"
