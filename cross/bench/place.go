package bench

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	mochi "stolpe/agent/mqtt/broker"
	"stolpe/payment/gateway/broker"
	"stolpe/payment/sim"
)

// place is where a post under measurement stands: a broker that it reaches over TLS with
// the certificates of both, and a payment service whose payers approve. Both are in this
// process; meter, contactor and car are simulated in the post's.
type place struct {
	dir    string
	config string   // file
	env    []string // secrets
	pages  string   // address of the driver's page
	stops  []func() error
}

// postID is what the post is called, and its one EVSE.
const postID = "A12"

// openPlace makes one in a folder of its own.
func (l *lab) openPlace() (_ *place, err error) {
	p := &place{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.dir, err = os.MkdirTemp(l.tmp, "place-"); err != nil {
		return nil, err
	}
	fleet := filepath.Join(p.dir, "fleet")
	if err := errors.Join(broker.Init(fleet, "127.0.0.1"), broker.AddPost(fleet, tenant, postID)); err != nil {
		return nil, err
	}
	at, err := p.openBroker(fleet)
	if err != nil {
		return nil, err
	}
	keys := sim.Credentials{ClientID: rand.Text(), ClientSecret: rand.Text(), SubscriptionKey: rand.Text(), MSN: "123456"}
	p.env = []string{"BENCH_ID=" + keys.ClientID, "BENCH_SECRET=" + keys.ClientSecret, "BENCH_KEY=" + keys.SubscriptionKey}
	till, err := p.openTill(keys)
	if err != nil {
		return nil, err
	}
	if p.pages, err = freeAddress(); err != nil {
		return nil, err
	}
	p.config = filepath.Join(p.dir, "stolpe.yaml")
	text := fmt.Appendf(nil, `post: {id: A12, tenant: %s, name: "Storgata 1", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: %s
control: {dir: %s}
evses: [{id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}]
price: {currency: NOK, vat_bp: 2500, kwh: 549}
reserve: {default: 35000, choices: [20000, 35000, 50000]}
payment:
  through: vipps
  vipps: {base_url: %q, msn: %q, client_id: "env:BENCH_ID", client_secret: "env:BENCH_SECRET", subscription_key: "env:BENCH_KEY"}
mqtt: {url: "mqtts://%s", ca: %[7]s/ca.pem, cert: %[7]s/cert.pem, key: %[7]s/key.pem}
telemetry: {profile: frugal}
web: {listen: %[8]q, public_url: %[9]q}
`, tenant, filepath.Join(p.dir, "state"), filepath.Join(p.dir, "run"), till, keys.MSN, at, filepath.Join(fleet, "posts", postID), p.pages, publicURL)
	return p, errors.Join(os.Mkdir(filepath.Join(p.dir, "state"), 0o700), os.WriteFile(p.config, text, 0o600))
}

// close takes it down.
func (p *place) close() (err error) {
	for _, stop := range p.stops {
		err = errors.Join(err, stop())
	}
	return err
}

// background runs something until the place is taken down.
func (p *place) background(do func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	p.stops = append(p.stops, func() error { stop(); return <-done })
}

// openBroker starts one that knows the members of a fleet.
func (p *place) openBroker(fleet string) (address string, err error) {
	own := filepath.Join(fleet, "broker")
	pair, err := tls.LoadX509KeyPair(filepath.Join(own, "cert.pem"), filepath.Join(own, "key.pem"))
	if err != nil {
		return "", err
	}
	pem, err := os.ReadFile(filepath.Join(fleet, "ca.pem"))
	if err != nil {
		return "", err
	}
	members := x509.NewCertPool()
	members.AppendCertsFromPEM(pem)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: members,
	})
	if err != nil {
		return "", err
	}
	p.background(func(ctx context.Context) error { return mochi.Serve(ctx, l, slog.New(slog.DiscardHandler)) })
	return l.Addr().String(), nil
}

func (p *place) openTill(keys sim.Credentials) (base string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	base = "http://" + l.Addr().String()
	till := sim.NewTill(sim.Options{Accept: keys, PublicURL: base, Payer: sim.Payer{Habit: sim.Approves}})
	p.background(func(ctx context.Context) error { return till.Serve(ctx, l) })
	return base, nil
}

// launch starts a post there, by a program that may need another to run it, and waits until it is connected to its broker.
func (p *place) launch(program ...string) (*process, error) {
	all := append(slices.Clone(program), "run", "--config", p.config)
	post, err := launch(p.env, all[0], all[1:]...)
	if err != nil {
		return nil, err
	}
	if _, err := post.await(`msg="connected to the broker"`); err != nil {
		post.kill()
		return nil, err
	}
	return post, nil
}

var fieldOnPage = regexp.MustCompile(`name="(seen|key)" value="([^"]*)"`)

// charge has a driver ask for a charge on the post's page, as soon as there is an offer,
// and waits until energy flows.
func (p *place) charge() error {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	base := "http://" + p.pages
	page, err := pageWith(client, base+"/en/"+postID, `name="key"`)
	if err != nil {
		return err
	}
	form := url.Values{"amount": {"35000"}}
	for _, m := range fieldOnPage.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	answer, err := client.PostForm(base+"/en/"+postID, form)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("ask for a charge: %s, want %d", answer.Status, http.StatusSeeOther)
	}
	_, err = pageWith(client, base+answer.Header.Get("Location"), `<body class="charge"`)
	return err
}

// pageWith fetches a page until it has something on it.
func pageWith(client *http.Client, address, text string) (page string, err error) {
	err = again(func() error {
		answer, err := client.Get(address)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
		if page = string(body); err == nil && !strings.Contains(page, text) {
			err = fmt.Errorf("%s: %s: %w", address, text, errSilent)
		}
		return err
	})
	return page, err
}
