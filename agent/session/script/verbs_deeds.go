package script

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

func (w *world) doContactor(args []string) error {
	if !is(args, "ok") && !is(args, "stuck") && !is(args, "welded") {
		return errCommand
	}
	w.wires.contactor = args[0]
	if w.off {
		return nil
	}
	return w.act()
}

func (w *world) doSense(args []string) error {
	if !is(args, "ok") && !is(args, "dead") && !is(args, "open") && !is(args, "closed") {
		return errCommand
	}
	w.wires.sense = args[0]
	return nil
}

func (w *world) doWire(args []string) error {
	signal, known := map[string]hal.Signals{
		"none": 0, "stop": hal.StopPressed, "estop": hal.EmergencyStop, "rcd": hal.RCDTripped, "hot": hal.TooHot,
	}[strings.Join(args, " ")]
	if !known {
		return errCommand
	}
	return w.step(session.Signalled{Signals: signal})
}

// doSupply: without mains no coil pulls, and the meter lives on something else.
func (w *world) doSupply(args []string) error {
	if !is(args, "missing") && !is(args, "present") {
		return errCommand
	}
	w.wires.dark = args[0] == "missing"
	return w.act()
}

func (w *world) doDisk(args []string) error {
	w.full = is(args, "full")
	return nil
}

// doRecord puts a record on the card. The payment service has what the record knows of: so
// much held, and nothing taken that the record does not know to be taken.
func (w *world) doRecord(args []string) error {
	if len(args) != 1 {
		return errCommand
	}
	record, err := base64.StdEncoding.DecodeString(args[0])
	if err != nil {
		return err
	}
	kept, err := session.Decode(record)
	if err != nil {
		return err
	}
	w.disk, w.older = record, record
	open := slices.Clone(kept.Debts)
	if kept.Phase != session.Idle {
		open = append(open, session.Debt{Charge: kept.Charge})
	}
	for _, d := range open {
		f := payment.Found{State: payment.Created, Amount: d.Limit, Terms: payment.Terms{
			EVSE: fmt.Sprintf("%s/%d", w.rules.Post, w.rules.EVSE), Meter: kept.Serial, Start: d.Start, Price: d.Price, Holder: d.Holder,
		}}
		if d.Held {
			f.State, f.Held, f.Taken, f.Freed = payment.Authorised, d.Limit, d.Captured, d.Released
		}
		ref := w.rules.Ref(d.Number)
		w.till.refs = append(w.till.refs, ref)
		w.till.payments[ref] = &entry{Found: f, made: w.at}
	}
	return nil
}

func (w *world) doPower(args []string) error {
	var err error
	switch {
	case is(args, "cut"):
		w.cut()
	case is(args, "on"):
		err = w.start(session.Whole)
	case is(args, "on torn"): // the newest record did not survive
		w.disk = w.older
		err = w.start(session.Whole)
	case is(args, "on card new"):
		w.disk = (&session.Kept{}).Append(nil)
		err = w.start(session.Whole)
	case is(args, "on alien"):
		w.disk = (&session.Kept{}).Append(nil)
		err = w.start(session.Alien)
	case is(args, "on holed"):
		err = w.start(session.Holed)
	default:
		return errCommand
	}
	w.diary.changes(w)
	return err
}

func (w *world) doDriver(args []string) error {
	switch {
	case is(args, "* requests * kr"):
		n, err := strconv.ParseFloat(args[2], 64)
		if err != nil {
			return err
		}
		q := w.request(args[0], payment.Amount(n*100+0.5))
		if no := w.rules.Accepts(&w.state, w.now(), q); no != nil {
			w.diary.write(w, "no: %v", no)
		}
		return w.step(q)
	case is(args, "* stops"):
		return w.step(session.Stopped{Why: display.ByDriver, Holder: holder(args[0])})
	case is(args, "* extends"):
		return w.step(session.Extended{Holder: holder(args[0])})
	}
	return errCommand
}

func (w *world) doTechnician(args []string) error {
	switch {
	case is(args, "withdraws"):
		return w.step(session.TakenOut{})
	case is(args, "restores"):
		return w.step(session.Restored{})
	}
	return errCommand
}

func (w *world) doFleet(args []string) error {
	switch {
	case is(args, "withdraws"):
		return w.step(session.Recalled{})
	case is(args, "withdraws now"):
		return w.step(session.Recalled{Now: true})
	case is(args, "readmits"):
		return w.step(session.Readmitted{})
	case is(args, "retries *"):
		n, err := strconv.ParseUint(args[1], 10, 64)
		return errors.Join(err, w.step(session.Retried{Ref: w.rules.Ref(n)}))
	}
	return errCommand
}

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

func (w *world) doAfter(args []string) error {
	if len(args) != 1 {
		return errCommand
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	return w.until(w.at + d)
}

// doAt lets time pass until a time of day.
func (w *world) doAt(args []string) error {
	if len(args) != 1 {
		return errCommand
	}
	t, err := time.Parse("15:04", args[0])
	if err != nil {
		return err
	}
	d := time.Duration(t.Hour()-12)*time.Hour + time.Duration(t.Minute())*time.Minute
	return w.until(d)
}

func (w *world) doShow(args []string) error {
	w.diary.show(w, strings.Join(args, ""))
	return nil
}

// doCountry sets for how long anything can be captured.
func (w *world) doCountry(args []string) error {
	days, err := strconv.Atoi(strings.TrimSuffix(strings.Join(args, " "), " days"))
	w.rules.Capture = time.Duration(days) * 24 * time.Hour
	return err
}
