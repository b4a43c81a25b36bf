package config

import (
	"strings"
	"time"

	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
	"stolpe/agent/telemetry"
)

// MQTT is the way to the broker.
type MQTT struct {
	URL           string // mqtts://host:port, or mqtt://host:port on this machine
	CA, Cert, Key string // absolute paths of PEM files; empty with mqtt://
	Retry         time.Duration
}

// Telemetry is what the post tells over its broker.
type Telemetry struct {
	Profile       telemetry.Profile
	HomeAssistant HomeAssistant `mapstructure:"home_assistant"`
}

// HomeAssistant is what the post tells a Home Assistant at its broker.
type HomeAssistant struct {
	Discovery bool   // that it is there, and under which topics
	Prefix    string // of the topics under which Home Assistant looks for that
}

func telemetryKeys() strict.Key {
	return strict.Key{Name: "telemetry", Kind: strict.Section, Doc: "What the post tells its fleet over the broker of `mqtt`.", Keys: []strict.Key{
		{Name: "profile", Kind: strict.Text, Def: string(telemetry.Frugal), Want: "minimal, frugal or standard",
			Legal: legal.OneOf(string(telemetry.Minimal), string(telemetry.Frugal), string(telemetry.Standard)),
			Doc:   "How often: states and events always at once; readings of the meter never, each minute or each 10 seconds of a charge; health each hour, 15 or 5 minutes. minimal and frugal are for mobile networks, standard is for a cable."},
		{Name: "home_assistant", Kind: strict.Section, Doc: "Home Assistant, where it has the same broker.", Keys: []strict.Key{
			{Name: "discovery", Kind: strict.Flag, Def: false, Want: "true or false",
				Doc: "Whether Home Assistant finds the post by itself. It can look at everything, and do nothing."},
			{Name: "prefix", Kind: strict.Text, Def: "homeassistant", Want: "letters, digits and hyphens, at most 32 characters", Legal: func(s string) bool { return len(s) <= 32 && legal.Word(s) },
				Doc: "Where Home Assistant looks: its own discovery prefix."},
		}},
	}}
}

// BrokerKeys are the keys of an MQTT, for every file that has one. Who it is that
// connects, a post or a gateway, is known by the key called name.
func BrokerKeys(who, name string) []strict.Key {
	const path = "an absolute path"
	file := func(key, doc string) strict.Key {
		return strict.Key{Name: key, Kind: strict.Text, Unset: "needed with mqtts", Want: path, Legal: legal.Absolute, Doc: doc}
	}
	return []strict.Key{
		{Name: "url", Kind: strict.Text, Need: true, Want: "mqtts://host:port, or mqtt://127.0.0.1:port, with nothing after it", Legal: legal.Broker, Quiet: true,
			Doc: "Address of the broker. Without TLS only on this machine."},
		file("ca", "Certificate of whoever vouches for the broker, PEM."),
		file("cert", "Certificate of the "+who+", PEM. Its common name is "+name+"."),
		file("key", "Private key of the "+who+", PEM."),
		{Name: "retry", Kind: strict.Span, Def: time.Minute, Min: int64(2 * time.Second), Max: int64(time.Hour),
			Doc: "How long the " + who + " waits at most before it tries a broker again that it has not reached several times. It begins with a second or two. Long where each try costs money; a broker that comes back is asked by all within this time."},
	}
}

// Check notes with r which files are missing or too many; they stand in the
// section mqtt.
func (m MQTT) Check(r *strict.Reader) {
	if !r.Fine("mqtt.url") {
		return
	}
	secure := strings.HasPrefix(m.URL, "mqtts:")
	for _, l := range []struct{ path, file string }{{"mqtt.ca", m.CA}, {"mqtt.cert", m.Cert}, {"mqtt.key", m.Key}} {
		switch {
		case !r.Fine(l.path):
		case secure && l.file == "":
			r.Fail(l.path, "nothing", "it given, as mqtt.url is "+m.URL)
		case !secure && l.file != "":
			r.Fail(l.path, strict.Quote(l.file), "it left out, as mqtt.url is "+m.URL+" and has no TLS")
		}
	}
}
