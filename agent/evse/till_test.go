package evse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"stolpe/agent/session"
	"stolpe/payment"
	books "stolpe/payment/sim"
	"stolpe/payment/vipps"
)

// till is the payment service behind its client: it reads back, decides with
// payment.Order, and makes at most one call. Law: an order that changes anything
// rests on a state that is on disk, and is counted there.
type till struct {
	gate
	w *world

	mu    sync.Mutex
	book  *books.Book
	off   bool // no power at the post
	no    refuser
	asked []payment.Order
}

const oneWay = 50 * time.Millisecond // chosen for the tests: a mobile network

func newTill(w *world) *till { return &till{w: w, book: books.NewBook()} }

// Ask brings an order forward.
func (t *till) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	t.law(o)
	if err := errors.Join(t.pass(ctx), pause(ctx, oneWay)); err != nil {
		return payment.Answer{}, err
	}
	t.mu.Lock()
	answer := t.perform(time.Since(t.w.began), o)
	off := t.off
	t.mu.Unlock()
	if err := pause(ctx, oneWay); err != nil || off {
		return payment.Answer{}, errors.Join(err, errTwin)
	}
	return answer, nil
}

func (t *till) law(o payment.Order) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, o)
	if o.Verb == payment.Look || t.off {
		return
	}
	writes := 0
	for _, old := range t.asked {
		if old.Ref == o.Ref && old.Verb != payment.Look {
			writes++
		}
	}
	if !t.w.disk.holds(func(k *session.Kept) bool {
		if k.Charge.Number == o.Ref.Number() {
			return o.Verb == payment.Reserve && k.Charge.Limit == o.Amount && int(k.Charge.Writes) >= writes
		}
		return slices.ContainsFunc(k.Debts, func(d session.Debt) bool {
			return d.Number == o.Ref.Number() && int(d.Writes) >= writes && (o.Verb == payment.Reserve || d.Due == o.Amount && d.Attempt == o.Attempt)
		})
	}) {
		t.w.t.Errorf("at %v asked to %v %v of %s, call number %d, which is not on disk", t.w.now().Mono, o.Verb, o.Amount, o.Ref, writes)
	}
}

// perform is what the service does. The lock is held.
func (t *till) perform(now time.Duration, o payment.Order) payment.Answer {
	if t.off {
		return payment.Answer{}
	}
	var f payment.Found
	if o.Verb != payment.Reserve {
		p := t.no.refuse(payment.NoCall, "")
		if p == nil {
			f, p = t.book.Get(now, o.Ref)
		}
		if p != nil {
			return judged(payment.NoCall, p)
		}
	}
	call := o.Next(f)
	p := t.no.refuse(call.Kind, o.Key(call.Kind))
	if p != nil {
		a, _ := vipps.Judge(call.Kind, p.Status, p.Code)
		a.Found = f
		return a
	}
	switch call.Kind {
	case payment.NoCall:
	case payment.Create:
		f, p = t.book.Create(now, books.Request{
			Key: o.Key(payment.Create), Ref: o.Ref, Amount: o.Amount, Currency: o.Currency, Terms: o.Terms, URL: "app",
		})
	case payment.Capture:
		f, p = t.book.Capture(now, books.Change{Key: o.Key(payment.Capture), Ref: o.Ref, Amount: call.Amount, Currency: o.Currency})
	default:
		f, p = t.book.Cancel(now, o.Ref, call.Kind == payment.Withdraw)
	}
	if p != nil {
		return judged(call.Kind, p)
	}
	return o.Answer(f)
}

func judged(call payment.CallKind, p *books.Problem) payment.Answer {
	a, _ := vipps.Judge(call, p.Status, p.Code)
	a.Wait = p.After
	return a
}

// approve is the payer's yes.
func (t *till) approve(ref payment.Ref) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.book.Approve(time.Since(t.w.began), ref) {
		t.w.t.Errorf("%s cannot be approved", ref)
	}
}

// found is what the service has, not counted as a call.
func (t *till) found(ref payment.Ref) payment.Found {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := range t.book.Payments(time.Since(t.w.began)) {
		if p.Ref == ref {
			return p.Found
		}
	}
	return payment.Found{}
}

// orders gives the orders with a verb so far.
func (t *till) orders(v payment.Verb) []payment.Order {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(t.asked), func(o payment.Order) bool { return o.Verb != v })
}

// logbook counts lines.
type logbook struct {
	gate
	mu    sync.Mutex
	lines map[string]int
}

// Enabled wants everything.
func (*logbook) Enabled(context.Context, slog.Level) bool { return true }

// Handle notes a line.
func (l *logbook) Handle(ctx context.Context, r slog.Record) error {
	_ = l.pass(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[r.Message]++
	return nil
}

// WithAttrs is not used by the loop.
func (l *logbook) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup is not used by the loop.
func (l *logbook) WithGroup(string) slog.Handler { return l }

// count is how often a line came.
func (l *logbook) count(line string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines[line]
}

// String tells the lines and how often each came, sorted.
func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprint(l.lines)
}
