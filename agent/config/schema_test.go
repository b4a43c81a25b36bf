package config

import (
	"slices"
	"strings"
	"testing"

	"stolpe/agent/config/strict"
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
	if err := schema().Check(); err != nil {
		t.Error(err)
	}
}

func TestReferenceTellsEveryKeyOnce(t *testing.T) {
	lines := strings.Split(Reference(), "\n")
	rows := 0
	schema().Walk(func(path string, k strict.Key) {
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
		if k.Need != (cells[2] == "must be given") || k.Env != "" && !strings.Contains(cells[3], k.Env) {
			t.Errorf("%s: %q", path, mine[0])
		}
	})
	table := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.HasPrefix(l, "| `") })
	if len(table) != rows {
		t.Errorf("%d rows for %d keys", len(table), rows)
	}
	schema().Walk(func(path string, k strict.Key) {
		if k.Env != "" && strings.Count(Reference(), "`"+k.Env+"` (`"+path+"`)") != 1 {
			t.Errorf("%s is not among the variables that win over the file", k.Env)
		}
	})
	if strings.ContainsAny(Reference(), "<>") {
		t.Error("a unit of money was not put in")
	}
}
