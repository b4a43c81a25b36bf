package main

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/agent/ledger"
	"stolpe/payment"
	"stolpe/payment/sim"
)

// today is a day that a charge of just now is not before.
func today() string { return time.Now().AddDate(0, 0, -1).Format(time.DateOnly) }

func (b *bank) reconcile(args ...string) said {
	b.t.Helper()
	return b.stolpe("payment reconcile --pause 0s --since "+today(), args...)
}

// topics are the differences that were printed, as "ref topic".
func (s said) topics() string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^(\S+|EVSE \d+)\t([a-z_]+): `).FindAllStringSubmatch(s.stdout, -1) {
		all = append(all, strings.TrimPrefix(m[1], "A12-1-00000")+" "+m[2])
	}
	return strings.Join(all, ", ")
}

func TestReconcileOfASoundPost(t *testing.T) {
	b := newBank(t)
	for n := range uint64(4) {
		b.sell(n+1, 6808)
	}
	got := b.reconcile()
	want := "Since " + today() + ": 4 charges, 4 agree, 0 under way, 0 differences.\n" +
		"Captured 272.32 NOK by the ledger and 272.32 by the service; given back 0.00 and 0.00; written off 0.00.\n"
	if got.code != 0 || got.stdout != want || got.stderr != "" {
		t.Errorf("%+v", got)
	}
	b.stolpe("payment refund A12-1-000002 10.00 --reason r --yes")
	b.reserve(5) // a car is charging
	b.create(6)  // and somebody is about to pay
	if got := b.reconcile(); got.code != 0 || !strings.Contains(got.stdout, "6 charges, 4 agree, 2 under way, 0 differences") || !strings.Contains(got.stdout, "given back 10.00 and 10.00") {
		t.Errorf("%+v", got)
	}
	if got := b.reconcile("--report"); got.code != 0 || strings.Contains(got.stdout, "not in the report yet") {
		t.Errorf("with the report: %+v", got)
	}
	if got := newBank(t).reconcile(); got.code != 0 || !strings.Contains(got.stdout, "0 charges, 0 agree") {
		t.Errorf("nothing sold yet: %+v", got)
	}
}

// Each difference that can be is planted, and printed.
func TestReconcileFindsWhatIsPlanted(t *testing.T) {
	now := time.Now()
	for _, x := range []struct {
		name  string
		plant func(b *bank)
		want  string
	}{
		{"captured less than the ledger says", func(b *bank) { b.reserve(3); b.settle(3, 6807); b.write(3, 3, 6808, now) }, "3 captured, 3 released"},
		{"captured more, by somebody in the portal", func(b *bank) { b.reserve(3); b.settle(3, 35_000); b.write(3, 3, 6808, now) }, "3 captured, 3 released"},
		{"still held", func(b *bank) { b.reserve(3); b.write(3, 3, 0, now) }, "3 still_held"},
		{"given back in the portal", func(b *bank) { b.back(2, 500) }, "2 refunded"},
		{"a refund whose answer was lost", func(b *bank) {
			b.fault("refund: request-lost")
			b.stolpe("payment refund A12-1-000002 5.00 --reason r --yes")
			b.fault("")
		}, "2 open_refund"},
		{"a refund that was made and whose answer was lost", func(b *bank) {
			b.fault("refund: answer-lost; events: ok, html")
			b.stolpe("payment refund A12-1-000002 5.00 --reason r --yes")
			b.fault("")
		}, "2 refunded, 2 open_refund"},
		{"unknown to the ledger", func(b *bank) { b.reserve(3); b.settle(3, 6808) }, "3 unknown_to_ledger"},
		{"unknown to the ledger, between", func(b *bank) { b.reserve(3); b.settle(3, 6808); b.sell(4, 100) }, "4 receipt_gap, 3 unknown_to_ledger"},
		{"unknown to the ledger, far above", func(b *bank) { b.reserve(18); b.settle(18, 6808) }, "A12-1-000018 unknown_to_ledger"},
		{"unknown to the service", func(b *bank) { b.write(3, 3, 6808, now) }, "3 unknown_to_service"},
		{"a number that stands twice", func(b *bank) { b.reserve(3); b.settle(3, 100); b.write(3, 2, 100, now) }, "3 receipt_gap"},
		{"a damaged ledger", func(b *bank) { b.rot(1) }, "2 receipt_gap, ledger ledger_damage, 1 unknown_to_ledger"},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := newBank(t)
			b.sell(1, 6808)
			b.sell(2, 6808)
			x.plant(b)
			got := b.reconcile()
			wanted := strings.Split(x.want, ", ")
			slices.Sort(wanted)
			found := strings.Split(got.topics(), ", ")
			slices.Sort(found)
			if !slices.Equal(found, wanted) || got.code != exitDiffers || !strings.Contains(got.stderr, "do not agree on") {
				t.Errorf("found %v, want %v\n%+v", found, wanted, got)
			}
			lines := strings.Split(strings.TrimSpace(b.reconcile("--json").stdout), "\n")
			for _, line := range lines[:len(lines)-1] {
				var d ledger.Difference
				if err := json.Unmarshal([]byte(line), &d); err != nil || d.Topic == "" {
					t.Errorf("%s: %v", line, err)
				}
			}
			var sum struct{ Sum sumJSON }
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil || sum.Sum.Differences != len(wanted) || !sum.Sum.Whole {
				t.Errorf("%+v, %v", sum, err)
			}
		})
	}
}

// back gives money back as somebody in the portal does.
func (b *bank) back(n uint64, amount payment.Amount) {
	b.t.Helper()
	b.Do(func(now time.Duration, book *sim.Book) {
		if _, p := book.Refund(now, sim.Change{Key: "portal", Ref: refOf(n), Amount: amount, Currency: payment.NOK}); p != nil {
			b.t.Error(p)
		}
	})
}

// rot turns a bit in a line of the ledger.
func (b *bank) rot(line int) {
	b.t.Helper()
	text, err := os.ReadFile(ledgerPath(b.state))
	if err != nil {
		b.t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[line-1] = strings.Replace(lines[line-1], `"reserved":35000`, `"reserved":35001`, 1)
	if err := os.WriteFile(ledgerPath(b.state), []byte(strings.Join(lines, "")), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// Charges before the day are left alone, and those the ledger has lost are found by
// their numbers.
func TestReconcileSince(t *testing.T) {
	b := newBank(t)
	long := time.Now().AddDate(0, 0, -10)
	for n := range uint64(3) { // the ledger has them long ago, and the service has none of them
		b.write(n+1, n+1, 100, long)
	}
	b.sell(4, 6808)
	if got := b.reconcile(); got.code != 0 || !strings.Contains(got.stdout, "1 charges, 1 agree") {
		t.Errorf("%+v", got)
	}
	b.reserve(6)
	b.settle(6, 100)
	b.sell(7, 100) // 5 was never used, and 6 is in no ledger
	if got := b.reconcile(); got.topics() != "7 receipt_gap, 6 unknown_to_ledger" {
		t.Errorf("%+v", got)
	}
	b = newBank(t)
	b.write(1, 1, 100, long)
	b.reserve(2) // right above those before the day
	b.settle(2, 100)
	b.reserve(3)
	b.settle(3, 100)
	b.write(3, 2, 100, time.Now())
	if got := b.reconcile(); got.topics() != "2 unknown_to_ledger" {
		t.Errorf("%+v", got)
	}
	young := newBank(t) // a ledger that begins with the third charge
	for n := range uint64(2) {
		young.reserve(n + 1)
		young.settle(n+1, 6808)
	}
	young.reserve(3)
	young.settle(3, 6808)
	young.write(3, 1, 6808, time.Now())
	if got := young.reconcile(); got.topics() != "2 unknown_to_ledger, 1 unknown_to_ledger" || got.code != exitDiffers {
		t.Errorf("%+v", got)
	}
	old := newBank(t) // the same, and those the ledger does not have were made before the day
	old.reserve(1)
	old.settle(1, 6808)
	old.write(2, 1, 0, time.Now())
	r := reconcile{desk: desk{file: old.file}, since: time.Now().AddDate(0, 0, 1), now: time.Now().AddDate(0, 0, 2), stdout: new(paper), stderr: new(paper)}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	if err := r.run(t.Context()); err != nil || r.sum.Charges != 0 {
		t.Errorf("%v: %+v", err, r.sum)
	}
}

// A reservation that is older than any charge can be is no charge under way.
func TestReconcileOfAForgottenReservation(t *testing.T) {
	b := newBank(t)
	b.reserve(1)
	out := new(paper)
	r := reconcile{desk: desk{file: b.file}, since: time.Now().AddDate(0, 0, -1), now: time.Now().AddDate(0, 0, 2), stdout: out, stderr: new(paper)}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	if err := r.run(t.Context()); err == nil || r.sum.UnderWay != 0 || !strings.Contains(out.String(), "350.00 still held") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestReconcileWithTheReport(t *testing.T) {
	b := newBank(t)
	b.sell(1, 6808)
	b.reserve(2)
	b.write(2, 2, 6808, time.Now()) // the report has nothing of it; it is young
	got := b.reconcile("--report")
	if got.code != exitDiffers || !strings.Contains(got.stdout, "1 captures of the last two days are not in the report yet") || strings.Contains(got.topics(), "report") {
		t.Errorf("%+v", got)
	}
	b.write(3, 3, 6808, time.Now().AddDate(0, 0, -4))
	old := b.stolpe("payment reconcile --pause 0s --report --since " + time.Now().AddDate(0, 0, -6).Format(time.DateOnly))
	if !strings.Contains(old.topics(), "3 report") || !strings.Contains(old.stdout, "ledger 68.08, service 0.00: captured otherwise than reported") {
		t.Errorf("%+v", old)
	}
	b.reserve(4)
	b.settle(4, 100)
	if got := b.reconcile("--report"); !strings.Contains(got.topics(), "4 report") {
		t.Errorf("a movement that the ledger does not know: %+v", got)
	}
}

// A service that stops answering ends it, with what was found so far; so does a hand.
func TestReconcileThatEndsEarly(t *testing.T) {
	b := newBank(t)
	b.write(1, 1, 6808, time.Now())
	b.sell(2, 6808)
	b.fault("get: ok, 5xx x100")
	got := b.reconcile()
	if got.code != exitRemote || got.topics() != "1 unknown_to_service" || !strings.Contains(got.stdout, "This is not all") {
		t.Errorf("%+v", got)
	}
	b.fault("get: 5xx, 503, html; events: 5xx") // a service that stumbles
	if got := b.reconcile(); got.code != exitDiffers || got.topics() != "1 unknown_to_service" {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := reconcile{desk: desk{file: b.file}, since: time.Now().AddDate(0, 0, -1), now: time.Now(), stdout: new(paper), stderr: new(paper)}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	var own coded
	if err := r.run(ctx); !asCoded(err, &own) || own.code != exitStopped {
		t.Errorf("%v", err)
	}
	if err := os.Remove(ledgerPath(b.state)); err != nil {
		t.Fatal(err)
	}
	if got := b.reconcile(); got.code != exitNotFound || !strings.Contains(got.stderr, "stolpe run begins it") {
		t.Errorf("%+v", got)
	}
}

func asCoded(err error, c *coded) bool {
	own, is := err.(coded)
	*c = own
	return is
}

// Charges of a post whose service fails in every way agree with its ledger.
func TestReconcileOfAFaultedRun(t *testing.T) {
	state := t.TempDir()
	book, _, err := ledger.Open(ledgerPath(state))
	if err != nil {
		t.Fatal(err)
	}
	p := perform(t, func(w *world) { w.book = book })
	t.Cleanup(func() { book.Close() })
	if err := p.till.SetScript("capture: answer-lost, 5xx-applied, request-lost; cancel: answer-lost, 503; random: rate 0.1 seed 4"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := p.charge(t); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.till.SetScript(""); err != nil {
		t.Fatal(err)
	}
	until(t, "both charges in the ledger", func() bool { return book.Has("DEMO-1-000001") && book.Has("DEMO-1-000002") })
	b := &bank{simulated: p.till, t: t, state: state}
	b.configure("id: A12,", "id: DEMO,")
	if got := b.reconcile(); got.code != 0 || !strings.Contains(got.stdout, "2 charges, 2 agree, 0 under way, 0 differences") {
		t.Errorf("%+v", got)
	}
}
