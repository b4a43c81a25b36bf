package session

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// errUsage is what a command gives that is not written as it must be.
var errUsage = errors.New("not a command; see verbs_test.go")

// verbs are the commands of a scenario, by their first word.
var verbs = map[string]func(w *world, args []string) error{
	"post":       (*world).doPost,       // post ready: power on, and half a minute nobody writes down
	"price":      (*world).doPrice,      // price kwh 549 minute 0 session 0 idle 15m 100 20000
	"offer":      (*world).doOffer,      // offer 35000: what may be reserved, minor units
	"record":     (*world).doRecord,     // record BASE64: what is on the card, and the payments it knows of at the service
	"meter":      (*world).doMeter,      // meter 10344076 | ok | silent | garbage | frozen | off by 300 [twice] | serial 7 | grain 100 | assumed grain 10 | refresh 5s | modulus N | counts 1/1000
	"car":        (*world).doCar,        // car 7200 W
	"plug":       (*world).doPlug,       // plug in | out | unknown | none
	"contactor":  (*world).doContactor,  // contactor ok | stuck | welded
	"sense":      (*world).doSense,      // sense ok | dead | open | closed
	"wire":       (*world).doWire,       // wire stop | estop | rcd | hot | none: what the wires of the post say
	"supply":     (*world).doSupply,     // supply missing | present
	"leak":       (*world).doLeak,       // leak 500 W: flows past the contactor
	"disk":       (*world).doDisk,       // disk full
	"card":       (*world).doCard,       // card copy NAME
	"power":      (*world).doPower,      // power on [gone|holed|alien] | cut | card new | card NAME | torn
	"driver":     (*world).doDriver,     // driver A requests 350 kr [by push] | stops | extends | claims B: knows the stop code of B's charge | guesses at it
	"technician": (*world).doTechnician, // technician withdraws | restores | tests: the contactor | leaves: that test
	"fleet":      (*world).doFleet,      // fleet withdraws | readmits | retries 1: by a command from afar
	"payer":      (*world).doPayer,      // payer approves | declines
	"portal":     (*world).doPortal,     // portal releases | takes 100 kr | refunds 10 kr
	"stranger":   (*world).doStranger,   // stranger holds 350 kr under 2
	"service":    (*world).doService,    // service ok | lost | deaf | late | busy 30s | keeps | refuses REASON | shy
	"receipts":   (*world).doReceipts,   // receipts ok | lost | deaf | busy | refuses: the app, from now on
	"hint":       (*world).doHint,       // hint 1: something happened to payment 1, somebody says
	"capture":    (*world).doCountry,    // capture 14 days: what is older is gone
	"after":      (*world).doAfter,      // after 90s
	"at":         (*world).doAt,         // at 13:05
	"show":       (*world).doShow,       // show [DRIVER]
}

// obey carries out one command.
func (w *world) obey(words []string) error {
	do := verbs[words[0]]
	if do == nil {
		return errUsage
	}
	return do(w, words[1:])
}

// is says whether the arguments are the words of a pattern; * stands for any.
func is(args []string, pattern string) bool {
	want := strings.Fields(pattern)
	if len(args) != len(want) {
		return false
	}
	for i := range want {
		if want[i] != "*" && want[i] != args[i] {
			return false
		}
	}
	return true
}

func (w *world) doPost(args []string) error {
	if !is(args, "ready") {
		return errUsage
	}
	w.start(Whole)
	w.until(w.at + 30*time.Second)
	w.diary.changes(w)
	w.diary.lines = nil
	return nil
}

func (w *world) doPrice(args []string) error {
	if len(args) != 10 {
		return errUsage
	}
	var err error
	number := func(s string) payment.Amount {
		n, e := strconv.Atoi(s)
		err = errors.Join(err, e)
		return payment.Amount(n)
	}
	after, e := time.ParseDuration(args[7])
	p := &w.rules.Price
	p.KWh, p.Minute, p.Session = number(args[1]), number(args[3]), number(args[5])
	p.Idle = payment.Idle{After: after, Minute: number(args[8]), Cap: number(args[9])}
	return errors.Join(err, e, p.Check())
}

func (w *world) doMeter(args []string) error {
	x := &w.wires
	switch {
	case is(args, "ok"), is(args, "silent"), is(args, "garbage"), is(args, "frozen"):
		x.meter, x.glitch, x.glitches = args[0], x.register, 0
	case is(args, "off by *"), is(args, "off by * twice"):
		n, err := strconv.Atoi(args[2])
		x.meter, x.glitch, x.glitches = "ok", hal.Energy(n), len(args)-2
		return err
	case is(args, "serial *"):
		x.serial = args[1]
	case is(args, "grain *"):
		n, err := strconv.Atoi(args[1])
		w.rules.Grain, x.grain = hal.Energy(n), hal.Energy(n)
		return err
	case is(args, "assumed grain *"): // the map does not know the step, and the post assumes one
		n, err := strconv.Atoi(args[2])
		w.rules.Grain = hal.Energy(n)
		return err
	case is(args, "refresh *"):
		d, err := time.ParseDuration(args[1])
		w.rules.Refresh, x.refresh = d, d
		return err
	case is(args, "modulus *"):
		n, err := strconv.Atoi(args[1])
		w.rules.Modulus, x.modulus = hal.Energy(n), hal.Energy(n)
		return err
	case len(args) == 2 && args[0] == "counts":
		n, err := strconv.Atoi(strings.TrimPrefix(args[1], "1/"))
		x.slower = int64(n)
		return err
	case is(args, "*"):
		n, err := strconv.Atoi(args[0])
		x.register, x.part = hal.Energy(n), 0
		return err
	default:
		return errUsage
	}
	return nil
}

func (w *world) doCar(args []string) error {
	n, err := watts(args)
	w.wires.car = n
	return err
}

func (w *world) doLeak(args []string) error {
	n, err := watts(args)
	w.wires.leak = n
	return err
}

func watts(args []string) (hal.Power, error) {
	if !is(args, "* W") {
		return 0, errUsage
	}
	n, err := strconv.Atoi(args[0])
	return hal.Power(n), err
}

func (w *world) doPlug(args []string) error {
	switch {
	case is(args, "in"):
		w.wires.plug = hal.PlugIn
	case is(args, "out"):
		w.wires.plug = hal.PlugOut
	case is(args, "unknown"):
		w.wires.plug = hal.PlugUnknown
	case is(args, "none"):
		w.rules.NoPlug, w.wires.plug = true, hal.PlugIn
	default:
		return errUsage
	}
	return nil
}

func (w *world) doContactor(args []string) error {
	if !is(args, "ok") && !is(args, "stuck") && !is(args, "welded") {
		return errUsage
	}
	w.wires.contactor = args[0]
	if !w.off {
		w.act()
	}
	return nil
}

func (w *world) doSense(args []string) error {
	if !is(args, "ok") && !is(args, "dead") && !is(args, "open") && !is(args, "closed") {
		return errUsage
	}
	w.wires.sense = args[0]
	return nil
}

func (w *world) doWire(args []string) error {
	signal, known := map[string]hal.Signals{
		"none": 0, "stop": hal.StopPressed, "estop": hal.EmergencyStop, "rcd": hal.RCDTripped, "hot": hal.TooHot,
	}[strings.Join(args, " ")]
	if !known {
		return errUsage
	}
	w.step(Signalled{signal})
	return nil
}

// doSupply: without mains no coil pulls, and the meter lives on something else.
func (w *world) doSupply(args []string) error {
	if !is(args, "missing") && !is(args, "present") {
		return errUsage
	}
	w.wires.dark = args[0] == "missing"
	w.act()
	return nil
}

func (w *world) doDisk(args []string) error {
	w.full = is(args, "full")
	return nil
}

func (w *world) doCard(args []string) error {
	if !is(args, "copy *") {
		return errUsage
	}
	w.cards[args[1]] = w.disk
	return nil
}

// doPower: while the power is off the card may be changed.
func (w *world) doPower(args []string) error {
	switch {
	case is(args, "cut"):
		w.cut()
	case is(args, "on"):
		w.start(Whole)
	case is(args, "on torn"): // the newest record did not survive
		w.disk = w.older
		w.start(Whole)
	case is(args, "on holed"):
		w.start(Holed)
	case is(args, "on alien"):
		w.disk = (&Kept{}).Append(nil)
		w.start(Alien)
	case is(args, "on card new"):
		w.disk = (&Kept{}).Append(nil)
		w.start(Whole)
	case is(args, "on card *"):
		w.disk = w.cards[args[2]]
		w.start(Whole)
	default:
		return errUsage
	}
	w.diary.changes(w)
	return nil
}

func (w *world) doDriver(args []string) error {
	switch {
	case is(args, "* requests * kr"), is(args, "* requests * kr by push"):
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		q := w.request(args[0], payment.Amount(n)*100)
		if len(args) > 4 {
			q.Way, q.Phone = payment.ByPush, "4791234567"
			w.rules.Push = true
		}
		if no := w.rules.Accepts(&w.state, w.now(), q); no != nil {
			w.diary.write(w, "no: %v", no)
		}
		w.step(q)
	case is(args, "* stops"):
		w.step(Stopped{Why: display.ByDriver, Holder: holder(args[0])})
	case is(args, "* extends"):
		w.step(Extended{Holder: holder(args[0])})
	case is(args, "* claims *"), is(args, "* guesses"):
		w.claim(args[0], args[len(args)-1])
	default:
		return errUsage
	}
	return nil
}

// claim lets a driver tell the stop code of another one's charge, or none that opens
// anything.
func (w *world) claim(name, of string) {
	c := Claimed{Digits: "wrong", Holder: holder(name)}
	if of != "guesses" {
		c.Digits = stopCode(holder(of))
	}
	err := w.rules.Claims(&w.state, w.now(), c)
	if code := (display.CodeError{}); errors.As(err, &code) {
		err = fmt.Errorf("%w, tries left %d", err, code.Left)
	}
	if err != nil {
		w.diary.write(w, "no: %v", err)
	}
	w.step(c)
}

func (w *world) doTechnician(args []string) error {
	switch {
	case is(args, "withdraws"):
		w.step(TakenOut{})
	case is(args, "restores"):
		w.step(Restored{})
	case is(args, "tests"):
		if no := w.rules.Tests(&w.state, w.now()); no != "" {
			w.diary.write(w, "no: %v", no)
		}
		w.step(TestBegun{})
	case is(args, "leaves"):
		w.step(TestEnded{})
	default:
		return errUsage
	}
	return nil
}

func (w *world) doFleet(args []string) error {
	switch {
	case is(args, "withdraws"):
		w.step(Recalled{})
	case is(args, "withdraws now"):
		w.step(Recalled{Now: true})
	case is(args, "readmits"):
		w.step(Readmitted{})
	case is(args, "retries *"):
		n, err := strconv.ParseUint(args[1], 10, 64)
		w.step(Retried{w.rules.Ref(n)})
		return err
	default:
		return errUsage
	}
	return nil
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
