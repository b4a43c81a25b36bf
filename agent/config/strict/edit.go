package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// errByHand is for what stands in a file in a way that only a person should edit.
var errByHand = errors.New("it is written in a way that only a person can edit: over several lines, or as an empty section")

// Edit gives the text of a file with keys set to other values, or taken out where the
// value is nil. Keys are paths as in Error; one within a list is of an entry that is
// there. A value is a string, a bool, a json.Number of a whole number, or a list of
// these. All else, with its comments and its order, stays as it stands, byte for byte.
//
// What comes out is held against what was wanted; whether it is legal is for Read to say.
func Edit(data []byte, set map[string]any) ([]byte, error) {
	for _, path := range slices.Sorted(maps.Keys(set)) {
		if !editable(set[path]) {
			return nil, fmt.Errorf("%s: want a text, true or false, a whole number, a list of these, or nothing", path)
		}
		before, err := plainTree(data)
		if err != nil {
			return nil, err
		}
		steps, err := stepsOf(path)
		if err != nil {
			return nil, err
		}
		edited, err := edit(data, steps, set[path])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		after, err := plainTree(edited)
		put(before, steps, plainValue(set[path]))
		if err != nil || !reflect.DeepEqual(before, after) {
			return nil, fmt.Errorf("%s: %w", path, errByHand)
		}
		data = edited
	}
	return data, nil
}

// editable says whether a value is one that Edit takes.
func editable(v any) bool {
	switch v := v.(type) {
	case nil, string, bool:
		return true
	case json.Number:
		_, err := strconv.Atoi(v.String())
		return err == nil
	case []any:
		return !slices.ContainsFunc(v, func(one any) bool {
			_, list := one.([]any)
			return one == nil || list || !editable(one)
		})
	}
	return false
}

// plainTree is what a file says, without where.
func plainTree(data []byte) (map[string]any, error) {
	tree := map[string]any{}
	if err := yaml.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	return tree, nil
}

// plainValue is a value as it is read back.
func plainValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, err := strconv.Atoi(v.String())
		if err != nil {
			return err // equal to nothing that is read
		}
		return n
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plainValue(v[i])
		}
		return list
	}
	return v
}

// step is one part of a path: a name in a section, or the number of an entry in a list.
type step struct {
	name  string
	entry int // -1 with a name
}

// stepsOf takes a path apart: evses[0].meter.unit has four steps.
func stepsOf(path string) (steps []step, err error) {
	for _, word := range strings.Split(path, ".") {
		name, rest, in := strings.Cut(word, "[")
		steps = append(steps, step{name, -1})
		for in {
			var number string
			if number, rest, in = strings.Cut(rest, "]"); !in {
				return nil, fmt.Errorf("%s: a [ without its ]", printable(path))
			}
			n, err := strconv.Atoi(number)
			if err != nil || n < 0 || strconv.Itoa(n) != number {
				return nil, fmt.Errorf("%s: want the number of an entry in brackets, from 0", printable(path))
			}
			steps = append(steps, step{entry: n})
			if rest, in = strings.CutPrefix(rest, "["); !in && rest != "" {
				return nil, fmt.Errorf("%s: want a point behind the brackets", printable(path))
			}
		}
	}
	return steps, nil
}

// put sets a value in a tree. Entries of lists on the way are there already.
func put(tree map[string]any, path []step, v any) {
	name, rest := path[0].name, path[1:]
	switch {
	case len(rest) == 0 && v == nil:
		delete(tree, name)
	case len(rest) == 0:
		tree[name] = v
	case rest[0].entry >= 0:
		list, _ := tree[name].([]any)
		if n := rest[0].entry; n < len(list) && len(rest) > 1 {
			if below, ok := list[n].(map[string]any); ok {
				put(below, rest[1:], v)
			}
		}
	default:
		below, ok := tree[name].(map[string]any)
		if !ok {
			below = map[string]any{}
			tree[name] = below
		}
		put(below, rest, v)
	}
}

// edit changes one key.
func edit(data []byte, path []step, v any) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) == 0 {
		return nil, errByHand
	}
	t := text{data}
	at := doc.Content[0]
	for i, s := range path {
		if s.entry >= 0 {
			if at.Kind != yaml.SequenceNode || s.entry >= len(at.Content) || i == len(path)-1 {
				return nil, fmt.Errorf("there is no entry %d to set a key of", s.entry)
			}
			at = at.Content[s.entry]
			continue
		}
		if at.Kind != yaml.MappingNode {
			return nil, errByHand
		}
		n := entry(at, s.name)
		switch {
		case n < 0 && v == nil:
			return data, nil // it is not there
		case n < 0:
			return t.add(at, path[i:], v)
		case i == len(path)-1 && v == nil:
			return t.remove(at, n)
		case i == len(path)-1:
			from, to, err := t.span(at.Content[n+1])
			return t.replace(from, to, render(v)), err
		}
		at = at.Content[n+1]
	}
	return nil, errByHand
}

// entry finds a key of a section; below 0 when it has none of that name.
func entry(section *yaml.Node, name string) int {
	for i := 0; i+1 < len(section.Content); i += 2 {
		if section.Content[i].Value == name {
			return i
		}
	}
	return -1
}

// render writes a value as it may stand anywhere: JSON is YAML.
func render(v any) []byte {
	var out bytes.Buffer
	if list, ok := v.([]any); ok {
		for i := range list {
			out.WriteString([...]string{"", ", "}[min(i, 1)])
			out.Write(render(list[i]))
		}
		return slices.Concat([]byte("["), out.Bytes(), []byte("]"))
	}
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil // which is no value, and found out
	}
	return bytes.TrimSpace(out.Bytes())
}

// add puts a key that is not there behind the last of its section, with the sections
// between the two.
func (t text) add(section *yaml.Node, path []step, v any) ([]byte, error) {
	for i := len(path) - 1; i > 0; i-- {
		if path[i].entry >= 0 {
			return nil, errors.New("there is no such list: write it into the file (stolpe config edit)")
		}
		v = map[string]any{path[i].name: v}
	}
	said := slices.Concat([]byte(path[0].name+": "), flow(v))
	if len(section.Content) == 0 {
		return nil, errByHand
	}
	last := section.Content[len(section.Content)-1]
	if section.Style&yaml.FlowStyle != 0 {
		_, to, err := t.span(last)
		return t.replace(to, to, slices.Concat([]byte(", "), said)), err
	}
	first := section.Content[0]
	indent := bytes.Repeat([]byte(" "), first.Column-1)
	at := t.line(lastLine(last) + 1)
	if at == len(t.data) && at > 0 && t.data[at-1] != '\n' {
		said = slices.Concat([]byte("\n"), indent, said)
	} else {
		said = slices.Concat(indent, said, []byte("\n"))
	}
	return t.replace(at, at, said), nil
}

// flow writes a value, and sections around it, on one line.
func flow(v any) []byte {
	section, ok := v.(map[string]any)
	if !ok {
		return render(v)
	}
	for name, below := range section { // there is one
		return slices.Concat([]byte("{"+name+": "), flow(below), []byte("}"))
	}
	return []byte("{}")
}

// lastLine is the last line of the file on which anything of a node begins.
func lastLine(n *yaml.Node) int {
	line := n.Line
	for _, below := range n.Content {
		line = max(line, lastLine(below))
	}
	return line
}

// remove takes a key out of a section that has others.
func (t text) remove(section *yaml.Node, n int) ([]byte, error) {
	key, value := section.Content[n], section.Content[n+1]
	if len(section.Content) == 2 {
		return nil, fmt.Errorf("it is the only key of its section, so take the section out: %w", errByHand)
	}
	if section.Style&yaml.FlowStyle == 0 {
		return t.replace(t.line(key.Line), t.line(lastLine(value)+1), nil), nil
	}
	from := t.begins(key)
	_, to, err := t.span(value)
	if err != nil {
		return nil, err
	}
	if n+2 < len(section.Content) {
		return t.replace(from, t.begins(section.Content[n+2]), nil), nil
	}
	_, from, err = t.span(section.Content[n-1])
	return t.replace(from, to, nil), err
}
