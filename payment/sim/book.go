package sim

import (
	"iter"
	"time"

	"stolpe/payment"
)

// Rules are what the provider may decide differently for a sales unit. NewBook
// sets the published ones; change them before the first call.
type Rules struct {
	Expiry          time.Duration    // from creation until the payer can no longer approve
	Deadline        time.Duration    // from approval until what is left is released by itself
	RefundWithin    time.Duration    // from the last capture
	WritesPerMinute int              // create, capture, cancel and refund together, for one reference
	ReadsPerMinute  int              // get and events together, for one reference
	Currency        payment.Currency // the only one of this sales unit; empty takes every wallet currency
	MinCapture      payment.Amount   // minor units; what the service takes is not published, so 0 takes anything from 1
	WholeOnly       bool             // partial capture is switched off, as some units in Denmark and Finland report
	CancelAgainOK   bool             // a cancel with nothing left to release answers 200; otherwise 6050. Not published
	HideURL         bool             // the payer's link is told once only, in create's first answer. Not published
	MaxKept         int              // references, and keys, that a Book keeps at most; beyond it 5070
}

const (
	day = 24 * time.Hour

	expiry       = 10 * time.Minute // API guide: five minutes to open and five to confirm
	deadline     = 180 * day        // API guide: Norway; Denmark and Finland have 14 days
	refundWithin = 365 * day        // API guide

	writesPerMinute = 5   // API guide; that the four calls share one count is our reading, the stricter one
	readsPerMinute  = 120 // API guide

	maxKept = 1 << 18 // chosen by us: some 250 MB, far more than a test or a demonstration makes
)

// Book holds the payments of one sales unit and the provider's rules for them.
// It has no clock: now is a monotonic time given by the caller, and must not go
// back. It is not safe for concurrent use.
type Book struct {
	Rules Rules

	entries map[payment.Ref]*entry
	order   []*entry // as first asked for
	keys    map[string]use
	psp     uint64              // the last pspReference given out
	heard   func(*entry, Event) // told of every event; nil tells nobody
}

// NewBook gives an empty Book with the published rules.
func NewBook() *Book {
	return &Book{
		Rules: Rules{
			Expiry: expiry, Deadline: deadline, RefundWithin: refundWithin,
			WritesPerMinute: writesPerMinute, ReadsPerMinute: readsPerMinute, MaxKept: maxKept,
		},
		entries: map[payment.Ref]*entry{},
		keys:    map[string]use{},
	}
}

// Request asks for a payment. Two requests are the same when all fields but URL
// are.
type Request struct {
	Key      string // idempotency key
	Ref      payment.Ref
	Amount   payment.Amount // minor units
	Currency payment.Currency
	Terms    payment.Terms
	Digest   [32]byte // of whatever else the request says; the Book only compares it
	Refused  string   // a code the caller refuses with, sticking to the key as any refusal does; normally empty
	URL      string   // where the payer approves; told while there is something to approve
}

// entry is one reference. Its state is payment.NotFound while every create for
// it has been refused.
type entry struct {
	request  Request
	found    payment.Found // URL is always empty here; see Book.show
	psp      uint64        // of the creation
	made     time.Duration
	approved time.Duration
	captured time.Duration // the last time
	busy     time.Duration // being worked on until then
	gone     bool          // the bank let the reservation go without telling
	writes   []time.Duration
	reads    int           // since readsFrom
	readFrom time.Duration // when the running minute of reads began
	events   []Event

	// Room for what an ordinary payment needs, so that it is one allocation.
	writeRoom [writesPerMinute]time.Duration
	eventRoom [5]Event
}

// Get reads a payment back. Problems: 5090, 429.
func (b *Book) Get(now time.Duration, ref payment.Ref) (payment.Found, *Problem) {
	e, p := b.read(now, ref)
	if p != nil {
		return payment.Found{}, p
	}
	return b.show(e), nil
}

// read is a get, of the payment or of its events. Problems: 5090, 429.
func (b *Book) read(now time.Duration, ref payment.Ref) (*entry, *Problem) {
	e := b.find(now, ref)
	if e == nil || e.found.State == payment.NotFound {
		return nil, refuse(noSuchPayment)
	}
	// How the provider counts is not published: here in minutes that begin with
	// a read. A sliding window of 120 would cost a kilobyte for each payment.
	if now-e.readFrom >= time.Minute || e.reads == 0 {
		e.readFrom, e.reads = now, 0
	}
	if e.reads >= b.Rules.ReadsPerMinute {
		return nil, tooMany(e.readFrom + time.Minute - now)
	}
	e.reads++
	return e, nil
}

// Payment is what a check may want to know of a payment.
type Payment struct {
	Ref      payment.Ref
	Currency payment.Currency
	Made     time.Duration
	Found    payment.Found
}

// Payments goes through all payments, in the order of their creation, as they
// stand at now. It is for checks: no rule counts it as a read.
func (b *Book) Payments(now time.Duration) iter.Seq[Payment] {
	return func(yield func(Payment) bool) {
		for _, e := range b.order {
			b.age(now, e)
			if e.found.State == payment.NotFound {
				continue
			}
			if !yield(Payment{e.request.Ref, e.request.Currency, e.made, b.show(e)}) {
				return
			}
		}
	}
}

// Events gives the log of a payment as it stands at now; nil when there is none.
// It is for checks: no rule counts it. The caller must not change the slice.
func (b *Book) Events(now time.Duration, ref payment.Ref) []Event {
	if e := b.find(now, ref); e != nil {
		return e.events
	}
	return nil
}

// find gives the entry as it stands at now, or nil.
func (b *Book) find(now time.Duration, ref payment.Ref) *entry {
	e := b.entries[ref]
	if e != nil {
		b.age(now, e)
	}
	return e
}

// age lets happen what time alone does to a payment.
func (b *Book) age(now time.Duration, e *entry) {
	switch {
	case e.found.State == payment.Created && now >= e.made+b.Rules.Expiry:
		e.found.State = payment.TimedOut
		b.note(e, Event{Name: Expired, Amount: e.found.Amount, Success: true, At: e.made + b.Rules.Expiry})
	case e.found.State == payment.Authorised && b.overdue(now, e):
		b.release(e.approved+b.Rules.Deadline, e)
	}
}

func (b *Book) overdue(now time.Duration, e *entry) bool {
	return now >= e.approved+b.Rules.Deadline
}

// release frees whatever is still held, and says whether that was anything.
func (b *Book) release(now time.Duration, e *entry) bool {
	left := e.found.Left()
	if left <= 0 {
		return false
	}
	e.found.Freed += left
	b.note(e, Event{Name: Cancelled, Amount: left, Success: true, At: now})
	return true
}

// show is what the service tells of a payment.
func (b *Book) show(e *entry) payment.Found {
	f := e.found
	if f.State == payment.Created && !b.Rules.HideURL {
		f.URL = e.request.URL
	}
	return f
}
