package doctor

import "strings"

// trouble is what a technician is told of a meter that does not answer.
type trouble struct {
	why    Trouble
	what   func(e *EVSE) Text
	remedy func(e *EVSE) Text
}

func scan(e *EVSE) string {
	port, _, _ := strings.Cut(e.Meter.URL, "?")
	return "stolpe meter scan --url " + port
}

// troubles are all of them.
func troubles() []trouble {
	byID := Text{"se om adapteren står i: ls -l /dev/serial/by-id", "see whether the adapter is plugged in: ls -l /dev/serial/by-id"}
	return []trouble{
		{NoAdapter, at("måleradapteren er ikke der: %s", "the meter's adapter is not there: %s"), func(e *EVSE) Text {
			return byID.then(say("står den der under et annet navn: stolpe config set 'evses[%d].meter.url' ADRESSE", "if it is there by another name: stolpe config set 'evses[%d].meter.url' ADDRESS", e.Meter.Index))
		}},
		{NoPort, at("det er ingen serieport ved %s", "there is no serial port at %s"), func(e *EVSE) Text {
			return byID.then(say("skriv den rette: stolpe config set 'evses[%d].meter.url' ADRESSE", "write the right one: stolpe config set 'evses[%d].meter.url' ADDRESS", e.Meter.Index))
		}},
		{NoRights, at("programmet får ikke åpne %s", "the program may not open %s"), always("gi brukeren til programmet gruppen: sudo usermod -aG dialout stolpe, så sudo systemctl restart stolpe", "give the program's user the group: sudo usermod -aG dialout stolpe, then sudo systemctl restart stolpe")},
		{LineHeld, at("et annet program holder %s", "another program holds %s"), func(e *EVSE) Text {
			return say("finn det: sudo fuser -v %s; ModemManager må være av", "find it: sudo fuser -v %s; ModemManager must be off", strings.TrimPrefix(plainURL(e), "rtu://"))
		}},
		{NoName, at("navnet i %s er ikke kjent i nettet", "the name in %s is not known on the network"), func(e *EVSE) Text {
			return say("bruk IP-adressen: stolpe config set 'evses[%d].meter.url' ADRESSE", "use the IP address: stolpe config set 'evses[%d].meter.url' ADDRESS", e.Meter.Index)
		}},
		{NoListener, at("ingen lytter ved %s", "nobody listens at %s"), func(e *EVSE) Text {
			return say("er måleren eller gatewayen på, og er Modbus TCP slått på i den? Porten er som regel 502; ellers stolpe config set 'evses[%d].meter.url' ADRESSE", "is the meter or its gateway on, and Modbus TCP switched on in it? The port is 502 as a rule; else stolpe config set 'evses[%d].meter.url' ADDRESS", e.Meter.Index)
		}},
		{Gateway, at("gatewayen ved %s får ikke svar fra enhet %d", "the gateway at %s gets no answer from unit %d"), elsewhere},
		{OtherModel, func(e *EVSE) Text {
			return at("det svarer noe annet enn en måler av denne modellen ved %s, enhet %d", "something else than a meter of this model answers at %s, unit %d")(e).then(Text{e.Meter.Wrong, e.Meter.Wrong})
		}, func(e *EVSE) Text {
			return say("se hva den er: stolpe meter identify --evse %d; skriv det: stolpe config set 'evses[%d].meter.model' MODELL", "see what it is: stolpe meter identify --evse %d; write that: stolpe config set 'evses[%d].meter.model' MODEL", e.ID, e.Meter.Index)
		}},
		{Garbled, at("det som kommer fra %s, enhet %d, er ikke hele svar", "what comes from %s, unit %d, are no whole answers"), func(e *EVSE) Text {
			return Text{"sannsynligvis feil hastighet eller paritet, to målere med samme adresse, eller manglende endemotstand", "probably a wrong speed or parity, two meters with one address, or no terminating resistor"}.then(elsewhere(e))
		}},
		{Silent, at("måleren svarer ikke ved %s, enhet %d", "the meter does not answer at %s, unit %d"), elsewhere},
	}
}

// plainURL is where a meter is, without how its line is set.
func plainURL(e *EVSE) string {
	port, _, _ := strings.Cut(e.Meter.URL, "?")
	return or(port, "simulator")
}

// at is a sentence about where a meter is, and its unit.
func at(nb, en string) func(*EVSE) Text {
	return func(e *EVSE) Text {
		a := []any{or(e.Meter.URL, "simulator"), e.Meter.Unit}
		t := say(nb, en, a[:strings.Count(en, "%")]...)
		switch m := e.Meter; {
		case m.FoundURL != "" && m.FoundURL != m.URL && m.FoundAt != m.Unit:
			return t.then(say("en måler svarer ved %s, enhet %d", "a meter answers at %s, unit %d", m.FoundURL, m.FoundAt))
		case m.FoundURL != "" && m.FoundURL != m.URL:
			return t.then(say("den svarer ved %s: feil hastighet eller paritet", "it answers at %s: wrong speed or parity", m.FoundURL))
		case m.FoundURL != "":
			return t.then(say("enhet %d svarer der: feil adresse", "unit %d answers there: wrong unit", m.FoundAt))
		}
		return t
	}
}

// elsewhere is what to do about a meter that is silent where it should be.
func elsewhere(e *EVSE) Text {
	m := e.Meter
	var all Text
	add := func(t Text) {
		if all == (Text{}) {
			all = t
			return
		}
		all = all.then(t)
	}
	if m.FoundURL != "" && m.FoundURL != m.URL {
		add(say("stolpe config set 'evses[%d].meter.url' '%s'", "stolpe config set 'evses[%d].meter.url' '%s'", m.Index, m.FoundURL))
	}
	if m.FoundURL != "" && m.FoundAt != m.Unit {
		add(say("stolpe config set 'evses[%d].meter.unit' %d", "stolpe config set 'evses[%d].meter.unit' %d", m.Index, m.FoundAt))
	}
	switch {
	case all != (Text{}):
		return all
	case m.URL == "":
		return Text{"den er simulert: start på nytt", "it is simulated: start anew"}
	case strings.HasPrefix(m.URL, "rtu:") && m.Looked:
		return say("ingen måler svarer der med noen innstilling: har den strøm, og er A og B rett vei? Så: %s", "no meter answers there with any setting: is it on, and are A and B the right way round? Then: %s", scan(e))
	case strings.HasPrefix(m.URL, "rtu:"):
		return say("har måleren strøm, og er A og B rett vei? Stopp programmet (sudo systemctl stop stolpe) og let: %s", "is the meter on, and are A and B the right way round? Stop the program (sudo systemctl stop stolpe) and look for it: %s", scan(e))
	}
	return say("har måleren strøm, og er enhet %d rett? %s finner den; se så på gatewayens hastighet og paritet", "is the meter on, and is unit %d right? %s finds it; then look at the gateway's speed and parity", m.Unit, scan(e))
}

// troubleOf is why a meter does not answer.
func troubleOf(m *Meter) trouble {
	all := troubles()
	for _, t := range all {
		if t.why == m.Trouble {
			return t
		}
	}
	return all[len(all)-1]
}

// meter judges the meter of an EVSE.
func meter(_ *Facts, e *EVSE) Finding {
	m, x := &e.Meter, Finding{ID: "meter", Topic: "modbus"}
	switch codes := e.has("MET", "SUP"); {
	case len(codes) > 0 && !(e.Young && codes[0] == "MET-001" && m.Trouble == ""):
		return found("meter", e, codes)
	case !m.Heard && m.Trouble != "":
		t := troubleOf(m)
		x.Status, x.What, x.Remedy = Warn, t.what(e), t.remedy(e)
	case m.Age == nil:
		x.Status, x.What, x.Remedy = Warn, Text{"den er ikke lest ennå", "it has not been read yet"}, Text{"vent et halvt minutt og spør igjen: stolpe doctor meter", "wait half a minute and ask again: stolpe doctor meter"}
	case m.URL == "":
		x.Status, x.What = Pass, say("%s, simulert", "%s, simulated", m.Model)
	default:
		x.Status, x.What = Pass, say("%s%s ved %s, enhet %d, %d ms", "%s%s at %s, unit %d, %d ms", m.Model, serialOf(m), m.URL, m.Unit, m.Took)
		if m.Serial == "" && m.Told != "" {
			x.Status, x.What = Warn, x.What.then(Text{"serienummeret er ikke låst", "its serial is not pinned"})
			x.Remedy = say("stolpe config set 'evses[%d].meter.serial' %s", "stolpe config set 'evses[%d].meter.serial' %s", m.Index, m.Told)
		}
	}
	return x
}

func serialOf(m *Meter) string {
	if s := or(m.Told, m.Pinned); s != "" {
		return " #" + s
	}
	return ""
}
