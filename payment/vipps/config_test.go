package vipps

import (
	"strings"
	"testing"

	"stolpe/payment"
)

func good() Config {
	return Config{BaseURL: "https://api.example", MSN: "123456", ClientID: "id", ClientSecret: "SECRET", SubscriptionKey: "SECRET"}
}

func TestBaseAddressIsHTTPSOrLoopback(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.vipps.no":          "",
		"https://apitest.vipps.no/":     "",
		"https://127.0.0.1:8443":        "",
		"http://127.0.0.1:8080":         "",
		"http://127.9.9.9":              "",
		"http://[::1]:8080":             "",
		"http://localhost:8080":         "",
		"http://api.vipps.no":           "want https",
		"http://10.0.0.1":               "want https",
		"http://localhost.example":      "want https",
		"http://127.0.0.1.example":      "want https",
		"http://0.0.0.0":                "want https",
		"ftp://localhost":               "want https",
		"//api.vipps.no":                "want https",
		"api.vipps.no":                  "want an address",
		"":                              "want an address",
		"https://":                      "want an address",
		"https://api vipps.no":          "want an address",
		"https://u:SECRET@api.vipps.no": "host alone",
		"https://api.vipps.no/epayment": "host alone",
		"https://api.vipps.no/?a=b":     "host alone",
		"https://api.vipps.no/#SECRET":  "host alone",
	} {
		config := good()
		config.BaseURL = base
		checkNew(t, config, base, "base_url", want)
	}
}

// checkNew wants New to take the config, or to name the field and say this.
func checkNew(t *testing.T, config Config, name, field, want string) {
	t.Helper()
	c, err := New(config)
	if want == "" {
		if err != nil || c == nil {
			t.Errorf("%q: %v", name, err)
		}
		return
	}
	if err == nil || c != nil || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("%q: %v, want %s: ...%s...", name, err, field, want)
	}
}

func TestKeysWithHiddenCharactersAreNamedNotShown(t *testing.T) {
	fields := map[string]func(*Config, string){
		"client_id":        func(c *Config, s string) { c.ClientID = s },
		"client_secret":    func(c *Config, s string) { c.ClientSecret = s },
		"subscription_key": func(c *Config, s string) { c.SubscriptionKey = s },
	}
	for field, set := range fields {
		for value, want := range map[string]string{
			"aZ09+/==-._~":            "",
			"":                        "0 bytes",
			"SECRET\n":                "byte 7 of 7",
			" SECRET":                 "byte 1 of 7",
			"SEC RET":                 "byte 4",
			"SECRET\u2028":            "byte 7 of 9",
			"SEC\u200bRET":            "byte 4",
			"SECRET\x00":              "byte 7",
			"SECRET\xff":              "byte 7",
			"SECRETø":                 "byte 7",
			strings.Repeat("SE", 257): "514 bytes",
		} {
			config := good()
			set(&config, value)
			checkNew(t, config, value, field, want)
		}
	}
}

func TestSalesUnitAndSystemAreChecked(t *testing.T) {
	for _, row := range []struct{ msn, name, version, field, want string }{
		{"1234", "", "", "", ""},
		{"1234567890", "stolpe", strings.Repeat("1", 30), "", ""},
		{"123", "", "", "msn", "digits"},
		{"12345678901", "", "", "msn", "digits"},
		{"12345a", "", "", "msn", "digits"},
		{"123456\n", "", "", "msn", "digits"},
		{"", "", "", "msn", "digits"},
		{"123456", strings.Repeat("a", 31), "", "system_name", "30"},
		{"123456", "two words", "", "system_name", "spaces"},
		{"123456", "", strings.Repeat("1", 31), "system_version", "30"},
		{"123456", "", "1\n2", "system_version", "spaces"},
	} {
		config := good()
		config.MSN, config.SystemName, config.SystemVersion = row.msn, row.name, row.version
		checkNew(t, config, row.msn+row.name+row.version, row.field, row.want)
	}
}

// The description is tried with the longest name of an EVSE, so that it cannot
// turn out too long in service.
func TestDescriptionIsCheckedAtTheStart(t *testing.T) {
	for text, want := range map[string]string{
		"abc":                   "",
		strings.Repeat("ø", 81): "", // and 19 for the EVSE
		strings.Repeat("ø", 82): "101 characters",
		"a\nb":                  "one line",
		"\xff\xff":              "one line",
	} {
		config := good()
		config.Description = func(t payment.Terms) string { return text + t.EVSE }
		checkNew(t, config, text, "description", want)
	}
	config := good()
	config.Description = func(payment.Terms) string { return "ab" }
	checkNew(t, config, "ab", "description", "2 characters")
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := New(Config{SystemName: "a b"})
	for _, field := range []string{"base_url", "msn", "client_id", "client_secret", "subscription_key", "system_name"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named: %v", field, err)
		}
	}
}
