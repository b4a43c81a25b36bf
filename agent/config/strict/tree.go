package strict

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"stolpe/agent/config/strict/legal"
)

// Reader takes a YAML tree apart by a table, and knows afterwards where
// everything stood. It goes on after an error, so that all errors are told at
// once.
type Reader struct {
	Old bool // the file is of an earlier version

	format  Format
	file    string
	errs    Errors
	lines   map[string]int    // line of every key that was met, by path
	from    map[string]string // environment variable that set a key, by path
	over    map[string]string // what it holds, by path
	said    map[string]any    // what stands in the file
	bad     map[string]bool   // keys with an error, by path
	excused map[string]bool   // keys that are missing because of an error told already, by path
	units   *strings.Replacer // puts in the words that depend on the file
}

func (f Format) newReader(name string, root *yaml.Node) *Reader {
	return &Reader{
		format: f, file: name, units: f.units(root),
		lines: map[string]int{}, from: map[string]string{}, over: map[string]string{}, bad: map[string]bool{}, excused: map[string]bool{},
	}
}

// wrong notes an error at a line of the file.
func (r *Reader) wrong(line int, path, found, allowed string) {
	r.bad[path] = true
	r.errs = append(r.errs, Error{r.file, line, path, r.units.Replace(found), r.units.Replace(allowed)})
}

// Wrong gives the error for a key that was read, wherever it came from.
func (r *Reader) Wrong(path, found, allowed string) Error {
	e := Error{File: r.file, Key: path, Found: r.units.Replace(found), Allowed: r.units.Replace(allowed)}
	if name := r.from[path]; name != "" {
		e.File = "environment " + name
		return e
	}
	for p := path; e.Line == 0 && p != ""; p = parent(p) {
		e.Line = r.lines[p]
	}
	return e
}

// Fail notes an error of a key that was read.
func (r *Reader) Fail(path, found, allowed string) {
	r.bad[path] = true
	r.errs = append(r.errs, r.Wrong(path, found, allowed))
}

// Err gives everything noted so far as Errors in the order of the file, or nil.
func (r *Reader) Err() error {
	if len(r.errs) == 0 {
		return nil
	}
	return r.errs.sorted()
}

// Given says whether a key stands in the file, or its environment variable is set.
func (r *Reader) Given(path string) bool { return r.lines[path] != 0 || r.from[path] != "" }

// Fine says whether nothing was wrong with any of the keys so far, so that they
// can be compared with each other.
func (r *Reader) Fine(paths ...string) bool {
	for _, p := range paths {
		for ; p != ""; p = parent(p) {
			if r.bad[p] {
				return false
			}
		}
	}
	return true
}

// parent gives the path of the section or list that holds a key.
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

// section reads the keys of a section. The line is that of the section's own key.
func (r *Reader) section(k Key, n *yaml.Node, path string, line int) map[string]any {
	out, seen := map[string]any{}, map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		c, ok := r.known(k, name, value, path, seen)
		if !ok {
			continue
		}
		below := join(path, c.Name)
		r.lines[below] = name.Line
		if v := r.value(c, value, below, name.Line); v != nil {
			out[c.Name] = v
		}
	}
	for _, c := range k.Keys {
		if seen[c.Name] == 0 {
			r.absent(c, path, line, out)
		}
	}
	return out
}

// known finds the row of a key in a section. Keys that are unknown or stand
// there twice are errors.
func (r *Reader) known(k Key, name, value *yaml.Node, path string, seen map[string]int) (Key, bool) {
	if !r.plain(name, path) {
		return Key{}, false
	}
	below := join(path, printable(name.Value))
	c, ok := k.child(name.Value)
	if !ok || name.Kind != yaml.ScalarNode {
		meant := nearest(name.Value, k.names())
		r.excused[join(path, meant)] = true
		r.wrong(name.Line, below, "an unknown key", r.suggest(k, path, name.Value, meant))
		return Key{}, false
	}
	if first := seen[c.Name]; first != 0 {
		r.wrong(name.Line, below, "the key a second time", fmt.Sprintf("it once (it stands on line %d already)", first))
		return Key{}, false
	}
	seen[c.Name] = name.Line
	return c, true
}

// suggest says which keys a section has, and which one was probably meant: the
// nearest of its own, or one of the same name elsewhere.
func (r *Reader) suggest(k Key, path, name, meant string) string {
	allowed := "one of " + strings.Join(k.names(), ", ")
	if meant != "" {
		return allowed + " (did you mean " + join(path, meant) + "?)"
	}
	r.format.Walk(func(p string, c Key) {
		if meant == "" && c.Name == name {
			meant = p
		}
	})
	if meant != "" {
		allowed += " (" + name + " belongs to " + parent(meant) + ")"
	}
	return allowed
}

// absent deals with a key that does not stand in its section. If that follows
// from another mistake, it is not told as a second one.
func (r *Reader) absent(c Key, path string, line int, out map[string]any) {
	below := join(path, c.Name)
	switch {
	case r.excused[below]:
		r.bad[below] = true
	case c.Need:
		r.wrong(line, below, "nothing", c.allowed())
	}
	if strings.Contains(path, "[") { // viper has no defaults inside lists
		c.fill(out)
	}
}

// fill puts the default of k, or the defaults of its keys, into the section out.
func (k Key) fill(out map[string]any) {
	if k.Def != nil {
		out[k.Name] = k.Def
	}
	if k.Kind == Section {
		inner := map[string]any{}
		for _, c := range k.Keys {
			c.fill(inner)
		}
		out[k.Name] = inner
	}
}

// plain refuses what YAML has beyond values: anchors and aliases (with which a
// small file can be a very large one) and types said out loud.
func (r *Reader) plain(n *yaml.Node, path string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		r.wrong(n.Line, path, "an alias (*)", "the value itself")
	case n.Anchor != "":
		r.wrong(n.Line, path, "an anchor (&)", "the value without it")
	case n.Style&yaml.TaggedStyle != 0:
		r.wrong(n.Line, path, "a tag (!)", "the value without it")
	default:
		return true
	}
	return false
}

// printable makes a key from the file fit for a message.
func printable(name string) string {
	const most = 40 // characters; chosen by us
	runes := []rune(name)
	if len(runes) > most {
		name = string(runes[:most]) + "..."
	}
	if name == "" || strings.ContainsAny(name, `.[] "`) || !legal.Visible(name) {
		return fmt.Sprintf("%q", name)
	}
	return name
}

// sections gives the value of a list.
func (r *Reader) sections(k Key, n *yaml.Node, path string) []any {
	if len(n.Content) < int(k.Min) || len(n.Content) > int(k.Max) {
		r.wrong(n.Line, path, fmt.Sprintf("%d entries", len(n.Content)), k.allowed())
		return nil
	}
	out := make([]any, len(n.Content))
	for i, entry := range n.Content {
		below := fmt.Sprintf("%s[%d]", path, i)
		r.lines[below] = entry.Line
		item := Key{Name: k.Name, Kind: Section, Keys: k.Keys}
		m, ok := r.value(item, entry, below, entry.Line).(map[string]any)
		if !ok {
			m = map[string]any{}
		}
		out[i] = m
	}
	return out
}
