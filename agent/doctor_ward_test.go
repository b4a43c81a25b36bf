package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/agent/doctor"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
	"stolpe/payment"
	keys "stolpe/payment/gateway/broker"
	till "stolpe/payment/sim"
)

// ward is a daemon as it runs on a post, in this process, on a machine that is well.
type ward struct {
	*clinic
	log   *paper
	state string
}

// lie starts one, with some words of its configuration replaced, and waits until nothing
// of its start is left, but what cannot be done without the payment service.
func lie(t *testing.T, unpaid bool, words ...string) *ward {
	t.Helper()
	w := &ward{log: new(paper), state: shortDir(t)}
	file := configured(t, w.state, words...)
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	near := int64(0)
	c := &clinic{file: file, files: soundMachine(), client: control.Dial(filepath.Join(w.state, "run"))}
	c.files["proc/self/mountinfo"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(c.files["proc/self/mountinfo"].Data), "/var/lib/stolpe", w.state))}
	c.machine = computer{
		files: c.files, run: func(string, ...string) string { return "" }, disk: diskOf,
		now: func() (hal.Stamp, *int64) { return hal.Stamp{Unix: time.Now().Unix(), Clock: hal.ClockSynced}, &near },
	}
	w.clinic = c
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- daemon(ctx, setTime(), cfg, origin{file: file}, w.log) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("daemon: %v\n%s", err, w.log)
		}
	})
	until(t, "the start is over", func() bool {
		var d doctor.Daemon
		err := c.client.Get(t.Context(), "facts", nil, &d)
		return err == nil && d.EVSEs[0].Dead && d.EVSEs[0].Meter.Age != nil && (len(d.EVSEs[0].Faults) == 0 || unpaid && d.EVSEs[0].Faults[0] == "PAY-002")
	})
	return w
}

// throughTill are the words of a post that asks a simulated payment service, whose keys
// it has but for what is said.
func throughTill(t *testing.T, change map[string]string, more string) []string {
	t.Helper()
	s, err := serveTill(context.WithoutCancel(t.Context()), till.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	is := map[string]string{"id": s.keys.ClientID, "secret": s.keys.ClientSecret, "key": s.keys.SubscriptionKey, "msn": s.keys.MSN, "url": s.url, "faults": ""}
	for k, v := range change {
		is[k] = v
	}
	if err := s.SetScript(is["faults"]); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return "file:" + write(t, name, is[name]) }
	return []string{"{through: sim}", fmt.Sprintf(`{through: vipps, vipps: {base_url: %q, msn: %q, client_id: %q, client_secret: %q, subscription_key: %q%s}}`,
		is["url"], is["msn"], file("id"), file("secret"), file("key"), more), `{listen: "127.0.0.1:0"}`, `{listen: "127.0.0.1:0", public_url: "https://lad.example.no"}`}
}

// withBroker are the words of a post that has a broker.
func withBroker(url, more string) []string {
	return []string{"post: {id: A12,", "post: {id: A12, tenant: acme,", "price: {", "mqtt: {url: \"" + url + "\"" + more + "}\nprice: {"}
}

// pretender is a broker that proves itself with the certificate of a fleet, and takes
// those of another. It says nothing.
func pretender(t *testing.T, own, takes string) (address string) {
	t.Helper()
	at := func(fleet, name string) string { return filepath.Join(fleet, "broker", name) }
	pair, err := tls.LoadX509KeyPair(at(own, "cert.pem"), at(own, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(filepath.Join(takes, "posts", "A12", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	signers := x509.NewCertPool()
	signers.AppendCertsFromPEM(pem)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: signers})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, conn) // the handshake, and its end
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String()
}

// aFleet makes a fleet with the post in it.
func aFleet(t *testing.T) string {
	t.Helper()
	fleet := filepath.Join(t.TempDir(), "fleet")
	for _, err := range []error{keys.Init(fleet, "127.0.0.1"), keys.AddPost(fleet, "acme", "A12")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return fleet
}

// What is wrong with keys, network, broker, gateway and configuration is told first, too.
func TestFaultsAroundTheDaemon(t *testing.T) {
	t.Parallel()
	mine, other := aFleet(t), aFleet(t)
	certs := func(fleet string) string {
		at := filepath.Join(fleet, "posts", "A12")
		return fmt.Sprintf(", ca: %s/ca.pem, cert: %s/cert.pem, key: %s/key.pem", at, at, at)
	}
	gateway := []string{"{through: sim}", `{through: gateway, gateway: {timeout: 2s, key: "file:` + write(t, "gateway.key", strings.Repeat("ab", 32)) + `"}}`, `web: {listen: "127.0.0.1:0"}`, ""}
	for _, x := range []struct {
		name   string
		words  []string
		plant  func(*testing.T, *ward)
		shows  func(doctor.Facts) bool // nil for at once
		want   string
		remedy string
		why    string
	}{
		{name: "wrong secret", words: throughTill(t, map[string]string{"secret": "wrong"}, ""), want: "FAIL payment: the payment service does not take the keys", remedy: "stolpe config secret set", why: "payment: the payment service does not take the keys"},
		{name: "wrong subscription key", words: throughTill(t, map[string]string{"key": "wrong"}, ""), want: "FAIL payment: the payment service does not take the keys", remedy: "subscription_key", why: "payment: the payment service does not take the keys"},
		{name: "wrong sales unit", words: throughTill(t, map[string]string{"msn": "654321"}, ""), want: "FAIL salesunit: sales unit 654321 cannot be used", remedy: "look at payment.vipps.msn", why: "salesunit: sales unit 654321"},
		{name: "network away", words: throughTill(t, map[string]string{"url": "http://127.0.0.1:1"}, ""), want: "FAIL payment: the payment service does not answer", remedy: "ip route", why: "payment: the payment service does not answer"},
		{name: "webhooks cannot be registered", words: throughTill(t, map[string]string{"faults": "webhooks: 503 x1000"}, ", webhooks: true"), want: "WARN webhook: the payment service cannot call back", remedy: "be reached from the Internet over HTTPS? Then stolpe payment hooks list",
			shows: func(f doctor.Facts) bool { return f.Daemon.Hooks.Wrong != "" }},
		{name: "broker gone", words: withBroker("mqtt://127.0.0.1:1", ""), want: "WARN mqtt: the broker mqtt://127.0.0.1:1 is away", remedy: "Then stolpe mqtt status", shows: brokerFails},
		{name: "broker of another authority", words: withBroker("mqtts://"+pretender(t, other, other), certs(mine)), want: "WARN mqtt: the broker mqtts://127.0.0.1:", remedy: "do not accept each other's certificates", shows: brokerFails},
		{name: "broker that does not take our certificate", words: withBroker("mqtts://"+pretender(t, mine, other), certs(mine)), want: "WARN mqtt: the broker mqtts://127.0.0.1:", remedy: "openssl x509 -noout -subject -dates -in", shows: brokerFails},
		{name: "gateway gone", words: append(gateway, withBroker("mqtt://"+serveBroker(t), "")...), want: "FAIL gateway: no gateway answers", remedy: "does stolpe-gateway run", why: "gateway: no gateway answers",
			shows: func(f doctor.Facts) bool { return f.Daemon.Broker.Connected }},
		{name: "broker of the gateways gone", words: append(gateway, withBroker("mqtt://127.0.0.1:1", "")...), want: "FAIL mqtt: the broker mqtt://127.0.0.1:1 is away", remedy: "does the broker run", why: "mqtt: the broker", shows: brokerFails},
		{name: "configuration changed", plant: func(t *testing.T, w *ward) { w.rewrite(t, "# by hand\n") }, want: "WARN config: ", remedy: "stolpe config diff --running; take it into use: stolpe config reload"},
		{name: "configuration broken while it runs", plant: func(t *testing.T, w *ward) { w.rewrite(t, "colour: red\n") }, want: "FAIL config: ", remedy: "stolpe config validate"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := lie(t, x.why != "", x.words...)
			if x.plant != nil {
				x.plant(t, w)
			}
			f := w.look(t.Context())
			for x.shows != nil && !x.shows(f) && t.Context().Err() == nil {
				f = w.look(t.Context())
			}
			first, why := foremost(f)
			if !strings.HasPrefix(first, x.want) || !strings.Contains(first, x.remedy) {
				t.Errorf("doctor says first\n%s\nwant %s ... %s\n%s", first, x.want, x.remedy, w.log)
			}
			if x.why == "" && why != "" || !strings.Contains(why, x.why) || x.why != "" && !strings.Contains(why, x.remedy) {
				t.Errorf("why says first\n%s\nwant %q ... %q", why, x.why, x.remedy)
			}
		})
	}
}

func brokerFails(f doctor.Facts) bool { return f.Daemon.Broker.Wrong != "" }

// A display that cannot be drawn is told of, with what to do, and keeps nobody from
// charging. It is told of as well where no daemon runs.
func TestDoctorOfADisplay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := filepath.Join(dir, "none")
	w := lie(t, false, "price: {", "display: [{kind: png, url: \"file://"+folder+"/display.png?size=128x64\"}]\nprice: {")
	f := w.look(t.Context())
	for f.Daemon.Displays[0].Code == "" && t.Context().Err() == nil {
		f = w.look(t.Context())
	}
	first, why := foremost(f)
	if want := "WARN display.png: it does not answer as it should (DIS-001); charging goes on; "; !strings.HasPrefix(first, want) || !strings.Contains(first, "install -d -o stolpe "+folder) || why != "" {
		t.Errorf("first %s\nwhy %s\nwant %s\n%s", first, why, want, w.log)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for f.Daemon.Displays[0].Code != "" && t.Context().Err() == nil {
		f = w.look(t.Context())
	}
	if first, why := foremost(f); first != "" || why != "" {
		t.Errorf("with its folder: %s, %s", first, why)
	}
	until(t, "the ledger has both", func() bool {
		var told []string
		err := ledger.Browse(ledgerPath(w.state), func(e ledger.Entry) error {
			if e.Fault != nil && e.Fault.Code == "DIS-001" && e.EVSE == 0 {
				told = append(told, string(e.Kind))
			}
			return nil
		})
		return err == nil && strings.Join(told, " ") == "fault.raised fault.cleared"
	})
}

// rewrite adds to the configuration.
func (w *ward) rewrite(t *testing.T, more string) {
	t.Helper()
	f, err := os.OpenFile(w.file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(more)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// Without a daemon that is said first, and its meters are read all the same, and looked
// for where they do not answer.
func TestPostWithoutItsDaemon(t *testing.T) {
	t.Parallel()
	y := newYard(sim.Setup{Serial: "22110345", Register: 1_000_000})
	m, err := meters.Find("eastron_sdm120")
	if err != nil {
		t.Fatal(err)
	}
	url := y.serve(t, m, "tcp://127.0.0.1:0")
	c := computer{files: soundMachine(), run: func(string, ...string) string { return "" }, disk: diskOf, now: func() (hal.Stamp, *int64) { return hal.Stamp{Unix: time.Now().Unix(), Clock: hal.ClockSynced}, nil }}
	for _, x := range []struct {
		meter, text string
		want        []string // findings in their order: all that are not well, and the meter
	}{
		{`serial: "22110345"`, "", []string{"FAIL daemon: the daemon does not run: no daemon listens", "PASS meter.1: eastron_sdm120 #22110345 at tcp://"}},
		{"unit: 5", "", []string{"FAIL daemon", "FAIL meter.1: the gateway at tcp://127.0.0.1:", "unit 1 answers there"}},
		{`serial: "7"`, "", []string{"FAIL daemon", "FAIL meter.1: another meter answers", "the meter says 22110345, the configuration wants 7"}},
		{"unit: 1", "colour: red\n", []string{"FAIL daemon: the daemon does not run: its configuration is not valid: ", "colour", "FAIL config: "}},
	} {
		file := write(t, "stolpe.yaml", strings.Replace(demoConfig, "contactor: {sim: true}", `meter: {model: eastron_sdm120, url: "`+url+`", `+x.meter+`}, contactor: {line: GPIO17, sense: GPIO27}`, 1)+x.text)
		all, _ := doctor.Judge(gathered(t.Context(), control.Dial(shortDir(t)), c, file, true, io.Discard))
		var told strings.Builder
		for _, f := range all {
			if f.Status == doctor.Fail || f.ID == "meter.1" {
				fmt.Fprintf(&told, "%s %s: %s -> %s\n", f.Status, f.ID, f.What.EN, f.Remedy.EN)
			}
		}
		rest := told.String()
		for _, want := range x.want {
			_, after, found := strings.Cut(rest, want)
			if !found {
				t.Errorf("%s %s:\n%s\nwant %q", x.meter, x.text, &told, x.want)
				break
			}
			rest = after
		}
	}
}

// Who may look only is not told which payment a debt is, nor how much.
func TestFactsForWhoMayLookOnly(t *testing.T) {
	t.Parallel()
	c := admit(t, plan{setup: sim.Setup{Serial: "22110345", Register: 1_000_000}, change: withState(func(k *session.Kept) {
		d := session.Debt{Charge: session.Charge{Number: 7, Held: true, Limit: 35_000}, Due: 1000, Trouble: payment.FundsGone}
		d.Price.Currency, d.Price.KWh = "NOK", 549
		k.Debts, k.Counter = []session.Debt{d}, 7
	})})
	c.local.parts.money = &heard{mono: c.local.parts.money.mono, newest: lastAnswer{err: errors.New("get DEMO-1-000008: no route to host"), failed: 1}}
	for role, secret := range map[control.Role]bool{control.Viewer: true, control.Technician: false} {
		said, err := c.local.facts(t.Context(), control.Caller{Role: role}, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := doctor.Facts{Daemon: new(doctor.Daemon)}
		*f.Daemon = said.(doctor.Daemon)
		all, _ := doctor.Judge(f, "settlement")
		if len(all) != 1 || all[0].Status != doctor.Fail {
			t.Fatalf("%v: %+v", role, all)
		}
		for _, private := range []string{"DEMO-1-000007", "DEMO-1-000008", "10.00"} {
			if told := fmt.Sprint(all, f.Daemon.EVSEs, f.Daemon.Pay); strings.Contains(told, private) == secret {
				t.Errorf("%v: %s in %s: %v", role, private, told, !secret)
			}
		}
	}
	if _, err := c.local.findMeter(t.Context(), control.Caller{}, []byte(`{"evse":9}`)); err == nil || !strings.Contains(err.Error(), "no EVSE 9") {
		t.Errorf("%v", err)
	}
}

// A loop that takes nothing any more is named: the program runs, and does not work.
func TestLoopThatHangs(t *testing.T) {
	t.Parallel()
	c := admit(t, plan{setup: sim.Setup{Serial: "22110345", Register: 1_000_000}, deeds: func(d *deeds) { d.units = []unit{hung{d.units[0]}} }})
	said, err := c.local.facts(t.Context(), control.Caller{Role: control.Admin}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := doctor.Facts{Machine: doctor.Machine{Now: time.Now().Unix()}, Daemon: new(doctor.Daemon)}
	*f.Daemon = said.(doctor.Daemon)
	first, why := foremost(f)
	if want := "FAIL daemon: the daemon runs, but EVSE 1 does not answer -> take a support bundle"; !strings.HasPrefix(first, want) || !strings.Contains(why, "daemon: the daemon runs, but EVSE 1 does not answer") {
		t.Errorf("%s; %s", first, why)
	}
}

// hung is an EVSE whose loop takes nothing.
type hung struct{ unit }

func (hung) Tell(ctx context.Context, _ session.Event) error { <-ctx.Done(); return ctx.Err() }
