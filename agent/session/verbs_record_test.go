package session

import (
	"encoding/base64"
	"slices"
	"strconv"

	"stolpe/payment"
)

// The commands that come from a support bundle (agent/session/script plays them, too).

// doOffer sets the one amount that may be reserved.
func (w *world) doOffer(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	n, err := strconv.Atoi(args[0])
	w.rules.Choices, w.rules.Default = []payment.Amount{payment.Amount(n)}, payment.Amount(n)
	return err
}

// doRecord puts a record on the card. The payment service has what the record knows of.
func (w *world) doRecord(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	record, err := base64.StdEncoding.DecodeString(args[0])
	if err != nil {
		return err
	}
	kept, err := Decode(record)
	w.disk, w.older = record, record
	open := slices.Clone(kept.Debts)
	if kept.Phase != Idle {
		open = append(open, Debt{Charge: kept.Charge})
	}
	for _, d := range open {
		f := payment.Found{State: payment.Created, Amount: d.Limit, Terms: payment.Terms{
			EVSE: w.rules.evse(), Meter: kept.Serial, Start: d.Start, Price: d.Price, Holder: d.Holder,
		}}
		if d.Held {
			f.State, f.Held, f.Taken, f.Freed = payment.Authorised, d.Limit, d.Captured, d.Released
		}
		w.till.refs = append(w.till.refs, w.rules.Ref(d.Number))
		w.till.payments[w.rules.Ref(d.Number)] = &entry{Found: f, made: w.at}
	}
	return err
}
