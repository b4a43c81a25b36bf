package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/payment"
	"stolpe/payment/envelope"
	"stolpe/payment/relay"
	till "stolpe/payment/sim"
	"stolpe/payment/vipps"
)

// way is a way to the money, with the service at its end where that can be reached.
type way struct {
	evse.Payments
	till *simulated // nil where the service is inside the program
}

// ways are all there are. Whatever the session relies on must hold for each of them.
func ways() map[string]func(t *testing.T) way {
	return map[string]func(t *testing.T) way{
		"vipps":   direct,
		"gateway": throughGateway,
		"sim": func(t *testing.T) way {
			cfg, err := config.Parse("ways", strings.NewReader(strings.Replace(demoConfig, "through: sim", "through: sim, sim: {payer: approves, after: 30ms}", 1)), nil)
			if err != nil {
				t.Fatal(err)
			}
			p, err := openPayments(t.Context(), cfg, world{log: slog.New(slog.DiscardHandler)}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.close() }) //nolint:errcheck // it is over
			return way{Payments: p}
		},
	}
}

func direct(t *testing.T) way {
	t.Helper()
	s, err := serveTill(context.WithoutCancel(t.Context()), till.Options{Payer: till.Payer{Habit: till.Approves, After: 30 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // it is over
	access := vipps.Config{SystemName: "stolpe", SystemVersion: version}
	s.into(&access)
	client, err := vipps.New(access)
	if err != nil {
		t.Fatal(err)
	}
	return way{client, s}
}

// throughGateway puts both ends of the relay before the client, with seals and topics
// as they are on the wire, and a broker that delivers everything twice.
func throughGateway(t *testing.T) way {
	t.Helper()
	near := direct(t)
	began, master, base := time.Now(), envelope.Key{1}, "stolpe/v1/acme/DEMO/"
	key := master.Of("acme", "DEMO")
	var client *relay.Client
	unit := relay.Unit{Payments: []relay.Payments{near}, Currency: payment.NOK, Most: 500_000, Pages: "https://lad.example.no/"}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	server := relay.NewServer(relay.ServerOptions{Within: 20 * time.Second, Now: time.Now, Saw: func(relay.Sight) {}, Log: log,
		Unit: func(tenant, post string) (relay.Unit, bool) { return unit, tenant == "acme" && post == "DEMO" },
		Publish: func(_ context.Context, tenant, post, leaf string, text []byte) error {
			topic := "stolpe/v1/" + tenant + "/" + post + "/" + leaf
			opened, err := key.Open(topic, master.Of(tenant, post).Seal(topic, text))
			return errors.Join(err, client.Take(opened), client.Take(opened))
		}})
	client = relay.NewClient(relay.ClientOptions{Within: 20 * time.Second, Mono: func() time.Duration { return time.Since(began) },
		Publish: func(_ context.Context, leaf string, text []byte) error {
			opened, err := master.Of("acme", "DEMO").Open(base+leaf, key.Seal(base+leaf, text))
			server.Take("acme", "DEMO", opened)
			server.Take("acme", "DEMO", opened)
			return err
		}})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var group sync.WaitGroup
	group.Go(func() { server.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	return way{client, near.till}
}

// TestEveryWayToTheMoneyKeepsTheContract asks the same of direct, relayed and simulated
// payments: what the session counts on, and what a lost answer must not change.
func TestEveryWayToTheMoneyKeepsTheContract(t *testing.T) {
	for name, open := range ways() {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			w.madeOnce(t)
			w.settledOnce(t)
			w.releasedWhole(t)
			w.refusesWhatCannotBe(t)
			w.givesACode(t)
			if w.till != nil {
				w.survivesLostAnswers(t)
			}
		})
	}
}

func wish(n uint64) payment.Order {
	return payment.Order{Verb: payment.Reserve, Ref: payment.NewRef("DEMO", 1, n), Currency: payment.NOK, Amount: 35_000, Return: "https://lad.example.no/A12/1",
		Terms: payment.Terms{EVSE: "DEMO/1", Meter: "1", Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}}}
}

func owedBy(n uint64, amount payment.Amount) payment.Order {
	return payment.Order{Verb: payment.Settle, Ref: payment.NewRef("DEMO", 1, n), Currency: payment.NOK, Amount: amount}
}

// givesACode asks for a payment by a code on the post's display: there is an address to
// draw, the same however often it is asked for, and approving it holds the money.
func (w way) givesACode(t *testing.T) {
	t.Helper()
	var o payment.Order
	var first payment.Answer
	for n := uint64(900); n < 910 && first.Status != payment.Pending; n++ { // on a busy machine the payer may be faster
		o = wish(n)
		o.Way = payment.ByCode
		first = w.ask(t, o)
	}
	if first.Status != payment.Pending || first.Found.URL == "" || first.Found.Amount != o.Amount {
		t.Fatalf("by a code: %+v", first)
	}
	if again := w.ask(t, o); again.Status == payment.Pending && again.Found.URL != first.Found.URL {
		t.Errorf("asked again, the code is %q and was %q", again.Found.URL, first.Found.URL)
	}
	w.until(t, payment.Order{Ref: o.Ref, Currency: o.Currency}, payment.Held)
	if f := w.until(t, owedBy(o.Ref.Number(), 0), payment.Settled).Found; f.Taken != 0 || f.Freed != o.Amount {
		t.Errorf("cancelled: %+v", f)
	}
}

// ask asks once. An error beside an answer that says what to do is for the log.
func (w way) ask(t *testing.T, o payment.Order) payment.Answer {
	t.Helper()
	a, err := w.Ask(t.Context(), o)
	if err != nil && (a.Status == payment.Held || a.Status == payment.Settled || a.Status == payment.Missing) {
		t.Errorf("%v of %s: %v with an error: %v", o.Verb, o.Ref, a.Status, err)
	}
	return a
}

// until asks until the answer is one of these. The service takes five calls that
// change something in a minute for each payment: more are never needed here.
func (w way) until(t *testing.T, o payment.Order, want ...payment.Status) payment.Answer {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var a payment.Answer
	for range 500 {
		a = w.ask(t, o)
		for _, s := range want {
			if a.Status == s {
				return a
			}
		}
		<-tick.C
	}
	t.Fatalf("%v of %s: %+v: want %v", o.Verb, o.Ref, a, want)
	return a
}

func (w way) madeOnce(t *testing.T) {
	if a := w.ask(t, payment.Order{Ref: wish(1).Ref, Currency: payment.NOK}); a.Status != payment.Missing || a.Found != (payment.Found{}) {
		t.Errorf("a payment that was never made: %+v", a)
	}
	first := w.ask(t, wish(1))
	if first.Status != payment.Pending || first.Found.URL == "" {
		t.Errorf("reserve: %+v: want it pending, with an address", first)
	}
	if again := w.ask(t, wish(1)); again.Status != payment.Pending && again.Status != payment.Held || again.Found.Terms != wish(1).Terms {
		t.Errorf("reserve again: %+v: want the same payment", again)
	}
	other := wish(1)
	other.Amount++
	if a := w.ask(t, other); a.Status != payment.Refused && a.Status != payment.Unknown || a.Found != (payment.Found{}) {
		t.Errorf("another payment under the reference: %+v: want it refused", a)
	}
}

func (w way) settledOnce(t *testing.T) {
	held := w.until(t, payment.Order{Ref: wish(1).Ref, Currency: payment.NOK}, payment.Held)
	if f := held.Found; f.Held != 35_000 || f.Taken != 0 || f.Terms != wish(1).Terms {
		t.Errorf("approved: %+v", f)
	}
	for range 2 { // the second time nothing is left to be done
		f := w.until(t, owedBy(1, 6_808), payment.Settled).Found
		if f.Taken != 6_808 || f.Freed != 35_000-6_808 || f.Left() != 0 {
			t.Errorf("settled: %+v", f)
		}
	}
	if a := w.ask(t, owedBy(1, 9_999)); a.Status != payment.Settled || a.Found.Taken != 6_808 {
		t.Errorf("settled again with more: %+v: want nothing more taken", a)
	}
}

func (w way) releasedWhole(t *testing.T) {
	w.ask(t, wish(2))
	if f := w.until(t, owedBy(2, 0), payment.Settled).Found; f.Taken != 0 || f.Left() != 0 {
		t.Errorf("nothing used: %+v", f)
	}
}

func (w way) refusesWhatCannotBe(t *testing.T) {
	large := wish(3)
	large.Amount = payment.MaxAmount + 1
	for what, o := range map[string]payment.Order{"too much": large, "no reference": {Ref: "x"}} {
		if a, err := w.Ask(t.Context(), o); a.Status != payment.Refused || err == nil {
			t.Errorf("%s: %+v, %v: want it refused, and told why", what, a, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if a, err := w.Ask(ended, wish(4)); a.Status != payment.Unknown && a.Status != payment.Busy || err == nil {
		t.Errorf("without any time: %+v, %v: want unknown", a, err)
	}
}

// survivesLostAnswers: a call that had its effect and was not heard of is not made
// twice.
func (w way) survivesLostAnswers(t *testing.T) {
	for n, script := range []string{"create: answer-lost", "capture: answer-lost", "cancel: answer-lost"} {
		number := uint64(10 + n)
		if err := w.till.SetScript(script); err != nil {
			t.Fatal(err)
		}
		if a := w.ask(t, wish(number)); a.Status == payment.Unknown {
			w.until(t, wish(number), payment.Pending, payment.Held)
		}
		w.until(t, payment.Order{Ref: wish(number).Ref, Currency: payment.NOK}, payment.Held)
		if f := w.until(t, owedBy(number, 500), payment.Settled).Found; f.Taken != 500 || f.Freed != 34_500 {
			t.Errorf("%s: %+v", script, f)
		}
		if err := w.till.SetScript(""); err != nil {
			t.Fatal(err)
		}
		if took := w.till.captures(wish(number).Ref); took != 1 {
			t.Errorf("%s: captured %d times", script, took)
		}
	}
}

// captures is how often a payment was captured.
func (s *simulated) captures(ref payment.Ref) (n int) {
	s.Do(func(now time.Duration, b *till.Book) {
		for _, e := range b.Events(now, ref) {
			if e.Name == till.Captured && e.Success {
				n++
			}
		}
	})
	return n
}
