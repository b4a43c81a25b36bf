package sim

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/payment"
)

// ledger is the independent account that the property test keeps of a Book.
type ledger struct {
	b     *Book
	now   time.Duration
	first map[string]outcome // of each key, as far as the Book must remember it
	taken map[payment.Ref]payment.Amount
	back  map[payment.Ref]payment.Amount
}

type outcome struct {
	call   Call
	change Change
	code   string
}

var propRefs = []payment.Ref{"A12-1-000001", "A12-1-000002"}

func drawChange(t *rapid.T) Change {
	return Change{
		Key: rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "key"), Ref: rapid.SampledFrom(propRefs).Draw(t, "ref"),
		Amount: payment.Amount(rapid.SampledFrom([]int{0, 1, 100, 400, 600, 1000}).Draw(t, "amount")), Currency: payment.NOK,
	}
}

// saw checks an answer against what the key has done before, and keeps account.
func (l *ledger) saw(t *rapid.T, call Call, c Change, p *Problem) {
	old, known := l.first[c.Key]
	code := ""
	if p != nil {
		code = p.Code
	}
	passing := p != nil && (p.Status == 429 || p.Status == 423 || p.Code == "6280" || p.Code == "6160")
	switch {
	case passing:
	case !known:
		l.first[c.Key] = outcome{call, c, code}
		if p == nil && call == CaptureCall {
			l.taken[c.Ref] += c.Amount
		}
		if p == nil && call == RefundCall {
			l.back[c.Ref] += c.Amount
		}
	case old.call != call || old.change.Ref != c.Ref:
		if p == nil || p.Status != 409 {
			t.Fatalf("key %s of %v %s taken by %v %s: %+v", c.Key, old.call, old.change.Ref, call, c.Ref, p)
		}
	case old.code != "":
		if code != old.code {
			t.Fatalf("key %s was refused with %s, and now %q", c.Key, old.code, code)
		}
	case old.change != c:
		if p == nil || p.Status != 409 {
			t.Fatalf("key %s with %v and then %v: %+v", c.Key, old.change, c, p)
		}
	case p != nil:
		t.Fatalf("key %s had its effect, and now %+v", c.Key, p)
	}
}

// balanced holds always, whatever was asked.
func (l *ledger) balanced(t *rapid.T) {
	for p := range l.b.Payments(l.now) {
		f := p.Found
		if min(f.Held, f.Taken, f.Freed, f.Refunded, f.Left()) < 0 || f.Refunded > f.Taken {
			t.Fatalf("%s: %+v", p.Ref, f)
		}
		if f.State == payment.Authorised && (f.Held != f.Amount || f.Held != f.Taken+f.Freed+f.Left()) {
			t.Fatalf("%s does not add up: %+v", p.Ref, f)
		}
		if f.State != payment.Authorised && (f.Held != 0 || f.Taken != 0 || f.Refunded != 0) {
			t.Fatalf("%s has moved money: %+v", p.Ref, f)
		}
		if f.Taken != l.taken[p.Ref] || f.Refunded != l.back[p.Ref] {
			t.Fatalf("%s: %+v, our account says %d taken and %d back", p.Ref, f, l.taken[p.Ref], l.back[p.Ref])
		}
		l.logged(t, p)
	}
}

// logged checks that the events tell the same as the sums, each key once.
func (l *ledger) logged(t *rapid.T, p Payment) {
	sums, seen := map[EventName]payment.Amount{}, map[string]bool{}
	last := p.Made
	for _, ev := range l.b.Events(l.now, p.Ref) {
		if ev.At < last || ev.At > l.now {
			t.Fatalf("%s: %s at %v, after one at %v, now %v", p.Ref, ev.Name, ev.At, last, l.now)
		}
		last = ev.At
		if !ev.Success {
			continue
		}
		if ev.Key != "" && seen[ev.Key] {
			t.Fatalf("%s: key %s had two effects", p.Ref, ev.Key)
		}
		seen[ev.Key] = true
		sums[ev.Name] += ev.Amount
	}
	f := p.Found
	got := fmt.Sprint(sums[Authorized], sums[Captured], sums[Cancelled]+sums[Terminated], sums[Refunded])
	if want := fmt.Sprint(f.Held, f.Taken, f.Freed, f.Refunded); got != want {
		t.Fatalf("%s: the events say %s, the payment %s", p.Ref, got, want)
	}
}

func TestMoneyAddsUpWhateverIsAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &ledger{b: NewBook(), first: map[string]outcome{}, taken: map[payment.Ref]payment.Amount{}, back: map[payment.Ref]payment.Amount{}}
		l.b.Rules.WritesPerMinute = rapid.SampledFrom([]int{5, 1000}).Draw(t, "writes a minute")
		l.b.Rules.WholeOnly = rapid.Bool().Draw(t, "whole only")
		l.b.Rules.CancelAgainOK = rapid.Bool().Draw(t, "cancel again")
		l.b.Rules.Deadline = rapid.SampledFrom([]time.Duration{time.Hour, 14 * day}).Draw(t, "deadline")
		which := rapid.SampledFrom(propRefs)
		// Most random walks would never get past an unapproved payment.
		for i, ref := range propRefs {
			c := Change{fmt.Sprint("r", i), ref, 1000, payment.NOK}
			_, p := l.b.Create(l.now, Request{Key: c.Key, Ref: ref, Amount: 1000, Currency: payment.NOK})
			l.saw(t, CreateCall, c, p)
			if rapid.Bool().Draw(t, "approved") {
				l.b.Approve(l.now, ref)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": l.balanced,
			"create": func(t *rapid.T) {
				c := drawChange(t)
				_, p := l.b.Create(l.now, Request{Key: c.Key, Ref: c.Ref, Amount: c.Amount, Currency: c.Currency})
				l.saw(t, CreateCall, c, p)
			},
			"capture": func(t *rapid.T) {
				c := drawChange(t)
				_, p := l.b.Capture(l.now, c)
				l.saw(t, CaptureCall, c, p)
			},
			"refund": func(t *rapid.T) {
				c := drawChange(t)
				_, p := l.b.Refund(l.now, c)
				l.saw(t, RefundCall, c, p)
			},
			"cancel": func(t *rapid.T) {
				l.b.Cancel(l.now, which.Draw(t, "ref"), rapid.Bool().Draw(t, "only unapproved"))
			},
			"approve": func(t *rapid.T) { l.b.Approve(l.now, which.Draw(t, "ref")) },
			"decline": func(t *rapid.T) { l.b.Decline(l.now, which.Draw(t, "ref")) },
			"kill":    func(t *rapid.T) { l.b.Kill(l.now, which.Draw(t, "ref")) },
			"bank":    func(t *rapid.T) { l.b.Funds(which.Draw(t, "ref"), rapid.Bool().Draw(t, "there")) },
			"busy":    func(t *rapid.T) { l.b.Busy(which.Draw(t, "ref"), l.now+time.Second) },
			"wait": func(t *rapid.T) {
				l.now += rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second, time.Minute, 10 * time.Minute, time.Hour}).Draw(t, "span")
			},
		})
	})
}
