package script

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// verb carries out a command.
type verb func(w *world, args []string) error

// verbs are the commands of a scenario, by their first word.
func verbs() map[string]verb {
	return map[string]verb{
		"post":       (*world).doPost,       // post ready: power on, and half a minute nobody writes down
		"price":      (*world).doPrice,      // price kwh 549 minute 0 session 0 idle 15m 100 20000
		"offer":      (*world).doOffer,      // offer 35000: what may be reserved, minor units
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
		"record":     (*world).doRecord,     // record BASE64: what is on the card, and the payments it knows of at the service
		"power":      (*world).doPower,      // power on [card new|card NAME|torn|holed|alien] | cut
		"driver":     (*world).doDriver,     // driver A requests 350 kr [by push | by code] | stops | cancels: with the button | extends | claims B: knows the stop code of B's charge | guesses at it
		"technician": (*world).doTechnician, // technician withdraws | restores | tests: the contactor | leaves: that test | renews [not]: no new driver until the program starts anew
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
		return errCommand
	}
	if err := w.start(session.Whole); err != nil {
		return err
	}
	err := w.until(w.at + 30*time.Second)
	w.diary.changes(w)
	w.diary.lines = nil
	return err
}

func (w *world) doPrice(args []string) error {
	if len(args) != 10 {
		return errCommand
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

func (w *world) doOffer(args []string) error {
	if len(args) != 1 {
		return errCommand
	}
	n, err := strconv.Atoi(args[0])
	w.rules.Choices, w.rules.Default = []payment.Amount{payment.Amount(n)}, payment.Amount(n)
	return err
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
		return errCommand
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
		return 0, errCommand
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
		return errCommand
	}
	return nil
}
