package strict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// versionKey is the key at the top of a file that says which version of its format it
// is written in. Left out, that is the first.
const versionKey = "version"

// Migration makes a file of one version of a format one of the next.
type Migration func(*Old)

// Old is a file of an earlier version, as its Migration sees it: a tree that is not
// checked yet.
type Old struct {
	root    *yaml.Node
	version int64
	fail    func(line int, path, found, allowed string)
	set     map[string]any
}

// Len is the number of entries of a list; 0 where there is none.
func (o *Old) Len(list string) int {
	if n := o.node(list); n != nil && n.Kind == yaml.SequenceNode {
		return len(n.Content)
	}
	return 0
}

// Text is the single value of a key, and whether it has one.
func (o *Old) Text(path string) (string, bool) {
	n := o.node(path)
	if n == nil || n.Kind != yaml.ScalarNode {
		return "", false
	}
	return n.Value, true
}

// Flag is a key that holds true or false. Whatever else it holds is noted as wrong, and
// the key dropped.
func (o *Old) Flag(path string) (is, ok bool) {
	n := o.node(path)
	switch {
	case n == nil:
		return false, false
	case n.Kind == yaml.ScalarNode && n.ShortTag() == tagBool && (n.Value == "true" || n.Value == "false"):
		return n.Value == "true", true
	}
	o.fail(n.Line, path, describe(n), fmt.Sprintf("true or false, as the file is of version %d (stolpe config migrate makes it one of version %d)", o.version, o.version+1))
	o.Drop(path) // it is told once
	return false, false
}

// Set gives a key that stands in the file another text.
func (o *Old) Set(path, to string) {
	if n := o.node(path); n != nil {
		*n = yaml.Node{Kind: yaml.ScalarNode, Tag: tagText, Value: to, Line: n.Line, Column: n.Column}
		o.set[path] = to
	}
}

// Drop takes a key out.
func (o *Old) Drop(path string) {
	section, name := o.root, path
	if i := strings.LastIndex(path, "."); i >= 0 {
		section, name = o.node(path[:i]), path[i+1:]
	}
	if section == nil || section.Kind != yaml.MappingNode {
		return
	}
	if i := entry(section, name); i >= 0 {
		section.Content = append(section.Content[:i:i], section.Content[i+2:]...)
		o.set[path] = nil
	}
}

// node finds a node of the tree; nil where there is none.
func (o *Old) node(path string) *yaml.Node {
	steps, err := stepsOf(path)
	if err != nil {
		return nil
	}
	at := o.root
	for _, s := range steps {
		switch {
		case s.entry >= 0 && at.Kind == yaml.SequenceNode && s.entry < len(at.Content):
			at = at.Content[s.entry]
		case s.entry < 0 && at.Kind == yaml.MappingNode && entry(at, s.name) >= 0:
			at = at.Content[entry(at, s.name)+1]
		default:
			return nil
		}
	}
	return at
}

// current is the newest version of a format.
func (f Format) current() int64 { return int64(len(f.Migrations)) + 1 }

// versionOf gives the version that a file says it has. What is no version is left for
// the table to refuse. One that is newer than the program is an error of its own: what
// else would be said of such a file could be wrong.
func (f Format) versionOf(name string, root *yaml.Node) (int64, *Error) {
	if len(f.Migrations) == 0 || root.Kind != yaml.MappingNode {
		return f.current(), nil
	}
	i := entry(root, versionKey)
	if i < 0 {
		return 1, nil
	}
	v, err := strconv.ParseInt(root.Content[i+1].Value, 10, 64)
	switch {
	case err != nil || v < 1:
		return f.current(), nil
	case v > f.current():
		return 0, &Error{
			File: name, Line: root.Content[i].Line, Key: versionKey, Found: fmt.Sprint(v),
			Allowed: fmt.Sprintf("at most %d: a later version of the program has written this file, so install that one, or put the file before back", f.current()),
		}
	}
	return v, nil
}

// migrate makes the tree one of the newest version, and gives what had to be set.
func (f Format) migrate(root *yaml.Node, from int64, fail func(line int, path, found, allowed string)) map[string]any {
	all := map[string]any{}
	for v := from; v < f.current(); v++ {
		o := &Old{root: root, version: v, fail: fail, set: map[string]any{}}
		f.Migrations[v-1](o)
		maps.Copy(all, o.set)
	}
	return all
}

// Migrate gives the text of a file in the newest version, and what has become of which
// keys. A file of that version stays as it is. What is wrong with the file as a whole
// comes as Errors; the rest is for Read to say, before or after.
func (f Format) Migrate(name string, data []byte) (text []byte, set map[string]any, err error) {
	root, bad := f.parse(name, data)
	if bad != nil {
		return nil, nil, Errors{*bad}
	}
	version, bad := f.versionOf(name, root)
	if bad != nil {
		return nil, nil, Errors{*bad}
	}
	if version == f.current() {
		return data, nil, nil
	}
	set = f.migrate(root, version, func(int, string, string, string) {})
	if text, err = Edit(data, set); err != nil {
		return nil, nil, err
	}
	text, err = setVersion(text, f.current())
	return text, set, err
}

// setVersion says in a file which version it has: where it says so already, else at its
// top, where people look for it.
func setVersion(data []byte, version int64) ([]byte, error) {
	now := json.Number(strconv.FormatInt(version, 10))
	plain, err := Edit(data, map[string]any{versionKey: now}) // which puts a new key last
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content[0].Content) == 0 || entry(doc.Content[0], versionKey) >= 0 {
		return plain, err
	}
	t := text{data}
	line := doc.Content[0].Content[0].Line
	for line > 1 && bytes.HasPrefix(data[t.line(line-1):], []byte("#")) {
		line-- // what is said of the first key stays with it
	}
	at := max(t.line(line), len(data)-len(bytes.TrimPrefix(data, []byte("\ufeff"))))
	top := t.replace(at, at, []byte(versionKey+": "+now.String()+"\n"))
	if want, err := plainTree(plain); err == nil {
		if got, err := plainTree(top); err == nil && reflect.DeepEqual(want, got) {
			return top, nil
		}
	}
	return plain, nil
}
