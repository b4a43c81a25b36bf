package main

import (
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"stolpe/agent/config"
	"stolpe/agent/config/strict"
	"stolpe/display"
	"stolpe/payment"
)

type settings struct {
	Listen, Status, PublicURL string
	MQTT                      struct{ URL, CA, Cert, Key, ClientID string }
	RelayKey                  config.Secret
	Units                     []unit
	Dead                      struct {
		After  time.Duration
		Settle bool
	}
}

type unit struct {
	MSN, Tenant                             string
	Posts                                   []string
	Currency                                payment.Currency
	Max                                     payment.Amount
	BaseURL                                 string
	ClientID, ClientSecret, SubscriptionKey config.Secret
	Hooks                                   []config.Secret
	Push                                    bool
	Brand                                   display.Brand
	TermsURL                                string
}

func loadSettings(path string) (settings, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return settings{}, err
	}
	var f struct {
		Listen, Status, Public_url string
		Mqtt                       struct{ URL, CA, Cert, Key, Client_id string }
		Relay_key                  string
		Units                      []struct {
			MSN, Tenant, Currency                                string
			Max_amount                                           payment.Amount
			Base_url, Client_id, Client_secret, Subscription_key string
		}
	}
	if err := yaml.Unmarshal(b, &f); err != nil {
		return settings{}, err
	}
	sec := func(t string) config.Secret {
		kind, name, _ := strings.Cut(t, ":")
		v, err := strict.System(kind, name)
		if err != nil {
			panic(err)
		}
		return strict.Hide(strings.TrimSpace(v))
	}
	s := settings{Listen: f.Listen, Status: f.Status, PublicURL: f.Public_url, RelayKey: sec(f.Relay_key)}
	s.MQTT.URL, s.MQTT.CA, s.MQTT.Cert, s.MQTT.Key, s.MQTT.ClientID = f.Mqtt.URL, f.Mqtt.CA, f.Mqtt.Cert, f.Mqtt.Key, f.Mqtt.Client_id
	for _, u := range f.Units {
		s.Units = append(s.Units, unit{MSN: u.MSN, Tenant: u.Tenant, Posts: []string{"*"}, Currency: payment.Currency(u.Currency), Max: u.Max_amount, BaseURL: u.Base_url, ClientID: sec(u.Client_id), ClientSecret: sec(u.Client_secret), SubscriptionKey: sec(u.Subscription_key)})
	}
	return s, nil
}
