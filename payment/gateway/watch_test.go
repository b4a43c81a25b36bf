package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/agent/telemetry/fleet"
	"stolpe/agent/telemetry/fleet/page"
	"stolpe/cross/ports"
	"stolpe/payment"
	"stolpe/payment/envelope"
)

// watching adds a fleet to the configuration.
func (d *desk) watching(section string) {
	d.t.Helper()
	text, err := os.ReadFile(d.file)
	must(d.t, err)
	must(d.t, os.WriteFile(d.file, append(text, section...), 0o600))
}

// tell has post A12 tell something of itself.
func (d *desk) tell(leaf telemetry.Leaf, what any) {
	d.t.Helper()
	text, raw := what.(string)
	if !raw {
		b, err := json.Marshal(what)
		must(d.t, err)
		text = string(b)
	}
	must(d.t, d.conn.Publish(d.t.Context(), mqtt.Message{Topic: base + string(leaf), Payload: []byte(text), Retained: leaf.Retained()}))
}

// tellAll has it tell that it has worked for an hour, and of one charge.
func (d *desk) tellAll() {
	d.t.Helper()
	head := telemetry.Head{V: telemetry.Version, At: time.Now().UTC().Truncate(time.Second), Clock: "synced"}
	d.tell(envelope.AvailabilityLeaf, envelope.Online)
	d.tell(telemetry.InfoLeaf, telemetry.Info{Head: head, Post: "A12", Name: "Storgata 1", Version: "0.1.0", EVSEs: []telemetry.EVSE{{ID: 1, Code: "A12"}}})
	d.tell(telemetry.StateLeaf.Of(1), telemetry.State{Head: head, State: "available", Since: head.At.Add(-time.Hour)})
	d.tell(telemetry.HealthLeaf, telemetry.Health{Head: head, Debts: 2, Displays: []telemetry.DisplayHealth{{Name: "oled"}, {Name: "kiosk", Fault: "DIS-001"}}})
	e := telemetry.Event{Head: head, ID: "01JD3MB8Y5W2M9T0K6X4C1R7ZP", Seq: 7, Type: "session.settled", EVSE: 1, Data: json.RawMessage(`{"cur":"NOK","e_wh":11344,"captured":6228}`)}
	d.tell(e.Leaf(), e)
	d.tell(e.Leaf(), e) // twice is once
	d.tell(e.Leaf(), "[")
}

// Nothing is listened to, and nothing shown, that nobody has asked for.
func TestNoFleetIsWatchedByItself(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.configure("")
	d.start()
	d.openBroker()
	d.until("ready", "/readyz", isReady)
	d.tellAll()
	if _, text := d.get("/metrics"); strings.Contains(text, `post="A12"`) || !strings.Contains(text, "stolpe_gateway_telemetry_dropped_total 0") {
		t.Errorf("a fleet is watched:\n%s", text)
	}
}

func TestAFleetIsWatchedAndKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	port, secret := ports.Free(t), strings.Repeat("s", leastSecret)
	must(t, os.WriteFile(filepath.Join(d.dir, "proxy"), []byte(secret), 0o600))
	section := fmt.Sprintf("fleet: {client_id: reader-1, state_dir: %q, listen: \"127.0.0.1:%s\", proxy: {secret: \"file:%[1]s/proxy\"}, logins: [{name: kari, tenants: [acme]}]}\n", d.dir, port)
	d.configure("")
	d.watching(section)
	ask := func(name string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/", nil)
		must(t, err)
		r.Header.Set("Remote-User", name)
		r.Header.Set(page.SecretHeader, secret)
		a, err := http.DefaultClient.Do(r)
		must(t, err)
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		must(t, err)
		return a.StatusCode, string(text)
	}
	for round := range 2 { // the second after a restart, when only what is retained is said again
		d.start()
		if round == 0 {
			d.openBroker()
		}
		d.until("ready", "/readyz", isReady)
		d.until("the fleet's connection", "/metrics", func(_ int, text string) bool { return strings.Contains(text, "stolpe_fleet_mqtt_connected 1") })
		if round == 0 {
			d.tellAll()
		}
		for _, want := range []string{
			`stolpe_fleet_posts 1`, `stolpe_post_up{tenant="acme",post="A12"} 1`, `stolpe_evse_up{tenant="acme",post="A12",evse="1"} 1`, `stolpe_evse_state{tenant="acme",post="A12",evse="1",state="available"} 1`,
			`stolpe_display_up{tenant="acme",post="A12",display="oled"} 1`, `stolpe_display_up{tenant="acme",post="A12",display="kiosk"} 0`,
			`stolpe_payments_unsettled{tenant="acme",post="A12"} 2`, `stolpe_energy_joules_total{tenant="acme",post="A12"} 4.08384e+07`, `stolpe_revenue_minor_units_total{tenant="acme",post="A12",currency="NOK"} 6228`,
			`stolpe_session_steps_total{tenant="acme",post="A12",step="energy"} 1`, `stolpe_sessions_total{tenant="acme",post="A12",result="ok"} 1`, fmt.Sprint("stolpe_gateway_telemetry_dropped_total ", 1-round), `stolpe_evse_uptime_ratio{tenant="acme",post="A12",evse="1",formula="nevi",window="365d"} 1`,
		} {
			d.until(want, "/metrics", func(_ int, text string) bool { return strings.Contains(text, want+"\n") })
		}
		_, figures := d.get("/metrics")
		checkListed(t, figures)
		if code, text := ask("kari"); code != http.StatusOK || !strings.Contains(text, "Storgata 1") || !strings.Contains(text, "62.28 NOK") {
			t.Errorf("round %d: kari sees %d %s", round, code, text)
		}
		if code, _ := ask("ola"); code != http.StatusForbidden {
			t.Errorf("round %d: ola sees %d", round, code)
		}
		must(t, d.end())
	}
	d.start()
	d.until("ready", "/readyz", isReady) // before that the signal would end the test
	for section, want := range map[string]int{strings.ReplaceAll(section, "kari", "ola"): http.StatusOK, "": http.StatusForbidden} {
		d.configure("")
		d.watching(section)
		must(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
		for late := time.Now().Add(time.Minute); ; {
			kari, _ := ask("kari")
			ola, _ := ask("ola")
			if kari == http.StatusForbidden && ola == want {
				break
			}
			if time.Now().After(late) {
				t.Fatalf("after another list of logins: kari %d, ola %d", kari, ola)
			}
		}
	}
}

func TestLabelsHoldWhatPostsSay(t *testing.T) {
	t.Parallel()
	f := families{lines: map[string]*bytes.Buffer{}}
	f.add("b", 1, "x", `a"} 7`, "y", `\`)
	f.add("a", 0.5)
	f.add("b", 2)
	if got := f.lines["b"].String() + f.lines["a"].String(); got != `b{x="a\"} 7",y="\\"} 1`+"\nb 2\na 0.5\n" || strings.Join(f.names, " ") != "b a" {
		t.Errorf("%s of %v", got, f.names)
	}
}

// What is not known is left out, and an amount that can grow is there before it does.
func TestFiguresOfAPostThatIsNotHeard(t *testing.T) {
	t.Parallel()
	for _, unsure := range []bool{true, false} {
		f := families{lines: map[string]*bytes.Buffer{}}
		f.post(fleet.Post{ID: "A12", Unsure: unsure, Sells: "NOK", Total: fleet.Tally{Revenue: map[payment.Currency]int64{"NOK": 7, "EUR": 5}}})
		if said := f.lines["stolpe_post_up"] != nil; said == unsure {
			t.Errorf("unsure %v: whether it is there is said: %v", unsure, said)
		}
		for name, want := range map[string]string{"stolpe_written_off_minor_units_total": `currency="NOK"} 0`, "stolpe_refunded_minor_units_total": `currency="NOK"} 0`, "stolpe_revenue_minor_units_total": `currency="NOK"} 7`} {
			if b := f.lines[name]; b == nil || strings.Count(b.String(), want) != 1 || strings.Count(b.String(), "NOK") != 1 {
				t.Errorf("%s: %v", name, b)
			}
		}
	}
}

// signer makes certificates.
type signer struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	name string // its files begin so
}

// sign makes a certificate, and its files; by itself without a signer.
func sign(t *testing.T, by *signer, dir, name string) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &x509.Certificate{Subject: pkix.Name{CommonName: name}, SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: by == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	s := &signer{t: t, cert: c, key: key, name: filepath.Join(dir, name)}
	if by == nil {
		by = s
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, key.Public(), by.key)
	must(t, err)
	s.cert, err = x509.ParseCertificate(der)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(s.name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(s.name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return s
}

func TestFleetPagesTakeCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	staff, others := sign(t, nil, dir, "staff"), sign(t, nil, dir, "others")
	server := sign(t, staff, dir, "server")
	people := map[string]*signer{"kari": sign(t, staff, dir, "kari"), "ola": sign(t, staff, dir, "ola")}
	must(t, os.MkdirAll(filepath.Join(dir, "fake"), 0o700))
	people["kari of others"] = sign(t, others, filepath.Join(dir, "fake"), "kari")
	s := settings{}
	s.MQTT.URL = "mqtt://127.0.0.1:1"
	s.Fleet = &watching{ClientID: "reader-1", StateDir: filepath.Join(dir, "state"), Zone: time.UTC, Listen: "127.0.0.1:0", UserHeader: "Remote-User", Logins: []page.Login{{Name: "kari"}}}
	s.Fleet.TLS.Cert, s.Fleet.TLS.Key, s.Fleet.TLS.ClientCA = server.name+".pem", server.name+".key", staff.name+".pem"
	w, err := (&gateway{settings: s, log: slog.New(slog.DiscardHandler)}).watch(t.Context(), func() {})
	must(t, err)
	pages := &http.Server{Handler: w.pages}
	done := make(chan struct{})
	go func() { defer close(done); pages.Serve(w.serve) }() //nolint:errcheck // it ends with the test
	t.Cleanup(func() { pages.Close(); <-done })
	roots := x509.NewCertPool()
	roots.AddCert(staff.cert)
	for name, want := range map[string]int{"kari": http.StatusOK, "ola": http.StatusForbidden, "kari of others": 0, "nobody": 0} {
		c := &tls.Config{RootCAs: roots}
		if p := people[name]; p != nil {
			pair, err := tls.LoadX509KeyPair(p.name+".pem", p.name+".key")
			must(t, err)
			c.Certificates = []tls.Certificate{pair}
		}
		way := &http.Transport{TLSClientConfig: c}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+w.serve.Addr().String()+"/", nil)
		must(t, err)
		r.Header.Set("Remote-User", "kari") // which nobody believes
		got := 0
		if a, err := way.RoundTrip(r); err == nil {
			got = a.StatusCode
			a.Body.Close()
		}
		if way.CloseIdleConnections(); got != want {
			t.Errorf("%s gets %d, want %d", name, got, want)
		}
	}
}
