package setup

import (
	"fmt"
	"strings"
)

// Questions are all questions about a post with so many EVSEs, in the order in which
// they are asked.
func Questions(evses int) []Question {
	all := append(postQuestions(), sellerQuestions()...)
	for n := 1; n <= evses; n++ {
		all = append(all, meterQuestions(n)...)
	}
	for n := 1; n <= evses; n++ {
		all = append(all, contactorQuestions(n)...)
	}
	for n := 1; n <= evses; n++ {
		all = append(all, inputQuestions(n)...)
	}
	all = append(all, panelQuestions()...)
	all = append(all, priceQuestions()...)
	all = append(all, paymentQuestions()...)
	return append(all, networkQuestions()...)
}

// Find finds a question.
func Find(key string) (Question, bool) {
	for _, q := range Questions(MaxEVSEs) {
		if q.Key == key {
			return q, true
		}
	}
	return Question{}, false
}

func always(v string) func(Answers) string { return func(Answers) string { return v } }

// shown is what a simulated post is called, so that it needs no answers.
func shown(v string) func(Answers) string {
	return func(a Answers) string {
		if a.Yes("simulated") {
			return v
		}
		return ""
	}
}

func real(a Answers) bool { return !a.Yes("simulated") }

func is(key, value string) func(Answers) bool {
	return func(a Answers) bool { return a[key] == value }
}

// byCountry picks by where the post stands.
func byCountry(norway, denmark, finland string) func(Answers) string {
	return func(a Answers) string {
		return map[string]string{"NO": norway, "DK": denmark, "FI": finland}[a["post.country"]]
	}
}

func postQuestions() []Question {
	return []Question{
		{Key: "simulated", Step: Post, Kind: YesNo, Quiet: true, Default: always(no),
			Ask: Words{"En simulert post, uten måler og kontaktor?", "A simulated post, without meter and contactor?"}},
		{Key: "post.id", Step: Post, Config: "post.id", Default: shown("DEMO"),
			Ask:  Words{"Hva heter posten?", "What is the post called?"},
			Help: Words{"Står på merkeskiltet og i hver betalingsreferanse. Brukes aldri om igjen.", "On its plate and in every payment reference. Never used again for another."}},
		{Key: "post.name", Step: Post, Config: "post.name", Default: shown("Storgata 1"),
			Ask:  Words{"Hvor står den?", "Where does it stand?"},
			Help: Words{"Slik folk sier det, for eksempel Storgata 1.", "As people say it, such as Storgata 1."}},
		{Key: "post.country", Step: Post, Config: "post.country", One: []string{"NO", "DK", "FI"}, Default: always("NO"),
			Ask: Words{"I hvilket land?", "In which country?"}},
		{Key: "post.timezone", Step: Post, Config: "post.timezone", Quiet: true, Default: byCountry("Europe/Oslo", "Europe/Copenhagen", "Europe/Helsinki"),
			Ask: Words{"Hvilken tidssone?", "Which time zone?"}},
		{Key: "post.helpdesk", Step: Post, Config: "post.helpdesk", Default: shown("+47 22 00 00 00"),
			Ask:  Words{"Hvilket nummer ringer en fører som trenger hjelp?", "Which number does a driver in trouble call?"},
			Help: Words{"For eksempel +47 22 00 00 00.", "Such as +47 22 00 00 00."}},
		{Key: "evses", Step: Post, Kind: Number, One: []string{"1", "2"}, Default: always("1"),
			Ask:  Words{"Hvor mange biler lader der om gangen?", "How many cars charge there at a time?"},
			Help: Words{"Hver har sin måler, sin kontaktor og sin plugg.", "Each has a meter, a contactor and a plug."}},
		{Key: "state_dir", Step: Post, Config: "state_dir", Quiet: true, Optional: true,
			Ask: Words{"I hvilken mappe bor tilstanden?", "In which folder does the state live?"}},
		{Key: "control.dir", Step: Post, Config: "control.dir", Quiet: true, Optional: true,
			Ask: Words{"I hvilken mappe er kontaktpunktene?", "In which folder are the sockets?"}},
		{Key: "by", Step: Post, Quiet: true, Optional: true,
			Ask: Words{"Hvem setter posten i drift?", "Who puts the post into service?"}},
	}
}

func sellerQuestions() []Question {
	return []Question{
		{Key: "seller.name", Step: Seller, Config: "seller.name", Default: shown("Eksempel Lading AS"),
			Ask: Words{"Hvem selger strømmen?", "Who sells the energy?"}, Help: Words{"Firmanavnet, slik det står på kvitteringen.", "Name of the company, as on the receipt."}},
		{Key: "seller.org_no", Step: Seller, Config: "seller.org_no", Default: shown("999999999"),
			Ask: Words{"Organisasjonsnummer?", "Number in the register of companies?"}},
		{Key: "seller.vat_registered", Step: Seller, Kind: YesNo, Config: "seller.vat_registered", Default: always(yes),
			Ask: Words{"Er selgeren i merverdiavgiftsregisteret?", "Is the seller registered for VAT?"}},
		{Key: "seller.address", Step: Seller, Config: "seller.address", Optional: true,
			Ask: Words{"Selgerens adresse?", "Address of the seller?"}, Help: Words{"Kan stå tom.", "May be empty."}},
		{Key: "seller.email", Step: Seller, Config: "seller.email", Optional: true,
			Ask: Words{"Selgerens e-post?", "E-mail of the seller?"}, Help: Words{"Kan stå tom.", "May be empty."}},
	}
}

// of names a question about an EVSE: those of the first have no number.
func of(section string, n int, key string) string {
	if n > 1 {
		section += fmt.Sprint(n)
	}
	return section + "." + key
}

// about adds which EVSE is meant, where there is more than one.
func about(n int, w Words) Words {
	if n == 1 {
		return w
	}
	suffix := fmt.Sprintf(" (EVSE %d)", n)
	return Words{w.NB + suffix, w.EN + suffix}
}

func meterQuestions(n int) []Question {
	all := []Question{
		{Key: of("meter", n, "url"), Config: "evses[].meter.url", When: real,
			Ask:  Words{"Hvor svarer måleren?", "Where does the meter answer?"},
			Help: Words{"rtu:///dev/serial/by-id/..., tcp://vert:port eller rtuovertcp://vert:port", "rtu:///dev/serial/by-id/..., tcp://host:port or rtuovertcp://host:port"}},
		{Key: of("meter", n, "model"), Config: "evses[].meter.model", When: real, Optional: true,
			Ask:  Words{"Hvilken modell?", "Which model?"},
			Help: Words{"Tom: let etter den på den adressen. stolpe meter list viser alle.", "Empty: look for it at that address. stolpe meter list has them all."}},
		{Key: of("meter", n, "unit"), Kind: Number, Config: "evses[].meter.unit", When: real, Quiet: true, Optional: true,
			Ask: Words{"Hvilken Modbus-adresse?", "Which Modbus address?"}},
		{Key: of("meter", n, "serial"), Config: "evses[].meter.serial", When: real, Quiet: true, Optional: true,
			Ask: Words{"Serienummeret på måleren?", "Serial number of the meter?"}},
		{Key: of("meter", n, "mid_until"), Config: "evses[].meter.mid_until", When: real, Optional: true,
			Ask:  Words{"Til hvilken dag gjelder kalibreringen (MID)?", "Until which day does the calibration hold (MID)?"},
			Help: Words{"For eksempel 2034-12-31, eller tomt.", "Such as 2034-12-31, or empty."}},
		{Key: of("meter", n, "shown"), When: real, Optional: true, Quiet: true,
			Ask:  Words{"Hva viser målerens eget display, i kWh?", "What does the meter's own display show, in kWh?"},
			Help: Words{"Alle sifrene, slik de står.", "All digits, as they stand."}},
	}
	return forEVSE(all, Meter, n)
}

func forEVSE(all []Question, s Step, n int) []Question {
	for i := range all {
		all[i].Step, all[i].EVSE, all[i].Ask = s, n, about(n, all[i].Ask)
	}
	return all
}

// codeOf is the sticker's code of an EVSE that nobody has chosen one for.
func codeOf(n int) func(Answers) string {
	return func(a Answers) string {
		switch id := a["post.id"]; {
		case id == "":
			return ""
		case a.EVSEs() == 1:
			return strings.ToUpper(id)
		default:
			return strings.ToUpper(fmt.Sprintf("%s-%d", id, n))
		}
	}
}

func contactorQuestions(n int) []Question {
	all := []Question{
		{Key: of("evse", n, "code"), Config: "evses[].code", Default: codeOf(n),
			Ask: Words{"Hvilken kode står på klistremerket?", "Which code is on the sticker?"}},
		{Key: of("evse", n, "max_power_w"), Kind: Number, Config: "evses[].max_power_w", Default: always("22000"),
			Ask:  Words{"Hva er det meste den kan levere, i W?", "What is the most it can deliver, in W?"},
			Help: Words{"Heller for mye enn for lite: 22000 for 32 A trefase.", "Rather too much than too little: 22000 for 32 A on three phases."}},
		{Key: of("contactor", n, "line"), Config: "evses[].contactor.line", When: real,
			Ask: Words{"Hvilken linje slår kontaktoren inn?", "Which line closes the contactor?"}, Help: Words{"For eksempel GPIO17.", "Such as GPIO17."}},
		{Key: of("contactor", n, "sense"), Config: "evses[].contactor.sense", When: real,
			Ask:  Words{"Hvilken linje er hjelpekontakten på?", "On which line is its auxiliary contact?"},
			Help: Words{"For eksempel GPIO27; med ! foran når den er lav mens kontaktoren er inne.", "Such as GPIO27; with ! before it if it is low while the contactor is closed."}},
		{Key: of("contactor", n, "deadman"), Config: "evses[].contactor.deadman", When: real, Quiet: true, Optional: true,
			Ask: Words{"Hvilken linje holder dødmannskretsen i live?", "Which line keeps the dead-man circuit alive?"}},
		{Key: of("contactor", n, "active_low"), Kind: YesNo, Config: "evses[].contactor.active_low", When: real, Quiet: true, Optional: true,
			Ask: Words{"Slår relékortet inn på lav?", "Does the relay board close on low?"}},
	}
	return forEVSE(all, Contactor, n)
}

func inputQuestions(n int) []Question {
	input := func(key, nb, en string) Question {
		return Question{Key: of("inputs", n, key), Config: "evses[].inputs." + key, When: real, Optional: true,
			Ask: Words{nb, en}, Help: Words{"En linje, eller tomt for ingen.", "A line, or empty for none."}}
	}
	all := []Question{
		input("plug", "Linjen som vet at en kabel står i bilen?", "The line that knows of a cable in the car?"),
		input("stop", "Linjen til stoppknappen?", "The line of the stop button?"),
		input("estop", "Linjen til nødstoppen?", "The line of the emergency stop?"),
		input("rcd", "Linjen til jordfeilbryteren?", "The line of the residual current device?"),
		input("hot", "Linjen til termobryteren?", "The line of the thermal switch?"),
		input("accept", "Linjen til knappen som godtar pris og vilkår?", "The line of the button that accepts price and terms?"),
	}
	return forEVSE(all, Inputs, n)
}

func priceQuestions() []Question {
	none := Words{"0.00 for ingen.", "0.00 for none."}
	return []Question{
		{Key: "price.kwh", Step: Price, Kind: Money, Config: "price.kwh", Default: shown("5.49"),
			Ask: Words{"Hva koster en kWh, med mva?", "What does a kWh cost, VAT included?"}, Help: Words{"Med to desimaler, for eksempel 5.49.", "With two decimals, such as 5.49."}},
		{Key: "price.minute", Step: Price, Kind: Money, Config: "price.minute", Default: always("0.00"),
			Ask: Words{"Hva koster et minutt?", "What does a minute cost?"}, Help: none},
		{Key: "price.session", Step: Price, Kind: Money, Config: "price.session", Default: always("0.00"),
			Ask: Words{"Hva koster det å begynne?", "What does it cost to begin?"}, Help: none},
		{Key: "price.idle.minute", Step: Price, Kind: Money, Config: "price.idle.minute", Default: always("0.00"),
			Ask: Words{"Hva koster et minutt for den som står der uten å lade?", "What does a minute cost whoever stands there without charging?"}, Help: none},
		{Key: "price.idle.after_minutes", Step: Price, Kind: Number, Config: "price.idle.after_minutes", Quiet: true, Default: always("15"), When: charges("price.idle.minute"),
			Ask: Words{"Hvor mange minutter er gratis?", "How many minutes are free?"}},
		{Key: "price.idle.cap", Step: Price, Kind: Money, Config: "price.idle.cap", Quiet: true, Default: always("0.00"), When: charges("price.idle.minute"),
			Ask: Words{"Hva er det meste det kan bli?", "What is the most that can come to?"}},
		{Key: "price.vat_bp", Step: Price, Kind: Number, Config: "price.vat_bp", Quiet: true, Default: vat,
			Ask: Words{"Hvor mye mva er det i prisene, i hundredels prosent?", "How much VAT is in the prices, in hundredths of a percent?"}},
		{Key: "reserve.choices", Step: Price, Kind: Sums, Config: "reserve.choices", Default: byCountry("200, 350, 500", "200, 350, 500", "20, 35, 50"),
			Ask: Words{"Hvilke beløp kan reserveres?", "Which amounts can be reserved?"}},
		{Key: "reserve.default", Step: Price, Kind: Sums, Config: "reserve.default", Quiet: true, Default: middle,
			Ask: Words{"Hvilket av dem er valgt på forhånd?", "Which of them is chosen already?"}},
	}
}

// charges says whether an amount is above nothing.
func charges(key string) func(Answers) bool {
	return func(a Answers) bool { return strings.Trim(a[key], "0.,") != "" }
}

// vat is what is usual on energy (2026): Norway 25 %, Denmark 25 %, Finland 25.5 %.
func vat(a Answers) string {
	if !a.Yes("seller.vat_registered") {
		return "0"
	}
	return byCountry("2500", "2500", "2550")(a)
}

// middle is the one in the middle of the amounts.
func middle(a Answers) string {
	all := strings.Split(a["reserve.choices"], ",")
	return strings.TrimSpace(all[len(all)/2])
}

func paymentQuestions() []Question {
	vipps, gateway := is("payment.through", "vipps"), is("payment.through", "gateway")
	const where = "credential:NAME, file:PATH"
	kept := Words{where + " eller env:NAVN; aldri nøkkelen selv.", where + " or env:NAME; never the key itself."}
	return []Question{
		{Key: "payment.through", Step: Payment, Config: "payment.through", One: []string{"gateway", "vipps", "sim"}, Default: shown("sim"),
			Ask:  Words{"Hvordan får posten betalt?", "How is the post paid?"},
			Help: Words{"gateway: porten har nøklene. vipps: posten har dem selv. sim: det flyttes ingen penger.", "gateway: that has the keys. vipps: the post has them itself. sim: no money moves."}},
		{Key: "payment.vipps.msn", Step: Payment, Config: "payment.vipps.msn", When: vipps,
			Ask: Words{"Nummeret på salgsstedet (MSN)?", "Number of the sales unit (MSN)?"}},
		{Key: "payment.vipps.base_url", Step: Payment, Config: "payment.vipps.base_url", When: vipps, Default: always("https://api.vipps.no"),
			Ask: Words{"Hvilken adresse har tjenesten?", "At which address is the service?"}, Help: Words{"https://apitest.vipps.no er testmiljøet.", "https://apitest.vipps.no is the test environment."}},
		{Key: "payment.vipps.client_id", Step: Payment, Config: "payment.vipps.client_id", When: vipps, Default: always("credential:vipps-client-id"),
			Ask: Words{"Hvor ligger client_id?", "Where is the client_id kept?"}, Help: kept},
		{Key: "payment.vipps.client_secret", Step: Payment, Config: "payment.vipps.client_secret", When: vipps, Default: always("credential:vipps-client-secret"),
			Ask: Words{"Hvor ligger client_secret?", "Where is the client_secret kept?"}, Help: kept},
		{Key: "payment.vipps.subscription_key", Step: Payment, Config: "payment.vipps.subscription_key", When: vipps, Default: always("credential:vipps-subscription-key"),
			Ask: Words{"Hvor ligger subscription_key?", "Where is the subscription_key kept?"}, Help: kept},
		{Key: "payment.gateway.key", Step: Payment, Config: "payment.gateway.key", When: gateway, Default: always("credential:gateway-key"),
			Ask: Words{"Hvor ligger postens nøkkel til porten?", "Where is the post's key to the gateway kept?"}, Help: kept},
	}
}

func networkQuestions() []Question {
	pages := func(a Answers) bool { return a["payment.through"] != "gateway" }
	public := func(a Answers) bool { return a["payment.through"] == "vipps" }
	broker := func(a Answers) bool { return a["mqtt.url"] != "" }
	secure := func(a Answers) bool { return strings.HasPrefix(a["mqtt.url"], "mqtts:") }
	file := func(key, nb, en, path string) Question {
		return Question{Key: "mqtt." + key, Step: Network, Config: "mqtt." + key, When: secure, Default: always(path), Ask: Words{nb, en}}
	}
	return []Question{
		{Key: "web.public_url", Step: Network, Config: "web.public_url", When: public,
			Ask: Words{"Hvilken adresse har siden for førere?", "At which address is the driver's page?"}, Help: Words{"For eksempel https://lad.example.no.", "Such as https://lad.example.no."}},
		{Key: "web.listen", Step: Network, Config: "web.listen", When: pages, Quiet: true, Optional: true, Default: shown("127.0.0.1:0"), // any free port
			Ask: Words{"Hvor lytter siden på denne maskinen?", "Where does the page listen on this machine?"}},
		{Key: "pages", Step: Network, When: is("payment.through", "gateway"), Quiet: true, Optional: true,
			Ask: Words{"Hvor er portens sider, for klistremerket?", "Where are the gateways' pages, for the sticker?"}},
		{Key: "mqtt.url", Step: Network, Config: "mqtt.url", When: func(a Answers) bool {
			return !a.Yes("simulated") || a["payment.through"] == "gateway" || a["mqtt.url"] != ""
		}, Optional: true, Must: is("payment.through", "gateway"),
			Ask: Words{"Hvilken megler forteller posten om seg selv (MQTT)?", "Which broker does the post tell about itself (MQTT)?"}, Help: Words{"mqtts://megler:8883, eller tomt for ingen.", "mqtts://broker:8883, or empty for none."}},
		{Key: "post.tenant", Step: Network, Config: "post.tenant", When: broker,
			Ask: Words{"Hvem sin flåte hører posten til?", "Whose fleet does the post belong to?"}},
		file("ca", "Hvem går god for megleren (PEM)?", "Who vouches for the broker (PEM)?", "/etc/stolpe/ca.pem"),
		file("cert", "Postens sertifikat (PEM)?", "Certificate of the post (PEM)?", "/etc/stolpe/post.pem"),
		file("key", "Nøkkelen til det (PEM)?", "Its key (PEM)?", "/etc/stolpe/post.key"),
	}
}
