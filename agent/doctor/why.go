package doctor

import (
	"cmp"
	"slices"
	"time"
)

// Layer is where a blocker stands. What comes first keeps people safe, what comes last is
// about a driver who is there.
type Layer string

// The layers, in their order.
const (
	Agent   Layer = "program"
	Safety  Layer = "safety"
	Hard    Layer = "hardware"
	Store   Layer = "storage"
	Service Layer = "service"
	Cash    Layer = "money"
	Driver  Layer = "driver" // not a fault: somebody is at it
)

func layers() []Layer { return []Layer{Agent, Safety, Hard, Store, Service, Cash, Driver} }

// Blocker is one thing that keeps an EVSE from charging the next driver.
type Blocker struct {
	EVSE   int // 0 for all
	Layer  Layer
	ID     string // a fault's code, or a word
	What   Text
	Remedy Text
	Topic  string
}

// Why lists what keeps EVSEs from charging, from safety to money, the first thing to put
// right first. Of what a driver is about at the moment it tells last, with layer Driver:
// that is no fault.
func Why(f Facts) []Blocker {
	var all []Blocker
	if f.Daemon == nil {
		daemonRuns(&f, func(x Finding) { all = append(all, Blocker{0, Agent, "daemon", x.What, x.Remedy, x.Topic}) })
		return all
	}
	if f.Daemon.Unheard != "" {
		daemonRuns(&f, func(x Finding) { all = append(all, Blocker{0, Agent, "daemon", x.What, x.Remedy, x.Topic}) })
	}
	all = append(all, f.started()...)
	all = append(all, f.unpaid()...) // before what follows from it
	for i := range f.Daemon.EVSEs {
		e := &f.Daemon.EVSEs[i]
		all = append(all, e.faulty(&f)...)
		all = append(all, e.driver()...)
	}
	order := layers()
	slices.SortStableFunc(all, func(a, b Blocker) int {
		return cmp.Compare(slices.Index(order, a.Layer), slices.Index(order, b.Layer))
	})
	return all
}

// CanCharge says whether nothing but a driver who is there keeps an EVSE from serving one.
func CanCharge(all []Blocker, evse int) bool {
	return !slices.ContainsFunc(all, func(b Blocker) bool {
		return b.Layer != Driver && (b.EVSE == 0 || evse == 0 || b.EVSE == evse)
	})
}

// faulty lists the faults of an EVSE.
func (e *EVSE) faulty(facts *Facts) []Blocker {
	var all []Blocker
	if e.Most > 0 && len(e.Debts) >= e.Most {
		all = append(all, Blocker{e.ID, Cash, "debts", say("%d ladinger er ikke gjort opp, og flere tas ikke imot", "%d charges are not settled, and no more are taken", len(e.Debts)),
			Text{"se hvorfor (stolpe doctor payment settlement), så stolpe sessions settle --all-stuck", "see why (stolpe doctor payment settlement), then stolpe sessions settle --all-stuck"}, "recovery"})
	}
	for _, code := range e.Faults {
		f := faultOf(code)
		switch {
		case code == "USR-002": // this charge goes on, and the next blocker is another then
			f.layer = Service
		case facts.follows(e, code):
			continue
		case e.Young && (code == "MET-001" && e.Meter.Trouble == "" || code == "CON-003"):
			continue
		}
		all = append(all, Blocker{e.ID, f.layer, code, f.told(e), f.remedy(e), f.topic})
	}
	if len(all) == 0 && e.Phase == "idle" && !e.Dead {
		all = append(all, Blocker{e.ID, Hard, "starting", Text{"det er ikke sikkert at uttaket er spenningsløst ennå: måleren må ha stått stille i to avlesninger", "it is not sure yet that the socket is dead: the meter must have stood still for two readings"},
			Text{"vent et halvt minutt; så stolpe doctor meter contactor", "wait half a minute; then stolpe doctor meter contactor"}, "states"})
	}
	return all
}

// driver tells what somebody is about at an EVSE.
func (e *EVSE) driver() []Blocker {
	long := (time.Duration(e.Since) * time.Second).String()
	tell := func(id string, what, remedy Text) []Blocker {
		return []Blocker{{e.ID, Driver, id, what, remedy, "states"}}
	}
	switch {
	case e.Phase == "approving":
		return tell("approving", say("venter i %s på at sjåføren godkjenner i appen", "has waited %s for the driver to approve in the app", long), Text{"be sjåføren åpne appen; det tar slutt av seg selv etter ti minutter", "ask the driver to open the app; it ends by itself after ten minutes"})
	case e.Phase == "waiting" && e.Plug == "out":
		return tell("unplugged", say("betalingen er godkjent; venter i %s på en kabel i bilen", "the payment is approved; has waited %s for a cable in the car", long), Text{"sett kabelen helt inn i bil og uttak", "push the cable all the way into car and socket"})
	case e.Phase == "waiting" && e.Plug == "unknown":
		return tell("plug", Text{"betalingen er godkjent, men det er ikke kjent om en kabel står i", "the payment is approved, but it is not known whether a cable is in"}, Text{"se på ledningen til inputs.plug", "look at the wire of inputs.plug"})
	case e.Phase == "waiting":
		return tell("rest", say("betalingen er godkjent; kontaktoren hviler eller måleren er ikke til ro (%s)", "the payment is approved; the contactor rests or the meter has not settled (%s)", long), Text{"vent noen sekunder", "wait some seconds"})
	case e.Phase == "charging" && e.Quiet:
		return tell("quiet", Text{"kontaktoren er lukket, men bilen tar ingen strøm", "the contactor is closed, but the car takes nothing"}, Text{"er bilen full, eller har den en tidsplan? Se i bilen", "is the car full, or has it a schedule? Look in the car"})
	case e.Phase == "charging":
		return tell("charging", say("lader i %s", "has been charging for %s", long), Text{})
	case e.Phase == "stopping":
		return tell("stopping", say("ladingen er slutt; venter i %s på siste avlesning av måleren", "the charge is over; has waited %s for the meter's last reading", long), Text{"stolpe doctor meter hvis det varer", "stolpe doctor meter if it lasts"})
	}
	return nil
}

// unpaid lists what keeps drivers from paying.
func (f *Facts) unpaid() []Blocker {
	var all []Blocker
	take := func(x Finding) {
		if x.Status == Fail && !slices.ContainsFunc(f.Daemon.EVSEs, func(e EVSE) bool { return x.ID == "salesunit" && len(e.has("PAY-001")) > 0 }) {
			all = append(all, Blocker{0, Cash, x.ID, x.What, x.Remedy, x.Topic})
		}
	}
	named := func(id string) func(Finding) {
		return func(x Finding) {
			if x.ID == "" {
				x.ID = id
			}
			take(x)
		}
	}
	clock(f, named("clock")) // with a wrong one certificates look wrong, and receipts would be
	token(f, named("payment"))
	salesUnit(f, named("salesunit"))
	if f.Daemon.Pay.Through == "gateway" {
		broker(f, named("mqtt"))
		gateway(f, named("gateway"))
	}
	return all
}
