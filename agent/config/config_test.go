package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"stolpe/agent/config/device"
	"stolpe/agent/config/strict"
	"stolpe/agent/telemetry"
	"stolpe/display"
	"stolpe/payment"
)

const (
	referenceFile = "../../testdata/config/reference.yaml"
	simFile       = "../../testdata/config/sim.yaml"
)

// vault is a Lookup that has every secret.
func vault(kind, name string) (string, error) {
	if name == "gateway-key" {
		return gatewayKey, nil
	}
	return kind + "/" + name, nil
}

var gatewayKey = strings.Repeat("0123456789abcdeF", 4)

// quiet takes away what the machine of the test may have set.
func quiet(t testing.TB) {
	t.Helper()
	schema().Walk(func(_ string, k strict.Key) {
		if k.Env != "" {
			t.Setenv(k.Env, "")
		}
	})
}

func parseText(text string) (Config, error) {
	return Parse("stolpe.yaml", strings.NewReader(text), vault)
}

func readText(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// change replaces the first old in text, which must be there.
func change(t testing.TB, text, old, with string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("the text to change has no %q", old)
	}
	return strings.Replace(text, old, with, 1)
}

func oslo(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// difference compares all that a Config says; secrets by what they reveal.
func difference(want, got Config) string {
	return cmp.Diff(want, got,
		cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "from" || p.String() == "keys" || p.String() == "Sum" }, cmp.Ignore()),
		cmp.Comparer(func(a, b Secret) bool { return a.Reveal() == b.Reveal() }),
		cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }),
	)
}

func TestReferenceConfigMeansWhatItSays(t *testing.T) {
	quiet(t)
	got, err := parseText(readText(t, referenceFile))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Post: display.Post{
			ID: "A12", Name: "Storgata 1", Helpdesk: "+47 22 00 00 00", Pay: "Vipps", Zone: oslo(t),
			Seller: display.Seller{
				Name: "Eksempel Lading AS", OrgNo: "999999999", VATRegistered: true,
				Address: "Storgata 1, 2317 Hamar", Email: "post@example.no",
			},
			Codes: []string{"A12"}, Brand: display.Brand{Name: "Eksempel Lading", Colour: "#0b5d3b"}, TermsURL: "https://example.no/vilkar",
		},
		Tenant: "acme", Country: "NO", StateDir: "/var/lib/stolpe",
		EVSEs: []EVSE{{
			ID: 1, Code: "A12",
			Meter: Meter{
				Model: "eastron_sdm630", URL: "rtu:///dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A10K2Q7B-if00-port0?baud=9600&parity=N",
				Unit: 1, Serial: "22110345", MIDUntil: "2034-12-31", Confirmed: "eastron_sdm630",
			},
			Contactor: Contactor{Line: "GPIO17", Sense: "GPIO27", DeadMan: "GPIO5"},
			Inputs:    Inputs{Plug: "GPIO22", Stop: "!GPIO23", EStop: "!GPIO24", RCD: "!GPIO25", Hot: "!GPIO26", Accept: "!GPIO4"},
			MaxPower:  22_000,
		}},
		Price: payment.Price{
			Currency: payment.NOK, VAT: 2500, KWh: 549,
			Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20_000},
		},
		Reserve: Reserve{Default: 35_000, Choices: []payment.Amount{20_000, 35_000, 50_000}},
		Payment: Payment{
			Through: ThroughVipps,
			Vipps: Vipps{
				BaseURL: "https://api.vipps.no", MSN: "123456", ClientID: strict.Hide("credential/vipps-client-id"),
				ClientSecret: strict.Hide("credential/vipps-client-secret"), SubscriptionKey: strict.Hide("credential/vipps-subscription-key"),
			},
			Sim:      Sim{Payer: payerApproves, After: 5 * time.Second},
			Receipts: true,
		},
		Gateway: Gateway{Timeout: 20 * time.Second, Pages: "https://lad.example.no"},
		MQTT: MQTT{
			URL: "mqtts://broker.example.no:8883",
			CA:  "/etc/stolpe/broker-ca.pem", Cert: "/etc/stolpe/post.pem", Key: "/etc/stolpe/post-key.pem",
			Retry: time.Minute,
		},
		Telemetry: Telemetry{Profile: telemetry.Frugal, HomeAssistant: HomeAssistant{Prefix: "homeassistant"}},
		Commands: Commands{
			Keys:  []CommandKey{{Name: "ops", Role: "operator", Public: "1ZNLcYx7vj0RmOPELhN1oVw6fgyuiTlSCzAGrqBDk2Q"}},
			Allow: []string{"identify", "stop", "out_of_service", "in_service", "restart", "config.get", "replay"},
		},
		Control: Control{Dir: "/run/stolpe", Group: "stolpe-admin", Admins: []string{"kari"}},
		Web:     Web{Listen: "127.0.0.1:8080", PublicURL: "https://lad.example.no"},
		Metrics: "/run/stolpe/metrics.sock",
		Displays: []Display{{
			Name: "epaper", Kind: EPaper, Model: "waveshare213", URL: "spi:///dev/spidev0.0?dc=GPIO6&reset=GPIO12&busy=GPIO13",
			At:    device.Address{Bus: device.SPI, Path: "/dev/spidev0.0", Lines: map[string]string{"dc": "GPIO6", "reset": "GPIO12", "busy": "GPIO13"}},
			EVSEs: []int{1}, Languages: [2]display.Lang{display.NB, display.EN}, Code: CodeSticker, Temperature: "/sys/class/thermal/thermal_zone0/temp",
		}},
		Limits: Limits{
			Approve: 630 * time.Second, PlugIn: 5 * time.Minute, NoEnergy: 10 * time.Minute,
			CarFull: 15 * time.Minute, Longest: 24 * time.Hour, Rest: 10 * time.Second, Closings: 20,
		},
	}
	if diff := difference(want, got); diff != "" {
		t.Error(diff)
	}
	if sum := sha256.Sum256([]byte(readText(t, referenceFile))); got.Sum != fmt.Sprintf("%x", sum[:6]) {
		t.Errorf("the file's sum is said to be %q: want %x", got.Sum, sum[:6])
	}
}

func TestReferenceConfigExplainsEveryKey(t *testing.T) {
	var doc yaml.Node
	text := readText(t, referenceFile)
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{ // in comments only: what excludes other keys, or should not be copied unread
		"evses[].contactor.sim":        strings.Contains(text, "# or, to try out, sim: true"),
		"meters_dir":                   strings.Contains(text, "\n# meters_dir: /"),
		"web.brand.logo":               strings.Contains(text, "# logo: /"),
		"evses[].contactor.active_low": strings.Contains(text, "# active_low: true"),
	}
	for _, key := range names(commissioningKeys().Keys) { // only a command can write them
		explained["commissioning."+key] = strings.Contains(text, "\n#   "+key+": ")
	}
	explained["commissioning"] = strings.Contains(text, "\n# commissioning:\n")
	var visit func(path string, n *yaml.Node)
	visit = func(path string, n *yaml.Node) {
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			below := join(path, name.Value)
			explained[below] = name.HeadComment+name.LineComment+value.LineComment+value.HeadComment != "" || i > 0 && n.Content[i-1].FootComment != ""
			if value.Kind == yaml.MappingNode {
				explained[below] = true // its keys explain it
			}
			visit(below, value)
			if value.Kind == yaml.SequenceNode {
				for _, item := range value.Content {
					visit(below+"[]", item)
				}
			}
		}
	}
	visit("", doc.Content[0])
	schema().Walk(func(path string, _ strict.Key) {
		if said, there := explained[path]; !there {
			t.Errorf("%s is not in %s", path, referenceFile)
		} else if !said && !strings.HasPrefix(path, "payment.vipps.") { // one comment for its three secrets
			t.Errorf("%s has no comment in %s", path, referenceFile)
		}
	})
}

func TestSimConfigNeedsNothing(t *testing.T) {
	quiet(t)
	c, err := Load(simFile)
	if err != nil {
		t.Fatal(err)
	}
	if c.Payment.Through != ThroughSim || c.Payment.Sim != (Sim{payerApproves, 5 * time.Second}) {
		t.Errorf("payment %+v: want a simulated payer who approves", c.Payment)
	}
	e := c.EVSEs[0]
	if want := (EVSE{ID: 1, Code: "A12", Meter: Meter{Unit: 1}, Contactor: Contactor{Sim: true}, MaxPower: 22_000}); e != want {
		t.Errorf("EVSE %+v: want %+v", e, want)
	}
	if want := (Web{Listen: "127.0.0.1:8080"}); c.Web != want {
		t.Errorf("web %+v: want %+v", c.Web, want)
	}
}

func TestDefaultsAreThoseOfTheReference(t *testing.T) {
	quiet(t)
	sparse, err := Load(simFile)
	if err != nil {
		t.Fatal(err)
	}
	full, err := parseText(readText(t, referenceFile))
	if err != nil {
		t.Fatal(err)
	}
	if sparse.Limits != full.Limits {
		t.Errorf("limits left out: %+v; the reference says the defaults are %+v", sparse.Limits, full.Limits)
	}
	full.Gateway.Pages = "" // has none
	if sparse.Gateway != full.Gateway {
		t.Errorf("gateway left out: %+v; the reference says the defaults are %+v", sparse.Gateway, full.Gateway)
	}
	if sparse.Payment.Sim != full.Payment.Sim || sparse.Payment.Vipps.BaseURL != full.Payment.Vipps.BaseURL {
		t.Errorf("payment left out: %+v; the reference says the defaults are %+v", sparse.Payment, full.Payment)
	}
	text := change(t, readText(t, simFile), "state_dir: /tmp/stolpe-demo\n", "")
	if c, err := parseText(text); err != nil || c.StateDir != full.StateDir {
		t.Errorf("state_dir left out: %q, %v; the reference says the default is %q", c.StateDir, err, full.StateDir)
	}
}

func TestWalletFollowsTheCountry(t *testing.T) {
	quiet(t)
	text := change(t, readText(t, simFile), "country: NO", "country: DK")
	text = change(t, text, "currency: NOK", "currency: DKK")
	text = change(t, text, "999999999", "12345678")
	c, err := parseText(text)
	if err != nil || c.Post.Pay != "MobilePay" {
		t.Errorf("wallet %q, error %v; want MobilePay", c.Post.Pay, err)
	}
}

func TestActiveLowIsReadWhereItIsWritten(t *testing.T) {
	quiet(t)
	c, err := parseText(change(t, readText(t, referenceFile), "# active_low: true ", "active_low: true "))
	if err != nil || c.EVSEs[0].Contactor != (Contactor{Line: "GPIO17", Sense: "GPIO27", DeadMan: "GPIO5", ActiveLow: true}) {
		t.Errorf("%+v, %v", c.EVSEs, err)
	}
}

// Webhooks come to an address that the service reaches, or from a simulator on this
// machine.
func TestWebhooksNeedAnAddress(t *testing.T) {
	text, err := os.ReadFile("../../testdata/config/bad/vipps-webhooks-nowhere.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const public, base = "http://127.0.0.1:8080", "https://apitest.vipps.no"
	for _, x := range []struct {
		public, base string
		fine         bool
	}{
		{public, base, false}, {public, "http://127.0.0.1:9", true}, {"https://lad.example.no", base, true},
		{"https://lad.example.no:443", base, true}, {"https://lad.example.no:8080", base, true}, {"https://lad.example.no:8443", base, false},
	} {
		c, err := parseText(strings.NewReplacer(public, x.public, base, x.base).Replace(string(text)))
		if (err == nil) != x.fine || err == nil && !c.Payment.Vipps.Webhooks {
			t.Errorf("%+v: %v", x, err)
		}
	}
}

func TestMetersDirIsReadWhereItIsWritten(t *testing.T) {
	quiet(t)
	c, err := parseText(change(t, readText(t, referenceFile), "# meters_dir: ", "meters_dir: "))
	if err != nil || c.MetersDir != "/etc/stolpe/meters" {
		t.Errorf("%q, %v", c.MetersDir, err)
	}
}

// A line is the same however it is written, and whatever it is for.
func TestConfigKnowsItsLines(t *testing.T) {
	quiet(t)
	c, err := parseText(readText(t, referenceFile))
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]bool{
		"GPIO17": true, "!GPIO17": true, "gpiochip0/17": true, "GPIO27": true, "GPIO5": true, "GPIO22": true, "GPIO23": true,
		"GPIO24": true, "GPIO25": true, "GPIO26": true, "GPIO18": false, "gpiochip1/17": false, "": false,
	} {
		if c.Uses(line) != want {
			t.Errorf("%q: %v", line, !want)
		}
	}
}

// A bus has many meters, and the same number on two buses is two meters.
func TestBusesAreShared(t *testing.T) {
	quiet(t)
	const rtu = `url: "rtu:///dev/ttyUSB0?baud=9600&parity=N&stop=2"`
	for _, row := range [][2]string{
		{rtu + ", unit: 1", rtu + ", unit: 2"},
		{rtu + ", unit: 1", strings.Replace(rtu, "USB0?baud=9600", "USB1?baud=19200", 1) + ", unit: 1"},
		{`url: "tcp://gateway:502", unit: 1`, `url: "tcp://gateway:502", unit: 2`},
		{`url: "tcp://gateway:502", unit: 1`, `url: "rtuovertcp://gateway:4001", unit: 1`},
	} {
		one := fmt.Sprintf("  - {id: 1, code: A1, meter: {model: m, %s}, contactor: {sim: true}, max_power_w: 22000}\n", row[0])
		two := fmt.Sprintf("  - {id: 2, code: A2, meter: {model: m, %s}, contactor: {sim: true}, max_power_w: 22000}\n", row[1])
		text := change(t, readText(t, simFile), "  - {id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}\n", one+two)
		if c, err := parseText(text); err != nil || len(c.EVSEs) != 2 {
			t.Errorf("%s and %s: %v", row[0], row[1], err)
		}
	}
}

func TestCodesComeInCapitals(t *testing.T) {
	quiet(t)
	c, err := parseText(change(t, readText(t, simFile), "code: A12", "code: hamar-b"))
	if err != nil || c.EVSEs[0].Code != "HAMAR-B" {
		t.Errorf("code %+v, error %v: want HAMAR-B", c.EVSEs, err)
	}
}

func TestEnvironmentWinsOverFileAndDefault(t *testing.T) {
	quiet(t)
	t.Setenv("STOLPE_STATE_DIR", "/srv/stolpe")
	t.Setenv("STOLPE_WEB_LISTEN", "0.0.0.0:9000")
	t.Setenv("STOLPE_WEB_PUBLIC_URL", "https://lad.example.no")
	c, err := Load(simFile)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Web{"0.0.0.0:9000", "https://lad.example.no"}); c.StateDir != "/srv/stolpe" || c.Web != want {
		t.Errorf("state_dir %q, web %+v: want those of the environment", c.StateDir, c.Web)
	}
}

func TestWrongEnvironmentIsToldByItsName(t *testing.T) {
	quiet(t)
	t.Setenv("STOLPE_STATE_DIR", "here")
	t.Setenv("STOLPE_WEB_LISTEN", "0.0.0.0:9000")
	_, err := Load(simFile)
	want := `environment STOLPE_STATE_DIR: state_dir: found "here"; want an absolute path` + "\n" +
		simFile + ": web.public_url: found nothing; want the address that phones use, as web.listen is 0.0.0.0:9000"
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}

func TestWhatIsReadCannotBeChangedByTheFileLater(t *testing.T) {
	quiet(t)
	path := filepath.Join(t.TempDir(), "stolpe.yaml")
	text := readText(t, simFile)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(change(t, text, "kwh: 549", "kwh: 649")), 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := Load(path)
	if err != nil || before.Price.KWh != 549 || after.Price.KWh != 649 {
		t.Errorf("kwh %d before, %d after, error %v: want 549 and 649", before.Price.KWh, after.Price.KWh, err)
	}
}

func TestFileThatCannotBeReadIsNoConfigurationError(t *testing.T) {
	quiet(t)
	var wrong Errors
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, fs.ErrNotExist) || errors.As(err, &wrong) {
		t.Errorf("missing file: %v; want fs.ErrNotExist", err)
	}
	if _, err = Load(t.TempDir()); err == nil || errors.As(err, &wrong) {
		t.Errorf("directory: %v; want the error of the operating system", err)
	}
	broken := errors.New("card is gone")
	_, err = Parse("stolpe.yaml", iotest.ErrReader(broken), vault)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "stolpe.yaml") {
		t.Errorf("broken reader: %v; want its own error, and the name", err)
	}
	if os.Geteuid() == 0 {
		return // root may read everything
	}
	path := filepath.Join(t.TempDir(), "stolpe.yaml")
	if err := os.WriteFile(path, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("file without permission: %v; want fs.ErrPermission", err)
	}
}

func TestWrongKnowsTheLine(t *testing.T) {
	quiet(t)
	c, err := parseText(readText(t, referenceFile))
	if err != nil {
		t.Fatal(err)
	}
	for key, text := range map[string]string{
		"evses[0].meter.model": "model: eastron_sdm630",
		"web.listen":           `listen: "127.0.0.1:8080"`,
		"post.no_such_key":     "post:\n", // the section stands in for a key that is not there
	} {
		above, _, _ := strings.Cut(readText(t, referenceFile), text)
		line := strings.Count(above, "\n") + 1
		if got := c.Wrong(key, "a", "b"); got != (Error{File: "stolpe.yaml", Line: line, Key: key, Found: "a", Allowed: "b"}) {
			t.Errorf("Wrong(%s) = %#v: want line %d", key, got, line)
		}
	}
	if got := (Config{}).Wrong("web", "a", "b").Error(); got != "web: found a; want b" {
		t.Errorf("of no file: %q", got)
	}
}

// TestEveryFieldHasItsKey keeps the struct that viper fills equal to the schema.
func TestEveryFieldHasItsKey(t *testing.T) {
	keys := map[string]bool{}
	schema().Walk(func(path string, k strict.Key) {
		keys[path] = k.Kind == strict.Section || k.Kind == strict.List
	})
	var visit func(path string, typ reflect.Type)
	visit = func(path string, typ reflect.Type) {
		for f := range typ.Fields() {
			name := f.Tag.Get("mapstructure")
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			below, typ := join(path, name), f.Type
			if _, ok := keys[below]; !ok {
				t.Errorf("field %s has no key %s", f.Name, below)
			}
			deeper := keys[below]
			delete(keys, below)
			if !deeper {
				continue
			}
			if typ.Kind() == reflect.Slice {
				below, typ = below+"[]", typ.Elem()
			}
			visit(below, typ)
		}
	}
	visit("", reflect.TypeFor[file]())
	for path := range keys {
		t.Errorf("key %s has no field", path)
	}
}

// join puts a name behind a path.
func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

func names(keys []strict.Key) []string {
	var names []string
	for _, k := range keys {
		names = append(names, k.Name)
	}
	return names
}
