package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"stolpe/agent/mqtt"
	"stolpe/agent/mqtt/broker"
	"stolpe/cross/ports"
	"stolpe/payment"
	"stolpe/payment/envelope"
	"stolpe/payment/relay"
	"stolpe/payment/sim"
)

// desk is a gateway inside the test, with a broker and a payment service of its own,
// and one post that only asks.
type desk struct {
	t      *testing.T
	dir    string
	file   string // its configuration
	pages  string // port
	status string // port
	bus    string // port of the broker
	till   *sim.Till
	url    string       // of the payment service
	end    func() error // ends the gateway
	log    *printed

	client *relay.Client
	nudges chan payment.Ref
	conn   *mqtt.Conn
}

var master = envelope.Key{7, 7, 7} //nolint:gochecknoglobals // never changed

const base = envelope.Root + "acme/A12/"

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	d := &desk{t: t, dir: dir, file: filepath.Join(dir, "gateway.yaml"), pages: ports.Free(t), status: ports.Free(t), bus: ports.Free(t), log: new(printed), nudges: make(chan payment.Ref, 16)}
	keys := sim.Credentials{ClientID: "id-8f2k", ClientSecret: "secret-93jd", SubscriptionKey: "subscription-7x1m", MSN: "123456"}
	d.till = sim.NewTill(sim.Options{Accept: keys, Payer: sim.Payer{Habit: sim.Approves, After: 300 * time.Millisecond}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	d.url = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); d.till.Serve(ctx, l) }() //nolint:errcheck // it ends with the test
	t.Cleanup(func() { cancel(); <-done })
	for name, value := range map[string]string{"id": keys.ClientID, "secret": keys.ClientSecret, "key": keys.SubscriptionKey, "relay": master.Hex()} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600))
	}
	return d
}

// configure writes the configuration, with more in its one unit.
func (d *desk) configure(more string) {
	d.t.Helper()
	must(d.t, os.WriteFile(d.file, fmt.Appendf(nil, `
listen: "127.0.0.1:%s"
status: "127.0.0.1:%s"
public_url: "http://127.0.0.1:%[1]s"
mqtt: {url: "mqtt://127.0.0.1:%[3]s", client_id: gateway-1}
relay_key: "file:%[4]s/relay"
units:
  - {msn: "123456", tenant: acme, currency: NOK, max_amount: 50000, base_url: "%[5]s", client_id: "file:%[4]s/id", client_secret: "file:%[4]s/secret", subscription_key: "file:%[4]s/key"%[6]s}
`, d.pages, d.status, d.bus, d.dir, d.url, more), 0o600))
}

// start runs the gateway until end is called.
func (d *desk) start() {
	d.t.Helper()
	s, err := loadSettings(d.file)
	must(d.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, s, d.file, slog.New(slog.NewTextHandler(d.log, nil))) }()
	d.end = sync.OnceValue(func() error { cancel(); return <-done })
	d.t.Cleanup(func() {
		if err := d.end(); err != nil {
			d.t.Errorf("the gateway ended with %v\n%s", err, d.log)
		}
	})
}

// openBroker starts the broker, and lets the post connect to it.
func (d *desk) openBroker() {
	d.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+d.bus)
	must(d.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { broker.Serve(ctx, l, slog.New(slog.DiscardHandler)) }) //nolint:errcheck // it ends with the test
	began, key := time.Now(), master.Of("acme", "A12")
	d.client = relay.NewClient(relay.ClientOptions{Within: 20 * time.Second, Mono: func() time.Duration { return time.Since(began) },
		Publish: func(ctx context.Context, leaf string, text []byte) error {
			return d.conn.Publish(ctx, mqtt.Message{Topic: base + leaf, Payload: key.Seal(base+leaf, text)})
		}})
	ready := make(chan struct{}, 1)
	d.conn, err = mqtt.New(mqtt.Options{URL: "mqtt://127.0.0.1:" + d.bus, ClientID: "A12", Filters: []string{base + relay.AnswerLeaf, base + relay.NudgeLeaf},
		Ready: func(context.Context) { poke(ready) },
		Handle: func(m mqtt.Message) {
			text, err := key.Open(m.Topic, m.Payload)
			if err != nil {
				d.t.Errorf("%s: %v", m.Topic, err)
			}
			if ref, err := relay.ReadNudge(text); err == nil && strings.HasSuffix(m.Topic, relay.NudgeLeaf) {
				d.nudges <- ref
				return
			}
			d.client.Take(text) //nolint:errcheck // what is not an answer is none
		}})
	must(d.t, err)
	group.Go(func() { d.conn.Run(ctx) }) //nolint:errcheck // it ends with the test
	d.t.Cleanup(func() { cancel(); group.Wait() })
	<-ready
}

// get asks the status address, and gives its answer.
func (d *desk) get(path string) (int, string) {
	d.t.Helper()
	answer, err := http.Get("http://127.0.0.1:" + d.status + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	must(d.t, err)
	return answer.StatusCode, string(b)
}

// until waits for something that is said at the status address.
func (d *desk) until(what, path string, as func(code int, text string) bool) {
	d.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(time.Minute); ; <-tick.C {
		code, text := d.get(path)
		if as(code, text) {
			return
		}
		if time.Now().After(late) {
			d.t.Fatalf("%s: %s says %d %s\n%s", what, path, code, text, d.log)
		}
	}
}

func isReady(code int, _ string) bool { return code == http.StatusOK }

func order(n uint64) payment.Order {
	return payment.Order{Verb: payment.Reserve, Ref: payment.NewRef("A12", 1, n), Currency: payment.NOK, Amount: 35_000,
		Terms: payment.Terms{EVSE: "A12/1", Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}}}
}

// A gateway without a broker lives and is not ready; with one it is. What it did can
// be counted.
func TestReadyIsToldFromAlive(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.configure("")
	d.start()
	d.until("alive", "/healthz", isReady)
	if code, text := d.get("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "broker") {
		t.Errorf("/readyz without a broker: %d %q", code, text)
	}
	d.openBroker()
	d.until("ready", "/readyz", isReady)
	o := order(1)
	o.Return = "http://127.0.0.1:" + d.pages + "/A12/1"
	if a, err := d.client.Ask(t.Context(), o); a.Status != payment.Pending || err != nil {
		t.Fatalf("%+v, %v\n%s", a, err, d.log)
	}
	d.until("the asking is counted, once its answer is on its way", "/metrics", func(_ int, text string) bool {
		return strings.Contains(text, `stolpe_gateway_asks_total{verb="reserve",kind="asked",answer="pending"} 1`)
	})
	_, figures := d.get("/metrics")
	checkListed(t, figures)
	for _, want := range []string{"stolpe_gateway_mqtt_connected 1", "process_resident_memory_bytes", "stolpe_gateway_ask_seconds_count"} {
		if !strings.Contains(figures, want) {
			t.Errorf("no %s in\n%s", want, figures)
		}
	}
	if code, text := get(t, "http://127.0.0.1:"+d.pages+"/en/NOBODY"); code != http.StatusNotFound && code != http.StatusServiceUnavailable {
		t.Errorf("a page nobody has: %d %s", code, text)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	answer, err := http.Get(url)
	must(t, err)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, string(b)
}

// A webhook of the payment service becomes a nudge for the post; its secret comes into
// force by reading the configuration again, while everything goes on.
func TestWebhooksBecomeNudges(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.configure("")
	d.start()
	d.openBroker()
	d.until("ready", "/readyz", isReady)
	var out bytes.Buffer
	if code := run([]string{"hooks", "add", "123456", "--config", d.file}, &out, &out); code != 0 {
		t.Fatalf("hooks add: %d\n%s", code, &out)
	}
	secret := regexp.MustCompile(`secret +(\S+)`).FindStringSubmatch(out.String())
	if secret == nil {
		t.Fatalf("no secret is printed:\n%s", &out)
	}
	must(t, os.WriteFile(filepath.Join(d.dir, "hook"), []byte(secret[1]), 0o600))
	d.configure(`, webhook_secrets: ["file:` + d.dir + `/hook"]`)
	must(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	d.untilLog("configuration read again")
	o := order(2)
	o.Return = "http://127.0.0.1:" + d.pages + "/A12/1"
	if a, err := d.client.Ask(t.Context(), o); a.Status != payment.Pending || err != nil {
		t.Fatalf("%+v, %v\n%s", a, err, d.log)
	}
	select {
	case ref := <-d.nudges:
		if ref != o.Ref {
			t.Errorf("nudged about %s: want %s", ref, o.Ref)
		}
	case <-time.After(time.Minute):
		t.Fatalf("no nudge in a minute\n%s", d.log)
	}
	must(t, os.WriteFile(d.file, []byte("units: [oops"), 0o600))
	must(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	d.untilLog("the one before stays in force")
	if a, err := d.client.Ask(t.Context(), payment.Order{Ref: o.Ref, Currency: payment.NOK}); a.Found.State == payment.NotFound || err != nil {
		t.Errorf("after a configuration that is wrong: %+v, %v", a, err)
	}
	out.Reset()
	if code := run([]string{"hooks", "list", "123456", "--config", d.file}, &out, &out); code != exitConfig {
		t.Errorf("a wrong configuration: %d\n%s", code, &out)
	}
}

// untilLog waits for a line of the gateway's log. Others in this test binary hear the
// same signal, and read their own configuration again: that must not matter to them.
func (d *desk) untilLog(text string) {
	d.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(time.Minute); !strings.Contains(d.log.String(), text); <-tick.C {
		if time.Now().After(late) {
			d.t.Fatalf("no %q in a minute\n%s", text, d.log)
		}
	}
}

// A gateway that is told to end answers what it has taken, and says that it takes no
// more.
func TestEndWaitsForWhatWasTaken(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.configure("")
	d.start()
	d.openBroker()
	d.until("ready", "/readyz", isReady)
	look := payment.Order{Ref: payment.NewRef("A12", 1, 3), Currency: payment.NOK}
	if a, err := d.client.Ask(t.Context(), look); a.Status != payment.Missing || err != nil {
		t.Fatalf("%+v, %v", a, err)
	}
	must(t, d.till.SetScript("get: slow 3s"))
	answered := make(chan error, 1)
	go func() {
		a, err := d.client.Ask(context.Background(), look)
		if err == nil && a.Status != payment.Missing {
			err = fmt.Errorf("%+v", a)
		}
		answered <- err
	}()
	d.until("the asking has been taken", "/metrics", func(_ int, text string) bool {
		return strings.Contains(text, "stolpe_gateway_asks_under_way 1")
	})
	ended := make(chan error, 1)
	go func() { ended <- d.end() }()
	d.until("draining", "/readyz", func(code int, text string) bool {
		return code == http.StatusServiceUnavailable && strings.Contains(text, "draining")
	})
	select {
	case err := <-ended:
		t.Fatalf("ended with an asking unanswered: %v", err)
	default:
	}
	if err := <-answered; err != nil {
		t.Errorf("the asking that was under way: %v\n%s", err, d.log)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
