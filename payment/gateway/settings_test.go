package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"stolpe/agent/config"
	"stolpe/agent/config/strict"
	"stolpe/agent/telemetry/fleet"
	"stolpe/agent/telemetry/fleet/page"
	"stolpe/display"
	"stolpe/payment"
)

const referenceFile = "../../testdata/config/gateway.yaml"

var masterKey = strings.Repeat("0123456789abcdef", 4)

// vault is a Lookup that has every secret.
func vault(kind, name string) (string, error) {
	if name == "relay-key" {
		return masterKey + "\n", nil
	}
	if strings.HasPrefix(strings.ToLower(name), "fleet") {
		return kind + "/" + name + "-which-is-long", nil
	}
	return kind + "/" + name, nil
}

// small is a gateway of which only is said what must be; its lines have numbers.
const small = `public_url: "https://lad.example.no"
mqtt: {url: "mqtt://127.0.0.1:1883", client_id: gateway-1}
relay_key: "credential:relay-key"
units:
  - {msn: "123456", tenant: acme, currency: NOK, max_amount: 50000, client_id: "env:ID", client_secret: "env:SECRET", subscription_key: "env:KEY"}
`

// second is one more unit for small, of another tenant.
const second = `  - {msn: "654321", tenant: other, currency: NOK, max_amount: 50000, client_id: "env:ID", client_secret: "env:SECRET", subscription_key: "env:KEY"}
`

// changed gives small, or small with second, with texts replaced that must be there.
func changed(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the text to change has no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func difference(want, got settings) string {
	return cmp.Diff(want, got, cmp.Comparer(func(a, b config.Secret) bool { return a.Reveal() == b.Reveal() }),
		cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }))
}

func TestReferenceMeansWhatItSays(t *testing.T) {
	f, err := strict.Open(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := parseSettings(referenceFile, f, vault)
	if err != nil {
		t.Fatal(err)
	}
	kept := func(name string) config.Secret { return strict.Hide("credential/" + name) }
	want := settings{
		Listen: "127.0.0.1:8080", Status: "127.0.0.1:9090", PublicURL: "https://lad.example.no", RelayKey: strict.Hide(masterKey),
		Units: []unit{
			{
				MSN: "123456", Tenant: "acme", Posts: []string{"A*", "B12"}, Currency: payment.NOK, Max: 100_000, BaseURL: "https://api.vipps.no",
				ClientID: kept("acme-client-id"), ClientSecret: kept("acme-client-secret"), SubscriptionKey: kept("acme-subscription-key"),
				Hooks: []config.Secret{kept("acme-hook-1")}, Brand: display.Brand{Name: "Acme Lading", Colour: "#0b5d3b"}, TermsURL: "https://acme.example.no/vilkar",
			},
			{
				MSN: "654321", Tenant: "acme", Currency: payment.NOK, Max: 100_000, BaseURL: "https://api.vipps.no",
				ClientID: kept("old-client-id"), ClientSecret: kept("old-client-secret"), SubscriptionKey: kept("old-subscription-key"),
			},
		},
	}
	want.MQTT.URL, want.MQTT.CA, want.MQTT.ClientID = "mqtts://broker.example.no:8883", "/etc/stolpe-gateway/broker-ca.pem", "gateway-1"
	want.MQTT.Cert, want.MQTT.Key, want.MQTT.Retry, want.Dead.After = "/etc/stolpe-gateway/gateway.pem", "/etc/stolpe-gateway/gateway-key.pem", time.Minute, 48*time.Hour
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	want.Fleet = &watching{
		ClientID: "reader-1", Cert: "/etc/stolpe-gateway/reader.pem", Key: "/etc/stolpe-gateway/reader-key.pem", StateDir: "/var/lib/stolpe-gateway/fleet", Zone: oslo,
		Listen: "0.0.0.0:8443", Secret: strict.Hide("credential/fleet-proxy-secret-which-is-long"), UserHeader: "Remote-User",
		Logins:    []page.Login{{Name: "kari@acme", Tenants: []string{"acme"}}, {Name: "operations"}},
		Announced: []fleet.Window{{Tenant: "acme", Post: "A12", From: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC), Cause: "scheduled maintenance"}},
	}
	want.Fleet.TLS.Cert, want.Fleet.TLS.Key, want.Fleet.TLS.ClientCA = "/etc/stolpe-gateway/fleet.pem", "/etc/stolpe-gateway/fleet-key.pem", "/etc/stolpe-gateway/staff-ca.pem"
	if diff := difference(want, got); diff != "" {
		t.Error(diff)
	}
	if text := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(text, masterKey) || strings.Contains(text, "credential/") {
		t.Errorf("a secret shows in %s", text)
	}
}

func TestReferenceExplainsEveryKey(t *testing.T) {
	text, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{"units[].brand.logo": strings.Contains(string(text), "# logo: /")}
	var visit func(path string, n *yaml.Node)
	visit = func(path string, n *yaml.Node) {
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			below := strings.TrimPrefix(path+"."+name.Value, ".")
			comment := name.HeadComment + name.LineComment + value.LineComment + value.HeadComment
			explained[below] = explained[below] || comment != "" || value.Kind != yaml.ScalarNode
			visit(below, value)
			for _, item := range value.Content {
				visit(below+"[]", item)
			}
		}
	}
	visit("", doc.Content[0])
	format().Walk(func(path string, _ strict.Key) {
		if !explained[path] {
			t.Errorf("%s is not in %s, or without a comment", path, referenceFile)
		}
	})
}

func TestTableIsWhole(t *testing.T) {
	if err := format().Check(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	got, err := parseSettings("f", strings.NewReader(small), vault)
	if err != nil {
		t.Fatal(err)
	}
	u := got.Units[0]
	if got.Listen != "127.0.0.1:8080" || got.Status != "127.0.0.1:9090" || got.Dead.After != 48*time.Hour || got.Dead.Settle {
		t.Errorf("%+v", got)
	}
	if strings.Join(u.Posts, " ") != "*" || u.BaseURL != "https://api.vipps.no" || u.Push || u.Hooks != nil || u.Brand != (display.Brand{}) {
		t.Errorf("%+v", u)
	}
}

// Programs that are tried out take any port that is free, twice.
func TestWhatIsNotLeftOut(t *testing.T) {
	text := changed(t, small, "mqtt:", "listen: 127.0.0.1:0\nstatus: 127.0.0.1:0\ndead: {after: 1h, settle: true}\nmqtt:", "NOK,", "NOK, push_message: true,")
	got, err := parseSettings("f", strings.NewReader(text), vault)
	if err != nil || got.Listen != "127.0.0.1:0" || got.Status != got.Listen || got.Dead.After != time.Hour || !got.Dead.Settle || !got.Units[0].Push {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUnitsSharePostsByTheirNames(t *testing.T) {
	for _, row := range [][2]string{
		{`posts: ["A*"]`, `posts: ["B*"]`},
		{`posts: [A1, A2]`, `posts: ["A*"]`}, // the narrow before the wide
		{`posts: ["A1*"]`, ``},
		{`posts: ["*"]`, `posts: []`},
		{``, `posts: []`},
	} {
		text := changed(t, small+second, `acme, currency`, `acme, `+row[0]+`, currency`, `"654321", tenant: other`, `"654321", tenant: acme, `+row[1])
		text = strings.ReplaceAll(text, ", ,", ",")
		if got, err := parseSettings("f", strings.NewReader(text), vault); err != nil || len(got.Units) != 2 {
			t.Errorf("%q: %v", row, err)
		}
	}
	if _, err := parseSettings("f", strings.NewReader(small+second), vault); err != nil {
		t.Errorf("all posts of two tenants: %v", err)
	}
}

func TestWrongFilesAreRefused(t *testing.T) {
	const notKept = "found something else (not shown); want credential:NAME, file:/PATH or env:NAME (the secret itself never stands here)"
	const files = "mqtt://127.0.0.1:1883\", ca: /a, cert: /b, key: /c,"
	for name, c := range map[string]struct {
		change []string // pairs, of small with second
		want   string   // messages, without the file
	}{
		"unknown key":        {[]string{"relay_key", "relaykey"}, "3: relaykey: found an unknown key; want one of listen, status, public_url, mqtt, relay_key, dead, fleet, units (did you mean relay_key?)"},
		"no units":           {[]string{small[strings.Index(small, "units"):] + second, "units: []\n"}, "4: units: found 0 entries; want a list of 1 to 64, each with X"},
		"relay key in file":  {[]string{"credential:relay-key", masterKey}, "3: relay_key: " + notKept},
		"short relay key":    {[]string{"credential:relay-key", "credential:hunter2"}, "3: relay_key: found credential:hunter2, but what is there is no key; want 64 hexadecimal digits there"},
		"address twice":      {[]string{"mqtt:", "status: 127.0.0.1:8080\nmqtt:"}, `2: status: found "127.0.0.1:8080" again; want another address than that of listen`},
		"no tls":             {[]string{"127.0.0.1:1883", "broker:1883"}, "2: mqtt.url: found something else (not shown); want mqtts://host:port, or mqtt://127.0.0.1:port, with nothing after it"},
		"no files":           {[]string{"mqtt://127.0.0.1:1883", "mqtts://b:1"}, "2: mqtt.ca: found nothing; want it given, as mqtt.url is mqtts://b:1|2: mqtt.cert: X|2: mqtt.key: X"},
		"files without tls":  {[]string{"mqtt://127.0.0.1:1883\",", files}, `2: mqtt.ca: found "/a"; want it left out, as mqtt.url is mqtt://127.0.0.1:1883 and has no TLS|2: mqtt.cert: X|2: mqtt.key: X`},
		"id of a post":       {[]string{"gateway-1", "A12"}, `2: mqtt.client_id: found "A12"; want gateway- with letters, digits and hyphens behind, at most 32 characters in all`},
		"id with a wildcard": {[]string{"gateway-1", `"gateway-+"`}, "2: mqtt.client_id: X"},
		"http in the open":   {[]string{"https://lad", "http://lad"}, `1: public_url: found "http://lad.example.no"; want https://host, or http://127.0.0.1:port, with nothing after it`},
		"impatient":          {[]string{"units:", "dead: {after: 30s}\nunits:"}, `4: dead.after: found "30s"; want 1m to 240h, with the unit (s, m, h)`},
		"secret in file":     {[]string{"env:SECRET", "hunter2"}, "5: units[0].client_secret: " + notKept},
		"hook in file":       {[]string{"NOK,", `NOK, webhook_secrets: ["env:A", "hunter2"],`}, "5: units[0].webhook_secrets[1]: " + notKept},
		"http to the money":  {[]string{"NOK,", `NOK, base_url: "http://api.vipps.no",`}, "5: units[0].base_url: found something else (not shown); want https://host, or http://127.0.0.1:port, with nothing after it"},
		"currency":           {[]string{"NOK", "SEK"}, `5: units[0].currency: found "SEK"; want NOK, DKK or EUR`},
		"less than a krone":  {[]string{"50000", "99"}, "5: units[0].max_amount: found 99 (0.99 NOK); want at least 100 (1.00 NOK), the smallest payment"},
		"more than can be":   {[]string{"50000", "65000001"}, "5: units[0].max_amount: found 65000001; want 1 to 65000000 øre or cent"},
		"unit twice":         {[]string{"654321", "123456"}, `6: units[1].msn: found "123456" again; want another sales unit than that of units[0]: one has the posts of one tenant, all in one place`},
		"posts twice":        {[]string{"tenant: other", "tenant: acme"}, `6: units[1].posts: found "*" behind the "*" of units[0].posts; want posts that no unit above has: the first that fits has the post`},
		"wide before narrow": {[]string{"acme, currency", `acme, posts: [B1, "A*"], currency`, `tenant: other`, `tenant: acme, posts: [A12, B2, B1]`},
			`6: units[1].posts[0]: found "A12" behind the "A*" of units[0].posts[1]; want X|6: units[1].posts[2]: found "B1" behind the "B1" of units[0].posts[0]; want X`},
		"no pattern":   {[]string{"acme, currency", `acme, posts: ["A*2", "12", "A/1", "**"], currency`}, `5: units[0].posts[0]: found "A*2"; want an id of a post, or its beginning with * behind|5: units[0].posts[1]: X|5: units[0].posts[2]: X|5: units[0].posts[3]: X`},
		"pale":         {[]string{"NOK,", `NOK, brand: {colour: "#777777"},`}, `5: units[0].brand.colour: found "#777777"; want "#rrggbb" in quotes, on which white can be read (contrast 4.5 to 1, WCAG 2.2)`},
		"no such logo": {[]string{"NOK,", `NOK, brand: {logo: /no/such.svg},`}, `5: units[0].brand.logo: found "/no/such.svg", but there is no such file; want an SVG or PNG there`},
		"terms":        {[]string{"NOK,", `NOK, terms_url: "http://example.no",`}, `5: units[0].terms_url: found "http://example.no"; want an https address of at most 200 characters`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseSettings("f", strings.NewReader(changed(t, small+second, c.change...)), vault)
			var wrong config.Errors
			if !errors.As(err, &wrong) {
				t.Fatalf("error %v: want config.Errors", err)
			}
			if diff := difference(settings{}, got); diff != "" {
				t.Errorf("something came back beside the error: %s", diff)
			}
			want := strings.Split(c.want, "|")
			if len(wrong) != len(want) || strings.Contains(err.Error(), masterKey) {
				t.Fatalf("%v\nwant %s", err, c.want)
			}
			for i, w := range want {
				start, open := strings.CutSuffix("f:"+w, "X") // the rest is as in another row
				if e := wrong[i].Error(); e != start && (!open || !strings.HasPrefix(e, start)) {
					t.Errorf("%s\nwant\nf:%s", e, w)
				}
			}
		})
	}
}

func TestMissingSecretsAreToldAtTheirLines(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	t.Setenv("ID", "x")
	t.Setenv("KEY", "a b")
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(small, "env:SECRET", "env:STOLPE_NO_SUCH", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := loadSettings(file)
	for _, want := range []string{
		":3: relay_key: found credential:relay-key, but systemd has no such credential: ",
		":5: units[0].client_secret: found env:STOLPE_NO_SUCH, but this variable is not set",
		":5: units[0].subscription_key: found env:KEY, but its byte 2 of 3 is a space",
	} {
		if err == nil || !strings.Contains(err.Error(), file+want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if err == nil || strings.Contains(err.Error(), "env:ID") {
		t.Errorf("%v", err)
	}
	if _, err := loadSettings(file + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
}

func TestNamesOfGatewaysAndPosts(t *testing.T) {
	for name, c := range map[string]struct {
		legal     func(string) bool
		good, bad string // separated by spaces
	}{
		"client_id": {clientID, "gateway-1 gateway-oslo-2 gateway-" + strings.Repeat("a", 24), "gateway- gateway-- Gateway-1 gateway1 gateway-a/b gateway-# A12 gateway-" + strings.Repeat("a", 25)},
		"posts":     {pattern, "* A12 A* 1* A-* ABCDEFGHIJKLMNOP ABCDEFGHIJKLMNOP*", "12 -A* A*B ** *A A+ A/* ABCDEFGHIJKLMNOPQ ABCDEFGHIJKLMNOPQ*"},
	} {
		for _, s := range strings.Fields(c.good) {
			if !c.legal(s) {
				t.Errorf("%s: %q is refused", name, s)
			}
		}
		for _, s := range strings.Fields(c.bad) {
			if c.legal(s) {
				t.Errorf("%s: %q is let through", name, s)
			}
		}
	}
}

// FuzzSettings holds that no file makes the loader fall over, that messages fit a
// terminal, and that what is accepted can be sold through.
func FuzzSettings(f *testing.F) {
	text, err := os.ReadFile(referenceFile)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(text), small, small + second, "units: [{posts: [\"*\"]}]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSettings("f", strings.NewReader(text), vault)
		if err != nil {
			if said := err.Error(); strings.ContainsFunc(said, func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) }) {
				t.Errorf("not fit for a terminal: %q", said)
			}
			return
		}
		if len(s.Units) == 0 || !isKey(s.RelayKey.Reveal()) || s.PublicURL == "" {
			t.Errorf("accepted what is not whole: %+v", s)
		}
		for _, u := range s.Units {
			if !u.Currency.Known() || u.Max < u.Currency.Minimum() || u.ClientSecret.Reveal() == "" {
				t.Errorf("accepted a unit that cannot sell: %+v", u)
			}
		}
	})
}
