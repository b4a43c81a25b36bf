package session

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"stolpe/payment"
)

// doStranger makes a payment of somebody else's under a number of ours.
func (w *world) doStranger(args []string) error {
	if !is(args, "holds * kr under *") {
		return errUsage
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
	}[args[0]]
	if how == nil {
		return errUsage
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
		return errUsage
	default:
		return errUsage
	}
	return nil
}

func (w *world) doAfter(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	w.until(w.at + d)
	return nil
}

// doAt lets time pass until a time of day.
func (w *world) doAt(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	t, err := time.Parse("15:04", args[0])
	if err != nil {
		return err
	}
	d := time.Duration(t.Hour()-12)*time.Hour + time.Duration(t.Minute())*time.Minute
	w.until(d)
	return nil
}

func (w *world) until(t time.Duration) {
	for w.at < t {
		w.pass()
	}
}

func (w *world) doShow(args []string) error {
	w.diary.show(w, slices.Concat(args, []string{""})[0])
	return nil
}
