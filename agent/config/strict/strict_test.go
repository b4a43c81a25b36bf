package strict

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestNearest(t *testing.T) {
	known := []string{"id", "name", "country", "timezone", "helpdesk", "tenant", "url", "unit"}
	for word, want := range map[string]string{
		"contry": "country", "coutnry": "country", "Country": "country", "time_zone": "timezone", "nmae": "name",
		"helpdeskk": "helpdesk", "uint": "unit", "ID": "id", "url": "url", "di": "id",
		"price": "", "x": "", "": "", "telephone": "", strings.Repeat("a", 41): "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("nearest(%q) = %q: want %q", word, got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	for _, c := range []struct{ path, parent string }{
		{"web", ""},
		{"web.listen", "web"},
		{"evses[0]", "evses"},
		{"evses[12].meter.url", "evses[12].meter"},
		{"reserve.choices[3]", "reserve.choices"},
	} {
		if got := parent(c.path); got != c.parent {
			t.Errorf("%s: parent %q: want %q", c.path, got, c.parent)
		}
	}
}

func TestErrorsAreInTheOrderOfTheFile(t *testing.T) {
	e := Errors{{Line: 9, Key: "c"}, {Line: 2, Key: "a"}, {Line: 9, Key: "b"}, {Key: "first"}}
	if got := fmt.Sprint(e.sorted()[0].Key, e[1].Key, e[2].Key, e[3].Key); got != "firstacb" {
		t.Errorf("order %s", got)
	}
}

func TestShortDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 10 * time.Second: "10s", time.Minute: "1m", 10 * time.Minute: "10m", 90 * time.Second: "1m30s",
		24 * time.Hour: "24h", time.Hour + time.Second: "1h0m1s", 90 * time.Minute: "1h30m", 10 * time.Hour: "10h",
	} {
		if got := Short(d); got != want {
			t.Errorf("Short(%d) = %q: want %q", d, got, want)
		}
		if back, err := time.ParseDuration(want); back != d || err != nil {
			t.Errorf("%q reads as %v, %v", want, back, err)
		}
	}
}

func TestNamesFromTheFileAreFitForAMessage(t *testing.T) {
	for name, want := range map[string]string{
		"prices": "prices", "<<": "<<", "": `""`, "a.b": `"a.b"`, "a b": `"a b"`, "a[0]": `"a[0]"`, "x\ny": `"x\ny"`, "\u200bid": `"\u200bid"`,
		strings.Repeat("a", 41): `"` + strings.Repeat("a", 40) + `..."`,
	} {
		if got := printable(name); got != want {
			t.Errorf("printable(%q) = %s: want %s", name, got, want)
		}
	}
}
