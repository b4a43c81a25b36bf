package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/ledger"
	"stolpe/payment"
	"stolpe/payment/sim"
)

// looked is what a ping found, in short.
func looked(t *testing.T, got said) string {
	t.Helper()
	var j pingJSON
	if err := json.Unmarshal([]byte(got.stdout), &j); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
	var words []string
	for _, p := range j.Looked {
		words = append(words, p.What+" "+p.State)
		if (p.State == pingFail) != (p.Do != "") {
			t.Errorf("%s is %s: what to do is %q", p.What, p.State, p.Do)
		}
	}
	return strings.Join(words, ", ")
}

func TestPingTellsWhatIsWrong(t *testing.T) {
	b := newBank(t)
	for _, row := range []struct {
		key, value string // of the environment
		words      []string
		want       string
		code       int
		text       string // on the terminal
	}{
		{"", "", nil, "token ok, clock ok, sales unit ok, webhook off", 0, "Money cannot move"},
		{"TEST_CLIENT_SECRET", "another-secret", nil, "token FAIL, clock ok", exitRemote, "-> "},
		{"TEST_SUBSCRIPTION_KEY", "another-key", nil, "token FAIL, clock ok", exitRemote, "-> "},
		{"", "", []string{`"123456"`, `"654321"`}, "token FAIL, clock ok", exitRemote, "msn"},
		{"", "", []string{b.url, "http://127.0.0.1:9"}, "token FAIL, clock off", exitRemote, "refused"},
	} {
		b.configure()
		if row.key != "" {
			t.Setenv(row.key, row.value)
		}
		if row.words != nil {
			text, err := os.ReadFile(b.file)
			if err != nil {
				t.Fatal(err)
			}
			put(t, b.file, strings.NewReplacer(row.words...).Replace(string(text)))
		}
		got := b.stolpe("payment ping --json")
		if is := strings.ReplaceAll(looked(t, got), "fail", "FAIL"); is != row.want || got.code != row.code {
			t.Errorf("%v: %s, exit %d, want %s, %d\n%s", row, is, got.code, row.want, row.code, got.stdout)
		}
		if got := b.stolpe("payment ping"); got.code != row.code || !strings.Contains(got.stdout, row.text) {
			t.Errorf("%v: %+v", row, got)
		}
	}
}

// A clock that is far off is told even if the keys are not taken because of it.
func TestPingTellsAWrongClock(t *testing.T) {
	b := newBank(t)
	for ahead, want := range map[time.Duration]string{0: "clock ok", 2 * time.Hour: "clock fail", -56 * 365 * 24 * time.Hour: "clock fail"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			http.Error(w, `{}`, http.StatusUnauthorized)
		}))
		text := strings.Replace(string(must(os.ReadFile(b.file))), b.url, s.URL, 1)
		file := write(t, "stolpe.yaml", text)
		if got := command("payment", "ping", "--json", "--config", file); !strings.Contains(looked(t, got), want) {
			t.Errorf("ahead by %v: %s, want %s", ahead, got.stdout, want)
		}
		s.Close()
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestPingLooksForTheWebhook(t *testing.T) {
	b := newBank(t)
	status := http.StatusUnauthorized
	public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer public.Close()
	text := strings.NewReplacer("https://lad.example.no", public.URL, "vipps: {base_url", "vipps: {webhooks: true, base_url").Replace(string(must(os.ReadFile(b.file))))
	put(t, b.file, text)
	if got := looked(t, b.stolpe("payment ping --json")); !strings.HasSuffix(got, "webhook fail") {
		t.Errorf("not registered: %s", got)
	}
	if _, err := b.client.AddHook(t.Context(), public.URL+hooksPath); err != nil {
		t.Fatal(err)
	}
	if got := looked(t, b.stolpe("payment ping --json")); !strings.HasSuffix(got, "webhook ok") {
		t.Errorf("registered: %s", got)
	}
	status = http.StatusNotFound
	if got := b.stolpe("payment ping"); got.code != exitRemote || !strings.Contains(got.stdout, "404") {
		t.Errorf("somebody else answers: %+v", got)
	}
}

// paidBack looks at the payments of checks, and says how they stand.
func paidBack(s *sim.Till) (all []string) {
	s.Do(func(now time.Duration, b *sim.Book) {
		for p := range b.Payments(now) {
			if strings.Contains(string(p.Ref), "-check-") {
				all = append(all, fmt.Sprintf("%v taken %v freed %v refunded %v", p.Found.State, p.Found.Taken, p.Found.Freed, p.Found.Refunded))
			}
		}
	})
	return all
}

func TestCheckGivesEverythingBack(t *testing.T) {
	b := newBank(t)
	got := b.stolpe("payment check")
	if got.code != exitRefused || paidBack(b.Till) != nil {
		t.Fatalf("without --yes: %+v", got)
	}
	for _, row := range []struct {
		args, faults, want string
		code               int
		text               string
	}{
		{"--amount 2.00", "", "authorised taken 1.00 freed 1.00 refunded 1.00", 0, "capture a part"},
		{"--amount 3.00", "capture: answer-lost", "authorised taken 1.50 freed 1.50 refunded 1.50", 0, "everything back"},
		{"--amount 2.00", "capture: code 6140 x9", "authorised taken 0.00 freed 2.00 refunded 0.00", exitRemote, "payment check --ref A12-check-k"},
	} {
		if err := b.SetScript(row.faults); err != nil {
			t.Fatal(err)
		}
		got := b.stolpe("payment check --yes --phone 4712345678 " + row.args)
		all := paidBack(b.Till)
		if got.code != row.code || !strings.Contains(got.stdout, row.text) || len(all) == 0 || all[len(all)-1] != row.want {
			t.Errorf("%s with %q: %+v\n%q", row.args, row.faults, got, all)
		}
	}
	for _, args := range []string{"--amount 0.50", "--amount 2", "--amount 101.00", "--phone x", "--ref A12-1-000001"} {
		if got := b.stolpe("payment check --yes " + args); got.code != exitUsage {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// A technician who goes away between two steps has everything back all the same, and
// nobody gives up what a driver pays, whatever the posts of a sales unit are called.
func TestCheckIsFinishedForNobody(t *testing.T) {
	b := newBank(t)
	b.configure()
	d := desk{file: b.file}
	if err := d.open(); err != nil {
		t.Fatal(err)
	}
	c := checker{d.cfg, d.client}
	j, err := c.step(t.Context(), checkArgs{Do: "reserve", Amount: 200, Phone: "4712345678"})
	if err != nil || j.State != checkWaits {
		t.Fatalf("%+v, %v", j, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if j, err = c.step(gone, checkArgs{Do: "go_on", Ref: j.Ref}); err != nil || j.State != checkDone {
		t.Errorf("%+v, %v", j, err)
	}
	if all := paidBack(b.Till); len(all) != 1 || all[0] != "authorised taken 1.00 freed 1.00 refunded 1.00" {
		t.Errorf("%q", all)
	}
	post := c.cfg.Post.ID
	for ref, ours := range map[payment.Ref]bool{newCheckRef(c.cfg): true, payment.NewRef(post+"-check", 1, 42): false, payment.NewRef(post+"-check-k1", 1, 42): false, payment.NewRef(post, 1, 42): false} {
		if (c.ours(ref) == nil) != ours {
			t.Errorf("%s: %v", ref, !ours)
		}
	}
}

// At a post that runs, the daemon does it, and it is written down.
func TestDaemonPingsAndChecks(t *testing.T) {
	state := t.TempDir()
	s := serveLocally(t, configured(t, state, "{through: sim}", "{through: sim, sim: {payer: approves, after: 0s}}"))
	if got := command("payment", "ping"); got.code != 0 || !strings.Contains(got.stdout, "simulated") || strings.Contains(got.stderr, "No daemon") {
		t.Errorf("%+v", got)
	}
	got := command("payment", "check", "--yes", "--json")
	var j checkJSON
	if err := json.Unmarshal([]byte(got.stdout), &j); err != nil || j.State != checkDone || got.code != 0 {
		t.Errorf("%v: %+v", err, got)
	}
	s.end()
	book, _, err := ledger.Open(ledgerPath(state))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	told := 0
	err = book.Read(func(e ledger.Entry) error {
		if e.Kind == ledger.CommandDone && strings.Contains(e.Command.Text, string(j.Ref)) {
			told++
		}
		return nil
	})
	if err != nil || told != 2 || j.Ref.Number() != 0 && payment.Ref(j.Ref).Post() == "A12" {
		t.Errorf("%d of 2 steps of %s are in the ledger, %v", told, j.Ref, err)
	}
}

// serveLocally runs a daemon that the commands of this test find.
func serveLocally(t *testing.T, file string) *served {
	t.Helper()
	dir := must(os.MkdirTemp("", "s")) // short, as sockets want it
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("STOLPE_CONTROL_DIR", dir)
	s := serve(t, file)
	until(t, "sockets are there", func() bool {
		_, err := os.Stat(dir + "/control.sock")
		return err == nil
	})
	return s
}

// sameAnswer is a way to the money that always answers the same.
type sameAnswer struct {
	a   payment.Answer
	err error
}

func (s sameAnswer) Ask(context.Context, payment.Order) (payment.Answer, error) { return s.a, s.err }

// Through a gateway a payment that does not exist is asked for: that it does not exist can
// only be told by a gateway that has the keys.
func TestPingThroughAGateway(t *testing.T) {
	cfg := must(config.Parse("test", strings.NewReader(demoConfig), config.System))
	for _, row := range []struct {
		a     payment.Answer
		err   error
		state string
	}{
		{payment.Answer{Status: payment.Missing}, nil, pingOK},
		{payment.Answer{}, errors.New("no answer within 20s"), pingFail},
		{payment.Answer{Status: payment.Refused, Reason: payment.Rejected, Code: "gateway"}, errors.New("the gateway has no sales unit for this post"), pingFail},
		{payment.Answer{Status: payment.Held}, nil, pingFail},
	} {
		p := pinger{cfg: cfg, asks: sameAnswer{row.a, row.err}}
		j := p.ping(t.Context())
		if len(j.Looked) != 1 || j.Looked[0].State != row.state || (row.state == pingFail) != (j.Looked[0].Do != "") {
			t.Errorf("%+v: %+v", row, j)
		}
	}
	if ref := nobodys(cfg); ref.Post() != cfg.Post.ID {
		t.Errorf("%s is no reference of the post's, and a gateway would not look for it", ref)
	}
}
