package session

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Over any events and restarts, at most five calls that change something leave
// for one reference in a minute.
func TestWritesKeepToTheBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := budget{rules: testRules(), sent: map[payment.Ref][]time.Duration{}}
		b.begin(Kept{})
		for range rapid.IntRange(20, 120).Draw(t, "events") {
			b.at += time.Duration(rapid.IntRange(0, 8_000).Draw(t, "ms")) * time.Millisecond
			b.happen(t)
			b.ask(t)
		}
	})
}

// And they do leave where they are needed: the budget is not kept by being idle.
// Two follow each other, then one every twenty seconds; the fifth when the minute
// is just over.
func TestBudgetIsUsedUp(t *testing.T) {
	b := budget{rules: testRules(), sent: map[payment.Ref][]time.Duration{}}
	b.begin(Kept{})
	b.request()
	ref := b.rules.Ref(1)
	for b.ask(t); b.at < time.Minute; b.at += 100 * time.Millisecond {
		if len(b.flights) > 0 { // made, and its address is not told: to be made again, under the same key
			o := b.flights[0]
			b.flights = b.flights[1:]
			f := payment.Found{State: payment.Created, Amount: 20_000, Terms: b.rules.terms(&b.state)}
			b.step(Answered{o, payment.Answer{Status: payment.Pending, Found: f}})
		}
		b.step(Ticked{})
		b.ask(t)
	}
	if n := len(b.sent[ref]); n != 4 {
		t.Errorf("%d calls within a minute, at %v: want 4", n, b.sent[ref])
	}
}

// A person who wants a debt tried again all the time does not use up its capture keys.
func TestRetriesLeaveCaptureKeys(t *testing.T) {
	const asked, due = time.Hour, 48 * time.Hour
	rules := testRules()
	for _, row := range []struct {
		attempt uint8
		after   time.Duration // the newest asking
		tried   bool
	}{
		{denseAttempts - 1, retryAfter - 1, false}, {denseAttempts - 1, retryAfter, true},
		{denseAttempts, retryAfter, false}, {denseAttempts, sparseRetryAfter - 1, false}, {denseAttempts, sparseRetryAfter, true},
		{maxAttempts, sparseRetryAfter - 1, false},
	} {
		d := Debt{Attempt: row.attempt}
		d.Number = 7
		s := State{}
		s.Debts, s.asks = []Debt{d}, []ask{{calm: asked + calmFor, next: due}}
		now := hal.Instant{Mono: asked + row.after}
		s.retried(now, rules.Ref(7))
		if tried := s.asks[0].next == now.Mono; tried != row.tried {
			t.Errorf("attempt %d, %v after the newest asking: tried %v", row.attempt, row.after, tried)
		}
	}
}

// budget is a loop that keeps a record of what leaves.
type budget struct {
	rules   Rules
	state   State
	at      time.Duration
	boot    time.Duration
	flights []payment.Order
	sent    map[payment.Ref][]time.Duration
}

func (b *budget) now() hal.Instant { return hal.Instant{Mono: b.at - b.boot} }

func (b *budget) begin(k Kept) {
	b.boot, b.flights = b.at-time.Second, nil
	b.state = b.rules.Recover(k, Whole, b.now())
	for b.state.seek != nil { // nothing is found
		o := b.rules.Want(&b.state, b.now()).Orders[0]
		b.step(Asked{o})
		b.step(Answered{o, payment.Answer{Status: payment.Missing}})
	}
}

func (b *budget) step(e Event) { b.state = b.rules.Step(b.state, b.now(), e) }

func (b *budget) request() {
	mono := b.now().Mono
	b.step(Sensed{hal.Open, mono})
	b.step(Metered{hal.Reading{Register: 1000, At: mono + 1}})
	b.step(Metered{hal.Reading{Register: 1000, At: mono + 2}})
	b.step(b.rules.requests(20_000))
}

func (b *budget) ask(t interface{ Fatalf(string, ...any) }) {
	for {
		want := b.rules.Want(&b.state, b.now())
		if len(want.Orders) == 0 {
			return
		}
		o := want.Orders[0]
		b.step(Asked{o})
		b.flights = append(b.flights, o)
		if o.Verb == payment.Look {
			continue
		}
		sent := append(b.sent[o.Ref], b.at)
		b.sent[o.Ref] = sent
		n := len(sent)
		if n > 5 && sent[n-1]-sent[n-6] < time.Minute {
			t.Fatalf("six calls about %s within %v", o.Ref, sent[n-1]-sent[n-6])
		}
	}
}

// happen lets one thing happen; half of the time, an answer.
func (b *budget) happen(t *rapid.T) {
	switch rapid.IntRange(0, 15).Draw(t, "what") {
	case 0: // in service, and somebody wants to charge
		b.request()
	case 1:
		b.step(Stopped{Why: display.ByDriver})
	case 2:
		kept, err := Decode(b.state.Kept.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		b.begin(kept)
	case 3:
		b.step(Ticked{})
	default:
		if len(b.flights) == 0 {
			return
		}
		o := b.flights[0]
		b.flights = b.flights[1:]
		f := payment.Found{State: payment.Authorised, Amount: 20_000, Held: 20_000, Terms: o.Terms}
		f.Taken = payment.Amount(rapid.IntRange(0, 1).Draw(t, "taken")) * o.Amount
		status := payment.Status(rapid.IntRange(int(payment.Unknown), int(payment.Settled)).Draw(t, "status"))
		if status == payment.Missing {
			f = payment.Found{}
		}
		if c := &b.state.Charge; o.Ref.Number() == c.Number {
			f.Terms = b.rules.terms(&b.state)
		}
		b.step(Answered{o, payment.Answer{
			Status: status, Found: f, Reason: payment.Reason(rapid.IntRange(0, int(payment.Rejected)).Draw(t, "reason")),
		}})
	}
}

// Eight steps from five seconds up; the last is repeated for ever.
func TestAskingsThatGetNowhereSlowDown(t *testing.T) {
	var a ask
	var last time.Duration
	for range 300 {
		a.later(0, 0)
		if a.next < last {
			t.Fatalf("after %v the next is in %v", last, a.next)
		}
		last = a.next
	}
	if last != ladder[len(ladder)-1] || ladder[0] > 10*time.Second {
		t.Errorf("the ladder goes from %v to %v", ladder[0], last)
	}
	a.later(0, 2*time.Hour)
	if a.next != 2*time.Hour {
		t.Errorf("told to wait two hours, waits %v", a.next)
	}
}

// Services say "no such payment" by mistake. Only fifteen minutes of nothing else
// end a debt.
func TestOneMissingDoesNotEndADebt(t *testing.T) {
	r, s := believing(Idle, hal.Open)
	s.Counter = 1
	s.Debts = []Debt{{Charge: Charge{Number: 1, Limit: 20_000, Held: true, Price: r.Price, Start: 990, End: 1000}, Due: 500}}
	s.asks = []ask{{}}
	now := time.Minute
	answer := func(a payment.Answer) {
		o := r.settleOrder(&s.Debts[0], s.sequence+1)
		s = r.Step(s, hal.Instant{Mono: now}, Asked{o})
		s = r.Step(s, hal.Instant{Mono: now}, Answered{o, a})
	}
	held := payment.Found{State: payment.Authorised, Amount: 20_000, Held: 20_000}
	answer(payment.Answer{Status: payment.Missing})
	now += time.Minute
	answer(payment.Answer{Status: payment.Held, Found: held})
	now += tombstone
	answer(payment.Answer{Status: payment.Missing})
	if len(s.Debts) != 1 {
		t.Fatal("the debt was given up after two separate mistakes")
	}
}
