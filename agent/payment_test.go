package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"stolpe/agent/ledger"
	"stolpe/payment"
	"stolpe/payment/sim"
)

func TestShowTellsAllOfAPayment(t *testing.T) {
	b := newBank(t)
	b.sell(1, 6808)
	got := b.stolpe("payment show A12-1-000001")
	for _, want := range []string{
		"A12-1-000001", "nothing is held any more", "captured 68.08\n", "released 281.92\n", "still held 0.00\n",
		"A12/1, meter 7 at 1000 Wh", ": captured 68.08, released 281.92, written off 0.00\n", "A12/1-000001", "AUTHORIZED", "CAPTURED", "A12-1-000001-c0", "CANCELLED",
	} {
		if !strings.Contains(narrow(got.stdout), want) {
			t.Errorf("%s\nwant %q", got.stdout, want)
		}
	}
	if got.code != 0 || got.stderr != "" {
		t.Errorf("%+v", got)
	}
	var p paymentJSON
	got = b.stolpe("payment show A12-1-000001 --json")
	d := json.NewDecoder(strings.NewReader(got.stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || d.More() || got.code != 0 {
		t.Fatalf("%v: %+v", err, got)
	}
	if p.State != "authorised" || p.Taken != 6808 || p.Currency != "NOK" || len(p.Events) != 4 || p.Ledger == nil || p.Ledger.Captured != 6808 || p.Ledger.Receipt != "A12/1-000001" {
		t.Errorf("%+v", p)
	}
}

// A payment without a ledger, without a sale in it, and one that waits.
func TestShowWithoutALedger(t *testing.T) {
	b := newBank(t)
	b.create(1)
	if got := b.stolpe("payment show A12-1-000001"); got.code != 0 || !strings.Contains(got.stdout, "waits for the payer") || !strings.Contains(got.stdout, "has nothing of it") {
		t.Errorf("%+v", got)
	}
	if err := os.Remove(ledgerPath(b.state)); err != nil {
		t.Fatal(err)
	}
	got := b.stolpe("payment show A12-1-000001")
	if got.code != 0 || !strings.Contains(got.stderr, "The ledger is left out: there is no ledger") {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat(ledgerPath(b.state)); err == nil {
		t.Error("the command has made a ledger, which would be closed to the daemon")
	}
	if got := b.stolpe("payment show A12-1-000002"); got.code != exitNotFound || !strings.Contains(got.stderr, "sales unit 123456 has no payment A12-1-000002") {
		t.Errorf("%+v", got)
	}
}

func TestWrongWordsAboutMoney(t *testing.T) {
	for line, want := range map[string]string{
		"payment show": "accepts 1 arg", "payment show A12": "want a reference such as", "payment show A12-1-0000/1": "want a reference",
		"payment refund A12-1-000001": "accepts 2 arg", "payment refund A12-1-000001 5 --reason r": "want kroner or euro with two decimals",
		"payment refund A12-1-000001 5.0 --reason r": "two decimals", "payment refund A12-1-000001 500 --reason r": "two decimals",
		"payment refund A12-1-000001 -5.00 --reason r": "unknown shorthand", "payment refund A12-1-000001 0.00 --reason r": "more than 0.00",
		"payment refund A12-1-000001 5.00": "--reason: want a text", "payment refund A12 5.00 --reason r": "want a reference",
		"payment approve A12-1-000001": "--phone: want country code", "payment approve A12-1-000001 --phone +4712345678": "9 to 15 digits",
		"payment reconcile --since yesterday --pause 1h": "--pause 1h0m0s: want 0s to 1m",
		"payment hooks keep":                             "unknown command", "payment hooks drop": "accepts 1 arg",
		"qr sticker": "--out \"\": want a file that ends in .svg or .pdf", "qr sticker --out a.png": "ends in .svg or .pdf",
		"qr show": "accepts 1 arg", "qr show a/b": "want the id of a code", "qr retarget A12-1": "accepts 2 arg",
		"qr retarget A12-1 lad.example.no": "want an address such as", "qr retarget A12-1 http://lad.example.no": "want an address", "qr delete": "accepts 1 arg",
	} {
		got := command(strings.Fields(line)...)
		if got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, want) || !strings.Contains(got.stderr, "--help") || strings.Contains(line, "+47") && strings.Contains(got.stderr, "+47") {
			t.Errorf("stolpe %s: %+v, want %q", line, got, want)
		}
	}
	b := newBank(t)
	for line, want := range map[string]string{
		"payment reconcile":                             "--since \"\": want a day",
		"payment reconcile --since yesterday":           "want a day",
		"payment reconcile --since 2999-01-01":          "is not yet",
		"payment reconcile --report --since 2020-01-01": "with --report want a day of the last 99",
	} {
		if got := b.stolpe(line); got.code != exitUsage || !strings.Contains(got.stderr, want) {
			t.Errorf("stolpe %s: %+v, want %q", line, got, want)
		}
	}
}

func TestRefundIsShownAndThenMade(t *testing.T) {
	b := newBank(t)
	b.sell(1, 6808)
	got := b.stolpe("payment refund A12-1-000001 10,00 --reason", "cable was broken")
	if got.code != exitRefused || !strings.Contains(narrow(got.stdout), "would give back 10.00") || !strings.Contains(got.stderr, "nothing was given back; the same command with --yes does it") {
		t.Errorf("%+v", got)
	}
	if b.found(1).Refunded != 0 || b.kinds() != "session.settled" {
		t.Fatalf("something was done without --yes: %+v, %s", b.found(1), b.kinds())
	}
	got = b.stolpe("payment refund A12-1-000001 10.00 --yes --reason", "cable was broken")
	if got.code != 0 || got.stderr != "" || !strings.Contains(narrow(got.stdout), "given back now 10.00") || b.found(1).Refunded != 1000 {
		t.Errorf("%+v", got)
	}
	if kinds := b.kinds(); kinds != "session.settled payment.refund_begun payment.refunded" {
		t.Errorf("the ledger has %s", kinds)
	}
	got = b.stolpe("payment refund A12-1-000001 10.00 --yes --reason again") // somebody who has not seen that it was done
	if got.code != exitRefused || !strings.Contains(got.stderr, "10.00 was given back already, on ") || b.found(1).Refunded != 1000 {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("payment refund A12-1-000001 10.00 --again --yes --reason again"); got.code != 0 || b.found(1).Refunded != 2000 {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("payment show A12-1-000001"); !strings.Contains(narrow(got.stdout), "refunds in ledger 20.00\n") || !strings.Contains(got.stdout, "rf-A12-1-000001-2") {
		t.Errorf("%+v", got)
	}
	b.sell(4, 6808)
	b.stolpe("payment refund A12-1-000004 10.00 --yes --reason r")
	got = b.stolpe("payment refund A12-1-000004 58.08 --yes --json --reason rest")
	var r refundJSON
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || !r.Done || r.Key != "rf-A12-1-000004-2" || r.Refunded != 6808 || r.Amount != 5808 || r.Resumed {
		t.Errorf("%+v, %+v", r, got)
	}
	for line, want := range map[string]string{
		"payment refund A12-1-000004 0.01 --reason r --yes": "68.08 was captured and 68.08 given back already; give back at most 0.00",
		"payment refund B12-1-000001 1.00 --reason r --yes": "none of post A12",
		"payment refund A12-2-000001 1.00 --reason r --yes": "none of post A12",
		"payment refund A12-1-00001x 1.00 --reason r --yes": "none of post A12",
	} {
		if got := b.stolpe(line); got.code != exitRefused || !strings.Contains(got.stderr, want) || got.stdout != "" {
			t.Errorf("%s: %+v, want %q", line, got, want)
		}
	}
	b.reserve(2)
	if got := b.stolpe("payment refund A12-1-000002 1.00 --reason r --yes"); got.code != exitRefused || !strings.Contains(got.stderr, "nothing was captured") {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("payment refund A12-1-000003 1.00 --reason r --yes"); got.code != exitNotFound {
		t.Errorf("%+v", got)
	}
}

// Whatever is lost on the way, the same command goes on, and nothing is given back
// twice.
func TestRefundGoesOnAfterALostAnswer(t *testing.T) {
	const line = "payment refund A12-1-000001 10.00 --reason r --yes"
	for _, faults := range []string{
		"refund: answer-lost", "refund: request-lost", "refund: 5xx-applied", "refund: 5xx", "refund: 429 1s", "refund: 423", "refund: html", "refund: busy",
	} {
		t.Run(faults, func(t *testing.T) {
			b := newBank(t)
			b.sell(1, 6808)
			b.fault(faults + "; events: ok, html")
			got := b.stolpe(line)
			if got.code != exitRemote || !strings.Contains(got.stderr, "the same command goes on") || !strings.Contains(got.stderr, "A12-1-000001: ") || b.kinds() != "session.settled payment.refund_begun" {
				t.Fatalf("%+v, %s", got, b.kinds())
			}
			b.fault("")
			if got := b.stolpe("payment refund A12-1-000001 9.99 --reason r --yes"); got.code != exitRefused || !strings.Contains(got.stderr, `finish it first: stolpe payment refund A12-1-000001 10.00 --reason "r" --yes`) {
				t.Errorf("another amount: %+v", got)
			}
			if got := b.stolpe("payment refund A12-1-000001 10.00 --reason r"); got.code != exitRefused || !strings.Contains(got.stdout, "an earlier refund whose answer was lost") {
				t.Errorf("without --yes: %+v", got)
			}
			if got := b.stolpe(line); got.code != 0 || !strings.Contains(narrow(got.stdout), "given back in all 10.00") {
				t.Errorf("again: %+v", got)
			}
			if f := b.found(1); f.Refunded != 1000 || b.kinds() != "session.settled payment.refund_begun payment.refunded" {
				t.Errorf("%v given back, %s", f.Refunded, b.kinds())
			}
		})
	}
}

// fault has something go wrong from now on.
func (b *bank) fault(script string) {
	b.t.Helper()
	f, err := sim.ParseFaults(script)
	if err != nil {
		b.t.Fatal(err)
	}
	b.SetFaults(f)
}

// A no of the service ends the intent: the next refund has another key.
func TestRefundThatIsRefused(t *testing.T) {
	b := newBank(t)
	b.sell(1, 6808)
	b.fault("refund: code 6220")
	got := b.stolpe("payment refund A12-1-000001 10.00 --reason r --yes")
	if got.code != exitRemote || !strings.Contains(got.stderr, "nothing was given back") || !strings.Contains(got.stderr, "6220") {
		t.Errorf("%+v", got)
	}
	b.fault("")
	got = b.stolpe("payment refund A12-1-000001 20.00 --reason r --yes")
	if got.code != 0 || !strings.Contains(got.stdout, "rf-A12-1-000001-2") || b.kinds() != "session.settled payment.refund_begun payment.refund_refused payment.refund_begun payment.refunded" {
		t.Errorf("%+v, %s", got, b.kinds())
	}
}

// A ledger that is younger than the payment uses no key again: the service would
// take it for the refund it has made already.
func TestRefundWithANewLedger(t *testing.T) {
	b := newBank(t)
	b.sell(1, 6808)
	b.stolpe("payment refund A12-1-000001 10.00 --reason r --yes")
	b.book.Close()
	if err := os.Truncate(ledgerPath(b.state), 0); err != nil {
		t.Fatal(err)
	}
	if got := b.stolpe("payment refund A12-1-000001 10.00 --reason r --again --yes"); got.code != 0 || b.found(1).Refunded != 2000 {
		t.Errorf("%+v, %v", got, b.found(1).Refunded)
	}
	if err := os.Remove(ledgerPath(b.state)); err != nil {
		t.Fatal(err)
	}
	if got := b.stolpe("payment refund A12-1-000001 10.00 --reason r --yes"); got.code != exitNotFound || b.found(1).Refunded != 2000 {
		t.Errorf("without a ledger: %+v", got)
	}
}

func TestRefundOfLastYear(t *testing.T) {
	b := newBank(t)
	b.sell(1, 6808)
	r := refund{desk: desk{file: b.file}, ref: refOf(1), amount: 100, reason: "r", yes: true, now: func() time.Time { return time.Now().Add(366 * 24 * time.Hour) }}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	if err := r.run(t.Context(), new(paper)); err == nil || !strings.Contains(err.Error(), "within 365 days; pay it back by bank transfer") || b.kinds() != "session.settled" {
		t.Errorf("%v, %s", err, b.kinds())
	}
	r.now = func() time.Time { return time.Now().Add(364 * 24 * time.Hour) }
	if err := r.run(t.Context(), new(paper)); err != nil {
		t.Error(err)
	}
}

func TestApproveInTheTestEnvironment(t *testing.T) {
	b := newBank(t)
	b.create(1)
	got := b.stolpe("payment approve A12-1-000001 --phone 4712345678")
	if got.code != 0 || got.stdout != "payment A12-1-000001: approved, and money is held, 350.00 reserved\n" || b.found(1).State != payment.Authorised {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("payment approve A12-1-000001 --phone 4712345678"); got.code != exitRefused || !strings.Contains(got.stderr, "does not wait for an approval") {
		t.Errorf("again: %+v", got)
	}
	if got := b.stolpe("payment approve A12-1-000009 --phone 4712345678"); got.code != exitNotFound {
		t.Errorf("%+v", got)
	}
	live := newBank(t, `code: A12,`, `code: A12, meter: {model: eastron_sdm630, url: "tcp://127.0.0.1:1"},`)
	text, err := os.ReadFile(live.file)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "live.yaml", strings.ReplaceAll(string(text), live.url, vippsLive))
	if got := command("payment", "approve", "A12-1-000001", "--phone", "4712345678", "--config", file); got.code != exitRefused || !strings.Contains(got.stderr, "only the payer can approve") {
		t.Errorf("%+v", got)
	}
}

func TestHooksAreListedAndDropped(t *testing.T) {
	b := newBank(t)
	if got := b.stolpe("payment hooks"); got.code != 0 || !strings.Contains(got.stdout, "sales unit 123456 has no webhooks") {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("payment hooks --json"); got.code != 0 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
	h, err := b.client.AddHook(t.Context(), "https://lad.example.no/hook")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"payment hooks", "payment hooks list", "payment hooks --json", "payment hooks list --json"} {
		if got := b.stolpe(line); got.code != 0 || !strings.Contains(got.stdout, h.ID) || !strings.Contains(got.stdout, "https://lad.example.no/hook") || strings.Contains(got.stdout, h.Secret) {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := b.stolpe("payment hooks drop", "0"+h.ID[1:]+"0"); got.code != exitNotFound || !strings.Contains(got.stderr, "stolpe payment hooks lists them") {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("payment hooks drop", h.ID); got.code != 0 || got.stdout != "dropped: https://lad.example.no/hook is told nothing any more\n" {
		t.Errorf("%+v", got)
	}
	if left, err := b.client.Hooks(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// A ledger that cannot be written stops a refund before the service is asked.
func TestRefundNeedsALedgerThatCanBeWritten(t *testing.T) {
	b := newBank(t)
	b.sell(1, 6808)
	r := refund{desk: desk{file: b.file}, ref: refOf(1), amount: 100, reason: "r", yes: true, now: time.Now}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	shut, _, err := ledger.Open(ledgerPath(b.state))
	if err != nil {
		t.Fatal(err)
	}
	shut.Close()
	if err := r.write(shut, ledger.Entry{}, ledger.RefundIntent); err == nil || !strings.Contains(err.Error(), "nothing was given back, since the ledger cannot be written") {
		t.Error(err)
	}
	if err := r.write(shut, ledger.Entry{}, ledger.Refunded); err == nil || !strings.Contains(fmt.Sprint(err), "then the same command writes it") {
		t.Error(err)
	}
}
