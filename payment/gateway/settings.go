package main

import (
	"fmt"
	"io"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/config/strict"
	"stolpe/display"
	"stolpe/payment"
)

// settings is a configuration of the gateway that has been checked.
type settings struct {
	Listen    string // host:port of the driver's pages and webhooks; port 0 is any free one
	Status    string // host:port of health, readiness and metrics
	PublicURL string // what phones call the pages; without a slash at the end
	MQTT      connection
	RelayKey  config.Secret // 64 hexadecimal digits, of which the posts' keys are made
	Units     []unit
	Dead      struct {
		After  time.Duration // of silence, until what a post has left open may be settled
		Settle bool          // by the gateway itself, else by hand
	}
	Fleet *watching // nil to watch nothing
}

// unit is a sales unit, and which posts sell through it.
type unit struct {
	MSN             string
	Tenant          string   // whose posts
	Posts           []string // ids, or beginnings of ids with * behind; the first unit that fits is a post's
	Currency        payment.Currency
	Max             payment.Amount // that may be reserved at once, minor units
	BaseURL         string         // without a slash at the end
	ClientID        config.Secret
	ClientSecret    config.Secret
	SubscriptionKey config.Secret
	Hooks           []config.Secret // with which webhooks are signed; any of them
	Push            bool            // drivers may be asked in the app by their phone number
	Brand           display.Brand
	TermsURL        string
}

// connection is the way to the broker.
type connection struct {
	URL, CA, Cert, Key string        // see config.MQTT
	ClientID           string        `mapstructure:"client_id"`
	Retry              time.Duration // the longest wait before the broker is tried again
}

// file is the configuration as it stands in the file: the names are the keys.
type file struct {
	Listen, Status string
	PublicURL      string `mapstructure:"public_url"`
	MQTT           connection
	RelayKey       string `mapstructure:"relay_key"`
	Dead           struct {
		After  time.Duration
		Settle bool
	}
	Fleet fileFleet
	Units []fileUnit
}

type fileUnit struct {
	MSN, Tenant     string
	Posts           []string
	Currency        payment.Currency
	Max             payment.Amount `mapstructure:"max_amount"`
	BaseURL         string         `mapstructure:"base_url"`
	ClientID        string         `mapstructure:"client_id"`
	ClientSecret    string         `mapstructure:"client_secret"`
	SubscriptionKey string         `mapstructure:"subscription_key"`
	Hooks           []string       `mapstructure:"webhook_secrets"`
	Push            bool           `mapstructure:"push_message"`
	Brand           config.Brand
	TermsURL        string `mapstructure:"terms_url"`
}

// loadSettings reads a configuration of the gateway, with secrets from the running
// system. What is wrong in the file comes back as config.Errors; other errors are
// those of the operating system.
func loadSettings(path string) (settings, error) {
	f, err := strict.Open(path)
	if err != nil {
		return settings{}, err
	}
	defer f.Close()
	return parseSettings(path, f, config.System)
}

// parseSettings reads a configuration from in. The name stands for it in messages.
func parseSettings(name string, in io.Reader, find config.Lookup) (settings, error) {
	var f file
	r, err := format().Read(name, in, &f)
	if err != nil {
		return settings{}, err
	}
	check(r, f)
	s := settings{Listen: f.Listen, Status: f.Status, PublicURL: f.PublicURL, MQTT: f.MQTT, Dead: f.Dead}
	s.RelayKey = secret(r, "relay_key", f.RelayKey, find)
	if key := s.RelayKey.Reveal(); key != "" && !isKey(key) {
		r.Fail("relay_key", f.RelayKey+", but what is there is no key", fmt.Sprintf("%d hexadecimal digits there", keyDigits))
	}
	for i, u := range f.Units {
		s.Units = append(s.Units, u.unit(r, fmt.Sprintf("units[%d]", i), find))
	}
	if r.Given("fleet") {
		s.Fleet = f.Fleet.watching(r, find)
	}
	if err := r.Err(); err != nil {
		return settings{}, err
	}
	return s, nil
}

// unit gives the unit that stands at a path, with its secrets and its logo.
func (u fileUnit) unit(r *strict.Reader, at string, find config.Lookup) unit {
	out := unit{
		MSN: u.MSN, Tenant: u.Tenant, Posts: u.posts(r, at), Currency: u.Currency, Max: u.Max, BaseURL: u.BaseURL,
		ClientID:        secret(r, at+".client_id", u.ClientID, find),
		ClientSecret:    secret(r, at+".client_secret", u.ClientSecret, find),
		SubscriptionKey: secret(r, at+".subscription_key", u.SubscriptionKey, find),
		Push:            u.Push, Brand: u.Brand.Load(r, at+".brand"), TermsURL: u.TermsURL,
	}
	for i, said := range u.Hooks {
		out.Hooks = append(out.Hooks, secret(r, fmt.Sprintf("%s.webhook_secrets[%d]", at, i), said, find))
	}
	return out
}

// posts are the patterns of a unit. Left out they are all; an empty list is none.
func (u fileUnit) posts(r *strict.Reader, at string) []string {
	if !r.Given(at + ".posts") {
		return []string{"*"}
	}
	return u.Posts
}

// secret looks up a secret, unless what is said of it is wrong already.
func secret(r *strict.Reader, path, said string, find config.Lookup) config.Secret {
	if !r.Fine(path) || said == "" {
		return config.Secret{}
	}
	return r.Secret(path, said, find)
}
