package strict

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
	s := Hide("hunter2")
	holder := struct{ hidden Secret }{s}
	config := struct{ Payment struct{ ClientID Secret } }{struct{ ClientID Secret }{s}}
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
		{"credential", "none", "", "the unit loads none (LoadCredentialEncrypted=)"},
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

func TestSecretsAreTrimmedAndChecked(t *testing.T) {
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
		got, err := Lookup(func(kind, name string) (string, error) { return c.value, nil }).resolve("credential:id")
		if got.Reveal() != c.want || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%q: revealed %q, %v", c.value, got.Reveal(), err)
		}
		if err != nil && strings.Contains(err.Error(), "s3c") {
			t.Errorf("the error repeats the secret: %v", err)
		}
	}
}
