package config

import (
	"fmt"
	"time"

	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
	"stolpe/payment"
)

// schema is the whole format: the one place that knows which keys there are,
// what they hold, what holds when they are left out, and what they mean.
func schema() strict.Format {
	return strict.Format{Units: units, Migrations: migrations(), Keys: []strict.Key{
		versionKey(), postKeys(), sellerKeys(),
		{Name: "state_dir", Kind: strict.Text, Def: "/var/lib/stolpe", Env: "STOLPE_STATE_DIR", Want: "an absolute path", Legal: legal.Absolute,
			Doc: "Folder for what must survive a power cut. Made at installation; one post, one folder."},
		{Name: "meters_dir", Kind: strict.Text, Unset: "the built-in register maps only", Want: "an absolute path", Legal: legal.Absolute,
			Doc: "Folder with register maps of meters, one *.yaml for each. They are added to the built-in ones, or take the place of those of the same name."},
		evseKeys(), priceKeys(), reserveKeys(), paymentKeys(), mqttKeys(), telemetryKeys(), commandKeys(), controlKeys(), webKeys(), displayKeys(), metricsKeys(), limitKeys(), commissioningKeys(),
	}}
}

func postKeys() strict.Key {
	return strict.Key{Name: "post", Kind: strict.Section, Need: true, Doc: "The post: the machine that has the EVSEs.", Keys: []strict.Key{
		{Name: "id", Kind: strict.Text, Need: true, Legal: postID,
			Want: fmt.Sprintf("letters, digits and hyphens, at most %d characters, no hyphen first, not digits only", payment.MaxPostID),
			Doc:  "Name of the post among all posts of the sales unit. Every payment reference begins with it, so it is never used for another post."},
		{Name: "tenant", Kind: strict.Text, Unset: "none; needed with `mqtt`", Want: "letters, digits and hyphens, at most 32 characters", Legal: func(s string) bool { return len(s) <= 32 && legal.Word(s) },
			Doc: "Whose fleet the post belongs to. Stands in the log, in the status and in the topics of the broker."},
		{Name: "name", Kind: strict.Text, Need: true, Want: someText(maxName), Legal: legal.Shorter(maxName),
			Doc: "Where the post stands, as people say it. On the phone page and in the payment."},
		{Name: "country", Kind: strict.Text, Need: true, Want: "NO, DK or FI", Legal: legal.OneOf("NO", "DK", "FI"),
			Doc: "Where the post stands. Decides the currency, and whether pages say Vipps or MobilePay."},
		{Name: "timezone", Kind: strict.Text, Need: true, Want: "a name such as Europe/Oslo", Legal: zone,
			Doc: "Zone of the times on pages and receipts."},
		{Name: "helpdesk", Kind: strict.Text, Need: true, Want: `a telephone number such as "+47 22 00 00 00"`, Legal: phone,
			Doc: "Number a driver in trouble calls. On every page."},
	}}
}

func sellerKeys() strict.Key {
	return strict.Key{Name: "seller", Kind: strict.Section, Need: true, Doc: "Who the driver buys from.", Keys: []strict.Key{
		{Name: "name", Kind: strict.Text, Need: true, Want: someText(maxName), Legal: legal.Shorter(maxName),
			Doc: "Name of the company, on pages and receipts."},
		{Name: "org_no", Kind: strict.Text, Need: true, Want: "8 or 9 digits (9 in Norway)", Legal: func(s string) bool { return legal.Digits(s, 8, 9) },
			Doc: "Number in the register of companies."},
		{Name: "vat_registered", Kind: strict.Flag, Need: true, Want: "true or false",
			Doc: "Whether the seller is registered for VAT. If not, price.vat_bp is 0."},
		{Name: "address", Kind: strict.Text, Unset: "not shown", Want: someText(100), Legal: legal.Shorter(100),
			Doc: "Where the seller can be visited or written to."},
		{Name: "email", Kind: strict.Text, Unset: "not shown", Want: "an address such as post@example.no", Legal: email,
			Doc: "Where the seller can be written to."},
	}}
}

func evseKeys() strict.Key {
	return strict.Key{Name: "evses", Kind: strict.List, Need: true, Min: 1, Max: maxEVSEs, Doc: "The EVSEs: each one meter, one contactor, one plug.", Keys: []strict.Key{
		{Name: "id", Kind: strict.Number, Need: true, Min: 1, Max: maxEVSE,
			Doc: "Number of the EVSE. Part of every payment reference."},
		{Name: "code", Kind: strict.Text, Need: true, Want: fmt.Sprintf("letters, digits and hyphens, at most %d characters, and not the name of a page or a language", maxCode), Legal: code,
			Doc: "What the sticker and the address say. No two alike; capitals do not count."},
		meterKeys(), contactorKeys(), inputKeys(),
		{Name: "max_power_w", Kind: strict.Number, Need: true, Min: minPower, Max: maxPower, Want: "W",
			Doc: "The most this EVSE can deliver. Decides how early a charge stops before its reservation is used up, so rather too high than too low."},
	}}
}

func meterKeys() strict.Key {
	return strict.Key{Name: "meter", Kind: strict.Section, Doc: "The energy meter. May be left out with a simulated contactor: then the meter is simulated as well.", Keys: []strict.Key{
		{Name: "model", Kind: strict.Text, Unset: "that of the simulated meter", Want: "the name of a register map, such as eastron_sdm630", Legal: mapName,
			Doc: "Register map of the meter. `stolpe meter list` has them all."},
		{Name: "url", Kind: strict.Text, Unset: "a simulated meter", Want: `"tcp://host:port", "rtu:///dev/...?baud=9600&parity=N" or "rtuovertcp://host:port"`, Legal: meterURL,
			Doc: "Where the meter, or the gateway of its bus, answers: Modbus TCP, a serial line of this machine, or a serial line behind a converter that passes bytes on. " +
				"A serial line is best named by its path in /dev/serial/by-id; what is left out of baud, parity (N, E, O) and stop (1, 2) is as the register map says. EVSEs on one bus have the same address here. " +
				"Left out with a simulated contactor, the meter is a simulated one of the model."},
		{Name: "unit", Kind: strict.Number, Def: int64(1), Min: 1, Max: 255,
			Doc: "Modbus address of the meter: 1 to 247, or 255 for a meter that is its own gateway."},
		{Name: "serial", Kind: strict.Text, Unset: "any", Want: someText(32), Legal: legal.Shorter(32),
			Doc: "Serial number on the meter's plate. Another meter is then not billed from."},
		{Name: "mid_until", Kind: strict.Text, Unset: "not known", Want: `a day such as "2034-12-31"`, Legal: day,
			Doc: "Until when the meter's verification (MID) holds, as its plate or papers say. `stolpe doctor` warns half a year before."},
		{Name: "confirmed", Kind: strict.Text, Unset: "no model", Want: "the model whose readings were compared with the meter's own display, or the key left out", Legal: mapName,
			Doc: "Model of which a technician has compared energy, power and voltage, as `stolpe meter read` shows them, with the meter's own display. Only if it is that of `model` may a register map of low confidence bill."},
	}}
}

func contactorKeys() strict.Key {
	const lineName = "a line such as GPIO17 or gpiochip0/17"
	return strict.Key{Name: "contactor", Kind: strict.Section, Need: true, Doc: "The contactor: a simulated one, or the lines of a real one.", Keys: []strict.Key{
		{Name: "sim", Kind: strict.Flag, Unset: "a real contactor", Want: "true", Legal: legal.OneOf("true"),
			Doc: "A simulated contactor, with a car on it. Nothing real is switched. " +
				"A meter that has a url knows nothing of it, and what it measures while this is open counts as a welded contactor: to try out a register map, write model without url."},
		{Name: "line", Kind: strict.Text, Unset: "needed unless `sim: true`", Want: lineName, Legal: Output,
			Doc: "Output that closes the contactor when high. No line is used twice in the file."},
		{Name: "sense", Kind: strict.Text, Unset: "needed unless `sim: true`", Want: lineName + ", with ! before it if it is low while the contacts are closed", Legal: input,
			Doc: "Input of the contactor's auxiliary contact. It decides whether the contactor is welded or does not close, and must be another line than the one that switches."},
		{Name: "deadman", Kind: strict.Text, Unset: "none", Want: lineName, Legal: Output,
			Doc: "Output that toggles for as long as the program lives and does its work, for a circuit that opens the contactor when it stops."},
		{Name: "active_low", Kind: strict.Flag, Unset: "the contactor closes on high", Want: "true, or the key left out", Legal: legal.OneOf("true"),
			Doc: "Written only for relay boards that close on low. Such a board pulses, closing for a moment, when the program takes the line at start, and closes whenever its input is pulled low; choose one that closes on high if you can."},
	}}
}

func inputKeys() strict.Key {
	const want = "a line such as GPIO22 or gpiochip0/22, with ! before it if it is made when low"
	return strict.Key{Name: "inputs", Kind: strict.Section, Doc: "Loops of wire that are read: made or not made. A broken wire is not made, which is always the safe thing. None with a simulated contactor.", Keys: []strict.Key{
		{Name: "plug", Kind: strict.Text, Unset: "a car counts as present", Want: want, Legal: input,
			Doc: "Made while a cable is in the car."},
		{Name: "stop", Kind: strict.Text, Unset: "none", Want: want, Legal: input,
			Doc: "Stop button with a normally closed contact: made while nobody presses it. Ends the charge."},
		{Name: "estop", Kind: strict.Text, Unset: "none", Want: want, Legal: input,
			Doc: "Emergency stop: made while it is not pressed. Opens the contactor at once; a second contact of it must cut the coil by itself."},
		{Name: "rcd", Kind: strict.Text, Unset: "none", Want: want, Legal: input,
			Doc: "Auxiliary contact of the residual current device: made while it is on. Opens the contactor at once."},
		{Name: "hot", Kind: strict.Text, Unset: "none", Want: want, Legal: input,
			Doc: "Thermal switch at the socket or the cable: made while it is cool enough. Opens the contactor; no charge begins until it has cooled down."},
		{Name: "accept", Kind: strict.Text, Unset: "none", Want: want, Legal: input,
			Doc: "Button with a normally open contact: made while somebody presses it. A press accepts price and terms as the display has them, and has the amount of `reserve.default` asked for; the display then shows the code to approve by. Pressed again, it cancels that. The EVSE needs a display of its own with a code."},
	}}
}

func priceKeys() strict.Key {
	return strict.Key{Name: "price", Kind: strict.Section, Need: true, Doc: "What a charge costs, VAT included, in minor units (øre, cent).", Keys: []strict.Key{
		{Name: "currency", Kind: strict.Text, Need: true, Want: "NOK, DKK or EUR", Legal: func(s string) bool { return payment.Currency(s).Known() },
			Doc: "Currency of all amounts: NOK in Norway, DKK in Denmark, EUR in Finland."},
		{Name: "vat_bp", Kind: strict.Number, Need: true, Max: maxVAT, Want: "basis points (2500 is 25 %)",
			Doc: "VAT contained in the prices, of the net price."},
		{Name: "kwh", Kind: strict.Number, Def: int64(0), Max: maxPrice, Want: minorUnits + " per kWh (549 is 5.49 " + majorUnit + ")", Doc: "Price of one kWh."},
		{Name: "minute", Kind: strict.Number, Def: int64(0), Max: maxPrice, Want: minorUnits + " per minute", Doc: "Price of one minute of charging."},
		{Name: "session", Kind: strict.Number, Def: int64(0), Max: maxPrice, Want: minorUnits, Doc: "Price of a charge as such, taken once any energy was delivered."},
		{Name: "idle", Kind: strict.Section, Doc: "Fee for standing at the post without charging.", Keys: []strict.Key{
			{Name: "after_minutes", Kind: strict.Number, Def: int64(0), Max: 24 * 60, Want: "minutes", Doc: "How long without energy is free."},
			{Name: "minute", Kind: strict.Number, Def: int64(0), Max: maxPrice, Want: minorUnits + " per minute", Doc: "The fee for one minute after that; 0 is no fee."},
			{Name: "cap", Kind: strict.Number, Def: int64(0), Max: maxPrice, Want: minorUnits, Doc: "The most the fee can come to; 0 is no cap."},
		}},
	}}
}

func reserveKeys() strict.Key {
	amount := [2]int64{1, int64(payment.MaxAmount)}
	return strict.Key{Name: "reserve", Kind: strict.Section, Need: true, Doc: "What the driver may reserve. A charge stops when its reservation is used up.", Keys: []strict.Key{
		{Name: "default", Kind: strict.Number, Need: true, Min: amount[0], Max: amount[1], Want: minorUnits + " (35000 is 350 " + majorUnit + ")",
			Doc: "The amount already chosen on the page: one of the choices."},
		{Name: "choices", Kind: strict.Numbers, Need: true, Min: 1, Max: maxChoices, Each: amount, Want: minorUnits,
			Doc: "The amounts on the page, in rising order, none below the smallest payment (1 krone, 1 cent)."},
	}}
}

func paymentKeys() strict.Key {
	return strict.Key{Name: "payment", Kind: strict.Section, Need: true, Doc: "How the post is paid. Settings of the way not taken are checked and kept ready.", Keys: []strict.Key{
		{Name: "through", Kind: strict.Text, Need: true, Want: "vipps, gateway or sim", Legal: legal.OneOf(string(ThroughVipps), string(ThroughGateway), string(ThroughSim)),
			Doc: "vipps: the post calls Vipps MobilePay itself. gateway: it asks a gateway, which has the keys and serves the driver's pages. sim: a payment service inside the program, with a simulated payer; no money moves."},
		{Name: "vipps", Kind: strict.Section, Unset: "none", Doc: "Access to the ePayment API. Needed with through: vipps.", Keys: []strict.Key{
			{Name: "base_url", Kind: strict.Text, Def: vippsLive, Want: "https://host, or http://127.0.0.1:port, with nothing after it", Legal: legal.Origin, Quiet: true,
				Doc: "Address of the API; https://apitest.vipps.no is the test environment."},
			{Name: "msn", Kind: strict.Text, Unset: "needed with `payment.through: vipps`", Want: "4 to 10 digits", Legal: func(s string) bool { return legal.Digits(s, 4, 10) }, Quiet: true,
				Doc: "Merchant serial number: the number of the sales unit."},
			{Name: "client_id", Kind: strict.SecretRef, Unset: "needed with `payment.through: vipps`", Doc: "From the portal of Vipps MobilePay."},
			{Name: "client_secret", Kind: strict.SecretRef, Unset: "needed with `payment.through: vipps`", Doc: "From the portal of Vipps MobilePay."},
			{Name: "subscription_key", Kind: strict.SecretRef, Unset: "needed with `payment.through: vipps`", Doc: "From the portal of Vipps MobilePay."},
			{Name: "webhooks", Kind: strict.Flag, Def: false, Want: "true or false",
				Doc: "Whether the service tells the post at web.public_url what happens to payments, so that it looks at once and not at its next turn. Only for a post that the world can reach; the post registers itself."},
		}},
		{Name: "gateway", Kind: strict.Section, Doc: "How the post asks a gateway.", Keys: []strict.Key{
			{Name: "timeout", Kind: strict.Span, Def: 20 * time.Second, Min: int64(time.Second), Max: int64(time.Minute),
				Doc: "For the gateway to answer. After that the post knows nothing, and asks again."},
			{Name: "key", Kind: strict.SecretRef, Unset: "needed with `payment.through: gateway`",
				Doc: "Key of this post, 64 hexadecimal digits. What post and gateway say to each other is sealed with it, so that a broker can make nothing up."},
			{Name: "pages", Kind: strict.Text, Unset: "not known to the post", Want: "https://host, or http://127.0.0.1:port, with nothing after it", Legal: legal.Origin,
				Doc: "What phones call the pages of the gateway, as its own public_url. A display needs it for a code, and an accept button for the page that its driver comes back to."},
		}},
		{Name: "push_message", Kind: strict.Flag, Def: false, Want: "true or false",
			Doc: "Whether a driver may give a phone number and is asked in the app. The sales unit needs an approval for that."},
		{Name: "receipts", Kind: strict.Flag, Def: true, Want: "true or false",
			Doc: "Whether receipts go into the payer's app, beside the page and the PDF."},
		{Name: "sim", Kind: strict.Section, Doc: "The simulated payer.", Keys: []strict.Key{
			{Name: "payer", Kind: strict.Text, Def: string(payerApproves), Want: "approves, refuses, dawdles, vanishes or by-hand",
				Legal: legal.OneOf(string(payerApproves), string(payerRefuses), string(payerDawdles), string(payerVanishes), string(payerByHand)),
				Doc:   "What the payer does: approves, refuses, approves when it is too late, never answers; by-hand: you decide on the simulator's own page."},
			{Name: "after", Kind: strict.Span, Def: 5 * time.Second, Max: int64(10 * time.Minute), Doc: "How long the payer thinks; with dawdles, how long after the payment has expired."},
		}},
	}}
}

func mqttKeys() strict.Key {
	return strict.Key{Name: "mqtt", Kind: strict.Section, Unset: "none; needed with `payment.through: gateway`", Doc: "The broker over which the post tells its fleet how it is doing, and talks with its gateways if it has any.", Keys: BrokerKeys("post", "post.id")}
}

func webKeys() strict.Key {
	return strict.Key{Name: "web", Kind: strict.Section, Doc: "The driver's pages. None with payment.through: gateway, where the gateway serves them.", Keys: []strict.Key{
		{Name: "listen", Kind: strict.Text, Def: "127.0.0.1:8080", Env: "STOLPE_WEB_LISTEN", Want: "IP:port or localhost:port", Legal: legal.HostPort,
			Doc: "Where the pages are served. Port 0 takes any free port."},
		{Name: "public_url", Kind: strict.Text, Unset: "the address listened on, if payment.through is sim and the address loopback", Env: "STOLPE_WEB_PUBLIC_URL",
			Want: "https://host, or http://127.0.0.1:port, with nothing after it", Legal: legal.Origin,
			Doc: "What phones call the pages. Stands on the sticker and is where the payer comes back to."},
		BrandKeys(),
		{Name: "terms_url", Kind: strict.Text, Unset: "not shown", Want: "an https address of at most 200 characters", Legal: legal.Page,
			Doc: "Where the owner's terms are read. Linked from every page."},
	}}
}

func metricsKeys() strict.Key {
	return strict.Key{Name: "metrics", Kind: strict.Section, Doc: "Figures for Prometheus.", Keys: []strict.Key{
		{Name: "listen", Kind: strict.Text, Unset: "nowhere", Want: "127.0.0.1:port, localhost:port, or the absolute path of a socket", Legal: near,
			Doc: "Where they are served, under /metrics. For programs on this machine only: there is no lock on them."},
	}}
}

// near says whether s is an address of this machine, or the path of a socket.
func near(s string) bool {
	return legal.Absolute(s) && len(s) <= maxSocket || legal.HostPort(s) && listensOnLoopback(s)
}

func limitKeys() strict.Key {
	const least = int64(10 * time.Second) // short enough to try out on a bench
	day := int64(24 * time.Hour)
	return strict.Key{Name: "limits", Kind: strict.Section, Doc: "How long each part of a charge may last.", Keys: []strict.Key{
		{Name: "approve", Kind: strict.Span, Def: 10*time.Minute + 30*time.Second, Min: least, Max: int64(30 * time.Minute),
			Doc: "For the payer to decide. At least 10m with payment.through: vipps, where the payer has that long."},
		{Name: "plug_in", Kind: strict.Span, Def: 5 * time.Minute, Min: least, Max: int64(time.Hour),
			Doc: "From approval to a cable in the car. The driver can ask for as much again."},
		{Name: "no_energy", Kind: strict.Span, Def: 10 * time.Minute, Min: least, Max: day,
			Doc: "From closing the contactor to the first energy. After that all is released."},
		{Name: "car_full", Kind: strict.Span, Def: 15 * time.Minute, Min: least, Max: day,
			Doc: "Without energy until the car counts as full and the charge ends. While an idle fee is still growing, the charge goes on."},
		{Name: "longest", Kind: strict.Span, Def: 24 * time.Hour, Min: int64(time.Minute), Max: int64(longest),
			Doc: "A whole charge."},
		{Name: "rest", Kind: strict.Span, Def: 10 * time.Second, Max: int64(10 * time.Minute),
			Doc: "From opening the contactor to closing it again, at least. Spares its contacts."},
		{Name: "closings_an_hour", Kind: strict.Number, Def: int64(20), Min: 1, Max: 1000, Want: "times",
			Doc: "How often the contactor may close in an hour. Spares its contacts from a car or a driver that starts again and again."},
	}}
}
