package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	s := secretOf("hunter2")
	holder := struct{ hidden Secret }{s}
	config := Config{Payment: Payment{Vipps: Vipps{ClientID: s}}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%p", "%10v"} {
		fmt.Fprintf(&out, verb, s)
		fmt.Fprintf(&out, verb, &s)
		fmt.Fprintf(&out, verb, holder)
		fmt.Fprintf(&out, verb, []Secret{s})
		fmt.Fprintf(&out, verb, config)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", s, "config", config)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", s, "config", config)
	if err := json.NewEncoder(&out).Encode(map[string]any{"s": s, "p": &s, "c": config}); err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	out.WriteString(s.String() + s.GoString())
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("the secret shows in\n%s", out.String())
	}
	if got := fmt.Sprint(s) + s.String() + s.GoString() + s.LogValue().String(); got != strings.Repeat("redacted", 4) {
		t.Errorf("printed as %q", got)
	}
	if data, err := json.Marshal(s); string(data) != `"redacted"` {
		t.Errorf("JSON %s, %v", data, err)
	}
	if s.Reveal() != "hunter2" || (Secret{}).Reveal() != "" {
		t.Errorf("reveals %q, and %q if zero", s.Reveal(), Secret{}.Reveal())
	}
}

func TestSystemFindsSecrets(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	t.Setenv("VIPPS_KEY", "from the environment")
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		return path
	}
	write("key", "from systemd\n", 0o400)
	own := write("own", "from a file", 0o640)
	open := write("open", "x", 0o604)
	large := write("large", strings.Repeat("x", maxSecret+1), 0o600)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ kind, name, value, problem string }{
		{"credential", "key", "from systemd\n", ""},
		{"credential", "none", "", "LoadCredentialEncrypted=none"},
		{"file", own, "from a file", ""},
		{"file", open, "", "0604 lets everybody in: run chmod o= on it"},
		{"file", large, "", "it has 513 bytes"},
		{"file", dir, "", "not an ordinary file"},
		{"file", filepath.Join(dir, "pipe"), "", "not an ordinary file"},
		{"file", filepath.Join(dir, "none"), "", "make it, with mode 0600"},
		{"env", "VIPPS_KEY", "from the environment", ""},
		{"env", "STOLPE_NO_SUCH_VARIABLE", "", "not set"},
		{"vault", "x", "", `no secrets are kept in "vault"`},
	} {
		value, err := System(c.kind, c.name)
		if value != c.value || (err == nil) != (c.problem == "") || !strings.Contains(fmt.Sprint(err), c.problem) && err != nil {
			t.Errorf("%s:%s = %q, %v; want %q, %q", c.kind, c.name, value, err, c.value, c.problem)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := System("credential", "key"); err == nil || !strings.Contains(err.Error(), "only systemd sets it") {
		t.Errorf("without systemd: %v", err)
	}
}

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

func TestSecretsAreTrimmedAndChecked(t *testing.T) {
	quiet(t)
	text := change(t, readText(t, simFile), "payment: {through: sim}\n", direct)
	for _, c := range []struct{ value, want, problem string }{
		{"s3cr3t", "s3cr3t", ""},
		{"s3cr3t\n", "s3cr3t", ""},
		{"s3cr3t\r\n", "s3cr3t", ""},
		{"", "", "it is empty"},
		{"\n", "", "it is empty"},
		{"s3cr3t\n\n", "", "its byte 7 of 7 is a space or not plain ASCII"},
		{" s3cr3t", "", "its byte 1 of 7 is a space"},
		{"s3c\u200br3t", "", "its byte 4 of 9 is a space or not plain ASCII: copy it again"},
		{"s3c\tr3t", "", "its byte 4 of 7"},
		{"s3cr3t\x7f", "", "its byte 7 of 7"},
		{strings.Repeat("x", maxSecret), strings.Repeat("x", maxSecret), ""},
		{strings.Repeat("x", maxSecret+1), "", "it has 513 bytes"},
	} {
		c2, err := Parse("f", strings.NewReader(text), func(kind, name string) (string, error) { return c.value, nil })
		v := c2.Payment.Vipps
		if v.ClientID.Reveal() != c.want || v.ClientSecret.Reveal() != c.want || v.SubscriptionKey.Reveal() != c.want {
			t.Errorf("%q: revealed %q, %v", c.value, v.ClientID.Reveal(), err)
		}
		if (err == nil) != (c.problem == "") || err != nil && strings.Count(err.Error(), c.problem) != 3 {
			t.Errorf("%q: %v; want %q three times", c.value, err, c.problem)
		}
		if err != nil && strings.Contains(err.Error(), "s3c") {
			t.Errorf("the error repeats the secret: %v", err)
		}
	}
}

func TestMissingSecretIsToldAtItsLine(t *testing.T) {
	quiet(t)
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	t.Setenv("VIPPS_KEY", "k")
	text := change(t, readText(t, simFile), "payment: {through: sim}\n", direct)
	text = change(t, text, "/etc/stolpe/secret", "/no/such/file")
	_, err := Parse("f", strings.NewReader(text), System)
	want := "f:15: payment.vipps.client_id: found credential:id, but systemd has no such credential: add LoadCredentialEncrypted=id to the unit; want a secret there\n" +
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
