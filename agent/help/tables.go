package help

import (
	"strings"

	"stolpe/agent/doctor"
	"stolpe/agent/session"
	"stolpe/display"
)

// words are something in the languages of technicians.
type words struct{ nb, en string }

func (w words) in(l display.Lang) string {
	if l == display.NB {
		return w.nb
	}
	return w.en
}

// faults is the table of faults.
func faults(l display.Lang) string {
	var all []string
	session.EachFault(func(f session.Faults) {
		what, remedy := doctor.Told(f.Code())
		opens := words{"åpner ikke", "does not open"}
		if f.Opens() {
			opens = words{"åpner", "opens"}
		}
		const indent = "           "
		all = append(all, wrapped("  "+f.Code()+"  ", indent, what.In(l))+
			wrapped(indent, indent, opens.in(l)+words{"; heves av ", "; lifted by "}.in(l)+LiftedBy(f, l))+
			wrapped(indent+"-> ", indent+"   ", remedy.In(l)))
	})
	return strings.Join(all, "\n")
}

// displays is the table of what may be wrong with a display.
func displays(l display.Lang) string {
	var all []string
	for _, code := range doctor.DisplayCodes() {
		what, remedy := doctor.Told(code)
		const indent = "           "
		all = append(all, wrapped("  "+code+"  ", indent, what.In(l))+wrapped(indent+"-> ", indent+"   ", remedy.In(l)))
	}
	return strings.Join(all, "\n")
}

// LiftedBy says who or what ends a fault.
func LiftedBy(f session.Faults, l display.Lang) string {
	special := map[string]words{
		"SAF-002": {"seg selv, når den slippes", "itself, when it is released"},
		"SAF-003": {"seg selv, når den slås på igjen", "itself, when it is reset"},
		"USR-003": {"kommandoen in_service, eller en tekniker", "the command in_service, or a technician"},
		"STO-001": {"en omstart", "a restart"},
		"CON-005": {"seg selv, innen en time", "itself, within the hour"},
		"SAF-001": {"seg selv, etter ti minutter", "itself, after ten minutes"},
		"PAY-001": {"en tekniker, eller en omstart", "a technician, or a restart"},
		"USR-004": {"omstarten, når ingen lader lenger", "the start anew, when nobody charges any more"},
		"USR-002": {"seg selv, når den blir USR-003; eller kommandoen in_service", "itself, when it becomes USR-003; or the command in_service"},
	}
	if w, is := special[f.Code()]; is {
		return w.in(l)
	}
	if f.Latches() {
		return words{"en tekniker", "a technician"}.in(l)
	}
	return words{"seg selv", "itself"}.in(l)
}

// phase is what is told of one.
type phase struct{ means, contactor, ends words }

// phaseOf is what is told of the phase of that name.
func phaseOf(name string) phase {
	open := words{"åpen", "open"}
	return map[string]phase{
		"idle": {
			words{"ingen er i gang", "nobody's turn"},
			words{"åpen, unntatt når en tekniker prøver den", "open, but for a technician's test"},
			words{"en forespørsel som er skrevet ned: approving", "a request that is written down: approving"}},
		"approving": {
			words{"betaleren bestemmer seg i appen", "the payer decides in the app"}, open,
			words{"godkjenningen er lest tilbake fra tjenesten: waiting; nei, stillhet eller stopp: reservasjonen slippes",
				"approval read back from the service: waiting; no, silence or stop: the reservation is released"}},
		"waiting": {
			words{"godkjent, ingen bil ennå", "approved, no car yet"}, open,
			words{"en bil, og to like avlesninger: charging; for sent eller stopp: reservasjonen slippes",
				"a car, and two equal readings: charging; too late or stop: released"}},
		"charging": {
			words{"det går energi", "energy flows"},
			words{"lukket", "closed"},
			words{"stopp, kabelen ut, reservasjonen brukt opp, bilen full, en feil: stopping",
				"stop, unplugged, reservation used up, car full, any fault: stopping"}},
		"stopping": {
			words{"kontaktene åpner", "the contacts open"}, open,
			words{"to like avlesninger: regningen er gjort og skyldig; så idle",
				"two equal readings: the bill is fixed and owed; then idle"}},
	}[name]
}
