package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"stolpe/cross/ports"
	"stolpe/payment/gateway/broker"
	"stolpe/payment/sim"
)

// runner keeps a program running until it is ended: one that was killed is started
// again.
type runner struct {
	t     *testing.T
	name  string
	fresh func() *exec.Cmd

	mu    sync.Mutex
	cmd   *exec.Cmd // nil while it is not running
	over  bool
	rests chan struct{} // closed when it may go on; nil while it goes
	log   *printed
	ended chan struct{}
}

// freeze kills it, and does not let it start again before thaw.
func (r *runner) freeze() {
	r.mu.Lock()
	r.rests = make(chan struct{})
	r.mu.Unlock()
	r.kill()
}

func (r *runner) thaw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.rests)
	r.rests = nil
}

// rest waits while it is frozen.
func (r *runner) rest() {
	r.mu.Lock()
	rests := r.rests
	r.mu.Unlock()
	if rests != nil {
		<-rests
	}
}

func keep(t *testing.T, name string, fresh func() *exec.Cmd) *runner {
	r := &runner{t: t, name: name, fresh: fresh, log: new(printed), ended: make(chan struct{})}
	go r.run()
	return r
}

func (r *runner) run() {
	defer close(r.ended)
	for {
		r.rest()
		r.mu.Lock()
		if r.over {
			r.mu.Unlock()
			return
		}
		cmd := r.fresh()
		cmd.Stderr, cmd.Stdout = r.log, r.log
		if err := cmd.Start(); err != nil {
			r.mu.Unlock()
			r.t.Errorf("%s: %v", r.name, err)
			return
		}
		r.cmd = cmd
		r.mu.Unlock()
		err := cmd.Wait()
		r.mu.Lock()
		killed := r.cmd == nil
		r.cmd = nil
		over := r.over
		r.mu.Unlock()
		if !killed && !over {
			r.t.Errorf("%s ended by itself: %v\n%s", r.name, err, r.log)
			return
		}
		if over && !killed && err != nil {
			r.t.Errorf("%s did not end well: %v\n%s", r.name, err, r.log)
		}
	}
}

// kill kills it with SIGKILL, and says whether it was running.
func (r *runner) kill() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cmd == nil || r.over {
		return false
	}
	cmd := r.cmd
	r.cmd = nil
	if err := cmd.Process.Kill(); err != nil {
		r.t.Errorf("%s: %v", r.name, err)
	}
	return true
}

// end ends it in good order, and waits until it has.
func (r *runner) end() {
	r.mu.Lock()
	r.over = true
	if r.rests != nil {
		close(r.rests)
		r.rests = nil
	}
	if r.cmd != nil {
		if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			r.t.Errorf("%s: %v", r.name, err)
		}
	}
	r.mu.Unlock()
	<-r.ended
}

// street is a broker, two gateways and some posts, each a process of its own, and
// the payment service that the gateways ask.
type street struct {
	t        *testing.T
	dir      string // of the programs
	fleet    string // of keys and certificates
	port     string // of the broker
	till     *sim.Till
	keys     sim.Credentials
	broker   *runner
	gateways []*door
	posts    []*runner
	fast     *http.Client
	doom     doom
	desk     string // configuration for whoever runs commands beside the gateways
}

// calls is how many calls to payments there have been.
func (s *street) calls() int {
	s.doom.mu.Lock()
	defer s.doom.mu.Unlock()
	return s.doom.calls
}

// door is a gateway, and where phones find it.
type door struct {
	*runner
	pages string // scheme and host
}

// doom is that a gateway is to be killed by the next call that changes something,
// whichever makes it.
type doom struct {
	mu     sync.Mutex
	set    bool
	before bool // it has its effect
	struck chan struct{}
	calls  int // to payments, so far
}

// plan sets it. What it gives is closed when a gateway has been killed.
func (d *doom) plan(before bool) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set, d.before, d.struck = true, before, make(chan struct{})
	return d.struck
}

// off lifts it.
func (d *doom) off() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set = false
}

// takes counts a call, and gives what is to be closed when its caller has been killed,
// if it is to be, and whether before the call has its effect.
func (d *doom) takes(r *http.Request) (struck chan<- struct{}, before bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !strings.HasPrefix(r.URL.Path, "/epayment/") {
		return nil, false
	}
	d.calls++
	if r.Method != http.MethodPost || !d.set {
		return nil, false
	}
	d.set = false
	return d.struck, d.before
}

// through is the payment service as one gateway reaches it: the gateway may be killed
// right before a call has its effect, or right after, when it has not heard of it.
func (s *street) through(d *door) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		struck, before := s.doom.takes(r)
		if struck != nil && before {
			d.kill()
			close(struck)
			panic(http.ErrAbortHandler)
		}
		answer := httptest.NewRecorder()
		s.till.ServeHTTP(answer, r)
		if answer.Code == http.StatusTooManyRequests {
			s.t.Errorf("too many calls: %s %s", r.Method, r.URL.Path)
		}
		if struck != nil {
			d.kill()
			close(struck)
			panic(http.ErrAbortHandler)
		}
		for k, values := range answer.Header() {
			w.Header()[k] = values
		}
		w.WriteHeader(answer.Code)
		answer.Body.WriteTo(w) //nolint:errcheck // whoever does not listen any more has been killed
	})
}

// newStreet opens a street with so many posts that run, and as many more that only have
// certificates.
func newStreet(t *testing.T, posts, spare int) *street {
	t.Helper()
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Skip("part mosquitto: no mosquitto in PATH")
	}
	s := &street{t: t, dir: programs.build(t), fleet: filepath.Join(t.TempDir(), "fleet"), port: ports.Free(t),
		keys: sim.Credentials{ClientID: "id-8f2k", ClientSecret: "secret-93jd", SubscriptionKey: "subscription-7x1m", MSN: "123456"},
		fast: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	t.Cleanup(s.fast.CloseIdleConnections)
	must(t, broker.Init(s.fleet, "127.0.0.1"))
	for n := range 3 { // the last is for commands
		must(t, broker.AddGateway(s.fleet, fmt.Sprintf("gateway-%d", n+1)))
	}
	for n := range posts + spare {
		must(t, broker.AddPost(s.fleet, "acme", postID(n)))
	}
	for name, value := range map[string]string{"client-id": s.keys.ClientID, "client-secret": s.keys.ClientSecret, "subscription-key": s.keys.SubscriptionKey} {
		must(t, os.WriteFile(filepath.Join(s.fleet, name), []byte(value), 0o600))
	}
	s.till = sim.NewTill(sim.Options{Accept: s.keys, PublicURL: "https://landing.example", Payer: sim.Payer{Habit: sim.Approves, After: 500 * time.Millisecond}})
	s.startBroker()
	for n := range 2 {
		s.startGateway(n + 1)
	}
	s.desk, _ = s.configure(3)
	for n := range posts {
		s.startPost(n)
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func postID(n int) string { return fmt.Sprintf("P%02d", n) }

func (s *street) startBroker() {
	me, err := user.Current()
	must(s.t, err)
	conf := filepath.Join(s.fleet, "test.conf")
	f, err := os.Create(conf)
	must(s.t, err)
	must(s.t, broker.Conf{Listen: s.port + " 127.0.0.1", Folder: filepath.Join(s.fleet, "broker"), State: s.fleet, User: me.Username}.Write(f))
	must(s.t, f.Close())
	s.broker = keep(s.t, "mosquitto", func() *exec.Cmd { return exec.Command("mosquitto", "-c", conf) })
	s.t.Cleanup(s.broker.end)
}

func (s *street) startGateway(n int) {
	file, d := s.configure(n)
	d.runner = keep(s.t, fmt.Sprintf("gateway-%d", n), func() *exec.Cmd {
		return exec.Command(filepath.Join(s.dir, "stolpe-gateway"), "run", "--config", file)
	})
	s.t.Cleanup(d.end)
	s.gateways = append(s.gateways, d)
}

// configure writes the configuration of a gateway.
func (s *street) configure(n int) (file string, d *door) {
	d = &door{}
	service := httptest.NewServer(s.through(d))
	s.t.Cleanup(service.Close)
	own := filepath.Join(s.fleet, "gateways", fmt.Sprintf("gateway-%d", n))
	pages := ports.Free(s.t)
	file = filepath.Join(s.fleet, fmt.Sprintf("gateway-%d.yaml", n))
	must(s.t, os.WriteFile(file, fmt.Appendf(nil, `
listen: "127.0.0.1:%[1]s"
status: "127.0.0.1:0"
public_url: "https://lad.example.no"
mqtt: {url: "mqtts://127.0.0.1:%[2]s", ca: %[3]s/ca.pem, cert: %[3]s/cert.pem, key: %[3]s/key.pem, client_id: gateway-%[4]d, retry: 2s}
relay_key: "file:%[3]s/relay.key"
units:
  - {msn: "123456", tenant: acme, currency: NOK, max_amount: 500000, base_url: "%[5]s",
     client_id: "file:%[6]s/client-id", client_secret: "file:%[6]s/client-secret", subscription_key: "file:%[6]s/subscription-key"}
`, pages, s.port, own, n, service.URL, s.fleet), 0o600))
	d.pages = "http://127.0.0.1:" + pages
	return file, d
}

// limit is what drivers reserve, and kwh the price that makes a few Wh come to that,
// in øre.
const (
	limit = 300_000
	kwh   = 1_000_000
)

func (s *street) startPost(n int) {
	id := postID(n)
	own := filepath.Join(s.fleet, "posts", id)
	file := filepath.Join(s.fleet, id+".yaml")
	must(s.t, os.WriteFile(file, fmt.Appendf(nil, `
post: {id: %[1]s, tenant: acme, name: "Storgata 1", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: %[2]s
control: {dir: %[2]s/run}
evses: [{id: 1, code: %[1]s, contactor: {sim: true}, max_power_w: 22000}]
price: {currency: NOK, vat_bp: 2500, kwh: %[3]d}
reserve: {default: %[4]d, choices: [%[4]d]}
limits: {rest: 1s, closings_an_hour: 1000}
payment: {through: gateway, gateway: {timeout: 3s, key: "file:%[5]s/relay.key"}}
mqtt: {url: "mqtts://127.0.0.1:%[6]s", ca: %[5]s/ca.pem, cert: %[5]s/cert.pem, key: %[5]s/key.pem, retry: 2s}
`, id, s.state(n), kwh, limit, own, s.port), 0o600))
	r := keep(s.t, id, func() *exec.Cmd { return exec.Command(filepath.Join(s.dir, "stolpe"), "run", "--config", file) })
	s.t.Cleanup(r.end)
	s.posts = append(s.posts, r)
}

func (s *street) state(n int) string { return filepath.Join(s.fleet, "state", postID(n)) }

// chance is what is left to it, the same for the same seed.
func chance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
