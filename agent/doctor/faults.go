package doctor

import (
	"slices"
	"strings"
)

// fault is what a technician is told of one, by its code.
type fault struct {
	code   string
	layer  Layer
	status Status
	topic  string
	what   Text
	remedy func(e *EVSE) Text
}

// always is a remedy that depends on nothing.
func always(nb, en string) func(*EVSE) Text { return func(*EVSE) Text { return Text{nb, en} } }

// lift is how a person ends what only a person can.
func lift(e *EVSE) Text {
	return say("deretter: stolpe service in --evse %d --repaired", "then: stolpe service in --evse %d --repaired", e.ID)
}

// tried is how a contactor that has been put right is proved: out of service, as nothing
// else may close it there.
func tried(e *EVSE) Text {
	return say("prøv: stolpe service out --evse %d --now, stolpe contactor test --evse %d", "try: stolpe service out --evse %d --now, stolpe contactor test --evse %d", e.ID, e.ID)
}

// lifted is a remedy that ends with that.
func lifted(nb, en string) func(*EVSE) Text {
	return func(e *EVSE) Text { return Text{nb, en}.then(lift(e)) }
}

// wire is a remedy for what a wire says.
func wire(nb, en string, line func(*EVSE) string) func(*EVSE) Text {
	return func(e *EVSE) Text {
		if line(e) == "" {
			return Text{nb, en}
		}
		return Text{nb, en}.then(say("er det slik allerede, er ledningen til %s brutt", "if that is so already, the wire to %s is broken", line(e)))
	}
}

// faults are all of them, the gravest first.
func faults() []fault {
	return []fault{
		{"SAF-002", Safety, Fail, "faults", Text{"nødstoppen er trykket inn, eller ledningen dens er brutt", "the emergency stop is pressed, or its wire is broken"},
			wire("se til at ingen er i fare, og vri nødstoppen ut", "see that nobody is in danger, and turn the emergency stop out", func(e *EVSE) string { return e.Inputs.EStop })},
		{"SAF-003", Safety, Fail, "faults", Text{"jordfeilbryteren har løst ut, eller ledningen dens er brutt", "the residual current device has tripped, or its wire is broken"},
			wire("finn jordfeilen (kabel, kontakt, bil), og slå jordfeilbryteren på igjen", "find the earth fault (cable, socket, car), and switch the residual current device on again", func(e *EVSE) string { return e.Inputs.RCD })},
		{"CON-001", Safety, Fail, "recovery", Text{"kontaktoren er sveiset: det går strøm selv om den er bedt om å åpne", "the contactor is welded: power flows although it is ordered open"}, welded},
		{"CON-002", Hard, Fail, "recovery", Text{"kontaktoren lukker ikke", "the contactor does not close"},
			func(e *EVSE) Text {
				return say("se på sikringen og ledningen til spolen, og på hjelpekontakten ved %s", "look at the coil's fuse and wire, and at the auxiliary contact on %s", or(e.Contactor.Sense, "sense")).then(tried(e)).then(lift(e))
			}},
		{"CON-004", Safety, Fail, "recovery", Text{"ledningen som melder kontaktorens stilling, sier noe annet enn måleren", "the wire that senses the contactor says something else than the meter"},
			func(e *EVSE) Text {
				return say("se på hjelpekontakten og ledningen ved %s", "look at the auxiliary contact and its wire on %s", or(e.Contactor.Sense, "sense")).then(tried(e)).then(lift(e))
			}},
		{"MET-002", Hard, Fail, "recovery", Text{"en annen måler svarer enn den som skal", "another meter answers than the one that should"}, swapped},
		{"MET-003", Hard, Fail, "recovery", Text{"måleren svarer, men hopper lenger enn strømmen kan ha gått", "the meter answers, but jumps further than power can flow"}, doubted},
		{"MET-004", Hard, Fail, "recovery", Text{"måleren teller under det den har vist", "the meter counts below what it has shown"}, doubted},
		{"MET-005", Hard, Fail, "recovery", Text{"telleverket står stille mens måleren selv melder om effekt", "the register stands still while the meter itself tells of power"}, doubted},
		{"MET-006", Hard, Fail, "recovery", Text{"telleverket går mye saktere enn effekten tilsier", "the register moves far slower than the power says"}, doubted},
		{"USR-001", Service, Warn, "states", Text{"tatt ut av drift av en tekniker", "taken out of service by a technician"},
			func(e *EVSE) Text {
				return say("når arbeidet er gjort: stolpe service in --evse %d", "when the work is done: stolpe service in --evse %d", e.ID)
			}},
		{"USR-003", Service, Warn, "states", Text{"tatt ut av drift av eieren, over nettet", "taken out of service by the owner, over the network"},
			func(e *EVSE) Text {
				return say("spør driftssenteret; de setter den inn igjen, eller du: stolpe service in --evse %d", "ask the fleet's operator; they put it back, or you do: stolpe service in --evse %d", e.ID)
			}},
		{"STO-002", Store, Fail, "recovery", Text{"journalen var skadet, og hva den mistet er ikke kjent", "the journal was damaged, and what it lost is not known"},
			lifted("ta en støttepakke først (stolpe support bundle), se at alt er gjort opp (stolpe payment reconcile --since DATO), og bytt kortet hvis det skjer igjen", "take a support bundle first (stolpe support bundle), see that all is settled (stolpe payment reconcile --since DATE), and replace the card if it happens again")},
		{"SAF-004", Safety, Fail, "faults", Text{"for varmt ved kontakt eller kabel, eller termostatens ledning er brutt", "too hot at socket or cable, or the thermostat's wire is broken"},
			wire("la det kjøle seg, og ettertrekk klemmene", "let it cool down, and tighten the terminals", func(e *EVSE) string { return e.Inputs.Hot })},
		{"SUP-001", Hard, Fail, "faults", Text{"ingen nettspenning ved måleren", "no mains voltage at the meter"},
			always("se på kurssikringen og hovedbryteren foran måleren", "look at the circuit breaker and the main switch before the meter")},
		{"MET-001", Hard, Fail, "modbus", Text{"måleren svarer ikke", "the meter does not answer"}, silent},
		{"CON-003", Hard, Fail, "wiring", Text{"ingen vet hvor kontaktoren står: ledningen kan ikke leses", "nobody knows where the contactor stands: its sense line cannot be read"},
			func(e *EVSE) Text {
				return say("se på linjen %s (gpioinfo viser hvem som har den), og start på nytt: sudo systemctl restart stolpe", "look at line %s (gpioinfo shows who has it), and start anew: sudo systemctl restart stolpe", or(e.Contactor.Sense, "sense"))
			}},
		{"STO-001", Store, Fail, "recovery", Text{"journalen kan ikke skrives", "the journal cannot be written"},
			always("se på disken: stolpe doctor disk; frigjør plass eller bytt kortet, og start på nytt: sudo systemctl restart stolpe", "look at the disk: stolpe doctor disk; make room or replace the card, and start anew: sudo systemctl restart stolpe")},
		{"PAY-002", Cash, Warn, "recovery", Text{"leser tilbake betalinger som journalen har mistet", "reads back payments that the journal has lost"},
			always("vent til det er gjort; det trenger nettet: stolpe doctor payment", "wait until it is done; it needs the network: stolpe doctor payment")},
		{"SAF-005", Safety, Fail, "faults", Text{"stoppknappen holdes inne, eller ledningen dens er brutt", "the stop button is held, or its wire is broken"},
			wire("slipp knappen løs hvis den har satt seg fast", "free the button if it is stuck", func(e *EVSE) string { return e.Inputs.Stop })},
		{"CON-005", Hard, Fail, "faults", Text{"kontaktoren har lukket så ofte som den får på en time", "the contactor has closed as often as it may in an hour"},
			always("vent en time; skjer det igjen, se i stolpe sessions list hva som gjør at ladingene tar slutt", "wait an hour; if it happens again, see in stolpe sessions list what ends the charges")},
		{"SAF-001", Service, Fail, "recovery", Text{"programmet har startet for mange ganger på kort tid", "the program has started too many times in a short time"},
			func(e *EVSE) Text {
				return say("se hvorfor: stolpe logs --since 1h; etter ti minutter uten omstart går den i drift av seg selv, eller: stolpe service in --evse %d --repaired", "see why: stolpe logs --since 1h; after ten minutes without a restart it serves again by itself, or: stolpe service in --evse %d --repaired", e.ID)
			}},
		{"PAY-001", Cash, Fail, "recovery", Text{"betalingstjenesten sier at salgsenheten ikke kan selge", "the payment service says that the sales unit cannot sell"},
			lifted("se på payment.vipps.msn og nøklene (stolpe payment ping), og om salgsenheten er aktiv i portal.vippsmobilepay.com", "look at payment.vipps.msn and the keys (stolpe payment ping), and whether the sales unit is active in portal.vippsmobilepay.com")},
		{"USR-002", Service, Warn, "states", Text{"går ut av drift når ladingen er over", "goes out of service when this charge is over"},
			always("ingenting: noen har bedt om det; stolpe service in tar det tilbake", "nothing: somebody has asked for it; stolpe service in takes it back")},
		{"USR-004", Service, Warn, "states", Text{"tar ingen ny sjåfør før posten har startet på nytt, som den gjør når ingen lader lenger", "takes no new driver until the post has started anew, which it does when nobody charges any more"},
			always("ingenting: noen har bedt om det (stolpe status sier hvem); stolpe restart --now venter ikke på ladingene", "nothing: somebody has asked for it (stolpe status says who); stolpe restart --now does not wait for the charges")},
	}
}

// welded comes with the breaker first. It is not tried before it is lifted: a contactor
// that counts as welded is never closed.
func welded(e *EVSE) Text {
	return Text{"SLÅ AV SIKRINGEN NÅ: uttaket er spenningsførende. Mål at det er spenningsløst før noen rører det, og bytt kontaktoren", "SWITCH OFF THE BREAKER NOW: the socket is live. Measure that it is dead before anybody touches it, and replace the contactor"}.
		then(lift(e)).then(tried(e)).then(say("stolpe service in --evse %d", "stolpe service in --evse %d", e.ID))
}

// swapped tells the two serials apart.
func swapped(e *EVSE) Text {
	m := e.Meter
	wants := or(m.Serial, m.Pinned)
	if m.Told == "" || wants == "" {
		return say("se på serienummeret på måleren; er den byttet med vilje: stolpe config set 'evses[%d].meter.serial' NUMMER", "look at the serial on the meter's plate; if it was exchanged on purpose: stolpe config set 'evses[%d].meter.serial' NUMBER", m.Index).then(lift(e))
	}
	if m.Serial == "" {
		return say("måleren sier %s, og EVSE-en har gått etter %s: er den byttet med vilje, les av begge (stolpe meter read --evse %d)", "the meter says %s, and the EVSE went by %s: if it was exchanged on purpose, note both registers (stolpe meter read --evse %d)", m.Told, wants, e.ID).then(lift(e))
	}
	return say("måleren sier %s, konfigurasjonen vil ha %s: sett den rette inn, eller hvis den er byttet med vilje: stolpe config set 'evses[%d].meter.serial' %s",
		"the meter says %s, the configuration wants %s: put the right one back, or if it was exchanged on purpose: stolpe config set 'evses[%d].meter.serial' %s", m.Told, wants, m.Index, m.Told).then(lift(e))
}

// doubted is for a meter that answers and is not believed.
func doubted(e *EVSE) Text {
	return say("sammenlign med målerens eget display: stolpe meter compare KWH --evse %d; er modellen rett (stolpe meter identify --evse %d)? Feiler det igjen, bytt måleren",
		"compare with the meter's own display: stolpe meter compare KWH --evse %d; is the model right (stolpe meter identify --evse %d)? If it fails again, replace the meter", e.ID, e.ID).then(lift(e))
}

// silent depends on what happens when it is asked.
func silent(e *EVSE) Text { return troubleOf(&e.Meter).remedy(e) }

// faultOf finds what is told of a code. One that is not known is told by its code.
func faultOf(code string) fault {
	for _, f := range faults() {
		if f.code == code {
			return f
		}
	}
	return fault{code: code, layer: Hard, status: Fail, topic: "faults", what: say("feil %s", "fault %s", code),
		remedy: always("stolpe help faults forklarer feilkodene", "stolpe help faults explains the codes")}
}

// Told is what a technician is told of a fault wherever it may be: what it is, and what to
// do, for EVSE 1 with a meter on a serial line.
func Told(code string) (what, remedy Text) {
	if slices.Contains(DisplayCodes(), code) {
		return toldOfDisplays(code)
	}
	f := faultOf(code)
	return f.what, f.remedy(&EVSE{ID: 1, Meter: Meter{URL: "rtu:///dev/ttyUSB0", Unit: 1}})
}

// Topics are those of stolpe help that findings and blockers name.
func Topics() []string {
	return []string{"displays", "failsafe", "faults", "modbus", "raspberry-pi", "recovery", "states", "wiring"}
}

// has says which of the codes that begin like that an EVSE has, the gravest first.
func (e *EVSE) has(beginnings ...string) []string {
	var all []string
	for _, code := range e.Faults {
		for _, b := range beginnings {
			if strings.HasPrefix(code, b) {
				all = append(all, code)
				break
			}
		}
	}
	return all
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// found makes a finding out of the gravest of some faults.
func found(id string, e *EVSE, codes []string) Finding {
	f := faultOf(codes[0])
	x := Finding{ID: id, Status: f.status, Remedy: f.remedy(e), Topic: f.topic, What: f.told(e)}
	for _, more := range codes[1:] {
		m := faultOf(more)
		x.What = x.What.then(m.told(e))
	}
	return x
}

// told is the fault in words, with its code.
func (f fault) told(e *EVSE) Text {
	w := f.what
	if f.code == "MET-001" {
		w = troubleOf(&e.Meter).what(e)
	}
	return Text{w.NB + " (" + f.code + ")", w.EN + " (" + f.code + ")"}
}
