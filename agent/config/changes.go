package config

import (
	"slices"
	"strings"
)

// Change is one key that holds something else in another configuration.
type Change struct {
	Key    string `json:"key"`
	From   string `json:"from"`
	To     string `json:"to"`
	AtOnce bool   `json:"at_once"` // else with the next start of the post
}

// left is what stands for a key that holds nothing.
const left = "(left out)"

// Compare says what is another in a configuration than in the one before: keys that hold
// something else, secrets whose values are others, and a logo whose picture is another.
func Compare(from, to Config) []Change {
	all := compareKeys(from.Keys(), to.Keys())
	for _, one := range []struct {
		key     string
		differs bool
	}{
		{"payment.vipps.client_id", from.Payment.Vipps.ClientID.Reveal() != to.Payment.Vipps.ClientID.Reveal()},
		{"payment.vipps.client_secret", from.Payment.Vipps.ClientSecret.Reveal() != to.Payment.Vipps.ClientSecret.Reveal()},
		{"payment.vipps.subscription_key", from.Payment.Vipps.SubscriptionKey.Reveal() != to.Payment.Vipps.SubscriptionKey.Reveal()},
		{"payment.gateway.key", from.Gateway.Key.Reveal() != to.Gateway.Key.Reveal()},
		{"web.brand.logo", from.Post.Brand.Logo != to.Post.Brand.Logo},
	} {
		if one.differs && !slices.ContainsFunc(all, func(c Change) bool { return c.Key == one.key }) {
			all = append(all, Change{Key: one.key, From: "what was there", To: "what is there now"})
		}
	}
	return all
}

func compareKeys(from, to []Entry) (all []Change) {
	was := map[string]Entry{}
	for _, e := range from {
		was[e.Path] = e
	}
	for _, e := range to {
		before, there := was[e.Path]
		delete(was, e.Path)
		switch {
		case !there:
			all = append(all, changed(e.Path, left, e.Text()))
		case !e.Same(before):
			all = append(all, changed(e.Path, before.Text(), e.Text()))
		}
	}
	for _, e := range from {
		if _, gone := was[e.Path]; gone {
			all = append(all, changed(e.Path, e.Text(), left))
		}
	}
	return all
}

func changed(key, from, to string) Change { return Change{key, from, to, atOnce(key)} }

// Took is this configuration, with what another has of the keys that take effect at once.
func (c Config) Took(now Config) Config {
	var keys []Entry
	for _, e := range c.Keys() {
		if !atOnce(e.Path) {
			keys = append(keys, e)
		}
	}
	for _, e := range now.Keys() {
		if atOnce(e.Path) {
			keys = append(keys, e)
		}
	}
	currency := c.Price.Currency
	c.Price, c.Commissioning, c.keys = now.Price, now.Commissioning, keys
	c.Price.Currency = currency
	if len(Compare(c, now)) == 0 {
		c.Sum = now.Sum
	}
	return c
}

// atOnce says whether a key takes effect without a start of the post: a price, for the
// charges to come, and what says nothing of how the post works. Of all else the post has
// made parts when it started.
func atOnce(key string) bool {
	return strings.HasPrefix(key, "price.") && key != "price.currency" || strings.HasPrefix(key, "commissioning.") || key == "version"
}
