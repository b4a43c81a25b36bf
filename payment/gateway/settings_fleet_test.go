package main

import (
	"errors"
	"strings"
	"testing"

	"stolpe/agent/config"
)

// watched is small, with a fleet that is watched and shown to this machine.
const watched = small + `fleet:
  client_id: reader-1
  listen: "127.0.0.1:8443"
  proxy: {secret: "env:FLEET_PROXY_SECRET"}
  logins: [{name: kari}]
`

func TestAFleetIsWatchedOnlyIfItIsWanted(t *testing.T) {
	got, err := parseSettings("f", strings.NewReader(small), vault)
	if err != nil || got.Fleet != nil {
		t.Errorf("%+v, %v", got.Fleet, err)
	}
	got, err = parseSettings("f", strings.NewReader(watched), vault)
	if err != nil || got.Fleet == nil || got.Fleet.Zone.String() != "Europe/Oslo" || got.Fleet.UserHeader != "Remote-User" || len(got.Fleet.Logins) != 1 || got.Fleet.Logins[0].Tenants != nil {
		t.Errorf("%+v, %v", got.Fleet, err)
	}
	got, err = parseSettings("f", strings.NewReader(small+"fleet: {client_id: reader-1}\n"), vault)
	if err != nil || got.Fleet == nil || got.Fleet.Listen != "" {
		t.Errorf("figures alone: %+v, %v", got.Fleet, err)
	}
}

func TestWhatOfAFleetTakesARestart(t *testing.T) {
	read := func(text string) *watching {
		s, err := parseSettings("f", strings.NewReader(text), vault)
		if err != nil {
			t.Fatal(err)
		}
		return s.Fleet
	}
	for change, same := range map[string]bool{"name: kari}, {name: ola": true, "name: ola": true, "name: kari}]\n  timezone: UTC\n  announced: [{tenant: acme, from: \"2026-11-20T08:00:00Z\", to: \"2026-11-20T09:00:00Z\", cause: x": false,
		"name: kari}]\n  announced: [{tenant: acme, from: \"2026-11-20T08:00:00Z\", to: \"2026-11-20T09:00:00Z\", cause: x": true, "name: kari}]\n  tls: {cert: /a, key: /b}\n  announced: [{tenant: acme, from: \"2026-11-20T08:00:00Z\", to: \"2026-11-20T09:00:00Z\", cause: x": false} {
		if got := read(watched).same(read(changed(t, watched, "name: kari", change))); got != same {
			t.Errorf("%s: %v", change, got)
		}
	}
	if read(watched).same(read(small)) || !read(small).same(read(small)) {
		t.Error("of no fleet")
	}
}

func TestWrongFleetsAreRefused(t *testing.T) {
	const login = "logins: [{name: kari}]"
	for name, c := range map[string]struct {
		change []string
		want   string
	}{
		"no name":               {[]string{"client_id: reader-1", "timezone: UTC"}, "6: fleet.client_id: found nothing; want it given, as fleet is"},
		"the gateway's name":    {[]string{"reader-1", "gateway-1"}, `7: fleet.client_id: found "gateway-1" again; want another name than mqtt.client_id`},
		"files without tls":     {[]string{"reader-1", "reader-1\n  cert: /a"}, `8: fleet.cert: found "/a"; want it left out, as mqtt.url is mqtt://127.0.0.1:1883 and has no TLS`},
		"no files":              {[]string{`"mqtt://127.0.0.1:1883"`, `"mqtts://b:1", ca: /a, cert: /b, key: /c`}, "6: fleet.cert: found nothing; want it given, as mqtt.url is mqtts://b:1|6: fleet.key: X"},
		"in the open":           {[]string{"127.0.0.1:8443", "0.0.0.0:8443"}, `8: fleet.listen: found "0.0.0.0:8443"; want an address of this machine itself, as there is no fleet.tls`},
		"address of the others": {[]string{"127.0.0.1:8443", "127.0.0.1:8080"}, `8: fleet.listen: found "127.0.0.1:8080" again; want another address than those of listen and status`},
		"nobody could log in":   {[]string{"proxy: {secret: \"env:FLEET_PROXY_SECRET\"}", "timezone: UTC"}, `8: fleet.listen: found "127.0.0.1:8443"; want fleet.tls.client_ca or fleet.proxy.secret given, or nobody could log in`},
		"nobody may":            {[]string{login, "timezone: UTC"}, "6: fleet.logins: found nothing; want it given, as fleet.listen is"},
		"short secret":          {[]string{"env:FLEET_PROXY_SECRET", "env:X"}, "9: fleet.proxy.secret: found env:X, but what is there is too short; want at least 32 characters there"},
		"half a certificate":    {[]string{login, login + "\n  tls: {cert: /a}"}, "11: fleet.tls.key: found nothing; want it given, as fleet.tls.cert is"},
		"the other half":        {[]string{login, login + "\n  tls: {client_ca: /a}"}, "11: fleet.tls.cert: found nothing; want it given, as others of fleet.tls are"},
		"name twice":            {[]string{login, "logins: [{name: kari}, {name: kari, tenants: [acme]}]"}, `10: fleet.logins[1].name: found "kari" again; want another name`},
		"no tenant":             {[]string{login, "logins: [{name: kari, tenants: []}]"}, `10: fleet.logins[0].tenants: found 0 entries; want a list of 1 to 64, each letters, digits and hyphens, at most 32 characters`},
		"no zone":               {[]string{login, login + "\n  timezone: Europe/Atlantis"}, `11: fleet.timezone: found "Europe/Atlantis"; want a name such as Europe/Oslo`},
		"ends before it begins": {[]string{login, login + "\n  announced: [{tenant: acme, from: \"2026-11-20T08:00:00Z\", to: \"2026-11-20T07:00:00Z\", cause: x}]"},
			`11: fleet.announced[0].to: found "2026-11-20T07:00:00Z"; want a time after from`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseSettings("f", strings.NewReader(changed(t, watched, c.change...)), vault)
			var wrong config.Errors
			if !errors.As(err, &wrong) {
				t.Fatalf("error %v: want config.Errors", err)
			}
			want := strings.Split(c.want, "|")
			if len(wrong) != len(want) {
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
