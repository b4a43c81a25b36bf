package main

import (
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
	"stolpe/payment"
)

// Numbers chosen by us, unless they say otherwise.
const (
	maxUnits    = 64                     // sales units in one file, which somebody still reads
	maxPatterns = 200                    // posts of one unit that are named one by one: a fleet has names that begin alike
	maxHooks    = 4                      // one registration, and those it takes the place of
	maxName     = 32                     // characters of a tenant or a gateway, as in the certificates
	keyDigits   = 64                     // of a key of HMAC-SHA256 in hexadecimal
	liveURL     = "https://api.vipps.no" // ePayment API 1.8.1, servers
)

// gatewayName begins the names of gateways, by which the broker knows them.
const gatewayName = "gateway-"

// format is the configuration of a gateway: every key, what it holds, and what it
// means.
func format() strict.Format {
	const minute = int64(time.Minute)
	return strict.Format{Keys: []strict.Key{
		{Name: "listen", Kind: strict.Text, Def: "127.0.0.1:8080", Want: "IP:port or localhost:port", Legal: legal.HostPort,
			Doc: "Where the driver's pages and webhooks are served. Port 0 takes any free port."},
		{Name: "status", Kind: strict.Text, Def: "127.0.0.1:9090", Want: "IP:port or localhost:port", Legal: legal.HostPort,
			Doc: "Where health, readiness and metrics are served. Not for the public."},
		{Name: "public_url", Kind: strict.Text, Need: true, Want: "https://host, or http://127.0.0.1:port, with nothing after it", Legal: legal.Origin,
			Doc: "What phones call the pages. Stands on the stickers, is where payers come back to, and where webhooks arrive."},
		{Name: "mqtt", Kind: strict.Section, Need: true, Doc: "The broker that carries what posts and gateways say to each other.",
			Keys: append(config.BrokerKeys("gateway", "mqtt.client_id"), strict.Key{
				Name: "client_id", Kind: strict.Text, Need: true, Want: "gateway- with letters, digits and hyphens behind, at most 32 characters in all", Legal: clientID,
				Doc: "Name of this gateway at the broker. No two that run at once have the same.",
			})},
		{Name: "relay_key", Kind: strict.SecretRef, Need: true,
			Doc: "Key of which the keys of all posts are made, 64 hexadecimal digits. All gateways of a broker have the same."},
		{Name: "dead", Kind: strict.Section, Doc: "What becomes of a post that has vanished with a payment open.", Keys: []strict.Key{
			{Name: "after", Kind: strict.Span, Def: 48 * time.Hour, Min: minute, Max: 10 * 24 * 60 * minute,
				Doc: "How long a post has said nothing before what it left open may be settled by its last reading. Much longer than a charge, and shorter than the 14 days that a reservation lasts in Denmark and Finland."},
			{Name: "settle", Kind: strict.Flag, Def: false, Want: "true or false",
				Doc: "Whether that is done by itself. If not, somebody does it by hand."},
		}},
		fleetKeys(), unitKeys(),
	}}
}

func unitKeys() strict.Key {
	fromPortal := func(name string) strict.Key {
		return strict.Key{Name: name, Kind: strict.SecretRef, Need: true, Doc: "From the portal of Vipps MobilePay."}
	}
	return strict.Key{Name: "units", Kind: strict.List, Need: true, Min: 1, Max: maxUnits, Doc: "The sales units. A post sells through the first that names its tenant and fits its id.", Keys: []strict.Key{
		{Name: "msn", Kind: strict.Text, Need: true, Want: "4 to 10 digits", Legal: func(s string) bool { return legal.Digits(s, 4, 10) }, Quiet: true,
			Doc: "Merchant serial number: the number of the sales unit. No two alike."},
		{Name: "tenant", Kind: strict.Text, Need: true, Want: "letters, digits and hyphens, at most 32 characters", Legal: func(s string) bool { return len(s) <= maxName && legal.Word(s) },
			Doc: "Whose posts sell through it: their post.tenant."},
		{Name: "posts", Kind: strict.Texts, Unset: "all posts of the tenant", Max: maxPatterns, Want: "an id of a post, or its beginning with * behind", Legal: pattern,
			Doc: "Which of the tenant's posts sell through it. An empty list for a unit through which none sells any more, and that has payments still to be settled."},
		{Name: "currency", Kind: strict.Text, Need: true, Want: "NOK, DKK or EUR", Legal: func(s string) bool { return payment.Currency(s).Known() },
			Doc: "What the unit sells in. Orders in another are refused."},
		{Name: "max_amount", Kind: strict.Number, Need: true, Min: 1, Max: int64(payment.MaxAmount), Want: "øre or cent",
			Doc: "The most that a post may reserve at once. No less than the largest of the posts' reserve.choices, and the smallest payment (1 krone, 1 cent)."},
		{Name: "base_url", Kind: strict.Text, Def: liveURL, Want: "https://host, or http://127.0.0.1:port, with nothing after it", Legal: legal.Origin, Quiet: true,
			Doc: "Address of the ePayment API; https://apitest.vipps.no is the test environment."},
		fromPortal("client_id"), fromPortal("client_secret"), fromPortal("subscription_key"),
		{Name: "webhook_secrets", Kind: strict.SecretRefs, Unset: "webhooks are not believed", Min: 1, Max: maxHooks,
			Doc: "Secrets of the webhooks that are registered at public_url. Several while one takes the place of another."},
		{Name: "push_message", Kind: strict.Flag, Def: false, Want: "true or false",
			Doc: "Whether a driver may be asked in the app by phone number. The sales unit needs an approval for that."},
		config.BrandKeys(),
		{Name: "terms_url", Kind: strict.Text, Unset: "not shown", Want: "an https address of at most 200 characters", Legal: legal.Page,
			Doc: "Where the owner's terms are read. Linked from every page."},
	}}
}

// clientID is as the certificate of a gateway has it.
func clientID(s string) bool {
	rest, ok := strings.CutPrefix(s, gatewayName)
	return ok && len(s) <= maxName && legal.Word(rest)
}

// pattern is an id of a post, which is not of digits only, or its beginning with
// a * behind.
func pattern(s string) bool {
	start, open := strings.CutSuffix(s, "*")
	if open && start == "" {
		return true
	}
	return legal.Word(start) && len(start) <= payment.MaxPostID && (open || strings.Trim(start, "0123456789") != "")
}

func isKey(s string) bool { return legal.Hexadecimal(s, keyDigits) }
