package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// File is the configuration that follows from answers. What was left out stands in no
// line of it, so that it holds as it will in later versions.
func File(a Answers, now time.Time) []byte {
	full := a.Filled()
	f := &file{answers: full}
	fmt.Fprintf(&f.out, "# Written by stolpe setup, %s. stolpe config validate checks what is changed by hand.\n", now.UTC().Format("2006-01-02 15:04 UTC"))
	f.put("version: 2\n")
	f.section("post", "id", "tenant", "name", "country", "timezone", "helpdesk")
	f.section("seller", "name", "org_no", "vat_registered", "address", "email")
	f.line("", "state_dir", "state_dir")
	f.section("control", "dir")
	f.put("evses:\n")
	for n := 1; n <= full.EVSEs(); n++ {
		f.evse(n)
	}
	f.put("price:\n  currency: %s\n", currency(full))
	for _, key := range []string{"vat_bp", "kwh", "minute", "session"} {
		f.line("  ", key, "price."+key)
	}
	f.nested("  ", "idle", "price.idle", "after_minutes", "minute", "cap")
	f.put("reserve:\n  default: %s\n  choices: [%s]\n", f.value("reserve.default"), f.value("reserve.choices"))
	f.put("payment:\n")
	f.line("  ", "through", "payment.through")
	f.nested("  ", "vipps", "payment.vipps", "base_url", "msn", "client_id", "client_secret", "subscription_key")
	f.nested("  ", "gateway", "payment.gateway", "key")
	f.section("mqtt", "url", "ca", "cert", "key")
	f.section("web", "listen", "public_url")
	f.display()
	return f.out.Bytes()
}

// currency is that of the country.
func currency(a Answers) string { return byCountry("NOK", "DKK", "EUR")(a) }

// file is a configuration that is being written.
type file struct {
	answers Answers
	out     bytes.Buffer
}

func (f *file) put(format string, a ...any) { fmt.Fprintf(&f.out, format, a...) }

// value is what the configuration says for a key; empty if it says nothing.
func (f *file) value(key string) string {
	q, ok := Find(key)
	answer := f.answers[key]
	if !ok || answer == "" || !q.Asked(f.answers) {
		return ""
	}
	return q.Value(answer)
}

// line writes one key, if there is something to say.
func (f *file) line(indent, name, key string) {
	v := f.value(key)
	q, _ := Find(key)
	if v == "" || q.Kind == YesNo && q.Optional && v == no {
		return
	}
	if q.Kind == Text {
		v = quoted(v)
	}
	f.put("%s%s: %s\n", indent, name, v)
}

// section writes a section at the left, if it has anything in it.
func (f *file) section(name string, keys ...string) { f.nested("", name, name, keys...) }

func (f *file) nested(indent, name, path string, keys ...string) {
	before := f.out.Len()
	f.put("%s%s:\n", indent, name)
	empty := f.out.Len()
	for _, key := range keys {
		f.line(indent+"  ", key, path+"."+key)
	}
	if f.out.Len() == empty {
		f.out.Truncate(before)
	}
}

// evse writes one EVSE.
func (f *file) evse(n int) {
	f.put("  - id: %d\n", n)
	const in = "    "
	f.line(in, "code", of("evse", n, "code"))
	f.nested(in, "meter", strings.TrimSuffix(of("meter", n, ""), "."), "model", "url", "unit", "serial", "mid_until")
	if f.answers.Yes("simulated") {
		f.put("%scontactor: {sim: true}\n", in)
	} else {
		if model := f.answers[Confirmed(n)]; model != "" {
			f.put("%s  confirmed: %s\n", in, model)
		}
		f.nested(in, "contactor", strings.TrimSuffix(of("contactor", n, ""), "."), "line", "sense", "deadman", "active_low")
		f.nested(in, "inputs", strings.TrimSuffix(of("inputs", n, ""), "."), "plug", "stop", "estop", "rcd", "hot", "accept")
	}
	f.line(in, "max_power_w", of("evse", n, "max_power_w"))
}

// Confirmed is the key under which answers have what the configuration says of a meter
// that has been compared with its own display; no question has it.
func Confirmed(evse int) string { return of("meter", evse, "confirmed") }

// quoted writes a text as YAML, of which JSON is a part.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a text can always be encoded
	}
	return strings.TrimSpace(b.String())
}
