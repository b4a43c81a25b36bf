package doctor

import (
	"time"
)

// Chosen by us.
const (
	debtOld  = int64(time.Hour / time.Second)      // s; money is settled within the minute
	debtLate = int64(24 * time.Hour / time.Second) // s
)

// token judges whether the payment service lets us in.
func token(f *Facts, tell func(Finding)) {
	if f.Daemon == nil {
		return
	}
	p, x := f.Daemon.Pay, Finding{Topic: "recovery"}
	next := Text{p.Advice, p.Advice}
	switch {
	case f.lacks(Keys, 0):
		x = after("", Keys)
	case f.lacks(Folder, 0):
		x = after("", Folder)
	case p.Through == "gateway":
		x.Status, x.What = Skip, Text{"nøklene er hos gatewayen", "the keys are at the gateway"}
	case p.Kind == BadKeys:
		x.Status, x.What = Fail, say("betalingstjenesten tar ikke nøklene: %s", "the payment service does not take the keys: %s", p.Wrong)
		x.Remedy = Text{"sammenlign client_id, client_secret, subscription_key og msn med portal.vippsmobilepay.com; bytt: stolpe config secret set NAVN", "compare client_id, client_secret, subscription_key and msn with portal.vippsmobilepay.com; replace: stolpe config secret set NAME"}
	case p.Kind == BadUnit:
		x.Status, x.What = Skip, Text{"se salesunit: den er ikke disse nøklenes", "see salesunit: it is not that of these keys"}
	case p.Kind == Unreached:
		x.Status, x.What = Fail, say("betalingstjenesten svarer ikke: %s", "the payment service does not answer: %s", p.Wrong)
		x.Remedy = Text{"se på nettet: ip route, ping 1.1.1.1, resolvectl query api.vipps.no; så stolpe payment ping", "look at the network: ip route, ping 1.1.1.1, resolvectl query api.vipps.no; then stolpe payment ping"}.then(next)
	case p.Kind == Ill:
		x.Status, x.What = Warn, say("betalingstjenesten har en feil: %s", "the payment service has a fault: %s", p.Wrong)
		x.Remedy = Text{"vent, og se status.vippsmobilepay.com; så stolpe payment ping", "wait, and see status.vippsmobilepay.com; then stolpe payment ping"}
	case p.pinged("clock").State == "fail":
		x.Status, x.What = Warn, say("klokken går feil mot betalingstjenesten: %s", "the clock is off against the payment service: %s", p.pinged("clock").Text)
		x.Remedy = Text{setClock, setClock}
	case p.Through == "sim":
		x.Status, x.What = Pass, Text{"simulert: ingen penger flyttes", "simulated: no money moves"}
	case p.Asked || p.Well != nil:
		x.Status, x.What = Pass, say("nøklene er gode, %s", "keys are good, %s", p.Where)
		if p.Took > 0 {
			x.What = x.What.then(say("%d ms", "%d ms", p.Took))
		}
	default:
		x.Status, x.What = Skip, Text{"ingen har spurt den siden oppstarten", "nobody has asked it since the start"}
		x.Remedy = Text{"stolpe payment ping", "stolpe payment ping"}
	}
	tell(x)
}

// salesUnit judges whether the sales unit can sell.
func salesUnit(f *Facts, tell func(Finding)) {
	if f.Daemon == nil {
		return
	}
	p := f.Daemon.Pay
	if f.lacks(Keys, 0) {
		return // told with payment
	}
	for i := range f.Daemon.EVSEs {
		if e := &f.Daemon.EVSEs[i]; len(e.has("PAY-001")) > 0 {
			tell(found("salesunit", e, []string{"PAY-001"}))
			return
		}
	}
	switch {
	case p.Through == "gateway": // it is the gateway's
	case p.Kind == BadUnit:
		tell(Finding{Status: Fail, What: say("salgsenheten %s kan ikke brukes: %s", "sales unit %s cannot be used: %s", p.MSN, p.Wrong), Topic: "recovery",
			Remedy: Text{"se på payment.vipps.msn, og om enheten er aktiv og har ePayment i portal.vippsmobilepay.com; så stolpe payment ping", "look at payment.vipps.msn, and whether the unit is active and has ePayment in portal.vippsmobilepay.com; then stolpe payment ping"}})
	case p.Kind != "" || p.Through != "vipps":
	case p.pinged("sales unit").Text != "":
		said := p.pinged("sales unit").Text
		tell(Finding{Status: Pass, What: Text{said, said}})
	case p.Well != nil:
		tell(Finding{Status: Pass, What: say("%s", "%s", p.MSN)})
	}
}

// pinged is what a ping saw of one thing; zero if it did not look.
func (p *Pay) pinged(what string) Pinged {
	for _, x := range p.Pinged {
		if x.What == what {
			return x
		}
	}
	return Pinged{}
}

// webhook judges whether the payment service tells what happens.
func webhook(f *Facts, tell func(Finding)) {
	if f.Daemon == nil || !f.Daemon.Hooks.Wanted {
		return
	}
	h, seen := f.Daemon.Hooks, f.Daemon.Pay.pinged("webhook")
	if h.Wrong == "" && seen.State == "fail" {
		h.Wrong = seen.Text
	}
	switch {
	case f.Daemon.Pay.Kind != "": // told already
	case h.Wrong != "":
		tell(Finding{Status: Warn, What: say("betalingstjenesten kan ikke ringe tilbake: %s; betalinger leses som før", "the payment service cannot call back: %s; payments are polled as before", h.Wrong),
			Remedy: say("er %s til å nå fra Internett over HTTPS? Så stolpe payment hooks list", "can %s be reached from the Internet over HTTPS? Then stolpe payment hooks list", h.URL)})
	case h.Held == 0:
		tell(Finding{Status: Warn, What: Text{"ikke registrert ennå; betalinger leses som før", "not registered yet; payments are polled as before"}, Remedy: Text{"vent et minutt; så stolpe payment hooks list", "wait a minute; then stolpe payment hooks list"}})
	default:
		tell(Finding{Status: Pass, What: say("registrert: %s", "registered: %s", h.URL)})
	}
}

// stuck is what to do about a debt, by what troubles it.
func stuck(trouble, ref string) (what, remedy Text) {
	look := say("se på den (stolpe payment show %s), så", "look at it (stolpe payment show %s), then", or(ref, "REF"))
	switch trouble {
	case "setup":
		return Text{"salgsenheten eller nøklene duger ikke", "the sales unit or its keys are not fit"}, Text{"sett dem i stand (stolpe payment ping), så", "put them right (stolpe payment ping), then"}
	case "funds_gone":
		return Text{"banken har sluppet reservasjonen", "the bank has let the reservation go"}, Text{"den prøves hver dag; du kan prøve nå:", "it is tried every day; you can try now:"}
	case "too_late":
		return Text{"fristen for å trekke er ute", "the time for capturing is over"}, Text{"beløpet er tapt; send regning hvis du vet hvem. Rydd opp:", "the amount is lost; send an invoice if you know to whom. Clear up:"}
	case "meddled":
		return Text{"beløpene er flyttet av andre enn posten", "amounts have moved that the post did not move"}, Text{"sammenlign med portalen: stolpe payment reconcile --since DATO; så", "compare with the portal: stolpe payment reconcile --since DATE; then"}
	case "no_partial":
		return Text{"denne betalingen kan bare trekkes hel", "this payment can only be captured whole"}, look
	case "":
		return Text{"betalingstjenesten har ikke bekreftet det", "the payment service has not confirmed it"}, Text{"", ""}
	}
	return say("avvist: %s", "refused: %s", trouble), look
}

// settlement judges the charges that are not settled.
func settlement(f *Facts, e *EVSE) Finding {
	if f.Daemon == nil {
		return Finding{}
	}
	x := Finding{ID: "settlement", Status: Pass, What: Text{"alt er gjort opp", "all is settled"}}
	bad := 0
	for _, d := range e.Debts {
		late := d.Trouble != "" || d.Age != nil && *d.Age > debtLate || d.Left != nil && *d.Left < debtLate
		if !late && (d.Age == nil || *d.Age <= debtOld) {
			continue
		}
		if bad++; bad > 1 && (!late || x.Status == Fail) {
			continue
		}
		what, remedy := stuck(d.Trouble, d.Ref)
		name := Text{or(d.Ref, "en lading"), or(d.Ref, "a charge")}
		x.Status, x.Topic = Warn, "recovery"
		if late {
			x.Status = Fail
		}
		x.What = name.join(Text{": ", ": "}, what)
		if d.Due != "" {
			x.What = x.What.join(say(" (%s)", " (%s)", d.Due))
		}
		x.Remedy = remedy.join(Text{" ", " "}, say("stolpe sessions settle %s", "stolpe sessions settle %s", or(d.Ref, "--all-stuck"))).trim()
	}
	switch n := len(e.Debts); {
	case bad > 1:
		x.What = x.What.then(say("og %d til", "and %d more", bad-1))
	case bad == 0 && n > 0:
		x.What = say("%d er på vei", "%d under way", n)
	}
	return x
}

// broker judges the connection to the fleet.
func broker(f *Facts, tell func(Finding)) {
	if f.Daemon == nil {
		return
	}
	b, x := f.Daemon.Broker, Finding{Topic: "recovery"}
	bad := Warn // charging goes on without
	if f.Daemon.Pay.Through == "gateway" {
		bad = Fail
	}
	switch {
	case f.lacks(Signers, 0):
		x = after("", Signers)
	case b.URL == "":
		x.Status, x.What = Skip, Text{"posten har ingen broker", "the post has no broker"}
	case b.Connected:
		x.Status, x.What = Pass, say("tilkoblet i %v, %d hendelser venter", "connected for %v, %d events wait", time.Duration(b.Since)*time.Second, b.Waiting)
	case b.Rejected:
		x.Status, x.What = bad, say("brokeren %s og posten godtar ikke hverandres sertifikater: %s", "the broker %s and the post do not accept each other's certificates: %s", b.URL, b.Wrong)
		x.Remedy = Text{"se på mqtt.ca, mqtt.cert og mqtt.key: er de utstedt for denne posten, gyldige i dag og av samme utsteder? openssl x509 -noout -subject -dates -in FIL", "look at mqtt.ca, mqtt.cert and mqtt.key: issued for this post, valid today, and by the same authority? openssl x509 -noout -subject -dates -in FILE"}
	default:
		x.Status, x.What = bad, say("brokeren %s er borte: %s", "the broker %s is away: %s", b.URL, or(b.Wrong, "-"))
		x.Remedy = Text{"er nettet oppe (ip route), er adressen rett (mqtt.url), og går brokeren? Så stolpe mqtt status", "is the network up (ip route), is the address right (mqtt.url), and does the broker run? Then stolpe mqtt status"}
	}
	tell(x)
}

// gateway judges the gateways that have the keys.
func gateway(f *Facts, tell func(Finding)) {
	if f.Daemon == nil || f.Daemon.Pay.Through != "gateway" {
		return
	}
	p, x := f.Daemon.Pay, Finding{Topic: "recovery"}
	switch {
	case !f.Daemon.Broker.Connected:
		x.Status, x.What = Skip, Text{"kan ikke spørres uten brokeren", "cannot be asked without the broker"}
	case p.Kind == Unreached:
		x.Status, x.What = Fail, say("ingen gateway svarer: %s", "no gateway answers: %s", p.Wrong)
		x.Remedy = Text{"går stolpe-gateway, og har den samme nøkkel for posten (payment.gateway.key)? Se i loggen dens; så stolpe gateway check", "does stolpe-gateway run, and has it the same key for the post (payment.gateway.key)? See its log; then stolpe gateway check"}
	case p.Kind != "":
		x.Status, x.What = Fail, say("gatewayen svarer, men betalingstjenesten sier nei: %s", "the gateway answers, but the payment service says no: %s", p.Wrong)
		x.Remedy = Text{"se på nøklene og salgsenheten hos gatewayen; så stolpe gateway check", "look at the keys and the sales unit at the gateway; then stolpe gateway check"}
	case p.Asked || p.Well != nil:
		x.Status, x.What = Pass, Text{"svarer", "answers"}
		if p.Took > 0 {
			x.What = x.What.then(say("%d ms", "%d ms", p.Took))
		}
	default:
		x.Status, x.What, x.Remedy = Skip, Text{"ingen har spurt den siden oppstarten", "nobody has asked it since the start"}, Text{"stolpe gateway check", "stolpe gateway check"}
	}
	tell(x)
}
