package meters

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stolpe/hal"
)

func embedded(t testing.TB) string { return source(t, "eastron_sdm630") }

// source is the file of a built-in map.
func source(t testing.TB, id string) string {
	t.Helper()
	text, err := os.ReadFile(id + ".yaml")
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
		} else if !saysWhere(err, "eastron_sdm630.yaml") || strings.Contains(err.Error(), "meters.Map") {
			t.Errorf("%s: not for people: %v", c.name, err)
		}
	}
}

// What the map of the SDM630 has not got is tried in those of others.
func TestRegistersThatCannotBeAreRefused(t *testing.T) {
	for _, c := range []struct{ name, id, old, new, want string }{
		{"an unknown quantity", "sbc_ale3", "  voltage_l2:", "  voltage_l4:", "line 14: registers.voltage_l4: want another key: this one is not known, the nearest are voltage_l1, voltage_l2, voltage_l3"},
		{"a misspelt serial", "sbc_ale3", "  serial:", "  seiral:", "line 21: identity.seiral: want another key: this one is not known, the nearest are serial,"},
		{"phases", "sbc_ale3", "phases: 3", "phases: 2", "line 6: phases: want 1 or 3"},
		{"transports", "sbc_ale3", "[rtu]", "[rtu, usb]", "line 7: transports: want rtu, tcp or both"},
		{"no transports", "sbc_ale3", "[rtu]", "[]", "line 7: transports: want rtu, tcp or both"},
		{"two quantities in one register", "sbc_ale3", "addr: 0x0024", "addr: 0x0023", "registers of its own: 0x0023 belongs to registers."},
		{"two that overlap", "sbc_ale3", "addr: 0x000F", "addr: 0x0005", "line 20: identity.model: want registers of its own: 0x0006 belongs to identity.serial"},
		{"a tariff in the register itself", "sbc_ale3", "sum_with: [0x001F]", "sum_with: [0x001C]", "line 11: registers.import_total: want registers of its own"},
		{"a tariff past the end", "sbc_ale3", "sum_with: [0x001F]", "sum_with: [0xFFFF]", "line 11: registers.import_total.addr: want an address whose value ends by 0xFFFF"},
		{"no tariffs", "sbc_ale3", "sum_with: [0x001F]", "sum_with: []", "line 11: registers.import_total.sum_with: want 1 to 7 addresses"},
		{"a tariff with a fraction", "sbc_ale3", "sum_with: [0x001F]", "sum_with: [31.5]", "line 11: found 31.5: want a whole number"},
		{"too many tariffs", "sbc_ale3", "sum_with: [0x001F]", "sum_with: [100, 102, 104, 106, 108, 110, 112, 114]", "line 11: registers.import_total.sum_with: want 1 to 7 addresses"},
		{"a sum of texts", "sbc_ale3", "type: string, length: 8", "type: string, length: 8, sum_with: [9]", "line 20: identity.model.sum_with: want no sum_with"},
		{"a text longer than a request", "sbc_ale3", "length: 8", "length: 21", "line 20: identity.model: want a value of at most limits.max_registers, 20"},
		{"a text without a length", "sbc_ale3", ", length: 8", "", "line 20: identity.model.length is missing: want the number of registers"},
		{"a text of no length", "sbc_ale3", "length: 8", "length: 0", "line 20: identity.model.length: want the number of registers"},
		{"a number with a length", "sbc_ale3", "addr: 0x000F,", "addr: 0x000F, length: 2,", "line 21: identity.serial.length: want the number of registers of a text, and no such key for a number"},
		{"a quantity as text", "sbc_ale3", "{addr: 0x0023, type: uint16", "{addr: 0x0023, type: string, length: 1", "line 13: registers.voltage_l1.type: want int16, uint16"},
		{"wider than a request", "sbc_ale3", "max_registers: 20", "max_registers: 3", "line 20: identity.model: want a value of at most limits.max_registers, 3"},
		{"energy as difference", "sbc_ale3", "sum_with: [0x001F]", "subtract: 0x001F", "line 11: registers.import_total.subtract: want no such key for an energy"},
		{"a power that can be reset", "sbc_ale3", "unit: kW}", "unit: kW, resettable: true}", "line 12: registers.power_total.resettable: want no such key but for an energy"},
		{"a quantity that is expected", "sbc_ale3", "unit: kW}", "unit: kW, expect: [1]}", "line 12: registers.power_total.expect: want no such key for a quantity"},
		{"nothing expected", "eastron_sdm120", "expect: [0x0020]", "expect: []", "identity.model_code.expect: want at least one value"},
		{"expected and too large", "eastron_sdm120", "expect: [0x0020]", "expect: [32, 0x10000]", "identity.model_code.expect: want whole numbers or texts that fit"},
		{"expected as no meter says it", "eastron_sdm120", "expect: [0x0020]", "expect: [032]", "identity.model_code.expect: want whole numbers or texts that fit"},
		{"expected and never told", "eastron_sdm120", "expect: [0x0020]", "expect: [0xFFFF]", "identity.model_code.expect: want whole numbers or texts that fit"},
		{"expected with blanks around it", "socomec_countis_e14", "[SOCO]", "[' SOC']", "identity.maker.expect: want whole numbers or texts that fit"},
		{"expected with a fraction", "eastron_sdm120", "expect: [0x0020]", "expect: [3.2]", "found 3.2: want a whole number"},
		{"a text expected as a number", "eastron_sdm120", "expect: [0x0020]", "expect: [SDM]", "identity.model_code.expect: want whole numbers or texts that fit"},
		{"a float expected", "kdk_2pu_4pu", "{addr: 0x4007, type: float32}", "{addr: 0x4007, type: float32, expect: [1]}", "identity.firmware.expect: want at least one value, and no such key for a float"},
		{"a text expected that is too long", "socomec_countis_e14", "[SOCO]", "[SOCOMEC-E]", "identity.maker.expect: want whole numbers or texts that fit"},
		{"an odd number where they must be even", "eastron_sdm72d_m", "{addr: 0x004A, type: float32", "{addr: 0x004A, type: uint16", "line 12: registers.export_total: want an even number of registers"},
		{"an identity in tenths of a power", "iskra_wm3m4", "{addr: 0x000D, type: uint16}", "{addr: 0x000D, type: t5}", "identity.firmware.type: want int16, uint16"},
		{"a sum of numbers with powers of their own", "iskra_wm3m4", "{addr: 0x008C, type: t6, unit: W}", "{addr: 0x008C, type: t6, unit: W, sum_with: [0x00A0]}", "registers.power_total.sum_with: want 1 to 7 addresses of registers without a power of ten"},
		{"a difference of such", "iskra_wm3m4", "{addr: 0x008C, type: t6, unit: W}", "{addr: 0x008C, type: t6, unit: W, subtract: 0x00A0}", "registers.power_total.subtract: want no such key for an energy, which never goes back, or with a power of ten"},
		{"two exponents", "iskra_wm3m4", "{addr: 0x008C, type: t6, unit: W}", "{addr: 0x008C, type: t6, unit: W, exp10: {addr: 0x0090, type: int16}}", "registers.power_total.exp10: want no such key: the type has a power of ten"},
		{"an exponent out of reach", "iskra_wm3m4", "exp10: {addr: 0x0191", "exp10: {addr: 0x0100", "line 11: registers.import_total.exp10: want a register that one request can read together"},
		{"an exponent beyond a gap", "iskra_wm3m4", "across_gaps: true", "across_gaps: false", "line 11: registers.import_total.exp10: want a register that one request can read together"},
		{"an exponent without a sign", "iskra_wm3m4", "exp10: {addr: 0x0191, type: int16}", "exp10: {addr: 0x0191, type: uint16}", "line 11: registers.import_total.exp10.type: want int16"},
		{"an exponent of no type", "iskra_wm3m4", "exp10: {addr: 0x0191, type: int16}", "exp10: {addr: 0x0191}", "line 11: registers.import_total.exp10.type is missing"},
		{"an exponent nowhere", "iskra_wm3m4", "exp10: {addr: 0x0191, type: int16}", "exp10: {type: int16}", "line 11: registers.import_total.exp10.addr is missing"},
		{"a shared exponent that is also a value", "bauer_bsm_ws36a", "{addr: 0x9CA2,", "{addr: 0x9CA9,", "registers of its own: 0x9ca9 belongs to"},
		{"a marker of an unknown type", "abb_b23_b24", "uint16: 0xFFFF", "uint17: 0xFFFF", "invalid.uint17: want a type of number: int16"},
		{"a marker of a text", "abb_b23_b24", "uint16: 0xFFFF", "string: 0xFFFF", "invalid.string: want a type of number"},
		{"a marker that is too wide", "abb_b23_b24", "int16: 0x7FFF,", "int16: 0x17FFF,", "invalid.int16: want the bits of a register, at most 16"},
		{"a negative marker", "abb_b23_b24", "int16: 0x7FFF,", "int16: -1,", "want a whole number"},
		{"a speed", "inepro_pro1", "baud: 9600", "baud: 9601", "serial_defaults.baud: want a speed from 300"},
		{"a parity", "inepro_pro1", "parity: E", "parity: M", "serial_defaults.parity: want N, E or O"},
		{"stop bits", "inepro_pro1", "stop_bits: 1", "stop_bits: 3", "serial_defaults.stop_bits: want 1 or 2"},
		{"a unit", "inepro_pro1", "unit: 1}", "unit: 248}", "serial_defaults.unit: want 1 to 247"},
		{"no settings at all", "inepro_pro1", "{baud: 9600, parity: E, stop_bits: 1, unit: 1}", "{}", "serial_defaults: want at least one of baud"},
		{"a refresh", "sbc_ale3", "refresh_ms: 5000", "refresh_ms: 0", "limits.refresh_ms: want 1 to 15000 ms"},
		{"a start", "sbc_ale3", "boot_ms: 30000", "boot_ms: 300001", "limits.boot_ms: want 1 to 300000 ms"},
		{"an alias", "sbc_ale3", "phases: 3", "phases: &p 3", "line 6: found an anchor or alias"},
		{"a fine scale", "sbc_ale3", "scale: 0.01", "scale: 1e-7", "scale: want 0.000001 to 1e6"},
	} {
		good := source(t, c.id)
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		m, err := Parse("/etc/maps/"+c.id+".yaml", []byte(text))
		if m != nil || err == nil || !strings.HasPrefix(err.Error(), "meters: /etc/maps/"+c.id+".yaml: line ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

// saysWhere says whether each line of an error names the file.
func saysWhere(err error, file string) bool {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !strings.HasPrefix(line, "meters: "+file+": ") {
			return false
		}
	}
	return true
}

// Whoever has made several mistakes is told all of them at once, in the order of the
// file, and of none twice.
func TestAllMistakesOfAMapAreTold(t *testing.T) {
	text := embedded(t)
	for old, wrong := range map[string]string{
		"brand: Eastron": "brand:", "word_order: big": "word_order: middle", "max_registers: 80": "max_registers: 126",
		"  power_total:": "#", "confidence: high": "confidence: sure",
	} {
		text = strings.Replace(text, old, wrong, 1)
	}
	_, err := Parse("eastron_sdm630.yaml", []byte(text))
	if err == nil || !saysWhere(err, "eastron_sdm630.yaml") {
		t.Fatal(err)
	}
	var keys []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		_, said, _ := strings.Cut(line, "line ")
		_, said, _ = strings.Cut(said, ": ")
		key, _, _ := strings.Cut(said, ": want")
		keys = append(keys, strings.TrimSuffix(key, " is missing"))
	}
	if got, want := strings.Join(keys, " "), "brand word_order registers.power_total limits.max_registers confidence"; got != want {
		t.Errorf("told %s\nwant %s\n%v", got, want, err)
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

// An odd number of registers is read with the first of the value behind it, where a
// meter gives even numbers only.
func TestAnOddValueMayBeReadWithTheNext(t *testing.T) {
	text := source(t, "eastron_sdm72d_m")
	for more, good := range map[string]bool{"": false, "\n  frequency: {addr: 0x004B, type: float32, unit: Hz}": true, "\n  frequency: {addr: 0x004C, type: float32, unit: Hz}": false} {
		odd := strings.Replace(text, "{addr: 0x004A, type: float32, unit: kWh}", "{addr: 0x004A, type: uint16, unit: kWh}"+more, 1)
		if _, err := Parse("eastron_sdm72d_m.yaml", []byte(odd)); (err == nil) != good {
			t.Errorf("with %q: %v", more, err)
		}
	}
}

// FuzzParse: whatever is written, there is a map that can be read with, and whose
// image answers for every one of its places, or an error that names the file.
func FuzzParse(f *testing.F) {
	for _, id := range []string{"eastron_sdm630", "bauer_bsm_ws36a", "sbc_ale3", "iskra_wm3m4", "abb_b23_b24", "dzg_dvh4013"} {
		f.Add([]byte(strings.Replace(source(f, id), "id: "+id, "id: eastron_sdm630", 1)))
	}
	f.Add([]byte("id: x\nregisters: {import_total: {addr: 0x48}}\n"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse("eastron_sdm630.yaml", text)
		if (m == nil) == (err == nil) {
			t.Fatalf("%v, %v", m, err)
		}
		if err != nil {
			if !saysWhere(err, "eastron_sdm630.yaml") {
				t.Fatalf("not lines that say where: %v", err)
			}
			return
		}
		image := NewImage(m)
		shown := image.Show(Shown{Import: 12_345_670, Power: 7360, Voltage: [3]hal.Voltage{230_000, 230_000, 230_000}, FrequencyMilli: 50_000}) == nil
		for q, r := range m.Registers {
			words := read(t, image, &r)
			if n, err := decode(m, q, &r, words); err != nil && n != 0 || shown && q == PowerTotal && err != nil {
				t.Fatalf("%s: %d, %v", q, n, err)
			}
		}
		for name, r := range m.Identity {
			if got, err := m.Text(&r, read(t, image, &r)); err != nil || len(r.Expect) > 0 && got != r.Expect[0] {
				t.Fatalf("%s: %q, %v, expected %v", name, got, err, r.Expect)
			}
		}
		if m.Modulus() < 0 {
			t.Fatalf("begins again after %d Wh", m.Modulus())
		}
	})
}
