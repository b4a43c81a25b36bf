package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
	"stolpe/payment/sim"
	"stolpe/payment/vipps"
)

// bank is a payment service with payments in it, and a post whose ledger tells of
// them.
type bank struct {
	*simulated
	t      *testing.T
	state  string // the post's folder
	file   string // its configuration
	book   *ledger.Ledger
	client *vipps.Client
}

// newBank starts one. The words change the configuration: old, new, old, new.
func newBank(t *testing.T, words ...string) *bank {
	t.Helper()
	s, err := serveTill(t.Context(), sim.Options{Start: time.Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{simulated: s, t: t, state: t.TempDir()}
	b.configure(words...)
	if b.book, _, err = ledger.Open(ledgerPath(b.state)); err != nil {
		t.Fatal(err)
	}
	access := vipps.Config{SystemName: "test"}
	s.into(&access)
	if b.client, err = vipps.New(access); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		b.book.Close()
	})
	return b
}

// configure writes the configuration of a post that asks this service.
func (b *bank) configure(words ...string) {
	b.t.Helper()
	b.t.Setenv("TEST_CLIENT_ID", b.keys.ClientID)
	b.t.Setenv("TEST_CLIENT_SECRET", b.keys.ClientSecret)
	b.t.Setenv("TEST_SUBSCRIPTION_KEY", b.keys.SubscriptionKey)
	b.file = configured(b.t, b.state, append(words, "{through: sim}", fmt.Sprintf(`{through: vipps, vipps: {base_url: %q, msn: %q, `+
		`client_id: "env:TEST_CLIENT_ID", client_secret: "env:TEST_CLIENT_SECRET", subscription_key: "env:TEST_SUBSCRIPTION_KEY"}}`, b.url, b.keys.MSN),
		`{listen: "127.0.0.1:0"}`, `{listen: "127.0.0.1:0", public_url: "https://lad.example.no"}`)...)
}

// stolpe runs a command of the post.
func (b *bank) stolpe(line string, args ...string) said {
	b.t.Helper()
	return command(append(append(strings.Fields(line), args...), "--config", b.file)...)
}

// ask asks the service as the post does.
func (b *bank) ask(o payment.Order) payment.Answer {
	b.t.Helper()
	a, err := b.client.Ask(b.t.Context(), o)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func refOf(n uint64) payment.Ref { return payment.NewRef("A12", 1, n) }

// reserve makes payment n, and has it approved.
func (b *bank) reserve(n uint64) {
	b.t.Helper()
	b.create(n)
	b.Do(func(now time.Duration, book *sim.Book) { book.Approve(now, refOf(n)) })
}

func (b *bank) create(n uint64) {
	b.t.Helper()
	terms := payment.Terms{EVSE: "A12/1", Meter: "7", Start: 1000, Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}, Holder: payment.Holder{byte(n)}}
	b.ask(payment.Order{Verb: payment.Reserve, Ref: refOf(n), Amount: 35_000, Currency: payment.NOK, Terms: terms, Return: "https://lad.example.no/A12/x"})
}

// settle takes an amount of payment n, and releases the rest.
func (b *bank) settle(n uint64, due payment.Amount) {
	b.t.Helper()
	for b.ask(payment.Order{Verb: payment.Settle, Ref: refOf(n), Amount: due, Currency: payment.NOK}).Status != payment.Settled {
		b.t.Log("settling", n)
	}
}

// write writes the end of charge n into the ledger.
func (b *bank) write(n uint64, document uint64, captured payment.Amount, at time.Time) {
	b.t.Helper()
	d := session.Debt{
		Charge: session.Charge{
			Number: n, Holder: payment.Holder{byte(n)}, Limit: 35_000, Held: true, End: hal.Energy(captured * 1000 / 549),
			Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549},
		},
		Due: captured, Captured: captured, Released: 35_000 - captured, Receipt: document,
	}
	number := ""
	if document > 0 {
		number = fmt.Sprintf("A12/1-%06d", document)
	}
	s := ledger.SaleOf(d, number, "meter", "7")
	e := ledger.Entry{At: at.Unix(), Clock: "synced", Kind: ledger.Sold, EVSE: 1, Ref: refOf(n), Sale: &s}
	if captured == 0 {
		e.Kind = ledger.Ended
	}
	if err := b.book.Append(e); err != nil {
		b.t.Fatal(err)
	}
}

// sell does all of a charge.
func (b *bank) sell(n uint64, captured payment.Amount) {
	b.t.Helper()
	b.reserve(n)
	b.settle(n, captured)
	b.write(n, n, captured, time.Now())
}

// found is what the service has.
func (b *bank) found(n uint64) payment.Found {
	b.t.Helper()
	return b.ask(payment.Order{Ref: refOf(n)}).Found
}

// kinds are the kinds of entries in the ledger, in their order.
func (b *bank) kinds() string {
	b.t.Helper()
	var all []string
	if err := b.book.Read(func(e ledger.Entry) error { all = append(all, string(e.Kind)); return nil }); err != nil {
		b.t.Error(err)
	}
	return strings.Join(all, " ")
}

// narrow is a table without what lines up its columns.
func narrow(text string) string { return regexp.MustCompile(` +`).ReplaceAllString(text, " ") }

// The commands about money say what they need, in one line, and touch nothing.
func TestMoneyCommandsNeedAPostThatAsksItself(t *testing.T) {
	lines := []string{
		"payment show A12-1-000001", "payment refund A12-1-000001 5.00 --reason r --yes", "payment approve A12-1-000001 --phone 4712345678",
		"payment reconcile --since 2026-11-01", "payment hooks", "payment hooks list", "payment hooks drop x",
		"qr sticker --evse 1 --out a.svg", "qr list", "qr show A12-1", "qr retarget A12-1 https://lad.example.no/x --yes", "qr delete A12-1 --yes",
	}
	sim := configured(t, t.TempDir())
	broken := write(t, "broken.yaml", "post: 1\n")
	for _, line := range lines {
		got := command(append(strings.Fields(line), "--config", sim)...)
		if got.code != exitConfig || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 || !strings.Contains(got.stderr, "needs payment.through: vipps") {
			t.Errorf("%s: %+v", line, got)
		}
		if got := command(append(strings.Fields(line), "--config", broken)...); got.code != exitConfig || !strings.Contains(got.stderr, "post") {
			t.Errorf("%s with a broken configuration: %+v", line, got)
		}
		if got := command(append(strings.Fields(line), "--config", filepath.Join(t.TempDir(), "none"))...); got.code != exitConfig || !strings.Contains(got.stderr, "--config") {
			t.Errorf("%s without a configuration: %+v", line, got)
		}
	}
}

// Keys that systemd keeps are not there for a command that a person starts.
func TestKeysThatSystemdKeeps(t *testing.T) {
	b := newBank(t)
	text, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "kept.yaml", strings.NewReplacer("env:TEST_CLIENT_ID", "credential:vipps-id", "env:TEST_CLIENT_SECRET", "credential:vipps-secret").Replace(string(text)))
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	got := command("payment", "hooks", "--config", file)
	if got.code != exitConfig || !strings.HasSuffix(got.stderr, "systemd-run --pipe --wait -p LoadCredentialEncrypted=vipps-id -p LoadCredentialEncrypted=vipps-secret before it\n") {
		t.Errorf("%+v", got)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	if got := command("payment", "hooks", "--config", file); got.code != exitConfig || strings.Contains(got.stderr, "systemd-run") {
		t.Errorf("%+v", got)
	}
}

// A service that is away, or that does not know the keys, ends in 8 and in advice.
func TestServiceThatIsAwayIsEight(t *testing.T) {
	b := newBank(t)
	b.sell(1, 6808)
	lines := []string{
		"payment show A12-1-000001", "payment refund A12-1-000001 5.00 --reason r --yes", "payment approve A12-1-000001 --phone 4712345678",
		"payment reconcile --since 2026-11-01 --pause 0s", "payment hooks", "payment hooks drop x",
		"qr sticker --evse 1 --out a.svg", "qr list", "qr show A12-1", "qr retarget A12-1 https://lad.example.no/x --yes", "qr delete A12-1 --yes",
	}
	t.Setenv("TEST_CLIENT_SECRET", "SECRET-wrong")
	for _, line := range lines {
		got := b.stolpe(line)
		if got.code != exitRemote || !strings.Contains(got.stderr, "; ") || strings.Contains(got.stderr+got.stdout, "SECRET") || strings.Contains(got.stderr+got.stdout, "4712345678") {
			t.Errorf("%s with a wrong key: %+v", line, got)
		}
	}
	if kinds := b.kinds(); kinds != "session.settled" {
		t.Errorf("the ledger has %s", kinds)
	}
}

// What the post does by itself, a person at a desk does.
func TestAdviceAtADesk(t *testing.T) {
	b := newBank(t)
	b.sell(1, 6808)
	for faults, want := range map[string]string{
		"get: 503":       "; try again in a minute; status.vippsmobilepay.com tells of outages\n",
		"get: 429 1s":    "; try again in a minute; if it is told often, another program uses these keys\n",
		"get: 423":       "; try again in a minute\n",
		"get: 403":       "; look at subscription_key, and whether it belongs to this base_url\n",
		"get: code 3010": "; try again in a minute; if it goes on for hours, quote the trace to the service\n",
	} {
		b.fault(faults)
		if got := b.stolpe("payment show A12-1-000001"); got.code != exitRemote || !strings.HasSuffix(got.stderr, want) || got.stdout != "" {
			t.Errorf("%s: %+v, want %q", faults, got, want)
		}
	}
	if got := next(errors.New("of something else")); got != "try again in a minute" {
		t.Error(got)
	}
}
