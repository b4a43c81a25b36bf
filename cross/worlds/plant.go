package worlds

import (
	"slices"
	"strconv"
	"time"

	"stolpe/agent/session"
	"stolpe/payment"
)

// plant is a mistake put into a world on purpose, to see that the judge finds it.
type plant uint8

// The planted mistakes. All of them sit in what surrounds the core, so that the
// product carries no code for being wrong.
const (
	plantNothing plant = iota
	plantDeedFirst
	plantForget
	plantEarlyRelease
	plantGiveUp
	plantNewKey
	plantOneReading
	plantDeafStop
	plantRecompute
	plantNoTombstone
	plantBlindWeld
	plantBlindRot
	plantHammer
	plantStale
	plantDeafWire
	plantOldReading
	plantNoRollover
	plantLifeKey
	plantTwoTries
	plantTwoRestarts
	plantNewReceipt
	plantNoJump
	plantHintAsks
	plantHintBelieved
	plantReceiptFirst
	plantReceiptHolds
	plantLongTest
	plantTestCar
	plants
)

var plantNames = [plants]string{
	"", "deed-before-disk", "charge-forgotten-at-restart", "release-before-capture", "server-error-taken-for-no",
	"new-key-after-unknown", "one-reading-believed", "stop-not-latched", "due-recomputed-at-restart",
	"no-tombstone", "weld-not-sensed", "journal-damage-ignored", "write-budget-ignored",
	"stale-approval-believed", "wires-ignored", "old-reading-believed", "rollover-ignored",
	"key-made-anew-at-restart", "given-up-after-two-silences", "two-restarts-forget",
	"receipt-made-anew", "number-not-moved-on", "hint-asks-at-once", "hint-believed", "receipt-before-disk", "receipt-before-money",
	"test-outlives-lease", "test-beside-car",
}

// String gives the plant's name.
func (p plant) String() string { return plantNames[p] }

// plantedRules spoils what the post knows of its meter.
func (w *world) plantedRules() {
	switch w.plant {
	case plantOldReading:
		w.post.rules.Refresh = 0
	case plantNoRollover:
		w.post.rules.Modulus = 0
	}
}

// plantedBoot spoils what was found in the journal.
func (w *world) plantedBoot(k session.Kept) session.Kept {
	switch w.plant {
	case plantForget:
		k = session.Kept{Counter: k.Counter, Serial: k.Serial, Resting: k.Resting}
	case plantTwoRestarts:
		if k.Boots > 1 && len(k.Debts) > 0 {
			k.Debts = nil
		}
	case plantRecompute:
		debts := append([]session.Debt(nil), k.Debts...)
		for i := range debts {
			debts[i].End = w.bench.Truth(w.now).Energy + w.judge.base
			debts[i].Due = debts[i].Bill().Total
		}
		k.Debts = debts
	}
	return k
}

// plantedNext spoils the decision which call comes next.
func (w *world) plantedNext(o payment.Order, f payment.Found) payment.Call {
	c := o.Next(f)
	switch {
	case w.plant == plantEarlyRelease && c.Kind == payment.Capture && w.judge.asked(o) > 1:
		return payment.Call{Kind: payment.CancelAll}
	case w.plant == plantNewKey && o.Verb == payment.Settle && f.Taken > 0 && f.Left() > 0:
		return payment.Call{Kind: payment.Capture, Amount: min(o.Amount, f.Left())}
	}
	return c
}

// plantedOrder spoils an order before it leaves.
func (w *world) plantedOrder(o payment.Order) payment.Order {
	if w.plant == plantNewReceipt && o.Verb == payment.Inform {
		anew := *o.Receipt
		anew.Lines = slices.Clone(anew.Lines)
		anew.Lines[0].Name += " " + strconv.Itoa(int(o.Seq))
		o.Receipt = &anew
	}
	return o
}

// plantedOrders spoils when orders leave.
func (w *world) plantedOrders(orders []payment.Order) []payment.Order {
	switch {
	case w.plant == plantReceiptFirst:
		for _, o := range orders {
			if o.Verb == payment.Inform {
				w.ask(o)
			}
		}
	case w.plant == plantReceiptHolds && w.telling():
		return slices.DeleteFunc(orders, func(o payment.Order) bool { return o.Verb == payment.Settle })
	}
	return orders
}

// plantedHint spoils what follows from a hint.
func (w *world) plantedHint(n uint64) {
	s := &w.post.state
	switch w.plant {
	case plantHintBelieved:
		if w.post.up && s.Phase == session.Approving && s.Charge.Number == n {
			s.Charge.Held, s.Charge.Guaranteed = true, guaranteed(w.judge.current())
		}
	case plantHintAsks:
		for i := range s.Debts {
			d := &s.Debts[i]
			o := payment.Order{Verb: payment.Settle, Ref: w.post.rules.Ref(n), Amount: d.Due, Currency: d.Price.Currency, Attempt: d.Attempt}
			if w.post.up && d.Number == n && w.judge.owedOnDisk(w, o) {
				w.ask(o)
			}
		}
	}
}

// plantedJump spoils what becomes of the series of sales documents when the card
// was another one.
func (w *world) plantedJump(before uint64) {
	if w.plant == plantNoJump && w.post.state.Receipts > before+1 {
		w.post.state.Receipts = before
	}
}

// plantedKey spoils the key of a capture.
func (w *world) plantedKey(o payment.Order) string {
	switch w.plant {
	case plantNewKey:
		return o.Key(payment.Capture) + "." + strconv.Itoa(int(o.Seq))
	case plantLifeKey:
		return o.Key(payment.Capture) + "." + strconv.Itoa(w.post.life)
	}
	return o.Key(payment.Capture)
}

// plantedAnswer spoils what an answer is taken for.
func (w *world) plantedAnswer(a *asking) payment.Answer {
	answer := a.answer
	switch {
	case w.plant == plantGiveUp && answer.Status == payment.Unknown && a.call.Kind == payment.Capture:
		return payment.Answer{Status: payment.Refused, Reason: payment.TooLate}
	case w.plant == plantTwoTries && answer.Status == payment.Unknown && a.order.Verb == payment.Settle && w.judge.asked(a.order)%2 == 0:
		return payment.Answer{Status: payment.Refused, Reason: payment.TooLate}
	case w.plant == plantStale && answer.Status == payment.Unknown && w.post.state.Phase == session.Approving:
		return payment.Answer{Status: payment.Pending, Found: payment.Found{State: payment.Created, URL: "app"}}
	}
	return answer
}

// plantedLease spoils when a contactor is opened that was closed for a test.
func (w *world) plantedLease() bool {
	return w.plant == plantLongTest && w.post.closed && w.judge.testing && w.now-w.judge.testAt < time.Minute
}

// plantedHome spoils what is done after an answer.
func (w *world) plantedHome(a *asking, answer payment.Answer) {
	p := &w.post
	if !p.up {
		return
	}
	switch {
	case w.plant == plantNoTombstone && answer.Status == payment.Missing && a.order.Verb == payment.Settle && len(p.state.Debts) > 0:
		p.state = p.rules.Recover(session.Kept{Counter: p.state.Counter, Serial: p.state.Serial}, session.Whole, w.instant())
	case w.plant == plantHammer && answer.Status == payment.Unknown && a.order.Verb != payment.Look:
		if w.judge.asked(a.order) < 8 {
			w.ask(a.order)
			w.ask(a.order)
		}
	}
}
