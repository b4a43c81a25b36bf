package config

import (
	"strings"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// file is the configuration as it stands in the file: the names are the keys.
// Viper fills it; UnmarshalExact fails if it and the schema disagree.
type file struct {
	Version int
	Post    struct {
		ID, Tenant, Name, Country, Timezone, Helpdesk string
	}
	Seller struct {
		Name           string
		OrgNo          string `mapstructure:"org_no"`
		VATRegistered  bool   `mapstructure:"vat_registered"`
		Address, Email string
	}
	StateDir  string `mapstructure:"state_dir"`
	MetersDir string `mapstructure:"meters_dir"`
	EVSEs     []struct {
		ID        int
		Code      string
		Meter     Meter
		Contactor struct {
			Sim                  bool
			Line, Sense, DeadMan string
			ActiveLow            bool `mapstructure:"active_low"`
		}
		Inputs   Inputs
		MaxPower hal.Power `mapstructure:"max_power_w"`
	}
	Price struct {
		Currency payment.Currency
		VAT      int `mapstructure:"vat_bp"`
		KWh      payment.Amount
		Minute   payment.Amount
		Session  payment.Amount
		Idle     struct {
			After  int `mapstructure:"after_minutes"`
			Minute payment.Amount
			Cap    payment.Amount
		}
	}
	Reserve Reserve
	Payment struct {
		Through Through
		Vipps   struct {
			BaseURL         string `mapstructure:"base_url"`
			MSN             string
			ClientID        string `mapstructure:"client_id"`
			ClientSecret    string `mapstructure:"client_secret"`
			SubscriptionKey string `mapstructure:"subscription_key"`
			Webhooks        bool
		}
		Gateway struct {
			Timeout time.Duration
			Key     string
			Pages   string
		}
		Sim         Sim
		PushMessage bool `mapstructure:"push_message"`
		Receipts    bool
	}
	MQTT          MQTT
	Telemetry     Telemetry
	Commands      Commands
	Commissioning Commissioning
	Control       Control
	Web           struct {
		Listen    string
		PublicURL string `mapstructure:"public_url"`
		Brand     Brand
		TermsURL  string `mapstructure:"terms_url"`
	}
	Display []fileDisplay
	Metrics struct{ Listen string }
	Limits  struct {
		Approve  time.Duration
		PlugIn   time.Duration `mapstructure:"plug_in"`
		NoEnergy time.Duration `mapstructure:"no_energy"`
		CarFull  time.Duration `mapstructure:"car_full"`
		Longest  time.Duration
		Rest     time.Duration
		Closings int `mapstructure:"closings_an_hour"`
	}
}

// config gives the configuration in the words of the program, but for the
// secrets.
func (f file) config() Config {
	zone, err := time.LoadLocation(f.Post.Timezone)
	if err != nil {
		zone = time.UTC // already told as an error
	}
	c := Config{
		Post: display.Post{
			ID: f.Post.ID, Name: f.Post.Name, Helpdesk: f.Post.Helpdesk, Zone: zone,
			Pay: countryOf(f.Post.Country).wallet, Seller: display.Seller(f.Seller),
			TermsURL: f.Web.TermsURL,
		},
		Tenant: f.Post.Tenant, Country: f.Post.Country, StateDir: f.StateDir, MetersDir: f.MetersDir,
		Price: f.price(), Reserve: f.Reserve,
		Payment: Payment{
			Through: f.Payment.Through, Sim: f.Payment.Sim,
			Vipps: Vipps{BaseURL: f.Payment.Vipps.BaseURL, MSN: f.Payment.Vipps.MSN, Webhooks: f.Payment.Vipps.Webhooks},
			Push:  f.Payment.PushMessage, Receipts: f.Payment.Receipts,
		},
		Gateway: Gateway{Timeout: f.Payment.Gateway.Timeout, Pages: f.Payment.Gateway.Pages}, MQTT: f.MQTT, Telemetry: f.Telemetry, Commands: f.Commands, Commissioning: f.Commissioning, Control: f.Control, Limits: Limits(f.Limits), Metrics: f.Metrics.Listen,
	}
	if c.Payment.Through != ThroughGateway {
		c.Web = Web{Listen: f.Web.Listen, PublicURL: f.Web.PublicURL}
	}
	for _, e := range f.EVSEs {
		code := strings.ToUpper(e.Code)
		c.Post.Codes = append(c.Post.Codes, code)
		c.EVSEs = append(c.EVSEs, EVSE{
			ID: e.ID, Code: code, Meter: e.Meter,
			Contactor: Contactor(e.Contactor), Inputs: e.Inputs, MaxPower: e.MaxPower,
		})
	}
	c.Displays = f.displays()
	return c
}

// country is what follows from where a post stands.
type country struct {
	currency  payment.Currency // sales units sell in the currency of their country
	wallet    string           // what the app is called there
	orgDigits int              // of a number in the register of companies
}

// countryOf gives the zero country for one that is not known.
func countryOf(code string) country {
	return map[string]country{
		"NO": {payment.NOK, "Vipps", 9},
		"DK": {payment.DKK, "MobilePay", 8},
		"FI": {payment.EUR, "MobilePay", 8},
	}[code]
}

func (f file) price() payment.Price {
	p := f.Price
	return payment.Price{
		Currency: p.Currency, VAT: p.VAT, KWh: p.KWh, Minute: p.Minute, Session: p.Session,
		Idle: payment.Idle{After: time.Duration(p.Idle.After) * time.Minute, Minute: p.Idle.Minute, Cap: p.Idle.Cap},
	}
}
