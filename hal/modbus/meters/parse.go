package meters

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSize bounds a map's text, in bytes. The longest we know has 4 kB.
const maxSize = 64 << 10

// modbusMax is the most registers one read may ask for (Modbus Application
// Protocol 6.3 and 6.4).
const modbusMax = 125

// Parse reads a map from YAML. The name is that of its file and must be the map's
// id with ".yaml". Unknown keys, wrong types and registers that cannot be are
// errors that give file and line.
func Parse(name string, text []byte) (*Map, error) {
	if len(text) > maxSize {
		return nil, fmt.Errorf("meters: %s: %d bytes: want at most %d", name, len(text), maxSize)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var m Map
	if err := decoder.Decode(&m); err != nil {
		return nil, fmt.Errorf("meters: %s: %w", name, plain(err))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("meters: %s: more than one document: want one map in a file", name)
	}
	var tree yaml.Node
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("meters: %s: %w", name, plain(err))
	}
	if n := fraction(tree.Content[0]); n != nil {
		return nil, fmt.Errorf("meters: %s: line %d: found %s: want a whole number, or quotes around a text", name, n.Line, n.Value)
	}
	for _, r := range m.rules(strings.TrimSuffix(name, ".yaml")) {
		line, present := find(tree.Content[0], r.key)
		if r.needed && !present {
			return nil, fmt.Errorf("meters: %s: line %d: %s is missing: want %s", name, line, r.key, r.want)
		}
		if present && !r.ok {
			return nil, fmt.Errorf("meters: %s: line %d: %s: want %s", name, line, r.key, r.want)
		}
	}
	return &m, nil
}

// plain says what the YAML decoder found in words for the person who wrote the
// file: without Go's type names, on one line.
func plain(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return err
	}
	found := slices.Clone(wrong.Errors)
	for i, e := range found {
		if before, _, cut := strings.Cut(e, " not found in type "); cut {
			e = strings.Replace(before, "field ", "unknown key ", 1)
		}
		if before, goType, cut := strings.Cut(e, " into "); cut {
			e = strings.Replace(before, "cannot unmarshal !!", "found ", 1) + ": want " + kind(goType)
		}
		found[i] = e
	}
	return errors.New(strings.Join(found, "; "))
}

// kind says what a Go type of this package is called in a file.
func kind(goType string) string {
	switch goType {
	case "uint8":
		return "a whole number from 0 to 255"
	case "uint16":
		return "a whole number from 0 to 65535"
	case "int", "hal.Energy":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "[]string":
		return "a list of texts"
	case "string", "meters.Type", "meters.WordOrder":
		return "a text"
	}
	return "keys with values"
}

// fraction gives a value that is written with a fraction where none can be, or
// nil. The YAML decoder would cut the fraction off without a word: 72.9 would
// become address 72.
func fraction(node *yaml.Node) *yaml.Node {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		if value.ShortTag() == "!!float" && key != "scale" && key != "max" {
			return value
		}
		if inner := fraction(value); inner != nil {
			return inner
		}
	}
	return nil
}

// find gives the line of the key with this dotted path, and whether it is there;
// if not, the line of the last part that is.
func find(node *yaml.Node, path string) (line int, present bool) {
	line = node.Line
	for part := range strings.SplitSeq(path, ".") {
		at := -1
		for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == part {
				at = i
			}
		}
		if at < 0 {
			return line, false
		}
		line, node = node.Content[at].Line, node.Content[at+1]
	}
	return line, true
}

// rule is one thing that must hold for a key of the file.
type rule struct {
	key    string
	needed bool
	ok     bool // of the value, if there is one
	want   string
}

// rules lists what must hold for the whole map.
func (m *Map) rules(id string) []rule {
	l := m.Limits
	rules := []rule{
		{"id", true, m.ID == id, "the name of the file without .yaml, " + id},
		{"brand", true, m.Brand != "", "the maker's name"},
		{"models", true, len(m.Models) > 0, "at least one name as printed on the meter"},
		{"function", true, readable(m.Function), "3 (holding registers) or 4 (input registers)"},
		{"word_order", true, m.WordOrder == Big || m.WordOrder == Little, "big or little"},
		{"limits.max_registers", true, l.MaxRegisters >= 2 && l.MaxRegisters <= modbusMax, "2 to 125 registers"},
		{"limits.min_gap_ms", false, l.MinGap >= 0 && l.MinGap <= 1000, "0 to 1000 ms"},
		{"limits.max_response_ms", true, l.MaxResponse >= 10 && l.MaxResponse <= 5000, "10 to 5000 ms"},
		{"resolution_wh", false, m.Resolution >= 1 && m.Resolution <= 1000, "1 to 1000 Wh, or no such key where it is not known"},
		{"mid.class", m.MID != nil, m.MID != nil && slices.Contains([]string{"A", "B", "C"}, m.MID.Class), "A, B or C"},
		{"confidence", true, slices.Contains([]string{"high", "medium", "low"}, m.Confidence), "high, medium or low"},
		{"sources", true, len(m.Sources) > 0, "at least one place where the facts were found"},
	}
	rules = append(rules, m.Registers.ImportTotal.rules("registers.import_total", "kWh", "Wh")...)
	rules = append(rules, m.Registers.PowerTotal.rules("registers.power_total", "kW", "W")...)
	if m.Identity.Serial != nil {
		rules = append(rules, m.Identity.Serial.rules("identity.serial")...)
	}
	return rules
}

// rules lists what must hold for the register under key. Without units it is not
// a quantity but a number to be told: a serial.
func (r *Register) rules(key string, units ...string) []rule {
	end := int(r.Addr) + int(r.Type.Words())
	rules := []rule{
		{key, true, true, "a register: addr, type, and for a quantity unit and max"},
		{key + ".addr", true, end <= 1<<16, "an address whose value ends by 0xFFFF"},
		{key + ".function", false, readable(r.Function), "3 (holding registers) or 4 (input registers)"},
	}
	if len(units) == 0 {
		return append(rules,
			rule{key + ".type", true, r.Type == Uint32, "uint32"},
			rule{key + ".unit", false, false, "no unit"},
			rule{key + ".scale", false, false, "no scale"},
			rule{key + ".max", false, false, "no max"})
	}
	return append(rules,
		rule{key + ".type", true, r.Type.Words() > 0, "float32 or uint32"},
		rule{key + ".unit", true, slices.Contains(units, r.Unit), strings.Join(units, " or ")},
		rule{key + ".scale", false, r.Scale > 0 && r.Scale <= 1e6, "more than 0, at most 1e6"},
		rule{key + ".max", true, r.Max > 0 && r.Max <= 1e12, "the largest value to be believed, at most 1e12"})
}

// readable says whether a function code reads registers.
func readable(function uint8) bool { return function == 3 || function == 4 }
