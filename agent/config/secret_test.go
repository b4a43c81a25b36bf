package config

import (
	"strings"
	"testing"
)

// direct is a configuration that needs its secrets.
const direct = `payment:
  through: vipps
  vipps:
    base_url: "http://127.0.0.1:4000"
    msn: "123456"
    client_id: "credential:id"
    client_secret: "file:/etc/stolpe/secret"
    subscription_key: "env:VIPPS_KEY"
web: {public_url: "https://lad.example.no"}
`

func TestMissingSecretIsToldAtItsLine(t *testing.T) {
	quiet(t)
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	t.Setenv("VIPPS_KEY", "k")
	text := change(t, readText(t, simFile), "payment: {through: sim}\n", direct)
	text = change(t, text, "/etc/stolpe/secret", "/no/such/file")
	_, err := Parse("f", strings.NewReader(text), System)
	want := "f:15: payment.vipps.client_id: found credential:id, but systemd has no such credential: keep it (stolpe config secret set id), see that the unit loads id (LoadCredentialEncrypted=), and restart that; want a secret there\n" +
		"f:16: payment.vipps.client_secret: found file:/no/such/file, but there is no such file: make it, with mode 0600; want a secret there"
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}

func TestWithoutALookupSecretsAreAnError(t *testing.T) {
	quiet(t)
	text := change(t, readText(t, simFile), "payment: {through: sim}\n", direct)
	if _, err := Parse("f", strings.NewReader(text), nil); err == nil || strings.Count(err.Error(), "not looked up here") != 3 {
		t.Errorf("error %v", err)
	}
	if _, err := Parse("f", strings.NewReader(readText(t, simFile)), nil); err != nil {
		t.Errorf("a simulation has no secrets: %v", err)
	}
}

func TestSecretsOfTheWayNotTakenAreLeftAlone(t *testing.T) {
	quiet(t)
	text := change(t, readText(t, simFile), "payment: {through: sim}\n", strings.Replace(direct, "through: vipps", "through: sim", 1))
	c, err := Parse("f", strings.NewReader(text), func(kind, name string) (string, error) {
		t.Errorf("%s:%s was looked up", kind, name)
		return "x", nil
	})
	if err != nil || c.Payment.Vipps.MSN != "123456" || c.Payment.Vipps.ClientID != (Secret{}) {
		t.Errorf("%+v, %v", c.Payment, err)
	}
	_, err = parseText(change(t, text, "credential:id", "hunter2"))
	if err == nil || !strings.Contains(err.Error(), "payment.vipps.client_id: found something else (not shown)") {
		t.Errorf("a secret in the file, though it is not used: %v", err)
	}
}
