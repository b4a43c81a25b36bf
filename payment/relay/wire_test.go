package relay

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

const tenant, post = "acme", "A12"

// wire is a broker of one post and any number of gateways, whose messages can be
// lost, doubled or changed.
type wire struct {
	client *Client
	server *Server
	mend   func(leaf string, text []byte) [][]byte // what arrives of a message; nil for what was sent

	mu   sync.Mutex
	sent map[string][]string // by leaf
}

// desk is a payment service that says what it is told to, and notes what it is asked.
type desk struct {
	mu     sync.Mutex
	asked  []payment.Order
	answer func(payment.Order) (payment.Answer, error)
}

func (d *desk) Ask(_ context.Context, o payment.Order) (payment.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, o)
	if d.answer == nil {
		return payment.Answer{Status: payment.Missing}, nil
	}
	return d.answer(o)
}

func (d *desk) orders() []payment.Order {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]payment.Order(nil), d.asked...)
}

// newWire makes a wire with a gateway for these units.
func newWire(t *testing.T, units ...Payments) *wire {
	t.Helper()
	w := &wire{sent: map[string][]string{}}
	began := time.Now()
	w.client = NewClient(ClientOptions{Within: 20 * time.Second, Mono: func() time.Duration { return time.Since(began) },
		Publish: func(_ context.Context, leaf string, text []byte) error { return w.carry(leaf, text) }})
	w.server = NewServer(ServerOptions{
		Unit: func(a, b string) (Unit, bool) {
			return Unit{Payments: units, Currency: payment.NOK, Most: 50_000, Pages: "https://lad.example.no/"}, a == tenant && b == post && len(units) > 0
		},
		Publish: func(_ context.Context, a, b, leaf string, text []byte) error {
			if a != tenant || b != post {
				return errors.New("published for somebody else")
			}
			return w.carry(leaf, text)
		},
		Within: 20 * time.Second, Now: time.Now, Saw: func(Sight) {}, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { w.server.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	return w
}

func (w *wire) carry(leaf string, text []byte) error {
	w.mu.Lock()
	w.sent[leaf] = append(w.sent[leaf], string(text))
	w.mu.Unlock()
	arrive := [][]byte{text}
	if w.mend != nil {
		arrive = w.mend(leaf, text)
	}
	for _, one := range arrive {
		if leaf == AskLeaf {
			w.server.Take(tenant, post, one)
		} else if err := w.client.Take(one); err != nil {
			return err
		}
	}
	return nil
}

// said gives all messages of a leaf.
func (w *wire) said(leaf string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.sent[leaf]...)
}

// reserve is an order with everything in it.
func reserve() payment.Order {
	return payment.Order{
		Verb: payment.Reserve, Ref: payment.NewRef(post, 1, 12), Amount: 35_000, Currency: payment.NOK, Seq: 7,
		Terms: payment.Terms{EVSE: "A12/1", Meter: "22110345", Start: 10_344_076, Holder: payment.Holder{1, 2, 3}, Receipts: 41,
			Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20_000}}},
		Return: "https://lad.example.no/nb/A12/secret", Way: payment.ByPush, Phone: "4791234567",
	}
}

func settle() payment.Order {
	return payment.Order{Verb: payment.Settle, Ref: payment.NewRef(post, 1, 12), Amount: 6_808, Currency: payment.NOK, Attempt: 3, Seq: 8}
}

func inform() payment.Order {
	return payment.Order{Verb: payment.Inform, Ref: payment.NewRef(post, 1, 12), Amount: 6_808, Currency: payment.NOK, Return: "https://lad.example.no/nb/A12/secret", Seq: 9,
		Receipt: &payment.Receipt{Number: "A12/1-000042", Currency: payment.NOK, VAT: 2500, Lines: []payment.ReceiptLine{
			{Name: "Strøm 10344,076–10356,476 kWh", Line: payment.Line{Kind: payment.EnergyLine, Quantity: 12_400, Each: 549, Amount: 6_807, VAT: 1_361}},
			{Name: "Oppholdsavgift", Line: payment.Line{Kind: payment.IdleLine, Quantity: 1, Each: 1, Amount: 1}}}}}
}

// full is an answer with everything in it.
func full() payment.Answer {
	return payment.Answer{Status: payment.Held, Reason: payment.Rejected, Wait: 1500 * time.Millisecond, Code: "1234", Found: payment.Found{
		State: payment.Authorised, Amount: 35_000, Held: 35_000, Taken: 6_808, Freed: 1, Refunded: 2, URL: "https://landing.example/1", Terms: reserve().Terms, Guaranteed: 1_800_000_000}}
}

func openPayments() []payment.Open {
	return []payment.Open{
		{Ref: payment.NewRef(post, 1, 12), Currency: payment.NOK, Limit: 35_000, Due: 6_808, Register: hal.Energy(10_356_476)},
		{Ref: payment.NewRef(post, 1, 11), Currency: payment.NOK, Limit: 35_000, Due: 100, Register: 10_344_076, Attempt: 2, Ended: true},
	}
}
