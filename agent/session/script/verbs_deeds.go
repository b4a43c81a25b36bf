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

// doCard copies the card, to be put in again later.
func (w *world) doCard(args []string) error {
	if !is(args, "copy *") {
		return errCommand
	}
	w.cards[args[1]] = w.disk
	return nil
}

// doPower: while the power is off the card may be changed.
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
	case is(args, "on card *") && w.cards[args[2]] != nil:
		w.disk = w.cards[args[2]]
		err = w.start(session.Whole)
	default:
		return errCommand
	}
	w.diary.changes(w)
	return err
}

func (w *world) doDriver(args []string) error {
	switch {
	case is(args, "* requests * kr"), is(args, "* requests * kr by push"), is(args, "* requests * kr by code"):
		return w.wish(args[0], args[2], args[len(args)-1])
	case is(args, "* cancels"):
		return w.step(session.Stopped{Why: display.ByDriver, Holder: holder(args[0]), Asking: true})
	case is(args, "* stops"):
		return w.step(session.Stopped{Why: display.ByDriver, Holder: holder(args[0])})
	case is(args, "* extends"):
		return w.step(session.Extended{Holder: holder(args[0])})
	case is(args, "* claims *"), is(args, "* guesses"):
		return w.claim(args[0], args[len(args)-1])
	}
	return errCommand
}

// wish lets a driver request a charge, in a way.
func (w *world) wish(name, kroner, way string) error {
	n, err := strconv.ParseFloat(kroner, 64)
	if err != nil {
		return err
	}
	q := w.request(name, payment.Amount(n*100+0.5))
	switch way {
	case "push":
		q.Way, q.Phone = payment.ByPush, "4791234567"
		w.rules.Push = true
	case "code":
		q.Way = payment.ByCode
	}
	if no := w.rules.Accepts(&w.state, w.now(), q); no != nil {
		w.diary.write(w, "no: %v", no)
	}
	return w.step(q)
}

// claim lets a driver tell the stop code that another one reads on the page, or none that
// opens anything.
func (w *world) claim(name, of string) error {
	c := session.Claimed{Digits: "wrong", Holder: holder(name)}
	if page, ok := w.rules.Session(&w.state, w.now(), holder(of)); ok && page.Charge.StopCode != "" {
		c.Digits = page.Charge.StopCode
	}
	err := w.rules.Claims(&w.state, w.now(), c)
	if code := (display.CodeError{}); errors.As(err, &code) {
		err = fmt.Errorf("%w, tries left %d", err, code.Left)
	}
	if err != nil {
		w.diary.write(w, "no: %v", err)
	}
	return w.step(c)
}

func (w *world) doTechnician(args []string) error {
	switch {
	case is(args, "withdraws"):
		return w.step(session.TakenOut{})
	case is(args, "restores"):
		return w.step(session.Restored{})
	case is(args, "tests"):
		if no := w.rules.Tests(&w.state, w.now()); no != "" {
			w.diary.write(w, "no: %v", no)
		}
		return w.step(session.TestBegun{})
	case is(args, "leaves"):
		return w.step(session.TestEnded{})
	case is(args, "renews"):
		return w.step(session.Renewal{Near: true})
	case is(args, "renews not"):
		return w.step(session.Renewal{})
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
