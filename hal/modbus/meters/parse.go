package meters

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSize bounds a map's text, in bytes. The longest we know has 4 kB.
const maxSize = 64 << 10

// modbusMax is the most registers one read may ask for (Modbus Application
// Protocol 6.3 and 6.4).
const modbusMax = 125

// Parse reads a map from YAML. The name is that of its file, with or without a
// directory, and must be the map's id with ".yaml". Unknown keys, wrong types and registers that cannot be are
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
	if n := alias(tree.Content[0]); n != nil {
		return nil, fmt.Errorf("meters: %s: line %d: found an anchor or alias: want each value written out", name, n.Line)
	}
	if n := fraction(tree.Content[0]); n != nil {
		return nil, fmt.Errorf("meters: %s: line %d: found %s: want a whole number, or quotes around a text", name, n.Line, n.Value)
	}
	for _, r := range m.Identity {
		r.expectDecimals()
	}
	var all error
	for _, b := range broken(m.rules(strings.TrimSuffix(filepath.Base(name), ".yaml")), tree.Content[0]) {
		all = errors.Join(all, fmt.Errorf("meters: %s: line %d: %s", name, b.line, b.wrong))
	}
	if all != nil {
		return nil, all
	}
	return &m, nil
}

// expectDecimals writes the numbers that are expected as Text tells them: a file
// may have them as its manual prints them, such as 0x0020.
func (r *Register) expectDecimals() {
	for i, e := range r.Expect {
		if digits, ok := strings.CutPrefix(e, "0x"); ok && !r.Type.text() {
			if n, err := strconv.ParseUint(digits, 16, 64); err == nil {
				r.Expect[i] = strconv.FormatUint(n, 10)
			}
		}
	}
}

// breach is a rule that does not hold, in words, and the line to look at.
type breach struct {
	key, wrong string
	line       int // of the file
}

// broken gives the rules that do not hold, in the order of the file: one for a key,
// and none for what is under a key that is wrong itself.
func broken(rules []rule, tree *yaml.Node) (all []breach) {
	for _, r := range rules {
		line, present := find(tree, r.key)
		told := func(b breach) bool { return r.key == b.key || strings.HasPrefix(r.key, b.key+".") }
		if present && r.ok || !present && !r.needed || slices.ContainsFunc(all, told) {
			continue
		}
		b := breach{r.key, r.key + ": want " + r.want, line}
		if !present {
			b.wrong = r.key + " is missing: want " + r.want
		}
		all = append(all, b)
	}
	slices.SortStableFunc(all, func(a, b breach) int { return a.line - b.line })
	return all
}

// plain says what the YAML decoder found in words for the person who wrote the
// file: without Go's type names, on one line.
func plain(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return errors.New(oneLine(err.Error()))
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
	return errors.New(oneLine(strings.Join(found, "; ")))
}

// oneLine keeps what a file holds from breaking the line that quotes it.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// kind says what a Go type of this package is called in a file.
func kind(goType string) string {
	switch goType {
	case "uint8":
		return "a whole number from 0 to 255"
	case "uint16":
		return "a whole number from 0 to 65535"
	case "int", "uint64", "hal.Energy":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "[]uint16":
		return "a list of whole numbers from 0 to 65535"
	case "[]string":
		return "a list of texts"
	case "string", "meters.Type", "meters.WordOrder":
		return "a text"
	}
	return "keys with values"
}

// alias gives a value that is written once and meant in several places, or nil.
// What a person compares with a manual stands where it is used.
func alias(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return node
	}
	for _, inner := range node.Content {
		if found := alias(inner); found != nil {
			return found
		}
	}
	return nil
}

// fraction gives a value that is written with a fraction where none can be, or
// nil. The YAML decoder would cut the fraction off without a word: 72.9 would
// become address 72.
func fraction(node *yaml.Node) *yaml.Node {
	for i, value := range node.Content {
		key := ""
		if node.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			key = node.Content[i-1].Value
		}
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
