package main

import (
	"fmt"
	"net"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
	"stolpe/agent/telemetry/fleet"
	"stolpe/agent/telemetry/fleet/page"
	"stolpe/payment"
)

// watching is how the fleet is watched.
type watching struct {
	ClientID, Cert, Key string // at the broker; no files with mqtt://
	StateDir            string
	Zone                *time.Location
	Listen              string // host:port of the pages; empty for none
	TLS                 struct{ Cert, Key, ClientCA string }
	Secret              config.Secret // of the proxy; empty for no proxy
	UserHeader          string
	Logins              []page.Login
	Announced           []fleet.Window
}

// fileFleet is the section as it stands in the file.
type fileFleet struct {
	ClientID  string `mapstructure:"client_id"`
	Cert, Key string
	StateDir  string `mapstructure:"state_dir"`
	Timezone  string
	Listen    string
	TLS       struct {
		Cert, Key string
		ClientCA  string `mapstructure:"client_ca"`
	}
	Proxy struct {
		Secret     string
		UserHeader string `mapstructure:"user_header"`
	}
	Logins    []page.Login
	Announced []struct{ Tenant, Post, From, To, Cause string }
}

// Chosen by us.
const (
	maxLogins    = 200
	maxAnnounced = 500
	maxUser      = 64 // characters of a login's name
	maxCause     = 40 // characters of a cause
	leastSecret  = 32 // characters of the proxy's secret: as many as nobody guesses
)

// fleetKeys are the keys of the section.
func fleetKeys() strict.Key {
	path := func(name, unset, doc string) strict.Key {
		return strict.Key{Name: name, Kind: strict.Text, Unset: unset, Want: "an absolute path", Legal: legal.Absolute, Doc: doc}
	}
	return strict.Key{Name: "fleet", Kind: strict.Section, Doc: "What posts tell is watched: figures with a label post at /metrics, and pages. Without this section nothing is listened to, and there are none.", Keys: []strict.Key{
		{Name: "client_id", Kind: strict.Text, Unset: "needed in this section", Want: "letters, digits and hyphens, at most 32 characters", Legal: func(s string) bool { return len(s) <= maxName && legal.Word(s) },
			Doc: "Name at the broker, another one than mqtt.client_id: what posts tell comes over a connection of its own, so that it never stands in the way of money."},
		path("cert", "needed with mqtts", "Certificate for that name, PEM: that of a reader sees the posts of its tenant, that of a gateway, another one than this, those of all."),
		path("key", "needed with mqtts", "Its private key, PEM."),
		{Name: "state_dir", Kind: strict.Text, Def: "/var/lib/stolpe-gateway/fleet", Want: "an absolute path", Legal: legal.Absolute,
			Doc: "Folder of the statistics, a file for each post. Their loss harms nothing else. One gateway, one folder."},
		{Name: "timezone", Kind: strict.Text, Def: "Europe/Oslo", Want: "a name such as Europe/Oslo", Legal: isZone, Doc: "Zone in which days, months and years begin."},
		{Name: "listen", Kind: strict.Text, Unset: "no pages", Want: "IP:port or localhost:port", Legal: legal.HostPort,
			Doc: "Where the pages are served. Without tls only on this machine. Port 0 takes any free port."},
		{Name: "tls", Kind: strict.Section, Doc: "How the pages are served to others than this machine.", Keys: []strict.Key{
			path("cert", "no TLS", "Certificate of the pages, PEM."), path("key", "no TLS", "Its private key, PEM."),
			path("client_ca", "no client certificates", "Who vouches for client certificates, PEM. The common name is the login. Not who vouches for posts, or a post of that name could log in."),
		}},
		{Name: "proxy", Kind: strict.Section, Doc: "A reverse proxy that asks who somebody is.", Keys: []strict.Key{
			{Name: "secret", Kind: strict.SecretRef, Unset: "no proxy is believed", Doc: "What the proxy says in the header " + page.SecretHeader + " of each request, at least 32 characters. The proxy takes this header, and the next, away from what comes from outside."},
			{Name: "user_header", Kind: strict.Text, Def: "Remote-User", Want: "a name of a header", Legal: func(s string) bool { return len(s) <= maxUser && legal.Word(s) }, Doc: "Name of the header in which the proxy says who somebody is."},
		}},
		{Name: "logins", Kind: strict.List, Unset: "nobody", Min: 1, Max: maxLogins, Doc: "Who may see the pages.", Keys: []strict.Key{
			{Name: "name", Kind: strict.Text, Need: true, Want: "a text of at most 64 characters", Legal: legal.Shorter(maxUser), Doc: "Common name of the certificate, or what the proxy says. No two alike."},
			{Name: "tenants", Kind: strict.Texts, Unset: "all", Min: 1, Max: maxUnits, Want: "letters, digits and hyphens, at most 32 characters", Legal: func(s string) bool { return len(s) <= maxName && legal.Word(s) },
				Doc: "Whose posts the login may see."},
		}},
		{Name: "announced", Kind: strict.List, Unset: "none", Min: 1, Max: maxAnnounced, Doc: "Times whose outages are excluded from the NEVI uptime, besides those of the grid and the network.", Keys: []strict.Key{
			{Name: "tenant", Kind: strict.Text, Need: true, Want: "letters, digits and hyphens, at most 32 characters", Legal: func(s string) bool { return len(s) <= maxName && legal.Word(s) }, Doc: "Whose posts."},
			{Name: "post", Kind: strict.Text, Unset: "all posts of the tenant", Want: "an id of a post", Legal: func(s string) bool { return len(s) <= payment.MaxPostID && legal.Word(s) }, Doc: "Which of them."},
			{Name: "from", Kind: strict.Text, Need: true, Want: `a time such as "2026-11-20T08:00:00Z"`, Legal: isTime, Doc: "When it begins."},
			{Name: "to", Kind: strict.Text, Need: true, Want: `a time such as "2026-11-20T16:00:00Z"`, Legal: isTime, Doc: "When it ends."},
			{Name: "cause", Kind: strict.Text, Need: true, Want: "a text of at most 40 characters", Legal: legal.Shorter(maxCause), Doc: "Why: scheduled maintenance, vandalism, a natural disaster. Stands in the report."},
		}},
	}}
}

func isZone(s string) bool {
	_, err := time.LoadLocation(s)
	return err == nil && s != "" && s != "Local"
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

// same says whether nothing differs that takes a restart.
func (w *watching) same(o *watching) bool {
	if w == nil || o == nil {
		return w == o
	}
	return w.ClientID == o.ClientID && w.Cert == o.Cert && w.Key == o.Key && w.StateDir == o.StateDir && w.Zone.String() == o.Zone.String() &&
		w.Listen == o.Listen && w.TLS == o.TLS && w.Secret.Reveal() == o.Secret.Reveal() && w.UserHeader == o.UserHeader
}

// checkFleet compares the keys of the section with each other and with the rest.
func checkFleet(r *strict.Reader, f file) {
	w := f.Fleet
	fail := func(path string, wrong bool, found, want string) {
		if wrong && r.Fine("fleet."+path) {
			r.Fail("fleet."+path, found, want)
		}
	}
	secure := strings.HasPrefix(f.MQTT.URL, "mqtts:")
	fail("client_id", w.ClientID == "", "nothing", "it given, as fleet is")
	fail("client_id", w.ClientID != "" && w.ClientID == f.MQTT.ClientID, strict.Quote(w.ClientID)+" again", "another name than mqtt.client_id")
	for _, x := range []struct{ path, file string }{{"cert", w.Cert}, {"key", w.Key}} {
		fail(x.path, r.Fine("mqtt.url") && secure && x.file == "", "nothing", "it given, as mqtt.url is "+f.MQTT.URL)
		fail(x.path, r.Fine("mqtt.url") && !secure && x.file != "", strict.Quote(x.file), "it left out, as mqtt.url is "+f.MQTT.URL+" and has no TLS")
	}
	if w.Listen == "" {
		return
	}
	host, _, _ := net.SplitHostPort(w.Listen) //nolint:errcheck // what is none is wrong already
	fail("listen", !strings.HasSuffix(w.Listen, ":0") && (w.Listen == f.Listen || w.Listen == f.Status), strict.Quote(w.Listen)+" again", "another address than those of listen and status")
	fail("listen", w.TLS.Cert == "" && !legal.Loopback(host), strict.Quote(w.Listen), "an address of this machine itself, as there is no fleet.tls")
	fail("tls.key", w.TLS.Cert != "" && w.TLS.Key == "", "nothing", "it given, as fleet.tls.cert is")
	fail("tls.cert", w.TLS.Cert == "" && w.TLS.Key+w.TLS.ClientCA != "", "nothing", "it given, as others of fleet.tls are")
	fail("listen", r.Fine("fleet.proxy.secret", "fleet.tls.client_ca") && w.TLS.ClientCA == "" && w.Proxy.Secret == "", strict.Quote(w.Listen), "fleet.tls.client_ca or fleet.proxy.secret given, or nobody could log in")
	fail("logins", len(w.Logins) == 0, "nothing", "it given, as fleet.listen is")
}

// watching gives the section, with its secret.
func (f fileFleet) watching(r *strict.Reader, find config.Lookup) *watching {
	w := &watching{ClientID: f.ClientID, Cert: f.Cert, Key: f.Key, StateDir: f.StateDir, Listen: f.Listen, UserHeader: f.Proxy.UserHeader, Logins: f.Logins,
		Secret: secret(r, "fleet.proxy.secret", f.Proxy.Secret, find)}
	w.TLS = struct{ Cert, Key, ClientCA string }(f.TLS)
	w.Zone, _ = time.LoadLocation(f.Timezone) //nolint:errcheck // what is none is wrong already
	if n := len(w.Secret.Reveal()); n > 0 && n < leastSecret {
		r.Fail("fleet.proxy.secret", f.Proxy.Secret+", but what is there is too short", fmt.Sprintf("at least %d characters there", leastSecret))
	}
	names := map[string]bool{}
	for i, l := range f.Logins {
		if at := fmt.Sprintf("fleet.logins[%d].name", i); names[l.Name] && r.Fine(at) {
			r.Fail(at, strict.Quote(l.Name)+" again", "another name")
		}
		names[l.Name] = true
	}
	for i, a := range f.Announced {
		from, _ := time.Parse(time.RFC3339, a.From) //nolint:errcheck // as before
		to, _ := time.Parse(time.RFC3339, a.To)     //nolint:errcheck // as before
		if at := fmt.Sprintf("fleet.announced[%d]", i); r.Fine(at+".from", at+".to") && !from.Before(to) {
			r.Fail(at+".to", strict.Quote(a.To), "a time after from")
		}
		w.Announced = append(w.Announced, fleet.Window{Tenant: a.Tenant, Post: a.Post, From: from, To: to, Cause: a.Cause})
	}
	return w
}
