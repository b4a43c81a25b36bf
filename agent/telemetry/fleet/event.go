package fleet

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"stolpe/agent/telemetry"
	"stolpe/display"
	"stolpe/payment"
)

// Chosen by us.
const (
	maxSeq     = 1 << 53            // beyond it JSON's numbers are not exact, and no post comes there
	maxEnergy  = 10_000_000         // Wh of one charge: 10 MWh
	maxTime    = 7 * 24 * time.Hour // of one charge, which lasts no longer anywhere
	maxAhead   = 24 * time.Hour     // that an event may be in the future; then its clock was wrong
	rewritten  = 10 * time.Minute   // later than all others, a first event that was not known is of a new book
	maxStrikes = 3                  // drivers in a row whom a post gave nothing, or could not have pay
)

// told is the data of the events that are counted, whatever their type.
type told struct {
	Energy     int64            `json:"e_wh"`  // Wh
	Seconds    int64            `json:"dur_s"` // of charging, s
	Currency   payment.Currency `json:"cur"`
	Captured   payment.Amount   `json:"captured"`
	WrittenOff payment.Amount   `json:"written_off"`
	Reason     string           `json:"reason"`

	Amount payment.Amount   `json:"amount"` // of a refund
	In     payment.Currency `json:"currency"`

	From uint64 `json:"from"` // numbers of events that are no more
	To   uint64 `json:"to"`   // both included
}

// event counts an event, once.
func (p *post) event(now time.Time, text []byte) error {
	var e telemetry.Event
	if err := decode(text, &e.Head, &e); err != nil {
		return err
	}
	if e.Seq == 0 || e.Seq > maxSeq || e.EVSE < 0 || e.EVSE > maxNumber {
		return errNumbers
	}
	var d told
	if len(e.Data) > 0 {
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
	}
	when, sure := now, good(e.Clock) && e.At.Before(now.Add(maxAhead)) && e.At.After(now.Add(-keptFor*time.Second))
	if sure {
		when = e.At.In(now.Location())
	}
	trimmed := e.Type == "book.trimmed" // it has the last number of what it stands for
	if !trimmed && (p.Marks.other(e.Seq, e.ID) || e.Seq == 1 && !p.Marks.has(1) && sure && len(p.Seqs) > 0 && when.Sub(at(p.Newest)) > rewritten) {
		p.Seqs, p.Marks = nil, nil // numbered from the beginning, on a new card
	}
	newer := e.Seq > p.Seqs.newest()
	if trimmed && d.From > 0 && d.From <= d.To && d.To <= e.Seq {
		p.Seqs.fill(d.From, d.To) // nobody will see them any more
	}
	if !p.Seqs.take(e.Seq) {
		return nil
	}
	p.Marks.note(e.Seq, e.ID)
	p.Newest = max(p.Newest, when.Unix())
	p.counted = true
	p.count(when, func(t *Tally) { t.event(e.Type, d) })
	if newer {
		p.strike(now, e.Type, e.EVSE, d)
	}
	return nil
}

// event counts one event.
func (t *Tally) event(kind string, d told) {
	d.Energy = within(d.Energy, maxEnergy)
	switch kind {
	case "session.created":
		t.Asked++
	case "session.authorised":
		t.Approved++
	case "session.started":
		t.Closed++
	case "session.settled":
		t.sold(d)
	case "session.abandoned":
		if t.Failed == nil {
			t.Failed = map[string]int{}
		}
		t.Failed[ending(d.Reason)]++
		if d.Seconds > 0 {
			t.Dry++
		}
	case "payment.failed":
		t.Troubled++
	case "payment.refunded":
		money(&t.Refunded, d.In, d.Amount)
	}
}

// sold counts a charge that was settled.
func (t *Tally) sold(d told) {
	t.Energy += d.Energy
	if d.Energy > 0 {
		t.Fed++
		if broken(d.Reason) {
			t.Cut++
		}
	}
	t.Seconds += within(d.Seconds, int64(maxTime/time.Second))
	money(&t.Revenue, d.Currency, d.Captured)
	money(&t.Lost, d.Currency, d.WrittenOff)
}

func money(to *map[payment.Currency]int64, c payment.Currency, a payment.Amount) {
	if c.Known() && a > 0 && a <= payment.MaxAmount {
		sum(to, map[payment.Currency]int64{c: int64(a)})
	}
}

// within is a number that is none of what cannot be.
func within(n, most int64) int64 {
	if n < 0 || n > most {
		return 0
	}
	return n
}

// ending is a word of display.End, or other.
func ending(word string) string {
	for e := display.NotEnded + 1; e <= display.LastEnd; e++ {
		if e.String() == word {
			return word
		}
	}
	return "other"
}

// broken says whether a charge ended by something that went wrong.
func broken(reason string) bool {
	return slices.ContainsFunc([]display.End{display.PowerLost, display.MeterLost, display.ContactorBad, display.StorageBad, display.PaymentGone, display.Emergency, display.ShutDown},
		func(e display.End) bool { return e.String() == reason })
}

// Results are how requests went, in words: ok, interrupted, no_energy, start_failed,
// not_approved and no_payment.
func (t Tally) Results() map[string]int {
	failed, refused, unpaid := 0, 0, 0
	for word, n := range t.Failed {
		failed += n
		switch word {
		case display.Declined.String(), display.AbortedInApp.String(), display.TimedOut.String():
			refused += n
		case display.NoAnswer.String(), display.PaymentGone.String():
			unpaid += n
		}
	}
	return map[string]int{"ok": t.Fed - t.Cut, "interrupted": t.Cut, "no_energy": t.Dry, "start_failed": max(0, failed-refused-unpaid-t.Dry), "not_approved": refused, "no_payment": unpaid}
}

// strikeOf is for what an end that is the post's stands: charges that were approved and
// got nothing though there was a car, and those that could not be paid. Empty for others.
func strikeOf(reason string) string {
	switch reason {
	case display.NoEnergy.String(), display.ContactorBad.String(), display.MeterLost.String():
		return strikesCode
	case display.NoAnswer.String(), display.PaymentGone.String():
		return unpaidCode
	}
	return ""
}

// strike counts the drivers in a row who got nothing. An EVSE that says it is available,
// and is not for anybody, counts as down.
func (p *post) strike(now time.Time, kind string, number int, d told) {
	e := p.EVSEs[number]
	if e == nil {
		return
	}
	switch {
	case kind == "session.abandoned" && strikeOf(d.Reason) != "":
		e.Strikes, e.Unpaid = min(e.Strikes+1, maxStrikes), strikeOf(d.Reason) == unpaidCode
	case kind == "session.settled" && d.Energy > 0, kind == "session.authorised" && e.Unpaid:
		e.Strikes, e.Unpaid = 0, false
	default:
		return
	}
	if p.there == present && e.fresh && !p.silent {
		e.Line.add(e.change(now.Unix()))
	}
}

func good(clock string) bool { return clock == "synced" || clock == "holdover" }

// decode reads a payload of a version that is known.
func decode(text []byte, head *telemetry.Head, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return err
	}
	if head.V != telemetry.Version {
		return errVersion
	}
	return nil
}

// firstOf gives the first text that is not empty.
func firstOf(texts ...string) string { return cmp.Or(texts...) }
