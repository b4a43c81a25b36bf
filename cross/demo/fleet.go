package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"stolpe/payment/envelope"
)

// The programs.
const (
	agentProgram   = "stolpe"
	gatewayProgram = "stolpe-gateway"
)

const tenant = "demo"

// fleet is everything that runs.
type fleet struct {
	options  options
	dir      string // of the programs, and all that they write
	out      *screen
	broker   *carrier
	till     *child
	keys     tillKeys
	master   envelope.Key // of the seals
	front    *front
	gateways []gateway
	posts    []post
	given    []func() error // give back the ports of the gateways
}

// gateway is one of them, with its two addresses.
type gateway struct {
	name          string
	pages, status string // host:port
	child         *child
}

// post is one of them, with one EVSE.
type post struct {
	id, code, name string
	child          *child
}

// places are where posts could stand.
func places() []string {
	return []string{"Storgata 1, Hamar", "Brygga 4, Tromsø", "Torget 2, Molde", "Kaien 9, Bodø", "Parkveien 7, Oslo"}
}

// startGateway writes a gateway's configuration and starts it.
func (f *fleet) startGateway(g *gateway) error {
	file := filepath.Join(f.dir, g.name+".yaml")
	if err := os.WriteFile(file, f.gatewayConfig(g), 0o600); err != nil {
		return err
	}
	env := []string{
		"DEMO_RELAY_KEY=" + f.master.Hex(), "DEMO_CLIENT_ID=" + f.keys.clientID,
		"DEMO_CLIENT_SECRET=" + f.keys.clientSecret, "DEMO_SUBSCRIPTION_KEY=" + f.keys.subscriptionKey,
	}
	var err error
	g.child, err = f.keep(g.name, gatewayProgram, env, "run", "--config", file)
	return err
}

// gatewayConfig is what a gateway reads.
func (f *fleet) gatewayConfig(g *gateway) []byte {
	return fmt.Appendf(nil, `listen: %q
status: %q
public_url: %q
mqtt: {url: %q, client_id: %s}
relay_key: "env:DEMO_RELAY_KEY"
units:
  - msn: %q
    tenant: %s
    currency: NOK
    max_amount: 50000
    base_url: %q
    client_id: "env:DEMO_CLIENT_ID"
    client_secret: "env:DEMO_CLIENT_SECRET"
    subscription_key: "env:DEMO_SUBSCRIPTION_KEY"
`, g.pages, g.status, f.front.url, f.broker.url, g.name, f.keys.msn, tenant, f.keys.baseURL)
}

// startPost writes a post's configuration and starts it.
func (f *fleet) startPost(p *post) error {
	file := filepath.Join(f.dir, p.id+".yaml")
	if err := os.WriteFile(file, f.postConfig(p), 0o600); err != nil {
		return err
	}
	var err error
	p.child, err = f.keep(p.id, agentProgram, []string{"DEMO_KEY=" + f.master.Of(tenant, p.id).Hex()}, "run", "--config", file)
	return err
}

// postConfig is what a post reads.
func (f *fleet) postConfig(p *post) []byte {
	return fmt.Appendf(nil, `post: {id: %s, tenant: %s, name: %q, country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: %q
control: {dir: %q}
evses: [{id: 1, code: %s, contactor: {sim: true}, max_power_w: 22000}]
price: {currency: NOK, vat_bp: 2500, kwh: 549}
reserve: {default: 35000, choices: [20000, 35000, 50000]}
payment:
  through: gateway
  gateway: {timeout: 20s, key: "env:DEMO_KEY"}
mqtt: {url: %q}
`, p.id, tenant, p.name, filepath.Join(f.dir, p.id), filepath.Join(f.dir, "c-"+p.id), p.code, f.broker.url)
}

// keep keeps one of the programs running.
func (f *fleet) keep(name, program string, env []string, args ...string) (*child, error) {
	show := func(string) {}
	if f.options.verbose {
		show = func(line string) { f.out.say(name + ": " + line) }
	}
	c := &child{name: name, show: show, tell: f.out.say, fresh: func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(f.dir, program), args...)
		cmd.Env = append(os.Environ(), env...)
		return cmd
	}}
	return c, c.start()
}

// newKey is a relay key that nobody else has.
func newKey() (key envelope.Key) {
	rand.Read(key[:]) // never fails
	return key
}

func (f *fleet) postChildren() []*child {
	var all []*child
	for _, p := range f.posts {
		all = append(all, p.child)
	}
	return all
}

func (f *fleet) gatewayChildren() []*child {
	var all []*child
	for _, g := range f.gateways {
		all = append(all, g.child)
	}
	return all
}

// Chosen by us: how long a fleet may take until every page is there, and how often
// that is looked at.
const (
	pagesWithin = 60 * time.Second
	pagesEvery  = 200 * time.Millisecond
)

// awaitPages waits until every post's page is served.
func (f *fleet) awaitPages(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pagesWithin)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	again := time.NewTicker(pagesEvery)
	defer again.Stop()
	for _, p := range f.posts {
		for !served(ctx, client, f.front.url+"/"+p.code) {
			select {
			case <-again.C:
			case <-ctx.Done():
				return fmt.Errorf("the page of %s is not there after %v; -v shows what the programs log", p.code, pagesWithin)
			}
		}
	}
	return nil
}

func served(ctx context.Context, client *http.Client, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(r)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// introduce says what there is to look at.
func (f *fleet) introduce() {
	var b strings.Builder
	fmt.Fprintf(&b, "\nA fleet: %d posts, %d gateways, a broker and a payment service, all on this machine. No money moves.\n\n", len(f.posts), len(f.gateways))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, p := range f.posts {
		fmt.Fprintf(t, "  post %s\t%s/%s\t(in English: %s/en/%s)\n", p.id, f.front.url, p.code, f.front.url, p.code)
	}
	for _, g := range f.gateways {
		fmt.Fprintf(t, "  %s\thttp://%s/readyz\t(figures: http://%s/metrics)\n", g.name, g.status, g.status)
	}
	fmt.Fprintf(t, "  all payments\t%s/till\t(the payer approves after 5 s)\n", f.keys.baseURL)
	t.Flush() //nolint:errcheck // a Builder takes everything
	if f.options.kill {
		fmt.Fprintf(&b, "\nOne of them is killed about every %v. ", f.options.every)
	}
	b.WriteString("Ctrl-C ends all.\n")
	f.out.say(b.String())
}

// screen takes lines from several goroutines.
type screen struct {
	mu sync.Mutex
	w  interface{ Write([]byte) (int, error) }
}

func (s *screen) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.w, line) //nolint:errcheck // nobody reads any more
}
