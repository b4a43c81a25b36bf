package meters

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"stolpe/hal"
)

// rule is one thing that must hold for a key of the file.
type rule struct {
	key    string
	needed bool
	ok     bool // of the value, if there is one
	want   string
}

// rules lists what must hold for the whole map.
func (m *Map) rules(id string) []rule {
	rules := []rule{
		{"id", true, m.ID == id, "the name of the file without .yaml, " + id},
		{"brand", true, m.Brand != "", "the maker's name"},
		{"models", true, len(m.Models) > 0, "at least one name as printed on the meter"},
		{"phases", true, m.Phases == 1 || m.Phases == 3, "1 or 3"},
		{"transports", true, len(m.Transports) > 0 && subset(m.Transports, "rtu", "tcp"), "rtu, tcp or both"},
		{"function", true, readable(m.Function), "3 (holding registers) or 4 (input registers)"},
		{"word_order", true, m.WordOrder == Big || m.WordOrder == Little, "big or little"},
		{"resolution_wh", false, m.Resolution >= 1 && m.Resolution <= 1000, "1 to 1000 Wh, or no such key where it is not known"},
		{"mid.class", false, m.MID != nil && slices.Contains([]string{"A", "B", "C"}, m.MID.Class), "A, B or C, or no such key where it is not known"},
		{"mid", false, m.MID != nil && *m.MID != MID{}, "a class, a note or both"},
		{"confidence", true, slices.Contains([]string{"high", "medium", "low"}, m.Confidence), "high, medium or low"},
		{"sources", true, len(m.Sources) > 0, "at least one place where the facts were found"},
	}
	rules = append(rules, m.Limits.rules()...)
	rules = append(rules, m.Serial.rules()...)
	rules = append(rules, m.invalidRules()...)
	rules = append(rules, known("registers", m.Registers, Quantities())...)
	rules = append(rules, known("identity", m.Identity, identities())...)
	for _, q := range Quantities() {
		r, present := m.Registers[q]
		key := "registers." + string(q)
		if needed := q == ImportTotal || q == PowerTotal; needed || present {
			rules = append(rules, rule{key, needed, true, "a register: addr, type and unit"})
			rules = append(rules, r.rules(key, m)...)
			rules = append(rules, r.measured(key, q)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Identity)) {
		r, key := m.Identity[name], "identity."+name
		rules = append(rules, r.rules(key, m)...)
		rules = append(rules, r.told(key, m)...)
		if name == "serial" {
			rules = append(rules, rule{key + ".type", true, !r.Type.floating(), "a whole number or a text"})
		}
	}
	return append(rules, m.layout()...)
}

// rules lists what must hold for the limits.
func (l *Limits) rules() []rule {
	return []rule{
		{"limits.max_registers", true, l.MaxRegisters >= 2 && l.MaxRegisters <= modbusMax, "2 to 125 registers"},
		{"limits.min_gap_ms", false, l.MinGap >= 0 && l.MinGap <= 1000, "0 to 1000 ms"},
		{"limits.max_response_ms", true, l.MaxResponse >= 10 && l.MaxResponse <= 5000, "10 to 5000 ms"},
		{"limits.refresh_ms", false, l.Refresh >= 1 && l.Refresh <= 15_000, "1 to 15000 ms, or no such key where it is not known"},
		{"limits.boot_ms", false, l.Boot >= 1 && l.Boot <= 300_000, "1 to 300000 ms, or no such key where it is not known"},
	}
}

// rules lists what must hold for the settings of a serial line.
func (s *SerialDefaults) rules() []rule {
	if s == nil {
		return nil
	}
	bauds := []int{300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200}
	return []rule{
		{"serial_defaults", false, *s != SerialDefaults{}, "at least one of baud, parity, stop_bits and unit"},
		{"serial_defaults.baud", false, slices.Contains(bauds, s.Baud), "a speed from 300 to 115200 bits a second"},
		{"serial_defaults.parity", false, s.Parity == "N" || s.Parity == "E" || s.Parity == "O", "N, E or O"},
		{"serial_defaults.stop_bits", false, s.StopBits == 1 || s.StopBits == 2, "1 or 2"},
		{"serial_defaults.unit", false, s.Unit >= 1 && s.Unit <= 247, "1 to 247"},
	}
}

// invalidRules lists what must hold for the markers.
func (m *Map) invalidRules() []rule {
	var rules []rule
	for _, t := range slices.Sorted(maps.Keys(m.Invalid)) {
		key := "invalid." + string(t)
		width := 16 * int(t.Words())
		rules = append(rules, rule{key, false, width > 0, "a type of number: " + words(numbers())},
			rule{key, false, width == 64 || m.Invalid[t] < 1<<width, fmt.Sprintf("the bits of a register, at most %d of them", width)})
	}
	return rules
}

// known lists the keys of a section that mean nothing, each as a broken rule.
func known[K ~string](section string, found map[K]Register, names []K) []rule {
	var rules []rule
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !slices.Contains(names, name) {
			var all []string
			for _, n := range names {
				all = append(all, string(n))
			}
			rules = append(rules, rule{section + "." + string(name), false, false,
				"another key: this one is not known, the nearest are " + strings.Join(hal.Nearest(string(name), all), ", ")})
		}
	}
	return rules
}

// identities lists what a meter may say of itself.
func identities() []string {
	return []string{
		"serial", "serial_part", "maker", "maker_code", "model", "model_code", "product", "order_number", "firmware", "hardware", "map_version",
		"marker", "year", "ct_primary", "ct_secondary", "ct_ratio", "vt_ratio", "checksum",
	}
}

// rules lists what must hold for any register, which stands under key.
func (r *Register) rules(key string, m *Map) []rule {
	rules := []rule{
		{key + ".addr", true, true, "an address on the wire, counted from 0"},
		{key + ".type", true, r.Type.Words() > 0 || r.Type.text(), words(append(numbers(), texts()...))},
		{key + ".length", r.Type.text(), r.Type.text() && r.Length > 0, "the number of registers of a text, and no such key for a number"},
		{key + ".function", false, readable(r.Function), "3 (holding registers) or 4 (input registers)"},
	}
	for _, p := range r.Places() {
		end := int(p.Addr) + int(p.Words)
		rules = append(rules, rule{key + ".addr", true, end <= 1<<16, "an address whose value ends by 0xFFFF"},
			rule{key, true, p.Words <= max(m.Limits.MaxRegisters, 4), fmt.Sprintf("a value of at most limits.max_registers, %d", m.Limits.MaxRegisters)})
	}
	return rules
}

// measured lists what must hold for the register of a quantity.
func (r *Register) measured(key string, q Quantity) []rule {
	return []rule{
		{key + ".type", true, r.Type.Words() > 0, words(numbers())},
		{key + ".unit", true, slices.Contains(q.units(), r.Unit), strings.Join(q.units(), " or ")},
		{key + ".scale", false, r.Scale >= 1e-6 && r.Scale <= 1e6, "0.000001 to 1e6"},
		{key + ".max", false, r.Max > 0 && r.Max <= 1e12, "the largest value to be believed, at most 1e12"},
		{key + ".sum_with", false, len(r.SumWith) > 0 && len(r.SumWith) < sumMost && !r.Type.ownExponent(), fmt.Sprintf("1 to %d addresses of registers without a power of ten of their own", sumMost-1)},
		{key + ".subtract", false, !q.energy() && !r.Type.ownExponent(), "no such key for an energy, which never goes back, or with a power of ten"},
		{key + ".exp10.addr", r.Exp10 != nil, true, "an address on the wire, counted from 0"},
		{key + ".exp10.type", r.Exp10 != nil, r.Exp10 != nil && r.Exp10.Type == Int16, "int16"},
		{key + ".exp10", false, !r.Type.ownExponent(), "no such key: the type has a power of ten of its own"},
		{key + ".expect", false, false, "no such key for a quantity"},
		{key + ".resettable", false, q.energy(), "no such key but for an energy"},
	}
}

// sumMost is how many registers a value may be the sum of. Chosen by us: the most
// tariffs that any meter here has are 2.
const sumMost = 8

// told lists what must hold for the register of an identity: a text, or a number
// that is told as it is.
func (r *Register) told(key string, m *Map) []rule {
	rules := []rule{{key + ".type", true, !r.Type.ownExponent() && r.Type != Acc32, words(append(plainNumbers(), texts()...))}}
	for _, no := range []string{"unit", "scale", "max", "sum_with", "subtract", "exp10", "resettable"} {
		rules = append(rules, rule{key + "." + no, false, false, "no " + no + " for what is not measured"})
	}
	rules = append(rules, rule{key + ".expect", false, len(r.Expect) > 0 && !r.Type.floating(), "at least one value, and no such key for a float"})
	for _, e := range r.Expect {
		_, err := m.spell(r, e)
		rules = append(rules, rule{key + ".expect", false, e != "" && err == nil, "whole numbers or texts that fit into the register and are told just so"})
	}
	return rules
}

// texts lists the types of characters and digits.
func texts() []Type { return []Type{String, String1, Hex} }

// plainNumbers lists the types of numbers that can be told as they are.
func plainNumbers() []Type {
	return []Type{Int16, Uint16, Int32, Uint32, Int64, Uint64, Float32, Float64}
}

// numbers lists the types of numbers.
func numbers() []Type { return append(plainNumbers(), Acc32, T5, T6) }

// words lists types for people.
func words(types []Type) string {
	var all []string
	for _, t := range types {
		all = append(all, string(t))
	}
	return strings.Join(all, ", ")
}

// subset says whether every word is an allowed one.
func subset(found []string, allowed ...string) bool {
	return !slices.ContainsFunc(found, func(w string) bool { return !slices.Contains(allowed, w) })
}

// readable says whether a function code reads registers.
func readable(function uint8) bool { return function == 3 || function == 4 }
