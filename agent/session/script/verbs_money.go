package script

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/session"
	"stolpe/payment"
)

func (w *world) doPayer(args []string) error {
	e := w.till.payments[w.till.newest()]
	if e == nil || e.State != payment.Created {
		return fmt.Errorf("there is nothing to approve")
	}
	w.till.change(w.till.newest(), func(f *payment.Found) {
		switch {
		case is(args, "approves"):
			f.State, f.Held = payment.Authorised, f.Amount
		case is(args, "declines"):
			f.State = payment.DeclinedByPayer
		}
	})
	return nil
}

// doStranger makes a payment of somebody else's under a number of ours.
func (w *world) doStranger(args []string) error {
	if !is(args, "holds * kr under *") {
		return errCommand
	}
	n, err := strconv.ParseUint(args[4], 10, 64)
	amount, err2 := strconv.Atoi(args[1])
	ref := w.rules.Ref(n)
	w.till.refs = append(w.till.refs, ref)
	a := payment.Amount(amount) * 100
	w.till.payments[ref] = &entry{Found: payment.Found{State: payment.Authorised, Amount: a, Held: a}, made: w.at}
	return errors.Join(err, err2)
}

// doPortal is a person at the merchant's portal, working on the newest payment.
func (w *world) doPortal(args []string) error {
	var amount payment.Amount
	if is(args, "* * kr") {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		amount = payment.Amount(n) * 100
	}
	how := map[string]func(*payment.Found){
		"releases": func(f *payment.Found) { f.Freed += f.Left() },
		"takes":    func(f *payment.Found) { f.Taken += amount },
		"refunds":  func(f *payment.Found) { f.Refunded += amount },
	}[strings.Join(args[:min(1, len(args))], "")]
	if how == nil {
		return errCommand
	}
	w.till.change(w.till.newest(), how)
	return nil
}

func (w *world) doService(args []string) error {
	l := w.till
	switch {
	case is(args, "shy"):
		l.shy = true
	case is(args, "ok"), is(args, "lost"), is(args, "deaf"), is(args, "late"), is(args, "keeps"):
		l.mood = mood(args[0])
		if l.mood == well {
			l.land(w.at)
		}
	case is(args, "busy *"):
		d, err := time.ParseDuration(args[1])
		l.mood, l.wait = busy, d
		return err
	case is(args, "refuses *"):
		for r := payment.NoReason; r <= payment.LastReason; r++ {
			if r.String() == args[1] {
				l.mood, l.reason = refuses, r
				return nil
			}
		}
		return errCommand
	default:
		return errCommand
	}
	return nil
}

// doReceipts has receipts go into the app, and says how that does.
func (w *world) doReceipts(args []string) error {
	w.rules.Receipts = true
	w.app.mood = mood(strings.Join(args, " "))
	switch w.app.mood {
	case well, lost, deaf, busy, refuses:
		return nil
	}
	return errCommand
}

// doHint is somebody saying that something has happened to a payment.
func (w *world) doHint(args []string) error {
	if !is(args, "*") {
		return errCommand
	}
	n, err := strconv.ParseUint(args[0], 10, 64)
	return errors.Join(err, w.step(session.Hinted{Ref: w.rules.Ref(n)}))
}

// doCountry sets for how long anything can be captured.
func (w *world) doCountry(args []string) error {
	days, err := strconv.Atoi(strings.TrimSuffix(strings.Join(args, " "), " days"))
	w.rules.Capture = time.Duration(days) * 24 * time.Hour
	return err
}
