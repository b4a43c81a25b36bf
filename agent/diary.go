package main

import (
	"log/slog"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// diary logs what changes in an EVSE: one line for each, nothing by the second.
type diary struct {
	log    *slog.Logger
	rules  *session.Rules
	warned map[uint64]time.Duration // age at which a settlement that does not come about was told of, by charge
}

// everyDay is how often a settlement that does not come about is told of, and how
// old it is at first. Chosen by us: most resolve by themselves within hours, and
// a reservation is sure for a week.
const everyDay = 24 * time.Hour

// Saw logs a step, if anything changed in it.
func (d *diary) Saw(m evse.Moment) {
	before, after := &m.Before, &m.After
	if was, is := before.Faults(), after.Faults(); was != is {
		if grave := is &^ was; grave != 0 {
			d.log.Warn("fault", "what", grave.String(), "code", grave.Code())
		}
		if over := was &^ is; over != 0 {
			d.log.Info("fault over", "what", over.String())
		}
	}
	if before.Phase != after.Phase {
		d.phase(before, after)
	}
	if len(before.Done) > 0 && len(after.Done) == len(before.Done) {
		d.told(before.Done, after.Done)
	}
	for i := range after.Debts {
		d.countDown(&after.Debts[i], m.Now.Wall)
	}
	if last := len(after.Done) - 1; last >= 0 && !sameLast(before.Done, after.Done) {
		s := &after.Done[last]
		attrs := []any{"ref", d.rules.Ref(s.Number), "captured", s.Captured, "released", s.Released}
		if s.Receipt != 0 {
			attrs = append(attrs, "document", d.rules.ReceiptNumber(s))
		}
		d.log.Info("settled", attrs...)
		delete(d.warned, s.Number)
		if s.Trouble != payment.NoReason {
			d.log.Error("a person should look at this payment", "ref", d.rules.Ref(s.Number), "why", s.Trouble, "due", s.Due)
		}
	}
}

func (d *diary) phase(before, after *session.State) {
	if after.Phase != session.Idle {
		d.log.Info(after.Phase.String(), "ref", d.rules.Ref(after.Charge.Number))
		return
	}
	for _, list := range [][]session.Debt{after.Debts, after.Done} {
		if n := len(list) - 1; n >= 0 && list[n].Number == before.Charge.Number {
			s := &list[n]
			d.log.Info("ended", "ref", d.rules.Ref(s.Number), "why", s.Why, "energy", s.End-s.Start, "due", s.Due)
			if before.Phase == session.Stopping { // it had been closed
				d.wear(after.Wear)
			}
		}
	}
}

// wear tells how far the contactor's life has come: one that opens more slowly than
// it did wants to be replaced before it welds.
func (d *diary) wear(w session.Wear) {
	d.log.Info("contactor", "closings", w.Closings, "under_load", w.Hot, "opened_in", w.Opening, "slowest", w.Slowest)
}

// told tells what has become of a receipt for the app.
func (d *diary) told(before, after []session.Debt) {
	for i := range after {
		s := &after[i]
		if s.Number != before[i].Number || s.Told == before[i].Told {
			continue
		}
		if s.Told == session.ToldNever {
			d.log.Warn("receipt is not in the app; the driver's page has it", "ref", d.rules.Ref(s.Number), "document", d.rules.ReceiptNumber(s))
			continue
		}
		d.log.Info("receipt is in the app", "ref", d.rules.Ref(s.Number), "document", d.rules.ReceiptNumber(s))
	}
}

// countDown tells once a day of a settlement that does not come about, and how
// long its money is still sure.
func (d *diary) countDown(s *session.Debt, now hal.Stamp) {
	age, left, ok := s.Countdown(now)
	if !ok || age < d.warned[s.Number]+everyDay {
		return
	}
	if d.warned == nil {
		d.warned = map[uint64]time.Duration{}
	}
	d.warned[s.Number] = age
	attrs := []any{"ref", d.rules.Ref(s.Number), "due", s.Due, "age", age.Truncate(time.Hour), "why", s.Trouble}
	if left > 0 {
		d.log.Warn("not settled yet", append(attrs, "sure_for", left.Truncate(time.Hour))...)
		return
	}
	d.log.Error("not settled, and the bank may have let the reservation go", attrs...)
}

func sameLast(a, b []session.Debt) bool {
	return len(a) > 0 && len(b) > 0 && a[len(a)-1].Number == b[len(b)-1].Number
}
