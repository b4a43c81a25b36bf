package strict

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind is what a key holds.
type Kind uint8

// The kinds.
const (
	Section    Kind = iota // keys of its own
	List                   // sections
	Numbers                // whole numbers
	Texts                  // texts
	Number                 // one whole number
	Text                   // one text
	Flag                   // true or false
	Span                   // a duration, as in 10m
	SecretRef              // where a secret is kept
	SecretRefs             // where several are
)

// Key is one key of a file: everything the loader, the defaults and the printed
// reference know of it.
type Key struct {
	Name string
	Kind Kind
	Doc  string // what it means, for the reference

	Need  bool              // must stand in the file
	Def   any               // what holds when it is left out: int64, string, bool or time.Duration
	Unset string            // what holds when it is left out and there is no Def, for the reference
	Env   string            // environment variable that wins over the file; Text only
	Want  string            // what is allowed, for the reference and for messages
	Legal func(string) bool // of Text and Texts, and of a Flag that may not be both: whether it is as Want says
	Quiet bool              // a wrong value is not repeated: it may be a secret in the wrong place

	Min, Max int64    // of a Number, and of a Span in ns; of what has entries, their number
	Each     [2]int64 // of Numbers: the least and the most one may be

	Keys []Key // of a Section, or of each section in a List
}

// child gives the key of that name.
func (k Key) child(name string) (Key, bool) {
	for _, c := range k.Keys {
		if c.Name == name {
			return c, true
		}
	}
	return Key{}, false
}

// names gives the names of all keys of a section, in the order of the table.
func (k Key) names() []string {
	names := make([]string, len(k.Keys))
	for i, c := range k.Keys {
		names[i] = c.Name
	}
	return names
}

func (k Key) walk(path string, visit func(path string, k Key)) {
	for _, c := range k.Keys {
		below := join(path, c.Name)
		visit(below, c)
		if c.Kind == List {
			below += "[]"
		}
		c.walk(below, visit)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Check says what is wrong with the table itself, which is a mistake of ours; for
// tests.
func (f Format) Check() error {
	seen := map[string]bool{}
	var wrong []error
	f.Walk(func(path string, k Key) {
		for _, rule := range []struct {
			broken bool
			why    string
		}{
			{seen[path], "stands there twice"},
			{!strings.HasSuffix(k.Doc, "."), "its meaning is no sentence"},
			{(k.Kind == Text || k.Kind == Texts) && (k.Legal == nil || k.Want == ""), "nothing says what is allowed"},
			{k.Def != nil && !k.allows(k.Def), "its default is not allowed"},
			{k.Env != "" && (k.Kind != Text || strings.Contains(path, "[")), "only a single text can come from the environment"},
			{k.Need && (k.Def != nil || k.Unset != ""), "must be given, so there is nothing to hold when it is left out"},
			{k.leaf() && !k.Need && k.Def == nil && k.Unset == "", "nothing says what holds when it is left out"},
			{len(k.Name) > maxWord/2, "is too long to be found when it is misspelt"},
		} {
			if rule.broken {
				wrong = append(wrong, fmt.Errorf("%s: %s", path, rule.why))
			}
		}
		seen[path] = true
	})
	return errors.Join(wrong...)
}

// allows says whether a default is one that the file could give.
func (k Key) allows(def any) bool {
	switch d := def.(type) {
	case string:
		return k.Kind == Text && k.Legal != nil && k.Legal(d)
	case int64:
		return k.Kind == Number && d >= k.Min && d <= k.Max
	case bool:
		return k.Kind == Flag
	case time.Duration:
		return k.Kind == Span && int64(d) >= k.Min && int64(d) <= k.Max
	}
	return false
}

func (k Key) leaf() bool { return k.Kind != Section && k.Kind != List }
