package main

import (
	"sync"
	"time"

	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal/sim"
	"stolpe/payment"
)

// wallet is a payment service whose payers approve after a while.
type wallet struct {
	mu    sync.Mutex
	found map[payment.Ref]*paid
}

type paid struct {
	payment.Found
	made time.Time
}

// approves is how long a payer thinks.
const approves = 15 * time.Second

func (w *wallet) ask(o payment.Order) payment.Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.found[o.Ref]
	if f == nil && o.Verb == payment.Reserve {
		f = &paid{payment.Found{State: payment.Created, Amount: o.Amount, URL: "https://landing.example/1", Terms: o.Terms}, time.Now()}
		w.found[o.Ref] = f
	}
	switch {
	case o.Verb == payment.Inform:
		return payment.Answer{Status: payment.Settled}
	case f == nil:
		return payment.Answer{Status: payment.Missing}
	case f.State == payment.Created && o.Verb == payment.Settle:
		f.State = payment.EndedByUs
	case f.State == payment.Created && time.Since(f.made) >= approves:
		f.State, f.Held = payment.Authorised, f.Amount
	case f.State == payment.Authorised && o.Verb == payment.Settle:
		f.Taken = o.Amount
		f.Freed = f.Held - f.Taken
	}
	return o.Answer(f.Found)
}

// charge has a driver charge for so long and then leave; it takes some seconds and
// minutes more. The driver is known by a number.
func (q *quarter) charge(driver int, lasts time.Duration) {
	q.t.Helper()
	q.arrive(driver)
	q.pass(lasts)
	q.leave(driver)
}

func holderOf(driver int) payment.Holder {
	return payment.Holder{byte(driver), byte(driver >> 8), 1}
}

// arrive brings a driver to where energy flows.
func (q *quarter) arrive(driver int) {
	q.t.Helper()
	p := q.life.parts
	q.rig.Do(func(b *sim.Bench, now time.Duration) { b.PlugIn(now, sim.Car{Power: 7_400, Need: 200_000}) })
	price := p.units["A12"].Rules().Price
	r := display.Request{Reserve: 35_000, Seen: price, Holder: holderOf(driver), Return: "https://example.no/s"}
	for try := 0; ; try++ {
		err := p.Request(q.t.Context(), "A12", r)
		if err == nil {
			break
		}
		if try == 100 {
			q.t.Fatalf("driver %d: %v", driver, err)
		}
		q.pass(5 * time.Second)
	}
	for range 60 {
		if s, _, _ := p.units["A12"].Snapshot(); s.Phase == session.Charging {
			return
		}
		q.pass(time.Second)
	}
	s, _, _ := p.units["A12"].Snapshot()
	q.t.Fatalf("driver %d: does not charge: %v, faults %v", driver, s.Phase, s.Faults())
}

// leave has the driver stop and go.
func (q *quarter) leave(driver int) {
	q.t.Helper()
	q.must(q.life.parts.Act(q.t.Context(), "A12", holderOf(driver), display.StopCharge))
	q.pass(time.Minute)
	q.rig.Do(func(b *sim.Bench, now time.Duration) { b.Unplug(now) })
	q.pass(10 * time.Second)
}

// entries is the whole book of the life that is, or was last.
func (q *quarter) entries() []ledger.Entry {
	q.t.Helper()
	book, _, err := ledger.Open(ledgerPath(q.life.state))
	q.must(err)
	defer book.Close() //nolint:errcheck // nothing was written
	var all []ledger.Entry
	q.must(book.From(1, func(e ledger.Entry, _ string) error {
		all = append(all, e)
		return nil
	}))
	return all
}
