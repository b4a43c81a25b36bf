package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"stolpe/cross/ports"
	"stolpe/payment"
	"stolpe/payment/sim"
)

// gossip is a payment service that fails when it is asked for a payment, and given a
// receipt, for the first time, and then repeats all it was told: keys, tokens, phone
// numbers.
type gossip struct {
	till *sim.Till

	mu    sync.Mutex
	count map[string]int // requests, by method and path
	heard map[string]bool
}

func (g *gossip) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	what := r.Method + " " + r.URL.Path
	g.count[what]++
	g.heard[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] = true
	fails := g.count[what] == 1 && (what == "POST /epayment/v1/payments" || strings.Contains(what, "/receipts/"))
	g.mu.Unlock()
	if !fails {
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		g.till.ServeHTTP(w, r)
		return
	}
	told, _ := json.Marshal(fmt.Sprint(r.Header, string(body)))
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintf(w, `{"title":"No","detail":%s,"traceId":"00-1","error":%s}`, told, told)
}

// A whole charge by push message, with a service that repeats everything in its
// errors, with webhooks, a receipt in the app, and the commands afterwards: nothing
// that is secret or personal is in any log, file or output.
func TestNothingSecretIsToldAnywhere(t *testing.T) {
	keys := sim.Credentials{ClientID: "id-8f2kq", ClientSecret: "secret-93jdx", SubscriptionKey: "subscription-7x1mz", MSN: "123456"}
	t.Parallel()
	kept := func(name, secret string) string { return `"file:` + write(t, name, secret) + `"` }
	g := &gossip{count: map[string]int{}, heard: map[string]bool{}}
	server := httptest.NewServer(g)
	defer server.Close()
	g.till = sim.NewTill(sim.Options{Accept: keys, PublicURL: server.URL})
	stop := delivering(t, g.till)
	defer stop()

	state := filepath.Join(t.TempDir(), "state")
	port := ports.Free(t)
	file := configured(t, state,
		"kwh: 549", "kwh: 200000", "payment: {through: sim}", `payment: {through: vipps, push_message: true, vipps: {webhooks: true, base_url: "`+server.URL+
			`", msn: "123456", client_id: `+kept("id", keys.ClientID)+`, client_secret: `+kept("secret", keys.ClientSecret)+
			`, subscription_key: `+kept("key", keys.SubscriptionKey)+`}}`,
		`web: {listen: "127.0.0.1:0"}`, fmt.Sprintf("web: {listen: \"127.0.0.1:%[1]s\", public_url: \"http://127.0.0.1:%[1]s\"}\nlimits: {rest: 1s}", port))
	s := serve(t, file)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.log)
		}
	})
	session := pushed(t, s.pages+"/en/A12", "912 34 567")
	const ref payment.Ref = "A12-1-000001"
	until(t, "approved", func() (yes bool) {
		g.till.Do(func(now time.Duration, b *sim.Book) { yes = b.Approve(now, ref) })
		return yes
	})
	began := time.Time{}
	until(t, "energy flows for a while", func() bool {
		if scene, _, _ := look(t, session); scene == "charge" && began.IsZero() {
			began = time.Now()
		}
		return !began.IsZero() && time.Since(began) > 12*time.Second
	})
	driver := &phone{ctx: t.Context(), stage: &stage{}}
	if _, err := driver.post(session, url.Values{"act": {"stop"}}); err != nil {
		t.Fatal(err)
	}
	until(t, "settled", func() bool { return strings.Contains(s.log.String(), "msg=settled") })
	until(t, "in the app", func() bool { return strings.Contains(s.log.String(), "receipt is in the app") })
	s.end()

	told := map[string]string{"log": s.log.String()}
	for _, args := range []string{"payment show " + string(ref), "payment reconcile --since 2020-01-01", "payment hooks", "qr list", "config show --origin", "config validate", "config secret list"} {
		for _, form := range []string{"", " --json"} {
			got := command(append(strings.Fields(args+form), "--config", file)...)
			told[args+form] = got.stdout + got.stderr
		}
	}
	for name, text := range contents(t, state) {
		told[name] = text
	}
	if hooks := told["hooks.json"]; !strings.Contains(hooks, "secret") || !strings.Contains(told["ledger.jsonl"], string(ref)) {
		t.Fatalf("no webhook was registered, or nothing is in the ledger: %q", told)
	}
	delete(told, "hooks.json") // keeps the secrets of webhooks, for us alone
	g.heard[keys.ClientID], g.heard[keys.ClientSecret], g.heard[keys.SubscriptionKey] = true, true, true
	g.heard["91234567"], g.heard["912 34 567"] = true, true
	g.heard[session[strings.LastIndex(session, "/")+1:]] = true
	delete(g.heard, "")
	for secret := range hookSecrets(t, filepath.Join(state, "hooks.json")) {
		g.heard[secret] = true
	}
	for secret := range g.heard {
		for where, text := range told {
			if strings.Contains(text, secret) {
				t.Errorf("%s tells %q:\n%s", where, secret, text)
			}
		}
	}
	if len(g.heard) < 7 {
		t.Errorf("only %d secrets were looked for", len(g.heard))
	}
	mode(t, filepath.Join(state, "hooks.json"))
	mode(t, filepath.Join(state, "ledger.jsonl"))
}

// mode checks that nobody else can read a file.
func mode(t *testing.T, file string) {
	t.Helper()
	var info fs.FileInfo
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%s: %v, %v", file, info, err)
	}
}

func hookSecrets(t *testing.T, file string) map[string]bool {
	t.Helper()
	var all []held
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: %v", b, err)
	}
	secrets := map[string]bool{}
	for _, h := range all {
		secrets[h.Secret] = true
	}
	return secrets
}

// delivering has the service deliver its webhooks until it is stopped.
func delivering(t *testing.T, till *sim.Till) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				till.Deliver(ctx)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// pushed asks for a charge with a phone number, and gives the address of its page.
func pushed(t *testing.T, address, phone string) string {
	t.Helper()
	form := url.Values{"amount": {"35000"}, "phone": {phone}}
	until(t, "an offer", func() bool {
		_, _, page := look(t, address)
		for _, m := range fieldOnPage.FindAllStringSubmatch(page, -1) {
			form.Set(m[1], strings.ReplaceAll(m[2], "&#43;", "+"))
		}
		return form.Get("key") != "" && strings.Contains(page, `name="phone"`)
	})
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	at, err := answer.Location()
	if answer.StatusCode != http.StatusSeeOther || err != nil {
		t.Fatalf("%s, %v", answer.Status, err)
	}
	return at.String()
}

// A secret that is renewed stays readable for the daemon, which is another user, and for
// nobody else.
func TestASecretKeepsItsOwnerAndItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for was, want := range map[fs.FileMode]fs.FileMode{0: 0o600, 0o640: 0o640, 0o444: 0o440} {
		const daemon = 12345 // no user of this machine
		if was != 0 {
			err := errors.Join(os.WriteFile(path, []byte("old"), 0o600), os.Chmod(path, was))
			if os.Geteuid() == 0 {
				err = errors.Join(err, os.Chown(path, daemon, daemon))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := writeSecret(path, "new"); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("of %v it has become %v, %v", was, info.Mode(), err)
		}
		if s := info.Sys().(*syscall.Stat_t); was != 0 && os.Geteuid() == 0 && (s.Uid != daemon || s.Gid != daemon) {
			t.Errorf("it belongs to %d:%d", s.Uid, s.Gid)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
