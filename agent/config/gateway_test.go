package config

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const gatewayFile = "../../testdata/config/gateway-post.yaml"

func TestPostBehindAGateway(t *testing.T) {
	quiet(t)
	text := readText(t, gatewayFile)
	c, err := parseText(text)
	if err != nil {
		t.Fatal(err)
	}
	if c.Payment.Through != ThroughGateway || c.Gateway.Timeout != 20*time.Second || c.Gateway.Key.Reveal() != gatewayKey {
		t.Errorf("payment %+v, gateway %+v, key %q", c.Payment, c.Gateway, c.Gateway.Key.Reveal())
	}
	if want := (MQTT{"mqtts://broker:8883", "/etc/stolpe/ca.pem", "/etc/stolpe/post.pem", "/etc/stolpe/key.pem", time.Minute}); c.MQTT != want {
		t.Errorf("%+v: want %+v", c.MQTT, want)
	}
	if c.Web != (Web{}) {
		t.Errorf("pages %+v: want none", c.Web)
	}
	for _, name := range []string{"STOLPE_WEB_LISTEN", "STOLPE_WEB_PUBLIC_URL"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, map[string]string{"STOLPE_WEB_LISTEN": "127.0.0.1:9000", "STOLPE_WEB_PUBLIC_URL": "https://lad.example.no"}[name])
			if _, err := parseText(text); err == nil || !strings.HasPrefix(err.Error(), "environment "+name+": ") {
				t.Errorf("error %v: want one of the environment", err)
			}
		})
	}
}

func TestKeyOfTheWayNotTakenIsLeftAlone(t *testing.T) {
	quiet(t)
	text := change(t, readText(t, gatewayFile), "through: gateway", "through: sim")
	c, err := Parse("f", strings.NewReader(text), func(kind, name string) (string, error) {
		t.Errorf("%s:%s was looked up", kind, name)
		return gatewayKey, nil
	})
	if err != nil || c.Gateway.Key != (Secret{}) || c.MQTT.URL == "" || c.Web.Listen == "" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestCodesAreThoseOfAllEVSEs(t *testing.T) {
	quiet(t)
	line := "  - {id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}\n"
	text := change(t, readText(t, simFile), line, line+strings.NewReplacer("id: 1", "id: 2", "A12", "a13").Replace(line))
	c, err := parseText(text)
	if got := strings.Join(c.Post.Codes, " "); err != nil || got != "A12 A13" {
		t.Errorf("codes %q, %v: want A12 A13", got, err)
	}
}

func TestLogoBecomesPartOfThePage(t *testing.T) {
	quiet(t)
	const svg, png = `<svg xmlns="http://www.w3.org/2000/svg"/>`, "\x89PNG\r\n\x1a\n..."
	dir := t.TempDir()
	for _, x := range []struct{ name, data, mime, problem string }{
		{"a.svg", svg, "image/svg+xml", ""},
		{"a.png", png, "image/png", ""},
		{"full.svg", svg + strings.Repeat(" ", maxLogo-len(svg)), "image/svg+xml", ""},
		{"large.svg", svg + strings.Repeat(" ", maxLogo+1-len(svg)), "", "it has more than 8 KiB"},
		{"swapped.png", svg, "", "something else"},
		{"swapped.svg", png, "", "something else"},
		{"empty.svg", "", "", "something else"},
		{"latin.svg", svg + "\xf8", "", "something else"},
	} {
		path := filepath.Join(dir, x.name)
		if err := os.WriteFile(path, []byte(x.data), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readPicture(path)
		want := "data:" + x.mime + ";base64," + base64.StdEncoding.EncodeToString([]byte(x.data))
		if x.problem == "" && (err != nil || got != want) || x.problem != "" && (err == nil || got != "" || !strings.Contains(err.Error(), x.problem)) {
			t.Errorf("%s: %q, %v", x.name, got, err)
		}
		text := change(t, readText(t, simFile), "payment:", "web: {brand: {logo: "+path+"}}\npayment:")
		if c, err := parseText(text); (err == nil) != (x.problem == "") || err == nil && c.Post.Brand.Logo != want {
			t.Errorf("%s: logo %q, %v", x.name, c.Post.Brand.Logo, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.svg"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := readPicture(filepath.Join(dir, "folder.svg")); err == nil || !strings.Contains(err.Error(), "not an ordinary file") {
		t.Errorf("of a folder: %v", err)
	}
}

func TestContrastIsThatOfTheGuideline(t *testing.T) {
	for rgb, want := range map[uint32]float64{0xffffff: 1, 0x000000: 21, 0x777777: 4.48, 0x767676: 4.54, 0xff0000: 4.00, 0x0000ff: 8.59, 0x008000: 5.14} {
		if got := contrastToWhite(rgb); got < want-0.01 || got > want+0.01 {
			t.Errorf("#%06x has %.2f to 1: want %.2f", rgb, got, want)
		}
	}
}
