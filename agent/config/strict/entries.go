package strict

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Entry is one key as it holds: from the file, from the environment, or by default.
// What is a secret, or says where one is, shows only that it is there.
type Entry struct {
	Path string
	From string // file:line, "environment NAME" or "default"

	value  any // int64, string, bool, time.Duration, or a []any of these
	quiet  bool
	secret bool // it says where a secret is
}

// Entries gives all keys that hold something, in the order of the table. Keys of a
// section that is left out, and without which it could not be, hold nothing.
func (r *Reader) Entries() []Entry { return r.entries(r.format.top(), r.said, "") }

func (r *Reader) entries(k Key, said map[string]any, path string) (all []Entry) {
	for _, c := range k.Keys {
		below := join(path, c.Name)
		switch v := said[c.Name]; c.Kind {
		case Section:
			inner, given := v.(map[string]any)
			if given || !c.demands() {
				all = append(all, r.entries(c, inner, below)...)
			}
		case List:
			list, _ := v.([]any)
			for i, item := range list {
				inner, _ := item.(map[string]any)
				all = append(all, r.entries(c, inner, fmt.Sprintf("%s[%d]", below, i))...)
			}
		default:
			if e, holds := r.entry(c, v, below); holds {
				all = append(all, e)
			}
		}
	}
	return all
}

// entry gives one key, and says whether it holds anything.
func (r *Reader) entry(k Key, said any, path string) (Entry, bool) {
	e := Entry{Path: path, From: "default", value: said, secret: k.Kind == SecretRef || k.Kind == SecretRefs}
	e.quiet = k.Quiet || e.secret
	switch {
	case r.from[path] != "":
		e.From, e.value = "environment "+r.from[path], r.over[path]
	case r.lines[path] > 0:
		e.From = fmt.Sprintf("%s:%d", r.file, r.lines[path])
	case k.Def != nil:
		e.value = k.Def
	default:
		return Entry{}, false
	}
	return e, true
}

// demands says whether a section has keys that must stand in it.
func (k Key) demands() bool {
	for _, c := range k.Keys {
		if c.Need {
			return true
		}
	}
	return false
}

// Text is what it holds, for people.
func (e Entry) Text() string {
	if e.quiet {
		return notShown
	}
	return plainly(e.value)
}

func plainly(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return Short(v)
	case []any:
		all := make([]string, len(v))
		for i := range v {
			all[i] = plainly(v[i])
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// MarshalJSON gives path, value and where that comes from. Durations are as in the file.
func (e Entry) MarshalJSON() ([]byte, error) {
	v := e.value
	if _, span := v.(time.Duration); span || e.quiet {
		v = e.Text()
	}
	return json.Marshal(struct {
		Path  string `json:"key"`
		Value any    `json:"value"`
		From  string `json:"from"`
	}{e.Path, v, e.From})
}

// Secrets gives where the secrets of a key are kept, as credential:NAME and the like; none
// for a key that has none.
func (e Entry) Secrets() (where []string) {
	switch v := e.value.(type) {
	case string:
		if e.secret {
			where = append(where, v)
		}
	case []any:
		for _, one := range v {
			if said, ok := one.(string); ok && e.secret {
				where = append(where, said)
			}
		}
	}
	return where
}

// Same says whether another entry holds the same, wherever that comes from.
func (e Entry) Same(o Entry) bool { return e.Path == o.Path && reflect.DeepEqual(e.value, o.value) }

// Defaults gives what holds when nothing is said. Keys within lists have [] in their
// paths.
func (f Format) Defaults() (all []Entry) {
	f.Walk(func(path string, k Key) {
		if k.Def != nil {
			all = append(all, Entry{Path: path, From: "default", value: k.Def, quiet: k.Quiet})
		}
	})
	return all
}
