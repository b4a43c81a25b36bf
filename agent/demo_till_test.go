package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"stolpe/agent/config"
	"stolpe/payment"
)

// TestTillAloneServesAPost starts the payment service, and configures a client
// with nothing but what it prints.
func TestTillAloneServesAPost(t *testing.T) {
	t.Parallel()
	cmd, left := program.inside(t, "demo", "--till-only", "--listen", "127.0.0.1:0", "--payer", "approves", "--faults", "create: code 5070")
	var stdout, stderr paper
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() }) // it has ended already if all is well
	until(t, "the end of what it prints", func() bool { return strings.HasSuffix(stdout.String(), "KEY\"\n\n") })
	said := stdout.String()

	secrets := map[string]string{}
	for _, m := range regexp.MustCompile(`export (\w+)=(\w+)`).FindAllStringSubmatch(said, -1) {
		secrets[m[1]] = m[2]
	}
	snippet := said[strings.Index(said, "payment:\n"):]
	find := func(kind, name string) (string, error) {
		if kind != "env" || secrets[name] == "" {
			return "", fmt.Errorf("%s:%s: not printed", kind, name)
		}
		return secrets[name], nil
	}
	text := strings.Replace(demoConfig, "payment: {through: sim}\n", snippet+"web: {public_url: \"https://lad.example.no\"}\n", 1)
	cfg, err := config.Parse("snippet", strings.NewReader(text), find)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	payments, err := openPayments(t.Context(), cfg, world{log: slog.New(slog.DiscardHandler)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer payments.close() //nolint:errcheck // it has nothing to end
	o := payment.Order{
		Verb: payment.Reserve, Ref: "DEMO-1-000001", Currency: payment.NOK, Amount: 35000, Return: "https://lad.example.no/A12/1",
		Terms: payment.Terms{EVSE: "DEMO/1", Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}},
	}
	if a, err := payments.Ask(t.Context(), o); err == nil || a.Status == payment.Held {
		t.Errorf("the scripted refusal: %+v, %v", a, err)
	}
	page := regexp.MustCompile(`page +(\S+)`).FindStringSubmatch(said)
	if _, _, shown := look(t, page[1]); !strings.Contains(shown, "create: code 5070</textarea>") {
		t.Errorf("%s", shown)
	}
	o.Ref = "DEMO-1-000002"
	if a, err := payments.Ask(t.Context(), o); err != nil || a.Status != payment.Pending && a.Status != payment.Held {
		t.Errorf("the next payment: %+v, %v", a, err)
	}
	if _, _, shown := look(t, page[1]); !strings.Contains(shown, "DEMO-1-000002") || !strings.Contains(shown, "AUTHORIZED") {
		t.Errorf("%s", shown)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: want 0\n%s", err, &stderr)
	}
	if found := left(); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
}

func TestTillAloneSaysWhatIsWrong(t *testing.T) {
	for args, want := range map[string]string{
		"--till-only --once":                 "leave out --once",
		"--till-only --speed 2":              "leave out --once, --json and --speed",
		"--faults x":                         "add --till-only",
		"--payer approves":                   "add --till-only",
		"--till-only --payer pays":           `--payer: payer: "pays": want by-hand`,
		"--till-only --faults capture:lost":  `--faults: faults: capture: "lost" is no fault`,
		"--till-only --faults refund:code":   "--faults: faults: refund: code: want one",
		"--till-only --faults " + longScript: "want at most 4096",
	} {
		got := command(append([]string{"demo"}, strings.Fields(args)...)...)
		if got.code != 2 || !strings.Contains(got.stderr, want) || got.stdout != "" {
			t.Errorf("%.80s: %+v, want %q", args, got, want)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := command("demo", "--till-only", "--listen", l.Addr().String()); got.code != 1 || !strings.Contains(got.stderr, "another address with --listen") {
		t.Errorf("%+v", got)
	}
}

// longScript is valid but for its length.
var longScript = strings.Repeat(";", 5000)

func TestLinksBeginWithAnAddressOfUse(t *testing.T) {
	for address, want := range map[string]bool{"0.0.0.0:8090": true, "[::]:8090": true, "127.0.0.1:8090": false, "192.0.2.7:8090": false} {
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := everywhere(a); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}
