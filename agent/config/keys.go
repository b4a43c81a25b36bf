package config

import (
	"fmt"
	"time"

	"stolpe/payment"
)

// schema is the whole format: the one place that knows which keys there are,
// what they hold, what holds when they are left out, and what they mean.
func schema() key {
	return key{kind: section, keys: []key{
		postKeys(), sellerKeys(),
		{name: "state_dir", kind: text, def: "/var/lib/stolpe", env: "STOLPE_STATE_DIR", want: "an absolute path", legal: absolute,
			doc: "Folder for what must survive a power cut. Made at installation; one post, one folder."},
		{name: "meters_dir", kind: text, unset: "the built-in register maps only", want: "an absolute path", legal: absolute,
			doc: "Folder with register maps of meters, one *.yaml for each. They are added to the built-in ones, or take the place of those of the same name."},
		evseKeys(), priceKeys(), reserveKeys(), paymentKeys(), mqttKeys(), webKeys(), limitKeys(),
	}}
}

func postKeys() key {
	return key{name: "post", kind: section, need: true, doc: "The post: the machine that has the EVSEs.", keys: []key{
		{name: "id", kind: text, need: true, legal: postID,
			want: fmt.Sprintf("letters, digits and hyphens, at most %d characters, no hyphen first, not digits only", payment.MaxPostID),
			doc:  "Name of the post among all posts of the sales unit. Every payment reference begins with it, so it is never used for another post."},
		{name: "tenant", kind: text, unset: "none; needed with `mqtt`", want: "letters, digits and hyphens, at most 32 characters", legal: func(s string) bool { return len(s) <= 32 && word(s) },
			doc: "Whose fleet the post belongs to. Stands in the log, in the status and in the topics of the broker."},
		{name: "name", kind: text, need: true, want: someText(maxName), legal: shorter(maxName),
			doc: "Where the post stands, as people say it. On the phone page and in the payment."},
		{name: "country", kind: text, need: true, want: "NO, DK or FI", legal: oneOf("NO", "DK", "FI"),
			doc: "Where the post stands. Decides the currency, and whether pages say Vipps or MobilePay."},
		{name: "timezone", kind: text, need: true, want: "a name such as Europe/Oslo", legal: zone,
			doc: "Zone of the times on pages and receipts."},
		{name: "helpdesk", kind: text, need: true, want: `a telephone number such as "+47 22 00 00 00"`, legal: phone,
			doc: "Number a driver in trouble calls. On every page."},
	}}
}

func sellerKeys() key {
	return key{name: "seller", kind: section, need: true, doc: "Who the driver buys from.", keys: []key{
		{name: "name", kind: text, need: true, want: someText(maxName), legal: shorter(maxName),
			doc: "Name of the company, on pages and receipts."},
		{name: "org_no", kind: text, need: true, want: "8 or 9 digits (9 in Norway)", legal: func(s string) bool { return digits(s, 8, 9) },
			doc: "Number in the register of companies."},
		{name: "vat_registered", kind: flag, need: true, want: "true or false",
			doc: "Whether the seller is registered for VAT. If not, price.vat_bp is 0."},
		{name: "address", kind: text, unset: "not shown", want: someText(100), legal: shorter(100),
			doc: "Where the seller can be visited or written to."},
		{name: "email", kind: text, unset: "not shown", want: "an address such as post@example.no", legal: email,
			doc: "Where the seller can be written to."},
	}}
}

func evseKeys() key {
	return key{name: "evses", kind: list, need: true, min: 1, max: maxEVSEs, doc: "The EVSEs: each one meter, one contactor, one plug.", keys: []key{
		{name: "id", kind: number, need: true, min: 1, max: maxEVSE,
			doc: "Number of the EVSE. Part of every payment reference."},
		{name: "code", kind: text, need: true, want: fmt.Sprintf("letters, digits and hyphens, at most %d characters, and not the name of a page or a language", maxCode), legal: code,
			doc: "What the sticker and the address say. No two alike; capitals do not count."},
		meterKeys(), contactorKeys(), inputKeys(),
		{name: "max_power_w", kind: number, need: true, min: minPower, max: maxPower, want: "W",
			doc: "The most this EVSE can deliver. Decides how early a charge stops before its reservation is used up, so rather too high than too low."},
	}}
}

func meterKeys() key {
	return key{name: "meter", kind: section, doc: "The energy meter. May be left out with a simulated contactor: then the meter is simulated as well.", keys: []key{
		{name: "model", kind: text, unset: "that of the simulated meter", want: "the name of a register map, such as eastron_sdm630", legal: mapName,
			doc: "Register map of the meter. `stolpe meter list` has them all."},
		{name: "url", kind: text, unset: "a simulated meter", want: `"tcp://host:port", "rtu:///dev/...?baud=9600&parity=N" or "rtuovertcp://host:port"`, legal: meterURL,
			doc: "Where the meter, or the gateway of its bus, answers: Modbus TCP, a serial line of this machine, or a serial line behind a converter that passes bytes on. " +
				"A serial line is best named by its path in /dev/serial/by-id; what is left out of baud, parity (N, E, O) and stop (1, 2) is as the register map says. EVSEs on one bus have the same address here. " +
				"Left out with a simulated contactor, the meter is a simulated one of the model."},
		{name: "unit", kind: number, def: int64(1), min: 1, max: 255,
			doc: "Modbus address of the meter: 1 to 247, or 255 for a meter that is its own gateway."},
		{name: "serial", kind: text, unset: "any", want: someText(32), legal: shorter(32),
			doc: "Serial number on the meter's plate. Another meter is then not billed from."},
		{name: "confirmed", kind: flag, def: false, want: "true or false",
			doc: "Whether a technician has compared energy, power and voltage as `stolpe meter read` shows them with the meter's own display. Only then may a register map of low confidence bill."},
	}}
}

func contactorKeys() key {
	const lineName = "a line such as GPIO17 or gpiochip0/17"
	return key{name: "contactor", kind: section, need: true, doc: "The contactor: a simulated one, or the lines of a real one.", keys: []key{
		{name: "sim", kind: flag, unset: "a real contactor", want: "true", legal: oneOf("true"),
			doc: "A simulated contactor, with a car on it. Nothing real is switched. " +
				"A meter that has a url knows nothing of it, and what it measures while this is open counts as a welded contactor: to try out a register map, write model without url."},
		{name: "line", kind: text, unset: "needed unless `sim: true`", want: lineName, legal: Output,
			doc: "Output that closes the contactor when high. No line is used twice in the file."},
		{name: "sense", kind: text, unset: "needed unless `sim: true`", want: lineName + ", with ! before it if it is low while the contacts are closed", legal: input,
			doc: "Input of the contactor's auxiliary contact. It decides whether the contactor is welded or does not close, and must be another line than the one that switches."},
		{name: "deadman", kind: text, unset: "none", want: lineName, legal: Output,
			doc: "Output that toggles for as long as the program lives and does its work, for a circuit that opens the contactor when it stops."},
		{name: "active_low", kind: flag, unset: "the contactor closes on high", want: "true, or the key left out", legal: oneOf("true"),
			doc: "Written only for relay boards that close on low. Such a board pulses, closing for a moment, when the program takes the line at start, and closes whenever its input is pulled low; choose one that closes on high if you can."},
	}}
}

func inputKeys() key {
	const want = "a line such as GPIO22 or gpiochip0/22, with ! before it if it is made when low"
	return key{name: "inputs", kind: section, doc: "Loops of wire that are read: made or not made. A broken wire is not made, which is always the safe thing. None with a simulated contactor.", keys: []key{
		{name: "plug", kind: text, unset: "a car counts as present", want: want, legal: input,
			doc: "Made while a cable is in the car."},
		{name: "stop", kind: text, unset: "none", want: want, legal: input,
			doc: "Stop button with a normally closed contact: made while nobody presses it. Ends the charge."},
		{name: "estop", kind: text, unset: "none", want: want, legal: input,
			doc: "Emergency stop: made while it is not pressed. Opens the contactor at once; a second contact of it must cut the coil by itself."},
		{name: "rcd", kind: text, unset: "none", want: want, legal: input,
			doc: "Auxiliary contact of the residual current device: made while it is on. Opens the contactor at once."},
		{name: "hot", kind: text, unset: "none", want: want, legal: input,
			doc: "Thermal switch at the socket or the cable: made while it is cool enough. Opens the contactor; no charge begins until it has cooled down."},
	}}
}

func priceKeys() key {
	return key{name: "price", kind: section, need: true, doc: "What a charge costs, VAT included, in minor units (øre, cent).", keys: []key{
		{name: "currency", kind: text, need: true, want: "NOK, DKK or EUR", legal: func(s string) bool { return payment.Currency(s).Known() },
			doc: "Currency of all amounts: NOK in Norway, DKK in Denmark, EUR in Finland."},
		{name: "vat_bp", kind: number, need: true, max: maxVAT, want: "basis points (2500 is 25 %)",
			doc: "VAT contained in the prices, of the net price."},
		{name: "kwh", kind: number, def: int64(0), max: maxPrice, want: minorUnits + " per kWh (549 is 5.49 " + majorUnit + ")", doc: "Price of one kWh."},
		{name: "minute", kind: number, def: int64(0), max: maxPrice, want: minorUnits + " per minute", doc: "Price of one minute of charging."},
		{name: "session", kind: number, def: int64(0), max: maxPrice, want: minorUnits, doc: "Price of a charge as such, taken once any energy was delivered."},
		{name: "idle", kind: section, doc: "Fee for standing at the post without charging.", keys: []key{
			{name: "after_minutes", kind: number, def: int64(0), max: 24 * 60, want: "minutes", doc: "How long without energy is free."},
			{name: "minute", kind: number, def: int64(0), max: maxPrice, want: minorUnits + " per minute", doc: "The fee for one minute after that; 0 is no fee."},
			{name: "cap", kind: number, def: int64(0), max: maxPrice, want: minorUnits, doc: "The most the fee can come to; 0 is no cap."},
		}},
	}}
}

func reserveKeys() key {
	amount := [2]int64{1, int64(payment.MaxAmount)}
	return key{name: "reserve", kind: section, need: true, doc: "What the driver may reserve. A charge stops when its reservation is used up.", keys: []key{
		{name: "default", kind: number, need: true, min: amount[0], max: amount[1], want: minorUnits + " (35000 is 350 " + majorUnit + ")",
			doc: "The amount already chosen on the page: one of the choices."},
		{name: "choices", kind: numbers, need: true, min: 1, max: maxChoices, each: amount, want: minorUnits,
			doc: "The amounts on the page, in rising order, none below the smallest payment (1 krone, 1 cent)."},
	}}
}

func paymentKeys() key {
	return key{name: "payment", kind: section, need: true, doc: "How the post is paid. Settings of the way not taken are checked and kept ready.", keys: []key{
		{name: "through", kind: text, need: true, want: "vipps, gateway or sim", legal: oneOf(string(ThroughVipps), string(ThroughGateway), string(ThroughSim)),
			doc: "vipps: the post calls Vipps MobilePay itself. gateway: it asks a gateway, which has the keys and serves the driver's pages. sim: a payment service inside the program, with a simulated payer; no money moves."},
		{name: "vipps", kind: section, unset: "none", doc: "Access to the ePayment API. Needed with through: vipps.", keys: []key{
			{name: "base_url", kind: text, def: vippsLive, want: "https://host, or http://127.0.0.1:port, with nothing after it", legal: origin, quiet: true,
				doc: "Address of the API; https://apitest.vipps.no is the test environment."},
			{name: "msn", kind: text, unset: "needed with `payment.through: vipps`", want: "4 to 10 digits", legal: func(s string) bool { return digits(s, 4, 10) }, quiet: true,
				doc: "Merchant serial number: the number of the sales unit."},
			{name: "client_id", kind: secret, unset: "needed with `payment.through: vipps`", doc: "From the portal of Vipps MobilePay."},
			{name: "client_secret", kind: secret, unset: "needed with `payment.through: vipps`", doc: "From the portal of Vipps MobilePay."},
			{name: "subscription_key", kind: secret, unset: "needed with `payment.through: vipps`", doc: "From the portal of Vipps MobilePay."},
			{name: "webhooks", kind: flag, def: false, want: "true or false",
				doc: "Whether the service tells the post at web.public_url what happens to payments, so that it looks at once and not at its next turn. Only for a post that the world can reach; the post registers itself."},
		}},
		{name: "gateway", kind: section, doc: "How the post asks a gateway.", keys: []key{
			{name: "timeout", kind: span, def: 20 * time.Second, min: int64(time.Second), max: int64(time.Minute),
				doc: "For the gateway to answer. After that the post knows nothing, and asks again."},
			{name: "key", kind: secret, unset: "needed with `payment.through: gateway`",
				doc: "Key of this post, 64 hexadecimal digits. What post and gateway say to each other is sealed with it, so that a broker can make nothing up."},
		}},
		{name: "push_message", kind: flag, def: false, want: "true or false",
			doc: "Whether a driver may give a phone number and is asked in the app. The sales unit needs an approval for that."},
		{name: "receipts", kind: flag, def: true, want: "true or false",
			doc: "Whether receipts go into the payer's app, beside the page and the PDF."},
		{name: "sim", kind: section, doc: "The simulated payer.", keys: []key{
			{name: "payer", kind: text, def: string(payerApproves), want: "approves, refuses, dawdles, vanishes or by-hand",
				legal: oneOf(string(payerApproves), string(payerRefuses), string(payerDawdles), string(payerVanishes), string(payerByHand)),
				doc:   "What the payer does: approves, refuses, approves when it is too late, never answers; by-hand: you decide on the simulator's own page."},
			{name: "after", kind: span, def: 5 * time.Second, max: int64(10 * time.Minute), doc: "How long the payer thinks; with dawdles, how long after the payment has expired."},
		}},
	}}
}

func mqttKeys() key {
	return key{name: "mqtt", kind: section, unset: "none; needed with `payment.through: gateway`", doc: "The broker that carries what post and gateway say to each other.", keys: []key{
		{name: "url", kind: text, need: true, want: "mqtts://host:port, or mqtt://127.0.0.1:port, with nothing after it", legal: broker, quiet: true,
			doc: "Address of the broker. Without TLS only on this machine."},
		{name: "ca", kind: text, unset: "needed with mqtts", want: "an absolute path", legal: absolute, doc: "Certificate of whoever vouches for the broker, PEM."},
		{name: "cert", kind: text, unset: "needed with mqtts", want: "an absolute path", legal: absolute, doc: "Certificate of the post, PEM. Its common name is post.id."},
		{name: "key", kind: text, unset: "needed with mqtts", want: "an absolute path", legal: absolute, doc: "Private key of the post, PEM."},
	}}
}

func webKeys() key {
	return key{name: "web", kind: section, doc: "The driver's pages. None with payment.through: gateway, where the gateway serves them.", keys: []key{
		{name: "listen", kind: text, def: "127.0.0.1:8080", env: "STOLPE_WEB_LISTEN", want: "IP:port or localhost:port", legal: hostPort,
			doc: "Where the pages are served. Port 0 takes any free port."},
		{name: "public_url", kind: text, unset: "the address listened on, if payment.through is sim and the address loopback", env: "STOLPE_WEB_PUBLIC_URL",
			want: "https://host, or http://127.0.0.1:port, with nothing after it", legal: origin,
			doc: "What phones call the pages. Stands on the sticker and is where the payer comes back to."},
		brandKeys(),
		{name: "terms_url", kind: text, unset: "not shown", want: "an https address of at most 200 characters", legal: page,
			doc: "Where the owner's terms are read. Linked from every page."},
	}}
}

func brandKeys() key {
	return key{name: "brand", kind: section, doc: "How the owner's pages look.", keys: []key{
		{name: "name", kind: text, unset: "no name above the page", want: someText(maxName), legal: shorter(maxName), doc: "Stands above every page."},
		{name: "colour", kind: text, unset: "the pages' own", want: `"#rrggbb" in quotes, on which white can be read (contrast 4.5 to 1, WCAG 2.2)`, legal: colour,
			doc: "Colour of what is pressed."},
		{name: "logo", kind: text, unset: "none", want: "an absolute path that ends in .svg or .png", legal: picture,
			doc: "Stands above every page. At most 8 KiB, as it is a part of each."},
	}}
}

func limitKeys() key {
	const least = int64(10 * time.Second) // short enough to try out on a bench
	day := int64(24 * time.Hour)
	return key{name: "limits", kind: section, doc: "How long each part of a charge may last.", keys: []key{
		{name: "approve", kind: span, def: 10*time.Minute + 30*time.Second, min: least, max: int64(30 * time.Minute),
			doc: "For the payer to decide. At least 10m with payment.through: vipps, where the payer has that long."},
		{name: "plug_in", kind: span, def: 5 * time.Minute, min: least, max: int64(time.Hour),
			doc: "From approval to a cable in the car. The driver can ask for as much again."},
		{name: "no_energy", kind: span, def: 10 * time.Minute, min: least, max: day,
			doc: "From closing the contactor to the first energy. After that all is released."},
		{name: "car_full", kind: span, def: 15 * time.Minute, min: least, max: day,
			doc: "Without energy until the car counts as full and the charge ends. While an idle fee is still growing, the charge goes on."},
		{name: "longest", kind: span, def: 24 * time.Hour, min: int64(time.Minute), max: int64(longest),
			doc: "A whole charge."},
		{name: "rest", kind: span, def: 10 * time.Second, max: int64(10 * time.Minute),
			doc: "From opening the contactor to closing it again, at least. Spares its contacts."},
		{name: "closings_an_hour", kind: number, def: int64(20), min: 1, max: 1000, want: "times",
			doc: "How often the contactor may close in an hour. Spares its contacts from a car or a driver that starts again and again."},
	}}
}
