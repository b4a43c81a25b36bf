package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"stolpe/payment"
)

func TestPriceLimitsAreThoseOfPayment(t *testing.T) {
	sound := payment.Price{Currency: payment.NOK, VAT: maxVAT, KWh: maxPrice, Minute: maxPrice, Session: maxPrice, Idle: payment.Idle{Minute: maxPrice, Cap: maxPrice}}
	if err := sound.Check(); err != nil {
		t.Errorf("what the schema allows, payment does not: %v", err)
	}
	for name, p := range map[string]payment.Price{
		"vat_bp":  {Currency: payment.NOK, KWh: 1, VAT: maxVAT + 1},
		"kwh":     {Currency: payment.NOK, KWh: maxPrice + 1},
		"session": {Currency: payment.NOK, Session: maxPrice + 1},
	} {
		if p.Check() == nil {
			t.Errorf("payment allows more for %s than the schema", name)
		}
	}
}

func TestSchemaIsWhole(t *testing.T) {
	seen := map[string]bool{}
	schema().walk("", func(path string, k key) {
		if seen[path] {
			t.Errorf("%s stands there twice", path)
		}
		seen[path] = true
		if !strings.HasSuffix(k.doc, ".") {
			t.Errorf("%s: doc %q is no sentence", path, k.doc)
		}
		if k.kind == text && (k.legal == nil || k.want == "") {
			t.Errorf("%s: nothing says what is allowed", path)
		}
		if d, ok := k.def.(string); ok && !k.legal(d) {
			t.Errorf("%s: its default %q is not allowed", path, d)
		}
		if k.env != "" && (k.kind != text || strings.Contains(path, "[")) {
			t.Errorf("%s: only a single text can come from the environment", path)
		}
		if k.need && (k.def != nil || k.unset != "") {
			t.Errorf("%s must be given, so there is no default", path)
		}
		if leaf := k.kind != section && k.kind != list; leaf && !k.need && k.def == nil && k.unset == "" {
			t.Errorf("%s: nothing says what holds when it is left out", path)
		}
		if len(k.name) > maxWord/2 {
			t.Errorf("%s is too long for Nearest", path)
		}
	})
}

// TestLaterKeysAreNotKnownYet would fail where somebody builds one of them and
// leaves its entry in the list.
func TestLaterKeysAreNotKnownYet(t *testing.T) {
	schema().walk("", func(path string, _ key) {
		if _, ok := tooEarly(path); ok {
			t.Errorf("%s: a later key that is known", path)
		}
	})
}

func TestReferenceTellsEveryKeyOnce(t *testing.T) {
	lines := strings.Split(Reference(), "\n")
	rows := 0
	schema().walk("", func(path string, k key) {
		rows++
		mine := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.HasPrefix(l, "| `"+path+"` |") })
		if len(mine) != 1 {
			t.Errorf("%s has %d rows", path, len(mine))
			return
		}
		cells := strings.Split(strings.Trim(mine[0], "| "), " | ")
		if len(cells) != 4 || slices.Contains(cells, "") {
			t.Errorf("%s: %d cells in %q", path, len(cells), mine[0])
		}
		if k.need != (cells[2] == "must be given") || k.env != "" && !strings.Contains(cells[3], k.env) {
			t.Errorf("%s: %q", path, mine[0])
		}
	})
	table := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.HasPrefix(l, "| `") })
	if len(table) != rows {
		t.Errorf("%d rows for %d keys", len(table), rows)
	}
	for _, l := range later() {
		if !strings.Contains(lines[len(lines)-2], "`"+l.path) {
			t.Errorf("%s is not said to be missing", l.path)
		}
	}
	if strings.ContainsAny(Reference(), "<>") {
		t.Error("a unit of money was not put in")
	}
}

func TestNearest(t *testing.T) {
	known := []string{"id", "name", "country", "timezone", "helpdesk", "tenant", "url", "unit"}
	for word, want := range map[string]string{
		"contry": "country", "coutnry": "country", "Country": "country", "time_zone": "timezone", "nmae": "name",
		"helpdeskk": "helpdesk", "uint": "unit", "ID": "id", "url": "url", "di": "id",
		"price": "", "x": "", "": "", "telephone": "", strings.Repeat("a", 41): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q: want %q", word, got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	for _, c := range []struct{ path, parent, general string }{
		{"web", "", "web"},
		{"web.listen", "web", "web.listen"},
		{"evses[0]", "evses", "evses[]"},
		{"evses[12].meter.url", "evses[12].meter", "evses[].meter.url"},
		{"reserve.choices[3]", "reserve.choices", "reserve.choices[]"},
	} {
		if parent(c.path) != c.parent || general(c.path) != c.general {
			t.Errorf("%s: parent %q, general %q: want %q, %q", c.path, parent(c.path), general(c.path), c.parent, c.general)
		}
	}
}

func TestErrorsAreInTheOrderOfTheFile(t *testing.T) {
	e := Errors{{Line: 9, Key: "c"}, {Line: 2, Key: "a"}, {Line: 9, Key: "b"}, {Key: "first"}}
	if got := fmt.Sprint(e.sorted()[0].Key, e[1].Key, e[2].Key, e[3].Key); got != "firstacb" {
		t.Errorf("order %s", got)
	}
}
