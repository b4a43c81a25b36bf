package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stolpe/agent/config/strict"
)

// written makes a file of its own of a text.
func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stolpe.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPlanTellsWhatWouldChange(t *testing.T) {
	quiet(t)
	text := readText(t, simFile)
	e, err := Plan(written(t, text), map[string]any{"price.kwh": json.Number("599"), "price.minute": json.Number("25"), "post.name": "Storgata 1", "web.terms_url": "https://example.no/v"})
	if err != nil {
		t.Fatal(err)
	}
	want := []edited{
		{"post.name", "Storgata 1", "Storgata 1"}, {"price.kwh", "549", "599"}, {"price.minute", "(left out)", "25"}, {"web.terms_url", "(left out)", "https://example.no/v"},
	}
	if diff := cmp.Diff(want, e.Changes); diff != "" {
		t.Error(diff)
	}
	if e.Config.Price.KWh != 599 || e.Said["price.kwh"] != "599" || string(e.Old) != text || len(e.Config.Sum) != 12 {
		t.Errorf("%+v", e)
	}
	if strings.Count(string(e.New), "#") != strings.Count(text, "#") {
		t.Errorf("comments have gone from\n%s", e.New)
	}
}

func TestPlanRefusesWhatTheFileCouldNotSay(t *testing.T) {
	quiet(t)
	file := written(t, readText(t, simFile))
	for key, value := range map[string]any{"price.kwh": json.Number("-1"), "price.kwk": json.Number("1"), "price.currency": "EUR", "reserve.default": json.Number("1"), "seller": nil, "limits.plug_in": true} {
		var wrong Errors
		if _, err := Plan(file, map[string]any{key: value}); !errors.As(err, &wrong) {
			t.Errorf("%s = %v: %v", key, value, err)
		}
	}
	if _, err := Plan(written(t, "no: config\n"), nil); err == nil {
		t.Error("a file that is none was shown")
	}
}

// What is not set from afar: every key is named here, so that a new one is thought about.
func TestTheseKeysAreForSomebodyAtThePost(t *testing.T) {
	here := []string{
		"post.id", "post.tenant", "post.country", "state_dir", "meters_dir", "evses", "payment.through", "payment.vipps", "payment.gateway",
		"payment.sim", "commands", "metrics", "web.listen", "web.public_url", "web.brand.logo",
		"limits.rest", "limits.closings_an_hour", "version", "control", "commissioning", "display",
	}
	quiet(t)
	file := written(t, readText(t, simFile))
	schema().Walk(func(path string, k strict.Key) {
		if k.Kind == strict.Section || k.Kind == strict.List {
			return
		}
		local := slices.ContainsFunc(here, func(h string) bool {
			return path == h || strings.HasPrefix(path, h+".") || strings.HasPrefix(path, h+"[]")
		})
		if local == mayAfar(path) {
			t.Errorf("%s: for somebody at the post %v, from afar %v", path, local, mayAfar(path))
		}
		if !local {
			return
		}
		if _, err := Plan(file, map[string]any{path: nil}); err == nil || !strings.Contains(err.Error(), "not set from afar") {
			t.Errorf("%s: %v", path, err)
		}
	})
	for _, key := range []string{"", "evses", "payment", "payment.through", "web", "web.brand", "commands.keys", "prices"} {
		if mayAfar(key) {
			t.Errorf("%q is set from afar", key)
		}
	}
}

// What a post says of its configuration has no secret in it, nor where one is.
func TestSecretsAreNotTold(t *testing.T) {
	quiet(t)
	t.Setenv("VIPPS_KEY", "hunter2")
	text := change(t, readText(t, simFile), "payment: {through: sim}\n", strings.NewReplacer("credential:id", "env:VIPPS_KEY", "file:/etc/stolpe/secret", "env:VIPPS_KEY").Replace(direct))
	e, err := Plan(written(t, text), nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal(e.Said)
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{"hunter2", "VIPPS_KEY", "123456"} {
		if strings.Contains(string(all), hidden) {
			t.Errorf("%q is told in %s", hidden, all)
		}
	}
	for key, want := range map[string]string{
		"payment.vipps.client_id": "(not shown)", "evses[0].code": "A12", "reserve.choices": "[20000, 35000, 50000]", "price.idle.cap": "20000", "seller.vat_registered": "true",
	} {
		if e.Said[key] != want {
			t.Errorf("%s is %q, want %q", key, e.Said[key], want)
		}
	}
	if len(e.Changes) != 0 || string(e.New) != text {
		t.Errorf("changes %v", e.Changes)
	}
}
