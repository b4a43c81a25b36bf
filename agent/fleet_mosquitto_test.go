package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/cross/ports"
	"stolpe/payment/gateway/broker"
)

// farPost is a post whose fleet's people are elsewhere, with keys that the test makes.
const farPost = `
post: {id: A12, tenant: acme, name: "Storgata 1", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: STATE
control: {dir: STATE/run}
evses: [{id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}]
price: {currency: NOK, vat_bp: 2500, kwh: 549}
reserve: {default: 35000, choices: [35000]}
payment: {through: sim}
mqtt: {url: "mqtts://BROKER", ca: FLEET/posts/A12/ca.pem, cert: FLEET/posts/A12/cert.pem, key: FLEET/posts/A12/key.pem}
commands:
  keys:
KEYS  allow: [identify, restart, config.get, message.set]
telemetry: {home_assistant: {discovery: true}}
web: {listen: "127.0.0.1:0"}
`

// realBroker is a Mosquitto with a fleet's certificates and rights.
func realBroker(t *testing.T, fleet string) (address string) {
	t.Helper()
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Skip("part mosquitto: no mosquitto in PATH")
	}
	port := ports.Free(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	var conf strings.Builder
	if err := (broker.Conf{Listen: port + " 127.0.0.1", Folder: filepath.Join(fleet, "broker"), State: fleet, User: me.Username}).Write(&conf); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("mosquitto", "-c", write(t, "mosquitto.conf", conf.String()))
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), " running") {
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines.Scan() {
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		<-ended
		_ = cmd.Wait() // it was told to end
	})
	return "127.0.0.1:" + port
}

// away is a real post behind a real broker, and people with certificates and keys.
type away struct {
	t      *testing.T
	fleet  string // its folder
	broker string // address
	log    *paper // of the post
}

func newAway(t *testing.T) *away {
	t.Helper()
	a := &away{t: t, fleet: filepath.Join(t.TempDir(), "fleet"), log: new(paper)}
	for _, err := range []error{
		broker.Init(a.fleet, "127.0.0.1"), broker.AddPost(a.fleet, "acme", "A12"),
		broker.AddPerson(a.fleet, "acme", "reader-ann"), broker.AddPerson(a.fleet, "acme", "commander-bo"), broker.AddPerson(a.fleet, "other", "commander-cy"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	a.broker = realBroker(t, a.fleet)
	keys := ""
	for _, role := range []string{"reader", "operator"} {
		got := command("fleet", "keygen", role, "--role", role, "--out", a.key(role))
		_, line, _ := strings.Cut(got.stdout, "keys:\n")
		keys += line
	}
	state := t.TempDir()
	file := write(t, "stolpe.yaml", strings.NewReplacer("STATE", state, "FLEET", a.fleet, "BROKER", a.broker, "KEYS", keys).Replace(farPost))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- runAgain(ctx, setTime(), file, a.log) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v\n%s", err, a.log)
		}
	})
	a.connected(1)
	return a
}

func (a *away) key(role string) string { return filepath.Join(a.fleet, role+".key") }

// connected waits until the post has connected so many times.
func (a *away) connected(times int) {
	a.t.Helper()
	until(a.t, "the post connects", func() bool { return strings.Count(a.log.String(), "connected to the broker") >= times })
}

// send sends a command as somebody, with a role's key.
func (a *away) send(who, role, name string, args ...string) said {
	return command(append([]string{"fleet", "send", name, "acme/A12", "--broker", "mqtts://" + a.broker, "--certs", filepath.Join(a.fleet, "people", who), "--key", a.key(role)}, args...)...)
}

// A fleet's people tell a real post what to do, over a real broker that knows their
// certificates, and the post starts anew when it is told to, and forgets nothing.
func TestPeopleCommandAPostOverARealBroker(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	if got := a.send("commander-bo", "operator", "identify"); got.code != 0 || !strings.HasPrefix(got.stdout, "acme/A12: done") {
		t.Errorf("%+v", got)
	}
	if got := a.send("commander-bo", "reader", "config.get"); got.code != 0 || !strings.Contains(got.stdout, "Storgata 1") {
		t.Errorf("%+v", got)
	}
	if got := a.send("commander-bo", "reader", "restart"); got.code != 9 || !strings.Contains(got.stderr, "forbidden: not for a key with role reader") {
		t.Errorf("%+v", got)
	}
	if got := a.send("commander-bo", "operator", "price.set", "--args", `{"kwh":1}`); got.code != 9 || !strings.Contains(got.stderr, "forbidden: not allowed by this post's configuration") {
		t.Errorf("%+v", got)
	}
	for _, stranger := range []string{"reader-ann", "commander-cy"} { // whom the broker does not let send there
		if got := a.send(stranger, "operator", "identify", "--within", "2s"); got.code != 7 || !strings.Contains(got.stderr, "no answer within 2s") {
			t.Errorf("%s: %+v", stranger, got)
		}
	}
	signed := command("fleet", "sign", "restart", "acme/A12", "--key", a.key("operator"), "--for", "5m")
	answers, publish := a.listen("commander-bo", postBase+"cmd/restart/res")
	publish(signed.stdout)
	if m := nextUnder(t, answers, postBase+"cmd/restart/res"); !strings.Contains(string(m.Payload), `"code":"done"`) {
		t.Errorf("answer %s", m.Payload)
	}
	a.connected(2)
	publish(signed.stdout)
	if m := nextUnder(t, answers, postBase+"cmd/restart/res"); !strings.Contains(string(m.Payload), `"code":"replayed"`) {
		t.Errorf("after it has started anew: %s", m.Payload)
	}
	home, _ := a.listen("reader-ann", telemetry.HomeAssistant{Prefix: "homeassistant", Info: telemetry.Info{Tenant: "acme", Post: "A12"}}.Topic())
	if m := <-home; !strings.Contains(string(m.Payload), `"unique_id":"stolpe-acme_A12-`) {
		t.Errorf("Home Assistant is told %s", m.Payload)
	}
}

// A reader sees what a post tells.
func TestAReaderWatchesAPostOverARealBroker(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	watch := a.watch("reader-ann")
	until(t, "a reader sees the post", func() bool {
		out := strings.ReplaceAll(watch.String(), " (kept)", "") // or told while it looks
		return strings.Contains(out, "acme/A12 availability online") && strings.Contains(out, "acme/A12 evse/1/state ") && strings.Contains(out, " commands=[")
	})
}

// listen hears what comes under a topic, and publishes commands, as somebody.
func (a *away) listen(who, topic string) (<-chan mqtt.Message, func(payload string)) {
	a.t.Helper()
	o := outside{broker: "mqtts://" + a.broker, certs: filepath.Join(a.fleet, "people", who)}
	came, ready := make(chan mqtt.Message, 100), make(chan struct{}, 10)
	conn, err := o.connect(os.Stderr, []string{topic}, func(m mqtt.Message) { came <- m }, func(context.Context) { ready <- struct{}{} })
	if err != nil {
		a.t.Fatal(err)
	}
	aside(a.t, func(ctx context.Context) { _ = conn.Run(ctx) })
	<-ready
	return came, func(payload string) {
		a.t.Helper()
		within, end := context.WithTimeout(a.t.Context(), time.Minute)
		defer end()
		if err := conn.Publish(within, mqtt.Message{Topic: postBase + "cmd/restart", Payload: []byte(payload)}); err != nil {
			a.t.Error(err)
		}
	}
}

// watch watches as somebody until the test ends.
func (a *away) watch(who string) *paper {
	a.t.Helper()
	filters, err := watched([]string{"acme"})
	if err != nil {
		a.t.Fatal(err)
	}
	w, out := &watching{}, new(paper)
	w.broker, w.certs = "mqtts://"+a.broker, filepath.Join(a.fleet, "people", who)
	aside(a.t, func(ctx context.Context) {
		if err := w.run(ctx, filters, out, os.Stderr); err != nil {
			a.t.Error(err)
		}
	})
	return out
}
