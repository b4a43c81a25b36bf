package main

import (
	"log/slog"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/payment"
)

// diary logs what changes in an EVSE: one line for each, nothing by the second.
type diary struct {
	log   *slog.Logger
	rules *session.Rules
}

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
	if last := len(after.Done) - 1; last >= 0 && !sameLast(before.Done, after.Done) {
		s := &after.Done[last]
		d.log.Info("settled", "ref", d.rules.Ref(s.Number), "captured", s.Captured, "released", s.Released)
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

func sameLast(a, b []session.Debt) bool {
	return len(a) > 0 && len(b) > 0 && a[len(a)-1].Number == b[len(b)-1].Number
}
