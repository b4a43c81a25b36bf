package config

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stolpe/agent/config/seal"
	"stolpe/agent/config/strict"
)

// has is somebody who has a PIN.
func has(pin string) func() (string, error) { return func() (string, error) { return pin, nil } }

func hasNone() (string, error) { return "", ErrNoPIN }

func TestAmendingBringsAFileToTheNewestVersion(t *testing.T) {
	quiet(t)
	text := change(t, readText(t, simFile), "contactor: {sim: true}", "meter: {model: ddm18sd, confirmed: true}, contactor: {sim: true}")
	a, err := Amend(written(t, text), map[string]any{"price.kwh": json.Number("600"), "evses[0].max_power_w": json.Number("11000")}, hasNone)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("# A post to", "version: 2\n# A post to", "confirmed: true", `confirmed: "ddm18sd"`, "kwh: 549", "kwh: 600", "22000", "11000").Replace(text)
	if diff := cmp.Diff(want, string(a.New)); diff != "" {
		t.Error(diff)
	}
	changes := []Change{{"version", "1", "2", true}, {"evses[0].max_power_w", "22000", "11000", false}, {"price.kwh", "549", "600", true}}
	if diff := cmp.Diff(changes, a.Changes()); diff != "" {
		t.Error(diff)
	}
}

// What a file of the first version says of a meter holds as it was meant.
func TestFirstVersionIsUnderstood(t *testing.T) {
	quiet(t)
	for said, want := range map[string]string{"confirmed: true": "ddm18sd", "confirmed: false": "", "unit: 2": ""} {
		text := change(t, readText(t, simFile), "contactor: {sim: true}", "meter: {model: ddm18sd, "+said+"}, contactor: {sim: true}")
		c, err := parseText(text)
		if err != nil || c.EVSEs[0].Meter.Confirmed != want || !c.Old() {
			t.Errorf("%s: %q, %v; want %q", said, c.EVSEs[0].Meter.Confirmed, err, want)
		}
	}
	text := change(t, readText(t, simFile), "contactor: {sim: true}", "meter: {model: eastron_sdm630, confirmed: ddm18sd}, contactor: {sim: true}")
	if c, err := parseText("version: 2\n" + text); err != nil || c.EVSEs[0].Meter.Confirmed != "ddm18sd" || c.Old() {
		t.Errorf("of version 2: %+v, %v", c.EVSEs, err)
	}
	if _, err := parseText(text); err == nil || !strings.Contains(err.Error(), "as the file is of version 1") {
		t.Errorf("of version 1: %v", err)
	}
}

// The keys that are set from afar are the same in every version, so that such a file
// need not be rewritten for it.
func TestNothingFromAfarHasChangedWithAVersion(t *testing.T) {
	_, set, err := schema().Migrate(simFile, []byte(change(t, readText(t, simFile), "contactor: {sim: true}", "meter: {model: ddm18sd, confirmed: true}, contactor: {sim: true}")))
	if err != nil || len(set) == 0 {
		t.Fatalf("%v, %v", set, err)
	}
	for key := range set {
		if mayAfar(key) {
			t.Errorf("%s is set from afar, and another thing in another version", key)
		}
	}
}

// sealed is a post with a seal.
func sealed(t *testing.T, pin string) (file string) {
	t.Helper()
	quiet(t)
	text, err := Seal([]byte("version: 2\n"+readText(t, simFile)), pin, "kari", time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return written(t, string(text))
}

func TestWhatIsSealedChangesOnlyWithThePIN(t *testing.T) {
	file := sealed(t, "korrekt hest")
	if _, err := Load(file); err != nil {
		t.Fatal(err)
	}
	if _, err := Amend(file, map[string]any{"price.kwh": json.Number("600")}, hasNone); err != nil {
		t.Errorf("a price is not sealed: %v", err)
	}
	power := map[string]any{"evses[0].max_power_w": json.Number("11000")}
	if _, err := Amend(file, power, hasNone); !errors.Is(err, ErrNoPIN) {
		t.Errorf("without a PIN: %v", err)
	}
	if _, err := Amend(file, power, has("feil hest")); !errors.Is(err, seal.ErrPIN) {
		t.Errorf("with another PIN: %v", err)
	}
	a, err := Amend(file, power, has("korrekt hest"))
	if err != nil || a.After.EVSEs[0].MaxPower != 11_000 || a.After.Commissioning.Key != a.Before.Commissioning.Key || a.After.Commissioning.By != "kari" {
		t.Errorf("%+v, %v", a.After, err)
	}
	off := map[string]any{"commissioning": nil}
	if _, err := Amend(file, off, hasNone); !errors.Is(err, ErrNoPIN) {
		t.Errorf("taken off without a PIN: %v", err)
	}
	if a, err := Amend(file, off, has("korrekt hest")); err != nil || a.After.Commissioning != (Commissioning{}) {
		t.Errorf("taken off with the PIN: %+v, %v", a.After, err)
	}
}

func TestASealThatDoesNotHoldIsAnError(t *testing.T) {
	file := sealed(t, "korrekt hest")
	text := readText(t, file)
	for name, edit := range map[string][2]string{
		"power": {"22000", "32000"}, "id": {"id: DEMO", "id: DEMO2"}, "meter": {"contactor: {sim", "meter: {unit: 2}, contactor: {sim"}, "who": {`by: "kari"`, `by: "ola"`},
		"maps": {"evses:", "meters_dir: /etc/stolpe/meters\nevses:"}, "another EVSE": {"max_power_w: 22000}\n", "max_power_w: 22000}\n  - {id: 2, code: A13, contactor: {sim: true}, max_power_w: 22000}\n"},
	} {
		bad := change(t, text, edit[0], edit[1])
		_, err := parseText(bad)
		if err == nil || !strings.Contains(err.Error(), ": commissioning.seal: found the seal of something else") || !strings.Contains(err.Error(), "stolpe config seal") {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Amend(file, map[string]any{"evses[0].code": "A14"}, has("korrekt hest")); err == nil || name != "who" && !strings.Contains(err.Error(), "does not hold as it is") {
			t.Errorf("%s: the PIN would seal what nobody has looked at: %v", name, err)
		}
	}
	for _, edit := range [][2]string{{"22000}", "22000} # W"}, {"Storgata 1", "Storgata 2"}, {"code: A12", "code: B12"}} {
		if _, err := parseText(change(t, text, edit[0], edit[1])); err != nil {
			t.Errorf("%s: %v", edit[1], err)
		}
	}
	a, err := Resealed(file, "en annen hest", "ola")
	if err != nil || a.After.Commissioning.By != "ola" {
		t.Errorf("sealed anew: %+v, %v", a.After.Commissioning, err)
	}
}

// Every key that is sealed is named here, so that a new one is thought about.
func TestTheseKeysAreSealed(t *testing.T) {
	inside := []string{"post.id", "meters_dir", "evses[].id", "evses[].meter.", "evses[].contactor.", "evses[].inputs.", "evses[].max_power_w", "commissioning."}
	schema().Walk(func(path string, k strict.Key) {
		if k.Kind == strict.Section || k.Kind == strict.List {
			return
		}
		want := false
		for _, in := range inside {
			want = want || path == in || strings.HasSuffix(in, ".") && strings.HasPrefix(path, in)
		}
		if got := Sealed(strings.Replace(path, "[]", "[0]", 1)); got != want {
			t.Errorf("%s: sealed %v, want %v", path, got, want)
		}
	})
	for _, section := range []string{"post", "evses", "evses[0]", "evses[0].meter", "commissioning"} {
		if !Sealed(section) {
			t.Errorf("%s holds what is sealed", section)
		}
	}
}

func TestSecretsOfTheDaemonAreNotNeededToAmend(t *testing.T) {
	quiet(t)
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	text := readText(t, referenceFile)
	a, err := Amend(written(t, text), map[string]any{"price.kwh": json.Number("600")}, hasNone)
	if err != nil || len(a.Unseen) != 3 || a.Unseen[0] != "credential:vipps-client-id" {
		t.Errorf("%v, %v", a.Unseen, err)
	}
	c, unseen, err := Here(written(t, text))
	if err != nil || len(unseen) != 3 || c.Price.KWh != 549 {
		t.Errorf("%v, %v", unseen, err)
	}
}

func TestCompareTellsWhatIsAnother(t *testing.T) {
	quiet(t)
	from, err := parseText(readText(t, referenceFile))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("kwh: 549", "kwh: 600", "retry: 1m  ", "retry: 2m  ", "  metrics:", "x", `msn: "123456"`, `msn: "654321"`, "tenant: acme", "# tenant", "closings_an_hour: 20", "closings_an_hour: 20 ").Replace(readText(t, referenceFile))
	to, err := Parse("other.yaml", strings.NewReader(change(t, text, "post:", "post: # here\n  tenant: acme")), func(kind, name string) (string, error) {
		if name == "vipps-client-id" {
			return "rotated", nil
		}
		return vault(kind, name)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Change{
		{"price.kwh", "549", "600", true}, {"payment.vipps.msn", "(not shown)", "(not shown)", false}, {"mqtt.retry", "1m", "2m", false},
		{Key: "payment.vipps.client_id", From: "what was there", To: "what is there now"},
	}
	if diff := cmp.Diff(want, Compare(from, to)); diff != "" {
		t.Error(diff)
	}
	if all := Compare(from, from); all != nil {
		t.Errorf("the same is another: %v", all)
	}
	less, err := parseText(readText(t, simFile))
	if err != nil {
		t.Fatal(err)
	}
	gone, came := 0, 0
	for _, c := range Compare(from, less) {
		gone += strings.Count(c.To, left)
	}
	for _, c := range Compare(less, from) {
		came += strings.Count(c.From, left)
	}
	if gone == 0 || gone != came {
		t.Errorf("%d keys go, %d come", gone, came)
	}
}
