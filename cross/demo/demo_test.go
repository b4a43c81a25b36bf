package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"stolpe/agent/config"
	"stolpe/agent/mqtt"
	"stolpe/cross/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything may take on a machine that has other work.
const patience = 20 * time.Second

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPostsTakeTheirConfigurations(t *testing.T) {
	f := &fleet{dir: "/tmp/demo", master: newKey(), broker: &carrier{url: "mqtt://127.0.0.1:1883"}}
	p := &post{id: "DEMO-1", code: "A1", name: places()[1]}
	key := f.master.Of(tenant, p.id).Hex()
	c, err := config.Parse("demo", strings.NewReader(string(f.postConfig(p))), func(kind, name string) (string, error) {
		if kind != "env" || name != "DEMO_KEY" {
			return "", fmt.Errorf("nobody has %s:%s", kind, name)
		}
		return key, nil
	})
	must(t, err)
	if c.Tenant != tenant || c.Post.ID != p.id || c.Payment.Through != config.ThroughGateway || c.MQTT.URL != f.broker.url || c.Gateway.Key.Reveal() != key {
		t.Errorf("read as %+v", c)
	}
}

func TestThePaymentServiceSaysItsKeys(t *testing.T) {
	var k tillKeys
	said := `A simulated payment service. No money moves. Ctrl-C ends it, and everything in it is gone.

  base URL          http://127.0.0.1:4711
  page              http://127.0.0.1:4711/till   (payments and faults; whoever reaches it may press its buttons)
  MSN               123456
  client id         CI
  client secret     CS
  subscription key  SK
`
	all := false
	for line := range strings.Lines(said) {
		if all {
			t.Errorf("all is known before %q", line)
		}
		all = k.read(strings.TrimSuffix(line, "\n"))
	}
	if want := (tillKeys{"http://127.0.0.1:4711", "123456", "CI", "CS", "SK"}); !all || k != want {
		t.Errorf("read %+v, all: %v", k, all)
	}
}

// sleeper is a program that runs until it is told to end.
func sleeper(t *testing.T, script string) (*child, <-chan string, <-chan string) {
	t.Helper()
	told, printed := make(chan string, 100), make(chan string, 100)
	c := &child{name: "sleeper", tell: func(s string) { told <- s }, show: func(s string) { printed <- s },
		fresh: func() *exec.Cmd { return exec.Command("sh", "-c", script) }}
	must(t, c.start())
	t.Cleanup(func() { c.end(t.Context(), patience) })
	return c, told, printed
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

func gone(pid string) bool {
	var n int
	fmt.Sscan(pid, &n) //nolint:errcheck // 0 is nobody's
	return errors.Is(syscall.Kill(n, 0), syscall.ESRCH)
}

func TestAKilledProgramIsStartedAgain(t *testing.T) {
	c, told, printed := sleeper(t, "echo $$; exec sleep 1000")
	first := await(t, printed)
	if !c.kill() {
		t.Fatal("it was not running")
	}
	second := await(t, printed)
	if said := await(t, told); second == first || said != "sleeper is started again" {
		t.Errorf("pid %s, then %s; told %q", first, second, said)
	}
	c.end(t.Context(), patience)
	if !gone(first) || !gone(second) {
		t.Error("a process is left")
	}
	if c.kill() {
		t.Error("what has ended was killed")
	}
}

func TestAProgramThatFallsIsToldOfAndStartedAgain(t *testing.T) {
	_, told, printed := sleeper(t, "echo why; exit 3")
	for range 2 {
		if line := await(t, printed); line != "why" {
			t.Errorf("printed %q", line)
		}
		if said := await(t, told); !strings.Contains(said, "exit status 3") || !strings.Contains(said, "why") {
			t.Errorf("told %q", said)
		}
	}
}

func TestAProgramThatDoesNotEndIsKilled(t *testing.T) {
	c, _, printed := sleeper(t, "trap '' TERM; echo $$; while :; do sleep 0.1; done")
	pid := await(t, printed)
	hurry, cancel := context.WithCancel(t.Context())
	cancel()
	c.end(hurry, time.Hour)
	if !gone(pid) {
		t.Error("it still runs")
	}
}

// door is a gateway's pages.
func door(t *testing.T, name string, status *atomic.Int64) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if n := status.Load(); n != 0 {
			w.WriteHeader(int(n))
		}
		fmt.Fprintf(w, "%s %s %s %s %s", name, r.Host, r.Method, r.URL.Path, body)
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestTheFrontLeadsToADoorThatIsOpen(t *testing.T) {
	shut := "127.0.0.1:" + ports.Free(t)
	var starting, well atomic.Int64
	starting.Store(http.StatusServiceUnavailable)
	f, err := openFront([]string{shut, door(t, "starting", &starting), door(t, "well", &well)})
	must(t, err)
	defer func() { must(t, f.close()) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(method, form string) (int, string) {
		r, err := http.NewRequest(method, f.url+"/A1", strings.NewReader(form))
		must(t, err)
		answer, err := client.Do(r)
		must(t, err)
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		must(t, err)
		return answer.StatusCode, string(b)
	}
	host := strings.TrimPrefix(f.url, "http://")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if code, body := ask(method, "amount=1"); code != 200 || body != "well "+host+" "+method+" /A1 amount=1" {
			t.Errorf("%s: %d %q", method, code, body)
		}
	}
	well.Store(http.StatusServiceUnavailable) // now nobody is well, and the last one's answer is passed on
	if code, body := ask(http.MethodGet, ""); code != http.StatusServiceUnavailable || !strings.HasPrefix(body, "starting ") {
		t.Errorf("nobody is well: %d %q", code, body)
	}
	if code, _ := ask(http.MethodPost, strings.Repeat("x", maxForm+1)); code != http.StatusBadGateway {
		t.Errorf("a form that is too long: %d", code)
	}
}

func TestTheFrontSaysThatNobodyIsThere(t *testing.T) {
	f, err := openFront([]string{"127.0.0.1:" + ports.Free(t), "127.0.0.1:" + ports.Free(t)})
	must(t, err)
	defer func() { must(t, f.close()) }()
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(f.url + "/A1")
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusBadGateway {
		t.Errorf("status %d, want 502", answer.StatusCode)
	}
}

func TestTheBrokerCarriesMessages(t *testing.T) {
	b, err := serveBroker()
	must(t, err)
	defer func() { must(t, b.close()) }()
	heard, ready := make(chan mqtt.Message, 1), make(chan struct{})
	conn, err := mqtt.New(mqtt.Options{URL: b.url, ClientID: "A1", Filters: []string{"x/+"}, Handle: func(m mqtt.Message) { heard <- m },
		Ready: func(ctx context.Context) { close(ready); <-ctx.Done() }})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- conn.Run(ctx) }()
	await(t, ready)
	must(t, conn.Publish(ctx, mqtt.Message{Topic: "x/y", Payload: []byte("z")}))
	if m := await(t, heard); m.Topic != "x/y" || string(m.Payload) != "z" {
		t.Errorf("heard %+v", m)
	}
	cancel()
	must(t, await(t, ended))
}

func TestFlagsHaveBounds(t *testing.T) {
	for _, args := range [][]string{{"-posts", "0"}, {"-posts", "51"}, {"-gateways", "0"}, {"-kill", "-every", "1ms"}, {"x"}, {"-y"}} {
		if code := Run(args, io.Discard, io.Discard); code != 2 {
			t.Errorf("%q: exit code %d, want 2", args, code)
		}
	}
}

// notice is what the demo prints.
type notice struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // something was printed
}

func (n *notice) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text.Write(b)
	select {
	case n.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (n *notice) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// says waits until a text was printed.
func (n *notice) says(t *testing.T, text string, ended <-chan error) {
	t.Helper()
	late := time.After(startWithin)
	for !strings.Contains(n.String(), text) {
		select {
		case <-n.more:
		case err := <-ended:
			t.Fatalf("ended with %v before it said %q:\n%s", err, text, n)
		case <-late:
			t.Fatalf("did not say %q:\n%s", text, n)
		}
	}
}

// startWithin is long enough to build the programs on a machine that has other work.
const startWithin = 5 * time.Minute

func TestAFleetOutlivesItsKillsAndLeavesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a whole fleet: a minute on a busy machine")
	}
	t.Chdir(filepath.Join("..", ".."))
	tmp, err := os.MkdirTemp("", "d") // a folder of the test's own has a name too long for a socket in it
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	t.Setenv("TMPDIR", tmp)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, ended := &notice{more: make(chan struct{}, 1)}, make(chan error, 1)
	go func() {
		ended <- show(ctx, options{posts: 2, gateways: 2, kill: true, every: time.Second}, &screen{w: out})
	}()
	out.says(t, "Ctrl-C ends all", ended)
	pages := regexp.MustCompile(`post (DEMO-\d) +(http://\S+)`).FindAllStringSubmatch(out.String(), -1)
	if len(pages) != 2 || processes(t, tmp) < 4 {
		t.Errorf("%d pages, %d processes:\n%s", len(pages), processes(t, tmp), out)
	}
	out.says(t, "kill 4: ", ended)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	again := time.NewTicker(pagesEvery)
	defer again.Stop()
	late := time.After(startWithin)
	for _, p := range pages {
		for !served(ctx, client, p[2]) { // whatever is just being killed
			select {
			case <-again.C:
			case <-late:
				t.Fatalf("the page of %s does not come back:\n%s", p[1], out)
			}
		}
	}
	cancel()
	must(t, <-ended)
	if strings.Contains(out.String(), "by itself") {
		t.Errorf("a program ended by itself:\n%s", out)
	}
	if n := processes(t, tmp); n != 0 {
		t.Errorf("%d processes are left", n)
	}
	left, err := os.ReadDir(tmp)
	must(t, err)
	for _, f := range left {
		t.Errorf("%s is left", f.Name())
	}
}

// processes counts those that were started from a folder.
func processes(t *testing.T, dir string) (n int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	for _, name := range all {
		if line, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(line), dir+"/stolpe-demo-") {
			n++
		}
	}
	return n
}
