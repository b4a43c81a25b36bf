package meters

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func embedded(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("eastron_sdm630.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryEmbeddedMapIsSound(t *testing.T) {
	names := Names()
	if !slices.IsSorted(names) || !slices.Contains(names, "eastron_sdm630") {
		t.Errorf("names %v", names)
	}
	for _, name := range names {
		if m, err := Find(name); err != nil || m.ID != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The facts of the map that is billed on, against the manufacturer's description.
func TestTheSDM630IsReadWhereItsManualSays(t *testing.T) {
	m, err := Find("eastron_sdm630")
	if err != nil {
		t.Fatal(err)
	}
	resettable := true
	for _, c := range []struct{ got, want Register }{
		{m.Registers[ImportTotal], Register{Addr: 0x48, Type: Float32, Unit: "kWh", Max: 1e7, Resettable: &resettable}},
		{m.Registers[ExportTotal], Register{Addr: 0x4A, Type: Float32, Unit: "kWh", Max: 1e7}},
		{m.Registers[PowerTotal], Register{Addr: 0x34, Type: Float32, Unit: "W", Max: 1e7}},
		{m.Registers[VoltageL3], Register{Addr: 4, Type: Float32, Unit: "V"}},
		{m.Identity["serial"], Register{Addr: 0xFC00, Type: Uint32, Function: 3}},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Error(d)
		}
	}
	if m.Function != 4 || m.WordOrder != Big || m.Resolution != 0 || m.MID.Class != "B" {
		t.Errorf("map %+v", m)
	}
	if m.Limits != (Limits{MaxRegisters: 80, EvenCountOnly: true, AcrossGaps: true, MinGap: 100, MaxResponse: 1000}) {
		t.Errorf("limits %+v", m.Limits)
	}
}

// Each row changes one thing in a good map; the error gives the line and says what
// to write.
func TestAMapIsReadStrictly(t *testing.T) {
	good := embedded(t)
	for _, c := range []struct {
		name, old, new string
		want           string
	}{
		{"unknown key", "brand: ", "brnad: ", `line 4: unknown key brnad`},
		{"unknown key of a register", "unit: W,", "unti: W,", "line 15: unknown key unti"},
		{"unknown limit", "max_registers:", "max_register:", "unknown key max_register"},
		{"a key twice", "brand: Eastron", "brand: Eastron\nbrand: Other", "line 5"},
		{"another id", "id: eastron_sdm630", "id: eastron", "line 3: id: want the name of the file without .yaml, eastron_sdm630"},
		{"no brand", "brand: Eastron", "brand:", "line 4: brand: want the maker's name"},
		{"no models", "models: [", "models: [] #", "line 5: models: want"},
		{"function 6", "function: 4", "function: 6", "line 8: function: want 3 (holding registers) or 4"},
		{"no function", "function: 4\n", "", "function is missing"},
		{"function not a number", "function: 4", "function: four", "line 8: found str `four`: want a whole number from 0 to 255"},
		{"a word for a truth", "even_count_only: true", "even_count_only: 1", "line 31: found int `1`: want true or false"},
		{"a word for a list", "models: [", "models: x #", "line 5: found str `x`: want a list of texts"},
		{"a list for a text", "brand: Eastron", "brand: [Eastron]", "line 4: found seq: want a text"},
		{"a word for a number", "kWh, max: 10_000_000", "kWh, max: much", "line 13: found str `much`: want a number"},
		{"function 300", "function: 4", "function: 300", "line 8"},
		{"word order", "word_order: big", "word_order: middle", "line 9: word_order: want big or little"},
		{"no register to bill", "import_total:", "#", "line 10: registers.import_total is missing"},
		{"no power", "power_total:", "#", "line 10: registers.power_total is missing"},
		{"no address", "addr: 0x0048, ", "", "line 13: registers.import_total.addr is missing"},
		{"address too large", "0x0048", "0x10000", "line 13"},
		{"negative address", "0x0048", "-1", "line 13"},
		{"value past the last address", "0x0048", "0xFFFF", "line 13: registers.import_total.addr: want an address whose value ends by 0xFFFF"},
		{"unknown type", "type: float32, unit: kWh", "type: float33, unit: kWh", "line 13: registers.import_total.type: want int16, uint16, int32"},
		{"power as energy", "unit: kWh", "unit: W", "line 13: registers.import_total.unit: want kWh or Wh"},
		{"energy as power", "unit: W,", "unit: kWh,", "line 15: registers.power_total.unit: want kW or W"},
		{"no unit", "unit: W, ", "", "line 15: registers.power_total.unit is missing"},
		{"scale 0", "unit: kWh", "scale: 0, unit: kWh", "line 13: registers.import_total.scale: want 0.000001 to 1e6"},
		{"NaN as largest value", "kWh, max: 10_000_000", "kWh, max: .nan", "line 13: registers.import_total.max: want"},
		{"a float as serial", "type: uint32", "type: float32", "line 27: identity.serial.type: want a whole number or a text"},
		{"a serial with a unit", "type: uint32", "type: uint32, unit: kWh", "line 27: identity.serial.unit: want no unit"},
		{"a scaled serial", "type: uint32", "type: uint32, scale: 2", "line 27: identity.serial.scale: want no scale"},
		{"a limited serial", "type: uint32", "type: uint32, max: 2", "line 27: identity.serial.max: want no max"},
		{"serial by function 5", "function: 3}", "function: 5}", "line 27: identity.serial.function: want 3"},
		{"no limit of registers", "max_registers: 80", "", "line 29: limits.max_registers is missing"},
		{"126 registers", "max_registers: 80", "max_registers: 126", "line 30: limits.max_registers: want 2 to 125 registers"},
		{"1 register", "max_registers: 80", "max_registers: 1", "line 30: limits.max_registers: want 2 to 125 registers"},
		{"negative gap", "min_gap_ms: 100", "min_gap_ms: -1", "line 33: limits.min_gap_ms: want 0 to 1000 ms"},
		{"no time to answer", "max_response_ms: 1000", "max_response_ms: 0", "line 34: limits.max_response_ms: want 10 to 5000 ms"},
		{"resolution 0", "confidence:", "resolution_wh: 0\nconfidence:", "line 37: resolution_wh: want 1 to 1000 Wh"},
		{"resolution in kWh", "confidence:", "resolution_wh: 0.01\nconfidence:", "line 37: found 0.01: want a whole number"},
		{"an address with a fraction", "0x0048", "72.9", "line 13: found 72.9: want a whole number"},
		{"a limit with an exponent", "max_registers: 80", "max_registers: 8e1", "line 30: found 8e1: want a whole number"},
		{"class D", "class: B", "class: D", "line 36: mid.class: want A, B or C"},
		{"no class and no note", "mid: {class: B, note: only the MID variant}", "mid: {}", "line 36: mid: want a class"},
		{"confidence", "confidence: high", "confidence: sure", "line 37: confidence: want high, medium or low"},
		{"no sources", good[strings.Index(good, "sources:"):strings.Index(good, "notes:")], "sources: []\n", "line 38: sources: want at least one"},
		{"not YAML", "registers:", "registers", "line"},
		{"a list", good, "- 1\n", "line 1: found seq: want keys with values"},
		{"nothing", good, "", "the file is empty"},
		{"a comment", good, "# later\n", "the file is empty"},
		{"null", good, "~\n", "line 1: id is missing"},
		{"two maps", good, good + "---\n" + good, "more than one document"},
		{"too long", good, good + strings.Repeat("#\n", maxSize/2), "want at most 65536"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		m, err := Parse("eastron_sdm630.yaml", []byte(text))
		if m != nil || err == nil || !strings.Contains(err.Error(), "meters: eastron_sdm630.yaml: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		} else if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "meters.Map") {
			t.Errorf("%s: not for people: %v", c.name, err)
		}
	}
}

func TestWhatAMapMayLeaveOut(t *testing.T) {
	good := embedded(t)
	for _, c := range []struct {
		name, old, new string
		right          func(*Map) bool
	}{
		{"serial", "serial: {", "#", func(m *Map) bool { return len(m.Identity) == 0 }},
		{"mid", "mid: {", "#", func(m *Map) bool { return m.MID == nil }},
		{"gap", "min_gap_ms: 100", "", func(m *Map) bool { return m.Limits.MinGap == 0 }},
		{"nothing, with a resolution", "mid:", "resolution_wh: 1\nmid:", func(m *Map) bool { return m.Resolution == 1 }},
		{"nothing, with a scale", "unit: kWh", "scale: 0.1, unit: kWh", func(m *Map) bool { return m.Registers[ImportTotal].Scale == 0.1 }},
		{"nothing, with the last address", "0x0048", "0xFFFE", func(m *Map) bool { return m.Registers[ImportTotal].Addr == 0xFFFE }},
	} {
		m, err := Parse("eastron_sdm630.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
		if err != nil || !c.right(m) {
			t.Errorf("%s: %+v, %v", c.name, m, err)
		}
	}
}

func TestTheNearestNamesComeFirst(t *testing.T) {
	names := []string{"abb_b23", "carlo_gavazzi_em24", "eastron_sdm120", "eastron_sdm630", "eastron_sdm72d_m"}
	for wanted, want := range map[string]string{
		"eastron_sdm63":   "eastron_sdm630",
		"eastron_sdm021":  "eastron_sdm120",
		"SDM120":          "eastron_sdm120",
		"abb b23":         "abb_b23",
		"eastron_sdm72dm": "eastron_sdm72d_m",
	} {
		if got := nearest(wanted, names); got[0] != want || len(got) != 3 {
			t.Errorf("%q: %v, want %s first", wanted, got, want)
		}
	}
	if got := nearest("", nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"a", "b", 1}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// FuzzParse: whatever is written, there is a map that can be read with, or an
// error that names the file.
func FuzzParse(f *testing.F) {
	f.Add([]byte(embedded(f)))
	f.Add([]byte("id: x\nregisters: {import_total: {addr: 0x48}}\n"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse("eastron_sdm630.yaml", text)
		if (m == nil) == (err == nil) {
			t.Fatalf("%v, %v", m, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "meters: eastron_sdm630.yaml: ") {
			t.Fatalf("not from where: %v", err)
		}
		if m != nil && (m.Registers[ImportTotal].Type == "" || !readable(m.Function) || m.Limits.MaxRegisters < 2) {
			t.Fatalf("impossible: %+v", m)
		}
	})
}
