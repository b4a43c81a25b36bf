package config

import (
	"fmt"
	"strings"

	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
)

// needed is what is allowed for a key without which nobody could be asked to pay.
func needed(t Through) string { return "it given, as payment.through is " + string(t) }

// checkGateway checks what matters only if the post asks a gateway.
func (r *reader) checkGateway(f *file) {
	if f.Payment.Through != ThroughGateway {
		return
	}
	if !r.Given("mqtt") && r.Fine("mqtt") {
		r.Fail("mqtt", "nothing", needed(ThroughGateway))
	}
	for _, web := range []struct{ path, found string }{
		{"web", "a section"}, {"web.listen", strict.Quote(f.Web.Listen)}, {"web.public_url", strict.Quote(f.Web.PublicURL)},
	} {
		if r.Given(web.path) {
			r.Fail(web.path, web.found, "it left out, as payment.through is gateway, and the gateway serves the pages")
			return
		}
	}
}

// checkMQTT checks the way to the broker, where posts are told apart by tenant
// and id, and those of gateways begin with "gateway-".
func (r *reader) checkMQTT(f *file) {
	m := f.MQTT
	if !r.Given("mqtt") && r.Given("telemetry") && r.Fine("mqtt", "telemetry") {
		r.Fail("telemetry", "a section", "it left out, as there is no mqtt: there is no broker to tell anything")
	}
	if m.URL == "" || !r.Fine("mqtt.url") {
		return
	}
	if f.Post.Tenant == "" && r.Fine("post.tenant") {
		r.Fail("post.tenant", "nothing", "it given, as posts are told apart by it at mqtt.url")
	}
	if strings.HasPrefix(strings.ToLower(f.Post.ID), "gateway-") && r.Fine("post.id") {
		r.Fail("post.id", strict.Quote(f.Post.ID), `a name that does not begin with "gateway-", as there is mqtt: the broker knows gateways by that`)
	}
	m.Check(r.Reader)
}

// sought is a secret that the way to the money needs.
type sought struct {
	path, said string // where it stands, and where it is kept
	to         *Secret
}

func soughtBy(f *file, c *Config) []sought {
	v, to := f.Payment.Vipps, &c.Payment.Vipps
	switch c.Payment.Through {
	case ThroughVipps:
		return []sought{
			{"payment.vipps.client_id", v.ClientID, &to.ClientID},
			{"payment.vipps.client_secret", v.ClientSecret, &to.ClientSecret},
			{"payment.vipps.subscription_key", v.SubscriptionKey, &to.SubscriptionKey},
		}
	case ThroughGateway:
		return []sought{{"payment.gateway.key", f.Payment.Gateway.Key, &c.Gateway.Key}}
	}
	return nil
}

// secrets looks up what the way to the money needs.
func (r *reader) secrets(f file, c *Config, find Lookup) {
	for _, one := range soughtBy(&f, c) {
		if !r.Fine(one.path) {
			continue
		}
		if one.said == "" {
			r.Fail(one.path, "nothing", needed(c.Payment.Through))
			continue
		}
		*one.to = r.Secret(one.path, one.said, find)
	}
	if key := c.Gateway.Key.Reveal(); key != "" && !legal.Hexadecimal(key, keyDigits) {
		r.Fail("payment.gateway.key", f.Payment.Gateway.Key+", but what is there is no key", fmt.Sprintf("%d hexadecimal digits there", keyDigits))
	}
}

// keyDigits is the length of a post's key: an HMAC-SHA256 in hexadecimal.
const keyDigits = 64
