package session

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// broken lists the laws that a step from before to s breaks. They hold in every
// state, whatever happened, so every test that steps asks for them.
func broken(r *Rules, before, s *State, now hal.Instant) []string {
	var out []string
	law := func(holds bool, format string, args ...any) {
		if !holds {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	want := r.Want(s, now)
	lawsOfWant(law, r, s, now, want)
	lawsOfCharge(law, before, s)
	lawsOfDebts(law, s, now)
	lawsOfDocuments(law, before, s)
	lawsOfOpen(law, r, before, s)
	if !s.Kept.Same(&before.Kept) {
		record := s.Kept.Append(nil)
		back, err := Decode(record)
		law(err == nil && back.Same(&s.Kept) && bytes.Equal(back.Append(nil), record), "the kept state does not survive the disk: %v", err)
		law(!bytes.Equal(record, before.Kept.Append(nil)), "Same sees a difference that the disk does not")
	}
	return out
}

type lawful func(holds bool, format string, args ...any)

func lawsOfWant(law lawful, r *Rules, s *State, now hal.Instant, want Want) {
	law(!s.test.On() || s.Phase == Idle, "a test in phase %v", s.Phase)
	if want.Contactor == hal.Closed {
		if s.Phase == Idle {
			lawsOfTest(law, r, s, now)
		} else {
			law(s.Phase == Charging, "wanted closed in phase %v", s.Phase)
			law(s.Charge.Held, "wanted closed without an approval")
			law(s.Faults()&unsafe == 0, "wanted closed with %v", s.Faults())
			law(r.carPresent(s), "wanted closed without a car")
		}
		law(s.signals == 0, "wanted closed although the wires say %v", s.signals)
		law(s.sense.known && s.meter.known, "wanted closed before contactor and meter have spoken")
	}
	again := r.Want(s, now)
	law(want.Contactor == again.Contactor && want.Poll == again.Poll && slices.EqualFunc(want.Orders, again.Orders, sameOrder), "Want is not the same twice")
	at, ok := s.NextAsk()
	law((len(want.Orders) > 0) == (ok && at <= now.Mono), "%d orders wanted, and the next is due %v (%v)", len(want.Orders), at-now.Mono, ok)
	seen := map[payment.Ref]bool{}
	for _, o := range want.Orders {
		law(!seen[o.Ref], "two orders for %s", o.Ref)
		law(o.Verb != payment.Settle || o.Amount >= 0, "settle %v of %s", o.Amount, o.Ref)
		seen[o.Ref] = true
	}
}

// lawsOfTest: without a charge the contactor is closed for a technician's test alone,
// out of service, for a moment, and with no car.
func lawsOfTest(law lawful, r *Rules, s *State, now hal.Instant) {
	const fine = Withdrawn | Recall | Leaving | WontClose | SenseBroken | Worn | Rebooting | Unsellable
	law(s.test.On(), "wanted closed without charge and test")
	law(now.Mono-s.test.Begun < TestFor, "a test goes on for %v", now.Mono-s.test.Begun)
	law(s.Latched&Withdrawn != 0, "tested in service")
	law(s.Faults()&^fine == 0, "tested with %v", s.Faults())
	law(r.NoPlug || s.plug == hal.PlugOut, "tested with the plug %v", s.plug)
	law(s.meter.load < drawing, "tested while %v flow", s.meter.load)
}

func sameOrder(a, b payment.Order) bool {
	if a.Receipt != nil && b.Receipt != nil && reflect.DeepEqual(a.Receipt, b.Receipt) {
		b.Receipt = a.Receipt
	}
	return a == b
}

// lawsOfDocuments: whatever was sold has a number, no number is used twice, and
// the app is told of nothing else.
func lawsOfDocuments(law lawful, before, s *State) {
	law(s.Receipts >= before.Receipts, "the series goes back from %d to %d", before.Receipts, s.Receipts)
	law(len(s.links) == len(s.Done), "%d settled charges, %d pages", len(s.Done), len(s.links))
	newest := uint64(0)
	for i := range s.Done {
		d := &s.Done[i]
		law((d.Receipt != 0) == (d.Captured > 0), "charge %d: %v captured, document %d", d.Number, d.Captured, d.Receipt)
		law(d.Told == ToldNothing || d.Receipt != 0, "charge %d: the app is told of a document that is none", d.Number)
		if d.Receipt != 0 {
			law(d.Receipt > newest && d.Receipt <= s.Receipts, "charge %d has document %d after %d of %d", d.Number, d.Receipt, newest, s.Receipts)
			newest = d.Receipt
		}
	}
}

// lawsOfCharge: there is one charge or none, it is frozen, and its money is known
// to somebody until it is settled.
func lawsOfCharge(law lawful, before, s *State) {
	c := &s.Charge
	law((s.Phase == Idle) == (*c == Charge{}), "phase %v with charge %d", s.Phase, c.Number)
	law(s.Counter >= c.Number, "charge %d above the counter %d", c.Number, s.Counter)
	if b := &before.Charge; b.Number != 0 && b.Number == c.Number {
		law(b.Holder == c.Holder && b.Price == c.Price && b.Limit == c.Limit && b.Start == c.Start && b.Started == c.Started,
			"charge %d was changed under way", c.Number)
		law(s.Phase >= before.Phase, "from %v back to %v", before.Phase, s.Phase)
		law(!b.Held || c.Held, "the approval of charge %d was forgotten", c.Number)
	}
	if b := &before.Charge; b.Number != 0 && b.Number != c.Number {
		owed := func(d Debt) bool { return d.Number == b.Number }
		law(slices.ContainsFunc(s.Debts, owed) || slices.ContainsFunc(s.Done, owed), "charge %d is gone", b.Number)
	}
}

func lawsOfDebts(law lawful, s *State, now hal.Instant) {
	law(len(s.Debts) <= MaxDebts+1, "%d debts", len(s.Debts)) // a search may end with one more
	law(len(s.Done) <= MaxDone, "%d settled charges", len(s.Done))
	law(len(s.asks) == len(s.Debts), "%d debts, %d askings", len(s.Debts), len(s.asks))
	seen := map[uint64]bool{s.Charge.Number: true}
	for i := range s.Debts {
		d, q := &s.Debts[i], &s.asks[i]
		law(!seen[d.Number], "charge %d is there twice", d.Number)
		seen[d.Number] = true
		law(d.Due >= 0 && d.Due <= d.Limit, "charge %d: %v due of %v", d.Number, d.Due, d.Limit)
		law(d.Due == 0 || d.Held, "charge %d was never approved, and %v is due", d.Number, d.Due)
		law(d.End >= d.Start, "charge %d ends at %v, begins at %v", d.Number, d.End, d.Start)
		law(q.out || q.next <= now.Mono+sparseAttempts+longestWait, "charge %d is not asked about before %v", d.Number, q.next-now.Mono)
	}
}

// lawsOfOpen: what is told of a charge, for whoever may have to settle it in our
// place, is never more than its bill comes to. And all that is held is told of.
func lawsOfOpen(law lawful, r *Rules, before, s *State) {
	for _, o := range r.Open(before) {
		law(o.Due >= 0 && o.Due <= o.Limit && (o.Due == 0 || o.Due >= o.Currency.Minimum()), "%s: %v of %v is told to be due", o.Ref, o.Due, o.Limit)
		if i := s.debtOf(o.Ref.Number()); i >= 0 && !o.Ended {
			law(o.Due <= s.Debts[i].Due, "%s: %v was told to be due, and the bill is %v", o.Ref, o.Due, s.Debts[i].Due)
		}
	}
	open := len(s.Debts)
	if s.Phase != Idle {
		open++
	}
	law(len(r.Open(s)) == open, "%d payments are not settled, and %d are told of", open, len(r.Open(s)))
}

// longestWait is the longest time the tests' service asks us to wait.
const longestWait = time.Hour
